import { afterEach, describe, expect, it } from 'vitest';
import type { SiteWorld } from '../../support/site-world.ts';
import { fleet, fsr, measured, quick, request, service, setpoint, told } from '../kit.ts';

let w: SiteWorld;
afterEach(() => w.close());

async function led(fallback: object): Promise<void> {
  w = await fleet(quick());
  await request(w, fsr(w, { fallback }));
  await w.clock.advance(100);
  await setpoint(w, 'N-1', 1, 9000, 'fo:test', 10);
}

describe('fo 6.4 setpoint expired', () => {
  it('at validUntil the fallback begins with its ramp, and is told', async () => {
    await led({ onExpiry: 'zero', rampS: 10 });
    await w.clock.advance(9990);
    expect(told(w, 'fallback')).toEqual([]);
    await w.clock.advance(20);
    expect(told(w, 'fallback')).toMatchObject([{ cause: 'setpoint.expired' }]);
    await w.clock.advance(6000);
    expect(measured(w)).toBeGreaterThan(2000);
    expect(measured(w)).toBeLessThan(6000);
    await w.clock.advance(6000);
    expect(measured(w)).toBeLessThan(200);
  });

  it('with hold the value stays for maxHoldS at most', async () => {
    await led({ onExpiry: 'hold', maxHoldS: 30 });
    await w.clock.advance(38_000);
    expect(measured(w)).toBeGreaterThan(8000);
    await w.clock.advance(6000);
    expect(measured(w)).toBeLessThan(200);
  });

  it('with mobility everybody charges towards the need', async () => {
    await led({ onExpiry: 'mobility' });
    await w.clock.advance(15_000);
    expect(measured(w)).toBeGreaterThan(30_000);
    expect(service(w)).toMatchObject({ phase: 'fallback', state: 'active' });
  });

  it('the next valid seq leads back to the stream, and is told', async () => {
    await led({ onExpiry: 'zero' });
    await w.clock.advance(15_000);
    expect(await setpoint(w, 'N-1', 1, 5000)).toMatchObject({ code: 'seq.stale' });
    expect(told(w, 'resumed')).toEqual([]);
    await setpoint(w, 'N-1', 2, 5000);
    await w.clock.advance(2000);
    expect(told(w, 'resumed')).toHaveLength(1);
    expect(measured(w)).toBeCloseTo(5000, -3);
  });

  it('one that arrives expired is not applied', async () => {
    await led({ onExpiry: 'zero' });
    expect(await setpoint(w, 'N-1', 2, 20_000, 'fo:test', -1)).toMatchObject({ code: 'time.expired' });
    await w.clock.advance(2000);
    expect(measured(w)).toBeCloseTo(9000, -3);
  });
});
