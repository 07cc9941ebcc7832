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
 * Judges a series after the warm-up: flat when the straight line through it rises, from its first to its last point, by no
 * more than the tolerance. Without a tolerance it is shown for information. Without points everything is 0.
 */
export function judged(what: string, unit: string, points: readonly Point[], tolerance?: Tolerance): SoakSeries {
  const values = points.map((p) => p.y);
  const perHour = slope(points);
  const grown = perHour * ((points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0));
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
