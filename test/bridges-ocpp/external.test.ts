import { afterEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { BOOT, BridgeWorld, say } from './world.ts';

let world: BridgeWorld;
afterEach(() => world.close());
const now = (): string => iso(world.clock.now());
const importLimit = (id: string) => world.row(id)?.importLimitW;

const schedule = (unit: string, ...limits: number[]) => ({
  id: 1,
  chargingRateUnit: unit,
  chargingSchedulePeriod: limits.map((limit, i) => ({ startPeriod: 60 * i, limit })),
});

describe('a limit that somebody else sets at the station', () => {
  it.each(['ocpp2.0.1', 'ocpp2.1'] as const)(
    'of %s is a limit of the resource, the lowest period, until cleared',
    async (version) => {
      world = await BridgeWorld.open();
      const s = await world.scripted(version, 'AC-1');
      await s.call('StatusNotification', { evseId: 1, connectorId: 1, connectorStatus: 'Occupied', timestamp: now() });
      await s.call('TransactionEvent', say.event21('Started', 0, now()));
      const limit = { chargingLimit: { chargingLimitSource: 'EMS' }, evseId: 1 };
      expect(await s.call('NotifyChargingLimit', { ...limit, chargingSchedule: [schedule('A', 16, 10)] })).toEqual({});
      await world.settle();
      expect(importLimit('AC-1.1')).toBe(6900);
      expect(await s.call('ClearedChargingLimit', { chargingLimitSource: 'EMS', evseId: 1 })).toEqual({});
      await world.run(2000);
      expect(importLimit('AC-1.1')).toBeGreaterThan(10_000);
    },
  );

  it('at the whole station holds for each EVSE, and ends with a boot', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    const limit = { chargingLimit: { chargingLimitSource: 'SO', isGridCritical: true } };
    await s.call('NotifyChargingLimit', { ...limit, chargingSchedule: [schedule('W', 3000)] });
    await world.settle();
    expect(importLimit('V2G-1.1')).toBe(3000);
    await s.call('BootNotification', BOOT['ocpp2.1']);
    await world.run(2000);
    expect(importLimit('V2G-1.1')).toBeGreaterThan(3000);
  });

  it('without figures, or as extra generation, changes nothing', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    const before = importLimit('V2G-1.1');
    await s.call('NotifyChargingLimit', { chargingLimit: { chargingLimitSource: 'EMS' } });
    const local = { chargingLimitSource: 'EMS', isLocalGeneration: true };
    await s.call('NotifyChargingLimit', { chargingLimit: local, chargingSchedule: [schedule('W', 10)] });
    await world.settle();
    expect(importLimit('V2G-1.1')).toBe(before);
    expect(world.logged('station.externalLimit')).toBe(1);
  });
});

describe('priority charging', () => {
  const priority = { transactionId: 'tx-1', activated: true };

  it('is the opt-out of the driver, said once, and the opt-in when it ends', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    await s.call('NotifyPriorityCharging', priority);
    await s.call('NotifyPriorityCharging', priority);
    await s.call('NotifyPriorityCharging', { ...priority, activated: false });
    expect(world.messages.filter((m) => m.topic === 'hub/OptChoice').map((m) => m.payload)).toMatchObject([
      { choice: 'out', actor: 'evu', scope: { resources: ['V2G-1.1'] } },
      { choice: 'in', actor: 'evu', scope: { resources: ['V2G-1.1'] } },
    ]);
    await s.call('NotifyPriorityCharging', { transactionId: 'tx-9', activated: true });
    expect(world.logged('station.unknownTransaction')).toBe(1);
  });

  it('is ended where the site has no room for it', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    await s.call('NotifyPriorityCharging', priority);
    await world.limit('V2G-1.1', 3000);
    await world.run(9000, 1000);
    expect(s.of('UsePriorityCharging')).toEqual([]);
    await world.run(3000, 1000);
    expect(s.of('UsePriorityCharging')).toEqual([{ transactionId: 'tx-1', activate: false }]);
    await s.call('NotifyPriorityCharging', { ...priority, activated: false });
    await world.run(12_000, 1000);
    expect(JSON.stringify(s.of('SetChargingProfile').at(-1))).toContain('"limit":3000');
  });
});

describe('a station that asks for the values of its dynamic profile', () => {
  it('gets those in force, and none when the command has ended or the profile is another one', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    const pull = (chargingProfileId: number) => s.call('PullDynamicScheduleUpdate', { chargingProfileId });
    expect(await pull(1001)).toEqual({ status: 'Rejected' });
    world.command('V2G-1.1', { powerW: -4000 }, 60);
    await world.settle();
    expect(await pull(1001)).toEqual({ status: 'Accepted', scheduleUpdate: { setpoint: -4000 } });
    expect(await pull(7)).toEqual({ status: 'Rejected' });
    await world.run(61_000, 1000);
    expect(await pull(1001)).toEqual({ status: 'Rejected' });
  });
});

describe('reports and notices of stations', () => {
  it.each(['ocpp2.0.1', 'ocpp2.1'] as const)(
    'of %s are taken, other known ones not supported, unknown ones not implemented',
    async (version) => {
      world = await BridgeWorld.open();
      const s = await world.scripted(version, 'AC-1');
      const report = { requestId: 1, generatedAt: now(), seqNo: 0, tbc: true };
      expect(await s.call('NotifyReport', report)).toEqual({});
      const profiles = {
        requestId: 1,
        chargingLimitSource: 'CSO',
        evseId: 1,
        chargingProfile: [
          {
            id: 1,
            stackLevel: 0,
            chargingProfilePurpose: 'TxDefaultProfile',
            chargingProfileKind: 'Relative',
            chargingSchedule: [schedule('W', 1000)],
          },
        ],
      };
      expect(await s.call('ReportChargingProfiles', profiles)).toEqual({});
      const plan = { timeBase: now(), evseId: 1, chargingSchedule: schedule('W', 1000) };
      expect(await s.call('NotifyEVChargingSchedule', plan)).toEqual({ status: 'Accepted' });
      expect(await s.call('DataTransfer', { vendorId: 'x' })).toEqual({ status: 'UnknownVendorId' });
      expect(await s.call('SignCertificate', { csr: 'x' })).toEqual({ error: 'NotSupported' });
    },
  );

  it('of 1.6 likewise', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'AC-1');
    expect(await s.call('FirmwareStatusNotification', { status: 'Idle' })).toEqual({});
    expect(await s.call('SignCertificate', { csr: 'x' })).toEqual({ error: 'NotSupported' });
  });
});

describe('priority charging that ends', () => {
  const pressed = { transactionId: 'tx-1', activated: true };
  const optState = () => world.row('V2G-1.1')?.optState;
  const chosen = () => world.told('OptChoice').map((m) => m.choice);

  it('ends the opt-out also when the gateway has restarted in between', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    await s.call('NotifyPriorityCharging', pressed);
    await world.run(500);
    expect(optState()).toBe('out');
    await world.restart();
    const again = await world.scripted('ocpp2.1', 'V2G-1', { boot: false });
    await again.call('TransactionEvent', say.event21('Updated', 1, now()));
    await world.run(500);
    expect(optState()).toBe('out');
    await again.call('NotifyPriorityCharging', { ...pressed, activated: false });
    await world.run(500);
    expect(optState()).toBe('in');
  });

  it('with a boot of the station ends the opt-out, and a choice of the console stays', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    await s.call('NotifyPriorityCharging', pressed);
    await world.run(500);
    await s.call('BootNotification', BOOT['ocpp2.1']);
    await world.run(500);
    expect(optState()).toBe('in');
    await s.call('BootNotification', BOOT['ocpp2.1']);
    expect(chosen()).toEqual(['out', 'in']);
    await world.site.opt({ choice: 'out', actor: 'evu', scope: { resources: ['V2G-1.1'] } }, 'console');
    await s.call('NotifyPriorityCharging', { ...pressed, activated: false });
    await world.run(500);
    expect(optState()).toBe('out');
  });
});
