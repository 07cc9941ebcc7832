import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, iso } from '../../core/clock.ts';
import type { EnvelopeUpdate, SiteFile } from '../../model/index.ts';
import type { PresentPower } from '../dispatch/index.ts';
import { decidedEnvelope, type EnvelopeInput, envelope } from '../envelope/index.ts';
import type { FleetTwin } from '../fleet/twin.ts';
import type { MeterBook } from '../meters/book.ts';
import { envelopeInput } from './envelope-input.ts';
import type { LimitBook, NodeLimits } from './limits.ts';
import { Rounds } from './rounds.ts';

const MAX_RESOURCES = 20_000;

export interface EnvelopeKeeperOptions {
  readonly clock: Clock;
  readonly siteId: string;
  readonly twin: FleetTwin;
  readonly limits: LimitBook;
  readonly meters: MeterBook;
  readonly file: () => SiteFile;
  readonly present: (resourceId: string) => PresentPower;
  /** What an allocation run would grant now, W signed: who comes down when a limit shrinks. */
  readonly goal: () => ReadonlyMap<string, number>;
  readonly push: (update: EnvelopeUpdate) => void;
}

/** The envelope in force (design 2): computed when something moved, pushed when it is another one. */
export class EnvelopeKeeper {
  readonly #o: EnvelopeKeeperOptions;
  readonly #rounds: Rounds;
  readonly #inForce = new BoundedMap<string, NodeLimits>({
    name: 'hub.envelope',
    max: MAX_RESOURCES,
    overflow: 'refuse',
  });
  /** What each may draw when all draw at once. */
  #safe: ReadonlyMap<string, number> = new Map(); // bounded by: the resources of the site
  #revision = 0;

  constructor(o: EnvelopeKeeperOptions) {
    this.#o = o;
    this.#rounds = new Rounds({ clock: o.clock, size: () => o.twin.size, round: () => this.#compute() });
  }

  /** What stations may be doing has moved. Until the next round the old envelope holds, which is as safe. */
  touch(): void {
    this.#rounds.cause('power');
  }

  /** Limits or resources have moved: at once. */
  renew(): void {
    const { file, twin, limits, meters } = this.#o;
    const safe = new Map<string, number>(); // bounded by: the resources of the site
    for (const e of envelope(envelopeInput(file(), twin, limits, meters)))
      safe.set(e.evseId, Math.floor(e.importLimitW));
    this.#safe = safe;
    this.refresh();
  }

  /** The envelope of this moment, for commands that are about to go. */
  refresh(): void {
    this.#rounds.cancel();
    this.#compute();
  }

  current(): EnvelopeUpdate {
    return {
      siteId: this.#o.siteId,
      at: iso(this.#o.clock.now()),
      revision: this.#revision,
      evses: [...this.#inForce.entries()].map(([resourceId, limits]) => ({ resourceId, ...limits })),
    };
  }

  of(resourceId: string): NodeLimits | undefined {
    return this.#inForce.get(resourceId);
  }

  safeImportW(resourceId: string): number {
    return this.#safe.get(resourceId) ?? 0;
  }

  close(): void {
    this.#rounds.close();
  }

  #compute(): void {
    const { file, twin, limits, meters, present, push } = this.#o;
    let moved = this.#dropRemoved();
    const input = envelopeInput(file(), twin, limits, meters, present);
    for (const e of decidedEnvelope(input, (undecided) => this.#decided(undecided))) {
      if (!twin.get(e.evseId)) continue;
      // What nobody reaches does what it does, and counts so; coming back it gets its share until that is known.
      const mostW = twin.get(e.evseId)?.online === false ? this.safeImportW(e.evseId) : e.importLimitW;
      const importLimitW = floor3(Math.min(e.importLimitW, mostW));
      const exportLimitW = floor3(e.exportLimitW);
      const known = this.#inForce.get(e.evseId);
      if (known?.importLimitW === importLimitW && known.exportLimitW === exportLimitW) continue;
      this.#inForce.set(e.evseId, { importLimitW, exportLimitW });
      moved = true;
    }
    if (!moved) return;
    this.#revision++;
    push(this.current());
    for (const id of this.#removed()) this.#inForce.delete(id);
  }

  /**
   * Where what was told no longer fits, all come down as the next allocation run will ask for: the links then do at once
   * what that run tells them, also when no wire brings its commands.
   */
  #decided(input: EnvelopeInput): EnvelopeInput {
    const goals = this.#o.goal();
    const evses = input.evses.map((e) => {
      const powerW = goals.get(e.evseId) ?? 0;
      return { ...e, toldImportW: Math.max(0, powerW), toldExportW: Math.max(0, 0 - powerW) };
    });
    return { ...input, evses };
  }

  /** What is no longer in the site file gets nothing more, and is told so once. */
  #dropRemoved(): boolean {
    const removed = this.#removed();
    for (const id of removed) this.#inForce.set(id, { importLimitW: 0, exportLimitW: 0 });
    return removed.length > 0;
  }

  #removed(): string[] {
    const removed: string[] = [];
    for (const id of this.#inForce.keys()) if (!this.#o.twin.get(id)) removed.push(id);
    return removed;
  }
}

/** Down to 3 digits (fo 2.1), so that sums stay below limits. */
const floor3 = (w: number): number => Math.floor(w * 1000 + 1e-6) / 1000;
