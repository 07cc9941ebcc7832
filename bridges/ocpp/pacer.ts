import { BoundedSet, type BoundStats } from '../../core/bounded.ts';
import type { Clock, TimerHandle } from '../../core/clock.ts';

export interface PacerOptions<T> {
  readonly name: string;
  readonly clock: Clock;
  /** As many may wait; one more begins at once. */
  readonly max: number;
  /** Must not throw. */
  readonly begin: (one: T) => void;
}

/** So many may begin at once, when nothing has begun for a while. */
const AT_ONCE = 50;
const TICK_MS = 20;
/** Begin per tick when no rush is on (400/s), and in one that does not end (100/s). */
const PER_TICK = 8;
const IN_LONG_RUSH = 2;
/** Over this time it is counted how many have come: `AT_ONCE` and more is a rush. */
const LOOK_MS = 500;
/** Nothing begins in a rush for so long. */
const HOLD_MS = 10_000;

/**
 * Spreads work that each station needs and that none is in a hurry for. When thousands come back within seconds, their
 * handshakes and boots go first; what waits begins in the order of arrival when they are there, or after 10 s.
 */
export class Pacer<T> {
  readonly #o: PacerOptions<T>;
  readonly #waiting: BoundedSet<T>;
  #credit = AT_ONCE;
  #timer: TimerHandle | undefined;
  #came = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #rushSince: number | undefined;

  constructor(o: PacerOptions<T>) {
    this.#o = o;
    this.#waiting = new BoundedSet({ name: o.name, max: o.max, overflow: 'refuse' });
  }

  add(one: T): void {
    this.#look();
    this.#came++;
    if (this.#waiting.has(one)) return;
    if (this.#credit > 0) this.#begin(one);
    else if (!this.#waiting.add(one)) this.#o.begin(one);
    this.#arm();
  }

  /** It still waits for its turn. */
  waits(one: T): boolean {
    return this.#waiting.has(one);
  }

  remove(one: T): void {
    this.#waiting.delete(one);
  }

  stats(): BoundStats {
    return this.#waiting.stats();
  }

  close(): void {
    this.#waiting.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #begin(one: T): void {
    this.#credit--;
    this.#o.begin(one);
  }

  /** Runs until all have begun and there is room for the next rush. */
  #arm(): void {
    if (this.#timer !== undefined || (this.#waiting.size === 0 && this.#credit >= AT_ONCE)) return;
    this.#timer = this.#o.clock.after(TICK_MS, () => {
      this.#timer = undefined;
      this.#look();
      this.#credit = Math.min(AT_ONCE, this.#credit + this.#perTick());
      for (const one of this.#waiting) {
        if (this.#credit <= 0) break;
        this.#waiting.delete(one);
        this.#begin(one);
      }
      this.#arm();
    });
  }

  #perTick(): number {
    if (this.#rushSince === undefined) return PER_TICK;
    return this.#o.clock.now() - this.#rushSince < HOLD_MS ? 0 : IN_LONG_RUSH;
  }

  #look(): void {
    const now = this.#o.clock.now();
    // A clock that was set back begins anew.
    const isOver = Math.abs(now - this.#lookedAt) >= LOOK_MS;
    if (this.#came >= AT_ONCE) this.#rushSince ??= now;
    else if (isOver) this.#rushSince = undefined;
    if (!isOver) return;
    this.#came = 0;
    this.#lookedAt = now;
  }
}
