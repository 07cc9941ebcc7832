import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { Request } from '../../protocols/ocpp/index.ts';
import type { Station16 } from '../../simulators/stations/index.ts';
import { acCar, World } from './world.ts';

type Profile = Request<'ocpp1.6', 'SetChargingProfile'>['csChargingProfiles'];

let world: World;
beforeEach(async () => {
  world = new World();
  await world.listen();
});
afterEach(() => world.close());

const statuses = (): unknown[] =>
  world.of('StatusNotification').map((r) => `${r.payload.connectorId}:${r.payload.status}`);

/** A TxDefault profile of `limit` A from now. */
function profile(limit: number, rest: Partial<Profile> = {}): Profile {
  return {
    chargingProfileId: 1,
    stackLevel: 0,
    chargingProfilePurpose: 'TxDefaultProfile',
    chargingProfileKind: 'Absolute',
    chargingSchedule: {
      chargingRateUnit: 'A',
      startSchedule: iso(world.clock.now()),
      chargingSchedulePeriod: [{ startPeriod: 0, limit }],
    },
    ...rest,
  };
}

/** Sampled values of the last MeterValues, `measurand phase` → value. */
function meter(): Record<string, number> {
  const meterValue = world.last('MeterValues').meterValue as Request<'ocpp1.6', 'MeterValues'>['meterValue'];
  const samples = meterValue[0]?.sampledValue ?? [];
  return Object.fromEntries(samples.map((s) => [`${s.measurand} ${s.phase ?? ''}`.trim(), Number(s.value)]));
}

async function charging(): Promise<Station16> {
  const station = world.station16();
  await world.until('boot', () => station.everReady);
  station.sessions.plug(unitOf(station), acCar);
  await world.until('transaction', () => unitOf(station).tx?.wireId !== undefined);
  return station;
}

function unitOf(station: Station16) {
  const unit = station.unit(1);
  if (!unit) throw new Error('no connector 1');
  return unit;
}

describe('a 1.6 station', () => {
  it('boots, tells its states, charges and meters, and ends when the driver leaves', async () => {
    const station = await charging();
    expect(world.last('BootNotification')).toMatchObject({ chargePointVendor: 'v2gate', chargePointModel: 'SimAC16' });
    await world.run(10_000);
    expect(world.names().slice(0, 6)).toEqual([
      'BootNotification',
      'StatusNotification',
      'StatusNotification',
      'StatusNotification',
      'Authorize',
      'StartTransaction',
    ]);
    expect(meter()).toMatchObject({ 'Power.Active.Import': expect.closeTo(11_040, 0) });
    const now = meter();
    const phases = ['L1', 'L2', 'L3'].map((l) => (now[`Current.Import ${l}`] ?? 0) * (now[`Voltage ${l}-N`] ?? 0));
    expect(phases.reduce((a, b) => a + b, 0)).toBeCloseTo(11_040, -2);
    expect(world.of('MeterValues').length).toBeGreaterThanOrEqual(4);
    station.sessions.unplug(unitOf(station));
    await world.run(400);
    expect(world.last('StopTransaction')).toMatchObject({
      transactionId: 100,
      reason: 'Local',
      meterStop: expect.any(Number),
    });
    expect(Number(world.last('StopTransaction').meterStop)).toBeGreaterThan(20);
    expect(statuses()).toEqual([
      '0:Available',
      '1:Available',
      '1:Preparing',
      '1:Charging',
      '1:Finishing',
      '1:Available',
    ]);
  });

  it('obeys a limit in amperes per phase', async () => {
    await charging();
    const answer = await world.cs1().call('SetChargingProfile', { connectorId: 1, csChargingProfiles: profile(8) });
    expect(answer.status).toBe('Accepted');
    await world.run(4000);
    expect(meter()['Power.Active.Import']).toBeCloseTo(8 * 690, 0);
  });

  it('suspends below 6 A and goes on when the limit is gone', async () => {
    await charging();
    await world.cs1().call('SetChargingProfile', { connectorId: 1, csChargingProfiles: profile(5.9) });
    await world.run(4000);
    expect(meter()['Power.Active.Import']).toBe(0);
    expect(statuses().at(-1)).toBe('1:SuspendedEVSE');
    expect(await world.cs1().call('ClearChargingProfile', { id: 1 })).toEqual({ status: 'Accepted' });
    expect(await world.cs1().call('ClearChargingProfile', { id: 1 })).toEqual({ status: 'Unknown' });
    await world.run(4000);
    expect(statuses().at(-1)).toBe('1:Charging');
    expect(meter()['Power.Active.Import']).toBeCloseTo(11_040, 0);
  });

  it('a transaction profile replaces the default, the station maximum caps both, and a duration ends by itself', async () => {
    await charging();
    const cs = world.cs1();
    const start = iso(world.clock.now());
    const tx: Profile = {
      ...profile(14, { chargingProfileId: 2, chargingProfilePurpose: 'TxProfile', transactionId: 100 }),
      chargingSchedule: {
        chargingRateUnit: 'A',
        startSchedule: start,
        duration: 20,
        chargingSchedulePeriod: [
          { startPeriod: 0, limit: 14 },
          { startPeriod: 10, limit: 10 },
        ],
      },
    };
    const max = profile(12, { chargingProfileId: 3, chargingProfilePurpose: 'ChargePointMaxProfile' });
    await cs.call('SetChargingProfile', { connectorId: 1, csChargingProfiles: profile(7) });
    await cs.call('SetChargingProfile', { connectorId: 1, csChargingProfiles: tx });
    await cs.call('SetChargingProfile', { connectorId: 0, csChargingProfiles: max });
    const plan = await cs.call('GetCompositeSchedule', { connectorId: 1, duration: 60, chargingRateUnit: 'A' });
    expect(plan.chargingSchedule?.chargingSchedulePeriod).toEqual([
      { startPeriod: 0, limit: 12, numberPhases: 3 },
      { startPeriod: 10, limit: 10, numberPhases: 3 },
      { startPeriod: 20, limit: 7, numberPhases: 3 },
    ]);
    const seen: number[] = [];
    for (let i = 0; i < 3; i++) {
      await world.run(i === 0 ? 6000 : 10_000);
      seen.push(Math.round((meter()['Power.Active.Import'] ?? 0) / 690));
    }
    expect(seen).toEqual([12, 10, 7]);
  });

  it.each<[string, number, (p: Profile) => Profile]>([
    ['an unknown connector', 7, (p) => p],
    [
      'a transaction profile of another transaction',
      1,
      (p) => ({ ...p, chargingProfilePurpose: 'TxProfile', transactionId: 9 }),
    ],
    ['a station maximum for a connector', 1, (p) => ({ ...p, chargingProfilePurpose: 'ChargePointMaxProfile' })],
    ['a stack level that is too high', 1, (p) => ({ ...p, stackLevel: 11 })],
    ['periods out of order', 1, (p) => withPeriods(p, [0, 20, 10])],
    ['a first period after the start', 1, (p) => withPeriods(p, [5])],
    ['an absolute schedule without a start', 1, withoutStart],
  ])('rejects %s', async (_what, connectorId, change) => {
    await charging();
    const bad = change(profile(8));
    expect((await world.cs1().call('SetChargingProfile', { connectorId, csChargingProfiles: bad })).status).toBe(
      'Rejected',
    );
    await world.run(3000);
    expect(meter()['Power.Active.Import']).toBeCloseTo(11_040, 0);
  });

  it('reads and changes its configuration', async () => {
    await charging();
    const cs = world.cs1();
    const read = await cs.call('GetConfiguration', {
      key: ['MeterValueSampleInterval', 'NumberOfConnectors', 'Nonsense'],
    });
    expect(read).toEqual({
      configurationKey: [
        { key: 'MeterValueSampleInterval', readonly: false, value: '2' },
        { key: 'NumberOfConnectors', readonly: true, value: '1' },
      ],
      unknownKey: ['Nonsense'],
    });
    const change = async (key: string, value: string): Promise<string> =>
      (await cs.call('ChangeConfiguration', { key, value })).status;
    expect(await change('MeterValueSampleInterval', '10')).toBe('Accepted');
    expect(await change('MeterValueSampleInterval', 'soon')).toBe('Rejected');
    expect(await change('NumberOfConnectors', '2')).toBe('Rejected');
    expect(await change('MeterValuesSampledData', 'Voltage,SoC')).toBe('Rejected');
    expect(await change('constructor', '1')).toBe('NotSupported');
    await world.run(4000);
    const before = world.of('MeterValues').length;
    await world.run(20_000);
    expect(world.of('MeterValues').length - before).toBe(2);
  });

  it('starts and stops on request, with a profile', async () => {
    const station = world.station16();
    await world.until('boot', () => station.everReady);
    world.answers.Authorize = () => ({ idTagInfo: { status: 'Invalid' } });
    station.sessions.plug(unitOf(station), acCar);
    await world.run(3000);
    expect(unitOf(station).tx).toBeUndefined();
    const chargingProfile = profile(9, { chargingProfilePurpose: 'TxProfile', chargingProfileKind: 'Relative' });
    delete chargingProfile.chargingSchedule.startSchedule;
    const cs = world.cs1();
    expect(await cs.call('RemoteStartTransaction', { connectorId: 1, idTag: 'DEMO-9', chargingProfile })).toEqual({
      status: 'Accepted',
    });
    await world.run(5000);
    expect(world.last('StartTransaction')).toMatchObject({ idTag: 'DEMO-9', connectorId: 1 });
    expect(meter()['Power.Active.Import']).toBeCloseTo(9 * 690, 0);
    expect(await cs.call('RemoteStartTransaction', { connectorId: 1, idTag: 'DEMO-9' })).toEqual({
      status: 'Rejected',
    });
    expect(await cs.call('RemoteStopTransaction', { transactionId: 5 })).toEqual({ status: 'Rejected' });
    expect(await cs.call('RemoteStopTransaction', { transactionId: 100 })).toEqual({ status: 'Accepted' });
    await world.run(400);
    expect(world.last('StopTransaction')).toMatchObject({ transactionId: 100, reason: 'Remote' });
  });

  it('goes out of service after the running transaction', async () => {
    const station = await charging();
    const cs = world.cs1();
    const answer = await cs.call('ChangeAvailability', { connectorId: 1, type: 'Inoperative' });
    expect(answer).toEqual({ status: 'Scheduled' });
    station.sessions.unplug(unitOf(station));
    await world.run(400);
    expect(statuses().at(-1)).toBe('1:Unavailable');
    expect(await cs.call('RemoteStartTransaction', { connectorId: 1, idTag: 'X' })).toEqual({ status: 'Rejected' });
    expect(await cs.call('ChangeAvailability', { connectorId: 0, type: 'Operative' })).toEqual({ status: 'Accepted' });
    await world.run(400);
    expect(statuses().slice(-2)).toEqual(['0:Available', '1:Available']);
    expect(await cs.call('ChangeAvailability', { connectorId: 3, type: 'Operative' })).toEqual({ status: 'Rejected' });
  });

  it('sends what is triggered', async () => {
    await charging();
    await world.run(600);
    const cs = world.cs1();
    for (const requestedMessage of ['Heartbeat', 'StatusNotification', 'MeterValues', 'BootNotification'] as const) {
      const before = world.of(requestedMessage).length;
      expect(await cs.call('TriggerMessage', { requestedMessage })).toEqual({ status: 'Accepted' });
      await world.run(200);
      expect(world.of(requestedMessage).length).toBeGreaterThan(before);
    }
    const other = await cs.call('TriggerMessage', { requestedMessage: 'FirmwareStatusNotification' });
    expect(other).toEqual({ status: 'NotImplemented' });
  });

  it('answers an unknown vendor, and actions it does not have with NotImplemented', async () => {
    await charging();
    const cs = world.cs1();
    expect(await cs.call('DataTransfer', { vendorId: 'somebody' })).toEqual({ status: 'UnknownVendorId' });
    await expect(cs.call('GetLocalListVersion', {})).rejects.toMatchObject({ code: 'ocpp.notImplemented' });
  });

  it('boots again after a reset, its transaction ended', async () => {
    await charging();
    await world.cs1().call('Reset', { type: 'Soft' });
    await world.until('second boot', () => world.of('BootNotification').length === 2);
    expect(world.last('StopTransaction')).toMatchObject({ reason: 'SoftReset' });
  });

  it('waits while the boot is pending, and tries again after the interval', async () => {
    world.answers.BootNotification = () => ({ status: 'Pending', currentTime: iso(world.clock.now()), interval: 30 });
    const station = world.station16();
    await world.until('boot', () => world.names().length > 0);
    station.sessions.plug(unitOf(station), acCar);
    await world.run(29_000);
    expect(world.names()).toEqual(['BootNotification']);
    delete world.answers.BootNotification;
    await world.run(3000);
    expect(world.names().slice(1, 4)).toEqual(['BootNotification', 'StatusNotification', 'StatusNotification']);
    await world.until('transaction', () => world.of('StartTransaction').length === 1);
  });

  it('sends a heartbeat after its interval of silence', async () => {
    world.answers.BootNotification = () => ({ status: 'Accepted', currentTime: iso(world.clock.now()), interval: 10 });
    const station = world.station16();
    await world.until('boot', () => station.everReady);
    await world.run(31_000);
    expect(world.of('Heartbeat').length).toBe(3);
  });

  it('ends the transaction when the CSMS does not know the driver', async () => {
    world.answers.StartTransaction = () => ({ transactionId: 7, idTagInfo: { status: 'Blocked' } });
    const station = world.station16();
    await world.until('boot', () => station.everReady);
    station.sessions.plug(unitOf(station), acCar);
    await world.until('stop', () => world.of('StopTransaction').length === 1);
    expect(world.last('StopTransaction')).toMatchObject({ transactionId: 7, reason: 'DeAuthorized' });
  });

  it('shares the station maximum among its connectors', async () => {
    const station = world.station16({ evses: 2 });
    await world.until('boot', () => station.everReady);
    for (const unit of station.units) station.sessions.plug(unit, acCar);
    await world.until('transactions', () => station.units.every((u) => u.tx?.wireId !== undefined));
    const max = profile(20, { chargingProfilePurpose: 'ChargePointMaxProfile' });
    await world.cs1().call('SetChargingProfile', { connectorId: 0, csChargingProfiles: max });
    await world.run(4000);
    const powers = station.units.map((u) => Math.round(u.evse.powerW / 690));
    expect(powers).toEqual([10, 10]);
  });
});

function withPeriods(p: Profile, starts: number[]): Profile {
  const chargingSchedulePeriod = starts.map((startPeriod) => ({ startPeriod, limit: 8 }));
  return { ...p, chargingSchedule: { ...p.chargingSchedule, chargingSchedulePeriod } };
}

function withoutStart(p: Profile): Profile {
  const { startSchedule: _gone, ...chargingSchedule } = p.chargingSchedule;
  return { ...p, chargingSchedule };
}
