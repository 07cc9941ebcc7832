import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { type SiteWorld, siteWorld, sum } from '../support/site-world.ts';

let w: SiteWorld;
beforeEach(async () => {
  w = await siteWorld();
  for (const r of ['V2G-1.1', 'AC-1.1', 'AC-2.1']) w.plug(r);
  await w.clock.advance(3000);
});
afterEach(() => w.close());

const envelope = () => w.envelopes.at(-1)?.evses ?? [];
const importSum = (ids?: string[]) =>
  sum(
    envelope()
      .filter((e) => ids === undefined || ids.includes(e.resourceId))
      .map((e) => e.importLimitW),
  );

describe('limits of a site', () => {
  it('are pushed to every link as an envelope that holds on each node', () => {
    expect(envelope()).toHaveLength(3);
    expect(importSum()).toBeLessThanOrEqual(50_000);
    expect(importSum(['V2G-1.1', 'AC-1.1'])).toBeLessThanOrEqual(25_000.001);
  });

  it('that are set hold at once, without any wire, and go when they end', async () => {
    w.wired = false;
    await w.site.setLimit({
      nodeId: 'poc',
      source: 'operator',
      importLimitW: 10_000,
      validUntil: iso(w.clock.now() + 60_000),
    });
    expect(importSum()).toBeLessThanOrEqual(10_000.001);
    await w.clock.advance(61_000);
    expect(importSum()).toBeGreaterThan(20_000);
  });

  it('for one circuit leave the others alone', async () => {
    const before = envelope().find((e) => e.resourceId === 'AC-2.1')?.importLimitW ?? 0;
    await w.site.setLimit({ nodeId: 'k1', source: 'operator', importLimitW: 6000 });
    expect(importSum(['V2G-1.1', 'AC-1.1'])).toBeLessThanOrEqual(6000.001);
    expect(envelope().find((e) => e.resourceId === 'AC-2.1')?.importLimitW).toBeGreaterThanOrEqual(before);
  });

  it('of several sources: the smallest wins, and lifting one leaves the other', async () => {
    await w.site.setLimit({ nodeId: 'poc', source: 'operator', importLimitW: 20_000 });
    await w.site.setLimit({ nodeId: 'poc', source: 'ems', importLimitW: 8000 });
    expect(importSum()).toBeLessThanOrEqual(8000.001);
    await w.site.setLimit({ nodeId: 'poc', source: 'ems', lift: true });
    expect(importSum()).toBeLessThanOrEqual(20_000.001);
    expect(importSum()).toBeGreaterThan(15_000);
  });

  it('survive a restart', async () => {
    await w.site.setLimit({ nodeId: 'poc', source: 'operator', importLimitW: 9000 });
    await w.reopen();
    expect(importSum()).toBeLessThanOrEqual(9000.001);
  });

  it('for a node that does not exist are refused by name', async () => {
    await expect(w.site.setLimit({ nodeId: 'k9', source: 'operator', importLimitW: 1 })).rejects.toMatchObject({
      code: 'limit.unknownNode',
    });
  });

  it('make the next allocation fit', async () => {
    await w.site.setLimit({ nodeId: 'poc', source: 'operator', importLimitW: 10_000 });
    await w.clock.advance(5000);
    expect(sum(w.power.values())).toBeLessThanOrEqual(10_000);
    expect(sum(w.power.values())).toBeGreaterThan(7000);
  });

  it('count an unreachable station with what its default profile lets it draw', async () => {
    const safe = w.site.safeImportW('AC-1.1');
    w.say('hub/StationStatus', { resourceId: 'AC-1.1', state: 'offline' });
    w.say('hub/StationStatus', { resourceId: 'V2G-1.1', state: 'connected', protocol: 'ocpp2.1' });
    await w.clock.advance(5000);
    expect(safe).toBeGreaterThan(0);
    expect((w.power.get('V2G-1.1') ?? 0) + safe).toBeLessThanOrEqual(25_000);
  });
});

describe('the allocator of a site', () => {
  it('is one: a second one is refused and named', () => {
    const release = w.site.claimAllocator('first');
    expect(() => w.site.claimAllocator('second')).toThrow(/first already allocates/);
    release();
    expect(() => w.site.claimAllocator('second')).not.toThrow();
  });

  it('sends an increase that needs room only when the reduction before it is confirmed', async () => {
    await w.site.setLimit({ nodeId: 'k1', source: 'operator', importLimitW: 11_000 });
    await w.clock.advance(10_000);
    w.behaviour = 'silent';
    const before = (w.power.get('V2G-1.1') ?? 0) + (w.power.get('AC-1.1') ?? 0);
    expect(before).toBeLessThanOrEqual(11_000);
    w.batches.length = 0;
    w.say('hub/EvNeeds', { resourceId: 'AC-1.1', bidirectional: false, importMaxW: 4200 });
    await w.clock.advance(70_000);
    const raised = w.batches
      .flatMap((b) => b.commands)
      .filter((c) => c.resourceId === 'V2G-1.1' && (c.powerW ?? c.importLimitW ?? 0) > (w.power.get('V2G-1.1') ?? 0));
    expect(raised).toEqual([]);
  });
});
