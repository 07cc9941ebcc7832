import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BoundsInput, bounds } from '../../hub/allocation/index.ts';

const ev = (o: Partial<BoundsInput> = {}): BoundsInput => ({
  connected: true,
  cpMaxW: 22_000,
  evMaxW: 11_000,
  energyToMaxWh: 40_000,
  energyToTargetWh: 20_000,
  exportableWh: 10_000,
  exportMaxW: 10_000,
  exportAllowed: { driver: true, contract: true, conformity: true, site: true },
  departureInS: 8 * 3_600,
  asap: false,
  minImportW: 4_140,
  ...o,
});

describe('the bounds of an EVSE (fo 8.1)', () => {
  it('are 0 when nothing is plugged in', () => {
    expect(bounds(ev({ connected: false }))).toEqual({ loW: 0, neededW: 0, wishedW: 0, flags: [] });
  });

  it('wish the least of station, EV, what was learned and what still fits into the battery', () => {
    expect(bounds(ev()).wishedW).toBe(11_000);
    expect(bounds(ev({ learnedMaxW: 7_000 })).wishedW).toBe(7_000);
    expect(bounds(ev({ energyToMaxWh: 1_500, energyToTargetWh: 0 })).wishedW).toBe(6_000);
    const { evMaxW: _, ...unknown } = ev();
    expect(bounds(unknown).wishedW).toBe(22_000);
  });

  it('need what keeps the target reachable at full power later', () => {
    // 20 kWh in 2 h: (20 000 − 11 000 · 1.75) / 0.25 = 3 000 W, raised to the least power of the station.
    expect(bounds(ev({ departureInS: 7_200 })).neededW).toBe(4_140);
    expect(bounds(ev({ departureInS: 7_200, minImportW: 1_380 })).neededW).toBeCloseTo(3_000, 6);
    expect(bounds(ev()).neededW).toBe(-10_000);
  });

  it('flag a target that can no longer be reached, but not for "as soon as possible"', () => {
    expect(bounds(ev({ departureInS: 3_600 }))).toMatchObject({ neededW: 11_000, flags: ['preference.infeasible'] });
    expect(bounds(ev({ departureInS: 3_600, asap: true }))).toMatchObject({ neededW: 11_000, flags: [] });
  });

  it('take an unknown departure as the default, or as now for "as soon as possible"', () => {
    const { departureInS: _, ...unknown } = ev();
    expect(bounds(unknown).neededW).toBe(-10_000);
    expect(bounds({ ...unknown, asap: true }).neededW).toBe(11_000);
    expect(bounds({ ...unknown, defaultDepartureS: 7_200 }).neededW).toBe(4_140);
  });

  it('need nothing when the target is reached, however soon the departure', () => {
    expect(bounds(ev({ energyToTargetWh: 0, departureInS: 60 })).neededW).toBe(0);
    expect(bounds(ev({ energyToTargetWh: 0, departureInS: 60, asap: true })).neededW).toBe(0);
  });

  it('give up a need that the station cannot serve with its least power', () => {
    const weak = ev({ evMaxW: 3_000, energyToTargetWh: 2_000, departureInS: 2_700 });
    expect(bounds(weak)).toMatchObject({ neededW: 0, wishedW: 0, flags: ['preference.infeasible'] });
  });

  it.each(['driver', 'contract', 'conformity', 'site'] as const)('allow no export when the %s says no (G8)', (who) => {
    const exportAllowed = { ...ev().exportAllowed, [who]: false };
    expect(bounds(ev({ exportAllowed })).loW).toBe(0);
  });

  it('export no more than the driver can spare in a step, and nothing when that is unknown', () => {
    expect(bounds(ev({ exportableWh: 1_000 })).loW).toBe(-4_000);
    const { exportableWh: _, ...unknown } = ev();
    expect(bounds(unknown)).toMatchObject({ loW: 0 });
  });

  it('are ordered and finite for everything that can be told', () => {
    const watts = fc.double({ min: 0, max: 1e6, noNaN: true });
    const energy = fc.double({ min: 0, max: 1e6, noNaN: true });
    const flags = fc.record({
      driver: fc.boolean(),
      contract: fc.boolean(),
      conformity: fc.boolean(),
      site: fc.boolean(),
    });
    const known = {
      connected: fc.boolean(),
      cpMaxW: watts,
      exportMaxW: watts,
      exportAllowed: flags,
      asap: fc.boolean(),
      minImportW: watts,
    };
    const guessed = {
      evMaxW: watts,
      learnedMaxW: watts,
      energyToMaxWh: energy,
      energyToTargetWh: energy,
      exportableWh: energy,
    };
    const any = fc.tuple(
      fc.record(known),
      fc.record({ ...guessed, departureInS: fc.integer({ min: -100, max: 1e6 }) }, { requiredKeys: [] }),
    );
    fc.assert(
      fc.property(any, ([a, b]) => {
        const { loW, neededW, wishedW } = bounds({ ...a, ...b });
        expect(Number.isFinite(loW + neededW + wishedW)).toBe(true);
        expect(loW).toBeLessThanOrEqual(0);
        expect(neededW).toBeGreaterThanOrEqual(loW);
        expect(neededW).toBeLessThanOrEqual(wishedW);
        expect(neededW > 0 && neededW < a.minImportW).toBe(false);
        if (!a.exportAllowed.driver) expect(loW).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2_000 },
    );
  });
});
