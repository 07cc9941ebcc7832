import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iso, manualClock } from '../../core/clock.ts';
import { createLog, silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { openSite } from '../../hub/site/site.ts';
import type { ExecutionNotice } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';
import { type SiteWorld, siteWorld, sum } from '../support/site-world.ts';
import { type MoodyStore, moodyStore } from './store.ts';

let store: MoodyStore;
let w: SiteWorld;
beforeEach(async () => {
  store = moodyStore();
  w = await siteWorld({}, store);
  for (const r of ['V2G-1.1', 'AC-1.1', 'AC-2.1']) w.plug(r);
  await w.clock.advance(3000);
});
afterEach(async () => {
  Object.assign(store, { slow: false, broken: false });
  store.go();
  await w.close();
});

const settled = async (p: Promise<unknown>) => {
  let done = false;
  void p.then(() => {
    done = true;
  });
  await w.clock.advance(0);
  return done;
};

describe('a site whose store is slow', () => {
  it('answers a setpoint only when it is stored, and then follows it', async () => {
    await w.service();
    store.slow = true;
    const answer = w.setpoint(1, 6000);
    expect(await settled(answer)).toBe(false);
    expect(w.site.snapshot().requestedW).toBeUndefined();
    store.go();
    expect(await answer).toMatchObject({ status: 'ok' });
    expect(store.written.at(-1)).toBe('setpoint');
    expect(w.site.snapshot().requestedW).toBe(6000);
  });

  it('accepts only one of two services for the same time that are asked for at once', async () => {
    store.slow = true;
    const first = w.service();
    const second = w.service();
    const results = Promise.allSettled([first, second]);
    await w.clock.advance(10);
    store.slow = false;
    store.go();
    expect((await results).map((r) => r.status)).toEqual(['fulfilled', 'fulfilled']);
    expect(w.site.snapshot().services).toHaveLength(1);
  });

  it('tells nothing before it is stored', async () => {
    store.slow = true;
    const asked = w.service();
    await w.clock.advance(10);
    expect(w.phases()).toEqual([]);
    store.slow = false;
    store.go();
    await asked;
    expect(w.phases()).toEqual(['accepted', 'active']);
  });

  it('still leads stations to the fallback when a setpoint expires', async () => {
    await w.service();
    await w.setpoint(1, 9000, 70);
    await w.clock.advance(64_000);
    store.slow = true;
    await w.clock.advance(75_000);
    expect(sum(w.power.values())).toBeLessThan(200);
    expect(w.phases()).not.toContain('fallback');
    store.slow = false;
    store.go();
    await w.clock.advance(1000);
    expect(w.phases()).toContain('fallback');
  });
});

describe('a site whose store fails', () => {
  it('says so, and nothing has happened', async () => {
    store.broken = true;
    await expect(w.service()).rejects.toThrow(/internal\.temporary/);
    expect(w.site.snapshot().services).toEqual([]);
    store.broken = false;
    await w.service();
    await w.setpoint(1, 5000);
    store.broken = true;
    expect(await w.setpoint(2, 9000)).toMatchObject({
      status: 'error',
      code: 'internal.temporary',
      retryAfterS: 1,
    });
    expect(w.site.snapshot().requestedW).toBe(5000);
    const cancel = { fsrId: 'N-1', reason: 'x', at: iso(w.clock.now()) };
    expect(await w.ask('hub/CancelService', cancel)).toMatchObject({ code: 'internal.temporary' });
    expect(w.site.snapshot().services).toMatchObject([{ state: 'active' }]);
    store.broken = false;
    expect(await w.setpoint(2, 9000)).toMatchObject({ status: 'ok' });
  });

  it('ends a service in time all the same, and tells it as soon as it can', async () => {
    await w.service();
    await w.setpoint(1, 0, 250);
    await w.clock.advance(170_000);
    store.broken = true;
    await w.clock.advance(70_000);
    expect(sum(w.power.values())).toBeGreaterThan(30_000);
    expect(w.phases()).not.toContain('completed');
    store.broken = false;
    await w.clock.advance(1000);
    expect(w.phases().at(-1)).toBe('completed');
  });

  it('holds a narrower limit although it cannot store it, and lifts none', async () => {
    const limit = { nodeId: 'poc', source: 'operator', importLimitW: 8000 };
    await w.site.setLimit(limit);
    const imports = () => sum((w.envelopes.at(-1)?.evses ?? []).map((e) => e.importLimitW));
    store.broken = true;
    await expect(w.site.setLimit({ ...limit, importLimitW: 5000 })).rejects.toMatchObject({ code: 'store.failed' });
    expect(imports()).toBeLessThanOrEqual(5000.001);
    await expect(w.site.setLimit({ ...limit, importLimitW: 20_000 })).rejects.toMatchObject({ code: 'store.failed' });
    expect(imports()).toBeLessThanOrEqual(5000.001);
    const lift = { nodeId: 'poc', source: 'operator', lift: true };
    await expect(w.site.setLimit(lift)).rejects.toMatchObject({ code: 'store.failed' });
    expect(imports()).toBeLessThanOrEqual(5000.001);
    store.broken = false;
    await w.site.setLimit(lift);
    expect(imports()).toBeGreaterThan(20_000);
  });

  it('is complained about once, not with every value', async () => {
    const lines: string[] = [];
    const clock = manualClock();
    const log = createLog({ clock, level: 'info', format: 'text', write: (line) => lines.push(line) });
    const site = await openSite({ file: siteFile(), clock, log, metrics: createMetrics(), store });
    store.broken = true;
    for (let i = 0; i < 20; i++) {
      const payload = { resourceId: 'V2G-1.1', at: iso(clock.now()), powerW: i, quality: 'good' };
      site.observe({ topic: 'hub/MeterReading', payload, v2gate: { id: 'm', at: iso(clock.now()), link: 'l' } });
      await clock.advance(1000);
    }
    expect(lines.filter((l) => l.includes('site.store'))).toHaveLength(1);
    await site.close();
  });
});

describe('notices', () => {
  it('that were not taken are told again after a restart, under the same id, until they are delivered', async () => {
    const seen: string[] = [];
    await w.site.close();
    const open = () => openSite({ file: siteFile(), clock: w.clock, log: silentLog, metrics: createMetrics(), store });
    const first = await open();
    const now = w.clock.now();
    const fsr = {
      fsrId: 'N-2',
      revision: 1,
      contractId: 'C-1',
      serviceType: 'setpoint',
      target: { groupId: 'g:all', referencePoint: 'group' },
      window: { start: iso(now), end: iso(now + 180_000) },
      decisionBy: iso(now + 5000),
      mandatory: false,
      priority: 5,
      parameters: { mode: 'absolute', minW: 0, maxW: 30_000, toleranceW: 300, updateIntervalS: 4 },
      fallback: { onExpiry: 'zero' },
    };
    const v2gate = { id: 'm', at: iso(now), link: 'l', peer: 'fo:test' };
    expect((await first.decide({ topic: 'hub/RequestService', payload: { fsr }, v2gate })).result.status).toBe('ok');
    await first.close();
    const second = await open();
    second.on('notice', (n) => seen.push(n.v2gate.id));
    expect(seen).toHaveLength(2);
    await w.clock.advance(65_000);
    expect(seen.filter((id) => id === seen[0])).toHaveLength(2);
    second.delivered(seen[0] ?? '');
    await w.clock.advance(10);
    await second.close();
    const third = await open();
    const again: string[] = [];
    third.on('notice', (n) => again.push(n.v2gate.id));
    expect(again).not.toContain(seen[0]);
    await third.close();
  });
});

describe('a request that is repeated', () => {
  const ask = async (priority = 5) => {
    const start = iso(w.clock.now());
    const fsr = {
      fsrId: 'N-7',
      revision: 1,
      contractId: 'C-1',
      serviceType: 'setpoint',
      target: { groupId: 'g:all', referencePoint: 'group' },
      window: { start: '2026-01-01T00:00:03.000Z', end: '2026-01-01T00:03:03.000Z' },
      decisionBy: '2026-01-01T00:30:00.000Z',
      mandatory: false,
      priority,
      parameters: { mode: 'absolute', minW: 0, maxW: 30_000, toleranceW: 300, updateIntervalS: 4 },
      fallback: { onExpiry: 'zero' },
    };
    expect(start).toBeDefined();
    return w.ask('hub/RequestService', { fsr });
  };

  it('long after its end finds its answer in the store, and other content under its id a conflict', async () => {
    await ask();
    await w.clock.advance(900_000);
    await w.reopen();
    expect(w.site.snapshot().services).toEqual([]);
    expect(await ask()).toEqual({ status: 'ok', state: 'completed' });
    expect(await ask(1)).toMatchObject({ status: 'rejected', code: 'id.conflict' });
  });
});

describe('what becomes of commands', () => {
  it('is stored once for each: that it was replaced stands in the command that replaced it', async () => {
    await w.close();
    const stations = siteFile().stations.map((s) => ({
      ...s,
      evses: s.evses.map((e) => ({ ...e, minCommandIntervalS: 0 })),
    }));
    store = moodyStore();
    w = await siteWorld({ stations }, store);
    for (const r of ['V2G-1.1', 'AC-1.1', 'AC-2.1']) w.plug(r);
    await w.clock.advance(5000);
    await w.service();
    for (const [seq, powerW] of [
      [1, 12_000],
      [2, 6000],
    ] as const) {
      await w.setpoint(seq, powerW, 170);
      await w.clock.advance(5000);
    }
    const [older, newer] = w.batches
      .flatMap((b) => b.commands)
      .filter((c) => c.resourceId === 'AC-2.1')
      .slice(-2);
    const say = (commandId = '', state = 'superseded') =>
      w.say('hub/CommandOutcome', { commandId, resourceId: 'AC-2.1', state });
    say(older?.commandId);
    say(newer?.commandId, 'accepted');
    // By something else than a command of ours.
    say(newer?.commandId);
    await w.clock.advance(10);
    const kept = (await store.list('outcome', { limit: 10_000 })).map((r) => r.key.replace('site:test/', ''));
    expect(kept).not.toContain(`${older?.commandId}/superseded`);
    expect(kept).toContain(`${newer?.commandId}/accepted`);
    expect(kept).toContain(`${newer?.commandId}/superseded`);
  });
});

describe('two sites in one store', () => {
  it('do not see each other', async () => {
    await w.service();
    await w.site.setLimit({ nodeId: 'poc', source: 'operator', importLimitW: 8000 });
    const other = siteFile({ siteId: 'site:other' });
    const site = await openSite({ file: other, clock: w.clock, log: silentLog, metrics: createMetrics(), store });
    expect(site.snapshot()).toMatchObject({ services: [], limits: [{ importLimitW: 50_000 }, {}] });
    await site.close();
  });
});

describe('a site that is closed', () => {
  it('has no timer left and writes nothing more, whatever still comes', async () => {
    const clock = manualClock();
    const site = await openSite({ file: siteFile(), clock, log: silentLog, metrics: createMetrics(), store });
    const say = (topic: string, payload: object) =>
      site.observe({
        topic,
        payload: { at: iso(clock.now()), ...payload },
        v2gate: { id: 'm', at: iso(clock.now()), link: 'l' },
      });
    const subscribe = {
      subject: { groupId: 'g:all' },
      fields: ['powerW'],
      intervalS: 1,
      until: '2027-01-01T00:00:00Z',
    };
    const v2gate = { id: 'm', at: iso(clock.now()), link: 'l', peer: 'fo:test' };
    await site.decide({ topic: 'hub/SubscribeTelemetry', payload: subscribe, v2gate });
    say('hub/StationStatus', { resourceId: 'V2G-1.1', state: 'charging', protocol: 'ocpp2.1' });
    say('hub/StationStatus', { resourceId: 'V2G-1.1', state: 'offline' });
    expect(clock.pending).toBeGreaterThan(0);
    await site.close();
    expect(clock.pending).toBe(0);
    const before = store.written.length;
    say('hub/MeterReading', { resourceId: 'V2G-1.1', powerW: 1, quality: 'good' });
    say('hub/StationStatus', { resourceId: 'V2G-1.1', state: 'charging' });
    site.delivered('n');
    expect(site.allocate({ reason: 'late' })).toBeUndefined();
    const { result } = await site.decide({ topic: 'hub/SubscribeTelemetry', payload: subscribe, v2gate });
    expect(result).toMatchObject({ status: 'error', code: 'internal.temporary' });
    await site.close();
    expect(store.written).toHaveLength(before);
    expect(clock.pending).toBe(0);
  });

  it('waits for what it has begun to write', async () => {
    store.slow = true;
    const asked = w.service();
    await w.clock.advance(10);
    let closed = false;
    const closing = w.site.close().then(() => {
      closed = true;
    });
    await w.clock.advance(10);
    expect(closed).toBe(false);
    store.slow = false;
    store.go();
    await closing;
    await asked;
    await w.reopen();
    expect(w.site.snapshot().services).toMatchObject([{ fsrId: 'N-1' }]);
  });
});

describe('a restart', () => {
  it('counts what was led just before with all that it may do, until it shows what it does', async () => {
    await w.site.setLimit({ nodeId: 'k1', source: 'operator', importLimitW: 11_000 });
    await w.clock.advance(5000);
    await w.reopen();
    w.batches.length = 0;
    w.wired = false;
    w.say('hub/StationStatus', { resourceId: 'V2G-1.1', state: 'charging', protocol: 'ocpp2.1' });
    w.say('hub/StationStatus', { resourceId: 'AC-1.1', state: 'available', protocol: 'ocpp1.6' });
    await w.clock.advance(100);
    const v2g = w.envelopes.at(-1)?.evses.find((e) => e.resourceId === 'V2G-1.1');
    expect(v2g?.importLimitW).toBeGreaterThan(10_000);
    w.say('hub/StationStatus', { resourceId: 'AC-1.1', state: 'charging', protocol: 'ocpp1.6' });
    w.wired = true;
    await w.clock.advance(1000);
    const k1 = w.batches.flatMap((b) => b.commands).map((c) => c.importLimitW ?? c.powerW ?? 0);
    expect(sum(k1)).toBeLessThanOrEqual(11_000);
  });

  it('tells the operator of a running service nothing that is not so', async () => {
    await w.service();
    await w.setpoint(1, 9000, 120);
    await w.reopen();
    await w.clock.advance(3000);
    const lost = w.notices.filter((n) => (n.payload as ExecutionNotice).phase === 'resourceLost');
    expect(lost).toEqual([]);
  });
});
