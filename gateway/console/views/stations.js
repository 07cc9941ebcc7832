/**
 * @import { FleetEntry } from '../../../model/index.ts'
 * @import { Sorting, StationColumn } from '../fleet.js'
 * @import { View } from './frame.js'
 */
import { badge, byId, cell, h, head, headOf, icon, keyed, roving, setAttr, setText, tableOf } from '../dom.js';
import { filterStations, MAX_ROWS, sortBy, sortStations } from '../fleet.js';
import { age, percent, power, span } from '../format.js';
import {
  codeSentence,
  markOf,
  outcomeWords,
  protocolWords,
  qualityWords,
  reasons,
  setLimitWords,
  stateOf,
} from '../words.js';

/** @type {readonly { key: Exclude<StationColumn, 'protocol'>, label: string, number?: true }[]} */
const COLUMNS = [
  { key: 'resource', label: 'Resource' },
  { key: 'station', label: 'Station' },
  { key: 'state', label: 'State' },
  { key: 'soc', label: 'SoC', number: true },
  { key: 'measured', label: 'Measured', number: true },
  { key: 'granted', label: 'Granted', number: true },
  { key: 'envelope', label: 'Envelope', number: true },
  { key: 'outcome', label: 'Last command' },
  { key: 'age', label: 'Age', number: true },
];

/** One row of the table, with what it needs from elsewhere. @typedef {{ entry: FleetEntry, now: number, service: string | undefined, limit: string | undefined }} Row */

/** All resources of the site. @param {{ refresh: () => void, open: (resourceId: string, from: HTMLElement) => void }} o @returns {View} */
export function stationsView({ refresh, open }) {
  const note = byId('stations-note', HTMLElement);
  const filter = byId('stations-filter', HTMLInputElement);
  const body = h('tbody', { role: 'rowgroup' });
  const empty = h('p', { class: 'empty', hidden: '' });
  let sorting = sortBy({ column: 'age', descending: false }, 'resource');
  const heads = sortHeads((column) => {
    sorting = sortBy(sorting, column);
    heads.show(sorting);
    refresh();
  });
  heads.show(sorting);
  const table = tableOf('stations', 'stations-title');
  table.append(headOf(...heads.nodes), body);
  table.after(empty);
  filter.addEventListener('input', refresh);
  const showRows = keyed(body, {
    key: (/** @type {Row} */ r) => r.entry.resourceId,
    make: ({ entry }) => stationRow(entry, open),
  });
  // Two hundred rows would be two hundred stops for the tab key.
  const rove = roving(body, 'button.link');
  const choose = remembered(
    (/** @type {readonly FleetEntry[]} */ all, /** @type {string} */ words, /** @type {Sorting} */ order) => {
      const found = filterStations(all, words);
      const shown = sortStations(found, order).slice(0, MAX_ROWS);
      return { shown, text: countText(all, found.length, shown.length) };
    },
  );
  /** @type {string | undefined} */
  let asked;
  return {
    show({ site, now, route }) {
      // A warning leads to those that it is about; whoever types something else afterwards is right.
      if (route.params.filter !== asked) {
        asked = route.params.filter;
        filter.value = asked ?? '';
      }
      const all = site?.view.snapshot.resources ?? NONE;
      const service = activeService(site?.view.snapshot.services ?? []);
      const limit = setLimitWords(site?.view.snapshot.limits ?? []);
      const { shown, text } = choose(all, filter.value, sorting);
      showRows(shown.map((entry) => ({ entry, now, service, limit })));
      rove.refresh();
      setText(note, text);
      empty.hidden = shown.length > 0;
      setText(
        empty,
        all.length === 0
          ? site
            ? 'The site file names no station.'
            : 'No site is open. Deploy a flow with a site node, and check its site file at /health.'
          : 'No station fits this filter.',
      );
    },
  };
}

/** @type {readonly FleetEntry[]} */
const NONE = [];

/**
 * Keeps the last result while the arguments stay the same: ten thousand stations are not sorted for every frame.
 * @template {readonly unknown[]} A
 * @template R
 * @param {(...args: A) => R} compute
 * @returns {(...args: A) => R}
 */
function remembered(compute) {
  /** @type {{ args: A, result: R } | undefined} */
  let last;
  return (...args) => {
    if (last === undefined || args.some((a, i) => a !== last?.args[i])) last = { args, result: compute(...args) };
    return last.result;
  };
}

/** @param {readonly FleetEntry[]} all @param {number} found @param {number} shown */
function countText(all, found, shown) {
  if (shown < found) return `the first ${shown} of ${found}; narrow the filter to see others`;
  if (found < all.length) return `${found} of ${all.length}`;
  return `${all.filter((e) => e.online).length} of ${all.length} online`;
}

/** @param {readonly { state: string, fsrId: string, foId: string }[]} services */
function activeService(services) {
  const active = services.filter((s) => s.state === 'active');
  return active.length === 1 ? active[0]?.foId : active.length > 1 ? 'the active services' : undefined;
}

/** @param {(column: StationColumn) => void} onSort */
function sortHeads(onSort) {
  const heads = COLUMNS.map(({ key, label, number }) => {
    const symbol = icon();
    const button = h('button', { type: 'button', class: 'sort' }, label, symbol.node);
    button.addEventListener('click', () => onSort(key));
    return {
      key,
      symbol,
      node: head(number === true, button),
    };
  });
  return {
    nodes: heads.map((x) => x.node),
    /** @param {{ column: StationColumn, descending: boolean }} sorting */
    show({ column, descending }) {
      for (const one of heads) {
        const order = one.key !== column ? undefined : descending ? 'descending' : 'ascending';
        setAttr(one.node, 'aria-sort', order);
        one.symbol.show(order === undefined ? 'sort' : descending ? 'down' : 'up');
      }
    },
  };
}

/** @param {FleetEntry} first @param {(resourceId: string, from: HTMLElement) => void} open */
function stationRow(first, open) {
  const [state, outcome, quality, mark] = [badge(), badge(), badge(), badge()];
  const [identity, protocol] = [h('div'), h('div', { class: 'why muted' })];
  const down = h('div', { class: 'why', 'data-tone': 'warn' });
  const button = h('button', {
    type: 'button',
    class: 'link',
    'aria-haspopup': 'dialog',
    title: 'Details and actions',
  });
  button.addEventListener('click', () => open(first.resourceId, button));
  const more = h('span', { class: 'muted' });
  const failure = h('div', { class: 'why', 'data-tone': 'bad' });
  const why = h('div', { class: 'why muted' });
  const measured = h('span', { class: 'figure' });
  quality.node.classList.add('quality');
  /** @type {Record<Exclude<StationColumn, 'protocol'>, HTMLElement>} */
  const cells = {
    resource: h('th', { role: 'rowheader', scope: 'row' }, button),
    station: cell('Station', '', identity, protocol),
    state: cell('State', '', h('div', {}, state.node), mark.node),
    soc: cell('SoC', 'number'),
    measured: cell('Measured', 'number', measured, ' ', quality.node),
    granted: cell('Granted', 'number'),
    envelope: cell('Envelope', 'number envelope'),
    outcome: cell('Last command', 'outcome', h('div', {}, outcome.node, ' ', more), failure, down, why),
    age: cell('Age', 'number'),
  };
  const node = h('tr', { role: 'row' }, ...COLUMNS.map((c) => cells[c.key]));
  return {
    node,
    /** @param {Row} row */
    show({ entry: e, now, service, limit }) {
      setText(button, e.resourceId);
      setText(identity, e.identity ?? '–');
      setText(protocol, protocolWords(e.protocol));
      state.show(stateOf(e));
      const found = markOf(e);
      mark.node.hidden = found === undefined;
      if (found !== undefined) mark.show(found);
      setText(down, e.steppedDown === undefined ? '' : `Simpler commands: ${e.steppedDown}`);
      setText(cells.soc, percent(e.socPct));
      setText(measured, power(e.measuredW));
      quality.show(qualityWords(e.quality));
      setAttr(quality.node, 'title', qualityWords(e.quality).more);
      setText(cells.granted, power(e.grantedW));
      setText(cells.envelope, span(e.importLimitW, e.exportLimitW));
      const words = outcomeWords(e);
      outcome.show(words);
      setText(more, words.more ?? '');
      setText(failure, codeSentence(e.outcomeCode));
      setText(why, reasons(e, { service, limit }, power).join(' '));
      setText(cells.age, age(e.measuredAt, now));
      setAttr(node, 'data-online', String(e.online));
    },
  };
}
