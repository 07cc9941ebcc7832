/**
 * Order and choice of what tables show.
 * @import { FleetEntry } from '../../model/index.ts'
 * @import { ServiceRow } from './words.js'
 */

import { isOutOfService, markOf, outcomeWords, stateOf } from './words.js';

/** @typedef {'resource' | 'station' | 'protocol' | 'state' | 'soc' | 'measured' | 'granted' | 'envelope' | 'outcome' | 'age'} StationColumn */

/** @typedef {{ column: StationColumn, descending: boolean }} Sorting */

/** Rows that a table shows at once; the filter reaches the others. */
export const MAX_ROWS = 200;

const TEXT = new Intl.Collator('en', { numeric: true });

/** What needs somebody's eye comes first. */
const STATE_ORDER = [
  'faulted',
  'offline',
  'discharging',
  'charging',
  'suspended',
  'connected',
  'reserved',
  'available',
];
const OUTCOME_ORDER = ['notEffective', 'refused', 'unknown', 'expired', 'sent', 'accepted', 'superseded', 'effective'];

/** @type {Readonly<Record<StationColumn, (e: FleetEntry) => string | number | undefined>>} */
const KEYS = {
  resource: (e) => e.resourceId,
  station: (e) => e.identity,
  protocol: (e) => e.protocol,
  state: (e) => STATE_ORDER.indexOf(e.state),
  soc: (e) => e.socPct,
  measured: (e) => e.measuredW,
  granted: (e) => e.grantedW,
  envelope: (e) => e.importLimitW,
  outcome: (e) => (e.outcome === undefined ? undefined : OUTCOME_ORDER.indexOf(e.outcome)),
  age: (e) => (e.measuredAt === undefined ? undefined : -Date.parse(e.measuredAt)),
};

/**
 * The rows in order; what is unknown comes last either way, equal rows by resource.
 * @param {readonly FleetEntry[]} rows
 * @param {Sorting} sorting
 * @returns {FleetEntry[]}
 */
export function sortStations(rows, { column, descending }) {
  const key = KEYS[column];
  return rows.toSorted((a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === undefined || y === undefined) {
      if (x !== y) return x === undefined ? 1 : -1;
    } else {
      const order = typeof x === 'number' && typeof y === 'number' ? x - y : TEXT.compare(String(x), String(y));
      if (order !== 0) return descending ? -order : order;
    }
    return TEXT.compare(a.resourceId, b.resourceId);
  });
}

/**
 * Rows in which every word is found: in resource, station, protocol, state, mark or outcome, as they are shown and as
 * the hub language names them.
 * @param {readonly FleetEntry[]} rows
 * @param {string} words
 */
export function filterStations(rows, words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return rows;
  return rows.filter((e) => {
    const state = isOutOfService(e) ? '' : e.state;
    const seen = [stateOf(e).text, markOf(e)?.text, outcomeWords(e).text];
    const text = [e.resourceId, e.identity, e.protocol, state, e.outcome, e.outcomeCode, ...seen]
      .join(' ')
      .toLowerCase();
    return wanted.every((w) => text.includes(w));
  });
}

/** @param {Sorting} now @param {StationColumn} column @returns {Sorting} */
export function sortBy(now, column) {
  return { column, descending: now.column === column && !now.descending };
}

const RUNNING = ['active', 'scheduled', 'accepted'];

/** @param {ServiceRow} s */
export const isRunning = (s) => RUNNING.includes(s.state);

/**
 * Running services first, by state and start; then the others, the newest first.
 * @param {readonly ServiceRow[]} services
 */
export function sortServices(services) {
  /** @param {ServiceRow} s */
  const rank = (s) => (isRunning(s) ? RUNNING.indexOf(s.state) : RUNNING.length);
  return services.toSorted((a, b) => {
    if (rank(a) !== rank(b)) return rank(a) - rank(b);
    return isRunning(a) ? Date.parse(a.start) - Date.parse(b.start) : Date.parse(b.end) - Date.parse(a.end);
  });
}
