import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  age,
  direction,
  duration,
  parseKilowatts,
  percent,
  power,
  span,
  timeOfDay,
} from '../../gateway/console/format.js';

/** The narrow space between number and unit, written as a plain one. */
const plain = (text: string): string => text.replaceAll('\u202f', ' ');

describe('powers', () => {
  it.each([
    [0, '0 kW'],
    [4, '0.00 kW'],
    [-4, '0.00 kW'],
    [4250, '4.25 kW'],
    [-11_000, '−11.0 kW'],
    [9996, '10.0 kW'],
    [150_000, '150 kW'],
    [1_200_000, '1.20 MW'],
    [undefined, '–'],
    [Number.NaN, '–'],
  ])('%s W reads %s', (w, text) => {
    expect(plain(power(w))).toBe(text);
  });

  it('always carry a unit, and a minus only below zero', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), (w) => {
        const text = plain(power(w));
        expect(text).toMatch(/^−?\d+(\.\d+)? [kM]W$/);
        expect(text.startsWith('−')).toBe(w < 0 && !/^−?0(\.0+)? /.test(text));
      }),
    );
  });

  it('an envelope goes from export to import in one unit', () => {
    expect(plain(span(11_000, 11_000))).toBe('−11.0 … 11.0 kW');
    expect(plain(span(4140, 0))).toBe('0 … 4.14 kW');
    expect(plain(span(2_000_000, 500_000))).toBe('−0.50 … 2.00 MW');
    expect(plain(span(undefined, undefined))).toBe('–');
  });

  it('have a direction in words', () => {
    expect([5000, -5000, 2, undefined].map(direction)).toEqual(['import', 'export', 'nothing flows', '']);
  });

  it('are read as people type them', () => {
    expect(parseKilowatts('7,4')).toBe(7400);
    expect(parseKilowatts(' 10 ')).toBe(10_000);
    expect(parseKilowatts('0')).toBe(0);
    expect(parseKilowatts('  ')).toBeUndefined();
    for (const wrong of ['-1', '1e3', 'ten', '1.2.3', '9999999', '0x10', '1 000'])
      expect(parseKilowatts(wrong)).toBeNaN();
  });
});

describe('times', () => {
  it.each([
    [-5000, '0 s'],
    [59_400, '59 s'],
    [59_600, '1 min'],
    [130_000, '2 min 10 s'],
    [3_900_000, '1 h 5 min'],
    [266_400_000, '3 d 2 h'],
  ])('%s ms last %s', (ms, text) => {
    expect(plain(duration(ms))).toBe(text);
  });

  it('the age of a value counts from the clock of the gateway', () => {
    const now = Date.parse('2026-03-02T17:10:00Z');
    expect(plain(age('2026-03-02T17:09:57Z', now))).toBe('3 s');
    expect(age(undefined, now)).toBe('–');
    expect(age('soon', now)).toBe('–');
  });

  it('times of day have seconds and 24 hours', () => {
    expect(timeOfDay(Date.parse('2026-03-02T17:03:09Z'), 'UTC')).toBe('17:03:09');
    expect(timeOfDay(Number.NaN)).toBe('–');
  });

  it('a percentage is whole', () => {
    expect(plain(percent(53.4))).toBe('53 %');
    expect(percent(undefined)).toBe('–');
  });
});
