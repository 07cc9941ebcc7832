import { afterEach, describe, expect, it } from 'vitest';
import { acCar, v2gCar } from '../simulators/world.ts';
import { BridgeWorld, held, type Scripted, say } from './world.ts';

let world: BridgeWorld;
afterEach(() => world.close());

/** Profiles that carry commands and limits; the default profile below them follows the share by itself. */
const limits = (s: Scripted<'ocpp1.6'>): string[] =>
  s
    .of('SetChargingProfile')
    .map((p) => JSON.stringify(p))
    .filter((text) => text.includes('"stackLevel":1'));

/** Amperes of the last of them. */
const amps = (s: Scripted<'ocpp1.6'>): number => Number(/"limit":([\d.]+)/.exec(limits(s).at(-1) ?? '')?.[1]);

describe('when the envelope shrinks', () => {
  it('a station that never got a command is limited', async () => {
    world = await BridgeWorld.open();
    const s = await world.ac();
    await world.limit('AC-1.1', 7000);
    await world.settle();
    expect(s.of('SetChargingProfile')).toMatchObject([
      { csChargingProfiles: { chargingProfilePurpose: 'TxProfile', transactionId: s.transactionId, stackLevel: 1 } },
    ]);
    expect(amps(s)).toBe(10.1);
    await world.run(30_000, 1000);
    expect(limits(s)).toHaveLength(1);
  });

  it('a command in force that no longer fits is replaced, one that fits is left', async () => {
    world = await BridgeWorld.open();
    const s = await world.ac();
    world.command('AC-1.1', { importLimitW: 9000 });
    await world.settle();
    await world.limit('AC-1.1', 9500);
    await world.settle();
    expect(s.of('SetChargingProfile')).toHaveLength(1);
    await world.limit('AC-1.1', 7000);
    await world.settle();
    expect(s.of('SetChargingProfile')).toHaveLength(2);
    expect(amps(s)).toBe(10.1);
  });

  it('a setpoint that waits in the queue is replaced before it is sent', async () => {
    world = await BridgeWorld.open();
    const h = held();
    const s = await world.v2g(h.script);
    void world.link.send(world.wire('ocpp2.1/ClearCacheRequest', {}, 'V2G-1'));
    await world.settle();
    const id = world.command('V2G-1.1', { powerW: 9000 });
    await world.limit('V2G-1.1', 3000);
    await world.settle();
    h.give();
    await world.settle();
    h.give();
    await world.settle();
    expect(world.outcome(id)?.state).toBe('superseded');
    expect(s.of('SetChargingProfile')).toHaveLength(1);
    expect(JSON.stringify(s.of('SetChargingProfile'))).toContain('"limit":3000');
  });

  it('a command whose fate is unknown counts', async () => {
    world = await BridgeWorld.open();
    const h = held();
    const s = await world.ac(h.script);
    world.command('AC-1.1', { importLimitW: 6900 });
    await world.settle();
    h.give();
    await world.settle();
    world.command('AC-1.1', { importLimitW: 10_000 });
    await world.run(11_000, 1000);
    await world.limit('AC-1.1', 8000);
    await world.settle();
    expect(s.of('SetChargingProfile')).toHaveLength(3);
    expect(amps(s)).toBe(11.5);
    h.give();
    h.give();
  });

  it('discharging is cut by a setpoint', async () => {
    world = await BridgeWorld.open();
    const s = await world.v2g();
    world.command('V2G-1.1', { powerW: -9000 });
    await world.settle();
    await world.site.setLimit({ nodeId: 'k1', source: 'test', exportLimitW: 4000 });
    await world.settle();
    expect(s.of('UpdateDynamicSchedule').concat(s.of('SetChargingProfile').slice(1))).toHaveLength(1);
    expect(JSON.stringify(s.calls.at(-1)?.payload)).toContain('"setpoint":-4000');
  });

  it('a limit that is refused is tried again, and complained about once', async () => {
    world = await BridgeWorld.open();
    const s = await world.ac(() => ({ status: 'Rejected' }));
    await world.limit('AC-1.1', 7000);
    await world.run(35_000, 1000);
    expect(s.of('SetChargingProfile').length).toBeGreaterThanOrEqual(6);
    expect(s.of('SetChargingProfile').length).toBeLessThanOrEqual(8);
    expect(world.logged('limit.notHeld')).toBe(1);
  });

  it('nothing is sent to a station without a session; its next one is limited from the start', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'AC-1');
    await s.call('StatusNotification', say.status16('Available'));
    s.calls.length = 0;
    await world.limit('AC-1.1', 7000);
    await world.run(2000);
    expect(s.calls).toEqual([]);
    await s.call('StatusNotification', say.status16('Preparing'));
    await s.call('StartTransaction', say.start16());
    await world.settle();
    expect(amps(s)).toBe(10.1);
  });

  it('also a station that says it charges without a transaction is limited', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'AC-1');
    await s.call('StatusNotification', say.status16('Charging'));
    await world.limit('AC-1.1', 7000);
    await world.settle();
    expect(s.of('SetChargingProfile').at(-1)).toMatchObject({
      csChargingProfiles: { chargingProfilePurpose: 'TxDefaultProfile', stackLevel: 1 },
    });
  });
});

describe('a limit of the link itself', () => {
  it('is renewed before it ends at the station, as long as it is needed', async () => {
    world = await BridgeWorld.open();
    // Its default profile stays where it is, so that the limit alone holds it.
    const s = await world.ac((_action, p) => ({
      status: JSON.stringify(p).includes('"stackLevel":0') ? 'Rejected' : 'Accepted',
    }));
    await world.limit('AC-1.1', 7000);
    await world.run(580_000, 5000);
    expect(limits(s)).toHaveLength(1);
    await world.run(20_000, 1000);
    expect(limits(s)).toHaveLength(2);
  });

  it('gives way when the limit is lifted', async () => {
    world = await BridgeWorld.open();
    const s = await world.ac();
    await world.limit('AC-1.1', 7000);
    await world.run(2000);
    await world.lift('AC-1.1');
    await world.run(12_000, 1000);
    expect(limits(s)).toHaveLength(2);
    expect(amps(s)).toBe(16);
  });

  it('takes over before a command ends that was lower than what comes after it', async () => {
    world = await BridgeWorld.open();
    const s = await world.ac();
    world.command('AC-1.1', { importLimitW: 5000 }, 60);
    await world.settle();
    await world.limit('AC-1.1', 7000);
    await world.run(44_000, 1000);
    expect(limits(s)).toHaveLength(1);
    await world.run(3000);
    expect(limits(s)).toHaveLength(2);
    expect(amps(s)).toBe(10.1);
  });
});

describe('simulated stations with nobody to command them', () => {
  it('hold a limit of their circuit', async () => {
    world = await BridgeWorld.open();
    const ac = world.station16();
    const v2g = world.station21();
    await world.until(
      'both are known',
      () => world.row('AC-1.1')?.online === true && world.row('V2G-1.1')?.online === true,
    );
    world.plug(ac, acCar);
    world.plug(v2g, { ...v2gCar, targetPct: 90 });
    const total = (): number => (ac.units[0]?.evse.powerW ?? 0) + (v2g.units[0]?.evse.powerW ?? 0);
    await world.until('both charge', () => total() > 20_000);
    await world.limit('k1', 12_000);
    await world.run(5000);
    expect(total()).toBeLessThanOrEqual(12_100);
    expect(total()).toBeGreaterThan(4000);
    await world.lift('k1');
    await world.until('they charge freely again', () => total() > 20_000, 60_000);
  });

  it('are limited again after they were away', async () => {
    world = await BridgeWorld.open();
    const ac = world.station16();
    await world.until('it is known', () => world.row('AC-1.1')?.online === true);
    world.plug(ac, acCar);
    await world.until('it charges', () => (ac.units[0]?.evse.powerW ?? 0) > 10_000);
    ac.setFault('disconnect');
    await world.until('it is missed', () => world.row('AC-1.1')?.online === false);
    await world.limit('AC-1.1', 7000);
    await world.run(5000);
    expect(ac.units[0]?.evse.powerW).toBeGreaterThan(10_000);
    ac.setFault('none');
    await world.until('it is limited', () => (ac.units[0]?.evse.powerW ?? 0) < 7100);
  });
});
