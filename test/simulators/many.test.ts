import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iso, manualClock } from '../../core/clock.ts';
import { FleetFile, manyFleet, stationSpecs } from '../../simulators/stations/index.ts';
import { createTicker } from '../../simulators/stations/ticker.ts';
import { World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = new World();
  await world.listen();
});
afterEach(() => world.close());

const VERSIONS = ['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'] as const;

describe('a large fleet', () => {
  it('deals the versions out and is a valid fleet file', () => {
    const file = manyFleet({ count: 500, versions: VERSIONS, meterIntervalS: 10, carsWithinS: 5 });
    expect(FleetFile.check(file)).toEqual([]);
    const specs = stationSpecs(file);
    expect(new Set(specs.map((s) => s.identity)).size).toBe(500);
    expect(VERSIONS.map((v) => specs.filter((s) => s.version === v).length)).toEqual([167, 167, 166]);
    expect(new Set(specs.flatMap((s) => s.idTags)).size).toBe(500);
  });

  it('connects one after the other, tells when all are accepted, and charges', async () => {
    const file = manyFleet({ count: 30, versions: VERSIONS, meterIntervalS: 10, carsWithinS: 2 });
    const fleet = world.fleet(file, 1, { connectWithinMs: 3000, tickMs: 1000 });
    await world.run(1000, 500);
    const early = world.of('BootNotification').length;
    expect(early).toBeGreaterThan(5);
    expect(early).toBeLessThan(20);
    await world.run(9000, 500);
    expect(world.events.find((e) => e.event === 'allAccepted')).toMatchObject({ station: '*', stations: 30 });
    expect(fleet.stations.filter((s) => s.units[0]?.tx).length).toBe(30);
  });

  it('reports when power commands arrived since the mark', async () => {
    const file = manyFleet({ count: 3, versions: VERSIONS, meterIntervalS: 10, carsWithinS: 1 });
    let stamp = 1000.25;
    const fleet = world.fleet(file, 1, { stamp: () => stamp });
    await world.run(5000);
    const chargingSchedule = {
      chargingRateUnit: 'W' as const,
      startSchedule: iso(world.clock.now()),
      chargingSchedulePeriod: [{ startPeriod: 0, limit: 5000 }],
    };
    const send = () =>
      world.peer('ocpp1.6', 'SIM16-1').call('SetChargingProfile', {
        connectorId: 1,
        csChargingProfiles: {
          chargingProfileId: 1,
          stackLevel: 0,
          chargingProfilePurpose: 'TxDefaultProfile',
          chargingProfileKind: 'Absolute',
          chargingSchedule,
        },
      });
    await send();
    fleet.control({ station: '*', mark: true });
    stamp = 2000.5;
    await send();
    await world.peer('ocpp2.1', 'SIM21-1').call('ClearChargingProfile', { chargingProfileId: 7 });
    await world.peer('ocpp2.1', 'SIM21-1').call('GetCompositeSchedule', { evseId: 1, duration: 60 });
    fleet.control({ station: '*', report: true });
    expect(world.events.at(-1)).toMatchObject({
      event: 'commands',
      stations: 2,
      commands: 2,
      firstMs: 2000.5,
      times: { 'SIM16-1': [2000.5], 'SIM21-1': [2000.5] },
    });
    expect(() => fleet.control({ station: '*' })).toThrowError(expect.objectContaining({ code: 'schema.semantic' }));
  });

  it('works on one timer, in shares', async () => {
    const clock = manualClock();
    const ticker = createTicker(clock, 1000, 100);
    const ticks = Array.from({ length: 100 }, () => [] as number[]);
    const handles = ticks.map((list) =>
      ticker.add(
        () => list.push(clock.now()),
        () => undefined,
      ),
    );
    expect(clock.pending).toBe(1);
    await clock.advance(3000);
    expect(ticks.every((list) => list.length === 3)).toBe(true);
    expect(new Set(ticks.map((list) => list[0])).size).toBe(4);
    handles[0]?.cancel();
    await clock.advance(1000);
    expect(ticks.map((list) => list.length).slice(0, 2)).toEqual([3, 4]);
    ticker.stop();
    expect(clock.pending).toBe(0);
  });
});
