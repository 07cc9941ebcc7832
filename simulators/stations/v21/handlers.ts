import { iso } from '../../../core/clock.ts';
import { dispatch, type Handler, type Handlers, type Request, type Response } from '../../../protocols/ocpp/index.ts';
import {
  composite,
  type OperationMode,
  onPhases,
  type ProfileContext,
  updateDynamic,
  wToRate,
} from '../../core/index.ts';
import type { Station } from '../station.ts';
import { ACCEPTED, type Objection, rejected } from '../v2/ask.ts';
import { deviceModel, maintenance, type Triggers, transactions, triggered } from '../v2/handlers.ts';
import { type CompositeQuestion, smartCharging } from '../v2/smart-charging.ts';
import type { Variables } from '../v2/variables.ts';
import { rules21, updateObjection, type Values } from './rules.ts';

type V = 'ocpp2.1';
type WirePeriod = NonNullable<Response<V, 'GetCompositeSchedule'>['schedule']>['chargingSchedulePeriod'][number];

/** What a 2.1 station answers to the CALLs of the CSMS; everything else is NotImplemented. */
export function handlers21(s: Station<V>, variables: Variables, triggers: Triggers): Handler<V> {
  const rules = rules21(s.spec);
  return dispatch('ocpp2.1', {
    ...smartCharging(s, rules, compositeAnswer),
    ...(s.spec.smartCharging === false ? {} : dynamicAndPriority(s)),
    ...transactions(s, variables, rules),
    ...deviceModel(s, variables),
    ...maintenance(s),
    ...triggered(s, triggers),
  });
}

function dynamicAndPriority(s: Station<V>): Handlers<V> {
  return {
    UpdateDynamicSchedule: ({ chargingProfileId, scheduleUpdate }) => {
      const why = applyUpdate(s, chargingProfileId, scheduleUpdate);
      return why ? { status: 'Rejected', statusInfo: why } : ACCEPTED;
    },
    UsePriorityCharging: ({ transactionId, activate }: Request<V, 'UsePriorityCharging'>) => {
      const unit = s.units.find((u) => u.tx?.id === transactionId);
      if (!unit) return rejected('TxNotFound', transactionId);
      if (activate && !s.hasPriorityProfile(unit)) return { status: 'NoProfile' };
      s.clock.after(0, () => s.setPriority(unit, activate));
      return ACCEPTED;
    },
  };
}

/** Takes new values for a Dynamic profile, pushed or pulled; gives the reason when it cannot. */
export function applyUpdate(s: Station<V>, id: number, values: Values): Objection | undefined {
  const old = s.profiles.find((p) => p.id === id);
  const why = updateObjection(s.spec, old, values);
  const { limit, dischargeLimit, setpoint } = values;
  const given = {
    ...(limit === undefined ? {} : { limit }),
    ...(dischargeLimit === undefined ? {} : { dischargeLimit }),
    ...(setpoint === undefined ? {} : { setpoint }),
  };
  const updated = why ? undefined : updateDynamic(s.profiles, id, given, s.clock.now());
  if (!updated) return why ?? { reasonCode: 'InvalidProfile', additionalInfo: 'K28.FR.11' };
  s.profiles = updated;
  s.obey();
  return undefined;
}

/** The answer to GetCompositeSchedule (ocpp 2.5 step 7); where nothing limits, `unlimitedW` stands. */
function compositeAnswer(q: CompositeQuestion): Response<V, 'GetCompositeSchedule'> {
  const periods = composite(q.profiles, q.nowMs, q.durationS, q.ctx);
  return {
    status: 'Accepted',
    schedule: {
      evseId: q.ctx.evseId,
      duration: q.durationS,
      scheduleStart: iso(q.nowMs),
      chargingRateUnit: q.unit,
      chargingSchedulePeriod: periods.map((p) => ({
        startPeriod: p.startS,
        operationMode: p.mode,
        ...bounds(q, p.mode, onPhases(q.ctx, p.numberPhases), p),
        ...(q.ctx.phases > 0 ? { numberPhases: onPhases(q.ctx, p.numberPhases).phases } : {}),
      })),
    },
  };
}

interface BoundsW {
  readonly limitW?: number;
  readonly dischargeLimitW?: number;
  readonly setpointW?: number;
}

/** ChargingOnly always shows a limit; the other modes show what the profiles gave. */
function bounds(
  { unit, unlimitedW }: CompositeQuestion,
  mode: OperationMode,
  ctx: ProfileContext,
  { limitW, dischargeLimitW, setpointW }: BoundsW,
): Pick<WirePeriod, 'limit' | 'dischargeLimit' | 'setpoint'> {
  if (mode === 'Idle') return {};
  const shownW = mode === 'ChargingOnly' ? Math.min(limitW ?? unlimitedW, unlimitedW) : limitW;
  const rate = (powerW: number): number => wToRate(powerW, unit, ctx);
  return {
    ...(shownW === undefined ? {} : { limit: rate(shownW) }),
    ...(dischargeLimitW === undefined ? {} : { dischargeLimit: rate(dischargeLimitW) }),
    ...(setpointW === undefined ? {} : { setpoint: rate(setpointW) }),
  };
}
