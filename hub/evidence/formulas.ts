/** The arithmetic of fo 3.9. Energies are Wh; sums are made in whole mWh, so that everybody finds the same numbers. */

const milli = (x: number): number => Math.round(x * 1000);

export interface Shares {
  readonly requestedWh?: number | undefined;
  readonly deliveredWh?: number | undefined;
}

/** `up`: less import or more export than the baseline; `down`: the opposite (fo 2.2, fo 3.9). */
export function deliveredWh(direction: 'up' | 'down', baselineWh: number, measuredWh: number): number {
  const up = milli(baselineWh) - milli(measuredWh);
  return (direction === 'up' ? up : 0 - up) / 1000;
}

/** Setpoint following: what was asked for beyond the baseline, less what is off the target, not below 0 (fo 3.9). */
export function followed(
  targetWh: number,
  baselineWh: number,
  measuredWh: number,
): { readonly requestedWh: number; readonly deliveredWh: number } {
  const requested = Math.abs(milli(targetWh) - milli(baselineWh));
  const off = Math.abs(milli(measuredWh) - milli(targetWh));
  return { requestedWh: requested / 1000, deliveredWh: Math.max(0, requested - off) / 1000 };
}

/** Sums over intervals; what is absent counts as 0. */
export function totalsOf(intervals: readonly Shares[]): { requestedWh: number; deliveredWh: number } {
  const sum = (of: (i: Shares) => number | undefined): number =>
    intervals.reduce((all, i) => all + milli(of(i) ?? 0), 0) / 1000;
  return { requestedWh: sum((i) => i.requestedWh), deliveredWh: sum((i) => i.deliveredWh) };
}

/**
 * 100 · Σ min(max(deliveredWh, 0), requestedWh) / Σ requestedWh, half up to 2 digits (fo 3.9). Undefined when nothing
 * was requested.
 */
export function performancePct(intervals: readonly Shares[]): number | undefined {
  let [done, asked] = [0, 0];
  for (const { requestedWh = 0, deliveredWh: delivered = 0 } of intervals) {
    done += Math.min(Math.max(milli(delivered), 0), milli(requestedWh));
    asked += milli(requestedWh);
  }
  return asked === 0 ? undefined : percent(done, asked);
}

/** 100 · part / whole of two whole numbers ≥ 0, half up to 2 digits and exact. */
export function percent(part: number, whole: number): number {
  const hundredths = (20_000n * BigInt(part) + BigInt(whole)) / (2n * BigInt(whole));
  return Number(hundredths) / 100;
}

/** Near a target of 0 the share means little; beyond this it says no more. */
const MOST_PCT = 1_000_000;

/** 100 · Σ|measuredWh − targetWh| / Σ|targetWh|, at most 10⁶; undefined when the target was 0 all the time. */
export function trackingErrorPct(
  intervals: readonly { readonly targetWh: number; readonly measuredWh: number }[],
): number | undefined {
  let [off, target] = [0, 0];
  for (const i of intervals) {
    off += Math.abs(milli(i.measuredWh) - milli(i.targetWh));
    target += Math.abs(milli(i.targetWh));
  }
  return target === 0 ? undefined : Math.min(percent(off, target), MOST_PCT);
}
