import { BoundedMap } from '../../core/bounded.ts';
import { describeError } from '../../core/errors.ts';
import type { CommandBatch, MeterReading, QueryEvents, QueryRecords, ResultBody } from '../../model/index.ts';
import { isRunning } from '../services/machine.ts';
import type { Scope } from '../services/request.ts';
import { type Service, serviceKey } from '../services/service.ts';
import { ClockOffsets } from './clock-offsets.ts';
import { Closing, endOf } from './closing.ts';
import { OpenCommands } from './commands.ts';
import { Curves } from './curves.ts';
import type { Delivery } from './delivery.ts';
import { Documents } from './documents.ts';
import { EnergyBook, siteMeter } from './energy.ts';
import { EventLog, LOCAL } from './event-log.ts';
import type { EvidenceOptions } from './index.ts';
import { queryEvents, readChain } from './log-query.ts';
import type { MeterBounds } from './meter-track.ts';
import { metersOf, planOf, scopeOf } from './plan.ts';
import { ReadingLog } from './readings.ts';
import { spanOf } from './record.ts';
import { queryRecords } from './record-query.ts';
import { notesOf } from './service-notes.ts';
import type {
  AppliedPoint,
  DocumentFilter,
  EventNote,
  Evidence,
  EvidenceReader,
  KeptDocument,
  MeanPower,
} from './types.ts';

const MAX_SERVICES = 2_000;
/** Far above what the connection carries: a meter there may count other loads and generation too. */
const POC_FACTOR = 3;

/** The rooms of evidence behind their one door. */
export class SiteEvidence implements Evidence {
  readonly reader: EvidenceReader;
  readonly #o: EvidenceOptions;
  readonly #events: EventLog;
  readonly #readings: ReadingLog;
  readonly #energy: EnergyBook;
  readonly #documents: Documents;
  readonly #closing: Closing;
  readonly #commands: OpenCommands;
  /** The newest record of each service that is measured. */
  readonly #services = new BoundedMap<string, Service>({
    name: 'evidence.services',
    max: MAX_SERVICES,
    overflow: 'refuse',
  });
  readonly #curves: Curves;
  readonly #clocks = new ClockOffsets();

  constructor(o: EvidenceOptions) {
    this.#o = o;
    const { clock, log, ledger, file } = o;
    const parties = () => [...new Set((file().contracts ?? []).map((c) => c.foId))];
    this.#events = new EventLog({ clock, log, ledger, parties });
    this.#readings = new ReadingLog({ clock, ledger });
    this.#energy = new EnergyBook({ clock, ledger, bounds: (m) => this.#bounds(m), quiet: o.quiet });
    this.#documents = new Documents({
      clock,
      ledger,
      siteId: file().siteId,
      issuerId: () => file().operatorId,
      tell: o.tell,
      ...(o.signer ? { signer: o.signer } : {}),
    });
    this.#closing = new Closing({
      clock,
      log,
      ledger,
      file,
      energy: this.#energy,
      events: this.#events,
      documents: this.#documents,
      note: (event) => this.note(event),
      resources: o.resources,
      quiet: o.quiet,
      clockOf: (foId) => this.#clocks.of(foId),
    });
    this.#curves = new Curves({ ledger, note: (event) => this.note(event) });
    this.#commands = new OpenCommands({ clock, ledger, note: (event) => this.note(event) });
    this.reader = {
      chains: () => this.#events.chains(),
      newest: (chain) => this.#events.head(chain).logSeq,
      events: (chain, from) => readChain(ledger, chain, from),
      documents: (type, filter) => this.#list(type, filter),
    };
  }

  note(event: EventNote): void {
    this.#events.note(event);
  }

  serviceChanged(before: Service | undefined, after: Service): void {
    try {
      for (const note of notesOf(before, after)) this.note(note);
      if (isRunning(after.state)) this.#follow(after);
      else if (before && isRunning(before.state)) this.#end(after);
    } catch (e) {
      this.#o.log.error('evidence.service', { fsrId: after.fsr.fsrId, ...describeError(e) });
    }
  }

  applied(key: string, point: AppliedPoint): void {
    if (this.#curves.take(key, point, this.#services.get(key))) this.#energy.applied(key, point);
  }

  measured(reading: MeterReading): void {
    try {
      this.#readings.take(reading);
      this.#energy.measured(reading);
    } catch (e) {
      this.#o.log.error('evidence.reading', { ...describeError(e) });
    }
  }

  mean(scope: Scope, fromMs: number, toMs: number): MeanPower {
    const { meters, besideW } = metersOf(scope, this.#o.file(), this.#o.resources);
    const mean = this.#energy.mean(meters, fromMs, toMs);
    if (besideW === undefined || mean.powerW === undefined) return mean;
    return { powerW: mean.powerW + besideW, quality: mean.quality === 'good' ? 'estimated' : mean.quality };
  }

  clockOffset(foId: string, offsetMs: number): void {
    this.#o.onClockOffset?.(foId, offsetMs);
    this.#clocks.take(foId, offsetMs);
  }

  queryEvents(foId: string, query: QueryEvents): Promise<ResultBody> {
    return queryEvents({ ledger: this.#o.ledger, events: this.#events }, foId, query);
  }

  queryRecords(foId: string, query: QueryRecords): Promise<ResultBody> {
    return queryRecords(this.#documents, foId, query);
  }

  commanded(batch: CommandBatch): Promise<void> {
    return this.#commands.sent(batch);
  }

  delivered(noticeId: string): boolean {
    return this.#documents.delivered(noticeId);
  }

  tellAgain(): void {
    this.#documents.tellAgain();
  }

  async restore(): Promise<void> {
    await this.#events.restore();
    await this.#energy.restore();
    const services = [...this.#o.services()];
    for (const s of services) if (isRunning(s.state)) await this.#takeUp(s);
    for (const s of services) if (isEnded(s)) await this.#takeUpEnded(s);
    await this.#energy.replay(this.#readings);
    const parties = services.filter((s) => isRunning(s.state)).map((s) => s.foId);
    this.note({ kind: 'gateway.restart', severity: 'info', subject: [], parties });
    await this.#commands.restore(services);
    await this.#documents.restore();
  }

  tick(): void {
    this.#readings.write();
    this.#energy.tick();
    this.#closing.tick();
    this.#documents.tick();
    this.#events.tick();
  }

  async flush(): Promise<void> {
    await this.#closing.settled();
    await this.#events.flush();
  }

  async close(): Promise<void> {
    this.#readings.write();
    this.#energy.write();
    await this.flush();
  }

  #follow(service: Service): Delivery {
    const key = serviceKey(service.foId, service.fsr.fsrId);
    const known = this.#energy.delivery(key);
    const before = this.#services.get(key);
    this.#services.set(key, service);
    const isSamePlan =
      before?.fsr.revision === service.fsr.revision &&
      before.acceptedAt === service.acceptedAt &&
      before.members === service.members;
    if (known && isSamePlan) return known;
    const isFirst = ![...this.#services.values()].some((other) => other !== service && other.foId === service.foId);
    if (!known && isFirst) this.#clocks.begin(service.foId);
    const file = this.#o.file();
    const { meters } = metersOf(scopeOf(service), file, this.#o.resources);
    const plan = planOf(service, meters, file);
    return this.#energy.follow(key, plan, (member) => {
      const now = this.#services.get(key);
      return now && spanOf(now, plan, member);
    });
  }

  #end(service: Service): void {
    const key = serviceKey(service.foId, service.fsr.fsrId);
    if (this.#closing.has(key)) return;
    const delivery = this.#follow(service);
    this.#closing.add(service, delivery, endOf(service, this.#o.clock.now()));
    this.#services.delete(key);
    this.#curves.forget(key);
  }

  /** A service that runs on after a restart: the curve since the last writing is found in the store. */
  async #takeUp(service: Service): Promise<void> {
    const key = serviceKey(service.foId, service.fsr.fsrId);
    const delivery = this.#follow(service);
    for await (const point of this.#curves.since(key, delivery.pointAt ?? 0)) delivery.applied(point);
  }

  /** It ended just before the restart, and its record was not made. */
  async #takeUpEnded(service: Service): Promise<void> {
    if (await this.#documents.has('ServiceRecord', service.foId, service.fsr.fsrId)) return;
    await this.#takeUp(service);
    this.#end(service);
  }

  async #list(type: KeptDocument['type'], filter: DocumentFilter = {}): Promise<KeptDocument[]> {
    if (filter.id === undefined || filter.foId !== undefined) return this.#documents.list(type, filter);
    const found: KeptDocument[] = [];
    for (const foId of this.#events.chains())
      if (foId !== LOCAL) found.push(...(await this.#documents.list(type, { ...filter, foId })));
    return found;
  }

  #bounds(meter: string): MeterBounds {
    if (!meter.startsWith('@')) return this.#o.ratedW(meter) ?? { importW: Infinity, exportW: Infinity };
    const file = this.#o.file();
    const declared = file.meters?.find((m) => siteMeter(m.meterId) === meter);
    const intervalMs = declared ? { intervalMs: declared.intervalS * 1000 } : {};
    const rated = declared?.at === 'evse' && declared.subjectRef ? this.#o.ratedW(declared.subjectRef) : undefined;
    if (rated) return { ...rated, ...intervalMs };
    const mostW = POC_FACTOR * Math.max(file.poc.importLimitW, file.poc.exportLimitW);
    return { importW: mostW, exportW: mostW, ...intervalMs };
  }
}

const isEnded = ({ state }: Service): boolean => state === 'completed' || state === 'aborted' || state === 'failed';
