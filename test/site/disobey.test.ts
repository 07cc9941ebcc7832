import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandOutcome, ExecutionNotice, PowerCommand } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';
import { type SiteWorld, siteWorld, sum } from '../support/site-world.ts';

let w: SiteWorld;
beforeEach(async () => {
  const file = siteFile();
  const stations = file.stations.map((s) => ({ ...s, evses: s.evses.map((e) => ({ ...e, minCommandIntervalS: 0 })) }));
  w = await siteWorld({ stations });
  for (const r of ['V2G-1.1', 'AC-1.1', 'AC-2.1']) w.plug(r);
  await w.clock.advance(5000);
});
afterEach(() => w.close());

const commandsTo = (resourceId: string): PowerCommand[] =>
  w.batches.flatMap((b) => b.commands).filter((c) => c.resourceId === resourceId);
const phases = (phase: string) => w.notices.map((n) => n.payload as ExecutionNotice).filter((n) => n.phase === phase);
const powerOf = (c: PowerCommand | undefined) => c?.powerW ?? c?.importLimitW ?? 0;

describe('a station that follows', () => {
  it('is not told the same again each second', async () => {
    w.batches.length = 0;
    await w.clock.advance(40_000);
    expect(w.batches).toEqual([]);
  });

  it('is told again before its command ends, and never runs out of it', async () => {
    const first = commandsTo('AC-2.1').at(-1);
    await w.clock.advance(300_000);
    const all = commandsTo('AC-2.1');
    const since = all.slice(all.indexOf(first as PowerCommand));
    expect(since.length).toBeGreaterThan(3);
    expect(since.length).toBeLessThan(8);
    since.slice(1).forEach((c, i) => {
      const at = w.batches.find((b) => b.commands.includes(c))?.at ?? '';
      expect(Date.parse(since[i]?.validUntil ?? '') - Date.parse(at)).toBeGreaterThan(30_000);
    });
  });

  it('whose EV takes less than it was given gets no new command for that', async () => {
    await w.service();
    await w.setpoint(1, 20_000, 170);
    await w.clock.advance(5000);
    w.power.set('AC-2.1', 3000);
    w.behaviour = 'silent';
    w.batches.length = 0;
    await w.clock.advance(25_000);
    expect(commandsTo('AC-2.1').length).toBeLessThan(4);
  });
});

describe('a station that refuses', () => {
  it('is left alone for 30 s, others compensate, and refusing again it is out of the service', async () => {
    await w.service();
    await w.setpoint(1, 12_000, 170);
    await w.clock.advance(5000);
    const before = w.power.get('AC-2.1') ?? 0;
    w.refusing = 'AC-2.1';
    w.batches.length = 0;
    await w.setpoint(2, 24_000, 170);
    await w.clock.advance(25_000);
    expect(commandsTo('AC-2.1')).toHaveLength(1);
    expect(w.power.get('AC-2.1')).toBe(before);
    expect(sum(w.power.values())).toBeGreaterThan(21_000);
    await w.clock.advance(20_000);
    expect(commandsTo('AC-2.1').length).toBeGreaterThan(1);
    const [first, ...more] = phases('deviation');
    expect(first?.cause).not.toBe('resource.excluded');
    expect(more).toMatchObject([{ cause: 'resource.excluded', resources: ['AC-2.1'] }]);
  });

  it('that nobody can make up for is a deviation', async () => {
    await w.service();
    await w.setpoint(1, 3000, 170);
    await w.clock.advance(5000);
    w.behaviour = 'refuse';
    await w.setpoint(2, 24_000, 170);
    await w.clock.advance(25_000);
    expect(phases('deviation')).toMatchObject([{ cause: 'off.target' }]);
  });
});

describe('a station that never answers', () => {
  it('is told again after 30 s, and counts with the worst of old and new meanwhile', async () => {
    w.behaviour = 'silent';
    await w.site.setLimit({ nodeId: 'k1', source: 'operator', importLimitW: 9000 });
    w.batches.length = 0;
    await w.clock.advance(1000);
    w.say('hub/EvNeeds', { resourceId: 'AC-1.1', bidirectional: false, importMaxW: 4200 });
    await w.clock.advance(70_000);
    const v2g = commandsTo('V2G-1.1').map(powerOf);
    expect(v2g.length).toBeGreaterThan(1);
    expect(v2g.length).toBeLessThan(7);
    expect(Math.max(...v2g)).toBeLessThanOrEqual(9000);
  });
});

describe('a station that accepts but does something else', () => {
  it('is counted with what it does; the others make up for it', async () => {
    await w.service();
    await w.setpoint(1, 15_000, 170);
    await w.clock.advance(8000);
    const told = powerOf(commandsTo('AC-2.1').at(-1));
    w.power.set('AC-2.1', 1000);
    w.stubborn.add('AC-2.1');
    const commandId = commandsTo('AC-2.1').at(-1)?.commandId ?? '';
    const outcome: Partial<CommandOutcome> = {
      commandId,
      resourceId: 'AC-2.1',
      state: 'notEffective',
      measuredW: 1000,
    };
    expect(told).toBeGreaterThan(4000);
    await w.clock.advance(1000);
    w.say('hub/CommandOutcome', outcome);
    await w.clock.advance(6000);
    expect(sum(w.power.values())).toBeGreaterThan(14_000);
    expect(sum(w.power.values())).toBeLessThan(16_000);
  });
});

describe('a limit that the link enforced by itself', () => {
  it('is where the next allocation goes on from', async () => {
    w.wired = false;
    await w.site.setLimit({ nodeId: 'AC-2.1', source: 'operator', importLimitW: 5000 });
    const own = { commandId: 'env:1', resourceId: 'AC-2.1' };
    w.say('hub/CommandOutcome', { ...own, state: 'sent', appliedW: 5000 });
    w.say('hub/CommandOutcome', { ...own, state: 'accepted', appliedW: 5000 });
    w.power.set('AC-2.1', 5000);
    await w.clock.advance(5000);
    await w.site.setLimit({ nodeId: 'AC-2.1', source: 'operator', lift: true });
    w.wired = true;
    await w.clock.advance(3000);
    expect(w.power.get('AC-2.1')).toBeGreaterThan(10_000);
  });
});

describe('a command that ends', () => {
  it('makes the others leave room for what the station then does by itself', async () => {
    await w.site.setLimit({ nodeId: 'k1', source: 'operator', importLimitW: 11_000 });
    w.say('hub/EvNeeds', { resourceId: 'AC-1.1', bidirectional: false, importMaxW: 0 });
    await w.clock.advance(10_000);
    expect(w.power.get('V2G-1.1')).toBeGreaterThan(10_000);
    w.mute = 'AC-1.1';
    await w.clock.advance(150_000);
    const safe = w.site.snapshot().resources.find((r) => r.resourceId === 'AC-1.1');
    expect(safe).toBeDefined();
    expect(w.power.get('V2G-1.1')).toBeLessThan(11_000 - 1000);
  });
});
