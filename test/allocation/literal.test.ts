import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate } from '../../hub/allocation/index.ts';
import { literalAllocate } from './literal.ts';
import { dice, randomSite } from './sites.ts';

const seeds = fc.integer({ min: 0, max: 0xffff_ffff });

describe('the fast allocator', () => {
  it.each([
    { maxEvses: 14, numRuns: 3_000 },
    { maxEvses: 90, numRuns: 150 },
  ])('gives what the literal procedure gives, up to $maxEvses EVSEs', ({ maxEvses, numRuns }) => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const site = randomSite(dice(seed), { maxEvses });
        const fast = allocate(site);
        const literal = literalAllocate(site);
        expect(fast.targetW).toBeCloseTo(literal.targetW, 6);
        for (const grant of fast.grants) {
          expect(Math.abs(grant.plannedW - (literal.planned.get(grant.evseId) ?? Number.NaN))).toBeLessThan(1e-6);
          expect(Math.abs(grant.grantedW - (literal.granted.get(grant.evseId) ?? Number.NaN))).toBeLessThan(1e-6);
        }
      }),
      { numRuns },
    );
  });
});
