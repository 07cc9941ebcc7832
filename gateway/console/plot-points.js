/** @import { PlotPoint } from '../../hub/site/types.ts' */

/** What the plot can show: the last quarter of an hour. */
export const WINDOW_MS = 15 * 60_000;
/** What one can choose to see of it. */
export const SPANS = /** @type {const} */ ([
  { ms: 120_000, label: '2 min' },
  { ms: 300_000, label: '5 min' },
  { ms: WINDOW_MS, label: '15 min' },
]);
/** What it shows at least, while there is not more yet. */
const LEAST_MS = 60_000;
const MAX_POINTS = 1000;
/** Points further apart than this are not joined: nothing is known in between. */
const GAP_MS = 15_000;

/**
 * The points of the window with one more. Points that come twice replace each other, older ones are ignored.
 * @param {readonly PlotPoint[]} points oldest first
 * @param {PlotPoint} point
 * @returns {readonly PlotPoint[]}
 */
export function addPoint(points, point) {
  const last = points.at(-1);
  if (last !== undefined && point.at < last.at) return points;
  const kept = last?.at === point.at ? points.slice(0, -1) : points;
  return inWindow([...kept, point]);
}

/**
 * At most {@link MAX_POINTS} points, none older than the window before the newest.
 * @param {readonly PlotPoint[]} points oldest first
 * @returns {readonly PlotPoint[]}
 */
export function inWindow(points) {
  const from = (points.at(-1)?.at ?? 0) - WINDOW_MS;
  const start = points.findIndex((p) => p.at >= from);
  return points.slice(Math.max(start, points.length - MAX_POINTS, 0));
}

/**
 * The points of the last `ms`, and one before, from which the line begins.
 * @param {readonly PlotPoint[]} points oldest first
 * @param {number} end epoch ms
 * @param {number} ms
 */
export function recent(points, end, ms) {
  const first = points.findIndex((p) => p.at >= end - ms);
  return first <= 0 ? points : points.slice(first - 1);
}

/**
 * The range of the time axis, s: up to what was chosen, less where less is known.
 * @param {readonly PlotPoint[]} points
 * @param {number} end epoch ms
 * @param {number} [ms] what was chosen
 * @returns {[number, number]}
 */
export function timeRange(points, end, ms = WINDOW_MS) {
  const known = Math.max(end - (points[0]?.at ?? end), LEAST_MS);
  return [(end - Math.min(known, ms)) / 1000, end / 1000];
}

/** The rows of {@link columns} after the time, in the order in which they are drawn over each other. */
export const SERIES = /** @type {const} */ ([
  { key: 'granted', label: 'Granted' },
  { key: 'requested', label: 'Requested' },
  { key: 'measured', label: 'Measured' },
  { key: 'import', label: 'Import limit' },
  { key: 'export', label: 'Export limit' },
]);

/**
 * The points as uPlot wants them: seconds, then kW of each of {@link SERIES}; null where nothing is known.
 * @param {readonly PlotPoint[]} points
 * @returns {[number[], ...(number | null)[][]]}
 */
export function columns(points) {
  /** @type {number[]} */
  const at = [];
  /** @type {(number | null)[][]} */
  const rows = SERIES.map(() => []);
  /** @param {number} ms @param {readonly (number | undefined)[]} watts */
  const put = (ms, watts) => {
    at.push(ms / 1000);
    rows.forEach((row, i) => {
      const w = watts[i];
      row.push(w === undefined || Number.isNaN(w) ? null : w / 1000);
    });
  };
  points.forEach((p, i) => {
    const before = points[i - 1];
    if (before !== undefined && p.at - before.at > GAP_MS) put(before.at + 1, []);
    put(p.at, [p.grantedW, p.requestedW, p.measuredW, p.importLimitW, -p.exportLimitW]);
  });
  return [at, ...rows];
}

/**
 * The range of the power axis, kW: all powers and zero with some air; a limit only where it does not squeeze them flat.
 * @param {readonly PlotPoint[]} points
 * @returns {[number, number]}
 */
export function powerRange(points) {
  const powers = points.flatMap((p) => [p.requestedW ?? 0, p.grantedW, p.measuredW]);
  const top = Math.max(1000, ...powers);
  const bottom = Math.min(-1000, ...powers);
  const reach = 4 * Math.max(top, -bottom);
  const importW = Math.max(0, ...points.map((p) => p.importLimitW).filter((w) => w <= reach));
  const exportW = Math.max(0, ...points.map((p) => p.exportLimitW).filter((w) => w <= reach));
  const [low, high] = [Math.min(bottom, -exportW), Math.max(top, importW)];
  const air = (high - low) * 0.06;
  return [(low - air) / 1000, (high + air) / 1000];
}
