import { afterEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { Contract, SiteFile } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';
import { type SiteWorld, sum } from '../support/site-world.ts';
import {
  congestion,
  contracts,
  decisions,
  fleet,
  fsr,
  ISSUERS,
  measured,
  power,
  quick,
  request,
  SITE_WIDE,
  setpoint,
  told,
} from './kit.ts';

let w: SiteWorld;
afterEach(() => w.close());

const POC = { ...siteFile().poc, gridNode: 'node:7' };
const site = (contract: Partial<Contract> = {}, patch: Partial<SiteFile> = {}): SiteFile =>
  quick({ ...contracts({ ...SITE_WIDE, ...contract }), poc: POC, ...patch });
const series = (points: object[], lengthS = 180) => {
  const start = w.clock.now();
  return { limits: { start: iso(start), end: iso(start + lengthS * 1000), points } };
};
const envelopeW = () => sum(w.envelopes.at(-1)?.evses.map((e) => e.importLimitW) ?? []);

describe('a firm congestion service (UC 2.7)', () => {
  it('holds its limits step by step without any wire', async () => {
    w = await fleet(site({}, { baseLoadW: 2000 }));
    expect(measured(w)).toBeGreaterThan(30_000);
    const points = [
      { offsetS: 0, importLimitW: 20_000 },
      { offsetS: 60, importLimitW: 9000 },
      { offsetS: 120, importLimitW: 14_000 },
    ];
    expect(await request(w, congestion(w, { parameters: series(points) }))).toMatchObject({ status: 'ok' });
    await w.clock.advance(3000);
    expect(told(w, 'active', 'L-1')).toHaveLength(1);
    expect(envelopeW()).toBeLessThanOrEqual(18_000);
    expect(measured(w)).toBeLessThanOrEqual(18_000);
    expect(measured(w)).toBeGreaterThan(17_000);
    w.wired = false;
    await w.clock.advance(57_010);
    expect(envelopeW()).toBeLessThanOrEqual(7000);
    w.wired = true;
    await w.clock.advance(3000);
    expect(measured(w)).toBeLessThanOrEqual(7000);
    await w.clock.advance(60_000);
    expect(measured(w)).toBeLessThanOrEqual(12_000);
    expect(measured(w)).toBeGreaterThan(11_000);
    expect(w.site.snapshot().limits[0]).toMatchObject({
      nodeId: 'poc',
      importLimitW: 14_000,
      source: 'congestion L-1',
    });
    const levels = w.batches.flatMap((b) => b.commands).slice(-3);
    expect(new Set(levels.map((c) => c.level))).toEqual(new Set([6]));
  });

  it('gives vehicles their power back one after the other at the end', async () => {
    w = await fleet(site());
    await request(w, congestion(w));
    await w.clock.advance(179_000);
    const seen: number[] = [];
    for (let i = 0; i < 70; i++) {
      await w.clock.advance(1000);
      seen.push(Math.round(measured(w) / 1000));
    }
    expect(told(w, 'completed', 'L-1')).toHaveLength(1);
    expect(new Set(seen.slice(2)).size).toBeGreaterThan(2);
    expect(seen.at(3)).toBeLessThan(25);
    expect(seen.at(-1)).toBeGreaterThan(30);
  });

  it('is followed by the safe limit of the contract when its series ends without a word, and by its last step else', async () => {
    w = await fleet(site({ safeImportLimitW: 8000 }));
    await request(w, congestion(w, { parameters: series([{ offsetS: 0, importLimitW: 20_000 }], 60) }));
    await w.clock.advance(58_000);
    expect(measured(w)).toBeGreaterThan(18_000);
    w.site.partyDown('fo:test', 'heartbeat');
    await w.clock.advance(6000);
    expect(measured(w)).toBeLessThanOrEqual(8000);
    await w.close();
    w = await fleet(site());
    await request(w, congestion(w, { parameters: series([{ offsetS: 0, importLimitW: 20_000 }], 60) }));
    await w.clock.advance(100_000);
    expect(measured(w)).toBeLessThanOrEqual(20_000);
    expect(measured(w)).toBeGreaterThan(18_000);
  });

  it('is in force after a restart before any station is told anything', async () => {
    w = await fleet(site());
    await request(w, congestion(w));
    await w.clock.advance(3000);
    w.envelopes.length = 0;
    w.batches.length = 0;
    await w.reopen();
    expect(w.envelopes.length).toBeGreaterThan(0);
    for (const e of w.envelopes) expect(sum(e.evses.map((x) => x.importLimitW))).toBeLessThanOrEqual(12_000);
    expect(w.batches).toEqual([]);
    expect(w.site.snapshot().limits[0]).toMatchObject({ importLimitW: 12_000 });
  });

  it('leaves room for a setpoint that is stacked on it, and clips it', async () => {
    const stackable = ['setpoint' as const, 'congestion' as const];
    w = await fleet(site({ stackable }));
    await request(w, congestion(w));
    expect(await request(w, fsr(w))).toMatchObject({ status: 'ok' });
    await w.clock.advance(1000);
    expect(await setpoint(w, 'N-1', 1, 5000)).toMatchObject({ data: { appliedW: 5000 } });
    await w.clock.advance(3000);
    expect(measured(w)).toBeCloseTo(5000, -3);
    expect(await setpoint(w, 'N-1', 2, 20_000)).toMatchObject({ data: { appliedW: 12_000, limitedBy: 'poc' } });
  });

  it('is never broken by the needs of drivers, and says what they miss when it is decided', async () => {
    w = await fleet(site());
    w.say('hub/EvNeeds', {
      resourceId: 'AC-2.1',
      bidirectional: false,
      energyToTargetWh: 11_000,
      departureAt: iso(w.clock.now() + 3_600_000),
    });
    const decided = congestion(w, { parameters: series([{ offsetS: 0, importLimitW: 4500 }]) });
    await request(w, decided);
    expect(decisions(w, 'L-1')).toMatchObject([{ decision: 'accepted', offered: { importMaxW: 4500 } }]);
    expect(decisions(w, 'L-1')[0]?.counter?.shortfallW).toBeGreaterThan(3000);
    await w.clock.advance(5000);
    expect(measured(w)).toBeLessThanOrEqual(4500);
  });

  it('tells when a minute was above the limit, once', async () => {
    w = await fleet(site());
    await request(w, congestion(w));
    await w.clock.advance(3000);
    w.behaviour = 'silent';
    for (const id of w.power.keys()) w.power.set(id, 6000);
    await w.clock.advance(170_000);
    const [deviation, ...more] = told(w, 'deviation', 'L-1');
    expect(deviation).toMatchObject({ cause: 'limit.exceeded' });
    expect(deviation?.shortfallW).toBeGreaterThan(4000);
    expect(more).toEqual([]);
  });
});

describe('where a limit holds', () => {
  const k1 = { groupId: 'g:k1', referencePoint: 'group' };

  it('at the circuit that is exactly the group, or at each EVSE', async () => {
    w = await fleet(site());
    await request(w, congestion(w, { target: k1 }));
    await w.clock.advance(3000);
    expect(power(w, 'V2G-1.1', 'AC-1.1')).toBeLessThanOrEqual(12_000);
    expect(power(w, 'AC-2.1')).toBeGreaterThan(10_000);
    await w.close();
    w = await fleet(site());
    const target = { resourceIds: ['AC-1.1', 'AC-2.1'], referencePoint: 'evse' };
    await request(w, congestion(w, { target, parameters: series([{ offsetS: 0, importLimitW: 5000 }]) }));
    await w.clock.advance(3000);
    expect([...w.power.values()].filter((p) => p <= 5000)).toHaveLength(2);
    expect(power(w, 'V2G-1.1')).toBeGreaterThan(10_000);
  });

  it.each([
    ['a group that is no circuit', { target: { groupId: 'g:all', referencePoint: 'group' } }, 'capability.unsupported'],
    ['another grid node', { parameters: { gridNode: 'node:8' } }, 'resource.unknown'],
    ['no limit at all', { parameters: { limits: undefined } }, 'schema.invalid'],
  ])('is not %s', async (_what, patch, code) => {
    w = await fleet(site());
    const result = await request(w, congestion(w, patch));
    expect(result.code).toBe(code);
    if (code.startsWith('capability')) expect(result.message).toContain('referencePoint site or evse');
  });

  it('the smallest of several limits wins, whoever set them', async () => {
    w = await fleet(site({}, ISSUERS));
    await request(w, congestion(w));
    await w.site.setLimit({ nodeId: 'poc', source: 'operator', importLimitW: 15_000 });
    const mandatory = { mandatory: true, mandateRef: 'DSO-1', fsrId: 'L-2' };
    await w.clock.advance(2000);
    w.batches.length = 0;
    const points = series([{ offsetS: 0, importLimitW: 7000 }]);
    await request(w, congestion(w, { ...mandatory, parameters: { ...points, firm: false } }));
    await w.clock.advance(5000);
    expect(measured(w)).toBeLessThanOrEqual(7000);
    const levels = w.batches.flatMap((b) => b.commands.map((c) => c.level));
    expect(new Set(levels)).toEqual(new Set([4]));
    await w.ask('hub/CancelService', { fsrId: 'L-2', reason: 'over', at: iso(w.clock.now()), rampS: 0 });
    await w.clock.advance(90_000);
    expect(measured(w)).toBeLessThanOrEqual(12_000);
    expect(measured(w)).toBeGreaterThan(11_000);
  });
});

describe('a congestion service that is not firm', () => {
  it('is a ceiling for what is wished, and gives way to needs', async () => {
    w = await fleet(site());
    await request(w, congestion(w, { parameters: { firm: false } }));
    await w.clock.advance(3000);
    expect(measured(w)).toBeLessThanOrEqual(12_000);
    expect(measured(w)).toBeGreaterThan(11_000);
    expect(envelopeW()).toBeGreaterThan(30_000);
    for (const resourceId of ['AC-1.1', 'AC-2.1'])
      w.say('hub/EvNeeds', {
        resourceId,
        bidirectional: false,
        energyToTargetWh: 11_000,
        departureAt: iso(w.clock.now() + 3_600_000),
      });
    await w.clock.advance(70_000);
    expect(measured(w)).toBeGreaterThan(20_000);
    expect(told(w, 'deviation', 'L-1')).toMatchObject([{ cause: 'limit.exceeded' }]);
  });

  it('lets a setpoint below it lead vehicles further down, and not above it', async () => {
    const stackable = ['setpoint' as const, 'congestion' as const];
    w = await fleet(site({ stackable }));
    await request(w, congestion(w, { priority: 1, parameters: { firm: false } }));
    await request(w, fsr(w));
    await w.clock.advance(1000);
    await setpoint(w, 'N-1', 1, 4000);
    await w.clock.advance(3000);
    expect(measured(w)).toBeLessThanOrEqual(4000);
    const answer = await setpoint(w, 'N-1', 2, 25_000);
    expect(answer.data?.appliedW).toBeLessThanOrEqual(12_000);
  });
});

describe('a reduction by so many watts', () => {
  it('counts from what is measured when it begins', async () => {
    w = await fleet(site());
    const before = measured(w);
    await request(w, congestion(w, { parameters: { ...series([{ offsetS: 0 }]), reduceByW: 10_000 } }));
    await w.clock.advance(4000);
    expect(measured(w)).toBeLessThanOrEqual(before - 9900);
    expect(measured(w)).toBeGreaterThan(before - 11_500);
  });
});

describe('what a limit has held down', () => {
  const forSeconds = (s: number) => ({ start: iso(w.clock.now()), end: iso(w.clock.now() + s * 1000) });
  const kept = async () => (await w.store.list('service')).filter((r) => r.key.includes('/release/')).length;

  async function restarted(): Promise<void> {
    await w.reopen();
    for (const r of ['V2G-1.1', 'AC-1.1', 'AC-2.1']) w.plug(r);
    await w.clock.advance(1000);
  }

  it('goes on being given back one after the other when the gateway restarts in between', async () => {
    w = await fleet(site());
    await request(w, congestion(w, { window: forSeconds(20) }));
    await w.clock.advance(21_000);
    const before = envelopeW();
    expect(before).toBeLessThan(30_000);
    await restarted();
    expect(envelopeW()).toBeLessThanOrEqual(before);
    await w.clock.advance(70_000);
    expect(envelopeW()).toBeGreaterThan(30_000);
    expect(await kept()).toBe(0);
  });

  it('is not given back at once when the limit ended while the gateway was away', async () => {
    const file = site();
    const stations = file.stations.map((x) => ({
      ...x,
      evses: x.evses.map((e) => ({ ...e, offlineImportW: 4600 })),
    }));
    w = await fleet({ ...file, stations });
    await request(w, congestion(w, { window: forSeconds(20) }));
    await w.clock.advance(10_000);
    await w.site.close();
    await w.clock.advance(15_000);
    await restarted();
    expect(envelopeW()).toBeLessThan(30_000);
    await w.clock.advance(70_000);
    expect(envelopeW()).toBeGreaterThan(30_000);
  });
});

describe('activation (fo 4.3 no. 15)', () => {
  const activate = (action: string, patch: object = {}) =>
    w.ask('hub/ActivateService', { fsrId: 'L-1', action, at: iso(w.clock.now()), ...patch });

  it('arms, activates and deactivates a congestion service, also at a later time', async () => {
    w = await fleet(site());
    const now = w.clock.now();
    const window = { start: iso(now + 10_000), end: iso(now + 190_000) };
    await request(w, congestion(w, { window }));
    expect(await activate('arm')).toMatchObject({ status: 'ok', data: { state: 'armed' } });
    await w.clock.advance(15_000);
    expect(measured(w)).toBeGreaterThan(30_000);
    expect(await activate('activate', { at: iso(w.clock.now() + 5000) })).toMatchObject({ data: { state: 'armed' } });
    await w.clock.advance(4000);
    expect(measured(w)).toBeGreaterThan(30_000);
    await w.clock.advance(4000);
    expect(measured(w)).toBeLessThanOrEqual(12_000);
    expect(await activate('activate')).toMatchObject({ status: 'rejected', code: 'state.invalid' });
    expect(await activate('deactivate')).toMatchObject({ status: 'ok', data: { state: 'off' } });
    await w.clock.advance(70_000);
    expect(measured(w)).toBeGreaterThan(30_000);
    expect(['armed', 'delivering', 'recovering'].map((p) => told(w, p).length)).toEqual([1, 1, 1]);
  });

  it('is nothing for a setpoint service, which is said so', async () => {
    w = await fleet(site());
    await request(w, fsr(w));
    const result = await activate('activate', { fsrId: 'N-1' });
    expect(result).toMatchObject({ status: 'rejected', code: 'state.invalid' });
    expect(result.message).toContain('needs no activation');
  });
});
