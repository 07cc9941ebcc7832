import { type Applied, absoluteW, baselineAt, type Course, type Service, setpointParameters } from './service.ts';

/** The longest that an expired setpoint may be held (fo 3.7). */
const MAX_HOLD_S = 900;

export interface Goal {
  /** W, load convention; undefined: no target, everyone charges towards the driver's need (`mobility`, `local`). */
  readonly targetW?: number;
  readonly mode: 'target' | 'fallback';
  /** True while a ramp is still moving. */
  readonly moving: boolean;
}

/** What a service asks for at `now`: its target in force, its fallback with the ramp of fo 3.7, or the way out of it. */
export function goalAt(service: Service, course: Course, now: number): Goal {
  if (course.tail) return onTheWay(course.tail, now);
  const force = course.inForce;
  if (force && force.validUntil > now)
    return { targetW: absoluteW(service, force.targetW, now), mode: 'target', moving: false };
  const since = course.fallback?.since ?? force?.validUntil ?? now;
  const { onExpiry, rampS = 0, maxHoldS = MAX_HOLD_S } = service.fsr.fallback;
  const heldMs = force ? Math.min(maxHoldS, MAX_HOLD_S) * 1000 : 0;
  if (onExpiry === 'hold' && force && now - since < heldMs)
    return { targetW: absoluteW(service, force.targetW, now), mode: 'fallback', moving: false };
  const rampFrom = onExpiry === 'hold' ? since + heldMs : since;
  const goal = fallbackW(service, now);
  if (goal === undefined) return { mode: 'fallback', moving: false };
  const fromW = course.fallback?.fromW ?? course.applied?.targetW ?? goal;
  return onTheWay({ since: rampFrom, until: rampFrom + rampS * 1000, fromW, toW: goal }, now);
}

function onTheWay(way: NonNullable<Course['tail']>, now: number): Goal {
  const whole = way.until - way.since;
  const share = whole <= 0 ? 1 : Math.min(1, Math.max(0, (now - way.since) / whole));
  return { targetW: way.fromW + (way.toW - way.fromW) * share, mode: 'fallback', moving: share < 1 };
}

/** Where the fallback ends, W; undefined: with the drivers. An expired hold goes on to the baseline. */
export function fallbackW(service: Service, now: number): number | undefined {
  const { onExpiry } = service.fsr.fallback;
  if (onExpiry === 'zero') return 0;
  return onExpiry === 'baseline' || onExpiry === 'hold' ? baselineAt(service, now) : undefined;
}

/**
 * The goal, approached no faster than `rampWPerS` of the request (fo 3.6) from where the last step stood, or from
 * `startW`. Remembers the step in `course`.
 */
export function steer(service: Service, course: Course, now: number, startW: () => number | undefined): Goal {
  const goal = goalAt(service, course, now);
  const rampWPerS = setpointParameters(service.fsr)?.rampWPerS;
  if (goal.targetW === undefined || rampWPerS === undefined || rampWPerS <= 0) {
    delete course.ramp;
    return goal;
  }
  const from = course.ramp ?? { targetW: startW() ?? goal.targetW, at: now };
  const step = (rampWPerS * Math.max(0, now - from.at)) / 1000;
  const targetW = Math.min(Math.max(goal.targetW, from.targetW - step), from.targetW + step);
  course.ramp = { targetW, at: now };
  return { ...goal, targetW, moving: goal.moving || targetW !== goal.targetW };
}

/** Where the target stands now with its ramp, without moving it. */
export function standingGoal(service: Service, course: Course, now: number): number | undefined {
  const goal = goalAt(service, course, now);
  return goal.targetW === undefined ? undefined : (course.ramp?.targetW ?? goal.targetW);
}

/**
 * What the FO may expect to be measured now, W: what it was told that its setpoint becomes, on the way there what the
 * ramp allows; in a fallback what is applied.
 */
export function expectedW(service: Service, course: Course, now: number): number | undefined {
  const { applied, inForce, promise, ramp } = course;
  const goal = goalAt(service, course, now);
  if (!applied || goal.targetW === undefined) return undefined;
  if (goal.mode === 'fallback') return applied.targetW;
  const asked = ramp?.targetW ?? goal.targetW;
  if (!promise || promise.seq !== inForce?.seq) return asked;
  if (promise.targetW < goal.targetW) return Math.min(asked, promise.targetW);
  return promise.targetW > goal.targetW ? Math.max(asked, promise.targetW) : asked;
}

export type Deviation =
  | 'needs.shortfall'
  | 'limit.clipped'
  | 'limit.exceeded'
  | 'off.target'
  | 'priority'
  | 'resource.optedOut'
  | 'resource.excluded';

/** Why the measured power is further from what is expected than the request tolerates; undefined when it is not. */
export function deviationOf(
  service: Service,
  applied: Applied,
  expected: number,
  measuredW: number,
): Deviation | undefined {
  const toleranceW = setpointParameters(service.fsr)?.toleranceW ?? 0;
  if (applied.shortfallW > toleranceW) return 'needs.shortfall';
  if (Math.abs(measuredW - expected) <= toleranceW) return undefined;
  // It follows what was granted, and that is less than what was promised: who took the rest away?
  if (Math.abs(measuredW - applied.targetW) > toleranceW) return 'off.target';
  if (applied.limitedBy === 'poc' || applied.limitedBy === 'fuse') return 'limit.clipped';
  if (applied.taken !== undefined && applied.taken.length > 0) return 'priority';
  const left = Object.values(service.presence ?? {}).filter((p) => p.leftAt !== undefined);
  if (left.some((p) => p.leaveReason === 'optOut')) return 'resource.optedOut';
  return left.some((p) => p.leaveReason === 'excluded') ? 'resource.excluded' : 'off.target';
}
