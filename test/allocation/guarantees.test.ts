import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AllocationResult, allocate, availability, type SiteInput } from '../../hub/allocation/index.ts';
import { grantedRange, limitUse, quantum, zeroIsFeasible } from './check.ts';
import { dice, randomSite, type SiteOptions, shuffled } from './sites.ts';

const TOLERANCE_W = 1e-3;
const seeds = fc.integer({ min: 0, max: 0xffff_ffff });

/** Runs a check over so many random sites; a failure names the seed. */
function overSites(
  numRuns: number,
  check: (site: SiteInput, result: AllocationResult, seed: number) => void,
  o?: SiteOptions,
) {
  fc.assert(
    fc.property(seeds, (seed) => {
      const site = randomSite(dice(seed), o);
      check(site, allocate(site), seed);
    }),
    { numRuns },
  );
}

describe('the guarantees of fo 8.4 on random sites', () => {
  it('G1: no limit is exceeded by what is granted, unless the alarm names it', () => {
    overSites(2_000, (site, result) => {
      for (const use of limitUse(site, result.essW, grantedRange(result))) {
        const named = result.alarms.some((a) => a.nodeId === use.nodeId && a.direction === use.direction);
        if (use.used > use.limit + TOLERANCE_W) expect(named).toBe(true);
        else if (use.used < use.limit - TOLERANCE_W) expect(named).toBe(false);
      }
    });
  });

  it('G1: there is no alarm where doing nothing would keep every limit', () => {
    let checked = 0;
    overSites(
      1_500,
      (site, result) => {
        if (!zeroIsFeasible(site)) return;
        checked++;
        expect(result.alarms).toEqual([]);
      },
      { special: false },
    );
    expect(checked).toBeGreaterThan(150);
  });

  it('G2: everyone gets between need and wish, unless a shortfall is reported', () => {
    overSites(1_500, (site, result) => {
      const byId = new Map(site.evses.map((e) => [e.evseId, e]));
      let missing = 0;
      for (const { evseId, grantedW, neededW, wishedW, basis } of result.grants) {
        const evse = byId.get(evseId);
        if (!evse || basis === 'fixed') continue;
        if (neededW - grantedW > quantum(evse)) missing += neededW - grantedW;
        if (basis !== 'held') expect(grantedW).toBeLessThanOrEqual(wishedW + 1e-5);
      }
      expect(result.shortfallW).toBeCloseTo(missing, 5);
    });
  });

  it('G3: the sum misses the target by no more than the steps of the EVSEs', () => {
    let checked = 0;
    overSites(1_500, (site, result) => {
      // Where limits contradict each other (alarm), there is nothing that the sum could follow.
      if (result.alarms.length > 0 || site.target?.members) return;
      if (result.grants.some((g) => g.basis === 'zone' || g.basis === 'held')) return;
      checked++;
      const steps = site.evses.reduce((sum, e) => sum + quantum(e), 0);
      expect(Math.abs(result.sumW - result.targetW)).toBeLessThanOrEqual(steps + TOLERANCE_W);
    });
    expect(checked).toBeGreaterThan(150);
  });

  it('G4: the order of the lists does not matter', () => {
    overSites(1_000, (site, result, seed) => {
      const d = dice(seed + 1);
      const mixed = { ...site, circuits: shuffled(d, site.circuits), evses: shuffled(d, site.evses) };
      expect(allocate(mixed)).toEqual(result);
    });
  });

  it('G5: without netting, any EVSEs may vanish', () => {
    overSites(800, (site, result, seed) => {
      const d = dice(seed + 2);
      const gone = new Set(site.evses.filter(() => d.chance(0.5)).map((e) => e.evseId));
      const granted = grantedRange(result);
      const left = limitUse(site, result.essW, (e) => (gone.has(e.evseId) ? { minW: 0, maxW: 0 } : granted(e)));
      for (const use of left) {
        if (!use.separate || result.alarms.some((a) => a.nodeId === use.nodeId)) continue;
        expect(use.used).toBeLessThanOrEqual(Math.max(use.limit, 0) + TOLERANCE_W);
      }
    });
  });

  it('G6: the target is what was asked whenever that is feasible', () => {
    let checked = 0;
    overSites(
      2_000,
      (site, result) => {
        const { target } = site;
        if (!target || target.members || site.ess) return;
        const asked = target.setpointW + (target.referencePoint === 'site' ? site.generationW - site.usedW : 0);
        const { total } = availability(site);
        if (asked < total.neededW || asked > total.wishedW) return;
        if (result.scaled.length > 0 || result.grants.some((g) => g.basis === 'zone')) return;
        checked++;
        expect(result.targetW).toBeCloseTo(asked, 6);
        expect(result.limitedBy).toBeUndefined();
      },
      { special: false },
    );
    expect(checked).toBeGreaterThan(25);
  });

  it('G8: nobody exports who may not', () => {
    overSites(1_000, (site, result) => {
      const granted = new Map(result.grants.map((g) => [g.evseId, g]));
      for (const e of site.evses) {
        if (!e.fixed && !e.exportAllowed) expect(granted.get(e.evseId)?.grantedW).toBeGreaterThanOrEqual(0);
      }
    });
  });

  it('keeps out of forbidden zones and on whole steps', () => {
    overSites(1_000, (site, result) => {
      const granted = new Map(result.grants.map((g) => [g.evseId, g]));
      for (const e of site.evses) {
        const grant = granted.get(e.evseId);
        if (!grant || grant.basis === 'fixed' || grant.basis === 'held') continue;
        const { grantedW } = grant;
        if (grantedW > 0) expect(grantedW).toBeGreaterThanOrEqual(e.minImportW - 1e-5);
        if (grantedW < 0) expect(grantedW).toBeLessThanOrEqual(-e.minExportW + 1e-5);
        const steps = grantedW / quantum(e);
        expect(Math.abs(steps - Math.round(steps))).toBeLessThan(1e-6);
      }
    });
  });

  it('is decided by every kind of bound in at least one run of twenty', () => {
    const runs = 1_500;
    const counts = { fuse: 0, poc: 0, needed: 0, wished: 0, zones: 0, shortfall: 0, export: 0, netting: 0 };
    overSites(runs, (_, result) => {
      if (result.limitedBy) counts[result.limitedBy]++;
      if (result.grants.some((g) => g.basis === 'zone')) counts.zones++;
      if (result.shortfallW > 0) counts.shortfall++;
      if (result.grants.some((g) => g.grantedW < 0 && g.basis !== 'fixed' && g.basis !== 'held')) counts.export++;
      if (result.scaled.length > 0) counts.netting++;
    });
    for (const [what, count] of Object.entries(counts)) {
      expect(count / runs, what).toBeGreaterThanOrEqual(0.05);
    }
  });
});
