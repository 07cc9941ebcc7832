import { BoundedMap } from '../../core/bounded.ts';
import type { Clock } from '../../core/clock.ts';
import type { EvNeeds } from '../../model/index.ts';
import type { FleetTwin, Registers, TwinEntry } from '../fleet/twin.ts';
import type { Ledger } from './ledger.ts';

const MAX_RESOURCES = 20_000;

interface Kept {
  /** Absent: the vehicle spoke before its session began. */
  readonly sessionId?: string;
  readonly needs: EvNeeds;
  /** The registers when it spoke; what has moved since counts against its needs. */
  readonly from?: Registers;
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
  /** What is stored of vehicles that are here. */
  readonly #kept = new BoundedMap<string, Kept>({ name: 'hub.needsKept', max: MAX_RESOURCES, overflow: 'refuse' });
  /** Settles when all that was to be written is; absent while nothing is. */
  #writing: Promise<void> | undefined;

  constructor(o: NeedsKeeperOptions) {
    this.#o = o;
  }

  async restore(): Promise<void> {
    for await (const { key, body } of this.#o.ledger.all('needs')) this.#before.set(key, body as Kept);
  }

  /** Settles when what vehicles have said is stored; rejects when the store has failed meanwhile. Undefined: it is. */
  kept(): Promise<void> | undefined {
    return this.#writing;
  }

  /** The vehicle has spoken, or its session was heard of. True when needs from before the restart are known again. */
  look(resourceId: string): boolean {
    const { twin } = this.#o;
    const entry = twin.get(resourceId);
    if (!entry) return false;
    if (entry.needs) {
      this.#before.delete(resourceId);
      this.#keep(resourceId, entry);
      return false;
    }
    const before = this.#before.get(resourceId);
    if (!entry.session || !before) {
      if (entry.session) this.#forget(resourceId);
      return false;
    }
    this.#before.delete(resourceId);
    if ((before.sessionId ?? entry.session.id) !== entry.session.id) {
      this.#write({ op: 'delete', kind: 'needs', key: resourceId });
      return false;
    }
    const isKnown = twin.needs(before.needs, before.from);
    this.#keep(resourceId, entry, before.from);
    return isKnown;
  }

  /** No vehicle is there: what one said before its session is nobody's. */
  left(resourceId: string): void {
    if (this.#before.get(resourceId)?.sessionId === undefined && this.#before.delete(resourceId))
      this.#write({ op: 'delete', kind: 'needs', key: resourceId });
    this.#forget(resourceId);
  }

  /** Registers have come; the first ones after a vehicle spoke are those that its needs count from. */
  read(resourceId: string): void {
    const kept = this.#kept.get(resourceId);
    const entry = kept?.from === undefined ? this.#o.twin.get(resourceId) : undefined;
    if (kept && entry?.needs && entry.reading?.energyAt !== undefined) this.#keep(resourceId, entry);
  }

  #keep(key: string, { needs, session, reading }: TwinEntry, earlier?: Registers): void {
    if (!needs) return;
    const known = this.#kept.get(key);
    const isSame = known?.needs === needs.body;
    if (isSame && known.sessionId === session?.id && known.from !== undefined) return;
    const from = earlier ?? (isSame ? known.from : undefined) ?? registersOf(reading);
    const body: Kept = {
      needs: needs.body,
      ...(session === undefined ? {} : { sessionId: session.id }),
      ...(from === undefined ? {} : { from }),
    };
    if (isSame && body.sessionId === known.sessionId && from === undefined) return;
    this.#kept.set(key, body);
    this.#write({ op: 'put', kind: 'needs', key, at: this.#o.clock.now(), body });
  }

  #forget(key: string): void {
    if (this.#kept.delete(key)) this.#write({ op: 'delete', kind: 'needs', key });
  }

  #write(op: Parameters<Ledger['later']>[0]): void {
    const before = this.#writing;
    const written = this.#o.ledger.write([op]);
    const mine = before === undefined ? written : before.catch(() => undefined).then(() => written);
    this.#writing = mine;
    const over = (): void => {
      if (this.#writing === mine) this.#writing = undefined;
    };
    mine.then(over, () => {
      // Whoever waited has heard of it; the next word of the vehicle is stored anew.
      this.#kept.delete(op.key);
      over();
    });
  }
}

function registersOf(reading: TwinEntry['reading']): Registers | undefined {
  const { importWh, exportWh, energyAt } = reading ?? {};
  if (energyAt === undefined) return undefined;
  return {
    energyAt,
    ...(importWh === undefined ? {} : { importWh }),
    ...(exportWh === undefined ? {} : { exportWh }),
  };
}
