import { expect, it } from 'vitest';
import { judged } from '../../bench/soak/series.ts';

const hours = (ys: readonly number[]) => ys.map((y, i) => ({ x: i / 10, y }));

it('a series that goes up and down around its mean is flat', () => {
  const points = hours([100, 104, 97, 102, 99, 101, 103, 98]);
  expect(judged('heap', 'MB', points, { share: 0.05, units: 0 })).toMatchObject({ flat: true, first: 100, max: 104 });
});

it('one that rises by more than the tolerance from its begin to its end is not', () => {
  const points = hours([100, 101, 102, 103, 104, 105, 106, 107]);
  const series = judged('heap', 'MB', points, { share: 0.05, units: 0 });
  expect(series.flat).toBe(false);
  expect(series.perHour).toBeCloseTo(10);
});

it('a rise of few units is flat where units are given, and a fall always', () => {
  expect(judged('handles', 'number', hours([10, 11, 12]), { share: 0, units: 2 }).flat).toBe(true);
  expect(judged('handles', 'number', hours([10, 11, 13]), { share: 0, units: 2 }).flat).toBe(false);
  expect(judged('heap', 'MB', hours([100, 50, 10]), { share: 0, units: 0 }).flat).toBe(true);
});

it('values that fell for a while and came back are no growth, however the line through them rises', () => {
  const dip = hours([995, 700, 600, 650, 800, 900, 994, 995]);
  expect(judged('sockets', 'number', dip, { share: 0.01, units: 5 })).toMatchObject({ flat: true, max: 995 });
  const leak = hours([995, 700, 600, 650, 800, 900, 1050, 1100]);
  expect(judged('sockets', 'number', leak, { share: 0.01, units: 5 }).flat).toBe(false);
});

it('without a tolerance nothing is judged', () => {
  expect(judged('store', 'MB', hours([1, 2]))).not.toHaveProperty('flat');
});
