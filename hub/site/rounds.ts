import type { Clock, TimerHandle } from '../../core/clock.ts';

/** Least time between two rounds, ms: a base, and a part for each thing that a round has to look at. */
const BASE_MS = 20;
const PER_THING_MS = 0.1;

/**
 * Brings many causes together into few rounds: the first is at once, others that come soon after share the next one.
 * So the cost of a round does not multiply with the size of the fleet when all of it moves (performance 2).
 */
export class Rounds {
  readonly #clock: Clock;
  readonly #size: () => number;
  readonly #round: (reason: string) => void;
  #last = Number.NEGATIVE_INFINITY;
  #timer: TimerHandle | undefined;
  #reason: string | undefined;
  #closed = false;

  constructor(o: { clock: Clock; size: () => number; round: (reason: string) => void }) {
    this.#clock = o.clock;
    this.#size = o.size;
    this.#round = o.round;
  }

  /** Something moved; its round is now or soon. */
  cause(reason: string): void {
    if (this.#closed) return;
    this.#reason = reason;
    if (this.#timer) return;
    const now = this.#clock.now();
    const wait = this.#last + BASE_MS + PER_THING_MS * this.#size() - now;
    // A clock that was set back must not make it wait.
    if (wait <= 0 || this.#last > now) this.flush();
    else this.#timer = this.#clock.after(wait, () => this.flush());
  }

  /** The round that is due, now. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const reason = this.#reason;
    if (reason === undefined) return;
    this.#reason = undefined;
    this.#last = this.#clock.now();
    this.#round(reason);
  }

  /** The round that is due has become needless. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#reason = undefined;
  }

  close(): void {
    this.#closed = true;
    this.cancel();
  }
}
