/** How full everything is that has a bound, as `GET /v2gate/api/health` tells it. Pure functions. */

/** @typedef {{ name: string, size: number, max: number, dropped: number }} Bound */

/**
 * Everything with a bound: what has lost something first, then the fullest.
 * @param {unknown} details
 * @returns {Bound[]}
 */
export function boundsOf(details) {
  const list = fieldOf(details, 'bounds');
  const bounds = Array.isArray(list) ? /** @type {Bound[]} */ (list) : [];
  return bounds.toSorted((a, b) => b.dropped - a.dropped || shareOf(b) - shareOf(a) || (a.name < b.name ? -1 : 1));
}

/** From 0 to 1. @param {Bound} b */
export const shareOf = ({ size, max }) => (max === 0 ? 0 : Math.min(1, size / max));

/** @param {unknown} value @param {string} key @returns {unknown} */
export const fieldOf = (value, key) =>
  typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
