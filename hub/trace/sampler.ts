import { BoundedMap, BoundedSet, type BoundStats } from '../../core/bounded.ts';

/** One sample of a series in this time, ms. */
const EVERY_MS = 10_000;
/** So many samples of all series in one second, so that a large fleet does not push out what matters. */
const PER_SECOND = 20;
const MAX_SERIES = 4_096;
const MAX_AWAITED = 20_000;

/**
 * Decides which meter values and heartbeats are kept: one of each series in a while, and the first one of a resource or
 * station after it was told something.
 */
export class Sampler {
  readonly #last = new BoundedMap<string, number>({ name: 'trace.series', max: MAX_SERIES, overflow: 'dropOldest' });
  readonly #awaited = new BoundedSet<string>({ name: 'trace.awaited', max: MAX_AWAITED, overflow: 'dropOldest' });
  #second = 0;
  #taken = 0;
  #left = 0;

  /** Samples that were left out. */
  get left(): number {
    return this.#left;
  }

  /** The next sample about this resource or station is kept. */
  expect(subject: string): void {
    // Most are waited for already: asking costs less than moving it to the end.
    if (!this.#awaited.has(subject)) this.#awaited.add(subject);
  }

  take(series: string, now: number, subjects: readonly string[]): boolean {
    let awaited = false;
    for (const subject of subjects) if (this.#awaited.delete(subject)) awaited = true;
    if (!awaited && !this.#isDue(series, now)) {
      this.#left++;
      return false;
    }
    this.#last.set(series, now);
    return true;
  }

  /** True when {@link take} would say no; then it is counted as left out. */
  leavesOut(series: string, now: number, subject: string): boolean {
    if (this.#awaited.has(subject) || !(this.#isFresh(series, now) || this.#isSpent(now))) return false;
    this.#left++;
    return true;
  }

  /** True when {@link leavesOut} would say so of any series and subject; then it is counted. */
  leavesOutAny(now: number): boolean {
    if (this.#awaited.size > 0 || !this.#isSpent(now)) return false;
    this.#left++;
    return true;
  }

  stats(): readonly BoundStats[] {
    return [this.#last.stats(), this.#awaited.stats()];
  }

  #isDue(series: string, now: number): boolean {
    if (this.#isFresh(series, now)) return false;
    const second = Math.floor(now / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#taken = 0;
    }
    return ++this.#taken <= PER_SECOND;
  }

  /** One of it was taken a short while ago. */
  #isFresh(series: string, now: number): boolean {
    const last = this.#last.get(series);
    return last !== undefined && now - last < EVERY_MS && now >= last;
  }

  #isSpent(now: number): boolean {
    return this.#taken >= PER_SECOND && Math.floor(now / 1_000) === this.#second;
  }
}
