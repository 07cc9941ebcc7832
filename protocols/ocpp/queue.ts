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
  /** A queued call with the same key, whose turn the new one takes. */
  readonly superseded?: T;
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
    if (superseded !== undefined) return { superseded };
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

  /** A stop gives way only to a stop. */
  #replace(x: T): T | undefined {
    if (x.replaceKey === undefined) return undefined;
    const gives = (y: T): boolean => y.priority !== 'stop' || x.priority === 'stop';
    const at = this.#items.findIndex((y) => y.replaceKey === x.replaceKey && gives(y));
    const old = this.#items[at];
    if (old === undefined) return undefined;
    if (old.priority === x.priority) this.#items[at] = x;
    else {
      this.#items.splice(at, 1);
      this.#insert(x);
    }
    return old;
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
