import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEMO_FLEET, FleetFile, stationSpecs } from '../../simulators/stations/index.ts';
import { World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = new World();
  await world.listen();
});
afterEach(() => world.close());

const identities = ['AC', 'V2G'].flatMap((kind) => [1, 2, 3, 4].map((n) => `DEMO-${kind}-${n}`));

describe('the demo fleet', () => {
  it('is a valid fleet file of four AC and four V2G stations', () => {
    expect(FleetFile.check(DEMO_FLEET)).toEqual([]);
    expect(stationSpecs(DEMO_FLEET).map((s) => s.identity)).toEqual(identities);
  });

  it('has cars charging at all stations within seconds, each with a driver of its own', async () => {
    const fleet = world.fleet(DEMO_FLEET);
    await world.run(8000);
    expect(fleet.stations.map((s) => s.units[0]?.tx !== undefined)).toEqual(identities.map(() => true));
    const drivers = fleet.stations.map((s) => s.units[0]?.tx?.idTag);
    expect(new Set(drivers).size).toBe(8);
  });

  it('changes AC cars every few minutes and keeps the V2G cars half full for services in both directions', async () => {
    const fleet = world.fleet({ stations: DEMO_FLEET.stations.map((s) => ({ ...s, meterIntervalS: 60 })) });
    await world.run(420_000, 2000);
    const gone = world.events.filter((e) => e.event === 'departed').map((e) => e.station);
    expect(gone.filter((s) => s.startsWith('DEMO-AC')).length).toBeGreaterThanOrEqual(4);
    expect(gone.filter((s) => s.startsWith('DEMO-V2G'))).toEqual([]);
    for (const { units, spec } of fleet.stations) {
      if (spec.version === 'ocpp2.1') expect(Math.abs((units[0]?.evse.socPct ?? 0) - 50)).toBeLessThanOrEqual(3);
    }
    expect(world.events.filter((e) => e.event.endsWith('Failed') || e.event === 'internalError')).toEqual([]);
  });

  it('repeats itself for a seed', async () => {
    const trace = async (seed: number): Promise<string[]> => {
      const w = new World();
      await w.listen();
      w.fleet(DEMO_FLEET, seed);
      await w.run(15_000, 400);
      await w.close();
      return w.events.map((e) => JSON.stringify(e)).sort();
    };
    const first = await trace(5);
    expect(await trace(5)).toEqual(first);
    expect(await trace(6)).not.toEqual(first);
    expect(first.length).toBeGreaterThan(30);
  });
});

describe('the control of a fleet', () => {
  it('switches faults by text or object, for one station or all', async () => {
    const fleet = world.fleet(DEMO_FLEET);
    await world.run(1000);
    fleet.control('{"station":"DEMO-AC-1","fault":"silent"}');
    fleet.control({ station: 'DEMO-V2G-1', fault: 'ignore' });
    expect(fleet.stations.map((s) => s.fault).filter((f) => f !== 'none')).toEqual(['silent', 'ignore']);
    fleet.control({ station: '*', fault: 'none' });
    expect(fleet.stations.every((s) => s.fault === 'none')).toBe(true);
  });

  it('tells stations what to be, to press and to show, all or one EVSE', async () => {
    const entry = {
      identity: 'M',
      version: 'ocpp2.0.1',
      evses: 2,
      phases: 3,
      maxImportW: 11_040,
      idTags: ['A'],
    } satisfies FleetFile['stations'][number];
    const fleet = world.fleet({ stations: [entry] });
    await world.run(1000);
    fleet.control({ station: 'M', press: 'plug', evse: 2 });
    fleet.control({ station: 'M', responseDelayS: 0, rampWPerS: 100_000, maxImportW: 9000, fault: 'late', lateS: 3 });
    await world.run(3000);
    const [station] = fleet.stations;
    expect(station?.units.map((u) => u.evse.powerW)).toEqual([0, 9000]);
    expect([station?.fault, station?.lateMs]).toEqual(['late', 3000]);
    fleet.control('{"station":"*","externalLimitW":5000}');
    fleet.control('{"station":"*","meter":"frozen"}');
    await world.run(2000);
    expect(station?.units[1]?.evse.powerW).toBe(5000);
    expect(station?.units[1]?.metered?.powerW).toBe(9000);
    fleet.control('{"station":"*","externalLimit":"none"}');
    fleet.control({ station: 'M', press: 'unplug' });
    await world.run(2000);
    expect(world.of('ClearedChargingLimit').length).toBe(1);
    expect(station?.units.some((u) => u.ev)).toBe(false);
  });

  it('refuses what it does not understand and tells of unknown stations', async () => {
    const fleet = world.fleet(DEMO_FLEET);
    expect(() => fleet.control('{"station":')).toThrowError(expect.objectContaining({ code: 'json.malformed' }));
    expect(() => fleet.control({ station: 'DEMO-AC-1', fault: 'explode' })).toThrowError(
      expect.objectContaining({ code: 'schema.invalid' }),
    );
    fleet.control({ station: 'nobody', fault: 'none' });
    expect(world.events.at(-1)).toMatchObject({
      station: 'nobody',
      event: 'controlFailed',
      code: 'simulator.unknownStation',
    });
  });
});

describe('a fleet file', () => {
  const entry = { identity: 'X', version: 'ocpp1.6', phases: 3, maxImportW: 22_000, idTags: ['A'] } as const;

  it('fills in defaults and counts up identities', () => {
    const specs = stationSpecs(FleetFile.parse({ stations: [{ ...entry, count: 2, evses: 2 }] }));
    expect(specs).toMatchObject([
      { identity: 'X-1', evses: 2, maxExportW: 0, meterIntervalS: 2, fault: 'none' },
      { identity: 'X-2', evses: 2, idTags: ['A'] },
    ]);
  });

  it.each([
    ['no station', { stations: [] }],
    ['an unknown version', { stations: [{ ...entry, version: 'ocpp1.5' }] }],
    ['an unknown field', { stations: [{ ...entry, colour: 'red' }] }],
    ['no unit for a charging rate', { stations: [{ ...entry, rateUnits: [] }] }],
    ['a battery without capacity', withCar({ capacityWh: 0, phases: 3, maxImportW: 1 })],
  ])('with %s is refused', (_what, file) => {
    expect(FleetFile.check(file)).not.toEqual([]);
  });

  function withCar(car: object): object {
    const arrivals = {
      firstS: [1, 2],
      gapS: [1, 2],
      stayS: [1, 2],
      arrivalPct: [1, 2],
      targetPct: [1, 2],
      cars: [car],
    };
    return { stations: [{ ...entry, arrivals }] };
  }
});
