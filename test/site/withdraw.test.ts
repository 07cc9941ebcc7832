import { afterEach, describe, expect, it } from 'vitest';
import type { CancelService } from '../../model/index.ts';
import type { SiteWorld } from '../support/site-world.ts';
import { contracts, fleet, fsr, power, quick, request, SITE_WIDE, service, setpoint, told } from './kit.ts';

let w: SiteWorld;
afterEach(() => w.close());

const cancels = (): CancelService[] =>
  w.notices.filter((n) => n.topic === 'hub/CancelService').map((n) => n.payload as CancelService);

describe('a service that the operator of the site takes back (fo 4.3 no. 17)', () => {
  it('ends at once with its fallback; the FO hears why, then that it is aborted', async () => {
    w = await fleet(quick(contracts(SITE_WIDE)));
    await request(w, fsr(w));
    await w.clock.advance(1000);
    await setpoint(w, 'N-1', 1, 9000, 'fo:test', 170);
    await w.clock.advance(3000);
    expect(power(w, 'V2G-1.1', 'AC-1.1', 'AC-2.1')).toBeCloseTo(9000, -3);
    expect(service(w)?.measuredW).toBeCloseTo(9000, -3);
    expect(await w.site.withdraw('fo:test', 'N-1', 'safety')).toMatchObject({ status: 'ok', state: 'aborted' });
    await w.clock.advance(1000);
    expect(cancels()).toMatchObject([{ fsrId: 'N-1', reason: 'safety' }]);
    expect(told(w, 'aborted')).toMatchObject([{ cause: 'safety' }]);
    expect(service(w)).toBeUndefined();
    await w.clock.advance(3000);
    expect(power(w, 'AC-2.1')).toBeGreaterThan(10_900);
  });

  it('is one that runs, of that FO', async () => {
    w = await fleet(quick(contracts(SITE_WIDE)));
    await request(w, fsr(w));
    expect(await w.site.withdraw('fo:other', 'N-1', 'fault')).toMatchObject({ status: 'rejected', code: 'id.unknown' });
    expect(await w.site.withdraw('fo:test', 'N-2', 'fault')).toMatchObject({ status: 'rejected', code: 'id.unknown' });
    expect(await w.site.withdraw('fo:test', 'N-1', 'mandate')).toMatchObject({ status: 'ok' });
    expect(await w.site.withdraw('fo:test', 'N-1', 'mandate')).toMatchObject({ code: 'state.invalid' });
    expect(cancels()).toHaveLength(1);
  });
});
