import { afterEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { accept, BridgeWorld, held, type Script, say } from './world.ts';

let world: BridgeWorld;
afterEach(() => world.close());
const now = (): string => iso(world.clock.now());
const kinds = (): unknown[] => world.told('SessionEvent').map((e) => `${e.kind} ${e.sessionId}`);

/** AC-1 with several EVSEs. */
const evses = (count: number) => {
  const { stations } = world.file;
  const more = stations.map((s) =>
    s.identity === 'AC-1'
      ? {
          ...s,
          evses: Array.from({ length: count }, (_, i) => ({ ...s.evses[0], evse: i + 1 }) as (typeof s.evses)[0]),
        }
      : s,
  );
  return { ...world.file, stations: more };
};

/** A station of 1.6 without smart charging. */
const core: Script = (action, payload) =>
  action === 'GetConfiguration'
    ? { configurationKey: [{ key: 'SupportedFeatureProfiles', readonly: true, value: 'Core' }] }
    : accept(action, payload);

describe('a station that comes back with another version of OCPP', () => {
  it('is asked anew, and its old transaction is not spoken of', async () => {
    world = await BridgeWorld.open();
    const old = await world.ac();
    old.close();
    await world.run(1000);
    const s = await world.scripted('ocpp2.0.1', 'AC-1', { boot: false });
    const occupied = { evseId: 1, connectorId: 1, connectorStatus: 'Occupied', timestamp: now() };
    await s.call('StatusNotification', occupied);
    await world.run(1000);
    expect(s.of('GetVariables')).toHaveLength(1);
    const before = world.command('AC-1.1', { importLimitW: 5000 });
    await world.settle();
    expect(world.outcome(before)).toMatchObject({ state: 'accepted', appliedW: 5000 });
    expect(s.of('SetChargingProfile').at(-1)).not.toHaveProperty('chargingProfile.transactionId');
    await s.call('TransactionEvent', say.event21('Started', 0, now()));
    const after = world.command('AC-1.1', { importLimitW: 4000 });
    await world.settle();
    expect(world.outcome(after)).toMatchObject({ state: 'accepted' });
    expect(s.of('SetChargingProfile').at(-1)).toMatchObject({ chargingProfile: { transactionId: 'tx-1' } });
  });
});

describe('a driver who was stopped', () => {
  const stopped = async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'AC-1', { script: core });
    await s.call('StatusNotification', say.status16('Preparing'));
    const { transactionId } = await s.call('StartTransaction', say.start16());
    await s.call('StatusNotification', say.status16('Charging'));
    world.command('AC-1.1', { importLimitW: 5000 }, 60);
    await world.settle();
    expect(s.of('RemoteStopTransaction')).toEqual([{ transactionId }]);
    await s.call('StopTransaction', { transactionId, meterStop: 900, timestamp: now(), reason: 'Remote' });
    await s.call('StatusNotification', say.status16('Finishing'));
    return s;
  };

  it('goes on after that', async () => {
    const s = await stopped();
    await world.run(61_000, 1000);
    expect(s.of('RemoteStartTransaction')).toHaveLength(1);
  });

  it('who has left does not pay for the next one', async () => {
    const s = await stopped();
    await s.call('StatusNotification', say.status16('Available'));
    await s.call('StatusNotification', say.status16('Preparing'));
    await world.run(61_000, 1000);
    world.command('AC-1.1', { importLimitW: 11_040 }, 60);
    await world.run(1000);
    expect(s.of('RemoteStartTransaction')).toEqual([]);
  });
});

describe('transactions of 1.6', () => {
  it('a number that a station makes up does not use up the ids of all stations', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'AC-1');
    await s.call('MeterValues', say.meter16(5000, now(), { transactionId: Number.MAX_SAFE_INTEGER }));
    expect(kinds()).toEqual([`started ${Number.MAX_SAFE_INTEGER}`]);
    const other = await world.scripted('ocpp1.6', 'AC-2');
    expect(await other.call('StartTransaction', say.start16())).toMatchObject({ transactionId: 1 });
  });

  it('a meter value with the number of another connector adopts nothing', async () => {
    world = await BridgeWorld.open();
    await world.site.reload(evses(2));
    const s = await world.scripted('ocpp1.6', 'AC-1');
    const { transactionId } = await s.call('StartTransaction', say.start16());
    await s.call('MeterValues', say.meter16(5000, now(), { connectorId: 2, transactionId }));
    expect(kinds()).toEqual(['started 1']);
    await s.call('StopTransaction', { transactionId, meterStop: 900, timestamp: now() });
    expect(world.told('SessionEvent').at(-1)).toMatchObject({ kind: 'ended', resourceId: 'AC-1.1' });
  });
});

describe('transactions of 2.x', () => {
  it('an older one that is replayed too late does not take the place of the one that runs', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    const earlier = iso(world.clock.now() - 3_600_000);
    await s.call('TransactionEvent', say.event21('Started', 0, earlier, { offline: true }, 'tx-0'));
    await s.call('TransactionEvent', say.event21('Updated', 1, earlier, { offline: true }, 'tx-0'));
    const id = world.command('V2G-1.1', { powerW: 4000 });
    await world.settle();
    expect(s.of('SetChargingProfile')).toMatchObject([{ chargingProfile: { transactionId: 'tx-1' } }]);
    await s.call('TransactionEvent', say.event21('Ended', 2, earlier, { offline: true }, 'tx-0'));
    expect(world.outcome(id)).toMatchObject({ state: 'accepted' });
    expect(world.logged('station.outOfOrder')).toBe(2);
  });

  it('one that runs since before the restart of the gateway is asked for, so that limits reach it', async () => {
    world = await BridgeWorld.open();
    await world.v2g();
    await world.restart();
    const s = await world.scripted('ocpp2.1', 'V2G-1', {
      boot: false,
      script: (action, payload) => {
        if (payload.requestedMessage === 'TransactionEvent')
          void s.call('TransactionEvent', say.event21('Updated', 7, now()));
        return accept(action, payload);
      },
    });
    await world.run(16_000, 1000);
    expect(s.of('TriggerMessage')).toContainEqual({ requestedMessage: 'TransactionEvent', evse: { id: 1 } });
    world.command('V2G-1.1', { importLimitW: 3000 });
    await world.settle();
    expect(s.of('SetChargingProfile').at(-1)).toMatchObject({ chargingProfile: { transactionId: 'tx-1' } });
  });
});

describe('an EVSE that is new in the site file', () => {
  it('at a station that is up is prepared like the others', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'AC-1');
    await s.call('StatusNotification', say.status16('Available'));
    await world.run(1000);
    s.calls.length = 0;
    await world.site.reload(evses(2));
    await world.run(1000);
    expect(s.of('SetChargingProfile').map((p) => p.connectorId)).toContain(2);
    expect(s.of('TriggerMessage')).toEqual([{ requestedMessage: 'StatusNotification', connectorId: 2 }]);
    expect(world.states(world.command('AC-1.2', { importLimitW: 3000 }))).not.toContain('refused');
  });
});

describe('the queue of a slow station', () => {
  it('a limit that must hold overtakes the default profiles of other EVSEs', async () => {
    world = await BridgeWorld.open();
    await world.site.reload(evses(4));
    const slow = held();
    const s = await world.scripted('ocpp2.0.1', 'AC-1', {
      script: (action, payload) =>
        action === 'SetChargingProfile' ? slow.script(action, payload) : accept(action, payload),
    });
    expect(s.of('SetChargingProfile')).toHaveLength(1);
    world.command('AC-1.4', { importLimitW: 3000, level: 2 });
    await world.settle();
    slow.give();
    await world.settle();
    expect(s.of('SetChargingProfile').at(-1)).toMatchObject({ evseId: 4, chargingProfile: { stackLevel: 1 } });
    for (let i = 0; i < 6; i++) {
      slow.give();
      await world.settle();
    }
  });
});

describe('a newer command', () => {
  it('is not followed by an older one that has to be said again', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    world.command('V2G-1.1', { powerW: 9000 });
    await world.settle();
    const updates = held();
    s.script = (action, payload) =>
      action === 'UpdateDynamicSchedule' ? updates.script(action, payload) : accept(action, payload);
    const older = world.command('V2G-1.1', { powerW: 8000 });
    await world.settle();
    const newer = world.command('V2G-1.1', { powerW: 3000 });
    await world.settle();
    updates.give({ status: 'Rejected' });
    await world.settle();
    updates.give({ status: 'Accepted' });
    await world.settle();
    expect(world.states(older)).toEqual(['sent', 'superseded']);
    expect(world.outcome(newer)).toMatchObject({ state: 'accepted', appliedW: 3000 });
    expect(JSON.stringify(s.calls.at(-1)?.payload)).toContain('"setpoint":3000');
  });
});

describe('limits from outside', () => {
  it('of a station that invents sources do not fill the book of limits', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    const schedule = { id: 1, chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 5000 }] };
    for (let i = 0; i < 40; i++) {
      const chargingLimit = { chargingLimitSource: `x${i}` };
      await s.call('NotifyChargingLimit', { chargingLimit, evseId: 1, chargingSchedule: [schedule] });
    }
    await world.settle();
    const sources = world.log.filter((l) => l.event === 'limit.set').map((l) => l.source);
    expect(new Set(sources).size).toBe(9);
    await s.call('BootNotification', { reason: 'PowerUp', chargingStation: { vendorName: 'v', model: 'm' } });
    await world.run(1000);
    const left = await world.store.get('limit', 'V2G-1.1/station:others');
    expect(left).toBeUndefined();
  });
});

describe('what may outlast a command', () => {
  it('a dynamic profile whose watchdog runs longer than its last update counts until then', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    world.command('V2G-1.1', { powerW: -5000 }, 600);
    await world.settle();
    world.command('V2G-1.1', { powerW: -6000 }, 550);
    await world.settle();
    expect(s.of('UpdateDynamicSchedule')).toHaveLength(1);
    await world.run(555_000, 5000);
    s.calls.length = 0;
    await world.site.setLimit({ nodeId: 'V2G-1.1', source: 'test', exportLimitW: 1000 });
    await world.settle();
    // Nothing asks for export any more: the limit ends it, and does not command the rest of it.
    expect(s.calls).toMatchObject([{ action: 'SetChargingProfile' }]);
    expect(JSON.stringify(s.calls)).not.toContain('setpoint');
  });

  it('an export from before the restart of the gateway is held to the limits of now', async () => {
    world = await BridgeWorld.open();
    const before = await world.v2g();
    world.command('V2G-1.1', { powerW: -10_000 }, 600);
    await world.settle();
    expect(before.of('SetChargingProfile')).toHaveLength(1);
    await world.site.setLimit({ nodeId: 'V2G-1.1', source: 'test', exportLimitW: 1000 });
    await world.restart();
    const s = await world.scripted('ocpp2.1', 'V2G-1', { boot: false });
    const occupied = { evseId: 1, connectorId: 1, connectorStatus: 'Occupied', timestamp: now() };
    await s.call('StatusNotification', occupied);
    await s.call('TransactionEvent', say.event21('Updated', 7, now()));
    await world.run(1000);
    const sent = s.of('SetChargingProfile').at(-1);
    expect(sent).toMatchObject({ chargingProfile: { transactionId: 'tx-1', stackLevel: 1 } });
    expect(JSON.stringify(sent)).not.toContain('setpoint');
  });

  it('a default for sessions that was not answered counts in the session that begins then', async () => {
    world = await BridgeWorld.open({ circuits: [{ circuitId: 'k1', importLimitW: 9000, exportLimitW: 9000 }] });
    const s = await world.scripted('ocpp2.0.1', 'AC-1');
    const occupied = { evseId: 1, connectorId: 1, connectorStatus: 'Occupied', timestamp: now() };
    await s.call('StatusNotification', occupied);
    s.script = (action, payload) =>
      action === 'SetChargingProfile' ? new Promise(() => undefined) : accept(action, payload);
    const id = world.command('AC-1.1', { importLimitW: 9000 }, 600);
    await world.run(11_000, 1000);
    expect(world.outcome(id)).toMatchObject({ state: 'unknown', appliedW: 9000 });
    s.script = accept;
    s.calls.length = 0;
    await s.call('TransactionEvent', say.event21('Started', 0, now()));
    await world.limit('AC-1.1', 6000);
    await world.settle();
    expect(JSON.stringify(s.of('SetChargingProfile').at(-1))).toContain('"limit":6000');
  });

  it('an export that a limit has cut ends with the command that asked for it', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    world.command('V2G-1.1', { powerW: -5000 }, 60);
    await world.settle();
    await world.site.setLimit({ nodeId: 'V2G-1.1', source: 'test', exportLimitW: 1000 });
    await world.settle();
    const [schedule] = s.of('SetChargingProfile').map((p) => JSON.stringify(p));
    expect(schedule).toContain('"duration":60');
    expect(s.calls.at(-1)).toMatchObject({
      action: 'UpdateDynamicSchedule',
      payload: { scheduleUpdate: { setpoint: -1000 } },
    });
    await world.run(65_000, 1000);
    expect(s.calls.filter((c) => JSON.stringify(c.payload).includes('setpoint'))).toHaveLength(2);
  });

  it('a default that was raised without an answer counts as raised', async () => {
    const circuit = { circuitId: 'k1', importLimitW: 9000, exportLimitW: 25_000 };
    world = await BridgeWorld.open({ circuits: [circuit] });
    let answers = true;
    const s = await world.scripted('ocpp2.0.1', 'AC-1', {
      script: (action, payload) =>
        action === 'SetChargingProfile' && !answers ? new Promise(() => undefined) : accept(action, payload),
    });
    const defaults = () => s.of('SetChargingProfile').filter((p) => JSON.stringify(p).includes('"stackLevel":0'));
    const before = world.site.safeImportW('AC-1.1');
    answers = false;
    await world.site.reload({ ...world.file, circuits: [{ ...circuit, importLimitW: 15_000 }] });
    expect(world.site.safeImportW('AC-1.1')).toBeGreaterThan(before);
    await world.run(75_000, 1000);
    expect(defaults()).toHaveLength(2);
    expect(world.told('StationStatus').at(-1)).not.toMatchObject({ offlineImportW: before });
  });
});
