/**
 * Power of a vehicle as a bar: zero in the middle where anything may export, import to the right.
 * @import { FleetEntry } from '../../model/index.ts'
 */

const NAMES = new Intl.Collator('en', { numeric: true });
const LEAST_W = 1000;

/** Those that need an eye first, then by name. @param {readonly FleetEntry[]} entries */
export function fleetOrder(entries) {
  /** @param {FleetEntry} e */
  const rank = (e) => (e.state === 'faulted' ? 0 : e.online ? 2 : 1);
  return entries.toSorted((a, b) => rank(a) - rank(b) || NAMES.compare(a.resourceId, b.resourceId));
}

/** The power at the end of every bar, W, so that bars can be compared. @param {readonly FleetEntry[]} entries */
export function fleetScale(entries) {
  return Math.max(
    LEAST_W,
    ...entries.flatMap((e) => [e.importLimitW ?? 0, e.exportLimitW ?? 0, Math.abs(e.measuredW ?? 0)]),
  );
}

/**
 * Places on the bar in percent of its width, for the style sheet: what it may do, what it does, what it was granted.
 * @param {FleetEntry} e
 * @param {number} scale W
 * @returns {Record<'may-from' | 'may-to' | 'is-from' | 'is-to' | 'grant', string>}
 */
export function barOf({ importLimitW = 0, exportLimitW = 0, measuredW = 0, grantedW }, scale) {
  /** @param {number} w */
  const at = (w) => `${(50 + (50 * Math.max(-scale, Math.min(scale, w))) / scale).toFixed(1)}%`;
  return {
    'may-from': at(-exportLimitW),
    'may-to': at(importLimitW),
    'is-from': at(Math.min(0, measuredW)),
    'is-to': at(Math.max(0, measuredW)),
    grant: grantedW === undefined ? '-10%' : at(grantedW),
  };
}
