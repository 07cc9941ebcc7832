import { ocppTime } from '../../protocols/ocpp/index.ts';

/** The range of power that a payload allows a station, W, load convention. */
export interface PowerRange {
  readonly minW: number;
  readonly maxW: number;
}

/** What is needed to turn amperes per phase into watts. */
export interface Circuitry {
  readonly current: 'ac' | 'dc';
  readonly voltageV: number;
  readonly phases: number;
}

const UNBOUNDED: PowerRange = { minW: Number.NEGATIVE_INFINITY, maxW: Number.POSITIVE_INFINITY };

/** Purposes that cap; LocalGeneration adds on top, ExternalConstraints and PriorityCharging are not ours (ocpp 2.3). */
const CAPPING = ['TxProfile', 'TxDefaultProfile', 'ChargePointMaxProfile', 'ChargingStationMaxProfile'];
/** Modes in which the CSMS says what flows (ocpp 2.6). */
const GIVEN = ['ChargingOnly', 'CentralSetpoint', 'CentralFrequency'];

/**
 * Reads back from a payload what it lets the station do, so that a mapping can be held to what was granted (design 3).
 * Unbounded where the station or somebody else would decide; undefined where the payload has no power in it.
 */
export function effectiveRange(action: string, payload: unknown, circuitry: Circuitry): PowerRange | undefined {
  if (action === 'UpdateDynamicSchedule') return updateRange(field(payload, 'scheduleUpdate'), circuitry);
  if (action !== 'SetChargingProfile') return undefined;
  const profile = profileOf(payload);
  const purpose = field(profile, 'chargingProfilePurpose');
  if (typeof purpose !== 'string' || !CAPPING.includes(purpose)) return UNBOUNDED;
  let hull: PowerRange | undefined;
  for (const r of periodRanges(listOf(field(profile, 'chargingSchedule')), circuitry))
    hull = hull === undefined ? r : { minW: Math.min(hull.minW, r.minW), maxW: Math.max(hull.maxW, r.maxW) };
  return hull;
}

/**
 * When a profile that is sent now begins and ends to hold by its own words, epoch ms (ocpp 2.4); undefined where the
 * payload has no profile. Infinity: only something else ends it. `at`: the text of now, where it is known.
 */
export function lasting(
  payload: unknown,
  now: number,
  at?: string,
): { readonly from: number; readonly until: number } | undefined {
  const profile = profileOf(payload);
  if (profile === undefined) return undefined;
  const kind = field(profile, 'chargingProfileKind');
  const timeOf = (x: unknown, name: string): number | undefined => {
    const text = field(x, name);
    if (typeof text !== 'string') return undefined;
    return text === at ? now : ocppTime(text)?.at;
  };
  let from = timeOf(profile, 'validFrom') ?? 0;
  let ends = Number.NEGATIVE_INFINITY;
  for (const schedule of listOf(field(profile, 'chargingSchedule'))) {
    const start = kind === 'Absolute' ? (timeOf(schedule, 'startSchedule') ?? now) : now;
    const [first] = listOf(field(schedule, 'chargingSchedulePeriod'));
    const durationS = kind === 'Recurring' ? undefined : number(schedule, 'duration');
    from = Math.max(from, start + 1000 * (number(first, 'startPeriod') ?? 0));
    ends = Math.max(ends, start + 1000 * (durationS ?? Number.POSITIVE_INFINITY));
  }
  return { from, until: Math.min(timeOf(profile, 'validTo') ?? Number.POSITIVE_INFINITY, ends) };
}

/** A value or a list of such, as a list. */
const listOf = (x: unknown): readonly unknown[] => (Array.isArray(x) ? x : [x]);

/** What each period of some schedules allows; periods without power say nothing. */
export function periodRanges(schedules: readonly unknown[], circuitry: Circuitry): PowerRange[] {
  const ranges: PowerRange[] = [];
  for (const schedule of schedules) {
    const unit = field(schedule, 'chargingRateUnit') === 'A' ? 'A' : 'W';
    const periods = field(schedule, 'chargingSchedulePeriod');
    if (!Array.isArray(periods)) continue;
    for (const period of periods) {
      const range = rangeOf(period, unit, circuitry);
      if (range !== undefined) ranges.push(range);
    }
  }
  return ranges;
}

/** The EVSE or connector that a payload speaks to; undefined where it speaks of a profile id only. */
export function addressee(payload: unknown): unknown {
  return field(payload, 'evseId') ?? field(payload, 'connectorId');
}

/**
 * One period, by what its mode goes by: the limit of ChargingOnly, also where a setpoint stands beside it, else the
 * setpoint as both bounds. No dischargeLimit means no export; what is missing leaves the station free (ocpp 2.5, 2.6).
 */
function rangeOf(period: unknown, unit: 'A' | 'W', c: Circuitry): PowerRange | undefined {
  const mode = field(period, 'operationMode') ?? 'ChargingOnly';
  if (mode === 'Idle') return { minW: 0, maxW: 0 };
  if (typeof mode !== 'string' || !GIVEN.includes(mode)) return UNBOUNDED;
  const { setpoint, limits } = valuesOf(period, unit, c);
  if (mode !== 'ChargingOnly') return setpoint ?? limits;
  return limits ?? { minW: 0, maxW: Number.POSITIVE_INFINITY };
}

/** New values of a dynamic profile, whose mode is not told here: whichever of them counts there. */
function updateRange(update: unknown, c: Circuitry): PowerRange | undefined {
  const { setpoint, limits } = valuesOf(update, 'W', c);
  const limit = number(update, 'limit') === undefined && setpoint ? setpoint : limits;
  if (setpoint === undefined || limit === undefined) return setpoint ?? limit;
  return { minW: Math.min(setpoint.minW, limit.minW), maxW: Math.max(setpoint.maxW, limit.maxW) };
}

/** A value as a whole or of L1, and those of L2 and L3. */
type PerPhase = readonly [plain: string, onL2: string, onL3: string];

const SETPOINT: PerPhase = ['setpoint', 'setpoint_L2', 'setpoint_L3'];
const LIMIT: PerPhase = ['limit', 'limit_L2', 'limit_L3'];
const DISCHARGE_LIMIT: PerPhase = ['dischargeLimit', 'dischargeLimit_L2', 'dischargeLimit_L3'];

/** What the setpoint and what the limits of a period or an update allow. */
function valuesOf(
  period: unknown,
  unit: 'A' | 'W',
  c: Circuitry,
): { readonly setpoint: PowerRange | undefined; readonly limits: PowerRange | undefined } {
  // 2.1 knows 0, where the station has no phases to count.
  const phases = number(period, 'numberPhases') || c.phases;
  const toW = (value: number, lines: number): number => {
    if (unit === 'W') return value;
    // Amperes at an unknown DC voltage may be any power.
    return c.current === 'ac' || value === 0 ? value * c.voltageV * lines : value * Number.POSITIVE_INFINITY;
  };
  const sum = ([plain, onL2, onL3]: PerPhase): number | undefined => {
    const first = number(period, plain);
    const l2 = number(period, onL2);
    const l3 = number(period, onL3);
    // With per-phase values the plain field is L1 (ocpp 2.2); in amperes each phase counts once.
    if (l2 !== undefined || l3 !== undefined) return toW(first ?? 0, 1) + toW(l2 ?? 0, 1) + toW(l3 ?? 0, 1);
    return first === undefined ? undefined : toW(first, phases);
  };
  const setpoint = sum(SETPOINT);
  const limit = sum(LIMIT);
  const discharge = sum(DISCHARGE_LIMIT);
  const limited = limit !== undefined || discharge !== undefined;
  return {
    setpoint: setpoint === undefined ? undefined : { minW: setpoint, maxW: setpoint },
    limits: limited
      ? { minW: Math.min(discharge ?? 0, limit ?? 0), maxW: limit ?? Number.POSITIVE_INFINITY }
      : undefined,
  };
}

/** The profile in a SetChargingProfile of any version. */
export const profileOf = (payload: unknown): unknown =>
  field(payload, 'chargingProfile') ?? field(payload, 'csChargingProfiles');

export function field(x: unknown, name: string): unknown {
  return typeof x === 'object' && x !== null && Object.hasOwn(x, name)
    ? (x as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function number(x: unknown, name: string): number | undefined {
  const v = field(x, name);
  return typeof v === 'number' ? v : undefined;
}
