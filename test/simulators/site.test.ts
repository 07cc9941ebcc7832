import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { MeterReading } from '../../model/index.ts';
import {
  baseW,
  DEMO_SITE,
  type MeteredStation,
  pvW,
  runSite,
  SITE_SIMULATOR_ERRORS,
  type SiteEvent,
  SiteScenario,
} from '../../simulators/site/index.ts';

const FLAT: SiteScenario = {
  base: { points: [{ atS: 0, powerW: 10_000 }], noisePct: 0 },
  poc: { meterId: 'm:poc' },
  circuits: [
    { meterId: 'm:ac', stations: ['AC-*'] },
    { meterId: 'm:dc', stations: ['DC-1'], basePct: 50 },
  ],
};

function play(scenario: SiteScenario, stations: MeteredStation[] = [], deliver?: () => Promise<void>) {
  const clock = manualClock();
  const readings: MeterReading[] = [];
  const events: SiteEvent[] = [];
  const site = runSite({
    scenario,
    clock,
    seed: 1,
    stations: () => stations,
    deliver: async (list) => {
      await deliver?.();
      readings.push(...list);
    },
    onEvent: (e) => events.push(e),
  });
  const of = (meterId: string): MeterReading[] => readings.filter((r) => r.meterId === meterId);
  return { clock, site, readings, events, of, last: (meterId: string) => of(meterId).at(-1) };
}

describe('what flows at a site', () => {
  it('the POC meter shows load minus sun plus stations, the circuits their stations and share of the load', async () => {
    const stations = [
      { identity: 'AC-1', powerW: 5000 },
      { identity: 'AC-2', powerW: 3000 },
      { identity: 'DC-1', powerW: -9000 },
    ];
    const w = play({ ...FLAT, pv: { peakW: 4000, cloudPct: 0 }, pvMeter: { meterId: 'm:pv' } }, stations);
    await w.clock.advance(3000);
    expect(w.last('m:poc')?.powerW).toBeCloseTo(10_000 - 4000 - 1000, -1);
    expect(w.last('m:ac')?.powerW).toBe(8000);
    expect(w.last('m:dc')?.powerW).toBe(-4000);
    expect(w.last('m:pv')?.powerW).toBeCloseTo(-4000, -1);
    expect(w.readings.flatMap((r) => MeterReading.check(r))).toEqual([]);
  });

  it('registers count both directions on their own', async () => {
    const stations = [{ identity: 'AC-1', powerW: 0 }];
    const w = play(FLAT, stations);
    await w.clock.advance(36_000);
    stations[0] = { identity: 'AC-1', powerW: -30_000 };
    await w.clock.advance(36_000);
    const { importWh = 0, exportWh = 0 } = w.last('m:poc') ?? {};
    expect(importWh).toBeCloseTo(100, 0);
    expect(exportWh).toBeCloseTo(200, -1);
  });

  it('the load runs through its points and starts over', () => {
    const base = {
      points: [
        { atS: 0, powerW: 1000 },
        { atS: 50, powerW: 3000 },
      ],
      repeatS: 100,
      noisePct: 0,
    };
    expect([0, 25, 50, 75, 100, 125].map((t) => baseW(base, t, 1))).toEqual([1000, 2000, 3000, 2000, 1000, 2000]);
  });

  it('the sun is dark at night, never above its peak, and repeats itself for a seed', () => {
    const pv = { peakW: 10_000, dayS: 1000, startS: 0 };
    const day = (seed: number) => Array.from({ length: 1000 }, (_, t) => pvW(pv, t, seed));
    const one = day(1);
    expect(one.slice(0, 250).every((w) => w === 0)).toBe(true);
    expect(Math.max(...one)).toBeGreaterThan(5000);
    expect(one.every((w) => w >= 0 && w <= 10_000)).toBe(true);
    expect(day(1)).toEqual(one);
    expect(day(2)).not.toEqual(one);
    const clear = Array.from({ length: 1000 }, (_, t) => pvW({ ...pv, cloudPct: 0 }, t, 1));
    expect(one.some((w, t) => w < (clear[t] ?? 0) * 0.7)).toBe(true);
  });

  it('a storage takes what the sun leaves until it is full, and gives it back', async () => {
    const ess = { capacityWh: 100, maxW: 6000, startPct: 90 };
    const w = play({ ...FLAT, ess, essMeter: { meterId: 'm:ess' } });
    w.site.control({ baseW: 0, pvW: 5000 });
    await w.clock.advance(2000);
    expect(w.site.power).toMatchObject({ essW: 5000, pocW: 0 });
    await w.clock.advance(10_000);
    expect(w.site.power).toMatchObject({ essW: 0, pocW: -5000 });
    expect(w.site.essPct).toBeGreaterThan(99);
    w.site.control({ baseW: 9000, pvW: 0 });
    await w.clock.advance(2000);
    expect(w.site.power).toMatchObject({ essW: -6000, pocW: 3000 });
    expect(w.last('m:ess')?.powerW).toBe(-6000);
    w.site.control({ resume: true });
    await w.clock.advance(2000);
    expect(w.site.power.baseW).toBe(10_000);
  });
});

describe('what its meters do wrong', () => {
  it('lost, frozen, noisy, with a shifted clock, and right again', async () => {
    const w = play(FLAT);
    await w.clock.advance(2000);
    const before = w.of('m:poc').length;
    w.site.control('{"meter":"m:poc","state":"lost"}');
    await w.clock.advance(5000);
    expect(w.of('m:poc').length).toBe(before);
    expect(w.of('m:ac').length).toBe(before + 5);
    w.site.control({ meter: 'm:poc', state: 'frozen' });
    w.site.control({ baseW: 50_000 });
    await w.clock.advance(3000);
    expect(
      w
        .of('m:poc')
        .slice(before)
        .map((r) => r.powerW),
    ).toEqual([10_000, 10_000, 10_000]);
    expect(new Set(w.of('m:poc').map((r) => r.at)).size).toBe(before + 3);
    w.site.control({ meter: 'm:poc', state: 'noisy', noiseW: 500 });
    await w.clock.advance(20_000);
    const noisy = w
      .of('m:poc')
      .slice(-20)
      .map((r) => r.powerW ?? 0);
    expect(new Set(noisy).size).toBeGreaterThan(10);
    expect(noisy.every((p) => Math.abs(p - 50_000) <= 500)).toBe(true);
    w.site.control({ meter: 'm:poc', state: 'clockShifted', shiftS: -90 });
    await w.clock.advance(1000);
    expect(Date.parse(w.last('m:poc')?.at ?? '')).toBe(w.clock.now() - 90_000);
    w.site.control({ meter: '*', state: 'right' });
    await w.clock.advance(1000);
    expect(w.last('m:poc')).toMatchObject({ powerW: 50_000, at: new Date(w.clock.now()).toISOString() });
  });

  it('refuses orders that it does not understand', () => {
    const w = play(FLAT);
    expect(() => w.site.control({ meter: 'm:none', state: 'lost' })).toThrowError(
      expect.objectContaining({ code: 'siteSimulator.unknownMeter' }),
    );
    expect(() => w.site.control({ meter: 'm:poc' })).toThrowError(expect.objectContaining({ code: 'schema.semantic' }));
    expect(() => w.site.control({})).toThrowError(expect.objectContaining({ code: 'schema.semantic' }));
  });

  it('tells once per reason that the gateway does not take its values, and when it does again', async () => {
    let broken = true;
    const w = play(FLAT, [], async () => {
      if (broken) throw SITE_SIMULATOR_ERRORS.fail('siteSimulator.refused');
    });
    await w.clock.advance(5000);
    broken = false;
    await w.clock.advance(2000);
    expect(w.events.map((e) => e.event)).toEqual(['deliveryFailed', 'deliveryResumed']);
    expect(w.events[0]).toMatchObject({ code: 'siteSimulator.refused' });
  });

  it('sends nothing more while the gateway does not answer', async () => {
    let asked = 0;
    const w = play(FLAT, [], () => {
      asked++;
      return new Promise(() => undefined);
    });
    await w.clock.advance(10_000);
    expect(asked).toBe(1);
    w.site.stop();
    expect(w.clock.pending).toBe(0);
  });
});

describe('a site scenario', () => {
  it('of the demo is valid', () => {
    expect(SiteScenario.check(DEMO_SITE)).toEqual([]);
  });

  it.each([
    ['a profile that does not begin at 0', { ...FLAT, base: { points: [{ atS: 5, powerW: 1 }] } }],
    ['points out of order', { ...FLAT, base: { points: [0, 9, 9].map((atS) => ({ atS, powerW: 1 })) } }],
    ['a point after the end', { ...FLAT, base: { repeatS: 10, points: [0, 10].map((atS) => ({ atS, powerW: 1 })) } }],
    ['one meter twice', { ...FLAT, poc: { meterId: 'm:ac' } }],
    ['a meter for a sun that is not there', { ...FLAT, pvMeter: { meterId: 'm:pv' } }],
  ])('with %s is refused', (_what, scenario) => {
    expect(SiteScenario.check(scenario)).not.toEqual([]);
  });
});
