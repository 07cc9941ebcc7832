import type { BoundStats } from '../../core/bounded.ts';
import type { Priority } from './types.ts';

/** Most urgent first (design 5). */
export const PRIORITIES: readonly Priority[] = ['stop', 'reduction', 'setpoint', 'request', 'report'];

const RANK: Readonly<Record<Priority, number>> = { stop: 0, reduction: 1, setpoint: 2, request: 3, report: 4 };

export interface Queued {
  readonly priority: Priority;
  readonly replaceKey: string | undefined;
}

/** What became of others when a call entered the queue. */
export interface Displaced<T> {
  /** Queued calls with the same key; the new one takes the turn of the first. */
  readonly superseded?: readonly T[];
  /** The call that found no room: the least urgent of the queue, or the new one itself. */
  readonly dropped?: T;
}

/**
 * Calls that wait for their turn: by urgency, then in order of arrival. Full, it drops its newest least urgent call in
 * favour of a more urgent one, else refuses the new one; so a stop is refused only behind `max` other stops.
 */
export class CallQueue<T extends Queued> {
  readonly #max: number;
  #items: T[] = [];
  #dropped = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#items.length;
  }

  add(x: T): Displaced<T> {
    const superseded = this.#replace(x);
    if (superseded.length > 0) return { superseded };
    const last = this.#items.at(-1);
    if (last === undefined || this.#items.length < this.#max) {
      this.#insert(x);
      return {};
    }
    this.#dropped++;
    if (RANK[last.priority] <= RANK[x.priority]) return { dropped: x };
    this.#items.pop();
    this.#insert(x);
    return { dropped: last };
  }

  shift(): T | undefined {
    return this.#items.shift();
  }

  /** Takes everything out, in order. */
  drain(): T[] {
    const all = this.#items;
    this.#items = [];
    return all;
  }

  stats(): BoundStats {
    return { name: 'ocpp.calls', size: this.#items.length, max: this.#max, dropped: this.#dropped };
  }

  /** A stop gives way only to a stop; everything that gives way does, or it would come after the new one. */
  #replace(x: T): readonly T[] {
    if (x.replaceKey === undefined) return [];
    const gives = (y: T): boolean => y.replaceKey === x.replaceKey && (y.priority !== 'stop' || x.priority === 'stop');
    const gone = this.#items.filter(gives);
    const [first] = gone;
    if (first === undefined) return gone;
    const at = first.priority === x.priority ? this.#items.indexOf(first) : undefined;
    this.#items = this.#items.filter((y) => !gives(y));
    // What stood before the first of them stays, so its place is still the right one.
    if (at === undefined) this.#insert(x);
    else this.#items.splice(at, 0, x);
    return gone;
  }

  #insert(x: T): void {
    let at = this.#items.length;
    for (let before = this.#items[at - 1]; before !== undefined && RANK[before.priority] > RANK[x.priority]; ) {
      at--;
      before = this.#items[at - 1];
    }
    this.#items.splice(at, 0, x);
  }
}
