import { afterEach, beforeEach, expect, it } from 'vitest';
import { manyFleet } from '../../simulators/stations/index.ts';
import { readSettings } from '../../simulators/stations/settings.ts';
import { startFleet } from '../../simulators/stations/start.ts';
import { summaryOf } from '../../simulators/stations/summary.ts';
import type { StationEvent } from '../../simulators/stations/types.ts';
import { World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = new World();
  await world.listen();
});
afterEach(() => world.close());

it('a summary counts stations, cars and those that charge, quiet or not', async () => {
  const fleet = world.fleet(manyFleet({ count: 3, versions: ['ocpp1.6'], meterIntervalS: 10, carsWithinS: 1 }));
  expect(summaryOf(world.clock, fleet.stations)).toMatchObject({ stations: 3, online: 0, charging: 0, powerW: 0 });
  await world.run(8000);
  const summary = summaryOf(world.clock, fleet.stations);
  expect(summary).toMatchObject({
    station: '*',
    event: 'summary',
    stations: 3,
    online: 3,
    cars: 3,
    charging: 3,
    faulty: 0,
  });
  expect(Number(summary.powerW)).toBeGreaterThan(3 * 4000);
  fleet.control({ station: 'SIM16-1', fault: 'disconnect' });
  await world.run(1000);
  expect(summaryOf(world.clock, fleet.stations)).toMatchObject({ online: 2, faulty: 1 });
});

it('a program tells it as often as it is asked to, and not after its end', async () => {
  const events: StationEvent[] = [];
  const settings = readSettings(['--url', world.url, '--count', '1', '--quiet', '--summary', '2'], {});
  const fleet = startFleet(
    settings,
    world.clock,
    () => 0,
    (e) => void events.push(e),
  );
  await world.run(7000);
  const told = (): number => events.filter((e) => e.event === 'summary').length;
  expect(told()).toBe(3);
  fleet.stop();
  await world.run(5000);
  expect(told()).toBe(3);
  expect(() => readSettings(['--summary', 'x'], {})).toThrow(/--summary/);
});
