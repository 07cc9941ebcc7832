/** Numbers of a bench: medians, quantiles, and when a window of measurement counts (performance 4). */

/** What one window came to. */
export interface Window {
  /** What is compared, for example µs of CPU per message. */
  readonly value: number;
  /** Wall-clock time of the window, ms. */
  readonly lengthMs: number;
  /** Time that the server was ready to run but waited for a core, ms. */
  readonly waitedMs: number;
  /** Lost or wrong answers, in words: the window does not count at all. */
  readonly failed?: string;
}

/** Share of a window that a server may wait for a core. */
export const MAX_WAITING = 0.3;
/** Share of the windows that have to be clean, at least, and how many of a full run. */
const MIN_CLEAN = 0.25;
const MIN_ROUNDS = 5;
/** Two numbers make a spread; a quick run has no more. */
const MIN_QUICK = 2;

/** A clean window: nothing lost, nothing wrong, and the server had its core. */
export function isClean(w: Window): boolean {
  return w.failed === undefined && Number.isFinite(w.value) && w.waitedMs <= MAX_WAITING * w.lengthMs;
}

/** The middle of the sorted values, of an even number the mean of both in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

/** The smallest value that at least `q` (0–1] of the values do not exceed; NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length, Math.max(1, Math.ceil(q * sorted.length))) - 1] ?? Number.NaN;
}

/** The ratios of the rounds whose both windows are clean. */
export function ratios(product: readonly Window[], yardstick: readonly Window[]): number[] {
  return product.flatMap((p, i) => {
    const y = yardstick[i];
    return y !== undefined && isClean(p) && isClean(y) && y.value > 0 ? [p.value / y.value] : [];
  });
}

export type Verdict = 'met' | 'missed' | 'unmeasured' | 'information';

/**
 * Whether a goal is reached: `unmeasured` with fewer than five clean rounds or than a quarter of all; where there were
 * fewer than five rounds, with less than two. Without a goal the number is information.
 */
export function verdictOf(clean: readonly number[], rounds: number, max: number | undefined): Verdict {
  const least = rounds < MIN_ROUNDS ? MIN_QUICK : Math.max(MIN_ROUNDS, Math.ceil(rounds * MIN_CLEAN));
  if (clean.length < least) return 'unmeasured';
  if (max === undefined) return 'information';
  return median(clean) <= max ? 'met' : 'missed';
}

/**
 * Slope of a straight line through the points (least squares), in units of y per unit of x; 0 of fewer than two points.
 */
export function slope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const n = points.length;
  const meanX = points.reduce((sum, p) => sum + p.x, 0) / n;
  const meanY = points.reduce((sum, p) => sum + p.y, 0) / n;
  const over = points.reduce((sum, p) => sum + (p.x - meanX) * (p.y - meanY), 0);
  const under = points.reduce((sum, p) => sum + (p.x - meanX) ** 2, 0);
  return under === 0 || n < 2 ? 0 : over / under;
}
