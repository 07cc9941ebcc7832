import { afterEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { accept, BOOT, BridgeWorld, callError, type Script, say, tellNothing } from './world.ts';

let world: BridgeWorld;
afterEach(() => world.close());
const now = (): string => iso(world.clock.now());

function shapeOf(payload: Record<string, unknown>): string {
  const text = JSON.stringify(payload);
  if (text.includes('"Dynamic"')) return 'dynamic';
  if (text.includes('CentralSetpoint')) return 'setpoint';
  return text.includes('"chargingRateUnit":"A"') ? 'limitA' : 'limitW';
}

/** A station of 1.6 without smart charging. */
const plain: Script = (action, payload) => {
  if (action === 'GetConfiguration')
    return { configurationKey: [{ key: 'SupportedFeatureProfiles', readonly: true, value: 'Core,RemoteTrigger' }] };
  if (action === 'SetChargingProfile') throw callError('NotImplemented');
  return accept(action, payload);
};

describe('a command that is ignored', () => {
  it('is said once in a simpler form, visibly, and stays there when that helps', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    const id = world.command('V2G-1.1', { powerW: 5000 }, 600);
    await world.settle();
    for (const seqNo of [1, 2, 3]) await world.measure21(s, seqNo, 11_000);
    expect(s.of('SetChargingProfile').map(shapeOf)).toEqual(['dynamic', 'setpoint']);
    expect(world.row('V2G-1.1')?.steppedDown).toMatch(/^scheduled setpoint.*dynamic setpoint: it was accepted and not/);
    await world.measure21(s, 4, 5020);
    expect(world.states(id)).toEqual(['sent', 'accepted', 'notEffective', 'sent', 'accepted', 'effective']);
    expect(world.outcome(id)).toMatchObject({ shape: 'setpoint' });
    world.command('V2G-1.1', { powerW: 4000 });
    await world.settle();
    expect(s.of('SetChargingProfile').map(shapeOf)).toEqual(['dynamic', 'setpoint', 'setpoint']);
  });

  it('also in the simpler form excludes the resource; the fault is not the form, and the best one is used again', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    const id = world.command('V2G-1.1', { powerW: 5000 }, 600);
    await world.settle();
    for (const seqNo of [1, 2, 3, 4, 5, 6]) await world.measure21(s, seqNo, 11_000);
    expect(s.of('SetChargingProfile').map(shapeOf)).toEqual(['dynamic', 'setpoint']);
    expect(world.outcome(id)).toMatchObject({ state: 'notEffective', code: 'resource.excluded', measuredW: 11_000 });
    expect(world.logged('resource.excluded')).toBe(1);
    expect(world.row('V2G-1.1')?.steppedDown).toBeUndefined();
    const next = world.command('V2G-1.1', { powerW: 4000 }, 600);
    await world.settle();
    expect(s.of('SetChargingProfile').map(shapeOf).at(-1)).toBe('dynamic');
    // Once was enough: it is not retried a second time in this session.
    for (const seqNo of [7, 8, 9]) await world.measure21(s, seqNo, 11_000);
    expect(world.states(next)).toEqual(['sent', 'accepted', 'notEffective']);
  });

  it('by a vehicle that takes less is no matter of the form', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    world.command('V2G-1.1', { powerW: 9000 }, 600);
    await world.settle();
    for (const seqNo of [1, 2, 3, 4]) await world.measure21(s, seqNo, 6000);
    expect(s.calls.map((c) => c.action)).toEqual(['SetChargingProfile']);
  });

  it('goes back to the best form with the next session', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    world.command('V2G-1.1', { powerW: 5000 }, 600);
    await world.settle();
    for (const seqNo of [1, 2, 3]) await world.measure21(s, seqNo, 11_000);
    await world.measure21(s, 4, 5000);
    await s.call('TransactionEvent', say.event21('Ended', 5, now()));
    expect(world.row('V2G-1.1')?.steppedDown).toBeDefined();
    await s.call('TransactionEvent', say.event21('Started', 0, now(), {}, 'tx-2'));
    expect(world.row('V2G-1.1')?.steppedDown).toBeUndefined();
    world.command('V2G-1.1', { powerW: 5000 });
    await world.settle();
    expect(s.of('SetChargingProfile').map(shapeOf).at(-1)).toBe('dynamic');
  });
});

describe('a command that is refused', () => {
  it('shows in the twin which form took its place, and why', async () => {
    world = await BridgeWorld.open();
    const reason = { status: 'Rejected', statusInfo: { reasonCode: 'InvalidOperationMode' } };
    await world.v2g((action, p) =>
      action === 'SetChargingProfile' && shapeOf(p) !== 'limitW' ? reason : accept(action, p),
    );
    world.command('V2G-1.1', { powerW: 5000 });
    await world.settle();
    expect(world.row('V2G-1.1')).toMatchObject({ shape: 'limitW' });
    expect(world.row('V2G-1.1')?.steppedDown).toMatch(/^limit in W, because of .*Rejected \(InvalidOperationMode\)/);
    expect(world.told('StationCapabilities').at(-1)).toMatchObject({
      form: 'limitW',
      reasons: [
        { step: 'dynamic setpoint', why: 'Rejected (InvalidOperationMode)' },
        { step: 'scheduled setpoint', why: 'Rejected (InvalidOperationMode)' },
      ],
    });
  });

  it('because the transaction is over ends quietly, and nothing more is sent to that transaction', async () => {
    world = await BridgeWorld.open();
    const gone = { status: 'Rejected', statusInfo: { reasonCode: 'TxNotFound' } };
    const s = await world.v2g((action, p) => (action === 'SetChargingProfile' ? gone : accept(action, p)));
    await world.limit('V2G-1.1', 3000);
    await world.run(30_000, 1000);
    expect(s.of('SetChargingProfile').filter((p) => JSON.stringify(p).includes('"TxProfile"'))).toHaveLength(1);
    expect(world.logged('limit.notHeld')).toBe(0);
    const id = world.command('V2G-1.1', { powerW: 2000 });
    await world.settle();
    expect(world.states(id)).toEqual(['refused']);
    expect(world.outcome(id)).toMatchObject({ code: 'station.noTransaction' });
    s.script = accept;
    // It speaks of it again: then it was not over.
    await s.call('TransactionEvent', say.event21('Updated', 1, now()));
    await world.run(12_000, 1000);
    expect(JSON.stringify(s.of('SetChargingProfile').at(-1))).toContain('"limit":3000');
    await s.call('TransactionEvent', say.event21('Ended', 2, now()));
    expect(world.told('SessionEvent').map((e) => e.kind)).toEqual(['started', 'updated', 'ended']);
  });

  it('once at the end of a session of 1.6 is no complaint', async () => {
    world = await BridgeWorld.open();
    const s = await world.ac(() => ({ status: 'Rejected' }));
    await world.limit('AC-1.1', 7000);
    await world.settle();
    await s.call('StopTransaction', { transactionId: s.transactionId, meterStop: 900, timestamp: now() });
    await s.call('StatusNotification', say.status16('Available'));
    await world.run(30_000, 1000);
    expect(world.logged('limit.notHeld')).toBe(0);
  });
});

describe('a station that can only be on or off', () => {
  const open = async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'AC-1', { script: plain });
    await s.call('StatusNotification', say.status16('Preparing'));
    const { transactionId } = await s.call('StartTransaction', say.start16());
    await s.call('StatusNotification', say.status16('Charging'));
    s.calls.length = 0;
    return { s, transactionId: Number(transactionId) };
  };

  it('says so', async () => {
    await open();
    expect(world.told('StationCapabilities').at(-1)).toMatchObject({
      source: 'probed',
      form: 'onOff',
      functions: [],
      reasons: [
        { step: 'limit in A', why: 'it has no smart charging' },
        { step: 'limit in W', why: 'it has no smart charging' },
      ],
    });
    expect(world.row('AC-1.1')?.steppedDown).toMatch(/^on and off/);
  });

  it('goes on within a grant of all, and is stopped for less; it does not start again while told off', async () => {
    const { s, transactionId } = await open();
    const all = world.command('AC-1.1', { importLimitW: 11_040 });
    await world.settle();
    expect(s.calls).toEqual([]);
    expect(world.outcome(all)).toMatchObject({ state: 'accepted', shape: 'onOff', appliedW: 11_040 });
    const less = world.command('AC-1.1', { importLimitW: 6000 });
    await world.settle();
    expect(s.of('RemoteStopTransaction')).toEqual([{ transactionId }]);
    expect(world.outcome(less)).toMatchObject({ state: 'accepted', shape: 'onOff', appliedW: 0 });
    await s.call('StopTransaction', { transactionId, meterStop: 900, timestamp: now(), reason: 'Remote' });
    const again = await s.call('StartTransaction', say.start16({ timestamp: now(), meterStart: 900 }));
    expect(again).toMatchObject({ idTagInfo: { status: 'Blocked' } });
    await world.run(12_000, 1000);
    expect(s.of('RemoteStopTransaction').at(-1)).toEqual({ transactionId: again.transactionId });
    expect(world.told('SessionEvent').map((e) => e.kind)).toEqual(['started', 'ended']);
  });

  it('is started again when the command has ended', async () => {
    const { s, transactionId } = await open();
    world.command('AC-1.1', { importLimitW: 6000 }, 60);
    await world.settle();
    await s.call('StopTransaction', { transactionId, meterStop: 900, timestamp: now(), reason: 'Remote' });
    await s.call('StatusNotification', say.status16('Preparing'));
    await world.run(50_000, 1000);
    expect(s.of('RemoteStartTransaction')).toEqual([]);
    await world.run(12_000, 1000);
    expect(s.of('RemoteStartTransaction')).toEqual([{ idTag: 'RFID-1', connectorId: 1 }]);
  });

  it('is stopped when the envelope shrinks', async () => {
    const { s, transactionId } = await open();
    await world.limit('AC-1.1', 7000);
    await world.settle();
    expect(s.of('RemoteStopTransaction')).toEqual([{ transactionId }]);
    expect(world.logged('limit.notHeld')).toBe(0);
  });
});

describe('a station that refuses a limit of the site', () => {
  it('is stopped as the last means, not at the first refusal', async () => {
    world = await BridgeWorld.open();
    const s = await world.ac((action, p) =>
      action === 'SetChargingProfile' ? { status: 'Rejected' } : accept(action, p),
    );
    await world.limit('AC-1.1', 7000);
    await world.settle();
    expect(s.calls.map((c) => c.action)).toEqual(['SetChargingProfile', 'SetChargingProfile']);
    await world.run(11_000, 1000);
    expect(s.of('RemoteStopTransaction')).toEqual([{ transactionId: s.transactionId }]);
    expect(world.logged('limit.notHeld')).toBe(0);
  });

  it('or accepts it and goes on is stopped in the end', async () => {
    world = await BridgeWorld.open();
    const s = await world.ac();
    await world.limit('AC-1.1', 7000);
    await world.settle();
    for (let i = 0; i < 12; i++) {
      await world.run(2000);
      await s.call('MeterValues', say.meter16(11_000, now(), { transactionId: s.transactionId }));
      await world.settle();
    }
    const steps = s.calls.filter((c) => !JSON.stringify(c.payload).includes('"stackLevel":0')).map((c) => c.action);
    expect(steps.slice(0, 3)).toEqual(['SetChargingProfile', 'SetChargingProfile', 'RemoteStopTransaction']);
    expect(world.outcomes.some((o) => o.shape === 'onOff' && o.state === 'accepted')).toBe(true);
  });

  it('in the first moment of a session of 1.6 is told the limit after it has learned the id of its transaction', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'AC-1');
    await s.call('StatusNotification', say.status16('Preparing'));
    await world.limit('AC-1.1', 7000);
    await s.peer.callAny('StartTransaction', say.start16());
    await world.settle();
    const bound = () => s.of('SetChargingProfile').filter((p) => JSON.stringify(p).includes('TxProfile'));
    expect(bound()).toEqual([]);
    await world.run(100);
    expect(bound()).toHaveLength(1);
  });

  it('but for a wish of an operator it is left alone', async () => {
    world = await BridgeWorld.open();
    const s = await world.ac((action, p) =>
      action === 'SetChargingProfile' ? { status: 'Rejected' } : accept(action, p),
    );
    const id = world.command('AC-1.1', { importLimitW: 7000 });
    await world.settle();
    expect(s.of('RemoteStopTransaction')).toEqual([]);
    expect(world.outcome(id)).toMatchObject({ state: 'refused', code: 'resource.excluded' });
  });
});

describe('OCPP 2.0.1', () => {
  it('takes setpoints as limits in W, refuses 10 kW discharge with a reason', async () => {
    world = await BridgeWorld.open();
    const s = await world.ac201();
    const id = world.command('AC-1.1', { powerW: 7000 });
    const discharge = world.command('AC-1.1', { powerW: -10_000 });
    await world.settle();
    expect(s.of('SetChargingProfile')).toMatchObject([
      {
        evseId: 1,
        chargingProfile: {
          transactionId: 'tx-1',
          chargingProfilePurpose: 'TxProfile',
          chargingProfileKind: 'Absolute',
          stackLevel: 1,
          chargingSchedule: [{ chargingRateUnit: 'W', duration: 120, chargingSchedulePeriod: [{ limit: 7000 }] }],
        },
      },
    ]);
    expect(world.outcome(id)).toMatchObject({ state: 'accepted', shape: 'limitW' });
    expect(world.states(discharge)).toEqual(['refused']);
    expect(world.outcome(discharge)).toMatchObject({ code: 'capability.unsupported' });
    expect(world.row('AC-1.1')).toMatchObject({ protocol: 'ocpp2.0.1', online: true, state: 'charging' });
  });

  it('steps down to A, and is metered', async () => {
    world = await BridgeWorld.open();
    const s = await world.ac201((action, p) =>
      action === 'SetChargingProfile' && shapeOf(p) === 'limitW' ? { status: 'Rejected' } : accept(action, p),
    );
    const id = world.command('AC-1.1', { powerW: 6900 });
    await world.settle();
    expect(world.outcome(id)).toMatchObject({ state: 'accepted', shape: 'limitA' });
    await world.run(2000);
    await s.call('TransactionEvent', say.event21('Updated', 1, now(), say.power21(6890, now())));
    expect(world.outcome(id)).toMatchObject({ state: 'effective', measuredW: 6890 });
  });

  it('has a default profile below, and gets it again after a boot', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp2.0.1', 'AC-1');
    const below = { evseId: 1, chargingProfile: { id: 1, stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile' } };
    expect(s.of('SetChargingProfile')).toMatchObject([below]);
    await s.call('BootNotification', BOOT['ocpp2.0.1']);
    await world.run(200);
    expect(s.of('SetChargingProfile')).toMatchObject([below, below]);
  });

  it('tells what the EV needs, and its state by NotifyEvent', async () => {
    world = await BridgeWorld.open();
    const s = await world.ac201();
    const chargingNeeds = {
      requestedEnergyTransfer: 'AC_three_phase',
      acChargingParameters: { energyAmount: 9000, evMinCurrent: 6, evMaxCurrent: 16, evMaxVoltage: 400 },
    };
    expect(await s.call('NotifyEVChargingNeeds', { evseId: 1, chargingNeeds })).toEqual({ status: 'Processing' });
    expect(world.told('EvNeeds')).toMatchObject([
      { energyToTargetWh: 9000, importMinW: 4140, importMaxW: 11_040, bidirectional: false },
    ]);
    expect(tellNothing('Reset', {})).toBeUndefined();
  });
});
