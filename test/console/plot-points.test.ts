import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addPoint,
  columns,
  inWindow,
  powerRange,
  recent,
  SERIES,
  timeRange,
  WINDOW_MS,
} from '../../gateway/console/plot-points.js';
import type { PlotPoint } from '../../hub/site/types.ts';

const point = (at: number, more: Partial<PlotPoint> = {}): PlotPoint => ({
  at,
  grantedW: 5000,
  measuredW: 4800,
  importLimitW: 40_000,
  exportLimitW: 30_000,
  ...more,
});

const rowOf = (key: string, data: ReturnType<typeof columns>): readonly (number | null)[] =>
  data[1 + SERIES.findIndex((s) => s.key === key)] ?? [];

describe('the points of the plot', () => {
  it('stay within the window, ordered and bounded, whatever comes', () => {
    const times = fc.array(fc.integer({ min: 0, max: 3 * WINDOW_MS }), { maxLength: 60 });
    fc.assert(
      fc.property(times, (ats) => {
        const points = ats.reduce<readonly PlotPoint[]>((all, at) => addPoint(all, point(at)), []);
        const newest = points.at(-1)?.at ?? 0;
        points.forEach((p, i) => {
          expect(p.at).toBeGreaterThanOrEqual(newest - WINDOW_MS);
          expect(p.at).toBeGreaterThan(points[i - 1]?.at ?? -1);
        });
      }),
    );
  });

  it('are at most a thousand', () => {
    let points = inWindow(Array.from({ length: 5000 }, (_, i) => point(i)));
    expect(points).toHaveLength(1000);
    expect(points.at(-1)?.at).toBe(4999);
    points = addPoint(points, point(5000));
    expect(points).toHaveLength(1000);
    expect(points[0]?.at).toBe(4001);
  });

  it('a point of the same moment replaces the last one', () => {
    const points = addPoint([point(1000)], point(1000, { measuredW: -3 }));
    expect(points).toEqual([point(1000, { measuredW: -3 })]);
  });

  it('become kilowatts, with the export limit below zero', () => {
    const data = columns([point(2000, { requestedW: -2500 })]);
    expect(data[0]).toEqual([2]);
    expect(['requested', 'granted', 'measured', 'import', 'export'].map((k) => rowOf(k, data)[0])).toEqual([
      -2.5, 5, 4.8, 40, -30,
    ]);
  });

  it('leave a hole where nothing was requested, and in all lines where nothing is known', () => {
    const data = columns([point(0, { requestedW: 1000 }), point(1000), point(60_000)]);
    expect(rowOf('requested', data)).toEqual([1, null, null, null]);
    expect(rowOf('measured', data)).toEqual([4.8, 4.8, null, 4.8]);
    expect(data[0]).toEqual([0, 1, 1.001, 60]);
  });
});

describe('the range of the time axis', () => {
  it('grows from one minute to what was chosen', () => {
    const end = 10 * WINDOW_MS;
    const spanOf = (first: number): number => {
      const [from, to] = timeRange([point(end - first)], end);
      expect(to).toBe(end / 1000);
      return to - from;
    };
    expect([0, 60_000, 300_000, 2 * WINDOW_MS].map(spanOf)).toEqual([60, 60, 300, 900]);
    expect(timeRange([], end)).toEqual([end / 1000 - 60, end / 1000]);
    expect(timeRange([point(0)], end, 120_000)).toEqual([end / 1000 - 120, end / 1000]);
  });
});

describe('the points of the time that was chosen', () => {
  it('are those within it, and one before from which the line begins', () => {
    const points = [1, 2, 3, 4, 5].map((n) => point(n * 1000));
    expect(recent(points, 5000, 2000).map((p) => p.at)).toEqual([2000, 3000, 4000, 5000]);
    expect(recent(points, 5000, 60_000)).toBe(points);
    expect(recent([], 5000, 1000)).toEqual([]);
  });
});

describe('the range of the power axis', () => {
  it('always holds zero and every power', () => {
    const watts = fc.integer({ min: -500_000, max: 500_000 });
    fc.assert(
      fc.property(fc.array(fc.record({ requestedW: watts, grantedW: watts, measuredW: watts })), (powers) => {
        const [low, high] = powerRange(powers.map((p, i) => point(i * 1000, p)));
        expect(low).toBeLessThan(0);
        expect(high).toBeGreaterThan(0);
        for (const p of powers) {
          for (const w of Object.values(p)) {
            expect(w / 1000).toBeGreaterThan(low);
            expect(w / 1000).toBeLessThan(high);
          }
        }
      }),
    );
  });

  it('shows a limit that is near, and does not let a far one squeeze the powers flat', () => {
    const [, near] = powerRange([point(0, { measuredW: 15_000 })]);
    expect(near).toBeGreaterThan(40);
    const [, far] = powerRange([point(0, { measuredW: 15_000, importLimitW: 1_000_000 })]);
    expect(far).toBeLessThan(40);
  });
});
