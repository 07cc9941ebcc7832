import { BoundedQueue, BoundedSet } from '../../core/bounded.ts';
import { describeError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { LinkEvents } from '../ports.ts';

type Listener<E extends keyof LinkEvents> = (payload: LinkEvents[E]) => void;

const MAX_LISTENERS = 64;
const MAX_WAITING = 256;

/**
 * The events of a running link. While nobody listens to `message` or `outcome` (a deploy is going on), up to 256 wait
 * for the next listener; the oldest are dropped beyond that (design 2). A listener that throws is logged, not spread.
 */
export class LinkOutlet {
  readonly #log: Log;
  readonly #listeners: { [E in keyof LinkEvents]: BoundedSet<Listener<E>> };
  readonly #waiting: { [E in keyof LinkEvents]: BoundedQueue<LinkEvents[E]> | undefined };

  constructor(log: Log, name: string) {
    this.#log = log;
    const set = <E extends keyof LinkEvents>(event: E) =>
      new BoundedSet<Listener<E>>({ name: `${name}.${event}.listeners`, max: MAX_LISTENERS, overflow: 'refuse' });
    this.#listeners = { status: set('status'), message: set('message'), outcome: set('outcome') };
    const queue = <T>(event: string) =>
      new BoundedQueue<T>({ name: `${name}.${event}.waiting`, max: MAX_WAITING, overflow: 'dropOldest' });
    // A status is asked for when it is needed; only messages wait.
    this.#waiting = { status: undefined, message: queue('message'), outcome: queue('outcome') };
  }

  on<E extends keyof LinkEvents>(event: E, listener: Listener<E>): () => void {
    this.#listeners[event].add(listener);
    this.#flush(event);
    return () => {
      this.#listeners[event].delete(listener);
    };
  }

  emit<E extends keyof LinkEvents>(event: E, payload: LinkEvents[E]): void {
    const listeners = this.#listeners[event];
    if (listeners.size === 0) {
      this.#waiting[event]?.push(payload);
      return;
    }
    for (const listener of [...listeners]) {
      try {
        listener(payload);
      } catch (e) {
        this.#log.error('link.listener', { event, ...describeError(e) });
      }
    }
  }

  clear(): void {
    for (const event of ['status', 'message', 'outcome'] as const) this.#listeners[event].clear();
    this.#waiting.message?.clear();
    this.#waiting.outcome?.clear();
  }

  #flush<E extends keyof LinkEvents>(event: E): void {
    const queue = this.#waiting[event];
    for (let m = queue?.shift(); m !== undefined; m = queue?.shift()) this.emit(event, m);
  }
}
