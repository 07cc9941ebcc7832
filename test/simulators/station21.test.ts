import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { Request } from '../../protocols/ocpp/index.ts';
import type { Station21 } from '../../simulators/stations/index.ts';
import { v2gCar, World } from './world.ts';

type Profile = Request<'ocpp2.1', 'SetChargingProfile'>['chargingProfile'];
type Period = Profile['chargingSchedule'][number]['chargingSchedulePeriod'][number];
type Event = Request<'ocpp2.1', 'TransactionEvent'>;

let world: World;
beforeEach(async () => {
  world = new World();
  await world.listen();
});
afterEach(() => world.close());

function unitOf(station: Station21) {
  const unit = station.unit(1);
  if (!unit) throw new Error('no EVSE 1');
  return unit;
}

async function charging(): Promise<Station21> {
  const station = world.station21();
  await world.until('boot', () => station.everReady);
  station.sessions.plug(unitOf(station), v2gCar);
  await world.until('transaction', () => world.of('NotifyEVChargingNeeds').length === 1);
  await world.run(400);
  return station;
}

const txId = (station: Station21): string => unitOf(station).tx?.id ?? 'none';

/** A Dynamic TxProfile with a setpoint, as the gateway sends it (Q04). */
function dynamic(station: Station21, setpoint: number, durationS?: number): Profile {
  return {
    id: 10,
    stackLevel: 5,
    chargingProfilePurpose: 'TxProfile',
    chargingProfileKind: 'Dynamic',
    transactionId: txId(station),
    chargingSchedule: [
      {
        id: 1,
        chargingRateUnit: 'W',
        ...(durationS === undefined ? {} : { duration: durationS }),
        chargingSchedulePeriod: [{ startPeriod: 0, operationMode: 'CentralSetpoint', setpoint }],
      },
    ],
  };
}

/** An Absolute TxDefault profile with this one period. */
function fallback(period: Omit<Period, 'startPeriod'>, rest: Partial<Profile> = {}): Profile {
  return {
    id: 1,
    stackLevel: 0,
    chargingProfilePurpose: 'TxDefaultProfile',
    chargingProfileKind: 'Absolute',
    chargingSchedule: [
      {
        id: 1,
        chargingRateUnit: 'W',
        startSchedule: iso(world.clock.now()),
        chargingSchedulePeriod: [{ startPeriod: 0, ...period }],
      },
    ],
    ...rest,
  };
}

const set = (chargingProfile: Profile, evseId = 1) =>
  world.cs2().call('SetChargingProfile', { evseId, chargingProfile });
const events = (): Event[] => world.of('TransactionEvent').map((r) => r.payload as Partial<Event> as Event);

/** Values of the newest event with meter values, by measurand. */
function meter(): Record<string, number> {
  const samples = events().findLast((e) => e.meterValue)?.meterValue?.[0]?.sampledValue ?? [];
  return Object.fromEntries(samples.map((s) => [s.measurand ?? '', s.value]));
}

describe('a 2.1 station', () => {
  it('boots, authorises, opens the transaction and tells what the car needs', async () => {
    const station = await charging();
    expect(world.names().slice(0, 6)).toEqual([
      'BootNotification',
      'StatusNotification',
      'StatusNotification',
      'Authorize',
      'TransactionEvent',
      'NotifyEVChargingNeeds',
    ]);
    expect(world.last('BootNotification')).toMatchObject({
      reason: 'PowerUp',
      chargingStation: { vendorName: 'v2gate', model: 'SimV2G21' },
    });
    expect(events().slice(0, 2)).toMatchObject([
      { eventType: 'Started', triggerReason: 'Authorized', seqNo: 0, idToken: { idToken: 'DEMO-1' } },
      { eventType: 'Updated', triggerReason: 'ChargingStateChanged', transactionInfo: { chargingState: 'Charging' } },
    ]);
    expect(world.last('NotifyEVChargingNeeds')).toMatchObject({
      evseId: 1,
      chargingNeeds: {
        requestedEnergyTransfer: 'DC_BPT',
        v2xChargingParameters: { maxChargePower: 11_000, maxDischargePower: 11_000, targetSoC: 60 },
      },
    });
    station.sessions.unplug(unitOf(station));
    await world.run(400);
    expect(events().at(-1)).toMatchObject({
      eventType: 'Ended',
      triggerReason: 'StopAuthorized',
      transactionInfo: { stoppedReason: 'Local', chargingState: 'EVConnected' },
    });
    expect(events().map((e) => e.seqNo)).toEqual(events().map((_e, i) => i));
    expect(world.last('StatusNotification')).toMatchObject({ connectorStatus: 'Available', evseId: 1, connectorId: 1 });
  });

  it('charges freely to the target of the car without any profile', async () => {
    await charging();
    await world.run(4000);
    expect(meter()).toMatchObject({
      'Power.Active.Import': 11_000,
      'Power.Active.Export': 0,
      SoC: expect.closeTo(50, 0),
    });
  });

  it('follows a dynamic setpoint through zero; discharging counts as export', async () => {
    const station = await charging();
    expect((await set(dynamic(station, 6000))).status).toBe('Accepted');
    await world.run(4000);
    expect(meter()).toMatchObject({ 'Power.Active.Import': 6000, 'Power.Active.Export': 0 });
    const before = meter();
    const update = { chargingProfileId: 10, scheduleUpdate: { setpoint: -10_000 } };
    expect((await world.cs2().call('UpdateDynamicSchedule', update)).status).toBe('Accepted');
    await world.run(2000);
    expect(meter()).toMatchObject({ 'Power.Active.Import': 0, 'Power.Active.Export': 10_000 });
    const exported = meter()['Energy.Active.Export.Register'] ?? 0;
    await world.run(36_000);
    expect((meter()['Energy.Active.Export.Register'] ?? 0) - exported).toBeCloseTo(100, 1);
    expect(meter().SoC).toBeLessThan(before.SoC ?? 0);
    const changed = events().filter((e) => e.triggerReason === 'OperationModeChanged');
    expect(changed.map((e) => e.transactionInfo.operationMode)).toEqual(['CentralSetpoint']);
  });

  it('falls to the next profile when the watchdog of the setpoint runs out, and comes back with an update', async () => {
    const station = await charging();
    await set(fallback({ limit: 2000 }));
    await set(dynamic(station, -5000, 20));
    await world.run(19_000);
    expect(meter()).toMatchObject({ 'Power.Active.Export': 5000 });
    await world.run(5000);
    expect(meter()).toMatchObject({ 'Power.Active.Import': 2000, 'Power.Active.Export': 0 });
    await world.cs2().call('UpdateDynamicSchedule', { chargingProfileId: 10, scheduleUpdate: { setpoint: -3000 } });
    await world.run(3000);
    expect(meter()).toMatchObject({ 'Power.Active.Export': 3000 });
    const modes = events().filter((e) => e.triggerReason === 'OperationModeChanged');
    expect(modes.map((e) => e.transactionInfo.operationMode)).toEqual([
      'CentralSetpoint',
      'ChargingOnly',
      'CentralSetpoint',
    ]);
  });

  it('caps a setpoint at the station maximum', async () => {
    const station = await charging();
    const max = fallback({ limit: 4000 }, { id: 2, chargingProfilePurpose: 'ChargingStationMaxProfile' });
    expect((await set(max, 0)).status).toBe('Accepted');
    await set(dynamic(station, 9000));
    await world.run(3000);
    expect(meter()['Power.Active.Import']).toBe(4000);
    const plan = await world.cs2().call('GetCompositeSchedule', { evseId: 1, duration: 60 });
    expect(plan.schedule?.chargingSchedulePeriod).toEqual([
      { startPeriod: 0, operationMode: 'CentralSetpoint', limit: 4000, setpoint: 4000 },
    ]);
  });

  it('idle stops the flow in both directions', async () => {
    await charging();
    expect((await set(fallback({ operationMode: 'Idle' }))).status).toBe('Accepted');
    await world.run(3000);
    expect(meter()).toMatchObject({ 'Power.Active.Import': 0, 'Power.Active.Export': 0 });
  });

  it('pulls the values of a profile with an update interval', async () => {
    const station = await charging();
    const setpoints = [-1000, -2000];
    world.answers.PullDynamicScheduleUpdate = () => ({
      status: 'Accepted',
      scheduleUpdate: { setpoint: setpoints.shift() ?? 0 },
    });
    await set({ ...dynamic(station, 500), dynUpdateInterval: 10 });
    await world.run(13_000);
    expect(meter()['Power.Active.Export']).toBe(1000);
    await world.run(10_000);
    expect(meter()['Power.Active.Export']).toBe(2000);
    expect(world.of('PullDynamicScheduleUpdate').map((r) => r.payload)).toEqual([
      { chargingProfileId: 10 },
      { chargingProfileId: 10 },
    ]);
  });

  const badPeriods: [string, string, Omit<Period, 'startPeriod'>][] = [
    [
      'a setpoint outside its own limits (V2X.05)',
      'InvalidSchedule',
      { operationMode: 'CentralSetpoint', setpoint: 5000, limit: 4000 },
    ],
    ['CentralSetpoint without a setpoint', 'InvalidSchedule', { operationMode: 'CentralSetpoint', limit: 4000 }],
    ['ChargingOnly with a setpoint', 'InvalidSchedule', { limit: 4000, setpoint: 3000 }],
    ['ChargingOnly without a limit', 'InvalidSchedule', {}],
    ['Idle with a limit', 'InvalidSchedule', { operationMode: 'Idle', limit: 0 }],
    ['a negative limit', 'InvalidSchedule', { limit: -1 }],
    ['a mode that it does not have', 'InvalidOperationMode', { operationMode: 'LocalLoadBalancing' }],
    ['CentralFrequency that is not Dynamic', 'InvalidSchedule', { operationMode: 'CentralFrequency', setpoint: 1 }],
    ['phases on DC', 'NoPhaseForDC', { limit: 4000, numberPhases: 3 }],
    ['values per phase', 'PhaseConflict', { limit: 4000, limit_L2: 4000 }],
  ];
  it.each(badPeriods)('rejects %s', async (_what, reasonCode, period) => {
    await charging();
    expect(await set(fallback(period))).toMatchObject({ status: 'Rejected', statusInfo: { reasonCode } });
  });

  it('rejects profiles whose frame is wrong', async () => {
    const station = await charging();
    const good = fallback({ limit: 4000 });
    const reasons = [
      await set(good, 4),
      await set({ ...dynamic(station, 1), transactionId: 'other' }),
      await set({ ...good, dynUpdateInterval: 5 }),
      await set({ ...good, chargingProfilePurpose: 'ChargingStationExternalConstraints' }),
      await set({ ...good, chargingProfilePurpose: 'LocalGeneration' }),
      await set({ ...good, chargingProfilePurpose: 'ChargingStationMaxProfile' }),
      await set({
        ...good,
        chargingSchedule: good.chargingSchedule.map((s) => ({ ...s, chargingRateUnit: 'A' as const })),
      }),
      await set({
        ...dynamic(station, 1),
        chargingSchedule: [...dynamic(station, 1).chargingSchedule, ...good.chargingSchedule],
      }),
    ].map((r) => r.statusInfo?.reasonCode);
    expect(reasons).toEqual([
      'UnknownEvse',
      'TxNotFound',
      'InvalidProfile',
      'InvalidProfile',
      'UnsupportedPurpose',
      'InvalidProfile',
      'UnsupportedRateUnit',
      'InvalidSchedule',
    ]);
    expect((await set(good)).status).toBe('Accepted');
    expect(await set({ ...good, id: 99 })).toMatchObject({ statusInfo: { reasonCode: 'DuplicateProfile' } });
    expect((await set(good)).status).toBe('Accepted');
  });

  it('rejects updates of profiles that are not dynamic, and values out of range', async () => {
    const station = await charging();
    const cs = world.cs2();
    await set(fallback({ limit: 4000 }));
    const update = (chargingProfileId: number, scheduleUpdate: { setpoint?: number; limit?: number }) =>
      cs.call('UpdateDynamicSchedule', { chargingProfileId, scheduleUpdate });
    expect(await update(1, { limit: 1 })).toMatchObject({ statusInfo: { reasonCode: 'InvalidProfile' } });
    expect(await update(77, { limit: 1 })).toMatchObject({ statusInfo: { reasonCode: 'InvalidProfile' } });
    await set(dynamic(station, 1000));
    expect(await update(10, { limit: 5000, setpoint: 6000 })).toMatchObject({
      statusInfo: { reasonCode: 'InvalidSchedule' },
    });
  });

  it('forgets transaction profiles with the transaction and reports the others', async () => {
    const station = await charging();
    await set(fallback({ limit: 4000 }));
    await set(dynamic(station, 1000));
    station.sessions.unplug(unitOf(station));
    await world.run(400);
    const answer = await world.cs2().call('GetChargingProfiles', { requestId: 3, chargingProfile: {} });
    expect(answer.status).toBe('Accepted');
    await world.run(200);
    expect(world.last('ReportChargingProfiles')).toMatchObject({
      requestId: 3,
      tbc: false,
      chargingProfile: [{ id: 1 }],
    });
    const cs = world.cs2();
    expect(await cs.call('ClearChargingProfile', { chargingProfileId: 1 })).toEqual({ status: 'Accepted' });
    expect(await cs.call('ClearChargingProfile', { chargingProfileId: 1 })).toEqual({ status: 'Unknown' });
  });

  it('discharges only when bidirectional transfer is allowed', async () => {
    world.answers.Authorize = () => ({ idTokenInfo: { status: 'Accepted' }, allowedEnergyTransfer: ['DC'] });
    const station = await charging();
    expect(world.last('NotifyEVChargingNeeds')).toMatchObject({ chargingNeeds: { requestedEnergyTransfer: 'DC' } });
    await set(dynamic(station, -5000));
    await world.run(4000);
    expect(meter()).toMatchObject({ 'Power.Active.Import': 0, 'Power.Active.Export': 0 });
  });

  it('ends the transaction when the needs are rejected', async () => {
    world.answers.NotifyEVChargingNeeds = () => ({ status: 'Rejected' });
    await charging();
    await world.run(400);
    expect(events().at(-1)).toMatchObject({
      eventType: 'Ended',
      transactionInfo: { stoppedReason: 'ReqEnergyTransferRejected' },
    });
  });
});
