import { BoundedMap } from '../../core/bounded.ts';
import type { Clock } from '../../core/clock.ts';
import type { EvNeeds } from '../../model/index.ts';
import type { FleetTwin, TwinEntry } from '../fleet/twin.ts';
import type { Ledger } from './ledger.ts';

const MAX_RESOURCES = 20_000;

interface Kept {
  readonly sessionId: string;
  readonly needs: EvNeeds;
}

export interface NeedsKeeperOptions {
  readonly clock: Clock;
  readonly twin: FleetTwin;
  readonly ledger: Ledger;
}

/**
 * A vehicle says what it needs and can do once, when its session begins (ocpp 2.7). It is kept with the session, so that
 * a service goes on after a restart as it was accepted: without it nobody would know of a vehicle that can give power.
 */
export class NeedsKeeper {
  readonly #o: NeedsKeeperOptions;
  /** From before the restart, of sessions that were not seen again yet. */
  readonly #before = new BoundedMap<string, Kept>({ name: 'hub.needs', max: MAX_RESOURCES, overflow: 'refuse' });

  constructor(o: NeedsKeeperOptions) {
    this.#o = o;
  }

  async restore(): Promise<void> {
    for await (const { key, body } of this.#o.ledger.all('needs')) this.#before.set(key, body as Kept);
  }

  /** The vehicle has spoken, or its session was heard of. True when needs from before the restart are known again. */
  look(resourceId: string): boolean {
    const { twin } = this.#o;
    const entry = twin.get(resourceId);
    const before = this.#before.get(resourceId);
    if (!entry?.session) return false;
    this.#before.delete(resourceId);
    const isSame = before?.sessionId === entry.session.id;
    if (entry.needs || !isSame) {
      this.#keep(resourceId, entry, before);
      return false;
    }
    return twin.needs(before.needs);
  }

  #keep(key: string, { needs, session }: TwinEntry, before: Kept | undefined): void {
    const { clock, ledger } = this.#o;
    if (needs && session) {
      const body: Kept = { sessionId: session.id, needs: needs.body };
      ledger.later({ op: 'put', kind: 'needs', key, at: clock.now(), body });
    } else if (before) ledger.later({ op: 'delete', kind: 'needs', key });
  }
}
