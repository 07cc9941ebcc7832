/**
 * Limits of congestion services as steps of the plot.
 * @import { ServiceRow } from './words.js'
 */

/** What a limit forbids is shown this far ahead, so that the next step is seen to come. */
export const AHEAD_MS = 5 * 60_000;
const HELD = ['accepted', 'scheduled', 'active', 'completed', 'settled'];

/** From when to when (epoch ms) at most how much, W. @typedef {{ from: number, to: number, importW?: number, exportW?: number }} Step */

/**
 * The steps of all services that limit, in the order of time for each service.
 * @param {readonly ServiceRow[]} services
 * @returns {Step[]}
 */
export function limitSteps(services) {
  return services.flatMap((s) => (s.limits === undefined || !HELD.includes(s.state) ? [] : stepsOf(s.limits)));
}

/** @param {NonNullable<ServiceRow['limits']>} series @returns {Step[]} */
function stepsOf({ start, end, points }) {
  const [begin, over] = [Date.parse(start), Date.parse(end)];
  return points.flatMap((p, i) => {
    const from = begin + p.offsetS * 1000;
    const to = Math.min(over, begin + (points[i + 1]?.offsetS ?? Number.POSITIVE_INFINITY) * 1000);
    const { importLimitW: importW, exportLimitW: exportW } = p;
    if ((importW === undefined && exportW === undefined) || !(to > from)) return [];
    return [{ from, to, ...(importW === undefined ? {} : { importW }), ...(exportW === undefined ? {} : { exportW }) }];
  });
}

/** How far the time axis reaches beyond now, ms: only while a step holds or comes soon. @param {readonly Step[]} steps @param {number} now */
export function aheadOf(steps, now) {
  const coming = steps.filter((s) => s.to > now && s.from < now + AHEAD_MS);
  return coming.length === 0 ? 0 : Math.min(AHEAD_MS, Math.max(...coming.map((s) => s.to - now)));
}
