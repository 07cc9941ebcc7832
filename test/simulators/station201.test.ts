import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { Request } from '../../protocols/ocpp/index.ts';
import type { Station201, StationSpec } from '../../simulators/stations/index.ts';
import { acCar, v2gCar, World } from './world.ts';

type V = 'ocpp2.0.1';
type Profile = Request<V, 'SetChargingProfile'>['chargingProfile'];
type Event = Request<V, 'TransactionEvent'>;

let world: World;
beforeEach(async () => {
  world = new World();
  await world.listen();
});
afterEach(() => world.close());

function unitOf(station: Station201) {
  const unit = station.unit(1);
  if (!unit) throw new Error('no EVSE 1');
  return unit;
}

async function charging(spec: Partial<StationSpec> = {}, car = acCar): Promise<Station201> {
  const station = world.station201(spec);
  await world.until('boot', () => station.everReady);
  station.sessions.plug(unitOf(station), car);
  await world.until('transaction', () => events().length > 1);
  return station;
}

const txId = (station: Station201): string => unitOf(station).tx?.id ?? 'none';
const events = (): Event[] => world.of('TransactionEvent').map((r) => r.payload as Partial<Event> as Event);

/** An Absolute TxDefault profile of one period from now. */
function profile(limit: number, rest: Partial<Profile> = {}, unit: 'A' | 'W' = 'W', numberPhases?: number): Profile {
  return {
    id: 1,
    stackLevel: 0,
    chargingProfilePurpose: 'TxDefaultProfile',
    chargingProfileKind: 'Absolute',
    chargingSchedule: [
      {
        id: 1,
        chargingRateUnit: unit,
        startSchedule: iso(world.clock.now()),
        chargingSchedulePeriod: [{ startPeriod: 0, limit, ...(numberPhases === undefined ? {} : { numberPhases }) }],
      },
    ],
    ...rest,
  };
}

const set = (chargingProfile: Profile, evseId = 1) =>
  world.cs3().call('SetChargingProfile', { evseId, chargingProfile });

/** Values of the newest event with meter values, `measurand phase` → value. */
function meter(): Record<string, number> {
  const samples = events().findLast((e) => e.meterValue)?.meterValue?.[0]?.sampledValue ?? [];
  return Object.fromEntries(samples.map((s) => [`${s.measurand} ${s.phase ?? ''}`.trim(), s.value]));
}

const variable = (component: string, name: string) => ({ component: { name: component }, variable: { name } });

describe('a 2.0.1 station', () => {
  it('boots, authorises, and tells its transaction in numbered events with readings', async () => {
    const station = await charging();
    await world.run(10_000);
    expect(world.names().slice(0, 5)).toEqual([
      'BootNotification',
      'StatusNotification',
      'StatusNotification',
      'Authorize',
      'TransactionEvent',
    ]);
    expect(world.last('BootNotification')).toMatchObject({
      chargingStation: { vendorName: 'v2gate', model: 'Sim201' },
    });
    expect(meter()['Power.Active.Import']).toBeCloseTo(11_040, 0);
    station.sessions.unplug(unitOf(station));
    await world.run(400);
    expect(events()[0]).toMatchObject({ eventType: 'Started', seqNo: 0, idToken: { idToken: 'DEMO-1' } });
    expect(events().at(-1)).toMatchObject({ eventType: 'Ended', transactionInfo: { stoppedReason: 'Local' } });
    expect(events().map((e) => e.seqNo)).toEqual(events().map((_e, i) => i));
    expect(world.last('StatusNotification')).toMatchObject({ connectorStatus: 'Available', evseId: 1 });
    // An AC car without ISO 15118 tells nothing of its needs, nor its state of charge.
    expect(world.of('NotifyEVChargingNeeds')).toEqual([]);
    expect(meter()).not.toHaveProperty('SoC');
  });

  it('tells what a car needs that says so, on AC and DC', async () => {
    await charging({}, { ...acCar, tellsNeeds: true });
    await world.run(400);
    expect(world.last('NotifyEVChargingNeeds').chargingNeeds).toMatchObject({
      requestedEnergyTransfer: 'AC_three_phase',
      acChargingParameters: { evMinCurrent: 6, evMaxCurrent: 16 },
    });
    const dc = world.station201({ identity: 'CS4', phases: 0 });
    await world.until('boot', () => dc.everReady);
    dc.sessions.plug(unitOf(dc), v2gCar);
    await world.until('needs', () => world.of('NotifyEVChargingNeeds').length === 2);
    expect(world.last('NotifyEVChargingNeeds').chargingNeeds).toMatchObject({
      requestedEnergyTransfer: 'DC',
      dcChargingParameters: { stateOfCharge: 50 },
    });
  });

  it('obeys limits in W and in A, per transaction and for the station, and never gives power back', async () => {
    const station = await charging();
    expect((await set(profile(8000))).status).toBe('Accepted');
    await world.run(4000);
    expect(meter()['Power.Active.Import']).toBeCloseTo(8000, 0);
    const tx: Profile = { ...profile(10, {}, 'A'), id: 2, chargingProfilePurpose: 'TxProfile' };
    expect((await set({ ...tx, transactionId: txId(station) })).status).toBe('Accepted');
    await world.run(4000);
    expect(meter()['Power.Active.Import']).toBeCloseTo(10 * 690, 0);
    const max = profile(5000, { id: 3, chargingProfilePurpose: 'ChargingStationMaxProfile' });
    expect((await set(max, 0)).status).toBe('Accepted');
    await world.run(4000);
    expect(meter()).toMatchObject({ 'Power.Active.Import': 5000, 'Power.Active.Export': 0 });
  });

  it('shows its plan in the unit and for the phases that were asked, and lists and clears its profiles', async () => {
    await charging();
    await set(profile(16, {}, 'A', 1));
    await world.run(4000);
    expect(meter()['Power.Active.Import']).toBeCloseTo(16 * 230, 0);
    const cs = world.cs3();
    const plan = await cs.call('GetCompositeSchedule', { evseId: 1, duration: 60, chargingRateUnit: 'A' });
    expect(plan.schedule?.chargingSchedulePeriod).toEqual([{ startPeriod: 0, limit: 16, numberPhases: 1 }]);
    const listed = await cs.call('GetChargingProfiles', { requestId: 3, chargingProfile: {} });
    expect(listed.status).toBe('Accepted');
    await world.run(200);
    expect(world.last('ReportChargingProfiles')).toMatchObject({ requestId: 3, chargingProfile: [{ id: 1 }] });
    expect(await cs.call('ClearChargingProfile', { chargingProfileId: 1 })).toEqual({ status: 'Accepted' });
    expect(await cs.call('ClearChargingProfile', { chargingProfileId: 1 })).toEqual({ status: 'Unknown' });
  });

  it('rejects what it cannot do, with the reason', async () => {
    await charging({ rateUnits: ['A'] });
    const good = profile(10, {}, 'A');
    const { startSchedule: _none, ...noStart } = { ...good.chargingSchedule[0], id: 1 } as const;
    const refused = [
      await set(profile(4000)),
      await set(good, 4),
      await set({ ...good, chargingProfilePurpose: 'TxProfile', transactionId: 'other' }),
      await set({ ...good, chargingProfilePurpose: 'ChargingStationExternalConstraints' }),
      await set({ ...good, chargingSchedule: [noStart as Profile['chargingSchedule'][number]] }),
      await set(profile(-5, {}, 'A')),
    ];
    expect(refused.map((r) => r.statusInfo?.reasonCode)).toEqual([
      'UnsupportedRateUnit',
      'UnknownEvse',
      'TxNotFound',
      'InvalidProfile',
      'InvalidSchedule',
      'InvalidSchedule',
    ]);
    expect((await set(good)).status).toBe('Accepted');
    expect(await set({ ...good, id: 9 })).toMatchObject({ statusInfo: { reasonCode: 'DuplicateProfile' } });
  });

  it('keeps its variables, refuses lists that are too long, and reports itself', async () => {
    await charging({ itemsPerMessage: 2, measurands: ['Power.Active.Import'] });
    const cs = world.cs3();
    const { getVariableResult } = await cs.call('GetVariables', {
      getVariableData: [variable('SmartChargingCtrlr', 'RateUnit'), variable('V2XChargingCtrlr', 'Enabled')],
    });
    expect(getVariableResult.map((r) => r.attributeValue ?? r.attributeStatus)).toEqual(['A,W', 'UnknownComponent']);
    const three = ['HeartbeatInterval', 'OfflineThreshold', 'X'].map((name) => variable('OCPPCommCtrlr', name));
    await expect(cs.call('GetVariables', { getVariableData: three })).rejects.toMatchObject({
      cause: { protocol: 'OccurrenceConstraintViolation' },
    });
    const measurands = (attributeValue: string) => ({
      ...variable('SampledDataCtrlr', 'TxUpdatedMeasurands'),
      attributeValue,
    });
    const { setVariableResult } = await cs.call('SetVariables', {
      setVariableData: [measurands('Power.Active.Import,SoC'), measurands('Power.Active.Import')],
    });
    expect(setVariableResult.map((r) => r.attributeStatus)).toEqual(['Rejected', 'Accepted']);
    await cs.call('GetBaseReport', { requestId: 8, reportBase: 'FullInventory' });
    await world.run(400);
    const parts = world.of('NotifyReport').map((r) => r.payload as Partial<Request<V, 'NotifyReport'>>);
    expect(parts.map((p) => p.tbc)).toEqual(parts.map((_p, i) => i < parts.length - 1));
  });

  it('starts, stops, triggers, changes availability and resets on request', async () => {
    const station = world.station201();
    await world.until('boot', () => station.everReady);
    const cs = world.cs3();
    const idToken = { idToken: 'DEMO-5', type: 'Central' } as const;
    const { id: _id, transactionId: _tx, ...rest } = profile(5000);
    const chargingProfile: Profile = { ...rest, id: 5, chargingProfilePurpose: 'TxProfile' };
    const start = { remoteStartId: 4, idToken, evseId: 1, chargingProfile };
    expect((await cs.call('RequestStartTransaction', start)).status).toBe('Accepted');
    station.sessions.plug(unitOf(station), acCar);
    await world.run(4000);
    expect(events()[0]).toMatchObject({ triggerReason: 'RemoteStart', transactionInfo: { remoteStartId: 4 } });
    expect(meter()['Power.Active.Import']).toBeCloseTo(5000, 0);
    expect((await cs.call('TriggerMessage', { requestedMessage: 'MeterValues' })).status).toBe('Accepted');
    await world.run(200);
    expect(world.of('MeterValues').length).toBe(1);
    expect(await cs.call('ChangeAvailability', { operationalStatus: 'Inoperative' })).toEqual({ status: 'Scheduled' });
    expect((await cs.call('RequestStopTransaction', { transactionId: txId(station) })).status).toBe('Accepted');
    await world.run(400);
    expect(events().at(-1)).toMatchObject({
      triggerReason: 'RemoteStop',
      transactionInfo: { stoppedReason: 'Remote' },
    });
    expect(world.last('StatusNotification')).toMatchObject({ connectorStatus: 'Unavailable' });
    expect((await cs.call('Reset', { type: 'OnIdle' })).status).toBe('Accepted');
    await world.until('boot after reset', () => world.of('BootNotification').length === 2);
    expect(world.last('BootNotification').reason).toBe('RemoteReset');
  });

  it('answers DataTransfer, and unknown actions with NotImplemented', async () => {
    await charging();
    const cs = world.cs3();
    expect(await cs.call('DataTransfer', { vendorId: 'v2gate', messageId: 'Echo', data: { a: 1 } })).toEqual({
      status: 'Accepted',
      data: { a: 1 },
    });
    expect((await cs.call('DataTransfer', { vendorId: 'other' })).status).toBe('UnknownVendorId');
    await expect(cs.call('GetLocalListVersion', {})).rejects.toMatchObject({ code: 'ocpp.notImplemented' });
  });
});
