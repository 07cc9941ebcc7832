import { afterEach, describe, expect, it } from 'vitest';
import { acCar, v2gCar } from '../simulators/world.ts';
import { BridgeWorld } from './world.ts';

let world: BridgeWorld;
afterEach(() => world.close());

describe('simulated stations under the link', () => {
  it('a bidirectional station follows from +5 kW to −5 kW by updates of its dynamic profile', async () => {
    world = await BridgeWorld.open();
    const station = world.station21();
    await world.until('the station is known', () => world.row('V2G-1.1')?.state === 'available');
    world.plug(station, v2gCar);
    await world.until('a session runs', () => world.told('SessionEvent').length > 0);
    const up = world.command('V2G-1.1', { powerW: 5000 });
    await world.until('+5 kW', () => world.states(up).includes('effective'));
    expect(world.states(up)).toEqual(['sent', 'accepted', 'effective']);
    expect(world.outcome(up)).toMatchObject({ shape: 'dynamic', appliedW: 5000 });
    expect(station.units[0]?.evse.powerW).toBeCloseTo(5000, -2);
    const profile = station.profiles.find((p) => p.kind === 'Dynamic');
    const down = world.command('V2G-1.1', { powerW: -5000 });
    await world.until('−5 kW', () => world.states(down).includes('effective'));
    expect(station.units[0]?.evse.powerW).toBeCloseTo(-5000, -2);
    const after = station.profiles.filter((p) => p.kind === 'Dynamic');
    expect(after).toHaveLength(1);
    expect(after[0]).toMatchObject({ id: profile?.id, schedule: { durationS: 120, periods: [{ setpoint: -5000 }] } });
    expect(world.events.filter((e) => e.event === 'profile' && e.kind === 'Dynamic')).toHaveLength(1);
    expect(world.row('V2G-1.1')).toMatchObject({ state: 'discharging', outcome: 'effective' });
  });

  it('an AC station obeys its ampere limit, and its default profile when the command ends', async () => {
    world = await BridgeWorld.open();
    const station = world.station16();
    await world.until('the station is known', () => world.row('AC-1.1')?.state === 'available');
    expect(station.profiles).toMatchObject([{ purpose: 'TxDefaultProfile', stackLevel: 0 }]);
    world.plug(station, acCar);
    await world.until('it charges', () => (station.units[0]?.evse.powerW ?? 0) > 10_000);
    const id = world.command('AC-1.1', { importLimitW: 6900, exportLimitW: 0 }, 20);
    await world.until('the limit is effective', () => world.states(id).includes('effective'));
    expect(world.states(id)).toEqual(['sent', 'accepted', 'effective']);
    expect(world.outcome(id)).toMatchObject({ shape: 'limitA', appliedW: 6900 });
    expect(station.units[0]?.evse.powerW).toBeLessThanOrEqual(7000);
    expect(station.units[0]?.evse.powerW).toBeGreaterThan(6500);
    await world.run(22_000);
    expect(station.units[0]?.evse.powerW).toBeGreaterThan(10_000);
  });

  it('a station of 2.0.1 is probed, takes a setpoint as limit in W, and falls to its default when that ends', async () => {
    world = await BridgeWorld.open();
    const station = world.station201();
    await world.until('it is probed', () => world.logged('station.probed') === 1);
    expect(world.told('StationCapabilities').at(-1)).toMatchObject({
      protocol: 'ocpp2.0.1',
      source: 'probed',
      form: 'limitW',
      functions: ['smartCharging', 'composite'],
      rateUnits: ['A', 'W'],
      shownImportW: 11_040,
    });
    world.plug(station, acCar);
    await world.until('it charges', () => (world.row('AC-1.1')?.measuredW ?? 0) > 10_000);
    const id = world.command('AC-1.1', { powerW: 6900 }, 20);
    await world.until('the setpoint is effective', () => world.states(id).includes('effective'));
    expect(world.outcome(id)).toMatchObject({ shape: 'limitW', appliedW: 6900 });
    await world.run(22_000);
    expect(station.units[0]?.evse.powerW).toBeGreaterThan(10_000);
    expect(world.told('SessionEvent').map((e) => e.kind)[0]).toBe('started');
  });

  it('a station of 2.0.1 that takes amperes only is told amperes from the first command on', async () => {
    world = await BridgeWorld.open();
    const station = world.station201({ rateUnits: ['A'], itemsPerMessage: 2 });
    await world.until('it is probed', () => world.logged('station.probed') === 1);
    world.plug(station, acCar);
    await world.until('it charges', () => (world.row('AC-1.1')?.measuredW ?? 0) > 10_000);
    const id = world.command('AC-1.1', { powerW: 6900 }, 60);
    await world.until('the setpoint is effective', () => world.states(id).includes('effective'));
    expect(world.states(id)).toEqual(['sent', 'accepted', 'effective']);
    expect(world.row('AC-1.1')).toMatchObject({
      shape: 'limitA',
      steppedDown: 'limit in A, because of limit in W: it takes no watts',
    });
  });

  it('a station without smart charging is stopped for less than all, and started again afterwards', async () => {
    world = await BridgeWorld.open();
    const station = world.station16({ smartCharging: false });
    await world.until('it is probed', () => world.logged('station.probed') === 1);
    world.plug(station, acCar);
    await world.until('it charges', () => (world.row('AC-1.1')?.measuredW ?? 0) > 10_000);
    const id = world.command('AC-1.1', { importLimitW: 6000 }, 30);
    await world.until('it is off', () => station.units[0]?.evse.powerW === 0);
    expect(world.outcome(id)).toMatchObject({ shape: 'onOff', appliedW: 0 });
    expect(world.logged('limit.notHeld')).toBe(0);
  });

  it('a station that accepts and ignores is excluded, visibly', async () => {
    world = await BridgeWorld.open();
    const station = world.station16();
    await world.until('it is probed', () => world.logged('station.probed') === 1);
    world.plug(station, acCar);
    await world.until('it charges', () => (world.row('AC-1.1')?.measuredW ?? 0) > 10_000);
    station.setFault('ignore');
    const id = world.command('AC-1.1', { importLimitW: 6000 }, 600);
    await world.until('it is excluded', () => world.outcome(id)?.code === 'resource.excluded', 60_000);
    expect(world.states(id)).toEqual(['sent', 'accepted', 'notEffective', 'sent', 'accepted', 'notEffective']);
    expect(world.outcome(id)?.measuredW).toBeGreaterThan(10_000);
  });

  it('a car that leaves while a limit is on its way leaves no complaint', async () => {
    world = await BridgeWorld.open();
    const station = world.station21();
    await world.until('the station is known', () => world.row('V2G-1.1')?.state === 'available');
    for (let i = 0; i < 3; i++) {
      world.plug(station, v2gCar);
      await world.until('a session runs', () => world.row('V2G-1.1')?.sessionId !== undefined);
      await world.run(2000);
      const [unit] = station.units;
      if (unit) station.sessions.unplug(unit);
      await world.limit('V2G-1.1', 3000 + i);
      await world.until('it is free', () => world.row('V2G-1.1')?.state === 'available');
      await world.run(5000);
    }
    expect(world.logged('limit.notHeld')).toBe(0);
  });

  it('priority charging at a station of 2.1 is the opt-out of its driver', async () => {
    world = await BridgeWorld.open();
    const station = world.station21();
    await world.until('the station is known', () => world.row('V2G-1.1')?.state === 'available');
    world.plug(station, v2gCar);
    await world.until('a session runs', () => world.told('SessionEvent').length > 0);
    const [unit] = station.units;
    if (unit) station.setPriority(unit, true);
    await world.until('it is told', () => world.messages.some((m) => m.topic === 'hub/OptChoice'));
  });
});
