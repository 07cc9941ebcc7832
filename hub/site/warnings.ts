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
  /** s; it is forgotten when it was not said again for that long. Default: it stays until it is over. */
  readonly forS?: number;
}

/** A limit that cannot be held, and what people can do about it. */
export function unreachableText(a: {
  readonly nodeId: string;
  readonly direction: 'import' | 'export';
  readonly limitW: number;
  readonly valueW: number;
}): string {
  const [limit, value] = [a.limitW, a.valueW].map((w) => `${(w / 1000).toFixed(2)} kW`);
  const where = a.nodeId === 'poc' ? 'the connection point' : `circuit ${a.nodeId}`;
  return `The ${a.direction} limit of ${limit} at ${where} cannot be held: ${value} may flow that nobody here can reduce. Stations that are offline count with their worst case: bring them back, or switch them or other loads off.`;
}

const MAX_WARNINGS = 1_000;

/** What is wrong at a site now and needs somebody's eyes. */
export class WarningBook {
  readonly #clock: Clock;
  readonly #open = new BoundedMap<string, SiteWarning & { readonly until: number }>({
    name: 'hub.warnings',
    max: MAX_WARNINGS,
    overflow: 'dropOldest',
  });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take({ code, subject, text, forS = Number.POSITIVE_INFINITY }: WarningNote): void {
    const key = JSON.stringify([code, subject]);
    const known = this.#open.get(key);
    if (text === undefined) this.#open.delete(key);
    else if (known?.text !== text || known.until !== Number.POSITIVE_INFINITY) {
      const now = this.#clock.now();
      const about = subject === undefined ? {} : { subject };
      this.#open.set(key, {
        code,
        ...about,
        text: text.slice(0, 256),
        since: known?.since ?? iso(now),
        until: now + forS * 1000,
      });
    }
  }

  /** The oldest first; those of resources that are gone are forgotten. */
  list(has: (resourceId: string) => boolean): SiteWarning[] {
    const now = this.#clock.now();
    for (const [key, { code, subject, until }] of [...this.#open])
      if (until <= now || (code === 'limit.notHeld' && subject !== undefined && !has(subject))) this.#open.delete(key);
    return Array.from(this.#open.values(), ({ until: _, ...warning }) => warning).sort((a, b) =>
      a.since < b.since ? -1 : 1,
    );
  }

  stats(): BoundStats {
    return this.#open.stats();
  }
}
