import { afterEach, describe, expect, it } from 'vitest';
import type { SiteWorld } from '../support/site-world.ts';
import {
  contracts,
  fleet,
  fsr,
  ISSUERS,
  measured,
  power,
  quick,
  request,
  SITE_WIDE,
  service,
  setpoint,
  told,
} from './kit.ts';

let w: SiteWorld;
afterEach(() => w.close());

const TWO_FOS = contracts(SITE_WIDE, { ...SITE_WIDE, foId: 'fo:other' });
const k1 = { target: { groupId: 'g:k1', referencePoint: 'group' } };
const ac2 = { target: { groupId: 'g:ac2', referencePoint: 'group' } };

describe('services on different resources (fo 1.2)', () => {
  it('run side by side, also of two FOs and under the same id', async () => {
    w = await fleet(quick(TWO_FOS));
    expect(await request(w, fsr(w, k1))).toMatchObject({ status: 'ok' });
    expect(await request(w, fsr(w, { ...ac2, contractId: 'C-2' }), 'fo:other')).toMatchObject({ status: 'ok' });
    await w.clock.advance(1000);
    expect(await setpoint(w, 'N-1', 1, 8000)).toMatchObject({ data: { appliedW: 8000 } });
    expect(await setpoint(w, 'N-1', 1, 5000, 'fo:other')).toMatchObject({ data: { appliedW: 5000 } });
    await w.clock.advance(3000);
    expect(power(w, 'V2G-1.1', 'AC-1.1')).toBeCloseTo(8000, -3);
    expect(power(w, 'AC-2.1')).toBeCloseTo(5000, -2);
    const shown = w.site.snapshot().services.map((s) => [s.foId, s.targetW, s.appliedW]);
    expect(shown).toEqual([
      ['fo:test', 8000, 8000],
      ['fo:other', 5000, 5000],
    ]);
    expect(w.site.snapshot().requestedW).toBe(13_000);
  });

  it('may share a vehicle only where both contracts allow it, and then the higher one leads it', async () => {
    w = await fleet(quick(TWO_FOS));
    await request(w, fsr(w));
    const refused = await request(w, fsr(w, { ...ac2, contractId: 'C-2' }), 'fo:other');
    expect(refused).toMatchObject({ status: 'rejected', code: 'conflict.overlap' });
    expect(refused.message).toContain('AC-2.1 is held by another service');
    await w.close();
    const stackable = { stackable: ['setpoint' as const] };
    w = await fleet(quick(contracts({ ...SITE_WIDE, ...stackable }, { ...SITE_WIDE, ...stackable, foId: 'fo:other' })));
    await request(w, fsr(w, { priority: 5 }));
    await request(w, fsr(w, { ...ac2, contractId: 'C-2', priority: 2 }), 'fo:other');
    await w.clock.advance(1000);
    await setpoint(w, 'N-1', 1, 15_000);
    await setpoint(w, 'N-1', 1, 9000, 'fo:other');
    await w.clock.advance(5000);
    expect(power(w, 'AC-2.1')).toBeCloseTo(9000, -3);
    expect(measured(w)).toBeCloseTo(15_000, -3);
  });

  it('with a target at the POC count what the others do', async () => {
    w = await fleet(quick({ ...TWO_FOS, baseLoadW: 3000 }));
    await request(w, fsr(w, { ...k1, target: { groupId: 'g:k1', referencePoint: 'site' }, priority: 1 }));
    await request(w, fsr(w, { ...ac2, contractId: 'C-2' }), 'fo:other');
    await w.clock.advance(1000);
    await setpoint(w, 'N-1', 1, 15_000);
    await setpoint(w, 'N-1', 1, 9000, 'fo:other');
    await w.clock.advance(5000);
    expect(power(w, 'AC-2.1')).toBeCloseTo(9000, -3);
    expect(measured(w) + 3000).toBeCloseTo(15_000, -3);
    await setpoint(w, 'N-1', 2, 5000, 'fo:other');
    await w.clock.advance(5000);
    expect(measured(w) + 3000).toBeCloseTo(15_000, -3);
    const again = await request(w, fsr(w, { fsrId: 'N-2', target: { groupId: 'g:ac2', referencePoint: 'site' } }));
    expect(again.code).toBe('conflict.overlap');
  });
});

describe('a mandatory service (fo 6.3)', () => {
  const mandatory = { mandatory: true, mandateRef: 'DSO-17', fsrId: 'M-1' };

  it('is believed only from an issuer of the site file', async () => {
    w = await fleet(quick({ ...TWO_FOS, ...ISSUERS }));
    expect(await request(w, fsr(w, { ...mandatory, mandateRef: 'X-1' }))).toMatchObject({ code: 'mandatory.unproven' });
    expect(await request(w, fsr(w, mandatory))).toMatchObject({ status: 'ok' });
    await w.close();
    const other = { mandateIssuers: [{ issuerId: 'dso', refPrefix: 'DSO-', foIds: ['fo:other'] }] };
    w = await fleet(quick({ ...TWO_FOS, ...other }));
    expect(await request(w, fsr(w, mandatory))).toMatchObject({ code: 'mandatory.unproven' });
  });

  it('takes vehicles from a lower one, which is told so and answered honestly', async () => {
    w = await fleet(quick({ ...TWO_FOS, ...ISSUERS }));
    await request(w, fsr(w, { ...TWO_FOS, contractId: 'C-2' }), 'fo:other');
    await w.clock.advance(1000);
    await setpoint(w, 'N-1', 1, 24_000, 'fo:other');
    await w.clock.advance(5000);
    expect(told(w, 'deviation')).toEqual([]);
    await request(w, fsr(w, { ...mandatory, ...k1 }));
    await w.clock.advance(100);
    await setpoint(w, 'M-1', 1, 0);
    await w.clock.advance(2500);
    expect(power(w, 'V2G-1.1', 'AC-1.1')).toBeCloseTo(0, -2);
    const [deviation] = told(w, 'deviation', 'N-1');
    expect(deviation).toMatchObject({ cause: 'priority', resources: ['V2G-1.1', 'AC-1.1'] });
    expect(deviation?.shortfallW).toBeGreaterThan(10_000);
    expect(told(w, 'deviation', 'M-1')).toEqual([]);
    const answer = await setpoint(w, 'N-1', 2, 24_000, 'fo:other');
    expect(answer).toMatchObject({ code: 'limit.clipped', data: { cause: 'priority' } });
    expect(answer.data?.appliedW).toBeCloseTo(11_040, -2);
    const commands = w.batches.flatMap((b) => b.commands).filter((c) => c.resourceId === 'AC-1.1');
    expect(commands.at(-1)).toMatchObject({ kind: 'setpoint', level: 4 });
    expect(service(w, 'N-1')?.appliedW).toBeCloseTo(11_040, -2);
  });
});
