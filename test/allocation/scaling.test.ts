import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate, type CircuitInput, type EvseInput, type SiteInput } from '../../hub/allocation/index.ts';
import { grantedRange, limitUse } from './check.ts';
import { dice, evseOf as evse, randomSite } from './sites.ts';

const giver = (evseId: string, powerW: number, o: Partial<EvseInput> = {}): EvseInput =>
  evse(evseId, { loW: -powerW, neededW: -powerW, wishedW: 0, ...o });

const circuit = (circuitId: string, importLimitW: number, exportLimitW: number, parentId?: string): CircuitInput => ({
  circuitId,
  ...(parentId === undefined ? {} : { parentId }),
  importLimitW,
  exportLimitW,
  netting: 'none',
});

const site = (evses: readonly EvseInput[], circuits: readonly CircuitInput[], setpointW: number): SiteInput => ({
  poc: { importLimitW: 1e9, exportLimitW: 1e9, netting: 'measured' },
  usedW: 0,
  generationW: 0,
  stepS: 900,
  circuits,
  evses,
  target: { setpointW, referencePoint: 'evse' },
});

const chargers = (count: number, o: Partial<EvseInput>): EvseInput[] =>
  Array.from({ length: count }, (_, i) => evse(`ac-${i}`, o));

describe('a circuit without netting (fo 8.3.5a)', () => {
  it('gives the room of those who cannot use their share to the others', () => {
    const evses = [...chargers(6, { circuitId: 'k', minImportW: 7_000 }), giver('v2g', 30_000, { circuitId: 'k' })];
    const result = allocate(site(evses, [circuit('k', 38_000, 38_000)], 60_000));
    expect(result.grants.map((g) => g.grantedW)).toEqual([7_600, 7_600, 7_600, 7_600, 7_600, 0, 0]);
    expect(result.sumW).toBe(38_000);
    expect(result.scaled).toEqual([{ nodeId: 'k', direction: 'import' }]);
  });

  it('gives exports that cannot be used to others in the same way', () => {
    const givers = Array.from({ length: 6 }, (_, i) =>
      giver(`v2g-${i}`, 11_000, { circuitId: 'k', minExportW: 7_000 }),
    );
    const taker = evse('ac', { circuitId: 'k', neededW: 30_000, wishedW: 30_000, maxW: 30_000 });
    const result = allocate(site([taker, ...givers], [circuit('k', 38_000, 38_000)], -60_000));
    const exports = result.grants.filter((g) => g.grantedW < 0).map((g) => g.grantedW);
    expect(exports).toEqual([-7_600, -7_600, -7_600, -7_600, -7_600]);
  });

  it('keeps every limit while bounds are scaled again and again (property)', () => {
    let scaled = 0;
    const seeds = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(seeds, (seed) => {
        const made = randomSite(dice(seed), { special: false, groups: false, maxEvses: 24 });
        const input = { ...made, circuits: made.circuits.map((c) => ({ ...c, netting: 'none' as const })) };
        const result = allocate(input);
        if (result.scaled.length === 0) return;
        scaled++;
        const uses = limitUse(input, result.essW, grantedRange(result));
        for (const use of uses) {
          const isNamed = result.alarms.some((a) => a.nodeId === use.nodeId && a.direction === use.direction);
          if (!isNamed) expect(use.used, `${use.nodeId} ${use.direction}`).toBeLessThanOrEqual(use.limit + 1e-3);
        }
      }),
      { numRuns: 600 },
    );
    expect(scaled).toBeGreaterThan(30);
  });
});

describe('large sites', () => {
  const ROWS = 1_500;
  const rows = (exportLimitW: number): CircuitInput[] =>
    Array.from({ length: ROWS }, (_, i) => ({ ...circuit(`r${i}`, 50_000, exportLimitW), netting: 'measured' }));

  it('are planned in a moment where rounding breaks a limit of every row, and pushes one of each into its zone', () => {
    const evses = Array.from({ length: 4 * ROWS }, (_, i) => {
      const o = { circuitId: `r${Math.floor(i / 4)}` };
      return i % 2 === 0
        ? giver(`e-${i}`, 5_000, { ...o, minExportW: 5_000 })
        : evse(`e-${i}`, { ...o, neededW: 2_000.6, wishedW: 2_000.6 });
    });
    const result = allocate(site(evses, rows(5_998.8), -1e9));
    expect(result.alarms).toEqual([]);
    expect(result.grants.filter((g) => g.basis === 'zone')).toHaveLength(ROWS);
    expect(result.sumW).toBe(ROWS * (2 * 2_000 - 5_000));
  });

  it('are planned in a moment while shares go to and fro over the zones of all', () => {
    const evses = Array.from({ length: 4 * ROWS }, (_, i) =>
      i % 2 === 0
        ? giver(`e-${i}`, 9_900, { wishedW: 11_000, minImportW: 5_500, minExportW: 2_750 })
        : evse(`e-${i}`, { minImportW: 5_500 }),
    );
    const result = allocate(site(evses, [], evses.length * 550));
    expect(result.grants.filter((g) => g.basis === 'zone').length).toBeGreaterThan(evses.length / 2);
    expect(Math.abs(result.sumW - result.targetW)).toBeLessThanOrEqual(evses.length);
  });
});
