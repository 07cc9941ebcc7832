import { afterEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { Contract, SiteFile } from '../../model/index.ts';
import type { SiteWorld } from '../support/site-world.ts';
import { contracts, decisions, fleet, fsr, measured, quick, request, SITE_WIDE, service, setpoint } from './kit.ts';

let w: SiteWorld;
afterEach(() => w.close());

const site = (contract: Partial<Contract>): SiteFile => quick(contracts({ ...SITE_WIDE, ...contract }));
const span = (fromS: number, toS: number) => ({
  start: iso(w.clock.now() + fromS * 1000),
  end: iso(w.clock.now() + toS * 1000),
});

describe('the baseline `declared` (fo 3.8)', () => {
  it('is the plan without the service over the steps of the window, frozen at acceptance', async () => {
    w = await fleet(site({ baseline: { method: 'declared' } }));
    // 5 kWh to go: after half an hour this vehicle is full; another one leaves.
    w.say('hub/EvNeeds', { resourceId: 'AC-1.1', bidirectional: false, energyToMaxWh: 5520 });
    w.say('hub/EvNeeds', { resourceId: 'AC-2.1', bidirectional: false, departureAt: iso(w.clock.now() + 3_600_000) });
    await w.clock.advance(1000);
    await request(w, fsr(w, { window: span(0, 7200) }));
    const [decision] = decisions(w);
    expect(decision?.baseline?.method).toBe('declared');
    const points = decision?.baseline?.series?.points ?? [];
    expect(points.map((p) => p.offsetS)).toEqual([0, 1800, 3600, 6300]);
    expect(points[0]?.powerW).toBeCloseTo(33_080, -2);
    expect(points[1]?.powerW).toBeCloseTo(22_040, -2);
    expect(points[2]?.powerW).toBeCloseTo(11_000, -2);
    // The V2G vehicle takes 20 kWh; what is left in the last step is spread over it.
    expect(points[3]?.powerW).toBeLessThan(11_000);
    expect(decision?.baseline?.powerW).toBe(points[0]?.powerW);
  });

  it('is what relative setpoints and the fallback count from, step by step', async () => {
    w = await fleet(site({ baseline: { method: 'declared' } }));
    w.say('hub/EvNeeds', { resourceId: 'AC-1.1', bidirectional: false, energyToMaxWh: 2760 });
    await request(
      w,
      fsr(w, {
        window: span(0, 2000),
        fallback: { onExpiry: 'baseline' },
        parameters: { mode: 'relative', minW: -5000, maxW: 0, updateIntervalS: 1000 },
      }),
    );
    await w.clock.advance(1000);
    await setpoint(w, 'N-1', 1, -1000, 'fo:test', 300);
    await w.clock.advance(3000);
    expect(measured(w)).toBeCloseTo(32_080, -3);
    await w.clock.advance(900_000);
    expect(service(w)?.appliedW).toBeCloseTo(22_040, -2);
  });
});

describe('the baseline `priorWindow` (fo 3.8)', () => {
  const baseline = { method: 'priorWindow' as const, windowS: 120, gapS: 30 };

  it('is the mean before the service, told at acceptance where it is known by then', async () => {
    w = await fleet(site({ baseline }));
    await w.clock.advance(240_000);
    const before = measured(w);
    await request(w, fsr(w));
    expect(decisions(w)[0]?.baseline?.method).toBe('priorWindow');
    expect(decisions(w)[0]?.baseline?.powerW).toBeCloseTo(before, -3);
  });

  it('is computed at the begin when it lies ahead, and is missing where nothing was measured', async () => {
    w = await fleet(site({ baseline }));
    await request(w, fsr(w, { window: span(240, 400), fallback: { onExpiry: 'baseline' } }));
    expect(decisions(w)[0]?.baseline).toBeUndefined();
    const before = measured(w);
    await w.clock.advance(241_000);
    // Nobody says anything: the fallback is the baseline.
    await w.clock.advance(15_000);
    expect(service(w)?.phase).toBe('fallback');
    expect(service(w)?.appliedW).toBeCloseTo(before, -3);
    await w.close();
    w = await fleet(site({ baseline }));
    await request(w, fsr(w));
    expect(decisions(w)[0]).toMatchObject({ decision: 'accepted' });
    expect(decisions(w)[0]?.baseline).toBeUndefined();
    const relative = { parameters: { mode: 'relative', minW: -100, maxW: 100 }, fsrId: 'N-2' };
    expect(await request(w, fsr(w, relative))).toMatchObject({ code: 'conflict.overlap' });
  });
});

describe('the baseline `highXofY` (fo 3.8)', () => {
  it('is refused with the reason, by contract or request; another method of the request is taken', async () => {
    const baseline = { method: 'highXofY' as const, x: 3, y: 5 };
    w = await fleet(site({ baseline }));
    const refusal = await request(w, fsr(w));
    expect(refusal).toMatchObject({ code: 'capability.unsupported', details: [{ path: '/fsr/contractId' }] });
    expect(refusal.message).toContain('priorWindow');
    expect(await request(w, fsr(w, { baseline: { method: 'zero' } }))).toMatchObject({ status: 'ok' });
    await w.close();
    w = await fleet(site({}));
    const details = [{ path: '/fsr/baseline/method' }];
    expect(await request(w, fsr(w, { baseline }))).toMatchObject({ code: 'capability.unsupported', details });
  });
});
