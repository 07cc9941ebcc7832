import { iso, type ManualClock, manualClock, realClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { openStore } from '../../gateway/store/index.ts';
import { type Evidence, openEvidence } from '../../hub/evidence/index.ts';
import type { Signer, StorePort } from '../../hub/ports.ts';
import type { Service } from '../../hub/services/service.ts';
import { Ledger } from '../../hub/site/ledger.ts';
import type { EventEntry, MeterReading, SiteFile, WireMessage } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';

/** The evidence of a site without the site. */
export interface Rig {
  readonly clock: ManualClock;
  readonly store: StorePort;
  readonly services: Map<string, Service>;
  readonly told: WireMessage[];
  /** Resources without a vehicle. */
  readonly quiet: Set<string>;
  evidence: Evidence;
  read(resourceId: string, reading: Partial<MeterReading>): void;
  /** A change of a service that was stored. */
  change(patch: Partial<Service> & { readonly fsr: Service['fsr'] }): Service;
  chain(name: string): Promise<EventEntry[]>;
  /** Time goes on in steps of a second, as the site ticks. */
  advance(seconds: number): Promise<void>;
  /** As after a kill: nothing is flushed by the evidence. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

export interface RigOptions {
  readonly file?: Partial<SiteFile>;
  readonly store?: StorePort;
  readonly signer?: Signer;
}

export const memoryStore = (): Promise<StorePort> =>
  openStore({ path: ':memory:', clock: realClock(), log: silentLog, metrics: createMetrics() });

export async function rig(o: RigOptions = {}): Promise<Rig> {
  const clock = manualClock();
  const store = o.store ?? (await memoryStore());
  const file = siteFile(o.file);
  const open = (): Evidence =>
    openEvidence({
      clock,
      log: silentLog,
      ledger: new Ledger({ store, log: silentLog, siteId: file.siteId }),
      file: () => file,
      services: () => r.services.values(),
      quiet: (id) => (r.quiet.has(id) ? 'good' : undefined),
      resources: () => ['V2G-1.1', 'AC-1.1', 'AC-2.1'],
      ratedW: (id) => (id === 'big' ? { importW: 1e6, exportW: 1e6 } : { importW: 11_000, exportW: 11_000 }),
      tell: (m) => r.told.push(m),
      ...(o.signer ? { signer: o.signer } : {}),
    });
  const r: Rig = {
    clock,
    store,
    services: new Map(),
    told: [],
    quiet: new Set(),
    get evidence(): Evidence {
      throw new Error('not open');
    },
    read(resourceId, reading) {
      const body: MeterReading = { resourceId, at: iso(clock.now()), quality: 'good', ...reading };
      r.evidence.measured(body);
    },
    change(patch) {
      const before = r.services.get(patch.fsr.fsrId);
      const blank = { foId: 'fo:test', digest: '', state: 'accepted', members: [], outgoing: [] } as const;
      const after: Service = { ...(before ?? blank), ...patch };
      r.services.set(patch.fsr.fsrId, after);
      r.evidence.serviceChanged(before, after);
      return after;
    },
    async chain(name) {
      await r.evidence.flush();
      const entries: EventEntry[] = [];
      for await (const e of r.evidence.reader.events(name)) entries.push(e);
      return entries;
    },
    async advance(seconds) {
      for (let i = 0; i < seconds; i++) {
        await clock.advance(1000);
        r.evidence.tick();
      }
    },
    async reopen() {
      Object.defineProperty(r, 'evidence', { value: open(), configurable: true });
      await r.evidence.restore();
    },
    async close() {
      await r.evidence.close();
      await store.close();
    },
  };
  await r.reopen();
  return r;
}
