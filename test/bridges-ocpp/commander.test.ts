import { afterEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { BOOT, BridgeWorld, callError, held, type Script, say } from './world.ts';

let world: BridgeWorld;
afterEach(() => world.close());
const now = (): string => iso(world.clock.now());

/** The form of a SetChargingProfile of 2.1, as its own words show it. */
function shapeOf(payload: Record<string, unknown>): string {
  const text = JSON.stringify(payload);
  if (text.includes('"Dynamic"')) return 'dynamic';
  if (text.includes('CentralSetpoint')) return 'setpoint';
  return text.includes('"chargingRateUnit":"A"') ? 'limitA' : 'limitW';
}
const only =
  (...shapes: string[]): Script =>
  (action, payload) => ({
    status: action !== 'SetChargingProfile' || shapes.includes(shapeOf(payload)) ? 'Accepted' : 'Rejected',
  });

describe('the form of a command', () => {
  it('is the next simpler one after a refusal, and stays there until the next boot', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g(only('limitW'));
    const first = world.command('V2G-1.1', { powerW: 5000 });
    await world.settle();
    expect(s.of('SetChargingProfile').map(shapeOf)).toEqual(['dynamic', 'setpoint', 'limitW']);
    expect(world.outcome(first)).toMatchObject({ state: 'accepted', shape: 'limitW' });
    world.command('V2G-1.1', { powerW: 6000 });
    await world.settle();
    expect(s.of('SetChargingProfile').map(shapeOf).slice(3)).toEqual(['limitW']);
    expect(world.logged('station.stepsDown')).toBe(1);
    await s.call('BootNotification', BOOT['ocpp2.1']);
    await world.run(200);
    s.calls.length = 0;
    world.command('V2G-1.1', { powerW: 6000 });
    await world.settle();
    expect(s.of('SetChargingProfile').map(shapeOf)[0]).toBe('dynamic');
  });

  it('is tried anew the next time when all were refused', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g(only());
    const id = world.command('V2G-1.1', { powerW: -5000 });
    await world.settle();
    expect(s.of('SetChargingProfile').map(shapeOf)).toEqual(['dynamic', 'setpoint']);
    expect(world.states(id)).toEqual(['sent', 'sent', 'refused']);
    expect(world.outcome(id)).toMatchObject({ code: 'resource.excluded' });
    world.command('V2G-1.1', { powerW: -5000 });
    await world.settle();
    expect(s.of('SetChargingProfile').map(shapeOf).slice(2)).toEqual(['dynamic', 'setpoint']);
  });

  it('is not tried again where the station does not know it', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g((action, payload) => {
      if (action === 'SetChargingProfile' && shapeOf(payload) === 'dynamic') throw callError('NotSupported');
      return { status: 'Rejected' };
    });
    for (const powerW of [-5000, -4000]) {
      world.command('V2G-1.1', { powerW });
      await world.settle();
    }
    expect(s.of('SetChargingProfile').map(shapeOf)).toEqual(['dynamic', 'setpoint', 'setpoint']);
  });

  it('of OCPP 1.6 is amperes, then watts; discharging is refused without a call', async () => {
    world = await BridgeWorld.open();
    const s = await world.ac(only('limitW'));
    const id = world.command('AC-1.1', { powerW: 7000 });
    const discharge = world.command('AC-1.1', { powerW: -10_000 });
    await world.settle();
    expect(s.of('SetChargingProfile').map(shapeOf)).toEqual(['limitA', 'limitW']);
    expect(world.outcome(id)).toMatchObject({ state: 'accepted', shape: 'limitW' });
    expect(world.states(discharge)).toEqual(['refused']);
    expect(world.outcome(discharge)).toMatchObject({ code: 'capability.unsupported' });
  });

  it('is refused as unsupported where only a setpoint would do', async () => {
    const stations = [
      { identity: 'AC-1', evses: [{ evse: 1, current: 'dc' as const, maxImportW: 11_000, maxExportW: 11_000 }] },
    ];
    world = await BridgeWorld.open({ stations, groups: [], contracts: [] });
    const s = await world.ac();
    const id = world.command('AC-1.1', { powerW: -10_000 });
    await world.settle();
    expect(world.states(id)).toEqual(['refused']);
    expect(world.outcome(id)).toMatchObject({ code: 'capability.unsupported' });
    expect(s.calls).toEqual([]);
  });

  it('is given up when the transaction is over at the station', async () => {
    world = await BridgeWorld.open();
    const reason = { status: 'Rejected', statusInfo: { reasonCode: 'TxNotFound' } };
    const s = await world.v2g(() => reason);
    const id = world.command('V2G-1.1', { powerW: 5000 });
    await world.settle();
    expect(s.of('SetChargingProfile')).toHaveLength(1);
    expect(world.outcome(id)).toMatchObject({ state: 'refused', code: 'station.noTransaction' });
  });

  it('of 1.6 is given up when the transaction ended while the profile was under way', async () => {
    world = await BridgeWorld.open();
    const h = held();
    const s = await world.ac(h.script);
    const id = world.command('AC-1.1', { importLimitW: 7000 });
    await world.settle();
    await s.call('StopTransaction', { transactionId: s.transactionId, meterStop: 900, timestamp: now() });
    h.give({ status: 'Rejected' });
    await world.settle();
    expect(s.of('SetChargingProfile')).toHaveLength(1);
    expect(world.outcome(id)).toMatchObject({ state: 'refused', code: 'station.noTransaction' });
  });

  it('takes the place of a foreign profile', async () => {
    world = await BridgeWorld.open();
    let cleared = false;
    const s = await world.v2g((action) => {
      if (action === 'ClearChargingProfile') cleared = true;
      return cleared ? { status: 'Accepted' } : { status: 'Rejected', statusInfo: { reasonCode: 'DuplicateProfile' } };
    });
    const id = world.command('V2G-1.1', { powerW: 5000 });
    await world.settle();
    expect(s.of('ClearChargingProfile')).toEqual([
      { chargingProfileCriteria: { evseId: 1, chargingProfilePurpose: 'TxProfile', stackLevel: 1 } },
    ]);
    expect(world.outcome(id)).toMatchObject({ state: 'accepted', shape: 'dynamic' });
  });
});

describe('a dynamic profile', () => {
  it('gets new values, and is installed again when they are refused', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g((action) => ({ status: action === 'UpdateDynamicSchedule' ? 'Rejected' : 'Accepted' }));
    world.command('V2G-1.1', { powerW: 5000 });
    await world.settle();
    const id = world.command('V2G-1.1', { powerW: -5000 });
    await world.settle();
    expect(s.calls.map((c) => c.action)).toEqual(['SetChargingProfile', 'UpdateDynamicSchedule', 'SetChargingProfile']);
    expect(world.outcome(id)).toMatchObject({ state: 'accepted', shape: 'dynamic', appliedW: -5000 });
  });

  it('is installed again for a command of another duration', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    for (const [powerW, validS] of [
      [5000, 120],
      [4000, 115],
      [3000, 20],
    ] as const) {
      world.command('V2G-1.1', { powerW }, validS);
      await world.settle();
    }
    expect(s.calls.map((c) => c.action)).toEqual(['SetChargingProfile', 'UpdateDynamicSchedule', 'SetChargingProfile']);
    expect(JSON.stringify(s.of('SetChargingProfile')[1])).toContain('"duration":20');
  });

  it('gives way to a limit', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    world.command('V2G-1.1', { powerW: -5000 });
    await world.settle();
    world.command('V2G-1.1', { importLimitW: 3000 });
    await world.settle();
    world.command('V2G-1.1', { powerW: -5000 });
    await world.settle();
    expect(s.of('SetChargingProfile').map(shapeOf)).toEqual(['dynamic', 'limitW', 'dynamic']);
  });
});

describe('commands that follow each other', () => {
  it('replace each other in the queue, and the last one counts', async () => {
    world = await BridgeWorld.open();
    const h = held();
    await world.v2g(h.script);
    const ids = [1000, 2000, 3000].map((powerW) => world.command('V2G-1.1', { powerW }));
    await world.settle();
    h.give();
    await world.settle();
    h.give();
    await world.settle();
    expect(ids.map((id) => world.states(id).at(-1))).toEqual(['superseded', 'superseded', 'accepted']);
    // The first one was accepted, but the third came before anybody could measure it.
    expect(world.states(ids[0] ?? '')).toEqual(['sent', 'accepted', 'superseded']);
    expect(h.waiting).toBe(0);
  });

  it('do not overtake: an older one that is refused does not step down behind a newer one', async () => {
    world = await BridgeWorld.open();
    const h = held();
    const s = await world.v2g(h.script);
    const older = world.command('V2G-1.1', { powerW: 1000 });
    const newer = world.command('V2G-1.1', { importLimitW: 500 });
    await world.settle();
    h.give({ status: 'Rejected' });
    await world.settle();
    h.give();
    await world.settle();
    expect(world.states(older).at(-1)).toBe('superseded');
    expect(world.states(newer).at(-1)).toBe('accepted');
    expect(s.of('SetChargingProfile').map(shapeOf)).toEqual(['dynamic', 'limitW']);
  });

  it('expire in the queue', async () => {
    world = await BridgeWorld.open();
    const h = held();
    const s = await world.v2g(h.script);
    void world.link.send(
      world.wire('ocpp2.1/GetBaseReportRequest', { requestId: 1, reportBase: 'FullInventory' }, 'V2G-1'),
    );
    await world.settle();
    const id = world.command('V2G-1.1', { powerW: 1000 }, 3);
    await world.run(4000);
    h.give();
    await world.settle();
    expect(world.outcome(id)).toMatchObject({ state: 'expired', code: 'ocpp.expired' });
    expect(s.of('SetChargingProfile')).toEqual([]);
  });

  it('that come too late are not sent', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    const id = world.command('V2G-1.1', { powerW: 1000 }, 0);
    await world.settle();
    expect(world.outcome(id)).toMatchObject({ state: 'expired', code: 'command.lapsed' });
    expect(s.calls).toEqual([]);
  });

  it('go to their stations from one batch', async () => {
    world = await BridgeWorld.open();
    await world.v2g();
    await world.ac();
    const validUntil = iso(world.clock.now() + 60_000);
    const commands = [
      { commandId: 'b1', resourceId: 'V2G-1.1', kind: 'setpoint', powerW: 4000, validUntil, level: 6 },
      { commandId: 'b2', resourceId: 'AC-1.1', kind: 'limit', importLimitW: 6900, validUntil, level: 7 },
    ];
    await world.link.send(world.wire('hub/CommandBatch', { batchId: 'b', siteId: 'site:test', at: now(), commands }));
    await world.settle();
    expect(world.outcome('b1')).toMatchObject({ state: 'accepted', shape: 'dynamic' });
    expect(world.outcome('b2')).toMatchObject({ state: 'accepted', shape: 'limitA' });
  });

  it('that are malformed are refused to the sender', async () => {
    world = await BridgeWorld.open();
    const bad = world.link.send(world.wire('hub/PowerCommand', { commandId: 'x' }));
    await expect(bad).rejects.toMatchObject({ code: 'schema.invalid' });
  });
});

describe('the outcome', () => {
  it('is unknown when the answer does not come, and a late answer changes nothing', async () => {
    world = await BridgeWorld.open();
    const h = held();
    await world.v2g(h.script);
    const id = world.command('V2G-1.1', { powerW: 5000 });
    await world.run(11_000, 1000);
    expect(world.outcome(id)).toMatchObject({ state: 'unknown', code: 'ocpp.timeout' });
    h.give();
    await world.run(1000);
    expect(world.states(id)).toEqual(['sent', 'unknown']);
    expect(world.logged('ocpp.lateAnswer')).toBe(1);
  });

  it('is unknown when nobody measures', async () => {
    world = await BridgeWorld.open();
    await world.v2g();
    const id = world.command('V2G-1.1', { powerW: 5000 });
    await world.run(5800);
    expect(world.states(id)).toEqual(['sent', 'accepted']);
    await world.run(1200);
    expect(world.states(id)).toEqual(['sent', 'accepted', 'unknown']);
  });

  it('is not effective when the meter says otherwise, and follows it when it comes round', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    const id = world.command('V2G-1.1', { powerW: 5000 });
    await world.settle();
    for (const seqNo of [1, 2, 3]) await world.measure21(s, seqNo, 1000);
    expect(world.outcome(id)).toMatchObject({ state: 'notEffective', measuredW: 1000, code: 'resource.takesLess' });
    await world.measure21(s, 4, 5050);
    expect(world.states(id)).toEqual(['sent', 'accepted', 'notEffective', 'effective']);
  });

  it('of a command that ends before it was measured is expired', async () => {
    world = await BridgeWorld.open();
    await world.v2g();
    const id = world.command('V2G-1.1', { powerW: 5000 }, 4);
    await world.run(5000);
    expect(world.states(id)).toEqual(['sent', 'accepted', 'expired']);
  });

  it('of a command whose session ends is expired', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    const id = world.command('V2G-1.1', { powerW: 5000 });
    await world.settle();
    await s.call('TransactionEvent', say.event21('Ended', 1, now()));
    expect(world.outcome(id)).toMatchObject({ state: 'expired', code: 'session.ended' });
  });

  it('tells what was sent after clipping to the envelope', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    await world.limit('V2G-1.1', 3000);
    const id = world.command('V2G-1.1', { powerW: 9000 });
    await world.settle();
    expect(world.outcome(id)).toMatchObject({ state: 'accepted', appliedW: 3000 });
    expect(JSON.stringify(s.calls.at(-1)?.payload)).toContain('"setpoint":3000');
  });
});
