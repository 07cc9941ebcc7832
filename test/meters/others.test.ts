import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blindBasis, pocBasis, roomOf } from '../../hub/meters/balance.ts';
import { Others, type Place } from '../../hub/meters/others.ts';
import type { PowerSpan } from '../../hub/meters/types.ts';

const place: Place = { importLimitW: 50_000, exportLimitW: 20_000 };
const value = (powerW: number, at = 0) => ({ at, powerW, quality: 'good' as const });
const span = (lowW: number, highW = lowW): [string, PowerSpan] => ['ev', { lowW, highW }];

describe('what flows beside the EVs', () => {
  it('is the meter less what they measure (fo 8.2)', () => {
    const o = new Others();
    o.read(value(30_000), [span(11_000)], place, 0);
    expect([o.upW, o.downW, o.netW]).toEqual([19_000, 19_000, 19_000]);
  });

  it('counts with the worst that EVs may have had in the first reading', () => {
    const o = new Others();
    o.read(value(30_000), [span(0, 11_000)], place, 0);
    expect([o.upW, o.downW, o.riseW, o.fallW]).toEqual([30_000, 19_000, 30_000, 19_000]);
  });

  it('stays as it was while EVs may explain the reading; nothing comes on top meanwhile', () => {
    const o = new Others();
    o.read(value(19_000), [span(0)], place, 0);
    o.read(value(30_000), [span(0, 11_000)], place, 1000);
    expect([o.upW, o.netW, o.riseW, o.fallW]).toEqual([19_000, 19_000, 30_000, 19_000]);
    o.read(value(33_000), [span(0, 11_000)], place, 2000);
    expect([o.upW, o.riseW]).toEqual([22_000, 33_000]);
  });

  it('counts with the worst beyond the limit itself', () => {
    const o = new Others();
    o.read(value(40_000), [span(0)], place, 0);
    o.read(value(51_000), [span(0, 11_000)], place, 1000);
    expect(o.upW).toBe(51_000);
    const out = new Others();
    out.read(value(-15_000), [span(0)], place, 0);
    out.read(value(-21_000), [span(-6000, 0)], place, 1000);
    expect(out.downW).toBe(-21_000);
  });

  it('takes room at once and gives it back when the worst of ten seconds is over, and not for trifles', () => {
    const o = new Others();
    o.read(value(40_000), [span(0)], place, 0);
    for (let s = 1; s < 10; s++) o.read(value(10_000 + s), [span(0)], place, s * 1000);
    expect([o.upW, o.downW]).toEqual([40_000, 10_001]);
    o.read(value(10_000), [span(0)], place, 10_000);
    expect(o.upW).toBe(10_009);
    o.read(value(25_000), [span(0)], place, 11_000);
    expect([o.upW, o.downW]).toEqual([25_000, 10_000]);
    for (let s = 12; s < 40; s++) o.read(value(24_950), [span(0)], place, s * 1000);
    expect(o.upW).toBe(25_000);
    o.read(value(24_000), [span(0)], place, 60_000);
    expect([o.upW, o.downW]).toEqual([24_000, 24_000]);
  });

  it('becomes clearer with a later value of an EVSE', () => {
    const o = new Others();
    o.read(value(30_000), [span(0, 11_000)], place, 0);
    expect(o.narrow('ev', { lowW: 10_000, highW: 12_000 }, place, 60_000)).toBe(false);
    expect([o.upW, o.downW, o.riseW]).toEqual([20_000, 19_000, 20_000]);
    expect(o.narrow('ev', { lowW: 9000, highW: 11_500 }, place, 60_000)).toBe(false);
    expect(o.narrow('other', { lowW: 0, highW: 0 }, place, 60_000)).toBe(false);
    const t = new Others();
    t.read(value(19_000), [span(0)], place, 0);
    t.read(value(30_000), [span(0, 11_000)], place, 1000);
    expect(t.narrow('ev', { lowW: 0, highW: 2000 }, place, 1000)).toBe(true);
    expect(t.upW).toBe(28_000);
  });

  it('a value that repeats while EVs move gives no room, and is a meter that hangs', () => {
    const o = new Others();
    o.read(value(40_000), [span(10_000)], place, 0);
    for (let s = 1; s <= 14; s++) {
      o.read(value(40_000), [span(20_000)], place, s * 1000);
      expect(o.upW).toBe(30_000);
      expect(o.hangs(place, s * 1000)).toBe(false);
    }
    o.read(value(40_000), [span(20_000)], place, 15_000);
    expect(o.hangs(place, 15_000)).toBe(true);
    o.read(value(40_001), [span(20_000)], place, 16_000);
    expect(o.hangs(place, 16_000)).toBe(false);
  });

  it('a value that repeats while EVs are still does not hang', () => {
    const o = new Others();
    for (let s = 0; s <= 100; s++) o.read(value(0), [span(0, s === 0 ? 11_000 : 0)], place, s * 1000);
    expect(o.hangs(place, 100_000)).toBe(false);
  });

  it('never counts less than the least that the readings prove, in both directions (property)', () => {
    const reading = fc.record({
      otherW: fc.integer({ min: -30_000, max: 60_000 }),
      evW: fc.integer({ min: -11_000, max: 22_000 }),
      below: fc.integer({ min: 0, max: 11_000 }),
      above: fc.integer({ min: 0, max: 11_000 }),
      afterMs: fc.integer({ min: 0, max: 20_000 }),
    });
    fc.assert(
      fc.property(fc.array(reading, { minLength: 1, maxLength: 20 }), (readings) => {
        const o = new Others();
        let now = 0;
        let lastW: number | undefined;
        let beyondSince: number | undefined;
        for (const r of readings) {
          now += r.afterMs;
          const powerW = r.otherW + r.evW;
          const isBeyond = powerW > place.importLimitW || -powerW > place.exportLimitW;
          beyondSince = isBeyond ? (beyondSince ?? now) : undefined;
          const isNews = (side: 1 | -1, limitW: number) =>
            side * powerW > limitW &&
            (lastW === undefined || side * (powerW - lastW) > 0.02 * limitW || now - (beyondSince ?? now) >= 10_000);
          const ev: [string, PowerSpan] = ['ev', { lowW: r.evW - r.below, highW: r.evW + r.above }];
          o.read(value(powerW, now), [ev], place, now);
          // What comes on top always fits the truth; what is in force, as soon as a limit is broken further than before,
          // or for so long that EVs on their way down do not explain it.
          expect(o.riseW).toBeGreaterThanOrEqual(r.otherW - 1e-6);
          expect(o.fallW).toBeLessThanOrEqual(r.otherW + 1e-6);
          if (isNews(1, place.importLimitW)) expect(o.upW).toBeGreaterThanOrEqual(r.otherW - 1e-6);
          if (isNews(-1, place.exportLimitW)) expect(o.downW).toBeLessThanOrEqual(r.otherW + 1e-6);
          expect(o.upW).toBeGreaterThanOrEqual(r.otherW - r.above - 1e-6);
          expect(o.downW).toBeLessThanOrEqual(r.otherW + r.below + 1e-6);
          lastW = powerW;
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('room at the connection', () => {
  const limits = { importLimitW: 50_000, exportLimitW: 20_000 };
  const none = () => ({ importW: 0, exportW: 0 });
  const all = () => ({ importW: 1e9, exportW: 1e9 });
  const flowsOf = (up: number, down: number, net: number, sources = 0) => ({
    upW: up,
    downW: down,
    riseW: up,
    fallW: down,
    netW: net,
    sourcesW: sources,
  });
  const flows = flowsOf(10_000, 8000, 9000);

  it('with netting: others take and make room (fo 8.2 site balance)', () => {
    expect(roomOf(limits, 'measured', flows, none)).toEqual({ importW: 40_000, exportW: 28_000 });
    expect(roomOf(limits, 'measured', flowsOf(-5000, -6000, -5500), none)).toEqual({
      importW: 55_000,
      exportW: 14_000,
    });
  });

  it('without netting: others only take room, and generation that is known hides no load', () => {
    expect(roomOf(limits, 'none', flows, none)).toEqual({ importW: 40_000, exportW: 20_000 });
    expect(roomOf(limits, 'none', flowsOf(-5000, -6000, -5500), none)).toEqual({ importW: 50_000, exportW: 14_000 });
    expect(roomOf(limits, 'none', flowsOf(-5000, -6000, -5500, 15_000), none)).toEqual({
      importW: 40_000,
      exportW: 5000,
    });
  });

  it.each(['none', 'measured'] as const)(
    '(%s) what is in force keeps its room, what comes on top does not',
    (netting) => {
      const doubtful = { ...flowsOf(10_000, -2000, 0), riseW: 25_000, fallW: -12_000 };
      expect(roomOf(limits, netting, doubtful, none)).toEqual({ importW: 25_000, exportW: 8000 });
      expect(roomOf(limits, netting, doubtful, () => ({ importW: 33_000, exportW: 11_000 }))).toEqual({
        importW: 33_000,
        exportW: 11_000,
      });
      expect(roomOf(limits, netting, doubtful, all)).toEqual({ importW: 40_000, exportW: 18_000 });
    },
  );

  it.each(['none', 'measured'] as const)('no margin (%s) makes EVs take or give power', (netting) => {
    expect(roomOf(limits, netting, flowsOf(70_000, -40_000, 10_000), none)).toEqual(none());
    expect(roomOf(limits, netting, flowsOf(70_000, -40_000, 60_000), none)).toEqual({ importW: -10_000, exportW: 0 });
    expect(roomOf(limits, netting, flowsOf(70_000, -40_000, -25_000), none)).toEqual({ importW: 0, exportW: -5000 });
  });

  it.each(['none', 'measured'] as const)('the basis (%s) leaves exactly that room', (netting) => {
    for (const f of [flows, flowsOf(-5000, -9000, -7000, 12_000)]) {
      const room = roomOf(limits, netting, f, all);
      const b = pocBasis(limits, netting, f, all);
      expect(b.importLimitW + b.generationW - b.usedW).toBeCloseTo(room.importW, 6);
      expect(b.exportLimitW - b.generationW + b.usedW).toBeCloseTo(room.exportW, 6);
      expect(b.usedW - b.generationW).toBeCloseTo(f.netW, 6);
      expect(Math.min(b.usedW, b.generationW)).toBeGreaterThanOrEqual(0);
    }
  });

  it('that nobody knows is the static share, and no export (fo 6.4)', () => {
    const room = (b: ReturnType<typeof blindBasis>) => [b.importLimitW - b.usedW, b.exportLimitW + b.usedW, b.netting];
    expect(room(blindBasis(limits, 10_000))).toEqual([40_000, 0, 'none']);
    expect(room(blindBasis(limits, 10_000, 15_000))).toEqual([15_000, 0, 'none']);
    expect(room(blindBasis(limits, 45_000, 15_000))).toEqual([5000, 0, 'none']);
    expect(room(blindBasis(limits, 60_000))).toEqual([0, 0, 'none']);
  });
});
