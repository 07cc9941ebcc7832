import { h, icon } from './dom.js';

/** @typedef {import('./types.d.ts').Diagnostic} Diagnostic */

const ICONS = { error: 'times-circle', warning: 'exclamation-triangle', info: 'info-circle' };

/**
 * Lists findings; a click on one goes to its place in the text.
 * @param {HTMLElement} panel
 * @param {readonly Diagnostic[]} diagnostics
 * @param {(d: Diagnostic) => void} jump
 */
export function showFindings(panel, diagnostics, jump) {
  if (diagnostics.length === 0) {
    const text = h('p', { class: 'v2gate-bench-none' }, icon('check'), ' Nothing was found that is wrong with it.');
    panel.replaceChildren(text);
    return;
  }
  panel.replaceChildren(h('ul', { class: 'v2gate-bench-findings' }, ...diagnostics.map((d) => row(d, jump))));
}

/** @param {Diagnostic} d @param {(d: Diagnostic) => void} jump */
function row(d, jump) {
  const button = h(
    'button',
    { type: 'button', 'data-severity': d.severity, title: 'Show the place' },
    icon(ICONS[d.severity]),
    h('span', { class: 'v2gate-bench-said' }, `${d.severity}, line ${d.line}, column ${d.column}: `),
    h('span', { class: 'v2gate-bench-place', 'aria-hidden': 'true' }, `${d.line}:${d.column}`),
    h('span', { class: 'v2gate-bench-message' }, d.message),
    h('span', { class: 'v2gate-bench-code' }, d.code),
  );
  button.addEventListener('click', () => jump(d));
  const details = [];
  if (d.excerpt.trim() !== '^') details.push(h('pre', { 'aria-hidden': 'true' }, d.excerpt));
  if (d.hint !== undefined) details.push(h('p', {}, d.hint));
  return h('li', {}, button, ...details);
}
