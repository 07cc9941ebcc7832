import { afterEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { acCar } from '../simulators/world.ts';
import { BOOT, BridgeWorld, callError, held, say } from './world.ts';

let world: BridgeWorld;
afterEach(() => world.close());
const now = (): string => iso(world.clock.now());

describe('a station that goes and comes', () => {
  it('is offline with what its default profile allows, and back with its session and its command', async () => {
    world = await BridgeWorld.open();
    const s = await world.ac();
    const id = world.command('AC-1.1', { importLimitW: 9000 }, 600);
    await world.settle();
    s.close();
    await world.settle();
    expect(world.told('StationStatus').at(-1)).toMatchObject({ state: 'offline', offlineImportW: 11_040 });
    expect(world.row('AC-1.1')?.online).toBe(false);
    const gone = world.command('AC-1.1', { importLimitW: 8000 });
    expect(world.outcome(gone)).toMatchObject({ state: 'refused', code: 'station.notConnected' });
    await world.run(30_000, 5000);
    const again = await world.scripted('ocpp1.6', 'AC-1', { boot: false });
    await again.call('Heartbeat', {});
    await world.run(200);
    expect(world.told('StationStatus').at(-1)).toMatchObject({ state: 'charging' });
    expect(again.calls).toEqual([]);
    await again.call('MeterValues', say.meter16(8950, now(), { transactionId: s.transactionId }));
    expect(world.outcome(id)).toMatchObject({ state: 'effective', measuredW: 8950 });
    expect(world.told('SessionEvent')).toHaveLength(1);
  });

  it('twice is one station: the newest socket wins, open commands of the older one are unknown', async () => {
    world = await BridgeWorld.open();
    const h = held();
    const older = await world.ac(h.script);
    const id = world.command('AC-1.1', { importLimitW: 9000 });
    await world.settle();
    const newer = await world.scripted('ocpp1.6', 'AC-1', { boot: false });
    await world.settle();
    expect(older.peer.open).toBe(false);
    expect(world.outcome(id)).toMatchObject({ state: 'unknown', code: 'ocpp.replaced' });
    expect(world.link.status()).toMatchObject({ peers: 1, state: 'up' });
    await newer.call('Heartbeat', {});
    await world.run(200);
    expect(world.row('AC-1.1')?.online).toBe(true);
    const next = world.command('AC-1.1', { importLimitW: 7000 });
    await world.settle();
    expect(world.outcome(next)).toMatchObject({ state: 'accepted' });
    expect(newer.of('SetChargingProfile')).toHaveLength(1);
  });

  it('in a storm leaves one connection, one session and no timers behind', async () => {
    world = await BridgeWorld.open();
    const s = await world.ac();
    await world.run(6000, 1000);
    const timers = world.clock.pending;
    for (let i = 0; i < 20; i++) await world.scripted('ocpp1.6', 'AC-1', { boot: i % 5 === 0 });
    const last = await world.scripted('ocpp1.6', 'AC-1', { boot: false });
    await last.call('Heartbeat', {});
    await world.run(10_000, 1000);
    expect(world.link.status().peers).toBe(1);
    expect(world.told('SessionEvent')).toHaveLength(1);
    // It has booted and does not tell its state: what it did before says nothing, its transaction does.
    expect(world.row('AC-1.1')).toMatchObject({ online: true, state: 'connected' });
    expect(world.clock.pending).toBeLessThanOrEqual(timers + 1);
    expect(s.peer.open).toBe(false);
  });

  it('simulated, keeps charging and being metered through an interruption', async () => {
    world = await BridgeWorld.open();
    const station = world.station16();
    await world.until('it is known', () => world.row('AC-1.1')?.online === true);
    world.plug(station, acCar);
    await world.until('it is metered', () => (world.row('AC-1.1')?.measuredW ?? 0) > 10_000);
    station.setFault('disconnect');
    await world.run(3000);
    station.setFault('none');
    await world.until('it is back', () => world.row('AC-1.1')?.online === true);
    await world.until('it is metered again', () => world.row('AC-1.1')?.quality === 'good');
    expect(world.told('SessionEvent').map((e) => e.kind)).toEqual(['started']);
  });
});

describe('observations', () => {
  it('go to the wires as hub messages with the station as peer', async () => {
    world = await BridgeWorld.open();
    await world.v2g();
    expect(world.messages.map((m) => `${m.topic} ${m.v2gate.peer} ${m.v2gate.link}`)).toEqual([
      'hub/StationCapabilities V2G-1 ocpp:test',
      'hub/StationStatus V2G-1 ocpp:test',
      'hub/SessionEvent V2G-1 ocpp:test',
    ]);
  });

  it('of EVSEs that are not in the site file go nowhere', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'AC-1');
    world.messages.length = 0;
    expect(await s.call('StatusNotification', say.status16('Available', 7))).toEqual({});
    expect(await s.call('StatusNotification', say.status16('Available', 0))).toEqual({});
    expect(world.messages).toEqual([]);
  });

  it('of needs reach the twin', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    const chargingNeeds = {
      requestedEnergyTransfer: 'DC_BPT',
      v2xChargingParameters: { maxChargePower: 9000, maxDischargePower: 8000, evMaxEnergyRequest: 20_000 },
    };
    expect(await s.call('NotifyEVChargingNeeds', { evseId: 1, chargingNeeds })).toEqual({ status: 'Processing' });
    expect(world.told('EvNeeds')).toMatchObject([{ importMaxW: 9000, exportMaxW: 8000, bidirectional: true }]);
  });
});

describe('a native link', () => {
  it('shows the calls of stations as they come; the gateway answers', async () => {
    world = await BridgeWorld.open({}, 'native');
    const s = await world.scripted('ocpp1.6', 'AC-1', { boot: false });
    expect(await s.call('BootNotification', BOOT['ocpp1.6'])).toMatchObject({ status: 'Accepted' });
    expect(world.messages).toMatchObject([
      { topic: 'ocpp1.6/BootNotificationRequest', payload: BOOT['ocpp1.6'], v2gate: { peer: 'AC-1' } },
    ]);
    await s.call('StatusNotification', say.status16('Available'));
    expect(world.row('AC-1.1')?.state).toBe('available');
  });

  it('passes requests through, and gives the answer with its cause', async () => {
    world = await BridgeWorld.open({}, 'native');
    const s = await world.scripted('ocpp1.6', 'AC-1', {
      script: (action) => (action === 'GetConfiguration' ? { unknownKey: ['X'] } : { status: 'Accepted' }),
    });
    world.messages.length = 0;
    s.calls.length = 0;
    const request = world.wire('ocpp1.6/GetConfigurationRequest', { key: ['X'] }, 'AC-1');
    await world.link.send(request);
    expect(s.of('GetConfiguration')).toEqual([{ key: ['X'] }]);
    expect(world.messages).toMatchObject([
      {
        topic: 'ocpp1.6/GetConfigurationResponse',
        payload: { unknownKey: ['X'] },
        v2gate: { cause: request.v2gate.id, peer: 'AC-1' },
      },
    ]);
  });

  it('says what is wrong with a request', async () => {
    world = await BridgeWorld.open();
    await world.scripted('ocpp1.6', 'AC-1', {
      script: () => {
        throw callError('InternalError');
      },
    });
    const sent = (topic: string, payload: object, peer?: string) => world.link.send(world.wire(topic, payload, peer));
    await expect(sent('ocpp1.6/ResetRequest', { type: 'Soft' }, 'NOBODY')).rejects.toMatchObject({
      code: 'station.notConnected',
    });
    await expect(sent('ocpp1.6/ResetRequest', { type: 'Soft' })).rejects.toMatchObject({
      code: 'station.notConnected',
    });
    await expect(sent('ocpp2.1/ResetRequest', { type: 'OnIdle' }, 'AC-1')).rejects.toMatchObject({
      code: 'native.unsupported',
    });
    await expect(sent('hub/Telemetry', {}, 'AC-1')).rejects.toMatchObject({ code: 'native.unsupported' });
    await expect(sent('ocpp1.6/ResetRequest', { type: 'Tepid' }, 'AC-1')).rejects.toMatchObject({
      code: 'ocpp.invalidRequest',
    });
    await expect(sent('ocpp1.6/ResetRequest', { type: 'Soft' }, 'AC-1')).rejects.toMatchObject({
      code: 'ocpp.internal',
    });
  });
});

describe('a link that closes', () => {
  it('ends open commands as unknown and leaves nothing running', async () => {
    world = await BridgeWorld.open();
    const before = world.clock.pending;
    const h = held();
    const s = await world.ac(h.script);
    const id = world.command('AC-1.1', { importLimitW: 9000 });
    await world.settle();
    const outcomes: unknown[] = [];
    world.site.on('observed', (m) => m.topic === 'hub/CommandOutcome' && outcomes.push(m.payload));
    const closed = world.link.close();
    await world.run(4000);
    await closed;
    expect(outcomes).toMatchObject([{ commandId: id, state: 'unknown', code: 'ocpp.closed' }]);
    expect(s.peer.open).toBe(false);
    expect(world.clock.pending).toBeLessThan(before);
    expect(world.link.status()).toMatchObject({ state: 'down' });
    await expect(world.link.send(world.wire('ocpp1.6/ResetRequest', {}, 'AC-1'))).rejects.toMatchObject({
      code: 'station.notConnected',
    });
    await world.link.close();
  });

  it('refuses to open for a site that is not there', async () => {
    world = await BridgeWorld.open();
    const { openOcppLink } = await import('../../bridges/ocpp/index.ts');
    const config = {
      linkId: 'x',
      siteId: 'site:none',
      host: '127.0.0.1',
      port: 0,
      path: '/ocpp',
      portSearch: false,
      speaks: 'hub' as const,
    };
    await expect(openOcppLink(config, world.runtime)).rejects.toMatchObject({ code: 'site.unknown' });
    const taken = { ...config, siteId: 'site:test', port: Number(new URL(world.link.url).port) };
    await expect(openOcppLink(taken, world.runtime)).rejects.toMatchObject({ code: 'port.taken' });
    const open = { ...config, siteId: 'site:test', host: '0.0.0.0' };
    await expect(openOcppLink(open, world.runtime)).rejects.toMatchObject({ code: 'ocpp.insecure' });
  });
});
