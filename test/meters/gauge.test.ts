import { describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { Gauge } from '../../hub/meters/gauge.ts';
import type { MeterReading } from '../../model/index.ts';

const T0 = Date.UTC(2026, 0, 1);
const gauge = (intervalS = 10, mostW = 90_000): Gauge =>
  new Gauge({ meter: { meterId: 'm', at: 'poc', signedValues: false, intervalS }, mostW, now: T0 });
const take = (g: Gauge, s: number, powerW: number, patch: Partial<MeterReading> = {}, measuredS = s) =>
  g.take({ meterId: 'm', at: iso(T0 + measuredS * 1000), powerW, quality: 'good', ...patch }, T0 + s * 1000);
const state = (g: Gauge, s: number) => g.state(T0 + s * 1000);

describe('a meter', () => {
  it('waits for its first value, is good, and lost after three intervals without one (fo 6.4)', () => {
    const g = gauge();
    expect(state(g, 30)).toBe('waiting');
    expect(state(g, 30.001)).toBe('lost');
    take(g, 31, 100);
    expect(state(g, 61)).toBe('good');
    expect(state(g, 61.001)).toBe('lost');
    expect(g.cause()).toBe('silent');
    take(g, 70, 100);
    expect(state(g, 70)).toBe('good');
  });

  it('learns its interval where the site file says 0', () => {
    const g = gauge(0);
    for (let s = 0; s <= 60; s += 2) take(g, s, s);
    expect(g.intervalMs).toBeLessThan(2200);
    expect(state(g, 66)).toBe('good');
    expect(state(g, 67)).toBe('lost');
  });

  it.each<[string, Partial<MeterReading>, number]>([
    ['implausible', { powerW: 90_001 }, 5],
    ['implausible', { powerW: -90_001 }, 5],
    ['missing', { quality: 'missing' }, 5],
    ['register', { importWh: 10 }, 5],
    ['register', { exportWh: 10 }, 5],
    ['stale', {}, -27.001],
  ])('with a fault (%s) keeps the value before, as substituted', (fault, patch, measuredS) => {
    const g = gauge();
    if (measuredS >= 0) take(g, 0, 500, { importWh: 1000, exportWh: 1000 });
    expect(take(g, 5, 700, patch, measuredS)).toBeUndefined();
    expect(g.fault).toBe(fault);
    if (measuredS < 0) return;
    expect(g.value?.powerW).toBe(500);
    expect(state(g, 5)).toBe('substituted');
    expect(state(g, 31)).toBe('lost');
    expect(g.cause()).toBe(fault);
  });

  it('may say the same thing twice, or old things, without that counting', () => {
    const g = gauge();
    take(g, 10, 500);
    expect(take(g, 12, 999, {}, 10)).toBeUndefined();
    expect(take(g, 13, 999, {}, 9)).toBeUndefined();
    expect(g.value?.powerW).toBe(500);
    expect(state(g, 41)).toBe('lost');
  });

  it('from the future counts as of now, and a clock that was set back does not stop it', () => {
    const g = gauge();
    expect(take(g, 10, 500, {}, 4000)?.at).toBe(T0 + 10_000);
    expect(take(g, -100, 600)?.powerW).toBe(600);
    expect(state(g, -100)).toBe('good');
  });
});
