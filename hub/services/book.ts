import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, parseTime } from '../../core/clock.ts';
import {
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
import { isRunning, nextState, type ServiceEvent } from './machine.ts';
import { NOTICE_LIFE_MS, type NoticeExtra, withNotice, withoutNotices } from './notices.ts';
import { type Capacity, decideRequest, repeated } from './request.ts';
import { refused } from './results.ts';
import {
  absoluteW,
  type Course,
  type Service,
  type ServiceEntry,
  serviceKey,
  setpointParameters,
  validityMs,
} from './service.ts';
import { arrived, inForceOf, isEffective, setpointError, targetOf } from './setpoint.ts';
import { fallbackW } from './target.ts';

const MAX_SERVICES = 2_000;
/** Ended services stay visible this long after their window, then only the store has them. */
const KEEP_ENDED_MS = 600_000;

/** What a request comes to. The record or setpoint counts only when it is stored and then committed. */
export interface Decided {
  readonly result: ResultBody;
  readonly service?: Service;
  readonly setpoint?: Setpoint;
  /** What the FO is told that the setpoint becomes, W. */
  readonly promisedW?: number;
  readonly target?: ServiceTarget;
}

/**
 * All flexibility services of a site with the moves of fo 6.2. It does no I/O and changes no record by itself: it says
 * what a record would become; who has stored that calls {@link ServiceBook.commit}. Times are epoch ms.
 */
export class ServiceBook {
  readonly #clock: Clock;
  readonly #capacity: Capacity;
  readonly #entries = new BoundedMap<string, ServiceEntry>({
    name: 'hub.services',
    max: MAX_SERVICES,
    overflow: 'refuse',
  });
  #file: SiteFile;

  constructor(o: { file: SiteFile; clock: Clock; capacity: Capacity }) {
    this.#file = o.file;
    this.#clock = o.clock;
    this.#capacity = o.capacity;
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

  /** The service that leads the stations at `now` (fo 6.3), or one that is on its way out. */
  leading(now: number): ServiceEntry | undefined {
    let best: ServiceEntry | undefined;
    let leaving: ServiceEntry | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.course.tail && entry.course.tail.until > now) leaving = entry;
      if (entry.service.state !== 'active' || parseTime(entry.service.fsr.window.end) <= now) continue;
      if (!best || isAbove(entry.service, best.service)) best = entry;
    }
    return best ?? leaving;
  }

  /** The active service with this id; FOs may use the same. */
  activeOf(fsrId: string, foId?: string): ServiceEntry | undefined {
    for (const entry of this.#entries.values()) {
      const { service } = entry;
      if (service.fsr.fsrId === fsrId && service.state === 'active' && (foId ?? service.foId) === service.foId)
        return entry;
    }
    return undefined;
  }

  /** `RequestService`. `earlier`: the same id in the store from before it was forgotten here. */
  request(body: RequestService, foId: string, earlier?: Service): Decided {
    const known = this.#entries.get(serviceKey(foId, body.fsr.fsrId))?.service ?? earlier;
    if (known) return { result: repeated(known, body.fsr) };
    if (this.#entries.size >= MAX_SERVICES) {
      const what = 'This site holds as many services as it can.';
      return { result: refused(SERVICE_ERRORS.fail('conflict.overlap', what)) };
    }
    const others = this.all().map((e) => e.service);
    return decideRequest(body, { foId, file: this.#file, clock: this.#clock, capacity: this.#capacity, others });
  }

  /** `UpdateSetpoint`: only the highest `seq` counts, inside what was asked for, not after its end (fo 3.7, fo 4.2). */
  setpoint({ setpoint }: UpdateSetpoint, foId: string): Decided {
    const now = this.#clock.now();
    const entry = this.#entries.get(serviceKey(foId, setpoint.fsrId));
    const error = setpointError(entry?.service, setpoint, entry?.course.setpoint, now);
    if (error || !entry) return { result: refused(error ?? unknown(setpoint.fsrId)) };
    const { service } = entry;
    const { appliedW, limitedBy } = this.#capacity.preview(service, setpoint.targetW);
    const clipped = limitedBy === undefined ? {} : { limitedBy };
    const result: ResultBody = {
      status: 'ok',
      ...(limitedBy === undefined ? {} : { code: 'limit.clipped' }),
      state: service.state,
      data: { appliedW, ...clipped },
    };
    const startsNow = service.state === 'active' && isEffective(setpoint, now);
    const promisedW = absoluteW(service, appliedW);
    return { result, setpoint, promisedW, ...(startsNow ? { target: targetOf(setpoint) } : {}) };
  }

  /** `CancelService` from the FO: ends the service at `at`, or now when that has passed (fo 6.2). */
  cancel({ fsrId, reason, at, rampS }: CancelService, foId: string): Decided {
    const now = this.#clock.now();
    const entry = this.#entries.get(serviceKey(foId, fsrId));
    if (!entry) return { result: refused(unknown(fsrId)) };
    const { service } = entry;
    if (!nextState(service.state, 'cancel')) {
      return { result: refused(SERVICE_ERRORS.fail('state.invalid', `The service is ${service.state} already.`)) };
    }
    const cancel = { at: parseTime(at), reason, ...(rampS === undefined ? {} : { rampS }) };
    const planned: Service = { ...service, cancel };
    const next =
      cancel.at > now ? planned : (this.moved(planned, 'cancel', { cause: reason.slice(0, 128) }) ?? planned);
    return { result: { status: 'ok', state: next.state }, service: next };
  }

  /** A target reached `allocate`: from now on it is in force. False when it is for nobody, or lapsed, or older. */
  inForce(target: ServiceTarget): ServiceEntry | undefined {
    const entry = this.activeOf(target.fsrId);
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
    const next: Service = { ...service, state };
    return isPhase(state) ? withNotice(next, this.#clock, state, extra) : next;
  }

  /** The record after the window has begun, or its first target. */
  begun(service: Service, setpoint: Setpoint | undefined): Service | undefined {
    const now = this.#clock.now();
    const p = setpointParameters(service.fsr);
    const initialUntil = p?.initialW === undefined ? undefined : now + validityMs(p);
    const ready: Service = { ...service, ...(initialUntil === undefined ? {} : { initialUntil }) };
    const first = setpoint && isEffective(setpoint, now) ? inForceOf(setpoint) : initial(ready);
    return this.moved(ready, 'begin', first === undefined ? {} : { powerW: absoluteW(ready, first.targetW) });
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

  /** Puts a stored setpoint in force as the newest. */
  commitSetpoint(setpoint: Setpoint, foId: string, promisedW?: number): void {
    const course = this.#entries.get(serviceKey(foId, setpoint.fsrId))?.course;
    if (!course) return;
    course.setpoint = setpoint;
    if (promisedW !== undefined) course.promise = { seq: setpoint.seq, targetW: promisedW };
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
        !isRunning(s.state) && s.outgoing.length === 0 && parseTime(s.fsr.window.end) + KEEP_ENDED_MS < now,
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
    if (before.state === service.state) return;
    const now = this.#clock.now();
    if (service.state === 'active') {
      const first =
        course.setpoint && isEffective(course.setpoint, now) ? inForceOf(course.setpoint) : initial(service);
      if (first) course.inForce = first;
    } else if (service.state === 'aborted' && before.state === 'active') {
      const rampMs = (service.cancel?.rampS ?? service.fsr.fallback.rampS ?? 0) * 1000;
      const toW = fallbackW(service);
      const fromW = course.applied?.targetW;
      if (toW !== undefined && fromW !== undefined && rampMs > 0)
        course.tail = { since: now, until: now + rampMs, fromW, toW };
    }
  }
}

/** fo 6.3: mandatory, priority, acceptance. */
function isAbove(a: Service, b: Service): boolean {
  const order =
    Number(b.fsr.mandatory) - Number(a.fsr.mandatory) ||
    a.fsr.priority - b.fsr.priority ||
    (a.acceptedAt ?? 0) - (b.acceptedAt ?? 0);
  return order < 0;
}

function initial({ fsr, initialUntil }: Service): Course['inForce'] {
  const initialW = setpointParameters(fsr)?.initialW;
  return initialW === undefined || initialUntil === undefined
    ? undefined
    : { targetW: initialW, validUntil: initialUntil };
}

function isPhase(state: string): state is ServicePhase {
  return ['scheduled', 'active', 'completed', 'aborted', 'failed'].includes(state);
}

const unknown = (fsrId: string) =>
  SERVICE_ERRORS.fail('id.unknown', `There is no service ${fsrId}.`, { path: '/fsrId' });
