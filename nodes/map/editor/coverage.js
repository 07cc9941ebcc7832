import { h } from './dom.js';

/** @typedef {import('./types.d.ts').CheckAnswer['description']} Description */

/** @typedef {{ readonly mood: 'good' | 'part' | 'none' | 'error', readonly sign: string, readonly word: string }} Look */

/** @type {Readonly<Record<string, Look>>} */
const LOOKS = {
  always: { mood: 'good', sign: '●', word: 'always set' },
  sometimes: { mood: 'part', sign: '◐', word: 'sometimes set' },
  never: { mood: 'none', sign: '○', word: 'not set' },
  missing: { mood: 'error', sign: '✕', word: 'required, not set' },
  read: { mood: 'good', sign: '●', word: 'read' },
  carried: { mood: 'part', sign: '→', word: 'carried by the gateway' },
  lost: { mood: 'none', sign: '○', word: 'lost, as the header says' },
  unsaid: { mood: 'error', sign: '✕', word: 'lost, and the header does not say so' },
};

/** Looks that are said in words beside the field. */
const NAMED = ['missing', 'carried', 'lost', 'unsaid'];

/**
 * Shows which fields of the target are set and what becomes of the fields of the source.
 * @param {HTMLElement} panel
 * @param {Description} d
 */
export function showCoverage(panel, d) {
  if (!isKnown(d)) {
    const why =
      d.coverage.length > 0
        ? 'The text cannot be read as it stands.'
        : 'Name source and target in the header, or choose them above, to see which fields are covered.';
    panel.replaceChildren(h('p', { class: 'v2gate-bench-none' }, why));
    return;
  }
  panel.replaceChildren(h('div', { class: 'v2gate-bench-coverage' }, targetPart(d), sourcePart(d)));
}

/** Nothing is known of a text that does not parse. @param {Description} d */
const isKnown = (d) => d.writes.length > 0 || d.reads.length > 0 || d.lost.unread.length > 0;

/** Whole per cent of the required fields of all targets; undefined where no target is known. @param {Description} d */
export function requiredPercent(d) {
  if (d.coverage.length === 0 || !isKnown(d)) return undefined;
  return Math.min(...d.coverage.map((c) => c.required.percent));
}

/** @param {Description} d */
function targetPart(d) {
  const parts = d.coverage.flatMap((c) => {
    const all = d.writes.filter((w) => w.topic === c.topic);
    // An object whose fields are listed says nothing by itself.
    const fields = all.filter((w) => !all.some((other) => other.path.startsWith(`${w.path}.`)));
    const rows = fields.map((f) => ({ ...f, look: f.required && f.set === 'never' ? 'missing' : f.set }));
    const shown = rows.filter((r) => r.look !== 'never');
    const unset = rows.filter((r) => r.look === 'never');
    const missing = shown.filter((r) => r.look === 'missing');
    return [
      h('h4', {}, c.topic),
      meter('required', c.required),
      meter('optional', c.optional),
      list([...missing, ...shown.filter((r) => r.look !== 'missing')].map((r) => field(r.path, r.look, r.from))),
      folded(
        `${unset.length} optional not set`,
        unset.map((r) => field(r.path, r.look)),
      ),
    ];
  });
  return h('section', { 'aria-label': 'Fields of the target' }, ...parts);
}

/** @param {Description} d */
function sourcePart({ from, reads, lost, context }) {
  const unstated = lost.unstated.map((path) => field(path, 'unsaid'));
  const others = lost.unread.filter((path) => !lost.unstated.includes(path));
  const carried = others.filter((path) => lost.carried.some((c) => names(c, path)));
  const stated = others.filter((path) => !carried.includes(path));
  return h(
    'section',
    { 'aria-label': 'Fields of the source' },
    h('h4', {}, from ?? 'source'),
    meter(
      'accounted for',
      share(lost.unread.length - unstated.length + reads.length, lost.unread.length + reads.length),
    ),
    list([
      ...unstated,
      ...reads.map((r) => field(r.path, 'read')),
      ...carried.map((path) => field(path, 'carried')),
      ...stated.map((path) => field(path, 'lost')),
    ]),
    folded(
      `${context.length} of $ctx read`,
      context.map((path) => field(path, 'read')),
    ),
  );
}

/** `a.b` names that field, `*.x` every field x. @param {string} stated @param {string} path */
const names = (stated, path) =>
  stated.startsWith('*.') ? path === stated.slice(2) || path.endsWith(stated.slice(1)) : stated === path;

/** @param {number} set @param {number} of */
const share = (set, of) => ({ set, of, percent: of === 0 ? 100 : Math.floor((100 * set) / of) });

/** @param {string} word @param {{ readonly set: number, readonly of: number, readonly percent: number }} s */
function meter(word, s) {
  const bar = h('span', { class: 'v2gate-bench-bar' }, h('span', { style: `width: ${s.percent}%` }));
  bar.setAttribute('data-full', String(s.set === s.of));
  bar.setAttribute('aria-hidden', 'true');
  return h('div', { class: 'v2gate-bench-meter' }, h('span', {}, word), bar, h('span', {}, `${s.set} of ${s.of}`));
}

/** @param {readonly HTMLElement[]} rows */
const list = (rows) => h('ul', { class: 'v2gate-bench-fields' }, ...rows);

/** @param {string} summary @param {readonly HTMLElement[]} rows */
const folded = (summary, rows) => (rows.length === 0 ? '' : h('details', {}, h('summary', {}, summary), list(rows)));

/** @param {string} path @param {string} look @param {readonly string[]} [from] */
function field(path, look, from = []) {
  const { mood, sign, word } = LOOKS[look] ?? { mood: 'none', sign: '', word: look };
  const source = from.length === 0 ? [] : [h('span', { class: 'v2gate-bench-from' }, `← ${from.join(', ')}`)];
  return h(
    'li',
    { 'data-mood': mood, title: word },
    h('span', { class: 'v2gate-bench-sign', 'aria-hidden': 'true' }, sign),
    h('span', { class: 'v2gate-bench-said' }, `${word}: `),
    h('span', { class: 'v2gate-bench-path' }, path),
    ...(NAMED.includes(look) ? [h('em', {}, word)] : source),
  );
}
