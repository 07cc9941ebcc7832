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
  const known = periodRanges([field(profile, 'chargingSchedule')].flat(), circuitry);
  if (known.length === 0) return undefined;
  return { minW: Math.min(...known.map((r) => r.minW)), maxW: Math.max(...known.map((r) => r.maxW)) };
}

/**
 * When a profile that is sent now begins and ends to hold by its own words, epoch ms (ocpp 2.4); undefined where the
 * payload has no profile. Infinity: only something else ends it.
 */
export function lasting(payload: unknown, now: number): { readonly from: number; readonly until: number } | undefined {
  const profile = profileOf(payload);
  if (profile === undefined) return undefined;
  const kind = field(profile, 'chargingProfileKind');
  const spans = [field(profile, 'chargingSchedule')].flat().map((schedule) => {
    const start = kind === 'Absolute' ? (timeOf(schedule, 'startSchedule') ?? now) : now;
    const [first] = [field(schedule, 'chargingSchedulePeriod')].flat();
    const durationS = kind === 'Recurring' ? undefined : number(schedule, 'duration');
    return {
      from: start + 1000 * (number(first, 'startPeriod') ?? 0),
      until: start + 1000 * (durationS ?? Number.POSITIVE_INFINITY),
    };
  });
  const validTo = timeOf(profile, 'validTo') ?? Number.POSITIVE_INFINITY;
  return {
    from: Math.max(timeOf(profile, 'validFrom') ?? 0, ...spans.map((s) => s.from)),
    until: Math.min(validTo, Math.max(...spans.map((s) => s.until))),
  };
}

function timeOf(x: unknown, name: string): number | undefined {
  const text = field(x, name);
  return typeof text === 'string' ? ocppTime(text)?.at : undefined;
}

/** What each period of some schedules allows; periods without power say nothing. */
export function periodRanges(schedules: readonly unknown[], circuitry: Circuitry): PowerRange[] {
  const ranges = schedules.flatMap((s) => {
    const unit = field(s, 'chargingRateUnit') === 'A' ? 'A' : 'W';
    const periods = field(s, 'chargingSchedulePeriod');
    return Array.isArray(periods) ? periods.map((p) => rangeOf(p, unit, circuitry)) : [];
  });
  return ranges.filter((r) => r !== undefined);
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
  const sum = (name: string): number | undefined => {
    const first = number(period, name);
    const l2 = number(period, `${name}_L2`);
    const l3 = number(period, `${name}_L3`);
    // With per-phase values the plain field is L1 (ocpp 2.2); in amperes each phase counts once.
    if (l2 !== undefined || l3 !== undefined) return toW(first ?? 0, 1) + toW(l2 ?? 0, 1) + toW(l3 ?? 0, 1);
    return first === undefined ? undefined : toW(first, phases);
  };
  const setpoint = sum('setpoint');
  const limit = sum('limit');
  const discharge = sum('dischargeLimit');
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
