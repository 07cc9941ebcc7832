import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { Telemetry } from '../../model/index.ts';
import { type SiteWorld, siteWorld } from '../support/site-world.ts';

let w: SiteWorld;
beforeEach(async () => {
  w = await siteWorld();
});
afterEach(() => w.close());

const clock = () => w.site.snapshot().clock;
const noted = async (): Promise<string[]> => {
  await w.store.flush();
  const rows = await w.store.list('log', { limit: 1000 });
  return rows
    .filter((r) => r.key.includes('/fo:test/') || r.key.includes('fo:test'))
    .map((r) => r.body as { kind: string; logSeq: number })
    .sort((a, b) => a.logSeq - b.logSeq)
    .map((e) => e.kind)
    .filter((k) => k.startsWith('clock.'));
};
const expectNoted = (...kinds: string[]) => expect.poll(noted, { timeout: 2000, interval: 5 }).toEqual(kinds);

describe('a clock that is bad (fo 6.4)', () => {
  it('is unknown until a party says what time it is', () => {
    expect(clock()).toEqual({ source: 'unknown', state: 'unknown' });
    w.site.partyUp('fo:test', { clockOffsetMs: -40 });
    expect(clock()).toEqual({ source: 'fo', state: 'good', offsetMs: -40 });
  });

  it('beyond 1 s at the Hello is degraded at once, told once, and told when it is back', async () => {
    w.site.partyUp('fo:test', { clockOffsetMs: 1500 });
    expect(clock()).toEqual({ source: 'fo', state: 'degraded', offsetMs: 1500 });
    w.site.evidence.clockOffset('fo:test', 1600);
    w.site.evidence.clockOffset('fo:test', 1700);
    w.site.evidence.clockOffset('fo:test', 900);
    expect(clock()).toMatchObject({ state: 'good' });
    await expectNoted('clock.degraded', 'clock.restored');
  });

  it('is not believed of one message that waited on its way', () => {
    w.site.partyUp('fo:test', { clockOffsetMs: 0 });
    w.site.evidence.clockOffset('fo:test', -5000);
    w.site.evidence.clockOffset('fo:test', -4000);
    expect(clock()).toMatchObject({ state: 'good' });
    w.site.evidence.clockOffset('fo:test', -3000);
    expect(clock()).toMatchObject({ state: 'degraded', offsetMs: -3000 });
  });

  it('takes the quality from the telemetry of that party, and control goes on', async () => {
    w.plug('AC-1.1', { energyToMaxWh: 40_000 });
    await w.clock.advance(3000);
    await w.ask('hub/SubscribeTelemetry', {
      subject: { groupId: 'g:all' },
      fields: ['powerW'],
      intervalS: 1,
      until: iso(w.clock.now() + 60_000),
    });
    for (const r of ['V2G-1.1', 'AC-2.1']) w.say('hub/StationStatus', { resourceId: r, state: 'available' });
    const last = () => (w.telemetry.at(-1)?.payload as Telemetry | undefined)?.samples[0];
    await w.clock.advance(2000);
    expect(last()).toMatchObject({ quality: 'good' });
    w.site.partyUp('fo:test', { clockOffsetMs: 2000 });
    await w.clock.advance(2000);
    expect(last()).toMatchObject({ quality: 'estimated', powerW: expect.any(Number) });
    w.site.evidence.clockOffset('fo:test', 10);
    await w.clock.advance(2000);
    expect(last()).toMatchObject({ quality: 'good' });
  });

  it('says against which party it is worst', () => {
    w.site.partyUp('fo:a', { clockOffsetMs: 900 });
    w.site.partyUp('fo:b', { clockOffsetMs: -1200 });
    w.site.partyUp('fo:c', { clockOffsetMs: 100 });
    expect(clock()).toEqual({ source: 'fo', state: 'degraded', offsetMs: -1200 });
  });
});
