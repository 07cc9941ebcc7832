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
});
