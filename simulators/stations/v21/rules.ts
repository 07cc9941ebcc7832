import type { Request } from '../../../protocols/ocpp/index.ts';
import type { Profile } from '../../core/index.ts';
import { rateUnitsOf, type StationSpec } from '../types.ts';
import { no, type Objection } from '../v2/ask.ts';
import { kindObjection, periodsObjection, purposeObjection } from '../v2/frame-rules.ts';
import type { WireProfile } from '../v2/profile.ts';
import { OPERATION_MODES } from './model.ts';

export type Values = Request<'ocpp2.1', 'UpdateDynamicSchedule'>['scheduleUpdate'];
type WirePeriod = WireProfile['chargingSchedule'][number]['chargingSchedulePeriod'][number];

/** The rules of ocpp 2.2–2.4 and 2.6 that concern the profile alone; undefined = no objection. */
export const rules21 =
  (spec: StationSpec) =>
  (evseId: number, p: WireProfile): Objection | undefined =>
    purpose21(p) ?? purposeObjection(evseId, p) ?? kind21(p) ?? scheduleObjection(spec, p);

function purpose21(p: WireProfile): Objection | undefined {
  if (p.chargingProfilePurpose === 'LocalGeneration') return no('UnsupportedPurpose', 'K01.FR.120');
  if (p.chargingProfilePurpose !== 'PriorityCharging') return undefined;
  const [schedule] = p.chargingSchedule;
  return schedule?.duration === undefined ? undefined : no('InvalidSchedule', 'PriorityCharging has no duration');
}

function kind21(p: WireProfile): Objection | undefined {
  const [schedule] = p.chargingSchedule;
  if (p.chargingProfileKind === 'Dynamic') {
    const single = p.chargingSchedule.length === 1 && schedule?.chargingSchedulePeriod.length === 1;
    return single ? undefined : no('InvalidSchedule', 'K28.FR.01: one schedule, one period');
  }
  if (p.dynUpdateInterval !== undefined || p.dynUpdateTime !== undefined) {
    return no('InvalidProfile', 'K01.FR.122: dynUpdate fields only in Dynamic');
  }
  return kindObjection(p);
}

function scheduleObjection(spec: StationSpec, p: WireProfile): Objection | undefined {
  for (const s of p.chargingSchedule) {
    if (s.useLocalTime !== undefined) return no('InvalidSchedule', 'K01.FR.123: no useLocalTime');
    if (s.randomizedDelay !== undefined) return no('InvalidSchedule', 'K01.FR.124: no randomizedDelay');
    const found =
      periodsObjection(s, rateUnitsOf(spec)) ??
      s.chargingSchedulePeriod.map((x) => modeObjection(p, x) ?? valueObjection(spec, x)).find((x) => x !== undefined);
    if (found) return found;
  }
  return undefined;
}

function modeObjection(p: WireProfile, x: WirePeriod): Objection | undefined {
  const mode = x.operationMode ?? 'ChargingOnly';
  const plain = ['ChargingStationMaxProfile', 'PriorityCharging'].includes(p.chargingProfilePurpose);
  if (plain && mode !== 'ChargingOnly') {
    return no('InvalidOperationMode', `K01.FR.111: ${p.chargingProfilePurpose} is ChargingOnly`);
  }
  if (!OPERATION_MODES.some((m) => m === mode)) return no('InvalidOperationMode', `K01.FR.115: ${mode}`);
  if (mode === 'CentralFrequency' && p.chargingProfileKind !== 'Dynamic') {
    return no('InvalidSchedule', 'Q07.FR.02: CentralFrequency is Dynamic');
  }
  return undefined;
}

const PER_PHASE = [
  'limit_L2',
  'limit_L3',
  'dischargeLimit_L2',
  'dischargeLimit_L3',
  'setpoint_L2',
  'setpoint_L3',
  'setpointReactive_L2',
  'setpointReactive_L3',
] as const satisfies (keyof Values)[];

/** The table of ocpp 2.6 and V2X.05 for one period. */
function valueObjection({ phases }: StationSpec, x: WirePeriod): Objection | undefined {
  const phased = x.numberPhases !== undefined || x.phaseToUse !== undefined;
  if (phases === 0 && phased) return no('NoPhaseForDC', 'K01.FR.44');
  if (x.phaseToUse !== undefined) return no('InvalidSchedule', 'phaseToUse is not supported');
  if (PER_PHASE.some((key) => x[key] !== undefined)) return no('PhaseConflict', 'V2X.10: no values per phase');
  if (x.evseSleep === true && x.operationMode !== 'Idle') return no('InvalidSchedule', 'K01.FR.126: evseSleep');
  return modeFieldObjection(x) ?? rangeObjection(x);
}

function modeFieldObjection(x: WirePeriod): Objection | undefined {
  const has = (...keys: ('limit' | 'dischargeLimit' | 'setpoint' | 'setpointReactive')[]): boolean =>
    keys.some((key) => x[key] !== undefined);
  switch (x.operationMode ?? 'ChargingOnly') {
    case 'ChargingOnly':
      if (!has('limit')) return no('InvalidSchedule', 'ChargingOnly needs limit');
      return has('dischargeLimit', 'setpoint', 'setpointReactive')
        ? no('InvalidSchedule', 'ChargingOnly: only limit')
        : undefined;
    case 'CentralFrequency':
      if (has('setpointReactive')) return no('InvalidSchedule', 'CentralFrequency: no setpointReactive');
      return has('setpoint') ? undefined : no('InvalidSchedule', 'CentralFrequency needs setpoint');
    case 'CentralSetpoint':
      return has('setpoint') ? undefined : no('InvalidSchedule', 'CentralSetpoint needs setpoint');
    case 'Idle':
      return has('limit', 'dischargeLimit', 'setpoint', 'setpointReactive')
        ? no('InvalidSchedule', 'Q10.FR.02: Idle has no values')
        : undefined;
    default:
      return undefined;
  }
}

function rangeObjection({ limit, dischargeLimit, setpoint }: WirePeriod): Objection | undefined {
  if (limit !== undefined && limit < 0) return no('InvalidSchedule', 'limit is below 0');
  if (dischargeLimit !== undefined && dischargeLimit > 0) return no('InvalidSchedule', 'dischargeLimit is above 0');
  if (setpoint === undefined) return undefined;
  const outside =
    (limit !== undefined && setpoint > limit) || (dischargeLimit !== undefined && setpoint < dischargeLimit);
  return outside ? no('InvalidSchedule', 'V2X.05: setpoint outside its limits') : undefined;
}

/** Whether the stored Dynamic profile may take these values (K28.FR.06). */
export function updateObjection(spec: StationSpec, p: Profile | undefined, values: Values): Objection | undefined {
  const period = p?.schedule.periods[0];
  if (p?.kind !== 'Dynamic' || !period) return no('InvalidProfile', 'K28.FR.11: not a Dynamic profile');
  const { mode, startS: _start, ...old } = period;
  const operationMode = mode === undefined ? {} : { operationMode: mode };
  return valueObjection(spec, { startPeriod: 0, ...old, ...values, ...operationMode });
}
