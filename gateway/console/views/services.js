/**
 * @import { ServiceRow } from '../words.js'
 * @import { View } from './frame.js'
 */
import { badge, byId, cell, h, head, headOf, keyed, setAttr, setText, tableOf } from '../dom.js';
import { isRunning, MAX_ROWS, sortServices } from '../fleet.js';
import { duration, power, timeOfDay } from '../format.js';
import { limitedByWords, optCount, serviceKeyOf, serviceTypeWords, serviceWords } from '../words.js';

const COLUMNS = [
  'Operator',
  'Service',
  'State',
  'Window',
  'Requested',
  'Target',
  'Granted',
  'Measured',
  'Limited by',
  '',
];
const NUMBERS = ['Requested', 'Target', 'Granted', 'Measured'];

/** @typedef {(key: string, from: HTMLElement) => void} Open */

/**
 * What operators asked for: their own value, what the flow made of it, what was granted and what came.
 * @param {{ open: Open }} o
 * @returns {View}
 */
export function servicesView({ open }) {
  const note = byId('services-note', HTMLElement);
  const table = tableOf('services', 'services-title');
  const body = h('tbody', { role: 'rowgroup' });
  const empty = h('p', { class: 'empty' }, 'No service runs or is planned.');
  table.append(
    headOf(...COLUMNS.map((c) => head(NUMBERS.includes(c), c || h('span', { class: 'hidden' }, 'Details')))),
    body,
  );
  table.after(empty);
  const showRows = keyed(body, {
    key: (/** @type {{ s: ServiceRow, now: number }} */ { s }) => serviceKeyOf(s),
    make: ({ s }) => serviceRow(s, open),
  });
  return {
    show({ site, now }) {
      const all = site?.view.snapshot.services ?? [];
      const shown = sortServices(all).slice(0, MAX_ROWS);
      showRows(shown.map((s) => ({ s, now })));
      setText(note, all.length === 0 ? '' : `${all.filter(isRunning).length} running of ${all.length}`);
      empty.hidden = all.length > 0;
    },
  };
}

/** @param {ServiceRow} first @param {Open} open */
function serviceRow(first, open) {
  const state = badge();
  const phase = h('span', { class: 'muted' });
  const [when, left] = [h('div'), h('div', { class: 'why muted' })];
  const [type, id, terms] = [h('span'), h('span', { class: 'muted id' }), h('div', { class: 'why muted' })];
  const opted = h('div', { class: 'why', 'data-tone': 'warn' });
  const fo = h('th', { role: 'rowheader', scope: 'row' });
  const numbers = Object.fromEntries(NUMBERS.map((n) => [n, cell(n, 'number')]));
  const silent = h('div', { class: 'why', 'data-tone': 'warn' });
  const target = h('span');
  numbers.Target?.append(target, silent);
  const limited = cell('Limited by');
  const button = h('button', { type: 'button', 'aria-label': `Details of ${first.fsrId}` }, 'Details …');
  button.addEventListener('click', () => open(serviceKeyOf(first), button));
  const node = h(
    'tr',
    { role: 'row' },
    fo,
    cell('Service', 'id', h('div', {}, type), id, terms),
    cell('State', '', state.node, ' ', phase, opted),
    cell('Window', 'window', when, left),
    ...Object.values(numbers),
    limited,
    h('td', { role: 'cell', class: 'action' }, button),
  );
  return {
    node,
    /** @param {{ s: ServiceRow, now: number }} row */
    show({ s, now }) {
      setText(fo, s.foId);
      setText(type, serviceTypeWords(s.serviceType));
      setText(id, s.fsrId);
      setText(terms, termsOf(s));
      state.show(serviceWords(s.state));
      setText(phase, phaseText(s));
      setText(opted, optCount(s));
      setText(when, `${timeOfDay(Date.parse(s.start))} – ${timeOfDay(Date.parse(s.end))}`);
      setText(left, isRunning(s) ? leftText(s, now) : '');
      setNumber(numbers.Requested, s.limitW === undefined ? power(s.requestedW) : `≤ ${power(s.limitW)}`);
      setText(target, power(s.targetW));
      setText(silent, s.flow === 'silent' ? 'flow is silent' : '');
      setNumber(numbers.Granted, power(s.appliedW));
      setNumber(numbers.Measured, power(s.measuredW));
      setText(limited, isRunning(s) || s.limitedBy !== undefined ? limitedByWords(s.limitedBy) : '–');
      setAttr(node, 'data-running', String(isRunning(s)));
    },
  };
}

/** @param {HTMLElement | undefined} place @param {string} text */
function setNumber(place, text) {
  if (place !== undefined) setText(place, text);
}

/** What it was asked for under. @param {ServiceRow} s */
function termsOf(s) {
  return [
    ...(s.contractId === undefined ? [] : [s.contractId]),
    ...(s.revision === undefined || s.revision === 1 ? [] : [`revision ${s.revision}`]),
    ...(s.priority === undefined ? [] : [`priority ${s.priority}`]),
    ...(s.mandatory === true ? ['mandatory'] : []),
  ].join(' · ');
}

/** @param {ServiceRow} s */
function phaseText(s) {
  const waits = { confirm: 'waits for the operator to confirm', opt: 'waits for drivers to choose' };
  return [
    s.decision === 'partial' ? 'in part' : undefined,
    s.phase,
    s.waitsFor === undefined ? undefined : (waits[s.waitsFor] ?? s.waitsFor),
  ]
    .filter(Boolean)
    .join(', ');
}

/** @param {ServiceRow} s @param {number} now */
function leftText(s, now) {
  const start = Date.parse(s.start);
  return start > now ? `starts in ${duration(start - now)}` : `${duration(Date.parse(s.end) - now)} left`;
}
