import { BoundedMap } from '../../core/bounded.ts';

/** An EVSE that is no longer in the site file although power may flow there. */
export interface Departure {
  readonly evseId: string;
  readonly circuitId?: string;
  /** What it may be doing, W signed; 0 lies between. */
  readonly minW: number;
  readonly maxW: number;
  /** Epoch ms at which what it was told has ended. */
  readonly until: number;
}

const MAX_DEPARTED = 20_000;

/**
 * What was taken out of the site file is not gone from the grid: until all that it was told has ended it counts in every
 * limit with the worst that it may do, like a station that is out of reach (fo 6.4).
 */
export class Departed {
  readonly #list = new BoundedMap<string, Departure>({ name: 'hub.departed', max: MAX_DEPARTED, overflow: 'refuse' });

  add(departure: Departure): void {
    this.#list.set(departure.evseId, departure);
  }

  all(): Iterable<Departure> {
    return this.#list.values();
  }

  /** It is in the site file again. */
  back(evseId: string): Departure | undefined {
    const known = this.#list.get(evseId);
    if (known) this.#list.delete(evseId);
    return known;
  }

  /** True when something has ended. A time that is too far away is one of before our clock was set back. */
  tick(now: number, mostMs: number): boolean {
    let ended = false;
    for (const [id, { until }] of [...this.#list]) {
      if (until > now && until - now <= mostMs) continue;
      this.#list.delete(id);
      ended = true;
    }
    return ended;
  }
}

/** Where it counts: at its circuit if there still is one, else at the connection. */
export function circuitOf(
  { circuitId }: Departure,
  circuits: readonly { readonly circuitId: string }[] = [],
): { readonly circuitId?: string } {
  return circuitId !== undefined && circuits.some((c) => c.circuitId === circuitId) ? { circuitId } : {};
}
