import { BoundedQueue } from './bounded.ts';
import type { Clock, TimerHandle } from './clock.ts';

/** From a target to the command at the station, ms: on its way through the flow it takes several turns of the loop. */
const DEED_MS = 2;
/** More steps than this do not wait. */
const MAX_WAITING = 256;

/**
 * What may follow the commands to stations that go out at this moment, answers and notes: a moment later, together and
 * in order.
 */
export class AfterDeeds {
  readonly #clock: Clock;
  readonly #failed: (e: unknown) => void;
  readonly #waiting = new BoundedQueue<() => void>({ name: 'core.afterDeeds', max: MAX_WAITING, overflow: 'refuse' });
  #timer: TimerHandle | undefined;

  /** `failed` is told what a step throws. */
  constructor(clock: Clock, failed: (e: unknown) => void) {
    this.#clock = clock;
    this.#failed = failed;
  }

  later(step: () => void): void {
    if (!this.#waiting.push(step)) {
      this.flush();
      this.#run(step);
      return;
    }
    this.#timer ??= this.#clock.after(DEED_MS, () => this.flush());
  }

  /** Everything that waits, now. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (let step = this.#waiting.shift(); step !== undefined; step = this.#waiting.shift()) this.#run(step);
  }

  #run(step: () => void): void {
    try {
      step();
    } catch (e) {
      this.#failed(e);
    }
  }
}
