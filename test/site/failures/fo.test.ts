import { afterEach, describe, expect, it } from 'vitest';
import { siteFile } from '../../support/site-file.ts';
import type { SiteWorld } from '../../support/site-world.ts';
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
} from '../kit.ts';

let w: SiteWorld;
afterEach(() => w.close());

describe('fo 6.4 FO link lost', () => {
  it('what is valid stays in force until it expires, then comes the fallback', async () => {
    w = await fleet(quick());
    await request(w, fsr(w));
    await w.clock.advance(100);
    await setpoint(w, 'N-1', 1, 9000, 'fo:test', 30);
    await w.clock.advance(2000);
    w.site.partyDown('fo:test', 'three heartbeats missing');
    await w.clock.advance(25_000);
    expect(measured(w)).toBeCloseTo(9000, -3);
    expect(service(w)?.state).toBe('active');
    await w.clock.advance(6000);
    expect(told(w, 'fallback')).toHaveLength(1);
    expect(measured(w)).toBeLessThan(200);
    w.site.partyUp('fo:test', {});
    await setpoint(w, 'N-1', 2, 4000);
    await w.clock.advance(2000);
    expect(told(w, 'resumed')).toHaveLength(1);
  });

  it('it is noted at once, and what is to be told waits for the FO', async () => {
    w = await fleet(quick());
    await request(w, fsr(w));
    await w.clock.advance(100);
    const taken = w.notices.length;
    const delivered = w.site.delivered.bind(w.site);
    w.site.delivered = () => {};
    w.site.partyDown('fo:test', 'closed');
    await w.clock.advance(10_000);
    expect(w.notices.length).toBeGreaterThan(taken);
    const log = await w.ask('hub/QueryEvents', { fromLogSeq: 1, kinds: ['link.down'] });
    expect(log.data?.entries).toMatchObject([{ cause: 'closed' }]);
    // Nobody took them: after a restart they are told again.
    const waiting = w.notices.slice(taken).map((n) => n.v2gate.id);
    w.site.delivered = delivered;
    w.notices.length = 0;
    await w.reopen();
    expect(w.notices.map((n) => n.v2gate.id)).toEqual(expect.arrayContaining(waiting));
  });

  it('a firm limit series goes on, then the safe limit of the contract holds until the end of the window', async () => {
    const poc = { ...siteFile().poc, gridNode: 'node:7' };
    w = await fleet(quick({ ...contracts({ ...SITE_WIDE, safeImportLimitW: 5000 }), poc }));
    const start = new Date(w.clock.now()).toISOString();
    const limits = {
      start,
      end: new Date(w.clock.now() + 60_000).toISOString(),
      points: [
        { offsetS: 0, importLimitW: 20_000 },
        { offsetS: 30, importLimitW: 10_000 },
      ],
    };
    await request(w, congestion(w, { parameters: { limits } }));
    w.site.partyDown('fo:test', 'closed');
    await w.clock.advance(34_000);
    expect(measured(w)).toBeLessThanOrEqual(10_000);
    expect(measured(w)).toBeGreaterThan(8500);
    for (let i = 0; i < 14; i++) {
      await w.clock.advance(10_000);
      if (i > 2) expect(measured(w)).toBeLessThanOrEqual(5000);
    }
    await w.clock.advance(80_000);
    expect(measured(w)).toBeGreaterThan(30_000);
  });
});
