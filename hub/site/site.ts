import { type Clock, every, type TimerHandle } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Metrics } from '../../core/metrics.ts';
import type {
  AllocationRequest,
  CommandBatch,
  CommandOutcome,
  FleetSnapshot,
  OptChoice,
  PendingStation,
  ResultBody,
  SetLimit,
  SiteFile,
  StationCapabilities,
  StationOrder,
  StationOrderOutcome,
  WireMessage,
} from '../../model/index.ts';
import { HUB_ERRORS } from '../errors.ts';
import type { EventNote, Evidence } from '../evidence/types.ts';
import type { ActuatingLink, ReplyLink, Signer, StorePort, TracePort } from '../ports.ts';
import type { WithdrawReason } from '../services/notices.ts';
import { failed } from '../services/results.ts';
import { SiteTrace } from '../trace/site-trace.ts';
import { Allocator } from './allocator.ts';
import { answering } from './answering.ts';
import { decideFor } from './decisions.ts';
import { SiteEmitter } from './emitter.ts';
import { siteSnapshot } from './group.ts';
import { GroupPlots } from './group-plots.ts';
import { Heartbeat } from './heartbeat.ts';
import { closeRooms, configureRooms, partyDown, partyUp, restoreRooms } from './life.ts';
import { orderStation } from './order-station.ts';
import { makeRooms, type Rooms } from './rooms.ts';
import { SiteLinks } from './site-links.ts';
import type { StationDirectory } from './stations.ts';
import type { Decision, Detach, OutcomeMessage, PlotPoint, Site, SiteEvents } from './types.ts';
import { WarningBook, type WarningNote } from './warnings.ts';

export interface SiteOptions {
  readonly file: SiteFile;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly store: StorePort;
  readonly trace?: TracePort;
  /** Signs records and proofs; without it they stay unsigned (tests). */
  readonly signer?: Signer;
  /** 0 ≤ x < 1, the same for the same words; default by the words alone. */
  readonly random?: (seed: string) => number;
}

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
  readonly #links: SiteLinks;
  readonly #trace: SiteTrace;
  readonly #warnings: WarningBook;
  readonly #groups: GroupPlots;
  readonly #allocator: Allocator;
  readonly #heartbeat: Heartbeat;
  readonly #tick: TimerHandle;
  #file: SiteFile;
  #closing: Promise<void> | undefined;

  constructor(o: SiteOptions) {
    this.siteId = o.file.siteId;
    this.#file = o.file;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#emitter = new SiteEmitter(o.log);
    this.#trace = new SiteTrace(o.trace);
    this.#links = new SiteLinks(o.log);
    this.#warnings = new WarningBook(o.clock);
    this.#rooms = makeRooms({
      ...o,
      file: () => this.#file,
      emit: (event, payload) => this.#emit(event, payload),
      push: (update) => {
        this.#trace.envelope(update);
        this.#links.push(update);
      },
      accepted: () => this.#takeOver(this.#file),
      warn: (note) => this.#warnings.take(note),
    });
    this.#groups = new GroupPlots({
      file: () => this.#file,
      twin: this.#rooms.twin,
      services: () => this.#rooms.book.all(),
      grantedOf: (id) => this.#rooms.actuation.grantedOf(id),
      atPoc: () => this.#rooms.limits.effective('poc', this.#file.poc),
    });
    const { siteId } = this;
    this.#allocator = new Allocator({ siteId, clock: o.clock, log: o.log, rooms: this.#rooms, trace: this.#trace });
    this.#heartbeat = new Heartbeat({
      clock: o.clock,
      rooms: this.#rooms,
      file: () => this.#file,
      groups: this.#groups,
      warnings: this.#warnings,
      emit: (event, payload) => this.#emitter.emit(event, payload),
    });
    this.stations = this.#rooms.stations;
    this.evidence = this.#rooms.evidence;
    this.#takeOver(o.file);
    this.#tick = every(
      o.clock,
      TICK_MS,
      () => this.#heartbeat.tick(),
      (e) => o.log.error('site.tick', { ...describeError(e) }),
    );
  }

  file(): SiteFile {
    return this.#file;
  }

  /** Brings back stations, limits and services; unexpired ones are resumed, expired ones find their fallback (fo 6.2). */
  async restore(): Promise<void> {
    await restoreRooms(this.#rooms, this.#clock, () => this.#takeOver(this.#file));
    this.ready = true;
    const running = this.#rooms.book.running().length;
    if (running > 0) this.#log.info('site.resumed', { services: running });
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
    const detach = this.#links.add(link);
    this.#rooms.envelope.refresh();
    link.applyEnvelope(this.#rooms.envelope.current());
    return detach;
  }

  attachReplies(link: ReplyLink): Detach {
    return this.#links.addReplies(link);
  }

  on<E extends keyof SiteEvents>(event: E, listener: (payload: SiteEvents[E]) => void): Detach {
    return this.#emitter.on(event, listener);
  }

  observe(message: WireMessage, checked?: 'checked'): void {
    if (this.#closing) return;
    try {
      this.#trace.observed(message);
      const reason =
        message.topic === 'hub/OptChoice' ? this.#pressed(message) : this.#rooms.observer.take(message, checked);
      if (message.topic === 'hub/CommandOutcome') this.#rooms.supervisor.outcome(message.payload as CommandOutcome);
      else if (reason === 'session' || reason === 'station') this.#rooms.optDesk.refresh();
      this.#emitter.emit('observed', message);
      if (reason !== undefined) this.#rooms.changes.cause(reason);
    } catch (e) {
      this.#log.error('site.observation', { topic: message.topic, ...describeError(e) });
    }
  }

  outcomes(messages: readonly OutcomeMessage[]): void {
    if (this.#closing) return;
    try {
      for (const message of messages) this.#trace.observed(message);
      const reasons = this.#rooms.observer.outcomes(messages);
      for (const message of messages) {
        this.#rooms.supervisor.outcome(message.payload);
        this.#emitter.emit('observed', message);
      }
      for (const reason of reasons) this.#rooms.changes.cause(reason);
    } catch (e) {
      this.#log.error('site.observation', { topic: 'hub/CommandOutcome', ...describeError(e) });
    }
  }

  isCounted(outcome: CommandOutcome): boolean {
    return this.#rooms.orders.isCounted(outcome);
  }

  async decide(message: WireMessage): Promise<Decision> {
    if (!this.ready || this.#closing) return { result: failed(HUB_ERRORS.fail('site.starting')) };
    const failing = (e: unknown): ResultBody => {
      const result = failed(e);
      if (result.code?.startsWith('internal.') === true)
        this.#log.error('site.decide', { topic: message.topic, ...describeError(e) });
      return result;
    };
    const answered = (result: ResultBody): void => this.#trace.answered(message, result);
    try {
      const decision = await decideFor(this.#rooms, message, message.v2gate.peer ?? '');
      if (decision.target) this.#trace.target(message, decision.target);
      // What was accepted may begin at once; a setpoint changes nothing but a moment to wake up at.
      if (message.topic === 'hub/UpdateSetpoint') this.#rooms.supervisor.arm();
      else this.#rooms.supervisor.tick();
      return answering(decision, { failed: failing, answered });
    } catch (e) {
      return answering({ result: failing(e) }, { failed: failing, answered });
    }
  }

  reply(replyTo: string, result: ResultBody): boolean {
    return this.#links.reply(replyTo, result);
  }

  delivered(noticeId: string): void {
    if (this.#closing || this.evidence.delivered(noticeId) || this.#rooms.publication.delivered(noticeId)) return;
    this.#rooms.desk.delivered(noticeId);
  }

  tellAgain(): void {
    if (this.#closing) return;
    this.#rooms.desk.tellAgain();
    this.evidence.tellAgain();
    this.#rooms.publication.tellAgain();
  }

  partyUp(foId: string, { clockOffsetMs }: { readonly clockOffsetMs?: number }): void {
    if (!this.#closing) partyUp(this.#rooms, foId, clockOffsetMs);
  }

  partyDown(foId: string, reason: string): void {
    if (!this.#closing) partyDown(this.#rooms, foId, reason);
  }

  async opt(choice: OptChoice, by: string): Promise<ResultBody> {
    if (!this.ready || this.#closing) return failed(HUB_ERRORS.fail('site.starting'));
    try {
      this.#trace.opted(choice, by);
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

  hasPriority(resourceId: string, sessionId?: string): boolean {
    return this.#rooms.optDesk.stands(resourceId, sessionId);
  }

  capabilities(resourceId: string): StationCapabilities | undefined {
    return this.#rooms.twin.get(resourceId)?.capabilities;
  }

  claimAllocator(holder: string): Detach {
    return this.#allocator.claim(holder);
  }

  allocate(request: AllocationRequest): CommandBatch | undefined {
    return this.#closing ? undefined : this.#allocator.run(request);
  }

  recorded(): Promise<void> {
    return this.#allocator.recorded;
  }

  kept(): Promise<void> | undefined {
    return this.#rooms.needs.kept();
  }

  async setLimit(limit: SetLimit): Promise<void> {
    const nodes = ['poc', ...(this.#file.circuits ?? []).map((c) => c.circuitId)];
    if (!nodes.includes(limit.nodeId) && !this.#rooms.twin.get(limit.nodeId)) {
      throw HUB_ERRORS.fail('limit.unknownNode', `${this.siteId} has no ${limit.nodeId}.`, { path: '/nodeId' });
    }
    await this.#trace.limit(limit, this.siteId, () => this.#rooms.limitDesk.set(limit));
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
      warnings: this.#warnings.list((id) => this.#rooms.twin.get(id) !== undefined),
    });
  }

  pendingStations(): readonly PendingStation[] {
    return this.stations.pending();
  }

  plot(groupId?: string): readonly PlotPoint[] {
    return groupId === undefined ? this.#heartbeat.plot() : this.#groups.points(groupId);
  }

  groups(): readonly string[] {
    return this.#groups.groups();
  }

  order(order: StationOrder, by: string): Promise<StationOrderOutcome> {
    const note = (event: EventNote): void => (this.#closing ? undefined : this.evidence.note(event));
    return orderStation({ clock: this.#clock, links: this.#links.all(), note, trace: this.#trace.port }, order, by);
  }

  warn(note: WarningNote): void {
    this.#warnings.take(note);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#tick.cancel();
    this.#allocator.flush();
    await closeRooms(this.#rooms);
    this.#emitter.clear();
  }

  #emit<E extends keyof SiteEvents>(event: E, payload: SiteEvents[E]): void {
    if (event === 'notice') this.#trace.notice(payload as SiteEvents['notice']);
    this.#emitter.emit(event, payload);
  }

  /** Somebody chose at a station. */
  #pressed({ payload }: WireMessage): undefined {
    this.#rooms.optDesk
      .choose(payload, 'station')
      .catch((e: unknown) => this.#log.error('site.opt', { ...describeError(e) }));
  }

  #takeOver(file: SiteFile): void {
    this.#file = file;
    configureRooms(this.#rooms, file);
  }
}
