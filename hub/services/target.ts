import type { Applied, Service } from './service.ts';
import { setpointParameters } from './service.ts';

/** The longest that an expired setpoint may be held (fo 3.7). */
const MAX_HOLD_S = 900;

export interface EffectiveTarget {
  /** W, load convention; undefined: no target, everyone charges towards the driver's need (`mobility`, `local`). */
  readonly targetW?: number;
  readonly mode: 'target' | 'fallback';
  /** True while the fallback ramp is still moving. */
  readonly moving: boolean;
}

/** What an active service asks for at `now`: its target in force, or its fallback with the ramp of fo 3.7. */
export function effectiveTarget(service: Service, now: number): EffectiveTarget {
  const force = service.inForce;
  if (force && force.validUntil > now)
    return { targetW: absolute(service, force.targetW), mode: 'target', moving: false };
  const since = service.fallback?.since ?? force?.validUntil ?? now;
  const { onExpiry, rampS = 0, maxHoldS = MAX_HOLD_S } = service.fsr.fallback;
  const held = Math.min(maxHoldS, MAX_HOLD_S) * 1000;
  if (onExpiry === 'hold' && force && now - since < held)
    return { targetW: absolute(service, force.targetW), mode: 'fallback', moving: false };
  const rampFrom = onExpiry === 'hold' ? since + held : since;
  const goal = goalOf(service, onExpiry);
  if (goal === undefined) return { mode: 'fallback', moving: false };
  const share = rampS === 0 ? 1 : Math.min(1, Math.max(0, (now - rampFrom) / (rampS * 1000)));
  const fromW = service.fallback?.fromW ?? service.applied?.targetW ?? goal;
  return { targetW: fromW + (goal - fromW) * share, mode: 'fallback', moving: share < 1 };
}

/** Where the fallback ends; an expired hold goes on to the baseline. */
function goalOf(service: Service, onExpiry: Service['fsr']['fallback']['onExpiry']): number | undefined {
  if (onExpiry === 'zero') return 0;
  if (onExpiry === 'baseline' || onExpiry === 'hold') return service.baselineW;
  return undefined;
}

/** A relative setpoint counts from the frozen baseline (fo 3.6). */
function absolute(service: Service, targetW: number): number {
  const relative = setpointParameters(service.fsr)?.mode === 'relative';
  return relative ? (service.baselineW ?? 0) + targetW : targetW;
}

/** True when the measured power is further from the applied one than the request tolerates. */
export function isOff(service: Service, applied: Applied, measuredW: number): boolean {
  const toleranceW = setpointParameters(service.fsr)?.toleranceW ?? 0;
  return Math.abs(measuredW - applied.targetW) > toleranceW;
}
