import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listed } from '../../bench/harness/children.ts';
import { isClean, median, quantile, ratios, slope, verdictOf, type Window } from '../../bench/harness/stats.ts';

const window = (value: number, waitedMs = 0, failed?: string): Window => ({
  value,
  lengthMs: 1_000,
  waitedMs,
  ...(failed === undefined ? {} : { failed }),
});

const numbers = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 });

describe('a window of the bench', () => {
  it('is clean up to 30 % of waiting, and not beyond', () => {
    expect(isClean(window(1, 300))).toBe(true);
    expect(isClean(window(1, 301))).toBe(false);
  });

  it('does not count with a lost or wrong answer, nor without a number', () => {
    expect(isClean(window(1, 0, '1 lost and 0 wrong of 9 answers'))).toBe(false);
    expect(isClean(window(Number.NaN))).toBe(false);
  });
});

describe('the ratio of a round', () => {
  it('is there only if the windows of product and yardstick are both clean', () => {
    const product = [window(4), window(6, 400), window(8), window(10)];
    const yardstick = [window(2), window(2), window(2, 400), window(5)];
    expect(ratios(product, yardstick)).toEqual([2, 2]);
  });

  it('is not there where the yardstick took no time at all', () => {
    expect(ratios([window(1)], [window(0)])).toEqual([]);
  });
});

describe('a verdict', () => {
  it('is unmeasured with fewer than 5 clean rounds of 20, whatever the ratio', () => {
    expect(verdictOf([1, 1, 1, 1], 20, 2)).toBe('unmeasured');
    expect(verdictOf([1, 1, 1, 1, 1], 20, 2)).toBe('met');
  });

  it('needs five clean rounds, also of fewer than twenty', () => {
    expect(verdictOf([1, 1, 1, 1], 8, 2)).toBe('unmeasured');
    expect(verdictOf([1, 1, 1, 1, 1], 8, 2)).toBe('met');
  });

  it('of a quick run needs two clean rounds', () => {
    expect(verdictOf([1], 1, 2)).toBe('unmeasured');
    expect(verdictOf([1, 1], 2, 2)).toBe('met');
  });

  it('is missed above the goal, and met at it', () => {
    expect(verdictOf([2, 2], 2, 2)).toBe('met');
    expect(verdictOf([2.01, 2.01], 2, 2)).toBe('missed');
  });

  it('judges the median, so that one slow round does not miss a goal', () => {
    expect(verdictOf([1, 1, 99], 3, 2)).toBe('met');
  });

  it('is information where there is no goal', () => {
    expect(verdictOf([9, 9], 2, undefined)).toBe('information');
  });
});

describe('median and quantile', () => {
  it('of an even number take the middle of both', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it('of nothing are no number', () => {
    expect(median([])).toBeNaN();
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('leave at least their share of the values at or below, whatever the order', () => {
    fc.assert(
      fc.property(numbers, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, q) => {
        const at = quantile(values, q);
        expect(values).toContain(at);
        expect(values.filter((v) => v <= at).length).toBeGreaterThanOrEqual(q * values.length - 1e-9);
        expect(quantile([...values].reverse(), q)).toBe(at);
      }),
    );
  });

  it('p99 of a hundred values is the second highest', () => {
    expect(
      quantile(
        Array.from({ length: 100 }, (_, i) => i),
        0.99,
      ),
    ).toBe(98);
  });
});

describe('the slope of a series', () => {
  it('of a straight line is its steepness', () => {
    fc.assert(
      fc.property(fc.integer({ min: -100, max: 100 }), fc.integer({ min: 2, max: 40 }), (steepness, n) => {
        const points = Array.from({ length: n }, (_, x) => ({ x, y: 7 + steepness * x }));
        expect(slope(points)).toBeCloseTo(steepness, 6);
      }),
    );
  });

  it('of one point or none is 0', () => {
    expect(slope([])).toBe(0);
    expect(slope([{ x: 1, y: 5 }])).toBe(0);
  });
});

it('a list of cores is read with its ranges', () => {
  expect(listed('0,1')).toEqual([0, 1]);
  expect(listed('2-4,7')).toEqual([2, 3, 4, 7]);
  expect(listed('none')).toEqual([]);
});
