/**
 * @import { ServiceRow } from '../words.js'
 * @import { View } from './frame.js'
 */
import { badge, byId, cell, h, head, headOf, keyed, setAttr, setText, tableOf } from '../dom.js';
import { isRunning, MAX_ROWS, sortServices } from '../fleet.js';
import { duration, power, timeOfDay } from '../format.js';
import { limitedByWords, serviceWords } from '../words.js';

const COLUMNS = ['Operator', 'Service', 'State', 'Window', 'Target', 'Applied', 'Limited by'];
const NUMBERS = ['Target', 'Applied'];

/** What operators asked for. @returns {View} */
export function servicesView() {
  const note = byId('services-note', HTMLElement);
  const table = tableOf('services', 'services-title');
  const body = h('tbody', { role: 'rowgroup' });
  const empty = h('p', { class: 'empty' }, 'No flexibility operator has asked for a service yet.');
  table.append(headOf(...COLUMNS.map((c) => head(NUMBERS.includes(c), c))), body);
  table.after(empty);
  const showRows = keyed(body, {
    key: (/** @type {{ s: ServiceRow, now: number }} */ { s }) => s.fsrId,
    make: serviceRow,
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

function serviceRow() {
  const state = badge();
  const phase = h('span', { class: 'muted' });
  const [when, left] = [h('span'), h('span', { class: 'muted' })];
  const [type, id] = [h('span'), h('span', { class: 'muted id' })];
  const fo = h('th', { role: 'rowheader', scope: 'row' });
  const target = cell('Target', 'number');
  const applied = cell('Applied', 'number');
  const limited = cell('Limited by');
  const node = h(
    'tr',
    { role: 'row' },
    fo,
    cell('Service', '', type, ' ', id),
    cell('State', '', state.node, ' ', phase),
    cell('Window', 'window', when, ' ', left),
    target,
    applied,
    limited,
  );
  return {
    node,
    /** @param {{ s: ServiceRow, now: number }} row */
    show({ s, now }) {
      setText(fo, s.foId);
      setText(type, s.serviceType);
      setText(id, s.fsrId);
      state.show(serviceWords(s.state));
      setText(phase, s.phase ?? '');
      setText(when, `${timeOfDay(Date.parse(s.start))} – ${timeOfDay(Date.parse(s.end))}`);
      setText(left, isRunning(s) ? leftText(s, now) : '');
      setText(target, power(s.targetW));
      setText(applied, power(s.appliedW));
      setText(limited, isRunning(s) || s.limitedBy !== undefined ? limitedByWords(s.limitedBy) : '–');
      setAttr(node, 'data-running', String(isRunning(s)));
    },
  };
}

/** @param {ServiceRow} s @param {number} now */
function leftText(s, now) {
  const start = Date.parse(s.start);
  return start > now ? `starts in ${duration(start - now)}` : `${duration(Date.parse(s.end) - now)} left`;
}
