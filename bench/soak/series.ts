import type { SoakSeries } from '../harness/report.ts';
import { slope } from '../harness/stats.ts';

/** One reading; `x` in hours since the start. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Growth over the whole of the series that still counts as flat: a share of its mean, or so many units. */
export interface Tolerance {
  readonly share: number;
  readonly units: number;
}

/**
 * Judges a series after the warm-up: flat when it rises, from its first to its last point, by no more than the tolerance.
 * What leaks raises both the straight line through it and its highest values; stations that were away for a while lower
 * the line only. Without a tolerance it is shown for information. Without points everything is 0.
 */
export function judged(what: string, unit: string, points: readonly Point[], tolerance?: Tolerance): SoakSeries {
  const values = points.map((p) => p.y);
  const perHour = slope(points);
  const onLine = perHour * ((points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0));
  const grown = Math.min(onLine, peakGrowth(values));
  const mean = values.reduce((sum, y) => sum + y, 0) / Math.max(1, values.length);
  const rounded = (y: number): number => Number(y.toPrecision(4));
  return {
    what,
    unit,
    first: rounded(values[0] ?? 0),
    last: rounded(values.at(-1) ?? 0),
    max: rounded(Math.max(0, ...values)),
    perHour: rounded(perHour),
    ...(tolerance === undefined ? {} : { flat: grown <= Math.max(tolerance.units, tolerance.share * mean) }),
  };
}

/** From the highest value of the first quarter to that of the last one, as for the whole length. */
function peakGrowth(values: readonly number[]): number {
  const quarter = Math.ceil(values.length / 4);
  return (Math.max(0, ...values.slice(-quarter)) - Math.max(0, ...values.slice(0, quarter))) / 0.75;
}
