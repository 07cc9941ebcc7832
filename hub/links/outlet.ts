import { BoundedQueue } from '../../core/bounded.ts';
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
  /** Replaced when one comes or goes, so that an event that is being told does not change its listeners. */
  readonly #listeners: { [E in keyof LinkEvents]: readonly Listener<E>[] } = { status: [], message: [], outcome: [] };
  readonly #waiting: { [E in keyof LinkEvents]: BoundedQueue<LinkEvents[E]> | undefined };

  constructor(log: Log, name: string) {
    this.#log = log;
    const queue = <T>(event: string) =>
      new BoundedQueue<T>({ name: `${name}.${event}.waiting`, max: MAX_WAITING, overflow: 'dropOldest' });
    // A status is asked for when it is needed; only messages wait.
    this.#waiting = { status: undefined, message: queue('message'), outcome: queue('outcome') };
  }

  on<E extends keyof LinkEvents>(event: E, listener: Listener<E>): () => void {
    const before = this.#listeners[event];
    if (before.length < MAX_LISTENERS) this.#set(event, [...before.filter((l) => l !== listener), listener]);
    this.#flush(event);
    return () => {
      this.#set(
        event,
        this.#listeners[event].filter((l) => l !== listener),
      );
    };
  }

  emit<E extends keyof LinkEvents>(event: E, payload: LinkEvents[E]): void {
    const listeners = this.#listeners[event];
    if (listeners.length === 0) {
      this.#waiting[event]?.push(payload);
      return;
    }
    for (const listener of listeners) {
      try {
        listener(payload);
      } catch (e) {
        this.#log.error('link.listener', { event, ...describeError(e) });
      }
    }
  }

  clear(): void {
    for (const event of ['status', 'message', 'outcome'] as const) this.#set(event, []);
    this.#waiting.message?.clear();
    this.#waiting.outcome?.clear();
  }

  #set<E extends keyof LinkEvents>(event: E, listeners: readonly Listener<E>[]): void {
    const all: { [K in E]: readonly Listener<K>[] } = this.#listeners;
    all[event] = listeners;
  }

  #flush<E extends keyof LinkEvents>(event: E): void {
    const queue = this.#waiting[event];
    for (let m = queue?.shift(); m !== undefined; m = queue?.shift()) this.emit(event, m);
  }
}
