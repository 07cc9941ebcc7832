import { afterEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { Congestion, Contract, Proof, SiteFile } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';
import { type Rig, rig } from './rig.ts';
import { accepted, ended } from './services.ts';

let r: Rig;
afterEach(() => r.close());

const meters = [{ meterId: 'm:poc', at: 'poc' as const, signedValues: false, intervalS: 10 }];
const contracts = (patch: Partial<Contract> = {}): Partial<SiteFile> => ({
  contracts: (siteFile().contracts ?? []).map((c) => ({ ...c, serviceTypes: ['congestion' as const], ...patch })),
});

/** A congestion service from 10 to 16 min with a POC meter that shows `power(minute)`; silent where that is undefined. */
async function serve(
  power: (minute: number) => number | undefined,
  parameters: Partial<Congestion> = {},
  o: { file?: Partial<SiteFile>; intervalS?: number; baselineW?: number } = {},
): Promise<Proof> {
  r = await rig({ file: { meters, ...contracts(), ...o.file } });
  const limits = {
    start: '2026-01-01T00:10:00Z',
    end: '2026-01-01T00:16:00Z',
    points: [
      { offsetS: 0, importLimitW: 12_000, exportLimitW: 5000 },
      { offsetS: 180, importLimitW: 6000, exportLimitW: 5000 },
    ],
  };
  const service = accepted(
    r,
    {
      serviceType: 'congestion',
      referencePoint: 'site',
      end: '2026-01-01T00:16:00Z',
      intervalS: o.intervalS ?? 60,
      parameters: { gridNode: 'n', limits, firm: true, ...parameters },
    },
    o.baselineW === undefined ? {} : { baselineW: o.baselineW, decision: declared(o.baselineW) },
  );
  let wh = 0;
  for (let s = 0; s < 980; s += 10) {
    const powerW = power(Math.floor(s / 60));
    if (powerW !== undefined)
      r.evidence.measured({
        meterId: 'm:poc',
        at: iso(r.clock.now()),
        powerW,
        importWh: wh,
        exportWh: 0,
        quality: 'good',
      });
    wh += ((powerW ?? 0) * 10) / 3600;
    if (s === 960) ended(r, service);
    await r.advance(10);
  }
  await r.advance(120);
  await r.evidence.flush();
  const [doc] = await r.evidence.reader.documents('Proof');
  return JSON.parse(doc?.text ?? '{}').body?.proof;
}

const declared = (powerW: number) => ({
  fsrId: 'N-1',
  revision: 1,
  decision: 'accepted' as const,
  baseline: { method: 'declared', powerW },
});

describe('the proof of a congestion service', () => {
  it('is the share of minutes whose mean at the POC is within the limit, step by step', async () => {
    // Limits 12 kW for three minutes, then 6 kW. 10, 12 and 12.1 kW; 6, 6.1 and 3 kW: two above.
    const kw = [10, 12, 12.1, 6, 6.1, 3];
    const proof = await serve((m) => (kw[m - 10] ?? 1) * 1000);
    expect(proof).toMatchObject({ formula: 'limit', meterLevel: 'poc', performancePct: 66.67 });
    expect(proof.intervals.map((i) => i.minutesWithin)).toEqual([1, 1, 0, 1, 0, 1]);
    expect(proof.intervals[0]).toEqual({
      start: '2026-01-01T00:10:00.000Z',
      durationS: 60,
      importWh: 166.667,
      exportWh: 0,
      baselineWh: 0,
      minutes: 1,
      minutesWithin: 1,
      quality: 'good',
      meterRef: 'm:poc',
    });
    expect(proof.totals).toEqual({ requestedWh: 0, deliveredWh: 0 });
  });

  it('counts minutes in longer intervals', async () => {
    const proof = await serve((m) => (m === 11 ? 13_000 : 1000), {}, { intervalS: 180 });
    expect(proof.intervals.map((i) => [i.durationS, i.minutes, i.minutesWithin])).toEqual([
      [180, 3, 2],
      [180, 3, 3],
    ]);
    expect(proof.performancePct).toBe(83.33);
  });

  it('does not count minutes without values as within', async () => {
    const proof = await serve((m) => (m === 12 || m === 13 ? undefined : 1000));
    expect(proof.intervals.map((i) => [i.quality, i.minutesWithin])).toEqual([
      ['good', 1],
      // The last value is of 11:50.
      ['missing', 0],
      ['missing', 0],
      ['missing', 0],
      ['good', 1],
      ['good', 1],
    ]);
    expect(proof.performancePct).toBe(50);
  });

  it('adds the paid reduction against the baseline', async () => {
    const proof = await serve((m) => (m < 13 ? 6000 : 9000), { reduceByW: 3000 }, { baselineW: 10_000 });
    // Baseline 10 kW, 3 kW less were asked: 4 kW less, then 1 kW less.
    expect(proof.intervals.map((i) => [i.requestedWh, i.deliveredWh])).toEqual([
      [50, 66.667],
      [50, 66.667],
      [50, 66.667],
      [50, 16.667],
      [50, 16.667],
      [50, 16.667],
    ]);
    expect(proof.totals).toEqual({ requestedWh: 300, deliveredWh: 250.002 });
    expect(proof.performancePct).toBe(50);
  });

  it('holds the contract’s safe limit after the series, until the window ends', async () => {
    const limits = {
      start: '2026-01-01T00:10:00Z',
      end: '2026-01-01T00:12:00Z',
      points: [{ offsetS: 0, importLimitW: 12_000 }],
    };
    const proof = await serve(() => 5000, { limits }, { file: contracts({ safeImportLimitW: 4000 }) });
    expect(proof.intervals.map((i) => i.minutesWithin)).toEqual([1, 1, 0, 0, 0, 0]);
  });
});
