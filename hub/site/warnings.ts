import { BoundedMap, type BoundStats } from '../../core/bounded.ts';
import { type Clock, iso } from '../../core/clock.ts';
import type { FleetSnapshot } from '../../model/index.ts';

export type SiteWarning = NonNullable<FleetSnapshot['warnings']>[number];

/** What a part of the site or a link finds wrong; without `text` it is over. */
export interface WarningNote {
  /** For example `limit.notHeld`. */
  readonly code: string;
  /** The resource, meter or service that it is about; absent: the site. */
  readonly subject?: string;
  /** One sentence for people. */
  readonly text?: string | undefined;
}

const MAX_WARNINGS = 1_000;

/** What is wrong at a site now and needs somebody's eyes. */
export class WarningBook {
  readonly #clock: Clock;
  readonly #open = new BoundedMap<string, SiteWarning>({
    name: 'hub.warnings',
    max: MAX_WARNINGS,
    overflow: 'dropOldest',
  });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take({ code, subject, text }: WarningNote): void {
    const key = JSON.stringify([code, subject]);
    const known = this.#open.get(key);
    if (text === undefined) this.#open.delete(key);
    else if (known?.text !== text) {
      const since = known?.since ?? iso(this.#clock.now());
      const about = subject === undefined ? {} : { subject };
      this.#open.set(key, { code, ...about, text: text.slice(0, 256), since });
    }
  }

  /** The oldest first; those of resources that are gone are forgotten. */
  list(has: (resourceId: string) => boolean): SiteWarning[] {
    for (const [key, { code, subject }] of [...this.#open])
      if (code === 'limit.notHeld' && subject !== undefined && !has(subject)) this.#open.delete(key);
    return [...this.#open.values()].sort((a, b) => (a.since < b.since ? -1 : 1));
  }

  stats(): BoundStats {
    return this.#open.stats();
  }
}
