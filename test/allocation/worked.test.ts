import { describe, expect, it } from 'vitest';
import { allocate, type EvseInput, type SiteInput } from '../../hub/allocation/index.ts';
import { literalAllocate } from './literal.ts';

const evse = (evseId: string, neededW: number, wishedW: number, minImportW: number, circuitId?: string): EvseInput => ({
  evseId,
  ...(circuitId === undefined ? {} : { circuitId }),
  loW: Math.min(neededW, 0),
  neededW,
  wishedW,
  minImportW,
  minExportW: 0,
  stepW: 0.01,
  presentW: 0,
  maxW: 22_000,
  commandRunning: false,
  exportAllowed: true,
});

/** The site of fo 8.5. */
const example = (setpointW: number): SiteInput => ({
  poc: { importLimitW: 50_000, exportLimitW: 50_000, netting: 'measured' },
  usedW: 10_000,
  generationW: 5_000,
  stepS: 900,
  circuits: [{ circuitId: 'k1', importLimitW: 25_000, exportLimitW: 25_000, netting: 'none' }],
  evses: [evse('A', -10_000, 11_000, 1_400, 'k1'), evse('B', 3_000, 22_000, 1_400, 'k1'), evse('C', 0, 11_000, 4_200)],
  target: { setpointW, referencePoint: 'evse' },
});

describe('the worked example of fo 8.5', () => {
  it.each([
    { setpoint: 20_000, target: 20_000, by: undefined, powers: [0, 13_766.67, 6_233.33] },
    { setpoint: -9_000, target: -7_000, by: 'needed', powers: [-10_000, 3_000, 0] },
    { setpoint: 60_000, target: 36_000, by: 'fuse', powers: [6_800, 18_200, 11_000] },
  ])('comes out to the cent for S = $setpoint W', ({ setpoint, target, by, powers }) => {
    const result = allocate(example(setpoint));
    expect(result.targetW).toBeCloseTo(target, 9);
    expect(result.limitedBy).toBe(by);
    result.grants.forEach((grant, i) => {
      expect(grant.plannedW).toBeCloseTo(powers[i] ?? 0, 2);
      expect(Math.abs(grant.grantedW - grant.plannedW)).toBeLessThan(0.01);
    });
    expect(result.sumW).toBeCloseTo(target, 1);
    expect(result.alarms).toEqual([]);
    expect(result.shortfallW).toBe(0);
  });

  it('comes out of the literal procedure too', () => {
    const { planned } = literalAllocate(example(20_000));
    expect([...planned.values()].map((p) => Math.round(p * 100) / 100)).toEqual([0, 13_766.67, 6_233.33]);
  });

  it('says that A was given up for its forbidden zone', () => {
    const [a, b, c] = allocate(example(20_000)).grants;
    expect([a?.basis, b?.basis, c?.basis]).toEqual(['zone', 'share', 'share']);
  });
});
