import { parseTime } from '../../core/clock.ts';
import type { V2gateError } from '../../core/errors.ts';
import { canonical } from '../../core/json.ts';
import { SERVICE_ERRORS, type ServiceTarget, type Setpoint } from '../../model/index.ts';
import { reactiveError } from './checks.ts';
import { isRunning } from './machine.ts';
import { type Service, setpointParameters, type TargetInForce } from './service.ts';

/** A setpoint is valid at most this long from when it takes effect (fo 3.6). */
const MAX_VALIDITY_MS = 300_000;
/** Clocks of both sides may differ a little. */
const SLACK_MS = 10_000;

/** What speaks against a setpoint (fo 3.7, fo 4.2); `newest` is the last one that was accepted. */
export function setpointError(
  service: Service | undefined,
  setpoint: Setpoint,
  newest: Setpoint | undefined,
  now: number,
): V2gateError | undefined {
  const at = (field: keyof Setpoint) => ({ path: `/setpoint/${field}` });
  const { fail } = SERVICE_ERRORS;
  if (!service) return fail('id.unknown', `There is no service ${setpoint.fsrId}.`, at('fsrId'));
  if (!isRunning(service.state)) return fail('state.invalid', `The service is ${service.state}.`, at('fsrId'));
  const p = setpointParameters(service.fsr);
  if (!p) return fail('state.invalid', 'This service takes no setpoints.', at('fsrId'));
  if (newest && isStale(setpoint, newest)) {
    return fail('seq.stale', `seq ${setpoint.seq} came after ${newest.seq}.`, at('seq'));
  }
  if (setpoint.targetW < p.minW || setpoint.targetW > p.maxW) {
    return fail('param.range', `targetW must lie within ${p.minW} … ${p.maxW} W as requested.`, at('targetW'));
  }
  return reactiveError(setpoint.reactiveVar, '/setpoint/reactiveVar') ?? timeError(service, setpoint, now);
}

/** A repetition of the newest one is not stale: its answer may have been lost. */
function isStale(setpoint: Setpoint, newest: Setpoint): boolean {
  if (setpoint.seq !== newest.seq) return setpoint.seq < newest.seq;
  return canonical(setpoint) !== canonical(newest);
}

function timeError(service: Service, setpoint: Setpoint, now: number): V2gateError | undefined {
  const { fail } = SERVICE_ERRORS;
  const until = parseTime(setpoint.validUntil);
  const begins = parseTime(setpoint.effectiveAt ?? service.fsr.window.start);
  if (until <= now) {
    return fail('time.expired', 'validUntil had passed when the setpoint arrived.', { path: '/setpoint/validUntil' });
  }
  if (setpoint.effectiveAt !== undefined) {
    if (begins >= until)
      return fail('param.invalid', 'It would take effect only after its validUntil.', {
        path: '/setpoint/effectiveAt',
      });
    if (begins >= parseTime(service.fsr.window.end))
      return fail('time.window', 'It would take effect after the end of the window.', {
        path: '/setpoint/effectiveAt',
      });
  }
  if (until > Math.max(now, begins) + MAX_VALIDITY_MS + SLACK_MS) {
    return fail('param.range', 'A setpoint is valid for at most 300 s.', { path: '/setpoint/validUntil' });
  }
  return undefined;
}

/** True when the setpoint is to be followed at `now`. */
export function isEffective(setpoint: Setpoint, now: number): boolean {
  const begins = setpoint.effectiveAt === undefined ? Number.NEGATIVE_INFINITY : parseTime(setpoint.effectiveAt);
  return begins <= now && parseTime(setpoint.validUntil) > now;
}

export function inForceOf(setpoint: Setpoint): TargetInForce {
  return { targetW: setpoint.targetW, validUntil: parseTime(setpoint.validUntil), seq: setpoint.seq };
}

/** What travels over the wire to `allocate`. */
export function targetOf(setpoint: Setpoint, foId: string): ServiceTarget {
  const { fsrId, targetW, validUntil, seq } = setpoint;
  return { fsrId, foId, targetW, validUntil, seq };
}

/** A target that came over the wire, inside what the service asked for; undefined when it is too late or too old. */
export function arrived(
  service: Service,
  target: ServiceTarget,
  inForce: TargetInForce | undefined,
  now: number,
): TargetInForce | undefined {
  const p = setpointParameters(service.fsr);
  const validUntil = Math.min(parseTime(target.validUntil), now + MAX_VALIDITY_MS + SLACK_MS);
  const older = inForce?.seq !== undefined && target.seq !== undefined && target.seq < inForce.seq;
  if (service.state !== 'active' || !p || older || validUntil <= now) return undefined;
  const targetW = Math.min(Math.max(target.targetW, p.minW), p.maxW);
  return { targetW, validUntil, ...(target.seq === undefined ? {} : { seq: target.seq }) };
}
