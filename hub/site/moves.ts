import { type Clock, parseTime } from '../../core/clock.ts';
import type { SiteFile } from '../../model/index.ts';
import type { FleetTwin } from '../fleet/twin.ts';
import type { MeterBook } from '../meters/book.ts';
import { dueStep } from '../services/activate.ts';
import type { ServiceBook } from '../services/book.ts';
import { credentialDoubt, endedBy } from '../services/checks.ts';
import { nextState } from '../services/machine.ts';
import { type NoticeExtra, withCancel, withNotice } from '../services/notices.ts';
import type { OptOut } from '../services/opt.ts';
import { endOf } from '../services/order.ts';
import { remaining, type Service, type ServiceEntry } from '../services/service.ts';
import { deviationMove } from './deviations.ts';
import { presenceMove } from './presence.ts';

export interface MoveSources {
  readonly clock: Clock;
  readonly book: ServiceBook;
  readonly twin: FleetTwin;
  readonly meters: MeterBook;
  readonly file: () => SiteFile;
  /** Opt-outs in effect that are about a service. */
  readonly outs: (service: Service) => readonly OptOut[];
  /** Who took the last opt-out of a member back. */
  readonly saidIn: (resourceId: string, service: Service) => Pick<OptOut, 'actor' | 'by'> | undefined;
}

/** The next change of a record that is due; `stored` is called when it is stored. */
export interface Move {
  readonly service: Service;
  readonly stored?: (e: ServiceEntry) => void;
}

/** A credential that cannot be verified stops nothing for so long (fo 6.1). */
const DOUBT_MS = 86_400_000;

/** The next change of the record that is due, if any (fo 6.2, fo 6.4). The record says what was told already. */
export function nextMove(s: MoveSources, entry: ServiceEntry): Move | undefined {
  const { service } = entry;
  if (service.pending) return only(s.book.answered(service));
  return (
    endMove(s, entry) ??
    credentialMove(s, service) ??
    only(dueStep(service, s.clock)) ??
    (service.state === 'active' ? undefined : beginMove(s, entry)) ??
    presenceMove(s, entry) ??
    (service.state === 'active' ? (fallbackMove(s, entry) ?? deviationMove(s, entry)) : undefined)
  );
}

const only = (service: Service | undefined): Move | undefined => service && { service };

function endMove(s: MoveSources, { service, course }: ServiceEntry): Move | undefined {
  const now = s.clock.now();
  if (parseTime(service.fsr.window.end) <= now) return only(s.book.moved(service, 'end'));
  const why = endedBy(service, s.file(), now) ?? doubted(service, now);
  if (why !== undefined) return aborted(s, service, { cause: why });
  if (service.cancel && service.cancel.at <= now)
    return aborted(s, service, { cause: service.cancel.reason.slice(0, 128) });
  if (remaining(service).length === 0) return nobodyLeft(s, service);
  return isTakenForGood(s, service, course.takenTold ?? [])
    ? aborted(s, withCancel(service, s.clock, 'mandate'), { cause: 'mandate' })
    : undefined;
}

const aborted = (s: MoveSources, service: Service, extra: NoticeExtra): Move | undefined =>
  only(s.book.moved(service, 'cancel', extra));

/** All have opted out: it ends; all others were excluded as well: it has failed (fo 6.2). */
function nobodyLeft(s: MoveSources, service: Service): Move | undefined {
  if (service.members.length === 0) return undefined;
  const left = Object.values(service.presence ?? {});
  return left.some((p) => p.leaveReason === 'excluded')
    ? only(s.book.moved(service, 'lost', { cause: 'resource.excluded' }))
    : only(s.book.moved(service, 'optOut', { cause: 'resource.optedOut' }));
}

/** Mandatory services have taken every member until the end: nothing can be delivered any more. */
function isTakenForGood(s: MoveSources, service: Service, taken: readonly string[]): boolean {
  if (service.fsr.mandatory || service.state !== 'active' || taken.length === 0) return false;
  if (taken.length < remaining(service).length) return false;
  const above = s.book
    .running()
    .filter((e) => e.service.fsr.mandatory && e.service.state === 'active' && endOf(e.service) >= endOf(service));
  return remaining(service).every((m) => above.some((e) => e.service.members.includes(m)));
}

const doubted = ({ unverifiableSince }: Service, now: number): string | undefined =>
  unverifiableSince !== undefined && now - unverifiableSince >= DOUBT_MS ? 'credential.unverifiable' : undefined;

/** Since when the credentials of its FO cannot be verified is part of the record (fo 6.1). */
function credentialMove(s: MoveSources, service: Service): Move | undefined {
  const now = s.clock.now();
  const inDoubt = credentialDoubt(service.foId, s.file(), now);
  if (inDoubt === (service.unverifiableSince !== undefined)) return undefined;
  const { unverifiableSince: _, ...rest } = service;
  return { service: inDoubt ? { ...rest, unverifiableSince: now } : rest };
}

function beginMove(s: MoveSources, { service, course }: ServiceEntry): Move | undefined {
  if (parseTime(service.fsr.window.start) <= s.clock.now()) return only(s.book.begun(service, course.setpoint));
  return nextState(service.state, 'planned') ? only(s.book.moved(service, 'planned')) : undefined;
}

/** An expired setpoint leads to the fallback, the next valid one back (fo 6.4). */
function fallbackMove({ clock }: MoveSources, { service, course }: ServiceEntry): Move | undefined {
  if (course.fallback && !service.fallback) {
    const { inForce, setpoint } = course;
    const hasExpired = inForce !== undefined || (setpoint && parseTime(setpoint.validUntil) <= clock.now());
    const cause = hasExpired ? 'setpoint.expired' : 'setpoint.missing';
    return { service: withNotice({ ...service, fallback: course.fallback }, clock, 'fallback', { cause }) };
  }
  if (course.fallback || !service.fallback) return undefined;
  const { fallback: _, ...rest } = service;
  return { service: withNotice(rest, clock, 'resumed') };
}
