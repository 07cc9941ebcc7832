import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fits, judge, overdue, type TrackedCommand, tolerance } from '../../bridges/ocpp/outcome.ts';
import type { PowerCommand } from '../../model/index.ts';

const T0 = 1_000_000;
const evse = { responseTimeS: 2, accuracyW: 50 };
const command = (x: Partial<PowerCommand>): PowerCommand => ({
  commandId: 'c',
  resourceId: 'r',
  kind: 'setpoint',
  validUntil: '2026-01-01T00:02:00Z',
  level: 6,
  ...x,
});
const tracked = (x: Partial<PowerCommand> = {}, appliedW = 5000): TrackedCommand => ({
  command: command(x),
  appliedW,
  shape: 'dynamic',
  acceptedAt: T0,
  endsAt: T0 + 120_000,
  state: 'accepted',
});
/** Judges a series of [seconds after acceptance, W] and gives the verdicts. */
function verdicts(t: TrackedCommand, ...values: [number, number][]): (string | undefined)[] {
  return values.map(([s, powerW]) => {
    const v = judge(t, { at: T0 + s * 1000, powerW }, evse);
    if (v) t.state = v;
    return v;
  });
}

describe('whether a measured power fits (design 2.1)', () => {
  it('within the accuracy, 2 % or 100 W, whichever is most', () => {
    expect([tolerance(1000, 50), tolerance(-50_000, 50), tolerance(1000, 300)]).toEqual([100, 1000, 300]);
  });

  it('a setpoint on both sides, a limit from above', () => {
    const limit = command({ kind: 'limit', importLimitW: 5000 });
    expect([4899, 4900, 5100, 5101].map((w) => fits(command({}), 5000, w, 50))).toEqual([false, true, true, false]);
    expect([-9000, 0, 5100, 5101].map((w) => fits(limit, 5000, w, 50))).toEqual([true, true, true, false]);
  });

  it('a limit of the export from below', () => {
    const limit = command({ kind: 'limit', importLimitW: 5000, exportLimitW: 1000 });
    expect([-1101, -1100].map((w) => fits(limit, 5000, w, 50))).toEqual([false, true]);
  });

  it('switched off is a limit of nothing', () => {
    const off = command({ kind: 'onOff', powerW: 0 });
    expect([0, 100, 101].map((w) => fits(off, 0, w, 50))).toEqual([true, true, false]);
  });
});

describe('the judgement', () => {
  it('waits for the response time, then takes the first value that fits', () => {
    expect(verdicts(tracked(), [1, 5000], [1.9, 5000], [2, 5000], [3, 5000])).toEqual([
      undefined,
      undefined,
      'effective',
      undefined,
    ]);
  });

  it('is not effective after three response times off target', () => {
    expect(verdicts(tracked(), [2, 0], [5.9, 0], [6, 0], [7, 0])).toEqual([
      undefined,
      undefined,
      'notEffective',
      undefined,
    ]);
  });

  it('takes effective back when nothing has fitted for a response time; one stray value is none', () => {
    const t = tracked();
    expect(verdicts(t, [2, 5000], [10, 0], [11, 5000], [20, 0], [21, 0], [22, 0])).toEqual([
      'effective',
      undefined,
      undefined,
      undefined,
      undefined,
      'notEffective',
    ]);
  });

  it('follows later evidence', () => {
    const t = tracked();
    t.state = 'unknown';
    expect(verdicts(t, [60, 5000])).toEqual(['effective']);
    expect(verdicts(tracked(), [6, 0], [8, 5000])).toEqual(['notEffective', 'effective']);
  });

  it('takes 10 s where no response time is known', () => {
    const judged = (s: number) => judge(tracked(), { at: T0 + s * 1000, powerW: 5000 }, { accuracyW: 50 });
    expect([judged(9.9), judged(10)]).toEqual([undefined, 'effective']);
  });

  it('is unknown when nobody has measured, not effective when somebody has', () => {
    expect([5.9, 6].map((s) => overdue(tracked(), T0 + s * 1000, 2))).toEqual([undefined, 'unknown']);
    const t = tracked();
    verdicts(t, [3, 0]);
    expect(overdue(t, T0 + 6000, 2)).toBe('notEffective');
    t.state = 'effective';
    expect(overdue(t, T0 + 60_000, 2)).toBeUndefined();
  });

  it('never says effective about a value that does not fit, and never judges early', () => {
    const property = fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: -6000, max: 6000 })), { maxLength: 30 }),
      (values) => {
        const t = tracked();
        for (const [s, powerW] of values.sort((a, b) => a[0] - b[0])) {
          const before = t.state;
          const [v] = verdicts(t, [s, powerW]);
          if (v === 'effective') expect(Math.abs(powerW - 5000)).toBeLessThanOrEqual(100);
          if (v !== undefined) expect(s).toBeGreaterThanOrEqual(2);
          expect(v).not.toBe(before);
        }
      },
    );
    fc.assert(property);
  });
});
