import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Request } from '../../protocols/ocpp/index.ts';
import type { Station21 } from '../../simulators/stations/index.ts';
import { v2gCar, World } from './world.ts';

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
const events = (): Event[] => world.of('TransactionEvent').map((r) => r.payload as Partial<Event> as Event);

describe('what a 2.1 station does on request', () => {
  const variable = (component: string, name: string, instance?: string) => ({
    component: { name: component },
    variable: { name, ...(instance === undefined ? {} : { instance }) },
  });

  it('reads and writes variables', async () => {
    await charging();
    const cs = world.cs2();
    const { getVariableResult } = await cs.call('GetVariables', {
      getVariableData: [
        variable('SmartChargingCtrlr', 'SupportsDynamicProfiles'),
        variable('V2XChargingCtrlr', 'SupportedOperationModes'),
        variable('OCPPCommCtrlr', 'MessageAttempts', 'TransactionEvent'),
        variable('Nothing', 'X'),
        variable('TxCtrlr', 'X'),
      ],
    });
    expect(getVariableResult.map((r) => r.attributeValue ?? r.attributeStatus)).toEqual([
      'true',
      'ChargingOnly,CentralSetpoint,CentralFrequency,Idle',
      '3',
      'UnknownComponent',
      'UnknownVariable',
    ]);
    const { setVariableResult } = await cs.call('SetVariables', {
      setVariableData: [
        { ...variable('SampledDataCtrlr', 'TxUpdatedInterval'), attributeValue: '10' },
        { ...variable('SampledDataCtrlr', 'TxUpdatedInterval'), attributeValue: 'soon' },
        { ...variable('SmartChargingCtrlr', 'RateUnit'), attributeValue: 'A' },
        { ...variable('OCPPCommCtrlr', 'WebSocketPingInterval'), attributeValue: '30' },
      ],
    });
    expect(setVariableResult.map((r) => r.attributeStatus)).toEqual([
      'Accepted',
      'Rejected',
      'Rejected',
      'RebootRequired',
    ]);
    await world.run(4000);
    const periodic = (): number => events().filter((e) => e.triggerReason === 'MeterValuePeriodic').length;
    const before = periodic();
    await world.run(20_000);
    expect(periodic() - before).toBe(2);
  });

  it('reports itself in parts that count up', async () => {
    await charging();
    const answer = await world.cs2().call('GetBaseReport', { requestId: 8, reportBase: 'FullInventory' });
    expect(answer.status).toBe('Accepted');
    await world.run(400);
    const parts = world.of('NotifyReport').map((r) => r.payload as Partial<Request<'ocpp2.1', 'NotifyReport'>>);
    expect(parts.map((p) => p.seqNo)).toEqual(parts.map((_p, i) => i));
    expect(parts.map((p) => p.tbc)).toEqual(parts.map((_p, i) => i < parts.length - 1));
    const names = parts.flatMap((p) => p.reportData ?? []).map((d) => `${d.component.name}.${d.variable.name}`);
    expect(names).toContain('SmartChargingCtrlr.SupportsDynamicProfiles');
    expect(names).toContain('V2XChargingCtrlr.SupportedOperationModes');
  });

  it('starts and stops on request and knows its transactions', async () => {
    const station = world.station21();
    await world.until('boot', () => station.everReady);
    world.answers.Authorize = () => ({ idTokenInfo: { status: 'Blocked' } });
    const cs = world.cs2();
    const idToken = { idToken: 'DEMO-5', type: 'Central' };
    expect((await cs.call('RequestStartTransaction', { remoteStartId: 4, idToken, evseId: 1 })).status).toBe(
      'Accepted',
    );
    station.sessions.plug(unitOf(station), v2gCar);
    await world.run(1000);
    expect(events()[0]).toMatchObject({
      triggerReason: 'RemoteStart',
      idToken: { idToken: 'DEMO-5' },
      transactionInfo: { remoteStartId: 4 },
    });
    const transactionId = txId(station);
    const status = await cs.call('GetTransactionStatus', { transactionId });
    expect(status).toEqual({ ongoingIndicator: true, messagesInQueue: false });
    expect((await cs.call('RequestStopTransaction', { transactionId: 'x' })).statusInfo?.reasonCode).toBe('TxNotFound');
    expect((await cs.call('TriggerMessage', { requestedMessage: 'TransactionEvent' })).status).toBe('Accepted');
    await world.run(200);
    expect(events().at(-1)).toMatchObject({ triggerReason: 'Trigger', meterValue: [expect.anything()] });
    expect((await cs.call('RequestStopTransaction', { transactionId })).status).toBe('Accepted');
    await world.run(200);
    expect(events().at(-1)).toMatchObject({
      triggerReason: 'RemoteStop',
      transactionInfo: { stoppedReason: 'Remote' },
    });
  });

  it('tells its availability by NotifyEvent if it is built so', async () => {
    const station = world.station21({ statusAs: 'NotifyEvent' });
    await world.until('boot', () => station.everReady);
    station.sessions.plug(unitOf(station), v2gCar);
    await world.run(200);
    const values = world
      .of('NotifyEvent')
      .flatMap((r) => (r.payload as Partial<Request<'ocpp2.1', 'NotifyEvent'>>).eventData ?? []);
    expect(values.map((e) => `${e.component.evse?.id} ${e.variable.name} ${e.actualValue}`)).toEqual([
      '1 AvailabilityState Available',
      '1 AvailabilityState Occupied',
    ]);
    expect(world.of('StatusNotification')).toEqual([]);
  });

  it('resets at once or when idle', async () => {
    const station = await charging();
    const cs = world.cs2();
    expect((await cs.call('Reset', { type: 'OnIdle' })).status).toBe('Scheduled');
    await world.run(5000);
    expect(world.of('BootNotification').length).toBe(1);
    station.sessions.unplug(unitOf(station));
    await world.until('boot after idle', () => world.of('BootNotification').length === 2);
    expect(world.last('BootNotification').reason).toBe('ScheduledReset');
    await world.run(400);
    station.sessions.plug(unitOf(station), v2gCar);
    await world.run(3000);
    expect((await world.cs2().call('Reset', { type: 'Immediate' })).status).toBe('Accepted');
    await world.until('boot after reset', () => world.of('BootNotification').length === 3);
    expect(events().findLast((e) => e.eventType === 'Ended')).toMatchObject({
      triggerReason: 'ResetCommand',
      transactionInfo: { stoppedReason: 'ImmediateReset' },
    });
    expect(world.last('BootNotification').reason).toBe('RemoteReset');
  });
});
