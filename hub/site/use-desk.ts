import type { Clock } from '../../core/clock.ts';
import type { SiteFile } from '../../model/index.ts';
import type { FleetTwin } from '../fleet/twin.ts';
import type { StoreOp } from '../ports.ts';
import type { ServiceBook } from '../services/book.ts';
import { contractOf } from '../services/checks.ts';
import { remaining, type Service } from '../services/service.ts';
import { type ContractUse, type DayUse, isActivation, isPast } from '../services/usage.ts';
import type { Ledger } from './ledger.ts';

const FOLDER = 'use/';
/** The energy of a day is stored so often; what a crash loses is less than that. */
const STORE_MS = 60_000;
/** A longer pause between two looks is none in which energy was counted. */
const MAX_STEP_MS = 10_000;

export interface UseDeskOptions {
  readonly clock: Clock;
  readonly use: ContractUse;
  readonly book: ServiceBook;
  readonly twin: FleetTwin;
  readonly ledger: Ledger;
  readonly file: () => SiteFile;
}

/** Counts what contracts are used for: activations with the record that begins, energy given every second (fo 3.4). */
export class UseDesk {
  readonly #o: UseDeskOptions;
  readonly #dirty = new Set<string>(); // bounded by: the contracts of the site file, two days
  #lookedAt: number;
  #storedAt: number;
  #activated: { readonly key: string; readonly body: DayUse } | undefined;

  constructor(o: UseDeskOptions) {
    this.#o = o;
    this.#lookedAt = o.clock.now();
    this.#storedAt = this.#lookedAt;
  }

  /** What is stored together with a record that begins; it counts when that is done. */
  activated(before: Service | undefined, after: Service): readonly StoreOp[] {
    this.#activated = undefined;
    if (!isActivation(before, after)) return [];
    const now = this.#o.clock.now();
    this.#activated = this.#o.use.with(after.fsr.contractId, now, { activations: 1 });
    return [this.#op(this.#activated, now)];
  }

  stored(): void {
    if (this.#activated) this.#o.use.set(this.#activated.key, this.#activated.body);
    this.#activated = undefined;
  }

  /** Counts the energy that vehicles gave under contracts that limit it. True when one has just been used up. */
  tick(): boolean {
    const { book, clock, file, use } = this.#o;
    const now = clock.now();
    const stepMs = Math.min(Math.max(0, now - this.#lookedAt), MAX_STEP_MS);
    this.#lookedAt = now;
    const givers = new Map<string, Set<string>>(); // bounded by: the contracts of the site file
    for (const { service } of book.led(now)) {
      const { contractId } = service.fsr;
      if (contractOf(contractId, service.foId, file())?.maxExportWhPerDay === undefined) continue;
      const ids = givers.get(contractId) ?? new Set<string>(); // bounded by: the resources of the site
      for (const m of remaining(service)) ids.add(m);
      givers.set(contractId, ids);
    }
    let usedUp = false;
    for (const [contractId, ids] of givers) {
      const exportWh = (this.#givenW(ids) * stepMs) / 3_600_000;
      if (exportWh === 0) continue;
      const contract = file().contracts?.find((c) => c.contractId === contractId);
      const could = use.mayExport(contract, now);
      const { key, body } = use.with(contractId, now, { exportWh });
      use.set(key, body);
      this.#dirty.add(key);
      usedUp ||= could && !use.mayExport(contract, now);
    }
    if (this.#dirty.size > 0 && (usedUp || now - this.#storedAt >= STORE_MS || now < this.#storedAt)) this.#store(now);
    return usedUp;
  }

  async restore(): Promise<void> {
    const { clock, ledger, use } = this.#o;
    for await (const { key, body } of ledger.all('contract', FOLDER)) {
      const day = key.slice(FOLDER.length);
      if (isPast(day, clock.now())) ledger.later({ op: 'delete', kind: 'contract', key });
      else use.set(day, body as DayUse);
    }
  }

  #givenW(ids: ReadonlySet<string>): number {
    let sum = 0;
    for (const id of ids) {
      const entry = this.#o.twin.get(id);
      sum += Math.max(0, 0 - ((entry && this.#o.twin.powerOf(entry)) ?? 0));
    }
    return sum;
  }

  #store(now: number): void {
    this.#storedAt = now;
    for (const key of this.#dirty) this.#o.ledger.later(this.#op({ key, body: this.#o.use.get(key) }, now));
    this.#dirty.clear();
  }

  #op({ key, body }: { readonly key: string; readonly body: DayUse }, at: number): StoreOp {
    return { op: 'put', kind: 'contract', key: FOLDER + key, at, body };
  }
}
