import type { Clock } from '../../core/clock.ts';

/** A clock that starts at the time of `clock` and runs `speed` (> 0) times as fast. */
export function scaledClock(clock: Clock, speed: number): Clock {
  if (!(speed > 0)) throw new RangeError(`The speed must be above 0, got ${speed}.`);
  if (speed === 1) return clock;
  const startMs = clock.now();
  return {
    now: () => Math.round(startMs + (clock.now() - startMs) * speed),
    after: (delayMs, fn) => clock.after(delayMs / speed, fn),
    get pending() {
      return clock.pending;
    },
  };
}
