import { BoundedQueue, BoundedSet } from '../../core/bounded.ts';
import { type Clock, every, iso, type TimerHandle } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import { failPoint } from '../../core/failpoint.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Metrics } from '../../core/metrics.ts';
import type {
  AllocationRequest,
  CommandBatch,
  CommandOutcome,
  EnvelopeUpdate,
  FleetSnapshot,
  OptChoice,
  PendingStation,
  ResultBody,
  SetLimit,
  SiteFile,
  StationCapabilities,
  WireMessage,
} from '../../model/index.ts';
import { HUB_ERRORS } from '../errors.ts';
import { appliedPoint } from '../evidence/applied.ts';
import type { Evidence } from '../evidence/types.ts';
import { resourcesOf } from '../fleet/resources.ts';
import type { ActuatingLink, ReplyLink, Signer, StorePort } from '../ports.ts';
import type { WithdrawReason } from '../services/notices.ts';
import { failed } from '../services/results.ts';
import { decideFor } from './decisions.ts';
import { SiteEmitter } from './emitter.ts';
import { groupSample, requestedOf, siteSnapshot } from './group.ts';
import { makeRooms, type Rooms } from './rooms.ts';
import { VALIDITY_MS } from './standing.ts';
import type { StationDirectory } from './stations.ts';
import type { Decision, Detach, PlotPoint, Site, SiteEvents } from './types.ts';

export interface SiteOptions {
  readonly file: SiteFile;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly store: StorePort;
  /** Signs records and proofs; without it they stay unsigned (tests). */
  readonly signer?: Signer;
  /** 0 ≤ x < 1, the same for the same words; default by the words alone. */
  readonly random?: (seed: string) => number;
}

const MAX_LINKS = 64;
const PLOT_POINTS = 900;
const TICK_MS = 1000;

/** Opens a site: reads back what was in force before a restart, then admits new control. */
export async function openSite(o: SiteOptions): Promise<Site> {
  const site = new HubSite(o);
  try {
    await site.restore();
  } catch (e) {
    await site.close();
    throw e;
  }
  return site;
}

class HubSite implements Site {
  readonly siteId: string;
  readonly stations: StationDirectory;
  readonly evidence: Evidence;
  ready = false;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #emitter: SiteEmitter;
  readonly #rooms: Rooms;
  readonly #links = new BoundedSet<ActuatingLink>({ name: 'hub.links', max: MAX_LINKS, overflow: 'refuse' });
  readonly #replies = new BoundedSet<ReplyLink>({ name: 'hub.replyLinks', max: MAX_LINKS, overflow: 'refuse' });
  readonly #plot = new BoundedQueue<PlotPoint>({ name: 'hub.plot', max: PLOT_POINTS, overflow: 'dropOldest' });
  readonly #tick: TimerHandle;
  #file: SiteFile;
  #problem: string | undefined;
  #allocator: string | undefined;
  #recorded: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(o: SiteOptions) {
    this.siteId = o.file.siteId;
    this.#file = o.file;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#emitter = new SiteEmitter(o.log);
    this.#rooms = makeRooms({
      ...o,
      file: () => this.#file,
      emit: (event, payload) => this.#emitter.emit(event, payload),
      push: (update) => this.#pushEnvelope(update),
      accepted: () => this.#takeOver(this.#file),
    });
    this.stations = this.#rooms.stations;
    this.evidence = this.#rooms.evidence;
    this.#takeOver(o.file);
    this.#tick = every(
      o.clock,
      TICK_MS,
      () => this.#everySecond(),
      (e) => o.log.error('site.tick', { ...describeError(e) }),
    );
  }

  file(): SiteFile {
    return this.#file;
  }

  /** Brings back stations, limits and services; unexpired ones are resumed, expired ones find their fallback (fo 6.2). */
  async restore(): Promise<void> {
    await this.stations.restore();
    await this.#rooms.limitDesk.restore();
    await this.#rooms.needs.restore();
    await this.#rooms.publication.restore();
    await this.#rooms.useDesk.restore();
    await this.#rooms.desk.restore();
    await this.evidence.restore();
    this.#takeOver(this.#file);
    await this.#rooms.optDesk.restore();
    this.#rooms.congestion.look();
    await this.#recallOrders();
    this.ready = true;
    const running = this.#rooms.book.running().length;
    if (running > 0) this.#log.info('site.resumed', { services: running });
  }

  /** Who was led until just before the restart. */
  async #recallOrders(): Promise<void> {
    for (const { at, body } of await this.#rooms.ledger.recent('outcome', this.#clock.now() - VALIDITY_MS)) {
      const { resourceId } = body as CommandOutcome;
      this.#rooms.orders.ledBefore(resourceId, at);
    }
    this.#rooms.envelope.refresh();
  }

  async reload(file: SiteFile): Promise<void> {
    if (file.siteId !== this.siteId) {
      const what = `The file now describes ${file.siteId}; a site keeps its id while it is open.`;
      throw HUB_ERRORS.fail('site.invalid', what, { path: '/siteId' });
    }
    if (this.#closing) return;
    this.#takeOver(file);
    this.#rooms.optDesk.refresh();
    this.#rooms.congestion.look();
    this.#rooms.supervisor.tick();
    this.#emitter.emit('reloaded', { ok: true, text: 'site file reloaded' });
    this.#rooms.changes.cause('reload');
  }

  reloadFailed(error: unknown): void {
    const { code, what, remedy } = describeError(error);
    this.#log.warn('site.reloadRefused', { code, what, remedy });
    this.#emitter.emit('reloaded', { ok: false, text: `${what} ${remedy}` });
  }

  attach(link: ActuatingLink): Detach {
    this.#links.add(link);
    this.#rooms.envelope.refresh();
    link.applyEnvelope(this.#rooms.envelope.current());
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
    if (this.#closing) return;
    try {
      const reason = message.topic === 'hub/OptChoice' ? this.#pressed(message) : this.#rooms.observer.take(message);
      if (message.topic === 'hub/CommandOutcome') this.#rooms.supervisor.outcome(message.payload as CommandOutcome);
      else if (reason === 'session' || reason === 'station') this.#rooms.optDesk.refresh();
      this.#emitter.emit('observed', message);
      if (reason !== undefined) this.#rooms.changes.cause(reason);
    } catch (e) {
      this.#log.error('site.observation', { topic: message.topic, ...describeError(e) });
    }
  }

  async decide(message: WireMessage): Promise<Decision> {
    if (!this.ready || this.#closing) return { result: failed(HUB_ERRORS.fail('site.starting')) };
    try {
      const decision = await decideFor(this.#rooms, message, message.v2gate.peer ?? '');
      // What was accepted may begin at once; a setpoint changes nothing but a moment to wake up at.
      if (message.topic === 'hub/UpdateSetpoint') this.#rooms.supervisor.arm();
      else this.#rooms.supervisor.tick();
      return decision;
    } catch (e) {
      const result = failed(e);
      if (result.code?.startsWith('internal.') === true)
        this.#log.error('site.decide', { topic: message.topic, ...describeError(e) });
      return { result };
    }
  }

  reply(replyTo: string, result: ResultBody): boolean {
    return [...this.#replies].some((link) => link.reply(replyTo, result));
  }

  delivered(noticeId: string): void {
    if (this.#closing || this.evidence.delivered(noticeId) || this.#rooms.publication.delivered(noticeId)) return;
    this.#rooms.desk.delivered(noticeId);
  }

  partyUp(foId: string, { clockOffsetMs }: { readonly clockOffsetMs?: number }): void {
    if (this.#closing) return;
    if (clockOffsetMs !== undefined) {
      this.#rooms.clocks.take(foId, clockOffsetMs, true);
      this.evidence.clockOffset(foId, clockOffsetMs);
    }
    this.#rooms.publication.up(foId);
    this.evidence.note({ kind: 'link.up', severity: 'info', subject: [foId], parties: [foId] });
  }

  partyDown(foId: string, reason: string): void {
    if (this.#closing) return;
    const cause = reason.slice(0, 128);
    this.#rooms.publication.down(foId);
    this.evidence.note({ kind: 'link.down', severity: 'warning', subject: [foId], parties: [foId], cause });
  }

  async opt(choice: OptChoice, by: string): Promise<ResultBody> {
    if (!this.ready || this.#closing) return failed(HUB_ERRORS.fail('site.starting'));
    try {
      return await this.#rooms.optDesk.choose(choice, by);
    } catch (e) {
      return failed(e);
    }
  }

  async withdraw(foId: string, fsrId: string, reason: WithdrawReason): Promise<ResultBody> {
    if (!this.ready || this.#closing) return failed(HUB_ERRORS.fail('site.starting'));
    try {
      return (await this.#rooms.desk.withdraw(foId, fsrId, reason)).result;
    } catch (e) {
      return failed(e);
    }
  }

  capabilities(resourceId: string): StationCapabilities | undefined {
    return this.#rooms.twin.get(resourceId)?.capabilities;
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

  allocate({ target }: AllocationRequest): CommandBatch | undefined {
    if (this.#closing) return undefined;
    const now = this.#clock.now();
    const taken = target && this.#rooms.book.inForce(target);
    if (target && !taken) this.#log.info('target.ignored', { fsrId: target.fsrId });
    if (taken) this.#rooms.supervisor.watch(taken.key);
    const led = this.#rooms.book.led(now);
    const { commands, applied } = this.#rooms.actuation.run(led);
    for (const entry of led) {
      const of = applied.get(entry.key);
      if (!of) continue;
      entry.course.applied = of;
      this.evidence.applied(entry.key, appliedPoint(entry, now));
      if ((of.taken?.length ?? 0) > (entry.course.takenTold?.length ?? 0)) this.#rooms.supervisor.watch(entry.key);
    }
    if (commands.length === 0) return undefined;
    const batch: CommandBatch = {
      batchId: uuidv7(this.#clock),
      siteId: this.siteId,
      ...(led.length === 1 && led[0] ? { fsrId: led[0].service.fsr.fsrId } : {}),
      at: iso(now),
      commands: [...commands],
    };
    this.#recorded = this.evidence.commanded(batch);
    failPoint('batch.made');
    return batch;
  }

  recorded(): Promise<void> {
    return this.#recorded;
  }

  async setLimit(limit: SetLimit): Promise<void> {
    const nodes = ['poc', ...(this.#file.circuits ?? []).map((c) => c.circuitId)];
    if (!nodes.includes(limit.nodeId) && !this.#rooms.twin.get(limit.nodeId)) {
      throw HUB_ERRORS.fail('limit.unknownNode', `${this.siteId} has no ${limit.nodeId}.`, { path: '/nodeId' });
    }
    await this.#rooms.limitDesk.set(limit);
  }

  safeImportW(resourceId: string): number {
    return this.#rooms.envelope.safeImportW(resourceId);
  }

  snapshot(): FleetSnapshot {
    return siteSnapshot({
      siteId: this.siteId,
      file: this.#file,
      clock: this.#clock,
      twin: this.#rooms.twin,
      limits: this.#rooms.limits,
      meters: this.#rooms.meters,
      clocks: this.#rooms.clocks,
      actuation: this.#rooms.actuation,
      services: this.#rooms.book.all(),
    });
  }

  pendingStations(): readonly PendingStation[] {
    return this.stations.pending();
  }

  plot(): readonly PlotPoint[] {
    return [...this.#plot];
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#tick.cancel();
    this.#rooms.telemetry.close();
    this.#rooms.publication.close();
    await this.evidence.close();
    await this.#rooms.ledger.close();
    this.#rooms.supervisor.close();
    this.#rooms.optDesk.close();
    this.#rooms.congestion.close();
    this.#rooms.envelope.close();
    this.#rooms.changes.close();
    this.#emitter.clear();
  }

  /** Somebody chose at a station. */
  #pressed({ payload }: WireMessage): undefined {
    this.#rooms.optDesk
      .choose(payload, 'station')
      .catch((e: unknown) => this.#log.error('site.opt', { ...describeError(e) }));
  }

  #takeOver(file: SiteFile): void {
    this.#file = file;
    this.stations.configure(file);
    this.#rooms.book.configure(file);
    this.#rooms.twin.configure(resourcesOf(file, this.stations.accepted()));
    this.#rooms.orders.configure();
    this.#rooms.meters.configure();
    this.#rooms.actuation.configure();
    this.#rooms.envelope.renew();
  }

  #tellCondition(): void {
    const problem = this.#rooms.meters.problem() ?? this.#rooms.clocks.problem();
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#emitter.emit('condition', { ok: problem === undefined, text: problem ?? `${this.siteId} · open` });
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
    this.#rooms.limitDesk.tick();
    if (this.#rooms.meters.tick()) {
      this.#rooms.envelope.refresh();
      this.#rooms.changes.cause('meter');
    }
    this.#rooms.congestion.look();
    this.#rooms.optDesk.tick();
    this.#rooms.supervisor.tick();
    if (this.#rooms.useDesk.tick()) this.#rooms.changes.cause('contract');
    this.#rooms.desk.tidy();
    this.evidence.tick();
    this.#rooms.publication.tick();
    this.#tellCondition();
    const now = this.#clock.now();
    if (this.#rooms.orders.tick(now)) {
      this.#rooms.envelope.touch();
      this.#rooms.changes.cause('expiry');
    } else if (this.#rooms.actuation.again) this.#rooms.changes.cause('continue');
    else if (this.#rooms.actuation.isDue()) this.#rooms.changes.cause('renewal');
    else if (this.#rooms.book.leading(now)) this.#rooms.changes.cause('second');
    const point = this.#point(now);
    this.#plot.push(point);
    this.#emitter.emit('plot', point);
  }

  #point(now: number): PlotPoint {
    const { importLimitW, exportLimitW } = this.#rooms.limits.effective('poc', this.#file.poc);
    const requestedW = requestedOf(this.#rooms.book.all(), now);
    return {
      at: now,
      ...(requestedW === undefined ? {} : { requestedW }),
      grantedW: this.#rooms.actuation.grantedW(),
      measuredW: groupSample(this.#rooms.twin, now).powerW ?? 0,
      importLimitW,
      exportLimitW,
    };
  }
}
