import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cell } from '../../hub/evidence/delivery.ts';
import { buildProof, type ProofFacts } from '../../hub/evidence/proof.ts';
import { type Proof, ProofEvent } from '../../model/index.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1);

/** Everything in whole mWh, so that fo 3.9 can be written down without rounding. */
interface Facts {
  readonly importMwh: number;
  readonly exportMwh: number;
  readonly targetMwh: number;
  readonly gap: boolean;
}

const facts = fc.array(
  fc.record({
    importMwh: fc.nat(2_000_000),
    exportMwh: fc.nat(2_000_000),
    targetMwh: fc.integer({ min: -2_000_000, max: 2_000_000 }),
    gap: fc.boolean(),
  }),
  { minLength: 1, maxLength: 30 },
);

const cellOf = (f: Facts): Cell => ({
  importWh: f.importMwh / 1000,
  exportWh: f.exportMwh / 1000,
  gapMs: f.gap ? 5_000 : 0,
  quality: 'good',
  targetWh: f.targetMwh / 1000,
  targetMs: MINUTE,
  askedWh: 0,
  askedMs: 0,
});

function proofOf(list: readonly Facts[], patch: Partial<ProofFacts>): Proof {
  return buildProof({
    ids: { proofId: 'p', recordId: 'r', fsrId: 'f' },
    formula: 'setpoint',
    method: 'declared',
    meterLevel: 'evse',
    clock: { source: 'unknown' },
    startMs: START,
    endMs: START + list.length * MINUTE,
    stepMs: MINUTE,
    cells: list.map(cellOf),
    merge: 1,
    baselineWh: () => 0,
    ...patch,
  });
}

const mwh = (wh: number | undefined): number | undefined => (wh === undefined ? undefined : Math.round(wh * 1000));

/** 100 · Σ min(max(d, 0), r) / Σ r, half up to 2 digits, by long division. */
function literalPct(rows: readonly { r: number; d: number }[]): number {
  const asked = rows.reduce((sum, x) => sum + x.r, 0);
  const done = rows.reduce((sum, x) => sum + Math.min(Math.max(x.d, 0), x.r), 0);
  const [whole, rest] = [Math.floor((done * 10_000) / asked), (done * 10_000) % asked];
  return (2 * rest >= asked ? whole + 1 : whole) / 100;
}

describe('a proof against fo 3.9 written down literally', () => {
  it('setpoint', () => {
    fc.assert(
      fc.property(facts, fc.integer({ min: -1_000_000, max: 1_000_000 }), (list, base) => {
        const proof = proofOf(list, { baselineWh: () => base / 1000 });
        const rows = list.map((f) => {
          const r = Math.abs(f.targetMwh - base);
          const d = f.gap ? 0 : Math.max(0, r - Math.abs(f.importMwh - f.exportMwh - f.targetMwh));
          return { r, d };
        });
        expect(proof.intervals.map((i) => [mwh(i.requestedWh), mwh(i.deliveredWh)])).toEqual(
          rows.map((x) => [x.r, x.d]),
        );
        expect(mwh(proof.totals.requestedWh)).toBe(rows.reduce((sum, x) => sum + x.r, 0));
        expect(mwh(proof.totals.deliveredWh)).toBe(rows.reduce((sum, x) => sum + x.d, 0));
        if (rows.some((x) => x.r > 0)) expect(proof.performancePct).toBe(literalPct(rows));
        expect(proof.intervals.map((i) => i.quality === 'missing')).toEqual(list.map((f) => f.gap));
        expect(ProofEvent.check({ proof })).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it.each(['up', 'down'] as const)('%s', (formula) => {
    fc.assert(
      fc.property(facts, fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.nat(100_000), (list, base, requestedW) => {
        const proof = proofOf(list, { formula, baselineWh: () => base / 1000, requestedW: requestedW * 60 });
        const rows = list.map((f) => {
          const measured = f.importMwh - f.exportMwh;
          const d = f.gap ? 0 : formula === 'up' ? base - measured : measured - base;
          return { r: requestedW * 1000, d };
        });
        expect(proof.intervals.map((i) => [mwh(i.requestedWh), mwh(i.deliveredWh)])).toEqual(
          rows.map((x) => [x.r, x.d]),
        );
        if (requestedW > 0) expect(proof.performancePct).toBe(literalPct(rows));
      }),
      { numRuns: 60 },
    );
  });

  it('limit: the share of minutes within, a gap is not', () => {
    fc.assert(
      fc.property(
        facts,
        fc.nat(2_000_000),
        fc.nat(2_000_000),
        fc.integer({ min: 1, max: 5 }),
        (list, imp, exp, merge) => {
          const limits = [{ fromMs: START, importLimitW: imp * 0.06, exportLimitW: exp * 0.06 }];
          const proof = proofOf(list, { formula: 'limit', limits, merge });
          const within = list.filter((f) => {
            const net = f.importMwh - f.exportMwh;
            return !f.gap && net <= imp && -net <= exp;
          }).length;
          expect(proof.performancePct).toBe(literalPct([{ r: list.length, d: within }]));
          expect(proof.intervals).toHaveLength(Math.ceil(list.length / merge));
          expect(proof.intervals.reduce((sum, i) => sum + (i.minutes ?? 0), 0)).toBe(list.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('merged intervals hold what the single ones hold', () => {
    fc.assert(
      fc.property(facts, fc.integer({ min: 2, max: 6 }), (list, merge) => {
        const sound = list.map((f) => ({ ...f, gap: false }));
        const [fine, coarse] = [proofOf(sound, {}), proofOf(sound, { merge })];
        const sum = (p: Proof, of: 'importWh' | 'exportWh' | 'targetWh') =>
          p.intervals.reduce((all, i) => all + (mwh(i[of]) ?? 0), 0);
        for (const name of ['importWh', 'exportWh', 'targetWh'] as const)
          expect(sum(coarse, name)).toBe(sum(fine, name));
        expect(coarse.totals.requestedWh).toBeLessThanOrEqual(fine.totals.requestedWh + 0.001);
      }),
      { numRuns: 40 },
    );
  });

  it('shows full performance where nothing was asked and all was measured, and none where it was not', () => {
    const idle = { importMwh: 0, exportMwh: 0, targetMwh: 0, gap: false };
    expect(proofOf([idle], {}).performancePct).toBe(100);
    expect(proofOf([{ ...idle, gap: true }], {}).performancePct).toBe(0);
    expect(proofOf([idle], { baselineWh: () => undefined }).performancePct).toBe(0);
  });
});
