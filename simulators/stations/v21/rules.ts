import type { Profile } from '../../core/index.ts';
import { MAX_PERIODS, MAX_STACK_LEVEL, OPERATION_MODES } from './model.ts';
import type { Values, WireProfile } from './profile.ts';

type WirePeriod = WireProfile['chargingSchedule'][number]['chargingSchedulePeriod'][number];

/** Why a profile is refused: `statusInfo` of the answer. */
export interface Objection {
  readonly reasonCode: string;
  readonly additionalInfo: string;
}

const no = (reasonCode: string, additionalInfo: string): Objection => ({ reasonCode, additionalInfo });

/** The rules of ocpp 2.2–2.4 and 2.6 that concern the profile alone; undefined = no objection. */
export function objection(evseId: number, p: WireProfile): Objection | undefined {
  return purposeObjection(evseId, p) ?? kindObjection(p) ?? scheduleObjection(p);
}

function purposeObjection(evseId: number, p: WireProfile): Objection | undefined {
  if (p.stackLevel < 0 || p.stackLevel > MAX_STACK_LEVEL) return no('InvalidStackLevel', `0 to ${MAX_STACK_LEVEL}`);
  switch (p.chargingProfilePurpose) {
    case 'ChargingStationExternalConstraints':
      return no('InvalidProfile', 'K01.FR.22: never set by the CSMS');
    case 'PriorityCharging':
    case 'LocalGeneration':
      return no('UnsupportedPurpose', 'K01.FR.120');
    case 'ChargingStationMaxProfile':
      if (evseId !== 0) return no('InvalidProfile', 'only for EVSE 0');
      return p.chargingProfileKind === 'Relative' ? no('InvalidProfile', 'K01.FR.38: not Relative') : undefined;
    case 'TxProfile':
      return evseId === 0 ? no('InvalidProfile', 'K01.FR.16: needs an EVSE') : undefined;
    default:
      return undefined;
  }
}

function kindObjection(p: WireProfile): Objection | undefined {
  const [schedule] = p.chargingSchedule;
  const dynamic = p.chargingProfileKind === 'Dynamic';
  if (!dynamic && (p.dynUpdateInterval !== undefined || p.dynUpdateTime !== undefined)) {
    return no('InvalidProfile', 'K01.FR.122: dynUpdate fields only in Dynamic');
  }
  switch (p.chargingProfileKind) {
    case 'Dynamic': {
      const single = p.chargingSchedule.length === 1 && schedule?.chargingSchedulePeriod.length === 1;
      return single ? undefined : no('InvalidSchedule', 'K28.FR.01: one schedule, one period');
    }
    case 'Relative':
      return schedule?.startSchedule === undefined ? undefined : no('InvalidSchedule', 'K01.FR.41: no startSchedule');
    case 'Recurring':
      if (!p.recurrencyKind) return no('InvalidProfile', 'recurrencyKind is missing');
  }
  return schedule?.startSchedule === undefined
    ? no('InvalidSchedule', 'K01.FR.40: startSchedule is missing')
    : undefined;
}

function scheduleObjection(p: WireProfile): Objection | undefined {
  for (const s of p.chargingSchedule) {
    const periods = s.chargingSchedulePeriod;
    const starts = periods.map((x) => x.startPeriod);
    if (s.chargingRateUnit !== 'W') return no('UnsupportedRateUnit', 'only W');
    if (s.useLocalTime !== undefined) return no('InvalidSchedule', 'K01.FR.123: no useLocalTime');
    if (s.randomizedDelay !== undefined) return no('InvalidSchedule', 'K01.FR.124: no randomizedDelay');
    if (periods.length > MAX_PERIODS) return no('InvalidSchedule', `at most ${MAX_PERIODS} periods`);
    if (starts[0] !== 0) return no('InvalidSchedule', 'K01.FR.31: the first period starts at 0');
    if (starts.some((x, i) => i > 0 && x <= (starts[i - 1] ?? 0))) return no('InvalidSchedule', 'K01.FR.35: order');
    const found = periods.map((x) => modeObjection(p, x) ?? valueObjection(x)).find((x) => x !== undefined);
    if (found) return found;
  }
  return undefined;
}

function modeObjection(p: WireProfile, x: WirePeriod): Objection | undefined {
  const mode = x.operationMode ?? 'ChargingOnly';
  if (p.chargingProfilePurpose === 'ChargingStationMaxProfile' && mode !== 'ChargingOnly') {
    return no('InvalidOperationMode', 'K01.FR.111: station maximum is ChargingOnly');
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
function valueObjection(x: WirePeriod): Objection | undefined {
  if (x.numberPhases !== undefined || x.phaseToUse !== undefined) return no('NoPhaseForDC', 'K01.FR.44');
  if (PER_PHASE.some((key) => x[key] !== undefined)) return no('PhaseConflict', 'V2X.10: no values per phase on DC');
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
export function updateObjection(p: Profile | undefined, values: Values): Objection | undefined {
  const period = p?.schedule.periods[0];
  if (p?.kind !== 'Dynamic' || !period) return no('InvalidProfile', 'K28.FR.11: not a Dynamic profile');
  const { mode, startS: _start, ...old } = period;
  return valueObjection({ startPeriod: 0, ...old, ...values, ...(mode === undefined ? {} : { operationMode: mode }) });
}
