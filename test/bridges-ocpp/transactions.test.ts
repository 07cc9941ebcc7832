import { afterEach, describe, expect, it, vi } from 'vitest';
import { TransactionBook } from '../../bridges/ocpp/transactions.ts';
import { iso, realClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { openStore } from '../../gateway/store/index.ts';
import { BOOT, BridgeWorld, say } from './world.ts';

const T0 = '2026-01-01T00:00:00.000Z';

describe('the book of transactions', () => {
  const book = async () => {
    const store = await openStore({ path: ':memory:', clock: realClock(), log: silentLog, metrics: createMetrics() });
    const made = new TransactionBook(store, realClock());
    await made.restore();
    return { made, store };
  };

  it('gives the same start the same id, also while the first one is being stored', async () => {
    const { made } = await book();
    const ids = await Promise.all([1, 2, 3].map(() => made.start('r', T0, 100)));
    expect(new Set(ids.map((t) => t.transactionId)).size).toBe(1);
    expect((await made.start('r', T0, 101)).transactionId).not.toBe(ids[0]?.transactionId);
  });

  it('never gives an id twice, over restarts and beside ids of others', async () => {
    const { made, store } = await book();
    const many = await Promise.all(Array.from({ length: 50 }, (_, i) => made.start(`r${i}`, T0, 0)));
    await made.note('other', 700, T0);
    const later = new TransactionBook(store, realClock());
    await later.restore();
    many.push(await later.start('r0', T0, 1));
    expect(new Set(many.map((t) => t.transactionId)).size).toBe(51);
    expect(many.at(-1)?.transactionId).toBe(701);
  });

  it('ends a transaction once', async () => {
    const { made } = await book();
    const { transactionId } = await made.start('r', T0, 0);
    expect(await made.end('r', transactionId + 1)).toBe(false);
    expect(await made.end('r', transactionId)).toBe(true);
    expect(await made.end('r', transactionId)).toBe(false);
    expect(await made.last('r')).toMatchObject({ transactionId, ended: true });
  });
});

describe('sessions', () => {
  let world: BridgeWorld;
  afterEach(() => world.close());
  const kinds = (): unknown[] => world.told('SessionEvent').map((e) => `${e.kind} ${e.sessionId}`);
  const now = (): string => iso(world.clock.now());

  describe('of OCPP 1.6', () => {
    it('a repeated start gets the same id and is one session', async () => {
      world = await BridgeWorld.open();
      const s = await world.scripted('ocpp1.6', 'AC-1');
      const [a, b] = await Promise.all([
        s.call('StartTransaction', say.start16()),
        s.call('StartTransaction', say.start16()),
      ]);
      const c = await s.call('StartTransaction', say.start16());
      expect(a).toEqual({ transactionId: 1, idTagInfo: { status: 'Accepted' } });
      expect([b, c]).toEqual([a, a]);
      expect(kinds()).toEqual(['started 1']);
      expect(world.told('SessionEvent')[0]).toMatchObject({ at: T0, importWh: 100 });
    });

    it('a start with a refused tag is answered, controlled, and no session of the hub', async () => {
      world = await BridgeWorld.open();
      const s = await world.scripted('ocpp1.6', 'AC-1');
      await s.call('StatusNotification', say.status16('Preparing'));
      const { transactionId, idTagInfo } = await s.call('StartTransaction', say.start16({ idTag: 'RFID-2' }));
      expect(idTagInfo).toEqual({ status: 'Invalid' });
      await world.limit('AC-1.1', 3000);
      await world.settle();
      expect(s.of('SetChargingProfile').at(-1)).toMatchObject({ csChargingProfiles: { transactionId, stackLevel: 1 } });
      const stop = { transactionId, meterStop: 100, timestamp: now(), reason: 'DeAuthorized' };
      expect(await s.call('StopTransaction', stop)).toEqual({});
      expect(kinds()).toEqual([]);
    });

    it('a start at a connector that is not in the site file is refused in good form', async () => {
      world = await BridgeWorld.open();
      const s = await world.scripted('ocpp1.6', 'AC-1');
      expect(await s.call('StartTransaction', say.start16({ connectorId: 3 }))).toEqual({
        transactionId: 1,
        idTagInfo: { status: 'Invalid' },
      });
      expect(world.logged('station.unknownConnector')).toBe(1);
    });

    it('a stop ends the session once; a stop of an unknown transaction is answered', async () => {
      world = await BridgeWorld.open();
      const s = await world.scripted('ocpp1.6', 'AC-1');
      const { transactionId } = await s.call('StartTransaction', say.start16());
      const stop = { transactionId, meterStop: 900, timestamp: now(), idTag: 'RFID-1' };
      expect(await s.call('StopTransaction', stop)).toEqual({ idTagInfo: { status: 'Accepted' } });
      expect(await s.call('StopTransaction', stop)).toEqual({ idTagInfo: { status: 'Accepted' } });
      expect(await s.call('StopTransaction', { ...stop, transactionId: 99 })).toEqual({
        idTagInfo: { status: 'Accepted' },
      });
      expect(kinds()).toEqual(['started 1', 'ended 1']);
      expect(world.logged('station.unknownTransaction')).toBe(1);
    });

    it('a transaction that runs since before the restart of the gateway is adopted by its meter values', async () => {
      world = await BridgeWorld.open();
      const before = await world.scripted('ocpp1.6', 'AC-1');
      const { transactionId } = await before.call('StartTransaction', say.start16());
      await world.restart();
      const s = await world.scripted('ocpp1.6', 'AC-1', { boot: false });
      await s.call('MeterValues', say.meter16(5000, now(), { transactionId }));
      await s.call('MeterValues', say.meter16(5000, now(), { transactionId }));
      expect(world.told('SessionEvent').filter((e) => e.kind === 'started')).toMatchObject([{ at: T0 }, { at: T0 }]);
      expect(world.row('AC-1.1')).toMatchObject({ measuredW: 5000 });
      await s.call('StopTransaction', { transactionId, meterStop: 900, timestamp: now() });
      expect(kinds().at(-1)).toBe('ended 1');
    });

    it('… or by its state, and a meter value that comes after the stop adopts nothing', async () => {
      world = await BridgeWorld.open();
      const before = await world.scripted('ocpp1.6', 'AC-1');
      const { transactionId } = await before.call('StartTransaction', say.start16());
      await world.restart();
      const s = await world.scripted('ocpp1.6', 'AC-1', { boot: false });
      await s.call('StatusNotification', say.status16('Charging'));
      expect(kinds()).toEqual(['started 1', 'started 1']);
      await s.call('StopTransaction', { transactionId, meterStop: 900, timestamp: now() });
      await s.call('MeterValues', say.meter16(5000, now(), { transactionId }));
      await world.restart();
      const late = await world.scripted('ocpp1.6', 'AC-1', { boot: false });
      await late.call('MeterValues', say.meter16(5000, now(), { transactionId }));
      await late.call('StatusNotification', say.status16('Charging'));
      expect(kinds()).toEqual(['started 1', 'started 1', 'ended 1']);
    });

    it('a transaction that nobody knows is adopted, and its id is not given again', async () => {
      world = await BridgeWorld.open();
      const s = await world.scripted('ocpp1.6', 'AC-1');
      await s.call('MeterValues', say.meter16(5000, now(), { transactionId: 41 }));
      expect(kinds()).toEqual(['started 41']);
      const other = await world.scripted('ocpp1.6', 'AC-2');
      expect(await other.call('StartTransaction', say.start16())).toMatchObject({ transactionId: 42 });
      await s.call('MeterValues', say.meter16(5000, now(), { transactionId: 0 }));
      await s.call('MeterValues', say.meter16(5000, now(), { transactionId: 40 }));
      expect(kinds()).toEqual(['started 41', 'started 42']);
    });

    it('what was queued while the station was offline is taken in order, also when an answer got lost', async () => {
      world = await BridgeWorld.open();
      const s = await world.scripted('ocpp1.6', 'AC-1');
      const at = (s: number) => iso(Date.UTC(2026, 0, 1, 0, 0, s));
      const first = await s.call('StartTransaction', say.start16({ timestamp: at(0) }));
      s.close();
      await world.run(60_000, 10_000);
      const again = await world.scripted('ocpp1.6', 'AC-1', { boot: false });
      expect(await again.call('StartTransaction', say.start16({ timestamp: at(0) }))).toEqual(first);
      const stop = { transactionId: first.transactionId, meterStop: 500, timestamp: at(20) };
      await again.call('StopTransaction', stop);
      await again.call('StopTransaction', stop);
      const second = await again.call('StartTransaction', say.start16({ timestamp: at(30), meterStart: 500 }));
      expect(await again.call('StartTransaction', say.start16({ timestamp: at(30), meterStart: 500 }))).toEqual(second);
      expect(kinds()).toEqual(['started 1', 'ended 1', 'started 2']);
      expect(world.row('AC-1.1')?.sessionId).toBe('2');
    });

    it('a free connector has no transaction, and the stop that comes late still ends it in the books', async () => {
      world = await BridgeWorld.open();
      const s = await world.scripted('ocpp1.6', 'AC-1');
      const { transactionId } = await s.call('StartTransaction', say.start16());
      await s.call('StatusNotification', say.status16('Available'));
      const id = world.command('AC-1.1', { importLimitW: 7000 });
      await world.settle();
      expect(world.outcome(id)?.state).toBe('accepted');
      expect(s.of('SetChargingProfile').at(-1)).toMatchObject({
        csChargingProfiles: { chargingProfilePurpose: 'TxDefaultProfile', stackLevel: 1 },
      });
      await s.call('StopTransaction', { transactionId, meterStop: 900, timestamp: now() });
      expect(kinds()).toEqual(['started 1', 'ended 1']);
      expect(world.row('AC-1.1')?.state).toBe('available');
    });
  });

  describe.each(['ocpp2.0.1', 'ocpp2.1'] as const)('of %s', (version) => {
    it('events are taken once and in order; a repetition is answered', async () => {
      world = await BridgeWorld.open();
      const s = await world.scripted(version, 'V2G-1');
      const token = { idToken: { idToken: 'RFID-1', type: 'Central' } };
      const started = say.event21('Started', 0, now(), token);
      expect(await s.call('TransactionEvent', started)).toEqual({ idTokenInfo: { status: 'Accepted' } });
      expect(await s.call('TransactionEvent', started)).toEqual({ idTokenInfo: { status: 'Accepted' } });
      for (const seqNo of [1, 3, 2, 3]) await s.call('TransactionEvent', say.event21('Updated', seqNo, now()));
      const ended = say.event21('Ended', 4, now());
      await s.call('TransactionEvent', ended);
      await s.call('TransactionEvent', ended);
      await s.call('TransactionEvent', say.event21('Updated', 5, now()));
      expect(world.told('SessionEvent').map((e) => `${e.kind} ${e.seqNo}`)).toEqual([
        'started 0',
        'updated 1',
        'updated 3',
        'ended 4',
      ]);
      expect(world.logged('station.lostEvents')).toBe(1);
    });

    it('events without an EVSE belong to where their transaction runs, also after a restart', async () => {
      const stations = [
        {
          identity: 'V2G-1',
          evses: [1, 2].map((evse) => ({ evse, current: 'dc' as const, maxImportW: 11_000, maxExportW: 11_000 })),
        },
      ];
      world = await BridgeWorld.open({ stations, groups: [], contracts: [] });
      const evse = { id: 2, connectorId: 1 };
      const { evse: _, ...updated } = say.event21('Updated', 1, now());
      const s = await world.scripted(version, 'V2G-1');
      await s.call('TransactionEvent', say.event21('Started', 0, now(), { evse }));
      await s.call('TransactionEvent', updated);
      await world.restart();
      const again = await world.scripted(version, 'V2G-1', { boot: false });
      await again.call('TransactionEvent', { ...updated, seqNo: 2 });
      expect(world.told('SessionEvent').map((e) => e.resourceId)).toEqual(['V2G-1.2', 'V2G-1.2', 'V2G-1.2']);
      const stray = { ...updated, transactionInfo: { transactionId: 'tx-9' } };
      expect(await again.call('TransactionEvent', stray)).toEqual({});
      expect(world.logged('station.unknownTransaction')).toBe(1);
    });

    it('an event of an unknown transaction at the only EVSE of a station begins a session', async () => {
      world = await BridgeWorld.open();
      const s = await world.scripted(version, 'V2G-1', { boot: false });
      const { evse: _, ...updated } = say.event21('Updated', 7, now(), say.power21(-3000, now()));
      await s.call('TransactionEvent', updated);
      expect(world.row('V2G-1.1')).toMatchObject({ measuredW: -3000 });
      expect(kinds()).toEqual(['updated tx-1']);
    });

    it('what came to its end before the restart is not taken up again', async () => {
      world = await BridgeWorld.open();
      const s = await world.scripted(version, 'V2G-1');
      await s.call('TransactionEvent', say.event21('Started', 0, now()));
      await s.call('TransactionEvent', say.event21('Ended', 1, now()));
      await world.restart();
      const again = await world.scripted(version, 'V2G-1', { boot: false });
      await again.call('TransactionEvent', say.event21('Ended', 1, now()));
      expect(kinds()).toEqual(['started tx-1', 'ended tx-1']);
    });

    it('a late event of the transaction before does not take the place of the one that runs', async () => {
      world = await BridgeWorld.open();
      const s = await world.scripted(version, 'V2G-1');
      await s.call('TransactionEvent', say.event21('Started', 0, now()));
      await s.call('TransactionEvent', say.event21('Started', 0, now(), {}, 'tx-2'));
      await s.call('TransactionEvent', say.event21('Updated', 1, now()));
      await s.call('TransactionEvent', say.event21('Updated', 1, now(), {}, 'tx-2'));
      expect(kinds()).toEqual(['started tx-1', 'started tx-2', 'updated tx-2']);
    });

    it('a connector that is free while a transaction runs does not end it', async () => {
      world = await BridgeWorld.open();
      const s = await world.scripted(version, 'V2G-1');
      await s.call('TransactionEvent', say.event21('Started', 0, now()));
      const free = { evseId: 1, connectorId: 1, connectorStatus: 'Available', timestamp: now() };
      await s.call('StatusNotification', free);
      expect(world.told('StationStatus').some((x) => x.state === 'available')).toBe(false);
    });

    it('what was queued while the station was offline is taken in order, and the session that runs stays', async () => {
      world = await BridgeWorld.open();
      const s = await world.scripted(version, 'V2G-1');
      await s.call('TransactionEvent', say.event21('Started', 0, now()));
      s.close();
      await world.run(60_000, 10_000);
      const again = await world.scripted(version, 'V2G-1', { boot: false });
      const offline = { offline: true };
      await again.call('TransactionEvent', say.event21('Updated', 1, now(), offline));
      await again.call('TransactionEvent', say.event21('Ended', 2, now(), offline));
      await again.call('TransactionEvent', say.event21('Started', 0, now(), offline, 'tx-2'));
      await again.call('TransactionEvent', say.event21('Updated', 1, now(), offline, 'tx-2'));
      expect(kinds()).toEqual(['started tx-1', 'updated tx-1', 'ended tx-1', 'started tx-2', 'updated tx-2']);
      expect(
        world
          .told('SessionEvent')
          .slice(1)
          .every((e) => e.offline === true),
      ).toBe(true);
      expect(world.logged('station.lostEvents')).toBe(0);
      expect(world.row('V2G-1.1')?.sessionId).toBe('tx-2');
    });

    it('a transaction that runs since before the restart of the gateway is adopted by its next event', async () => {
      world = await BridgeWorld.open();
      const s = await world.scripted(version, 'V2G-1');
      await s.call('TransactionEvent', say.event21('Started', 0, now()));
      await world.restart();
      const again = await world.scripted(version, 'V2G-1', { boot: false });
      await again.call('TransactionEvent', say.event21('Updated', 4, now()));
      const id = world.command('V2G-1.1', { importLimitW: 3000 });
      await world.settle();
      expect(world.outcome(id)).toMatchObject({ state: 'accepted' });
      expect(JSON.stringify(again.of('SetChargingProfile').at(-1))).toContain('"transactionId":"tx-1"');
    });
  });

  it('meter values of the transaction that runs need no look into the store', async () => {
    world = await BridgeWorld.open();
    const [ac, v2g] = [await world.ac(), await world.v2g()];
    await world.settle();
    const read = vi.spyOn(world.store, 'get');
    for (let i = 1; i <= 3; i++) {
      await ac.call('MeterValues', say.meter16(1_000 * i, now(), { transactionId: ac.transactionId }));
      await v2g.call('TransactionEvent', say.event21('Updated', i, now(), say.power21(-500 * i, now())));
      await world.run(1_000);
    }
    expect(read).not.toHaveBeenCalled();
    expect([world.row('AC-1.1')?.measuredW, world.row('V2G-1.1')?.measuredW]).toEqual([3_000, -1_500]);
  });

  it('a meter value waits for the start of its transaction, which is still being stored', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'AC-1');
    const started = s.call('StartTransaction', say.start16());
    // Ids begin at 1.
    const metered = s.call('MeterValues', say.meter16(4_000, now(), { transactionId: 1 }));
    expect([(await started).transactionId, await metered]).toEqual([1, {}]);
    await world.settle();
    expect(kinds()).toEqual(['started 1']);
    expect(world.logged('station.adopted')).toBe(0);
  });

  it('goes on when the station restarts; what it was told is forgotten and the default is put back', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp2.1', 'V2G-1');
    await s.call('TransactionEvent', say.event21('Started', 0, now()));
    const id = world.command('V2G-1.1', { powerW: 5000 });
    await world.settle();
    await s.call('BootNotification', BOOT['ocpp2.1']);
    expect(world.outcome(id)).toMatchObject({ state: 'unknown', code: 'station.rebooted' });
    await world.run(200);
    expect(s.of('SetChargingProfile').at(-1)).toMatchObject({ chargingProfile: { id: 1, stackLevel: 0 } });
    await s.call('TransactionEvent', say.event21('Updated', 1, now()));
    const next = world.command('V2G-1.1', { powerW: -5000 });
    await world.settle();
    expect(world.outcome(next)).toMatchObject({ state: 'accepted', shape: 'dynamic' });
    expect(s.of('UpdateDynamicSchedule')).toEqual([]);
    expect(kinds()).toEqual(['started tx-1', 'updated tx-1']);
  });
});
