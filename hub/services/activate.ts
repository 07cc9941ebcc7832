import { type Clock, iso, parseTime } from '../../core/clock.ts';
import type { V2gateError } from '../../core/errors.ts';
import { type ActivateService, type ResultBody, SERVICE_ERRORS } from '../../model/index.ts';
import { isRunning } from './machine.ts';
import { withNotice } from './notices.ts';
import { refused } from './results.ts';
import { type Activation, congestionParameters, type Service } from './service.ts';

const { fail } = SERVICE_ERRORS;
/** A limit is in force at the stations after this, ms (fo 2.4 T2). */
const EFFECT_MS = 2_000;

type Action = ActivateService['action'];
type Step = Activation['state'];

/**
 * Moves of what can be activated (fo 4.3 no. 15). A congestion service delivers from its window's start unless it was
 * armed before: then it waits for `activate`.
 */
const STEPS: Readonly<Record<Step, Readonly<Partial<Record<Action, Step>>>>> = {
  delivering: { arm: 'armed', deactivate: 'off' },
  armed: { activate: 'delivering', disarm: 'off' },
  off: { arm: 'armed', activate: 'delivering' },
};
const PHASES = { armed: 'armed', delivering: 'delivering', off: 'recovering' } as const;

export const activationOf = (s: Service): Step => s.activation?.state ?? 'delivering';

export interface Activated {
  readonly result: ResultBody;
  readonly service?: Service;
}

/** `ActivateService`: now, or at its time. Setpoint services need none. */
export function activate(service: Service, body: ActivateService, clock: Clock): Activated {
  const now = clock.now();
  const error = activationError(service, body, now);
  if (error) return { result: refused(error) };
  const at = parseTime(body.at);
  const state = activationOf(service);
  const next: Service =
    at > now
      ? { ...service, activation: { state, next: { action: body.action, at } } }
      : (stepped(service, body.action, clock) ?? service);
  const data = { state: activationOf(next), expectedFullAt: iso(Math.max(at, now) + EFFECT_MS) };
  return { result: { status: 'ok', state: next.state, data }, service: next };
}

function activationError(service: Service, body: ActivateService, now: number): V2gateError | undefined {
  const { state, fsr } = service;
  const at = (field: string) => ({ path: `/${field}` });
  if (fsr.serviceType === 'setpoint') {
    const what = 'A setpoint service needs no activation: it begins with its window and follows UpdateSetpoint.';
    return fail('state.invalid', what, at('fsrId'));
  }
  if (!congestionParameters(fsr) || !isRunning(state))
    return fail('state.invalid', `The service is ${state} and cannot be activated.`, at('fsrId'));
  if (body.targetW !== undefined)
    return fail(
      'param.invalid',
      'A congestion service takes its limits from its series, not from targetW.',
      at('targetW'),
    );
  if (!STEPS[activationOf(service)][body.action])
    return fail('state.invalid', `It is ${activationOf(service)}; ${body.action} means nothing now.`, at('action'));
  if (parseTime(body.at) >= parseTime(fsr.window.end))
    return fail('time.window', 'It would be after the end of the window.', at('at'));
  return parseTime(body.at) < now - MAX_LATE_MS ? fail('time.past', 'Its time has passed.', at('at')) : undefined;
}

/** An activation that comes later than this is not meant any more. */
const MAX_LATE_MS = 60_000;

/** The record after the step, told to the FO once the window has begun; undefined where there is no such step. */
export function stepped(service: Service, action: Action, clock: Clock): Service | undefined {
  const state = STEPS[activationOf(service)][action];
  if (!state) return undefined;
  return withNotice({ ...service, activation: { state } }, clock, PHASES[state]);
}

/** A step whose time has come. */
export function dueStep(service: Service, clock: Clock): Service | undefined {
  const next = service.activation?.next;
  if (!next || next.at > clock.now() || !isRunning(service.state)) return undefined;
  return stepped(service, next.action, clock) ?? { ...service, activation: { state: activationOf(service) } };
}
