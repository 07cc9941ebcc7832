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
  if (action === 'UpdateDynamicSchedule') return rangeOf(field(payload, 'scheduleUpdate'), 'W', circuitry);
  if (action !== 'SetChargingProfile') return undefined;
  const profile = profileOf(payload);
  const purpose = field(profile, 'chargingProfilePurpose');
  if (typeof purpose !== 'string' || !CAPPING.includes(purpose)) return UNBOUNDED;
  const known = periodRanges([field(profile, 'chargingSchedule')].flat(), circuitry);
  if (known.length === 0) return undefined;
  return { minW: Math.min(...known.map((r) => r.minW)), maxW: Math.max(...known.map((r) => r.maxW)) };
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

/** One period or update: a setpoint is both bounds; without one, limits count and no dischargeLimit means no export. */
function rangeOf(period: unknown, unit: 'A' | 'W', c: Circuitry): PowerRange | undefined {
  const mode = field(period, 'operationMode') ?? 'ChargingOnly';
  if (mode === 'Idle') return { minW: 0, maxW: 0 };
  if (typeof mode !== 'string' || !GIVEN.includes(mode)) return UNBOUNDED;
  const phases = number(period, 'numberPhases') ?? c.phases;
  const toW = (value: number, lines: number): number => {
    if (unit === 'W') return value;
    // Amperes at an unknown DC voltage may be any power.
    return c.current === 'ac' || value === 0 ? value * c.voltageV * lines : value * Number.POSITIVE_INFINITY;
  };
  const sum = (name: string): number | undefined => {
    const first = number(period, name);
    if (first === undefined) return undefined;
    const others = [number(period, `${name}_L2`), number(period, `${name}_L3`)].filter((n) => n !== undefined);
    // With per-phase values the plain field is L1 (ocpp 2.2); in amperes each phase counts once.
    if (others.length === 0) return toW(first, phases);
    return [first, ...others].reduce((a, b) => a + toW(b, 1), 0);
  };
  const setpoint = sum('setpoint');
  if (setpoint !== undefined) return { minW: setpoint, maxW: setpoint };
  const limit = sum('limit');
  const discharge = sum('dischargeLimit');
  if (limit === undefined && discharge === undefined) return undefined;
  // A period without a limit lets the station charge freely (ocpp 2.5).
  return { minW: Math.min(discharge ?? 0, limit ?? 0), maxW: limit ?? Number.POSITIVE_INFINITY };
}

/** The profile in a SetChargingProfile of any version. */
export const profileOf = (payload: unknown): unknown =>
  field(payload, 'chargingProfile') ?? field(payload, 'csChargingProfiles');

export function field(x: unknown, name: string): unknown {
  return typeof x === 'object' && x !== null && Object.hasOwn(x, name) ? Reflect.get(x, name) : undefined;
}

function number(x: unknown, name: string): number | undefined {
  const v = field(x, name);
  return typeof v === 'number' ? v : undefined;
}
