import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Segment } from '../../hub/evidence/meter-track.ts';
import { shareOf } from '../../hub/evidence/shape.ts';

const span = (x: Partial<Segment>): Segment => ({
  fromMs: 0,
  toMs: 10_000,
  importWh: 0,
  exportWh: 0,
  quality: 'good',
  ...x,
});

describe('the share of an interval in a span between two values', () => {
  it('follows the moment at which the power changed, which the energy tells', () => {
    // 7.2 kW for 4 s, then 3.6 kW for 6 s: 8 Wh and 6 Wh.
    const s = span({ importWh: 14, endsW: { from: 7200, to: 3600 } });
    expect(shareOf(s, 0, 4000).importWh).toBeCloseTo(8, 9);
    expect(shareOf(s, 4000, 10_000).importWh).toBeCloseTo(6, 9);
    expect(shareOf(s, 3000, 5000).importWh).toBeCloseTo(3, 9);
  });

  it('keeps import and export on their side of a change of direction', () => {
    const s = span({ importWh: 8, exportWh: 6, endsW: { from: 7200, to: -3600 } });
    const before = shareOf(s, 0, 4000);
    expect(before.importWh).toBeCloseTo(8, 9);
    expect(before.exportWh).toBeCloseTo(0, 9);
  });

  it.each([
    ['power is not known', {}],
    ['power did not change', { endsW: { from: 5000, to: 5000 } }],
    ['no single change explains the energy', { endsW: { from: 1000, to: 2000 } }],
    ['nothing was measured', { endsW: { from: 7200, to: 3600 }, quality: 'missing' as const }],
  ])('is by time where %s', (_why, x) => {
    expect(shareOf(span({ importWh: 14, ...x }), 0, 2500).importWh).toBeCloseTo(3.5, 9);
  });

  it('of all parts together is the whole, and none is negative', () => {
    const w = fc.double({ min: -20_000, max: 20_000, noNaN: true });
    const wh = fc.double({ min: 0, max: 60, noNaN: true });
    const cut = fc.integer({ min: 0, max: 10_000 });
    fc.assert(
      fc.property(w, w, wh, wh, fc.array(cut, { maxLength: 5 }), (from, to, importWh, exportWh, cuts) => {
        const s = span({ importWh, exportWh, endsW: { from, to } });
        const marks = [0, ...cuts.sort((a, b) => a - b), 10_000];
        const parts = marks.slice(1).map((m, i) => shareOf(s, marks[i] ?? 0, m));
        for (const p of parts) expect(Math.min(p.importWh, p.exportWh)).toBeGreaterThanOrEqual(-1e-9);
        expect(parts.reduce((sum, p) => sum + p.importWh, 0)).toBeCloseTo(importWh, 6);
        expect(parts.reduce((sum, p) => sum + p.exportWh, 0)).toBeCloseTo(exportWh, 6);
      }),
    );
  });
});
