import { afterEach, describe, expect, it } from 'vitest';
import type { SiteWorld } from '../../support/site-world.ts';
import {
  contracts,
  fleet,
  fsr,
  ISSUERS,
  opt,
  type Patch,
  power,
  quick,
  request,
  SITE_WIDE,
  setpoint,
  told,
} from '../kit.ts';

let w: SiteWorld;
afterEach(() => w.close());

async function led(targetW: number, patch: Patch = {}): Promise<void> {
  w = await fleet(quick({ ...contracts(SITE_WIDE), ...ISSUERS }));
  await request(w, fsr(w, patch));
  await w.clock.advance(100);
  await setpoint(w, 'N-1', 1, targetW, 'fo:test', 170);
  await w.clock.advance(3000);
}
const press = (resourceId: string) =>
  w.say('hub/OptChoice', { choice: 'out', actor: 'evu', scope: { resources: [resourceId] } });

describe('fo 6.4 opt-out mid-service', () => {
  it('priority charging at a station releases the vehicle within 5 s, redistributes and tells the FO within 2 s', async () => {
    await led(9000);
    press('AC-2.1');
    await w.clock.advance(2000);
    expect(w.notices.some((n) => n.topic === 'hub/OptChoice')).toBe(true);
    await w.clock.advance(3000);
    expect(power(w, 'AC-2.1')).toBeGreaterThan(10_900);
    expect(power(w, 'V2G-1.1', 'AC-1.1')).toBeCloseTo(9000, -3);
  });

  it('also where a station takes a new command only once a minute', async () => {
    w = await fleet();
    await w.service();
    await w.setpoint(1, 9000, 170);
    await w.clock.advance(3000);
    press('AC-2.1');
    await w.clock.advance(5000);
    expect(power(w, 'AC-2.1')).toBeGreaterThan(10_900);
  });

  it('what is then missing is told as a deviation', async () => {
    await led(30_000);
    press('AC-2.1');
    await w.clock.advance(12_000);
    expect(told(w, 'deviation')).toMatchObject([{ cause: 'resource.optedOut' }]);
  });
});

describe('fo 6.4 mandatory and opt-out', () => {
  it('the opt-out is refused and logged, unplugging stays possible', async () => {
    await led(0, { mandatory: true, mandateRef: 'DSO-1' });
    expect(await opt(w, 'out', ['AC-2.1'])).toMatchObject({ status: 'rejected', code: 'mandatory.noOptOut' });
    press('AC-2.1');
    await w.clock.advance(2000);
    expect(power(w, 'AC-2.1')).toBe(0);
    expect(w.notices.some((n) => n.topic === 'hub/OptChoice')).toBe(false);
    const log = await w.ask('hub/QueryEvents', { fromLogSeq: 1, kinds: ['opt.refused'] });
    expect(log.data?.entries).toMatchObject([{ cause: 'mandatory.noOptOut' }]);
    w.say('hub/SessionEvent', { resourceId: 'AC-2.1', sessionId: 'tx-AC-2.1', kind: 'ended' });
    w.say('hub/StationStatus', { resourceId: 'AC-2.1', state: 'available' });
    await w.clock.advance(1000);
    expect(w.site.snapshot().resources.find((r) => r.resourceId === 'AC-2.1')?.state).toBe('available');
  });
});
