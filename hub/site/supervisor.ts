import { type Clock, parseTime, type TimerHandle } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { CommandOutcome } from '../../model/index.ts';
import type { EventNote } from '../evidence/types.ts';
import type { ServiceBook } from '../services/book.ts';
import { remaining, type ServiceEntry, setpointParameters } from '../services/service.ts';
import { inForceOf, isEffective } from '../services/setpoint.ts';
import type { ServiceDesk } from './desk.ts';
import { sampleMinute } from './deviations.ts';
import { type Move, type MoveSources, nextMove } from './moves.ts';
import { isNotReady, isOwn } from './standing.ts';

export interface SupervisorOptions extends MoveSources {
  readonly clock: Clock;
  readonly log: Log;
  readonly book: ServiceBook;
  readonly desk: ServiceDesk;
  readonly changed: (reason: string) => void;
  readonly note: (event: EventNote) => void;
}

/** A target that does not come over the wire is told after so many intervals; so long the FO has for its first one. */
const GRACE_INTERVALS = 2;
/** What ends or begins sooner than this gets a timer; the rest is seen by the next tick. */
const TICK_MS = 1_000;
/** Changes of one service in a row; each brings it further, so it never takes so many. */
const MAX_STEPS = 12;
/** A station that does not do what it is told, again after it was left alone, takes no further part (fo 6.4). */
const MAX_FAILURES = 2;
/** A link has tried every form (fo 6.4). */
const EXCLUDED = 'resource.excluded';

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
    for (const entry of this.#o.book.live()) this.watch(entry.key);
    this.arm();
  }

  /** Looks at one service now: something about it has moved. */
  watch(key: string, steps = MAX_STEPS): void {
    const { book, desk } = this.#o;
    const entry = book.get(key);
    if (!entry || steps === 0) return;
    this.#control(entry);
    if (desk.busy(entry) || !nextMove(this.#o, entry)) return;
    let stored: Move['stored'];
    desk.change(
      key,
      (now) => {
        const next = nextMove(this.#o, now);
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
  #control({ key, service, course }: ServiceEntry): void {
    if (service.state !== 'active') return;
    const now = this.#o.clock.now();
    sampleMinute(this.#o, { key, service, course });
    if (!setpointParameters(service.fsr)) return;
    this.#flow({ key, service, course }, now);
    const s = course.setpoint;
    if (s?.effectiveAt !== undefined && s.seq > (course.inForce?.seq ?? -1) && isEffective(s, now)) {
      course.inForce = inForceOf(s);
      delete course.fallback;
      this.#o.changed('effective');
    }
    const force = course.inForce;
    if (course.fallback || (force && force.validUntil > now)) return;
    const began = Math.max(parseTime(service.fsr.window.start), service.acceptedAt ?? 0);
    if (!force && now < began + graceMs({ service })) return;
    course.fallback = { since: force?.validUntil ?? now, fromW: course.applied?.targetW ?? 0 };
    this.#o.changed('expiry');
  }

  /** What became of a command may show that a station does not follow: then it takes no further part. */
  outcome(o: CommandOutcome): void {
    const { resourceId, code, state } = o;
    const failure = isOwn(o.commandId) ? failureOf(o) : undefined;
    for (const entry of this.#o.book.running()) {
      const { service, course } = entry;
      if (state === 'accepted' || state === 'effective') delete course.refused?.[resourceId];
      if (state === 'effective') delete course.ignored?.[resourceId];
      if ((!failure && code !== EXCLUDED) || !remaining(service).includes(resourceId)) continue;
      const kind = failure ?? 'refused';
      const count = (course[kind]?.[resourceId] ?? 0) + 1;
      course[kind] = { ...course[kind], [resourceId]: count };
      if ((count < MAX_FAILURES && code !== EXCLUDED) || course.excluding?.includes(resourceId)) continue;
      course.excluding = [...(course.excluding ?? []), resourceId];
      this.watch(entry.key);
    }
  }

  /** Setpoints come, but no target reaches `allocate`: a wire is missing, or somebody drops them (design 2). */
  #flow({ service, course }: ServiceEntry, now: number): void {
    const p = setpointParameters(service.fsr);
    const { setpoint, inForce } = course;
    const isBehind = setpoint !== undefined && setpoint.seq > (inForce?.seq ?? -1) && isEffective(setpoint, now);
    if (!p || !isBehind) {
      if (!isBehind && inForce?.seq === setpoint?.seq) delete course.unreached;
      return;
    }
    course.unreached ??= { since: now, told: false };
    if (course.unreached.told || now - course.unreached.since <= GRACE_INTERVALS * p.updateIntervalS * 1000) return;
    course.unreached.told = true;
    const { fsrId } = service.fsr;
    const text =
      'Setpoints arrive, but no target reaches an allocate node: look at the wires between service and allocate.';
    this.#o.log.warn('flow.targetMissing', { fo: service.foId, fsrId, seq: setpoint.seq });
    this.#o.note({ kind: 'flow.targetMissing', severity: 'warning', subject: [fsrId], parties: [service.foId], text });
  }

  /** Sets a timer for what begins or ends before the next tick. */
  arm(): void {
    const { clock, book } = this.#o;
    const now = clock.now();
    let next = now + TICK_MS;
    for (const entry of book.live()) for (const t of moments(entry)) if (t > now && t < next) next = t;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (next < now + TICK_MS) this.#timer = clock.after(next - now, () => this.tick());
  }
}

function failureOf(o: CommandOutcome): 'refused' | 'ignored' | undefined {
  if (o.state === 'notEffective') return 'ignored';
  return o.state === 'refused' && !isNotReady(o) ? 'refused' : undefined;
}

/** The FO has two intervals for its first setpoint. */
const graceMs = ({ service }: Pick<ServiceEntry, 'service'>): number =>
  GRACE_INTERVALS * (setpointParameters(service.fsr)?.updateIntervalS ?? 0) * 1000;

/** When something about a service changes by itself. */
function moments({ service, course }: ServiceEntry): number[] {
  const times = [parseTime(service.fsr.window.start), parseTime(service.fsr.window.end)];
  if (service.cancel) times.push(service.cancel.at);
  if (service.pending) times.push(service.pending.until);
  if (service.activation?.next) times.push(service.activation.next.at);
  if (course.inForce) times.push(course.inForce.validUntil);
  const { effectiveAt } = course.setpoint ?? {};
  if (effectiveAt !== undefined) times.push(parseTime(effectiveAt));
  return times;
}
