import type { PowerLimits } from './channel.ts';
import { type Circuitry, effectiveRange, field, type PowerRange, profileOf } from './effective.ts';
import { BRIDGE_ERRORS } from './errors.ts';

/** A native payload inside its limits. */
export interface Clipped {
  readonly payload: unknown;
  /** What it lets the station do; undefined for a station maximum, which only takes away. */
  readonly range: PowerRange | undefined;
  readonly changed: boolean;
}

type Json = Record<string, unknown>;

const MODES: readonly unknown[] = ['ChargingOnly', 'CentralSetpoint', 'CentralFrequency', 'Idle'];
const PHASES = ['', '_L2', '_L3'];
/** Watts that rounding may add on the way back. */
const ROUNDING_W = 0.5;

/**
 * Clips the profile or the dynamic values in a native payload to `limits` (design 2): values beyond are scaled down,
 * phase by phase, a missing charging limit is put in. TxProfiles go to stack level 0, below the gateway's own. Throws
 * `native.power` for what somebody else would decide: other purposes and modes, amperes at a DC outlet.
 */
export function clipPower(action: string, payload: unknown, limits: PowerLimits, c: Circuitry): Clipped {
  const copy = structuredClone(payload) as Json;
  const before = JSON.stringify(copy);
  if (action === 'UpdateDynamicSchedule') {
    clipPeriod(record(copy.scheduleUpdate), 'W', limits, c);
  } else {
    const profile = record(profileOf(copy));
    const purpose = profile.chargingProfilePurpose;
    if (purpose === 'ChargePointMaxProfile' || purpose === 'ChargingStationMaxProfile')
      return { payload, range: undefined, changed: false };
    if (purpose !== 'TxProfile' && purpose !== 'TxDefaultProfile')
      throw BRIDGE_ERRORS.fail('native.power', `A profile of purpose ${String(purpose)} is not held by any limit.`);
    if (purpose === 'TxProfile') profile.stackLevel = 0;
    for (const schedule of [profile.chargingSchedule].flat()) clipSchedule(record(schedule), limits, c);
  }
  const range = effectiveRange(action === 'UpdateDynamicSchedule' ? action : 'SetChargingProfile', copy, c);
  if (
    range === undefined ||
    range.maxW > limits.importLimitW + ROUNDING_W ||
    range.minW < -limits.exportLimitW - ROUNDING_W
  )
    throw BRIDGE_ERRORS.fail('native.power', `The power of ${action} cannot be brought inside the limits.`);
  return { payload: copy, range, changed: JSON.stringify(copy) !== before };
}

function record(x: unknown): Json {
  if (typeof x === 'object' && x !== null && !Array.isArray(x)) return x as Json;
  throw BRIDGE_ERRORS.fail('native.power', 'A profile with schedules and periods is missing.');
}

function clipSchedule(schedule: Json, limits: PowerLimits, c: Circuitry): void {
  const unit = schedule.chargingRateUnit === 'A' ? 'A' : 'W';
  if (unit === 'A' && c.current === 'dc')
    throw BRIDGE_ERRORS.fail('native.power', 'Amperes say nothing about power at a DC outlet; use watts.');
  for (const period of [schedule.chargingSchedulePeriod].flat()) {
    const p = record(period);
    const mode = p.operationMode ?? 'ChargingOnly';
    if (!MODES.includes(mode))
      throw BRIDGE_ERRORS.fail('native.power', `In the mode ${String(mode)} somebody else decides about the power.`);
    if (mode === 'ChargingOnly' && p.limit === undefined)
      p.limit = unit === 'W' ? limits.importLimitW : perPhase(limits, p, c);
    clipPeriod(p, unit, limits, c);
  }
}

const perPhase = ({ importLimitW }: PowerLimits, p: Json, c: Circuitry): number =>
  floor1(importLimitW / (c.voltageV * (numberOf(p.numberPhases) ?? c.phases)));

/** Scales each kind of value of a period so that its sum over the phases is within the limits. */
function clipPeriod(p: Json, unit: 'A' | 'W', { importLimitW, exportLimitW }: PowerLimits, c: Circuitry): void {
  for (const name of ['limit', 'setpoint', 'dischargeLimit']) {
    const given = PHASES.map((x) => numberOf(p[`${name}${x}`]));
    const values = given.filter((v) => v !== undefined);
    if (values.length === 0) continue;
    const lines = values.length > 1 ? 1 : (numberOf(p.numberPhases) ?? c.phases);
    const sumW = values.reduce((a, b) => a + b, 0) * (unit === 'A' ? c.voltageV * lines : 1);
    const heldW = Math.min(Math.max(sumW, -exportLimitW), importLimitW);
    if (heldW === sumW) continue;
    PHASES.forEach((x, i) => {
      const v = given[i];
      if (v !== undefined) p[`${name}${x}`] = sumW === 0 ? 0 : toward0((v * heldW) / sumW);
    });
  }
}

/** Amperes and watts of 1.6 are multiples of 0.1 (ocpp 2.2); what is cut is cut towards zero. */
const toward0 = (x: number): number => (x < 0 ? 0 - floor1(-x) : floor1(x));
const floor1 = (x: number): number => Math.floor(10 * x + 1e-6) / 10;
const numberOf = (x: unknown): number | undefined => (typeof x === 'number' ? x : undefined);

/** Controls that protect grid and people, or move active power by themselves: not for flows (ocpp 3.2, fo 10). */
const PROTECTIVE = /^(EnterService|HF|HV|LF|LV|PowerMonitoring)/;
const ACTIVE = ['FreqDroop', 'FreqWatt'];

/** Throws `native.power` for a DER control that would disable protection or move power past every limit. */
export function checkDer(action: string, payload: unknown): void {
  const type = field(payload, 'controlType');
  if (typeof type !== 'string') {
    if (action === 'ClearDERControl' && field(payload, 'controlId') === undefined)
      throw BRIDGE_ERRORS.fail('native.power', 'Clearing every DER control would disable protection.');
    if (action === 'ClearDERControl')
      throw BRIDGE_ERRORS.fail('native.power', 'Name the controlType: the control may be one that protects.');
    return;
  }
  if (PROTECTIVE.test(type))
    throw BRIDGE_ERRORS.fail('native.power', `${action} of ${type} could disable protection; the installer sets it.`);
  if (action === 'SetDERControl' && ACTIVE.includes(type))
    throw BRIDGE_ERRORS.fail('native.power', `${type} moves active power past every limit of this gateway.`);
}
