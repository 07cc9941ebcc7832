import { round3 } from '../../core/quantities.ts';
import { ceilingAt } from '../services/congestion.ts';
import { withDeviation } from '../services/notices.ts';
import { scopeOf } from '../services/request.ts';
import {
  type Course,
  congestionParameters,
  remaining,
  type ServiceEntry,
  setpointParameters,
} from '../services/service.ts';
import { deviationOf, expectedW } from '../services/target.ts';
import { measuredOf } from './group.ts';
import type { Move, MoveSources } from './moves.ts';

/** Deviations are told after this many intervals (fo 4.3 no. 18). */
const DEVIATION_INTERVALS = 2;
const MINUTE_MS = 60_000;
/** Meters and rounding: a mean beyond the limit by this much is none, W or part. */
const LIMIT_SLACK_W = 100;
const LIMIT_SLACK = 0.01;
const MAX_TOLD = 1_000;

/** What is delivered is not what was agreed, and the FO has not been told so. */
export function deviationMove(s: MoveSources, entry: ServiceEntry): Move | undefined {
  return (
    takenMove(s, entry) ?? (congestionParameters(entry.service.fsr) ? limitMove(s, entry) : setpointMove(s, entry))
  );
}

/** A service that stands above has taken members away (fo 6.3). */
function takenMove(s: MoveSources, { service, course }: ServiceEntry): Move | undefined {
  const { applied, takenTold = [] } = course;
  const taken = applied?.taken ?? [];
  const more = taken.filter((m) => !takenTold.includes(m));
  if (more.length === 0) {
    if (taken.length < takenTold.length) course.takenTold = taken;
    return undefined;
  }
  const missingW = applied?.askedW === undefined ? 0 : Math.abs(applied.askedW - applied.targetW);
  if (!applied || missingW <= (setpointParameters(service.fsr)?.toleranceW ?? 0)) return undefined;
  const powerW = measuredOf(s.twin, s.meters, s.clock.now(), scopeOf(service));
  return {
    service: withDeviation(service, s.clock, {
      cause: 'priority',
      shortfallW: missingW,
      resources: taken.slice(0, MAX_TOLD),
      ...deliverable(taken.length, remaining(service).length),
      ...(powerW === undefined ? {} : { powerW }),
    }),
    stored: (e) => {
      e.course.takenTold = taken;
      e.course.deviationTold = true;
    },
  };
}

const deliverable = (gone: number, all: number): { readonly deliverablePct?: number } =>
  all === 0 ? {} : { deliverablePct: round3((100 * (all - gone)) / all) };

/** More than the tolerance for more than two intervals is told once, until it was back (fo 4.3 no. 18). */
function setpointMove(s: MoveSources, { service, course }: ServiceEntry): Move | undefined {
  const now = s.clock.now();
  const p = setpointParameters(service.fsr);
  const { applied } = course;
  const measuredW = measuredOf(s.twin, s.meters, now, scopeOf(service));
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
  if (course.deviationTold || now - course.offSince <= DEVIATION_INTERVALS * p.updateIntervalS * 1000) return undefined;
  const shortfallW = cause === 'needs.shortfall' ? applied.shortfallW : Math.abs(expected - measuredW);
  return {
    service: withDeviation(service, s.clock, { powerW: measuredW, shortfallW, cause }),
    stored: (e) => {
      e.course.deviationTold = true;
    },
  };
}

/** A mean over one minute beyond the limit, told once until a minute was within it again (fo 3.9). */
function limitMove(s: MoveSources, { service, course }: ServiceEntry): Move | undefined {
  const { over } = course;
  if (!over) {
    delete course.deviationTold;
    return undefined;
  }
  if (course.deviationTold) return undefined;
  return {
    service: withDeviation(service, s.clock, {
      powerW: over.meanW,
      shortfallW: over.meanW - over.limitW,
      cause: 'limit.exceeded',
    }),
    stored: (e) => {
      e.course.deviationTold = true;
    },
  };
}

/** Counts what is measured now into the present minute of a congestion service, and judges the minute that is over. */
export function sampleMinute(s: Omit<MoveSources, 'outs' | 'book'>, { service, course }: ServiceEntry): void {
  const now = s.clock.now();
  if (!congestionParameters(service.fsr) || service.state !== 'active') return;
  const from = now - (now % MINUTE_MS);
  const m = course.minute;
  if (m?.from === from && now - m.at < LEAST_APART_MS) return;
  const scope = scopeOf(service);
  const each = scope.referencePoint === 'evse' ? scope.members.length : 1;
  const limitW = ceilingAt(service, now, s.file())?.importLimitW;
  const powerW = limitW === undefined ? undefined : measuredOf(s.twin, s.meters, now, scope);
  if (m && m.from !== from) judge(course, m);
  const base = m?.from === from ? m : { from, sumW: 0, count: 0, limitW: 0 };
  course.minute =
    powerW === undefined || limitW === undefined
      ? { ...base, at: now }
      : {
          from,
          at: now,
          sumW: base.sumW + powerW,
          count: base.count + 1,
          limitW: Math.max(base.limitW, limitW * each),
        };
}

/** Readings nearer to one another than this are one, ms. */
const LEAST_APART_MS = 500;

function judge(course: Course, m: NonNullable<Course['minute']>): void {
  if (m.count === 0) return;
  const meanW = m.sumW / m.count;
  if (meanW - m.limitW > Math.max(LIMIT_SLACK_W, LIMIT_SLACK * m.limitW)) course.over = { meanW, limitW: m.limitW };
  else delete course.over;
}
