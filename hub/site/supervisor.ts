import { type Clock, parseTime, type TimerHandle } from '../../core/clock.ts';
import type { SiteFile } from '../../model/index.ts';
import type { FleetTwin } from '../fleet/twin.ts';
import type { ServiceBook } from '../services/book.ts';
import { endedBy } from '../services/checks.ts';
import { type NoticeExtra, withNotice } from '../services/notices.ts';
import { scopeOf } from '../services/request.ts';
import { type Service, type ServiceEntry, setpointParameters } from '../services/service.ts';
import { inForceOf, isEffective } from '../services/setpoint.ts';
import { deviationOf, expectedW } from '../services/target.ts';
import type { ServiceDesk } from './desk.ts';
import { measuredOf } from './group.ts';

export interface SupervisorOptions {
  readonly clock: Clock;
  readonly book: ServiceBook;
  readonly desk: ServiceDesk;
  readonly twin: FleetTwin;
  readonly file: () => SiteFile;
  readonly changed: (reason: string) => void;
}

/** Deviations are told after this many intervals (fo 4.3 no. 18). */
const DEVIATION_INTERVALS = 2;
/** A service has failed when all members are out of reach this long (fo 6.2), or two intervals, but not less than 30 s. */
const LOST_MS = 300_000;
const LEAST_LOST_MS = 30_000;
/** After the start stations have this long to come back before they count as lost. */
const RETURN_MS = 60_000;
/** What ends or begins sooner than this gets a timer; the rest is seen by the next tick. */
const TICK_MS = 1_000;
/** Changes of one service in a row; each brings it further, so it never takes so many. */
const MAX_STEPS = 8;
const MAX_TOLD = 1_000;

type Next = { readonly service: Service; readonly stored?: (e: ServiceEntry) => void };

/**
 * Watches over running services: begin and end, expiry and fallback, deviation, lost and joined resources (fo 6.2,
 * fo 6.4). What stations are asked to do follows from time alone and is never held up by the store; what the FO is told
 * is the difference between what runs and what the record says was told.
 */
export class Supervisor {
  readonly #o: SupervisorOptions;
  #timer: TimerHandle | undefined;

  constructor(o: SupervisorOptions) {
    this.#o = o;
  }

  tick(): void {
    for (const entry of this.#o.book.running()) this.watch(entry.key);
    this.arm();
  }

  /** Looks at one service now: something about it has moved. */
  watch(key: string, steps = MAX_STEPS): void {
    const { book, desk } = this.#o;
    const entry = book.get(key);
    if (!entry || steps === 0) return;
    this.#control(entry);
    if (desk.busy(entry) || !this.#next(entry)) return;
    let stored: Next['stored'];
    desk.change(
      key,
      (now) => {
        const next = this.#next(now);
        stored = next?.stored;
        return next?.service;
      },
      (now) => {
        stored?.(now);
        this.#o.changed('service');
        this.watch(key, steps - 1);
      },
    );
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** What follows from time alone: a setpoint takes effect, a target expires. */
  #control({ service, course }: ServiceEntry): void {
    if (service.state !== 'active') return;
    const now = this.#o.clock.now();
    const s = course.setpoint;
    if (s?.effectiveAt !== undefined && s.seq > (course.inForce?.seq ?? -1) && isEffective(s, now)) {
      course.inForce = inForceOf(s);
      delete course.fallback;
      this.#o.changed('effective');
    }
    const force = course.inForce;
    if (course.fallback || (force && force.validUntil > now)) return;
    const began = Math.max(parseTime(service.fsr.window.start), service.acceptedAt ?? 0);
    if (!force && now < began + graceMs(service)) return;
    course.fallback = { since: force?.validUntil ?? now, fromW: course.applied?.targetW ?? 0 };
    this.#o.changed('expiry');
  }

  /** The next change of the record that is due, if any. */
  #next(entry: ServiceEntry): Next | undefined {
    const { service } = entry;
    const now = this.#o.clock.now();
    const { start, end } = service.fsr.window;
    if (parseTime(end) <= now) return this.#move(service, 'end');
    const why = endedBy(service, this.#o.file(), now);
    if (why !== undefined) return this.#move(service, 'cancel', { cause: why });
    if (service.cancel && service.cancel.at <= now)
      return this.#move(service, 'cancel', { cause: service.cancel.reason.slice(0, 128) });
    if (service.state !== 'active') {
      const begun = parseTime(start) <= now ? this.#o.book.begun(service, entry.course.setpoint) : undefined;
      return begun && { service: begun };
    }
    return this.#fallback(entry) ?? this.#lost(entry, now) ?? this.#deviation(entry, now);
  }

  #move(service: Service, event: 'end' | 'cancel' | 'lost', extra: NoticeExtra = {}): Next | undefined {
    const next = this.#o.book.moved(service, event, extra);
    return next && { service: next };
  }

  /** An expired setpoint leads to the fallback, the next valid one back (fo 6.4). */
  #fallback({ service, course }: ServiceEntry): Next | undefined {
    const { clock } = this.#o;
    if (course.fallback && !service.fallback) {
      const cause = course.inForce ? 'setpoint.expired' : 'setpoint.missing';
      return { service: withNotice({ ...service, fallback: course.fallback }, clock, 'fallback', { cause }) };
    }
    if (!course.fallback && service.fallback) {
      const { fallback: _, ...rest } = service;
      return { service: withNotice(rest, clock, 'resumed') };
    }
    return undefined;
  }

  /** Members that cannot be reached, told together; without any member the service has failed (fo 6.2). */
  #lost({ service, course }: ServiceEntry, now: number): Next | undefined {
    const known = new Set(course.lost); // bounded by: the members of one service
    const gone = service.members.filter((m) => this.#isLost(m, now));
    const still = new Set(gone); // bounded by: the members of one service
    const lost = gone.filter((m) => !known.has(m));
    const back = course.lost.filter((m) => !still.has(m));
    const told = (phase: 'resourceLost' | 'resourceJoined', resources: readonly string[]): Next => ({
      service: withNotice(service, this.#o.clock, phase, { resources: resources.slice(0, MAX_TOLD) }),
      stored: (e) => {
        e.course.lost =
          phase === 'resourceLost'
            ? [...e.course.lost, ...resources]
            : e.course.lost.filter((m) => !resources.includes(m));
      },
    });
    if (lost.length > 0) return told('resourceLost', lost);
    if (back.length > 0) return told('resourceJoined', back);
    return this.#allLost(service, now) ? this.#move(service, 'lost', { cause: 'resources.lost' }) : undefined;
  }

  #isLost(member: string, now: number): boolean {
    const entry = this.#o.twin.get(member);
    if (!entry) return true;
    return !entry.online && (entry.seen || now - entry.offlineSince > RETURN_MS);
  }

  #allLost(service: Service, now: number): boolean {
    const intervalsMs = DEVIATION_INTERVALS * (setpointParameters(service.fsr)?.updateIntervalS ?? 60) * 1000;
    const mostMs = Math.min(LOST_MS, Math.max(LEAST_LOST_MS, intervalsMs));
    return service.members.every((m) => {
      const entry = this.#o.twin.get(m);
      if (!entry) return true;
      return !entry.online && now - entry.offlineSince > (entry.seen ? mostMs : LOST_MS);
    });
  }

  /** More than the tolerance for more than two intervals is told once, until it was back (fo 4.3 no. 18). */
  #deviation({ service, course }: ServiceEntry, now: number): Next | undefined {
    const p = setpointParameters(service.fsr);
    const { applied } = course;
    const measuredW = measuredOf(this.#o.twin, this.#o.file(), now, scopeOf(service));
    const expected = expectedW(service, course, now);
    if (!p || !applied || measuredW === undefined || expected === undefined) return undefined;
    const cause = deviationOf(service, applied, expected, measuredW);
    if (cause === undefined) {
      delete course.offSince;
      delete course.deviationTold;
      return undefined;
    }
    // Since a time in the future: the clock was set back.
    course.offSince = Math.min(course.offSince ?? now, now);
    if (course.deviationTold || now - course.offSince <= DEVIATION_INTERVALS * p.updateIntervalS * 1000)
      return undefined;
    const shortfallW = cause === 'needs.shortfall' ? applied.shortfallW : Math.abs(expected - measuredW);
    const extra: NoticeExtra = { powerW: measuredW, shortfallW, cause };
    return {
      service: withNotice(service, this.#o.clock, 'deviation', extra),
      stored: (e) => {
        e.course.deviationTold = true;
      },
    };
  }

  /** Sets a timer for what begins or ends before the next tick. */
  arm(): void {
    const { clock, book } = this.#o;
    const now = clock.now();
    let next = now + TICK_MS;
    for (const entry of book.running()) for (const t of moments(entry)) if (t > now && t < next) next = t;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (next < now + TICK_MS) this.#timer = clock.after(next - now, () => this.tick());
  }
}

/** The FO has two intervals for its first setpoint. */
const graceMs = (service: Service): number =>
  DEVIATION_INTERVALS * (setpointParameters(service.fsr)?.updateIntervalS ?? 0) * 1000;

/** When something about a service changes by itself. */
function moments({ service, course }: ServiceEntry): number[] {
  const times = [parseTime(service.fsr.window.start), parseTime(service.fsr.window.end)];
  if (service.cancel) times.push(service.cancel.at);
  if (course.inForce) times.push(course.inForce.validUntil);
  const { effectiveAt } = course.setpoint ?? {};
  if (effectiveAt !== undefined) times.push(parseTime(effectiveAt));
  return times;
}
