import { diffLines } from './diff.js';
import { counted, h } from './dom.js';

/** Unchanged lines that are shown around a change. */
const AROUND = 2;
const SIGNS = { same: ' ', added: '+', removed: '−' };
const WORDS = { same: '', added: 'added: ', removed: 'removed: ' };

/**
 * Shows what a text changes against the shipped one.
 * @param {HTMLElement} panel
 * @param {string | undefined} shipped
 * @param {string} text
 * @returns {number} how many lines were added or removed
 */
export function showDifference(panel, shipped, text) {
  if (shipped === undefined) {
    panel.replaceChildren(
      h('p', { class: 'v2gate-bench-none' }, 'Nothing is shipped that this could be compared with.'),
    );
    return 0;
  }
  const lines = diffLines(shipped, text);
  const changes = lines.filter((l) => l.kind !== 'same').length;
  if (changes === 0) {
    panel.replaceChildren(h('p', { class: 'v2gate-bench-none' }, 'The same as the shipped mapping.'));
    return 0;
  }
  const near = lines.map((_, i) => lines.slice(Math.max(0, i - AROUND), i + AROUND + 1).some((l) => l.kind !== 'same'));
  /** @type {HTMLElement[]} */
  const rows = [];
  let hidden = 0;
  lines.forEach((line, i) => {
    if (!near[i]) {
      hidden++;
      return;
    }
    if (hidden > 0) rows.push(gap(hidden));
    hidden = 0;
    rows.push(row(line));
  });
  if (hidden > 0) rows.push(gap(hidden));
  panel.replaceChildren(h('div', { class: 'v2gate-bench-diff' }, ...rows));
  return changes;
}

/** @param {number} n */
const gap = (n) => h('div', { 'data-kind': 'gap' }, `${counted(n, 'unchanged line')}`);

/** @param {import('./diff.js').DiffLine} line */
function row({ kind, text, before, after }) {
  return h(
    'div',
    { 'data-kind': kind },
    h('span', { class: 'v2gate-bench-line' }, String(after ?? before ?? '')),
    h('span', { 'aria-hidden': 'true' }, SIGNS[kind]),
    h('span', { class: 'v2gate-bench-said' }, WORDS[kind]),
    h('code', {}, text),
  );
}
