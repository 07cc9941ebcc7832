import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { SiteRegistry } from '../../hub/site/registry.ts';
import { type Meter, SiteFile } from '../../model/index.ts';
import { moodyStore } from '../site/store.ts';
import { siteFile } from '../support/site-file.ts';

const meter = (patch: Partial<Meter>): Meter => ({
  meterId: 'm:1',
  at: 'poc',
  signedValues: false,
  intervalS: 10,
  ...patch,
});
const issues = (meters: Meter[]): string[] => SiteFile.check(siteFile({ meters })).map((i) => `${i.path} ${i.message}`);

describe('meters of a site file', () => {
  it('may be at the POC, at circuits, EVSEs, storage and generation of the file', () => {
    const file = siteFile({
      ess: [{ essId: 'ess1', capacityWh: 1, minWh: 0, maxChargeW: 1, maxDischargeW: 1 }],
      generation: [{ genId: 'pv1', kind: 'pv', peakW: 1, curtailable: false }],
      meters: [
        meter({}),
        meter({ meterId: 'm:2', at: 'circuit', subjectRef: 'k1' }),
        meter({ meterId: 'm:3', at: 'evse', subjectRef: 'AC-1.1' }),
        meter({ meterId: 'm:4', at: 'ess', subjectRef: 'ess1' }),
        meter({ meterId: 'm:5', at: 'gen', subjectRef: 'pv1' }),
      ],
    });
    expect(SiteFile.check(file)).toEqual([]);
  });

  it.each<[string, Partial<Meter>, string]>([
    ['circuit', { at: 'circuit', subjectRef: 'k9' }, 'no circuit is called k9; give a circuitId of this file'],
    ['EVSE', { at: 'evse', subjectRef: 'AC-9.1' }, 'no resource is called AC-9.1; give a resourceId of this file'],
    ['storage', { at: 'ess', subjectRef: 'ess1' }, 'no storage is called ess1; give an essId of this file'],
    ['generator', { at: 'gen', subjectRef: 'pv1' }, 'no generation is called pv1; give a genId of this file'],
    ['subject at all', { at: 'circuit' }, 'm:1 measures a circuit; give a circuitId of this file'],
  ])('without a known %s are refused', (_what, patch, text) => {
    expect(issues([meter(patch)])).toEqual([`/meters/0/subjectRef ${text}`]);
  });

  it('two at one place, or with one id, are refused', () => {
    expect(issues([meter({}), meter({ meterId: 'm:2' })])).toEqual([
      '/meters/1/at the POC has the meter m:1 already; keep one of them',
    ]);
    expect(issues([meter({}), meter({ at: 'circuit', subjectRef: 'k1' })])).toEqual([
      '/meters/1/meterId m:1 is declared twice; rename one',
    ]);
  });
});

describe('a site file with several problems', () => {
  const open = (file: object) =>
    new SiteRegistry({
      clock: manualClock(),
      log: silentLog,
      metrics: createMetrics(),
      store: moodyStore(),
      files: { read: async () => JSON.stringify(file), watch: () => () => {} },
    }).open({ file: 'site.json' });

  it('is refused with all of them', async () => {
    const file = siteFile({ meters: [meter({}), meter({ meterId: 'm:2', at: 'evse', subjectRef: 'X' })], parties: [] });
    const error = await open(file).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'site.invalid' });
    expect(String(error)).toContain('site.json has 2 problems: ');
    expect(String(error)).toContain('/contracts/0/foId C-1 names the unknown party fo:test');
    expect(String(error)).toContain('/meters/1/subjectRef no resource is called X');
  });

  it('names 20 and how many more there are', async () => {
    const meters = Array.from({ length: 30 }, (_, i) =>
      meter({ meterId: `m:${i}`, at: 'circuit', subjectRef: `k-${i}` }),
    );
    const error = await open(siteFile({ meters })).catch((e: unknown) => e);
    expect(String(error)).toContain('30 problems');
    expect(String(error)).toContain('k-19');
    expect(String(error)).not.toContain('k-20');
    expect(String(error)).toContain('and 10 more');
  });

  it('keeps the one sentence for a single one', async () => {
    const error = await open({ ...siteFile(), colour: 'red' }).catch((e: unknown) => e);
    expect(String(error)).toMatch(/site\.json: \/colour .*\.$/);
  });
});
