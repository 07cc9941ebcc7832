import { afterEach, describe, expect, it } from 'vitest';
import { siteFile } from '../../support/site-file.ts';
import { type SiteWorld, sum } from '../../support/site-world.ts';
import {
  congestion,
  contracts,
  fleet,
  fsr,
  measured,
  quick,
  request,
  SITE_WIDE,
  service,
  setpoint,
  told,
  V2G_NEEDS,
} from '../kit.ts';

let w: SiteWorld;
afterEach(() => w.close());

const back = () => {
  for (const r of ['V2G-1.1', 'AC-1.1', 'AC-2.1']) w.plug(r, r.startsWith('V2G') ? V2G_NEEDS : undefined);
};

describe('fo 6.4 gateway stopped', () => {
  it('after the restart what has not expired is resumed, and the log shows it', async () => {
    w = await fleet(quick());
    await request(w, fsr(w));
    await w.clock.advance(100);
    await setpoint(w, 'N-1', 1, 9000, 'fo:test', 120);
    await w.clock.advance(3000);
    await w.site.close();
    await w.clock.advance(20_000);
    await w.reopen();
    back();
    await w.clock.advance(5000);
    expect(service(w)).toMatchObject({ state: 'active', targetW: 9000 });
    expect(measured(w)).toBeCloseTo(9000, -3);
    expect(told(w, 'fallback')).toEqual([]);
    const log = await w.ask('hub/QueryEvents', { fromLogSeq: 1, kinds: ['gateway.restart'] });
    expect(log.data?.entries).not.toEqual([]);
  });

  it('what has expired meanwhile is in its fallback, and what has ended is completed', async () => {
    w = await fleet(quick());
    await request(w, fsr(w));
    await w.clock.advance(100);
    await setpoint(w, 'N-1', 1, 9000, 'fo:test', 10);
    await w.clock.advance(2000);
    await w.site.close();
    await w.clock.advance(30_000);
    await w.reopen();
    await w.clock.advance(1100);
    expect(told(w, 'fallback')).toMatchObject([{ cause: 'setpoint.expired' }]);
    await w.site.close();
    await w.clock.advance(300_000);
    await w.reopen();
    await w.clock.advance(1100);
    expect(told(w, 'completed')).toHaveLength(1);
  });

  it('limits of a firm service, opt-outs and what waits for a word are there before anything is told', async () => {
    const poc = { ...siteFile().poc, gridNode: 'node:7' };
    const file = quick({ ...contracts({ ...SITE_WIDE, stackable: ['setpoint', 'congestion'] }), poc });
    w = await fleet(file);
    await request(w, congestion(w));
    await w.site.opt({ choice: 'out', actor: 'cso', scope: { resources: ['AC-2.1'] } }, 'console');
    await request(w, fsr(w, { fsrId: 'N-2' }));
    await w.clock.advance(2000);
    w.envelopes.length = 0;
    await w.reopen();
    const shown = w.site.snapshot();
    expect(shown.limits[0]?.importLimitW).toBe(12_000);
    expect(shown.resources.find((r) => r.resourceId === 'AC-2.1')?.optState).toBe('out');
    expect(shown.services.map((s) => [s.fsrId, s.state])).toEqual([
      ['L-1', 'active'],
      ['N-2', 'active'],
    ]);
    for (const e of w.envelopes) expect(sum(e.evses.map((x) => x.importLimitW))).toBeLessThanOrEqual(12_000);
  });
});
