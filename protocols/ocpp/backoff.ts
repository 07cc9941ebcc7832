/** How a station waits between attempts to connect (ocpp 1.1); names as in `OCPPCommCtrlr.RetryBackOff…`. */
export interface BackOff {
  /** Seconds before the first attempt. Default 10. */
  readonly waitMinimumS: number;
  /** Upper bound of the random part, seconds. Default 10. */
  readonly randomRangeS: number;
  /** Doublings at most; then the wait stays. Default 5. */
  readonly repeatTimes: number;
}

export const DEFAULT_BACKOFF: BackOff = { waitMinimumS: 10, randomRangeS: 10, repeatTimes: 5 };

/** Milliseconds to wait after `failures` (≥ 0) failed attempts in a row; `random` gives [0, 1). */
export function backOffMs(o: BackOff, failures: number, random: () => number): number {
  const doublings = Math.min(failures, o.repeatTimes);
  return Math.round(1000 * (o.waitMinimumS * 2 ** doublings + random() * o.randomRangeS));
}
