import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SiteWorld, siteWorld } from '../support/site-world.ts';

const NEEDS = { bidirectional: true, importMaxW: 10_000, exportMaxW: 10_000, exportableWh: 8_000 };
const V2G = 'V2G-1.1';

let w: SiteWorld;
beforeEach(async () => {
  w = await siteWorld();
  w.plug(V2G, NEEDS);
  await w.clock.advance(1000);
});
afterEach(() => w.close());

const lowestW = () => w.site.snapshot().resources.find((r) => r.resourceId === V2G)?.lowestW;
const kept = async () => (await w.store.list('needs')).map((r) => r.key);

const session = (sessionId: string) => {
  w.say('hub/StationStatus', { resourceId: V2G, state: 'charging', protocol: 'ocpp2.1' });
  w.say('hub/SessionEvent', { resourceId: V2G, sessionId, kind: 'updated', state: 'charging' });
};

describe('what a vehicle has said about its needs', () => {
  it('is known again after a restart, once its session is heard of', async () => {
    const before = lowestW();
    expect(before).toBeLessThan(0);
    await w.reopen();
    expect(lowestW()).toBe(0);
    session(`tx-${V2G}`);
    expect(lowestW()).toBe(before);
    expect(await kept()).toEqual([`site:test/${V2G}`]);
  });

  it('counts less what has gone into the vehicle since, also over a restart', async () => {
    const wants = { ...NEEDS, energyToMaxWh: 5_000 };
    w.wired = false;
    const mostW = () => w.site.snapshot().resources.find((r) => r.resourceId === V2G)?.wishedW;
    w.say('hub/MeterReading', { resourceId: V2G, powerW: 0, importWh: 70_000, quality: 'good' });
    w.say('hub/EvNeeds', { resourceId: V2G, ...wants });
    await w.clock.advance(1_800_000);
    w.say('hub/MeterReading', { resourceId: V2G, powerW: 0, importWh: 74_000, quality: 'good' });
    const before = mostW();
    expect(before).toBe(4_000);
    await w.reopen();
    session(`tx-${V2G}`);
    w.say('hub/MeterReading', { resourceId: V2G, powerW: 0, importWh: 74_000, quality: 'good' });
    expect(mostW()).toBe(before);
    await w.reopen();
    w.say('hub/StationStatus', { resourceId: V2G, state: 'charging', protocol: 'ocpp2.1' });
    w.say('hub/MeterReading', { resourceId: V2G, powerW: 0, importWh: 74_000, quality: 'good' });
    session(`tx-${V2G}`);
    expect(mostW()).toBe(before);
  });

  it('is stored before anybody is told so, also where its session has not begun', async () => {
    w.say('hub/SessionEvent', { resourceId: V2G, sessionId: `tx-${V2G}`, kind: 'ended' });
    w.say('hub/EvNeeds', { resourceId: V2G, ...NEEDS });
    await w.site.kept();
    expect((await w.store.get('needs', `site:test/${V2G}`))?.body).toMatchObject({ needs: NEEDS });
    await w.reopen();
    w.say('hub/SessionEvent', { resourceId: V2G, sessionId: 'tx-2', kind: 'started', state: 'charging' });
    w.say('hub/StationStatus', { resourceId: V2G, state: 'charging', protocol: 'ocpp2.1' });
    expect(lowestW()).toBeLessThan(0);
    w.say('hub/StationStatus', { resourceId: V2G, state: 'available' });
    await w.site.kept();
    expect(await kept()).toEqual([]);
  });

  it('does not pass to the next vehicle', async () => {
    await w.reopen();
    session('tx-other');
    expect(lowestW()).toBe(0);
    expect(await kept()).toEqual([]);
  });

  it('counts also where it came before the session', async () => {
    w.say('hub/SessionEvent', { resourceId: V2G, sessionId: `tx-${V2G}`, kind: 'ended' });
    w.say('hub/EvNeeds', { resourceId: V2G, ...NEEDS });
    w.say('hub/SessionEvent', { resourceId: V2G, sessionId: 'tx-2', kind: 'started', state: 'charging' });
    await w.clock.advance(1000);
    const before = lowestW();
    expect(before).toBeLessThan(0);
    await w.reopen();
    session('tx-2');
    expect(lowestW()).toBe(before);
  });
});
