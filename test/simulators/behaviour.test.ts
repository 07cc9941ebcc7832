import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { Station16, Station21, StationSpec } from '../../simulators/stations/index.ts';
import { acCar, v2gCar, World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = new World();
  await world.listen();
});
afterEach(() => world.close());

function unitOf(station: Pick<Station16, 'unit'> | Pick<Station21, 'unit'>) {
  const unit = station.unit(1);
  if (!unit) throw new Error('no EVSE 1');
  return unit;
}

async function charging16(spec: Partial<StationSpec> = {}): Promise<Station16> {
  const station = world.station16(spec);
  await world.until('boot', () => station.everReady);
  station.sessions.plug(unitOf(station), acCar);
  await world.until('transaction', () => unitOf(station).tx?.wireId !== undefined);
  return station;
}

async function charging21(spec: Partial<StationSpec> = {}, car = v2gCar): Promise<Station21> {
  const station = world.station21(spec);
  await world.until('boot', () => station.everReady);
  station.sessions.plug(unitOf(station), car);
  await world.until('transaction', () => world.of('TransactionEvent').length > 1);
  return station;
}

const schedule = (limit: number, chargingRateUnit: 'A' | 'W' = 'W') => ({
  chargingRateUnit,
  startSchedule: iso(world.clock.now()),
  chargingSchedulePeriod: [{ startPeriod: 0, limit }],
});
const profile16 = (limit: number, unit: 'A' | 'W' = 'A') => ({
  connectorId: 1,
  csChargingProfiles: {
    chargingProfileId: 1,
    stackLevel: 0,
    chargingProfilePurpose: 'TxDefaultProfile' as const,
    chargingProfileKind: 'Absolute' as const,
    chargingSchedule: schedule(limit, unit),
  },
});
const profile21 = (limit: number, purpose: 'TxDefaultProfile' | 'PriorityCharging', id = 1) => ({
  evseId: 1,
  chargingProfile: {
    id,
    stackLevel: 0,
    chargingProfilePurpose: purpose,
    chargingProfileKind: 'Absolute' as const,
    chargingSchedule: [{ id: 1, ...schedule(limit) }],
  },
});
/** The power that the newest MeterValues show, W. */
function shownW(): number {
  const [value] = world.last('MeterValues').meterValue as { sampledValue: { measurand: string; value: string }[] }[];
  return Number(value?.sampledValue.find((s) => s.measurand === 'Power.Active.Import')?.value);
}

describe('what a station is built for', () => {
  it('a station of one unit refuses the other and says so in its configuration', async () => {
    await charging16({ rateUnits: ['W'] });
    const cs = world.cs1();
    expect((await cs.call('SetChargingProfile', profile16(8, 'A'))).status).toBe('Rejected');
    expect((await cs.call('SetChargingProfile', profile16(4600, 'W'))).status).toBe('Accepted');
    const { configurationKey } = await cs.call('GetConfiguration', {
      key: ['ChargingScheduleAllowedChargingRateUnit'],
    });
    expect(configurationKey?.[0]?.value).toBe('Power');
  });

  it('a station without smart charging only starts and stops', async () => {
    await charging16({ smartCharging: false });
    const cs = world.cs1();
    expect(await cs.call('SetChargingProfile', profile16(8))).toEqual({ status: 'NotSupported' });
    await expect(cs.call('GetCompositeSchedule', { connectorId: 1, duration: 60 })).rejects.toMatchObject({
      code: 'ocpp.notSupported',
    });
    const { configurationKey, unknownKey } = await cs.call('GetConfiguration', {
      key: ['SupportedFeatureProfiles', 'ChargeProfileMaxStackLevel'],
    });
    expect([configurationKey?.[0]?.value, unknownKey]).toEqual(['Core,RemoteTrigger', ['ChargeProfileMaxStackLevel']]);
    expect((await cs.call('RemoteStopTransaction', { transactionId: 100 })).status).toBe('Accepted');
    const v21 = await charging21({ smartCharging: false });
    expect(v21.everReady).toBe(true);
    await expect(world.cs2().call('SetChargingProfile', profile21(1, 'TxDefaultProfile'))).rejects.toMatchObject({
      code: 'ocpp.notSupported',
    });
  });

  it('a configuration list that is too long, or names what it does not sample, is refused', async () => {
    await charging16({ itemsPerMessage: 2, measurands: ['Energy.Active.Import.Register'] });
    const cs = world.cs1();
    await expect(cs.call('GetConfiguration', { key: ['A', 'B', 'C'] })).rejects.toMatchObject({
      cause: { protocol: 'OccurrenceConstraintViolation' },
    });
    const change = (value: string) => cs.call('ChangeConfiguration', { key: 'MeterValuesSampledData', value });
    expect((await change('Power.Active.Import,Energy.Active.Import.Register')).status).toBe('Rejected');
    expect((await change('Energy.Active.Import.Register')).status).toBe('Accepted');
  });

  it('an AC station of 2.1 takes amperes and phases, and a bidirectional car gives power back', async () => {
    const car = { ...v2gCar, phases: 3, minCurrentA: 6, maxImportW: 11_040, maxExportW: 11_040 };
    const station = await charging21(
      { phases: 3, maxImportW: 11_040, maxExportW: 11_040 },
      { ...car, tellsNeeds: true },
    );
    await world.run(400);
    expect(world.last('NotifyEVChargingNeeds').chargingNeeds).toMatchObject({ requestedEnergyTransfer: 'AC_BPT' });
    const period = { startPeriod: 0, operationMode: 'CentralSetpoint' as const, setpoint: -10, numberPhases: 3 };
    const chargingSchedule = [{ id: 1, ...schedule(0, 'A'), chargingSchedulePeriod: [period] }];
    const base = profile21(0, 'TxDefaultProfile').chargingProfile;
    const chargingProfile = { ...base, chargingSchedule };
    expect((await world.cs2().call('SetChargingProfile', { evseId: 1, chargingProfile })).status).toBe('Accepted');
    await world.run(4000);
    expect(unitOf(station).evse.powerW).toBeCloseTo(-6900, 0);
  });
});

describe('what a station is told while it runs', () => {
  it('lie: it says yes, shows the limit as in force, and takes more', async () => {
    const station = await charging16();
    station.setFault('lie');
    expect((await world.cs1().call('SetChargingProfile', profile16(4140, 'W'))).status).toBe('Accepted');
    await world.run(4000);
    expect(unitOf(station).evse.powerW).toBeCloseTo(7210, 0);
    const plan = await world
      .cs1()
      .call('GetCompositeSchedule', { connectorId: 1, duration: 60, chargingRateUnit: 'W' });
    expect(plan.chargingSchedule?.chargingSchedulePeriod[0]?.limit).toBe(4140);
    station.setFault('none');
    await world.run(4000);
    expect(unitOf(station).evse.powerW).toBeCloseTo(4140, 0);
  });

  it('the meter shows half, stands still, or says nothing', async () => {
    const station = await charging16();
    await world.run(4000);
    station.setMeter('wrong');
    await world.run(4000);
    expect(shownW()).toBeCloseTo(5520, 0);
    station.setMeter('frozen');
    await world.cs1().call('SetChargingProfile', profile16(8));
    await world.run(6000);
    expect(unitOf(station).evse.powerW).toBeCloseTo(5520, 0);
    expect(shownW()).toBeCloseTo(11_040, 0);
    station.setMeter('missing');
    const before = world.of('MeterValues').length;
    await world.run(10_000);
    expect(world.of('MeterValues').length).toBe(before);
    station.setMeter('right');
    await world.run(4000);
    expect(shownW()).toBeCloseTo(5520, 0);
  });

  it('responds slower, ramps slower and gives less from now on', async () => {
    const station = await charging16();
    await world.run(4000);
    station.tune({ responseDelayMs: 3000, rampWPerS: 1000, maxImportW: 9000 });
    await world.cs1().call('SetChargingProfile', profile16(4140, 'W'));
    await world.run(3000);
    expect(unitOf(station).evse.powerW).toBeCloseTo(9000, -3);
    await world.run(2000);
    expect(unitOf(station).evse.powerW).toBeGreaterThan(5500);
    await world.run(4000);
    expect(unitOf(station).evse.powerW).toBeCloseTo(4140, 0);
  });

  it('priority charging replaces the other profiles and is told, by button and by the CSMS', async () => {
    const station = await charging21();
    const cs = world.cs2();
    const transactionId = unitOf(station).tx?.id ?? '';
    await cs.call('SetChargingProfile', profile21(2000, 'TxDefaultProfile'));
    expect(await cs.call('UsePriorityCharging', { transactionId, activate: true })).toEqual({ status: 'NoProfile' });
    expect((await cs.call('SetChargingProfile', profile21(9000, 'PriorityCharging', 2))).status).toBe('Accepted');
    await world.run(4000);
    expect(unitOf(station).evse.powerW).toBe(2000);
    station.press('priorityOn');
    await world.run(4000);
    expect(world.last('NotifyPriorityCharging')).toEqual({ transactionId, activated: true });
    expect(unitOf(station).evse.powerW).toBe(9000);
    expect(await cs.call('UsePriorityCharging', { transactionId, activate: false })).toEqual({ status: 'Accepted' });
    await world.run(4000);
    expect(world.last('NotifyPriorityCharging')).toEqual({ transactionId, activated: false });
    expect(unitOf(station).evse.powerW).toBe(2000);
    const unknown = await cs.call('UsePriorityCharging', { transactionId: 'x', activate: true });
    expect(unknown.statusInfo?.reasonCode).toBe('TxNotFound');
  });

  it('a 1.6 station tells priority charging by DataTransfer', async () => {
    const station = await charging16();
    station.press('priorityOn');
    await world.run(400);
    expect(world.last('DataTransfer')).toEqual({
      vendorId: 'v2gate',
      messageId: 'PriorityCharging',
      data: JSON.stringify({ transactionId: 100, activated: true }),
    });
  });

  it('somebody at the site limits it: it obeys, tells, and is free again', async () => {
    const station = await charging21();
    station.limitExternally(3000);
    await world.run(4000);
    expect(unitOf(station).evse.powerW).toBe(3000);
    expect(world.last('NotifyChargingLimit')).toMatchObject({
      chargingLimit: { chargingLimitSource: 'EMS' },
      chargingSchedule: [{ chargingSchedulePeriod: [{ limit: 3000 }] }],
    });
    station.limitExternally(undefined);
    await world.run(4000);
    expect(unitOf(station).evse.powerW).toBe(11_000);
    expect(world.last('ClearedChargingLimit')).toEqual({ chargingLimitSource: 'EMS' });
  });

  it('answers DataTransfer of its vendor, and of no other', async () => {
    await charging16();
    await charging21();
    const echo = { vendorId: 'v2gate', messageId: 'Echo', data: 'x' };
    for (const cs of [world.cs1(), world.cs2()]) {
      expect(await cs.callAny('DataTransfer', echo)).toEqual({ status: 'Accepted', data: 'x' });
      expect(await cs.callAny('DataTransfer', { ...echo, messageId: 'Y' })).toEqual({ status: 'UnknownMessageId' });
      expect(await cs.callAny('DataTransfer', { vendorId: 'other' })).toEqual({ status: 'UnknownVendorId' });
    }
  });

  it('people plug, stop, unplug; an EVSE breaks and is mended', async () => {
    const station = world.station16({ evses: 2 });
    await world.until('boot', () => station.everReady);
    station.press('plug', 2);
    await world.until('transaction', () => station.unit(2)?.tx?.wireId !== undefined);
    expect(station.unit(1)?.ev).toBeUndefined();
    station.press('stop');
    await world.run(400);
    expect(world.last('StopTransaction')).toMatchObject({ reason: 'Local' });
    expect(world.last('StatusNotification')).toMatchObject({ connectorId: 2, status: 'Finishing' });
    station.press('fault', 2);
    await world.run(400);
    expect(world.last('StatusNotification')).toMatchObject({ status: 'Faulted', errorCode: 'InternalError' });
    station.press('unplug');
    station.press('repair');
    await world.run(400);
    expect(world.last('StatusNotification')).toMatchObject({ connectorId: 2, status: 'Available' });
  });

  it('loses power: it is gone without a word, and tells the end of the transaction after the next boot', async () => {
    const station = await charging16();
    station.press('powerCycle');
    await world.run(1000);
    expect(world.of('StopTransaction')).toEqual([]);
    expect(() => world.cs1()).toThrow('not connected');
    await world.until('boot', () => world.of('BootNotification').length === 2);
    await world.run(1000);
    expect(world.last('StopTransaction')).toMatchObject({ reason: 'PowerLoss', transactionId: 100 });
    expect(unitOf(station).tx).toBeUndefined();
  });
});
