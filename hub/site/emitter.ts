import { BoundedQueue, BoundedSet } from '../../core/bounded.ts';
import { describeError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Detach, SiteEvents } from './types.ts';

type Listeners = { readonly [E in keyof SiteEvents]: BoundedSet<(payload: SiteEvents[E]) => void> };

const MAX_LISTENERS = 256;
const MAX_WAITING = 256;

/**
 * The events of a site. A notice waits while nobody listens (a deploy is going on); a listener that throws is logged
 * and disturbs nobody else.
 */
export class SiteEmitter {
  readonly #log: Log;
  readonly #listeners: Listeners;
  readonly #notices = new BoundedQueue<SiteEvents['notice']>({
    name: 'hub.notices',
    max: MAX_WAITING,
    overflow: 'dropOldest',
  });

  constructor(log: Log) {
    this.#log = log;
    const set = <E extends keyof SiteEvents>(event: E) =>
      new BoundedSet<(payload: SiteEvents[E]) => void>({
        name: `hub.on.${event}`,
        max: MAX_LISTENERS,
        overflow: 'refuse',
      });
    this.#listeners = {
      changed: set('changed'),
      notice: set('notice'),
      telemetry: set('telemetry'),
      observed: set('observed'),
      plot: set('plot'),
      groupPlots: set('groupPlots'),
      stations: set('stations'),
      condition: set('condition'),
      reloaded: set('reloaded'),
    };
  }

  on<E extends keyof SiteEvents>(event: E, listener: (payload: SiteEvents[E]) => void): Detach {
    this.#listeners[event].add(listener);
    if (event === 'notice')
      for (let n = this.#notices.shift(); n !== undefined; n = this.#notices.shift()) this.emit('notice', n);
    return () => {
      this.#listeners[event].delete(listener);
    };
  }

  emit<E extends keyof SiteEvents>(event: E, payload: SiteEvents[E]): void {
    const listeners = this.#listeners[event];
    if (listeners.size === 0 && event === 'notice') this.#notices.push(payload as SiteEvents['notice']);
    for (const listener of [...listeners]) {
      try {
        listener(payload);
      } catch (e) {
        this.#log.error('site.listener', { event, ...describeError(e) });
      }
    }
  }

  clear(): void {
    for (const set of Object.values(this.#listeners)) set.clear();
    this.#notices.clear();
  }
}
