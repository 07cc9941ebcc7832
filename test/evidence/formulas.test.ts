import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  deliveredWh,
  followed,
  percent,
  performancePct,
  totalsOf,
  trackingErrorPct,
} from '../../hub/evidence/formulas.ts';

/** Numbers of fo 2.1 as whole thousandths, so that the formulas below are exact without ours. */
const wh = (max: number, signed = false) => fc.integer({ min: signed ? -max : 0, max }).map((n) => n / 1000);
const signedWh = wh(50_000_000, true);
const thousandths = (x: number): bigint => BigInt(Math.round(x * 1000));
const abs = (x: bigint): bigint => (x < 0n ? -x : x);

/** fo 3.9 with whole numbers of any size: half up to 2 digits. */
function literalPct(intervals: readonly { requestedWh: number; deliveredWh: number }[]): string | undefined {
  let [done, asked] = [0n, 0n];
  for (const i of intervals) {
    const [d, r] = [thousandths(i.deliveredWh), thousandths(i.requestedWh)];
    const positive = d > 0n ? d : 0n;
    done += positive < r ? positive : r;
    asked += r;
  }
  if (asked === 0n) return undefined;
  let digits = (done * 100_000n) / asked;
  digits = digits % 10n >= 5n ? digits / 10n + 1n : digits / 10n;
  return `${digits / 100n}.${String(digits % 100n).padStart(2, '0')}`;
}

describe('the formulas of fo 3.9', () => {
  it('up is the baseline less what was measured, down the opposite', () => {
    fc.assert(
      fc.property(signedWh, signedWh, (b, m) => {
        expect(thousandths(deliveredWh('up', b, m))).toBe(thousandths(b) - thousandths(m));
        expect(thousandths(deliveredWh('down', b, m))).toBe(thousandths(m) - thousandths(b));
      }),
    );
  });

  it('a setpoint delivers what was asked beyond the baseline, less what is off the target', () => {
    fc.assert(
      fc.property(signedWh, signedWh, signedWh, (t, b, m) => {
        const [target, base, measured] = [thousandths(t), thousandths(b), thousandths(m)];
        const requested = abs(target - base);
        const rest = requested - abs(measured - target);
        const got = followed(t, b, m);
        expect(thousandths(got.requestedWh)).toBe(requested);
        expect(thousandths(got.deliveredWh)).toBe(rest > 0n ? rest : 0n);
      }),
    );
  });

  it('performance is the literal one, half up, for whatever intervals', () => {
    const interval = fc.record({ requestedWh: wh(20_000_000), deliveredWh: wh(40_000_000, true) });
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 50 }), (intervals) => {
        expect(performancePct(intervals)?.toFixed(2)).toBe(literalPct(intervals));
      }),
    );
  });

  it('rounds halves up, exactly', () => {
    expect(percent(1, 3)).toBe(33.33);
    expect(percent(2, 3)).toBe(66.67);
    // 1.005 and 0.125 %: as floating numbers they lie below the half.
    expect(percent(1_005, 100_000)).toBe(1.01);
    expect(percent(125, 100_000)).toBe(0.13);
    expect(percent(124_999, 100_000_000)).toBe(0.12);
  });

  it('what delivers more in one interval does not pay for another, and what runs the wrong way counts 0', () => {
    const intervals = [
      { requestedWh: 100, deliveredWh: 300 },
      { requestedWh: 100, deliveredWh: -50 },
      { requestedWh: 100 },
    ];
    expect(performancePct(intervals)).toBe(33.33);
    expect(totalsOf(intervals)).toEqual({ requestedWh: 300, deliveredWh: 250 });
    expect(performancePct([{ requestedWh: 0, deliveredWh: 0 }, {}])).toBeUndefined();
  });

  it('sums ten thousand intervals without losing a thousandth', () => {
    const intervals = Array.from({ length: 10_000 }, () => ({ requestedWh: 0.1, deliveredWh: 0.1 }));
    expect(totalsOf(intervals)).toEqual({ requestedWh: 1000, deliveredWh: 1000 });
  });

  it('the tracking error is the distance from the target over the target', () => {
    expect(
      trackingErrorPct([
        { targetWh: -100, measuredWh: -90 },
        { targetWh: 100, measuredWh: 120 },
      ]),
    ).toBe(15);
    expect(trackingErrorPct([{ targetWh: 0, measuredWh: 5 }])).toBeUndefined();
  });
});
