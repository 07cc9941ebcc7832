import type { OptChoice } from '../../model/index.ts';
import { hasEv } from '../fleet/twin.ts';
import { withCancel, withDeviation, withNotice, withOpt } from '../services/notices.ts';
import type { OptOut } from '../services/opt.ts';
import {
  type LeaveReason,
  type Presence,
  remaining,
  type Service,
  type ServiceEntry,
  setpointParameters,
} from '../services/service.ts';
import type { Move, MoveSources } from './moves.ts';

/** A service has failed when all members are out of reach this long (fo 6.2), or two intervals, but not less than 30 s. */
const LOST_MS = 300_000;
const LEAST_LOST_MS = 30_000;
const LOST_INTERVALS = 2;
/** After the start stations have this long to come back before they count as lost. */
const RETURN_MS = 60_000;
const MAX_TOLD = 1_000;
const MAX_OPT_EVENTS = 1_000;

type Sources = MoveSources;

/** Members that leave or come back: by choice, because they do not follow, or out of reach (fo 6.4). */
export function presenceMove(s: Sources, entry: ServiceEntry): Move | undefined {
  return optMove(s, entry.service) ?? excludedMove(s, entry) ?? lostMove(s, entry) ?? vehicleMove(s, entry);
}

/** The FO is told who opted out and who is back (fo 4.3 no. 13). A mandatory service loses nobody. */
function optMove(s: Sources, service: Service): Move | undefined {
  if (service.fsr.mandatory) return undefined;
  const members = new Set(service.members); // bounded by: the members of one service
  const outs = s.outs(service).filter((o) => members.has(o.resourceId));
  const out = new Set(outs.map((o) => o.resourceId)); // bounded by: the members of one service
  const isOut = (m: string): boolean => service.presence?.[m]?.leftAt !== undefined;
  const first = outs.find((o) => !isOut(o.resourceId) || service.presence?.[o.resourceId]?.leaveReason === 'lost');
  if (first) {
    const same = (o: OptOut): boolean => o.actor === first.actor && o.by === first.by && o.reason === first.reason;
    const ids = outs.filter((o) => same(o) && service.presence?.[o.resourceId]?.leaveReason !== 'optOut');
    const resources = [...new Set(ids.map((o) => o.resourceId))];
    return { service: opted(s, left(s, service, resources, 'optOut'), 'out', first, resources) };
  }
  const back = service.members.filter((m) => service.presence?.[m]?.leaveReason === 'optOut' && !out.has(m));
  if (back.length === 0) return undefined;
  const word = back.map((m) => s.saidIn(m, service)).find((w) => w !== undefined);
  const said = word ?? { actor: lastActor(service), by: '' };
  const together = back.filter((m) => s.saidIn(m, service)?.by === word?.by);
  return { service: opted(s, joined(s, service, together), 'in', said, together) };
}

function opted(
  { clock }: Sources,
  service: Service,
  choice: OptChoice['choice'],
  { actor, by, reason }: Pick<OptOut, 'actor' | 'by' | 'reason'>,
  resources: readonly string[],
): Service {
  const optEvents = [...(service.optEvents ?? []), { at: clock.now(), actor, choice }].slice(-MAX_OPT_EVENTS);
  const next = { ...service, optEvents };
  // Who said it knows it.
  if (by === service.foId) return next;
  return withOpt(next, clock, {
    choice,
    actor,
    scope: { fsrId: service.fsr.fsrId, resources: [...resources] },
    ...(reason === undefined ? {} : { reason }),
  });
}

function lastActor({ optEvents }: Service): OptChoice['actor'] {
  const actor = optEvents?.at(-1)?.actor;
  return actor === 'cso' || actor === 'csp' || actor === 'fleet' ? actor : 'evu';
}

/** A station that does not do what it is told takes no part until the end; others take over (fo 6.4). */
function excludedMove({ clock, ...s }: Sources, { service, course }: ServiceEntry): Move | undefined {
  const here = remaining(service);
  const gone = (course.excluding ?? []).filter((m) => here.includes(m));
  if (gone.length === 0) return undefined;
  const missingW = gone.reduce((sum, m) => sum + Math.abs(powerOf(s, m)), 0);
  const told = withDeviation(left({ clock }, service, gone, 'excluded'), clock, {
    cause: 'resource.excluded',
    resources: gone.slice(0, MAX_TOLD),
    shortfallW: missingW,
  });
  return {
    service: told,
    stored: (e) => {
      delete e.course.excluding;
      e.course.deviationTold = true;
    },
  };
}

function powerOf({ twin }: Pick<Sources, 'twin'>, member: string): number {
  const entry = twin.get(member);
  return (entry && twin.powerOf(entry)) ?? 0;
}

/** Members that cannot be reached, told together; without any member the service has failed (fo 6.2). */
function lostMove(s: Sources, { service, course }: ServiceEntry): Move | undefined {
  const now = s.clock.now();
  const known = new Set(course.lost); // bounded by: the members of one service
  const gone = service.members.filter((m) => isLost(s, m, now));
  const still = new Set(gone); // bounded by: the members of one service
  const lost = gone.filter((m) => !known.has(m));
  const back = course.lost.filter((m) => !still.has(m));
  if (service.state !== 'active') return undefined;
  if (lost.length > 0)
    return told(s, left(s, service, lost, 'lost'), 'resourceLost', lost, (e) => {
      e.course.lost = [...e.course.lost, ...lost];
    });
  if (back.length > 0)
    return told(s, joined(s, service, back, 'lost'), 'resourceJoined', back, (e) => {
      e.course.lost = e.course.lost.filter((m) => !back.includes(m));
    });
  if (!allLost(s, service, now)) return undefined;
  // Out of order, and not only out of reach: the gateway takes it back (fo 4.3 no. 17).
  const isFault = service.members.every((m) => s.twin.get(m)?.online === true);
  const failed = isFault
    ? s.book.moved(withCancel(service, s.clock, 'fault'), 'lost', { cause: 'resources.faulted' })
    : s.book.moved(service, 'lost', { cause: 'resources.lost' });
  return failed && { service: failed };
}

/** A vehicle that was unplugged takes no part, the next one does (UC 1.3, UC 1.4); the EVSE stays a member. */
function vehicleMove(s: Sources, { service, course }: ServiceEntry): Move | undefined {
  if (service.state !== 'active') return undefined;
  course.vehicles ??= {};
  const known = course.vehicles;
  const gone: string[] = [];
  const come: string[] = [];
  for (const m of remaining(service)) {
    const entry = s.twin.get(m);
    if (!entry?.online || entry.state === 'faulted') continue;
    const has = hasEv(entry);
    // Who was there at the begin is no news.
    known[m] ??= has;
    if (known[m] !== has) (has ? come : gone).push(m);
  }
  const set = (resources: readonly string[], has: boolean) => (e: ServiceEntry) => {
    for (const m of resources) known[m] = has;
    e.course.vehicles = known;
  };
  if (gone.length > 0) return told(s, service, 'resourceLost', gone, set(gone, false), { cause: 'departed' });
  return come.length > 0 ? told(s, service, 'resourceJoined', come, set(come, true)) : undefined;
}

function told(
  { clock }: Pick<Sources, 'clock'>,
  service: Service,
  phase: 'resourceLost' | 'resourceJoined',
  resources: readonly string[],
  stored: NonNullable<Move['stored']>,
  extra: { readonly cause?: string } = {},
): Move {
  return { service: withNotice(service, clock, phase, { resources: resources.slice(0, MAX_TOLD), ...extra }), stored };
}

function left(
  { clock }: Pick<Sources, 'clock'>,
  service: Service,
  members: readonly string[],
  leaveReason: LeaveReason,
): Service {
  const presence: Record<string, Presence> = { ...service.presence };
  const now = clock.now();
  for (const m of members) {
    const known = presence[m];
    // Who opted out or was excluded has left already; that it is out of reach too changes nothing.
    if (leaveReason === 'lost' && known?.leftAt !== undefined) continue;
    presence[m] = { joinedAt: known?.joinedAt ?? service.startedAt ?? now, leftAt: now, leaveReason };
  }
  return { ...service, presence };
}

/** Back from now on; `only`: those that had left for this reason. */
function joined(
  { clock }: Pick<Sources, 'clock'>,
  service: Service,
  members: readonly string[],
  only?: LeaveReason,
): Service {
  const presence: Record<string, Presence> = { ...service.presence };
  for (const m of members)
    if (only === undefined || presence[m]?.leaveReason === only) presence[m] = { joinedAt: clock.now() };
  return { ...service, presence };
}

function isLost({ twin }: Sources, member: string, now: number): boolean {
  const entry = twin.get(member);
  if (!entry) return true;
  if (entry.online) return entry.state === 'faulted';
  return entry.seen || now - entry.offlineSince > RETURN_MS;
}

function allLost(s: Sources, service: Service, now: number): boolean {
  const intervalsMs = LOST_INTERVALS * (setpointParameters(service.fsr)?.updateIntervalS ?? 60) * 1000;
  const mostMs = Math.min(LOST_MS, Math.max(LEAST_LOST_MS, intervalsMs));
  return service.members.every((m) => {
    const entry = s.twin.get(m);
    if (!entry) return true;
    if (entry.online) {
      const since = service.presence?.[m];
      return entry.state === 'faulted' && since?.leftAt !== undefined && now - since.leftAt > mostMs;
    }
    return now - entry.offlineSince > (entry.seen ? mostMs : LOST_MS);
  });
}
