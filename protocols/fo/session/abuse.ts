import type { Clock } from '../../../core/clock.ts';

const WINDOW_MS = 60_000;
const MAX_REFUSALS = 600;

/** Counts refused messages; a peer that has too many within a minute is sent away with 4008 (fo 9.2). */
export class AbuseCounter {
  readonly #clock: Clock;
  #since = 0;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True when it was one too many. */
  add(): boolean {
    const now = this.#clock.now();
    if (now - this.#since > WINDOW_MS) {
      this.#since = now;
      this.#count = 0;
    }
    return ++this.#count >= MAX_REFUSALS;
  }
}
