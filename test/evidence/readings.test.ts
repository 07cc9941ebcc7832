import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iso, manualClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { ReadingLog } from '../../hub/evidence/readings.ts';
import { Ledger } from '../../hub/site/ledger.ts';
import type { MeterReading } from '../../model/index.ts';
import { memoryStore, type Rig, rig } from './rig.ts';

const T0 = Date.UTC(2026, 0, 1);
const rows = (r: Rig) => r.store.list('meter', { prefix: 'site:test/' });

describe('the meter values of a site', () => {
  let r: Rig;
  beforeEach(async () => {
    r = await rig();
  });
  afterEach(() => r.close());

  it('share one row per second', async () => {
    for (const powerW of [1, 2, 3]) r.read('V2G-1.1', { powerW });
    expect(await rows(r)).toEqual([]);
    await r.advance(1);
    r.read('AC-1.1', { powerW: 4 });
    await r.advance(2);
    const powers = (await rows(r)).map(({ body }) => (body as MeterReading[]).map((x) => x.powerW));
    expect(powers).toEqual([[1, 2, 3], [4]]);
  });

  it('have a row of their own for each five hundred, however many come in one second', async () => {
    for (let i = 0; i < 1_200; i++) r.read('V2G-1.1', { powerW: i });
    await r.advance(1);
    expect((await rows(r)).map(({ body }) => (body as unknown[]).length).sort()).toEqual([200, 500, 500]);
  });

  it('are kept as they came, whatever a flow makes of them afterwards', async () => {
    const reading: MeterReading = { resourceId: 'V2G-1.1', at: iso(r.clock.now()), powerW: 5, quality: 'good' };
    r.evidence.measured(reading);
    Object.assign(reading, { powerW: 'spoilt' });
    await r.advance(1);
    expect((await rows(r))[0]?.body).toMatchObject([{ powerW: 5 }]);
  });

  it('are written when the site closes', async () => {
    r.read('V2G-1.1', { powerW: 1 });
    await r.evidence.close();
    expect(await rows(r)).toHaveLength(1);
  });
});

it('readings are found again from a time on, in the order in which they came, also beyond one page', async () => {
  const [clock, store] = [manualClock(T0), await memoryStore()];
  const log = new ReadingLog({ clock, ledger: new Ledger({ store, log: silentLog, siteId: 's' }) });
  for (let s = 0; s < 130; s++) {
    log.take({ resourceId: 'a', at: iso(clock.now()), powerW: s, quality: 'good' });
    log.write();
    await clock.advance(1_000);
  }
  const found: (number | undefined)[] = [];
  for await (const { powerW } of log.since(T0 + 7_000)) found.push(powerW);
  expect(found).toEqual(Array.from({ length: 123 }, (_, i) => i + 7));
  await store.close();
});

interface Value {
  readonly afterS: number;
  readonly lateS: number;
  readonly meter: string;
  readonly powerW: number | undefined;
  readonly importWh: number | undefined;
  readonly again: boolean;
}

describe('energy over a restart', () => {
  /** Of one value: how long after the one before, how late it is told, and what it says. */
  const value: fc.Arbitrary<Value> = fc.record({
    afterS: fc.integer({ min: 0, max: 25 }),
    lateS: fc.constantFrom(0, 0, 0, 3, 40),
    meter: fc.constantFrom('V2G-1.1', 'AC-1.1'),
    powerW: fc.option(fc.integer({ min: -9_000, max: 9_000 }), { nil: undefined }),
    importWh: fc.option(fc.integer({ min: 0, max: 500 }), { nil: undefined }),
    again: fc.boolean(),
  });

  async function meansOf(values: readonly Value[], pauseAt: number, restarts: boolean) {
    const r = await rig();
    for (const [i, { afterS, lateS, meter, powerW, importWh, again }] of values.entries()) {
      await r.advance(afterS);
      const at = iso(r.clock.now() - lateS * 1_000);
      const say = { at, ...(powerW === undefined ? {} : { powerW }), ...(importWh === undefined ? {} : { importWh }) };
      for (let n = again ? 2 : 1; n > 0; n--) r.read(meter, say);
      if (i !== pauseAt) continue;
      // Its second is over; nothing else is written.
      await r.advance(1);
      if (restarts) await r.reopen();
    }
    const now = r.clock.now();
    const means = ['V2G-1.1', 'AC-1.1'].flatMap((member) =>
      [60, 300].map((s) => r.evidence.mean({ members: [member], referencePoint: 'group' }, now - s * 1_000, now)),
    );
    await r.close();
    return means;
  }

  it('is the same as without one, whatever came since the last writing: late, doubled, out of order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 25 }), fc.nat(24), async (values, n) => {
        const pauseAt = n % values.length;
        const [before, after] = [await meansOf(values, pauseAt, false), await meansOf(values, pauseAt, true)];
        for (const [i, mean] of before.entries()) {
          expect(after[i]?.quality).toBe(mean.quality);
          if (mean.powerW !== undefined) expect(after[i]?.powerW).toBeCloseTo(mean.powerW, 0);
        }
      }),
      { numRuns: 25 },
    );
  });
});
