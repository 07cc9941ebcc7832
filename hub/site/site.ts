import { BoundedQueue, BoundedSet } from '../../core/bounded.ts';
import { type Clock, every, iso, type TimerHandle } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Metrics } from '../../core/metrics.ts';
import {
  type AllocationRequest,
  type CommandBatch,
  type EnvelopeUpdate,
  type FleetSnapshot,
  HUB_MESSAGES,
  type PendingStation,
  type ResultBody,
  type SetLimit,
  SetLimit as SetLimitMessage,
  type SiteFile,
  type WireMessage,
} from '../../model/index.ts';
import { availability } from '../allocation/index.ts';
import { HUB_ERRORS } from '../errors.ts';
import { resourcesOf } from '../fleet/resources.ts';
import { FleetTwin } from '../fleet/twin.ts';
import type { ActuatingLink, ReplyLink, StorePort } from '../ports.ts';
import { type Effects, refused, ServiceBook } from '../services/book.ts';
import type { Service } from '../services/service.ts';
import { Actuation } from './actuation.ts';
import { SiteEmitter } from './emitter.ts';
import { groupSample, siteSnapshot } from './group.ts';
import { LimitBook } from './limits.ts';
import { siteInput } from './plan.ts';
import { StationDirectory } from './stations.ts';
import { Supervisor } from './supervisor.ts';
import { TelemetryBook } from './telemetry.ts';
import type { Decision, Detach, PlotPoint, Site, SiteEvents } from './types.ts';

export interface SiteOptions {
  readonly file: SiteFile;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly store: StorePort;
}

const MAX_LINKS = 64;
const PLOT_POINTS = 900;
const TICK_MS = 1000;

/** Opens a site: reads back what was in force before a restart, then admits new control. */
export async function openSite(o: SiteOptions): Promise<Site> {
  const site = new HubSite(o);
  await site.restore();
  return site;
}

class HubSite implements Site {
  readonly siteId: string;
  readonly stations: StationDirectory;
  ready = false;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #store: StorePort;
  readonly #twin: FleetTwin;
  readonly #limits: LimitBook;
  readonly #book: ServiceBook;
  readonly #emitter: SiteEmitter;
  readonly #telemetry: TelemetryBook;
  readonly #actuation: Actuation;
  readonly #supervisor: Supervisor;
  readonly #links = new BoundedSet<ActuatingLink>({ name: 'hub.links', max: MAX_LINKS, overflow: 'refuse' });
  readonly #replies = new BoundedSet<ReplyLink>({ name: 'hub.replyLinks', max: MAX_LINKS, overflow: 'refuse' });
  readonly #plot = new BoundedQueue<PlotPoint>({ name: 'hub.plot', max: PLOT_POINTS, overflow: 'dropOldest' });
  readonly #tick: TimerHandle;
  #file: SiteFile;
  #allocator: string | undefined;
  /** Writes one after the other, so that notices leave in the order in which they were made. */
  #tail: Promise<void> = Promise.resolve();

  constructor(o: SiteOptions) {
    this.siteId = o.file.siteId;
    this.#file = o.file;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#store = o.store;
    this.#emitter = new SiteEmitter(o.log);
    this.#twin = new FleetTwin(o.clock);
    this.#limits = new LimitBook(o.clock);
    this.stations = new StationDirectory({
      file: o.file,
      clock: o.clock,
      store: o.store,
      onChange: (kind, identity) => this.#stationsChanged(kind, identity),
    });
    this.#book = new ServiceBook({
      file: o.file,
      clock: o.clock,
      capacity: {
        known: (id) => this.#twin.get(id) !== undefined,
        availableNow: (members) => this.#available(members),
        installed: (members) => this.#actuation.installed(members),
        preview: (service, targetW) => this.#preview(service, targetW),
        measured: (members) => groupSample(this.#twin, members).powerW,
      },
    });
    this.#actuation = new Actuation({
      clock: o.clock,
      log: o.log,
      siteId: this.siteId,
      twin: this.#twin,
      limits: this.#limits,
      file: () => this.#file,
      push: (update) => this.#pushEnvelope(update),
    });
    this.#supervisor = new Supervisor({
      clock: o.clock,
      book: this.#book,
      twin: this.#twin,
      apply: (effects) => void this.#apply(effects),
      changed: (reason) => this.#changed(reason),
    });
    this.#telemetry = new TelemetryBook({
      clock: o.clock,
      sample: (subject, fsrId) => this.#sample(subject, fsrId),
      deliver: (payload, peer) => this.#emitter.emit('telemetry', this.#message('hub/Telemetry', payload, peer)),
    });
    this.#takeOver(o.file);
    this.#tick = every(o.clock, TICK_MS, () => this.#everySecond());
  }

  file(): SiteFile {
    return this.#file;
  }

  /** Brings back stations, limits and services; unexpired ones are resumed, expired ones find their fallback (fo 6.2). */
  async restore(): Promise<void> {
    await this.stations.restore();
    for (const row of await this.#store.list('limit', { limit: 1000 }))
      this.#limits.restore(SetLimitMessage.parse(row.body));
    for (const row of await this.#store.list('service', { limit: 2000 })) {
      const service = row.body as Service;
      const newest = await this.#store.get('setpoint', row.key);
      const setpoint = newest && { setpoint: newest.body as NonNullable<Service['setpoint']> };
      this.#book.restore({ ...service, ...setpoint }, this.#clock.now());
      for (const n of service.outgoing)
        this.#emitter.emit('notice', this.#message(n.topic, n.payload, service.foId, n.id));
    }
    this.#takeOver(this.#file);
    this.ready = true;
    const running = this.#book.running().length;
    if (running > 0) this.#log.info('site.resumed', { services: running });
  }

  async reload(file: SiteFile): Promise<void> {
    if (file.siteId !== this.siteId) {
      throw HUB_ERRORS.fail(
        'site.invalid',
        `The file now describes ${file.siteId}; a site keeps its id while it is open.`,
        { path: '/siteId' },
      );
    }
    this.#takeOver(file);
    this.#emitter.emit('reloaded', { ok: true, text: 'site file reloaded' });
    this.#changed('reload');
  }

  reloadFailed(error: unknown): void {
    const { code, what, remedy } = describeError(error);
    this.#log.warn('site.reloadRefused', { code, what, remedy });
    this.#emitter.emit('reloaded', { ok: false, text: `${what} ${remedy}` });
  }

  attach(link: ActuatingLink): Detach {
    this.#links.add(link);
    link.applyEnvelope(this.#actuation.envelopeNow());
    return () => {
      this.#links.delete(link);
    };
  }

  attachReplies(link: ReplyLink): Detach {
    this.#replies.add(link);
    return () => {
      this.#replies.delete(link);
    };
  }

  on<E extends keyof SiteEvents>(event: E, listener: (payload: SiteEvents[E]) => void): Detach {
    return this.#emitter.on(event, listener);
  }

  observe(message: WireMessage): void {
    try {
      const reason = this.#take(message);
      this.#emitter.emit('observed', message);
      if (reason !== undefined) this.#changed(reason);
    } catch (e) {
      this.#log.error('site.observation', { topic: message.topic, ...describeError(e) });
    }
  }

  async decide(message: WireMessage): Promise<Decision> {
    if (!this.ready) return { result: refused(HUB_ERRORS.fail('site.starting')) };
    try {
      return await this.#decide(message, message.v2gate.peer ?? '');
    } catch (e) {
      const { code, what, remedy } = describeError(e);
      this.#log.error('site.decide', { topic: message.topic, code, what });
      return { result: { status: 'error', code: 'internal.temporary', message: `${what} ${remedy}`, retryAfterS: 1 } };
    }
  }

  reply(replyTo: string, result: ResultBody): boolean {
    return [...this.#replies].some((link) => link.reply(replyTo, result));
  }

  delivered(noticeId: string): void {
    void this.#apply(this.#book.delivered(noticeId, this.#clock.now()));
  }

  claimAllocator(holder: string): Detach {
    if (this.#allocator !== undefined && this.#allocator !== holder) {
      throw HUB_ERRORS.fail('site.allocatorTaken', `${this.#allocator} already allocates for ${this.siteId}.`);
    }
    this.#allocator = holder;
    return () => {
      if (this.#allocator === holder) this.#allocator = undefined;
    };
  }

  allocate(request: AllocationRequest): CommandBatch | undefined {
    const now = this.#clock.now();
    if (request.target) {
      const { taken, ...effects } = this.#book.inForce(request.target, now);
      if (!taken) this.#log.info('target.ignored', { fsrId: request.target.fsrId });
      void this.#apply(effects);
    }
    const service = this.#book.active()[0];
    const run = this.#actuation.run(service, now);
    if (service && run.applied) this.#book.update(service, { applied: run.applied });
    if (run.commands.length === 0) return undefined;
    return {
      batchId: uuidv7(this.#clock),
      siteId: this.siteId,
      ...(service === undefined ? {} : { fsrId: service.fsr.fsrId }),
      at: iso(now),
      commands: run.commands,
    };
  }

  async setLimit(limit: SetLimit): Promise<void> {
    const nodes = ['poc', ...(this.#file.circuits ?? []).map((c) => c.circuitId)];
    if (!nodes.includes(limit.nodeId) && !this.#twin.get(limit.nodeId)) {
      throw HUB_ERRORS.fail('limit.unknownNode', `${this.siteId} has no ${limit.nodeId}.`, { path: '/nodeId' });
    }
    const op = this.#limits.set(limit);
    if (!op) throw HUB_ERRORS.fail('limit.unknownNode', 'This site holds as many limits as it can; lift one first.');
    await this.#store.write([op]);
    this.#log.info('limit.set', { ...limit });
    this.#actuation.refresh();
    this.#changed('limit');
  }

  safeImportW(resourceId: string): number {
    return this.#actuation.safeImportW(resourceId);
  }

  snapshot(): FleetSnapshot {
    return siteSnapshot({
      siteId: this.siteId,
      file: this.#file,
      clock: this.#clock,
      twin: this.#twin,
      limits: this.#limits,
      actuation: this.#actuation,
      services: this.#book.all(),
    });
  }

  pendingStations(): readonly PendingStation[] {
    return this.stations.pending();
  }

  plot(): readonly PlotPoint[] {
    return [...this.#plot];
  }

  async close(): Promise<void> {
    this.#tick.cancel();
    this.#telemetry.close();
    this.#emitter.clear();
    await this.#tail;
  }

  /** Takes an observation into the twin; answers why an allocation should look, if it should. */
  #take({ topic, payload }: WireMessage): string | undefined {
    switch (topic) {
      case 'hub/StationStatus': {
        const body = HUB_MESSAGES.StationStatus.parse(payload);
        const before = this.#twin.get(body.resourceId)?.online ?? false;
        const changed = this.#twin.status(body);
        this.#actuation.stationChanged(body.resourceId);
        const online = this.#twin.get(body.resourceId)?.online ?? false;
        if (before !== online) this.#supervisor.reachable(body.resourceId, online);
        return changed ? 'station' : undefined;
      }
      case 'hub/SessionEvent': {
        const body = HUB_MESSAGES.SessionEvent.parse(payload);
        const changed = this.#twin.session(body);
        if (changed) this.#actuation.stationChanged(body.resourceId);
        return changed ? 'session' : undefined;
      }
      case 'hub/EvNeeds':
        return this.#twin.needs(HUB_MESSAGES.EvNeeds.parse(payload)) ? 'needs' : undefined;
      case 'hub/MeterReading': {
        const body = HUB_MESSAGES.MeterReading.parse(payload);
        const changed = this.#twin.reading(body);
        if (changed && body.resourceId !== undefined) this.#actuation.measured(body.resourceId);
        this.#persistLater({
          op: 'put',
          kind: 'meter',
          key: `${body.resourceId ?? body.meterId}/${body.at}`,
          at: this.#clock.now(),
          body,
        });
        return undefined;
      }
      case 'hub/CommandOutcome': {
        const body = HUB_MESSAGES.CommandOutcome.parse(payload);
        this.#persistLater({
          op: 'put',
          kind: 'outcome',
          key: `${body.commandId}/${body.state}`,
          at: this.#clock.now(),
          body,
        });
        return this.#actuation.outcome(body) ? 'outcome' : undefined;
      }
      default:
        this.#log.warn('site.unknownObservation', { topic });
        return undefined;
    }
  }

  async #decide({ topic, payload }: WireMessage, foId: string): Promise<Decision> {
    const now = this.#clock.now();
    switch (topic) {
      case 'hub/RequestService':
        return this.#answer(this.#book.request(HUB_MESSAGES.RequestService.parse(payload), foId, now));
      case 'hub/UpdateSetpoint':
        return this.#answer(this.#book.setpoint(HUB_MESSAGES.UpdateSetpoint.parse(payload), foId, now));
      case 'hub/CancelService':
        return this.#answer(this.#book.cancel(HUB_MESSAGES.CancelService.parse(payload), foId, now));
      case 'hub/SubscribeTelemetry': {
        const body = HUB_MESSAGES.SubscribeTelemetry.parse(payload);
        return { result: this.#telemetry.subscribe(body, foId) };
      }
      default:
        return { result: refused(HUB_ERRORS.fail('message.unknown', `${topic} is not decided by a site.`)) };
    }
  }

  async #answer(handled: Effects & Partial<Decision>): Promise<Decision> {
    await this.#apply(handled);
    const result = handled.result ?? refused(undefined);
    return { result, ...(handled.target === undefined ? {} : { target: handled.target }) };
  }

  /** Persists, then tells (design 1). */
  #apply(effects: Effects): Promise<void> {
    const { persist, notices, changed } = effects;
    const done = this.#tail.then(async () => {
      if (persist.length > 0) await this.#store.write(persist);
      for (const n of notices) this.#emitter.emit('notice', this.#message(n.topic, n.payload, n.peer, n.id));
      for (const reason of changed) this.#changed(reason);
    });
    this.#tail = done.catch((e: unknown) => this.#log.error('site.store', { ...describeError(e) }));
    return done;
  }

  #persistLater(op: Parameters<StorePort['write']>[0][number]): void {
    this.#store.write([op]).catch((e: unknown) => this.#log.error('site.store', { ...describeError(e) }));
  }

  #takeOver(file: SiteFile): void {
    this.#file = file;
    this.stations.configure(file);
    this.#book.configure(file);
    this.#twin.configure(resourcesOf(file, this.stations.accepted()));
    this.#actuation.refresh();
  }

  #stationsChanged(kind: 'pending' | 'accepted', identity: string): void {
    if (kind === 'accepted') this.#takeOver(this.#file);
    this.#emitter.emit('stations', { kind, identity });
  }

  #pushEnvelope(update: EnvelopeUpdate): void {
    for (const link of this.#links) {
      try {
        link.applyEnvelope(update);
      } catch (e) {
        this.#log.error('site.envelope', { link: link.linkId, ...describeError(e) });
      }
    }
  }

  #everySecond(): void {
    const now = this.#clock.now();
    if (this.#limits.expire()) {
      this.#actuation.refresh();
      this.#changed('limit');
    }
    this.#supervisor.tick(now);
    const reason = this.#actuation.tick(now);
    if (reason !== undefined) this.#changed(reason);
    else if (this.#book.active().length > 0) this.#changed('second');
    const point = this.#point(now);
    this.#plot.push(point);
    this.#emitter.emit('plot', point);
  }

  #point(now: number): PlotPoint {
    const poc = this.#limits.effective('poc', this.#file.poc);
    const asked = this.#book.active()[0]?.inForce;
    return {
      at: now,
      ...(asked === undefined || asked.validUntil <= now ? {} : { requestedW: asked.targetW }),
      grantedW: this.#actuation.grantedW(),
      measuredW: groupSample(this.#twin).powerW ?? 0,
      importLimitW: poc.importLimitW,
      exportLimitW: poc.exportLimitW,
    };
  }

  #changed(reason: string): void {
    this.#emitter.emit('changed', { reason, at: this.#clock.now() });
  }

  #message(topic: string, payload: unknown, peer: string, id = uuidv7(this.#clock)): WireMessage {
    return {
      topic,
      payload,
      v2gate: { id, at: iso(this.#clock.now()), link: `site:${this.siteId}`.slice(0, 128), peer },
    };
  }

  #available(members: readonly string[]): { lowW: number; highW: number } {
    const input = siteInput(this.#actuation.sources, { setpointW: 0, referencePoint: 'group', members });
    const { total } = availability(input);
    return { lowW: total.neededW, highW: total.wishedW };
  }

  #preview(service: Service, targetW: number): { appliedW: number; limitedBy?: string } {
    return this.#actuation.preview(service, targetW);
  }

  #sample(subject: { readonly resourceId?: string; readonly groupId?: string }, fsrId: string | undefined) {
    const members =
      subject.resourceId !== undefined
        ? [subject.resourceId]
        : this.#file.groups?.find((g) => g.groupId === subject.groupId)?.members;
    if (!members?.every((m) => this.#twin.get(m))) return undefined;
    const service = fsrId === undefined ? this.#book.active()[0] : this.#book.find(fsrId);
    const sample = groupSample(this.#twin, members);
    const setpointW = service?.applied?.targetW;
    return { ...sample, at: iso(this.#clock.now()), ...(setpointW === undefined ? {} : { setpointW }) };
  }
}
