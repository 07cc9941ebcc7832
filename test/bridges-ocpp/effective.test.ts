import { describe, expect, it } from 'vitest';
import { type Circuitry, effectiveRange } from '../../bridges/ocpp/effective.ts';

const ac: Circuitry = { current: 'ac', voltageV: 230, phases: 3 };
const dc: Circuitry = { current: 'dc', voltageV: 230, phases: 1 };

const v16 = (unit: 'A' | 'W', ...periods: object[]) => ({
  connectorId: 1,
  csChargingProfiles: {
    chargingProfilePurpose: 'TxProfile',
    chargingSchedule: { chargingRateUnit: unit, chargingSchedulePeriod: periods },
  },
});
const v21 = (period: object, purpose = 'TxProfile', unit = 'W') => ({
  evseId: 1,
  chargingProfile: {
    chargingProfilePurpose: purpose,
    chargingSchedule: [{ chargingRateUnit: unit, chargingSchedulePeriod: [period] }],
  },
});
const of = (payload: unknown, c = ac, action = 'SetChargingProfile') => effectiveRange(action, payload, c);
const UNBOUNDED = { minW: Number.NEGATIVE_INFINITY, maxW: Number.POSITIVE_INFINITY };

describe('what a payload lets a station do', () => {
  it('amperes count per phase', () => {
    expect(of(v16('A', { limit: 10 }))).toEqual({ minW: 0, maxW: 6900 });
    expect(of(v16('A', { limit: 10, numberPhases: 1 }))).toEqual({ minW: 0, maxW: 2300 });
  });

  it('watts count as they are, and the widest of all periods decides', () => {
    expect(of(v16('W', { limit: 5000 }, { limit: 9000 }, { limit: 0 }))).toEqual({ minW: 0, maxW: 9000 });
  });

  it('a negative limit is a permission to export', () => {
    expect(of(v16('W', { limit: -3000 }))).toEqual({ minW: -3000, maxW: -3000 });
  });

  it('a setpoint is both bounds, in profiles and in updates', () => {
    const mode = { operationMode: 'CentralSetpoint' };
    expect(of(v21({ ...mode, setpoint: -5000 }))).toEqual({ minW: -5000, maxW: -5000 });
    expect(of({ scheduleUpdate: { setpoint: 4000 } }, ac, 'UpdateDynamicSchedule')).toEqual({ minW: 4000, maxW: 4000 });
  });

  it('values per phase are summed, the plain one being L1', () => {
    expect(of(v21({ limit: 1000, limit_L2: 2000, limit_L3: 3000 }))).toEqual({ minW: 0, maxW: 6000 });
    expect(of(v21({ limit: 10, limit_L2: 5, limit_L3: 1 }, 'TxProfile', 'A'))).toEqual({ minW: 0, maxW: 16 * 230 });
  });

  it('without a limit charging is free, and a dischargeLimit opens export', () => {
    expect(of(v21({ dischargeLimit: -4000 }))).toEqual({ minW: -4000, maxW: Number.POSITIVE_INFINITY });
  });

  it('a setpoint beside the limit of ChargingOnly does not count, and a period without limit is free', () => {
    expect(of(v21({ setpoint: 0, limit: 22_000 }))).toEqual({ minW: 0, maxW: 22_000 });
    expect(of(v21({ setpoint: 0 }))?.maxW).toBe(Number.POSITIVE_INFINITY);
    expect(of(v16('W', { limit: 1000 }, { startPeriod: 60 }))?.maxW).toBe(Number.POSITIVE_INFINITY);
    const update = { scheduleUpdate: { setpoint: 0, limit: 22_000 } };
    expect(of(update, ac, 'UpdateDynamicSchedule')).toEqual({ minW: 0, maxW: 22_000 });
  });

  it('no phases, and phases without the first, are not nothing', () => {
    expect(of(v21({ limit: 32, numberPhases: 0 }, 'TxProfile', 'A'))?.maxW).toBe(32 * 230 * 3);
    expect(of(v21({ limit_L2: 30_000 }))?.maxW).toBe(30_000);
  });

  it('amperes at a DC outlet may be any power, apart from none', () => {
    expect(of(v16('A', { limit: 10 }), dc)?.maxW).toBe(Number.POSITIVE_INFINITY);
    expect(of(v16('A', { limit: 0 }), dc)).toEqual({ minW: 0, maxW: 0 });
  });

  it('what others decide is unbounded', () => {
    for (const operationMode of ['LocalFrequency', 'LocalLoadBalancing', 'ExternalSetpoint', 'ExternalLimits'])
      expect(of(v21({ operationMode, limit: 1 })), operationMode).toEqual(UNBOUNDED);
    for (const purpose of ['LocalGeneration', 'PriorityCharging', 'ChargingStationExternalConstraints'])
      expect(of(v21({ limit: 1 }, purpose)), purpose).toEqual(UNBOUNDED);
  });

  it('idle is nothing', () => {
    expect(of(v21({ operationMode: 'Idle' }))).toEqual({ minW: 0, maxW: 0 });
  });

  it('payloads without power say nothing', () => {
    expect(of({}, ac, 'Reset')).toBeUndefined();
    expect(of(v16('W'))).toBeUndefined();
    expect(of(v21({ operationMode: 'CentralSetpoint' }))).toBeUndefined();
  });
});
