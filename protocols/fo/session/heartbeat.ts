import { type Clock, every, iso, type TimerHandle } from '../../../core/clock.ts';
import type { Heartbeat } from '../envelope.ts';

/** Intervals without any message after which a link counts as lost (fo 4.3 no. 2). */
const LOST_AFTER = 3;

/** Sends heartbeats and watches those of the peer. */
export class HeartbeatWatch {
  readonly #clock: Clock;
  #beat: TimerHandle | undefined;
  #deadline: TimerHandle | undefined;
  #heardAt = 0;
  #seq = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts over with the agreed interval. `onLost` is called once. */
  start(intervalS: number, send: (body: Heartbeat) => void, ackEventSeq: () => number, onLost: () => void): void {
    this.stop();
    this.#seq = 0;
    this.#heardAt = this.#clock.now();
    this.#beat = every(this.#clock, intervalS * 1000, () => {
      this.#seq++;
      send({ at: iso(this.#clock.now()), seq: this.#seq, ackEventSeq: ackEventSeq() });
    });
    this.#watch(LOST_AFTER * intervalS * 1000, onLost);
  }

  /** Any valid message of the peer shows that it lives. */
  heard(): void {
    this.#heardAt = this.#clock.now();
  }

  stop(): void {
    this.#beat?.cancel();
    this.#deadline?.cancel();
    this.#beat = this.#deadline = undefined;
  }

  #watch(limitMs: number, onLost: () => void): void {
    const quietMs = this.#clock.now() - this.#heardAt;
    // A clock that was set back must not make the wait longer than one whole period.
    const left = Math.min(limitMs, limitMs - quietMs);
    if (left <= 0) {
      onLost();
      return;
    }
    this.#deadline = this.#clock.after(left, () => this.#watch(limitMs, onLost));
  }
}
