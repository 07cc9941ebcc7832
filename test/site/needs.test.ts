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
