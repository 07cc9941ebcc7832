import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, parseTime } from '../../core/clock.ts';
import {
  type ActivateService,
  type AmendService,
  type CancelService,
  type RequestService,
  type ResultBody,
  SERVICE_ERRORS,
  type ServicePhase,
  type ServiceTarget,
  type Setpoint,
  type SiteFile,
  type UpdateSetpoint,
} from '../../model/index.ts';
import { activate } from './activate.ts';
import { amend, clippedTarget } from './amend.ts';
import { initial, readied } from './begin.ts';
import { contractOf } from './checks.ts';
import { afterAsking, afterConfirming, optedOut, unconfirmed } from './decide.ts';
import { isRunning, nextState, type ServiceEvent } from './machine.ts';
import { NOTICE_LIFE_MS, type NoticeExtra, withNotice, withoutNotices } from './notices.ts';
import { compareServices, holdsCapacity } from './order.ts';
import { type Capacity, decideRequest, type RequestContext, repeated } from './request.ts';
import { refused } from './results.ts';
import { type Applied, absoluteW, type Course, type Service, type ServiceEntry, serviceKey } from './service.ts';
import { arrived, inForceOf, isEffective, setpointError, targetOf } from './setpoint.ts';
import { fallbackW } from './target.ts';
import { activationsUsed, ContractUse } from './usage.ts';

const MAX_SERVICES = 2_000;
/** Ended services stay visible this long after their window, then only the store has them. */
const KEEP_ENDED_MS = 600_000;

/** What a request comes to. The record or setpoint counts only when it is stored and then committed. */
export interface Decided {
  /** Of an accepted setpoint it is worked out when it is first read; see {@link ServiceBook.setpoint}. */
  readonly result: ResultBody;
  readonly service?: Service;
  readonly setpoint?: Setpoint;
  readonly target?: ServiceTarget;
}

/**
 * All flexibility services of a site with the moves of fo 6.2. It does no I/O and changes no record by itself: it says
 * what a record would become; who has stored that calls {@link ServiceBook.commit}. Times are epoch ms.
 */
export class ServiceBook {
  readonly #clock: Clock;
  readonly #capacity: Capacity;
  readonly #use: ContractUse;
  readonly #entries = new BoundedMap<string, ServiceEntry>({
    name: 'hub.services',
    max: MAX_SERVICES,
    overflow: 'refuse',
  });
  #file: SiteFile;

  constructor(o: { file: SiteFile; clock: Clock; capacity: Capacity; use?: ContractUse }) {
    this.#file = o.file;
    this.#clock = o.clock;
    this.#capacity = o.capacity;
    this.#use = o.use ?? new ContractUse();
  }

  configure(file: SiteFile): void {
    this.#file = file;
  }

  /** Takes back a record and its newest setpoint from before a restart; what is still valid is in force again (fo 6.2). */
  restore(service: Service, setpoint?: Setpoint): void {
    const now = this.#clock.now();
    const entry = this.commit(service);
    if (!entry) return;
    const { course } = entry;
    if (setpoint) course.setpoint = setpoint;
    if (service.fallback) course.fallback = service.fallback;
    if (service.state !== 'active') return;
    const first = initial(service);
    if (setpoint && isEffective(setpoint, now)) course.inForce = inForceOf(setpoint);
    else if (first) course.inForce = first;
    if (course.inForce && course.inForce.validUntil > now) delete course.fallback;
  }

  get(key: string): ServiceEntry | undefined {
    return this.#entries.get(key);
  }

  all(): ServiceEntry[] {
    return [...this.#entries.values()];
  }

  running(): ServiceEntry[] {
    return this.all().filter((e) => isRunning(e.service.state));
  }

  /** Those that run, or wait for a word. */
  live(): ServiceEntry[] {
    return this.all().filter((e) => holdsCapacity(e.service));
  }

  /** The services that act on the stations at `now` in the order of fo 6.3, then those that are on their way out. */
  led(now: number): ServiceEntry[] {
    const active: ServiceEntry[] = [];
    const leaving: ServiceEntry[] = [];
    for (const entry of this.#entries.values()) {
      const { service, course } = entry;
      if (course.tail && course.tail.until > now) leaving.push(entry);
      else if (service.state === 'active' && parseTime(service.fsr.window.end) > now) active.push(entry);
    }
    const order = (a: ServiceEntry, b: ServiceEntry): number => compareServices(a.service, b.service);
    return [...active.sort(order), ...leaving.sort(order)];
  }

  /** The first of those. */
  leading(now: number): ServiceEntry | undefined {
    return this.led(now)[0];
  }

  /** The active service with this id; FOs may use the same, then the FO decides. */
  activeOf(fsrId: string, foId?: string): ServiceEntry | undefined {
    const found = this.all().filter(
      ({ service: s }) => s.fsr.fsrId === fsrId && s.state === 'active' && (foId ?? s.foId) === s.foId,
    );
    return found.length === 1 ? found[0] : undefined;
  }

  /** `RequestService`. `earlier`: the same id in the store from before it was forgotten here. */
  request(body: RequestService, foId: string, earlier?: Service): Decided {
    const known = this.#entries.get(serviceKey(foId, body.fsr.fsrId))?.service ?? earlier;
    if (known) return { result: repeated(known, body.fsr) };
    if (this.#entries.size >= MAX_SERVICES) {
      const what = 'This site holds as many services as it can.';
      return { result: refused(SERVICE_ERRORS.fail('conflict.overlap', what)) };
    }
    return decideRequest(body, this.#context(foId));
  }

  /** `AmendService`. */
  amend(body: AmendService, foId: string): Decided {
    const entry = this.#entries.get(serviceKey(foId, body.fsrId));
    return entry ? amend(entry.service, body, this.#context(foId)) : { result: refused(unknown(body.fsrId)) };
  }

  /** `ActivateService`. */
  activate(body: ActivateService, foId: string): Decided {
    const entry = this.#entries.get(serviceKey(foId, body.fsrId));
    if (!entry) return { result: refused(unknown(body.fsrId)) };
    const isNew = body.action === 'activate';
    const over = isNew ? activationsUsed(entry.service, this.#file, this.#use, this.#clock.now()) : undefined;
    return over ? { result: refused(over) } : activate(entry.service, body, this.#clock);
  }

  /** The record after a word that was waited for has come, or its time is over; undefined while it waits (fo 4.2). */
  answered(service: Service): Service | undefined {
    const { pending, foId, fsr } = service;
    if (!pending) return undefined;
    const now = this.#clock.now();
    if (parseTime(fsr.window.end) <= now) return unconfirmed(service, this.#clock, 'time.past');
    const contract = contractOf(fsr.contractId, foId, this.#file);
    const o = { clock: this.#clock, capacity: this.#capacity };
    if (pending.why === 'opt' && service.members.every((m) => this.#capacity.isOut(m)))
      return optedOut(service, this.#clock);
    if (pending.until > now) return undefined;
    return pending.why === 'opt' ? afterAsking(service, contract, o) : afterConfirming(service, contract, this.#clock);
  }

  /**
   * `UpdateSetpoint`: only the highest `seq` counts, inside what was asked for, not after its end (fo 3.7, fo 4.2). What
   * is answered takes a plan to know: who reads it after the run that followed the setpoint gets what that run has made
   * of it, who reads it before gets what would become of it now.
   */
  setpoint({ setpoint }: UpdateSetpoint, foId: string): Decided {
    const now = this.#clock.now();
    const entry = this.#entries.get(serviceKey(foId, setpoint.fsrId));
    const error = setpointError(entry?.service, setpoint, entry?.course.setpoint, now);
    if (error || !entry) return { result: refused(error ?? unknown(setpoint.fsrId)) };
    const startsNow = entry.service.state === 'active' && isEffective(setpoint, now);
    const before = entry.course.applied;
    let result: ResultBody | undefined;
    const answer = (): ResultBody => this.#promise(this.#entries.get(entry.key) ?? entry, setpoint, before);
    return {
      get result() {
        result ??= answer();
        return result;
      },
      setpoint,
      ...(startsNow ? { target: targetOf(setpoint, foId) } : {}),
    };
  }

  /** What the FO is told that an accepted setpoint becomes; it is held to that. `before`: what was applied without it. */
  #promise({ service, course }: ServiceEntry, { seq, targetW }: Setpoint, before: Applied | undefined): ResultBody {
    const done = course.inForce?.seq === seq && course.applied !== before;
    const { appliedW, limitedBy, cause } = this.#capacity.preview(service, targetW, done);
    if (seq >= (course.promise?.seq ?? seq))
      course.promise = { seq, targetW: absoluteW(service, appliedW, this.#clock.now()) };
    const clipped = { ...(limitedBy === undefined ? {} : { limitedBy }), ...(cause === undefined ? {} : { cause }) };
    return {
      status: 'ok',
      ...(limitedBy === undefined ? {} : { code: 'limit.clipped' }),
      state: service.state,
      data: { appliedW, ...clipped },
    };
  }

  /**
   * `CancelService` from the FO: ends the service at `at`, or now when that has passed (fo 6.2). `telling` adds what the FO
   * is told where it comes from the gateway.
   */
  cancel({ fsrId, reason, at, rampS }: CancelService, foId: string, telling = (s: Service): Service => s): Decided {
    const now = this.#clock.now();
    const entry = this.#entries.get(serviceKey(foId, fsrId));
    if (!entry) return { result: refused(unknown(fsrId)) };
    const { service } = entry;
    if (service.pending) {
      const next = unconfirmed(telling(service), this.#clock, reason.slice(0, 128));
      return { result: { status: 'ok', state: next.state }, service: next };
    }
    if (!nextState(service.state, 'cancel')) {
      return { result: refused(SERVICE_ERRORS.fail('state.invalid', `The service is ${service.state} already.`)) };
    }
    const cancel = { at: parseTime(at), reason, ...(rampS === undefined ? {} : { rampS }) };
    const planned = telling({ ...service, cancel });
    const next =
      cancel.at > now ? planned : (this.moved(planned, 'cancel', { cause: reason.slice(0, 128) }) ?? planned);
    return { result: { status: 'ok', state: next.state }, service: next };
  }

  /** A target reached `allocate`: from now on it is in force. False when it is for nobody, or lapsed, or older. */
  inForce(target: ServiceTarget): ServiceEntry | undefined {
    const entry = this.activeOf(target.fsrId, target.foId);
    const inForce = entry && arrived(entry.service, target, entry.course.inForce, this.#clock.now());
    if (!entry || !inForce) return undefined;
    entry.course.inForce = inForce;
    delete entry.course.fallback;
    return entry;
  }

  /** The record after a move, with its notice; undefined where fo 6.2 knows no such move. */
  moved(service: Service, event: ServiceEvent, extra: NoticeExtra = {}): Service | undefined {
    const state = nextState(service.state, event);
    if (!state) return undefined;
    const over = state === 'active' || isRunning(state) ? {} : { endedAt: this.#clock.now() };
    const next: Service = { ...service, state, ...over };
    return isPhase(state) ? withNotice(next, this.#clock, state, extra) : next;
  }

  /** The record after the window has begun. */
  begun(service: Service, setpoint: Setpoint | undefined): Service | undefined {
    const now = this.#clock.now();
    const ready = readied(service, { clock: this.#clock, capacity: this.#capacity, file: this.#file });
    const first = setpoint && isEffective(setpoint, now) ? inForceOf(setpoint) : initial(ready);
    return this.moved(ready, 'begin', first === undefined ? {} : { powerW: absoluteW(ready, first.targetW, now) });
  }

  /** Puts a stored record in force. Undefined when there is no room for another one. */
  commit(service: Service): ServiceEntry | undefined {
    const key = serviceKey(service.foId, service.fsr.fsrId);
    const known = this.#entries.get(key);
    const course: Course = known?.course ?? { lost: [] };
    const entry: ServiceEntry = { key, service, course };
    if (!this.#entries.set(key, entry)) return undefined;
    if (known) this.#turn(known.service, entry);
    return entry;
  }

  #context(foId: string): RequestContext {
    const others = this.all().map((e) => e.service);
    return { foId, file: this.#file, clock: this.#clock, capacity: this.#capacity, use: this.#use, others };
  }

  /** Puts a stored setpoint in force as the newest. */
  commitSetpoint(setpoint: Setpoint, foId: string): void {
    const course = this.#entries.get(serviceKey(foId, setpoint.fsrId))?.course;
    if (course) course.setpoint = setpoint;
  }

  /** The service with this notice still to tell. */
  owing(noticeId: string): ServiceEntry | undefined {
    for (const entry of this.#entries.values()) {
      if (entry.service.outgoing.some((n) => n.id === noticeId)) return entry;
    }
    return undefined;
  }

  /** Ended services that have nothing left to tell and may be forgotten here. */
  over(): ServiceEntry[] {
    const now = this.#clock.now();
    return this.all().filter(
      ({ service: s }) =>
        !holdsCapacity(s) && s.outgoing.length === 0 && parseTime(s.fsr.window.end) + KEEP_ENDED_MS < now,
    );
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }

  /** The record without notices that nobody took for a day; undefined when there are none. */
  withoutOldNotices(service: Service): Service | undefined {
    const oldest = this.#clock.now() - NOTICE_LIFE_MS;
    const next = withoutNotices(service, (n) => n.at < oldest);
    return next.outgoing.length < service.outgoing.length ? next : undefined;
  }

  /** What a move of the record means for what runs. */
  #turn(before: Service, { service, course }: ServiceEntry): void {
    if (before.fsr.revision !== service.fsr.revision && course.inForce)
      course.inForce = { ...course.inForce, targetW: clippedTarget(service, course.inForce.targetW) };
    if (before.state === service.state) return;
    const now = this.#clock.now();
    if (service.state === 'active') {
      const first =
        course.setpoint && isEffective(course.setpoint, now) ? inForceOf(course.setpoint) : initial(service);
      if (first) course.inForce = first;
    } else if (service.state === 'aborted' && before.state === 'active') {
      const rampMs = (service.cancel?.rampS ?? service.fsr.fallback.rampS ?? 0) * 1000;
      const toW = fallbackW(service, now);
      const fromW = course.applied?.targetW;
      if (toW !== undefined && fromW !== undefined && rampMs > 0)
        course.tail = { since: now, until: now + rampMs, fromW, toW };
    }
  }
}

function isPhase(state: string): state is ServicePhase {
  return ['scheduled', 'active', 'completed', 'aborted', 'failed'].includes(state);
}

const unknown = (fsrId: string) =>
  SERVICE_ERRORS.fail('id.unknown', `There is no service ${fsrId}.`, { path: '/fsrId' });
