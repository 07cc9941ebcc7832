import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import {
  AvailabilityReport,
  type Contract,
  PublishResources,
  type ResourcePage,
  ResourcePage as ResourcePageMessage,
  type SiteFile,
  type WireMessage,
} from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';
import { type SiteWorld, siteWorld } from '../support/site-world.ts';

const contract = (patch: Partial<Contract>): Contract[] => siteFile().contracts?.map((c) => ({ ...c, ...patch })) ?? [];

let w: SiteWorld;
beforeEach(async () => {
  w = await siteWorld();
});
afterEach(() => w.close());

const open = async (patch: Partial<SiteFile>) => {
  await w.close();
  w = await siteWorld(patch);
};
/** What a party was told, once it was: it is stored first. */
const told = async (topic: string, count: number, peer = 'fo:test'): Promise<WireMessage[]> => {
  const all = () => w.notices.filter((n) => n.topic === topic && n.v2gate.peer === peer);
  await expect.poll(() => all().length, { timeout: 2000, interval: 2 }).toBe(count);
  return all();
};
const published = async (count: number, peer?: string): Promise<PublishResources[]> =>
  (await told('hub/PublishResources', count, peer)).map((n) => PublishResources.parse(n.payload));
const reports = async (count: number): Promise<AvailabilityReport[]> =>
  (await told('hub/AvailabilityReport', count)).map((n) => AvailabilityReport.parse(n.payload));
const settle = async () => {
  for (let i = 0; i < 5; i++) await new Promise((turn) => setImmediate(turn));
  await w.store.flush();
};
const up = (foId = 'fo:test') => w.site.partyUp(foId, {});
const online = (resourceId: string, protocol: string) =>
  w.say('hub/StationStatus', { resourceId, state: 'available', protocol });
const query = async (body: object, peer?: string) => w.ask('hub/QueryResources', body, peer);
const page = async (body: object): Promise<ResourcePage> => ResourcePageMessage.parse((await query(body)).data);

describe('PublishResources', () => {
  it('tells a party that comes up everything its contracts cover, by the layouts of fo 3.2', async () => {
    online('AC-1.1', 'ocpp1.6');
    up();
    const [first] = await published(1);
    expect(first).toMatchObject({ mode: 'full', revision: 1, groups: [{ groupId: 'g:all' }] });
    expect(first?.evcs).toMatchObject([
      {
        evcsId: 'site:test.ac',
        topology: 'acBusAc',
        siteId: 'site:test',
        csoId: 'cso:test',
        circuits: [{ circuitId: 'k1' }],
        evses: [
          {
            evseId: 'AC-1.1',
            converter: 'onBoard',
            phases: 3,
            protocol: 'ocpp1.6',
            functions: ['limit'],
            maxExportW: 0,
          },
          { evseId: 'AC-2.1', protocol: 'other', functions: [] },
        ],
      },
      { evcsId: 'site:test.dc', topology: 'singleDc', evses: [{ evseId: 'V2G-1.1', converter: 'offBoard' }] },
    ]);
  });

  it('comes once: not again for what the party has got already, also after a restart', async () => {
    online('V2G-1.1', 'ocpp2.1');
    up();
    await published(1);
    w.site.partyDown('fo:test', 'closed');
    up();
    await settle();
    await w.reopen();
    up();
    await settle();
    await published(1);
  });

  it('comes again when the last one never reached the outbox', async () => {
    w.site.delivered = () => {};
    up();
    await published(1);
    w.site.partyDown('fo:test', 'closed');
    up();
    const all = await published(2);
    expect(all.map((p) => [p.mode, p.revision])).toEqual([
      ['full', 1],
      ['full', 1],
    ]);
  });

  it('follows changes as delta, every 10 s at most, with the next revision', async () => {
    up();
    await published(1);
    w.say('hub/StationCapabilities', {
      resourceId: 'V2G-1.1',
      protocol: 'ocpp2.1',
      source: 'probed',
      form: 'dynamic',
      functions: ['smartCharging', 'setpoint', 'dynamic'],
      reasons: [],
    });
    online('AC-2.1', 'ocpp2.0.1');
    await w.clock.advance(9000);
    await settle();
    await published(1);
    await w.clock.advance(11_000);
    const [, delta] = await published(2);
    expect(delta).toMatchObject({ mode: 'delta', revision: 2 });
    expect(delta?.groups).toBeUndefined();
    expect(delta?.evcs.map((e) => [e.evcsId, e.revision])).toEqual([
      ['site:test.ac', 2],
      ['site:test.dc', 2],
    ]);
    expect(delta?.evcs[1]?.evses[0]?.functions).toEqual(['limit', 'setpoint']);
  });

  it('takes back what a contract no longer covers', async () => {
    up();
    await published(1);
    await w.site.reload(siteFile({ contracts: contract({ scope: { resourceIds: ['AC-1.1'] } }) }));
    await w.clock.advance(12_000);
    const [, delta] = await published(2);
    expect(delta).toMatchObject({ mode: 'delta', revision: 2, removed: ['site:test.dc', 'g:all'] });
    expect(delta?.evcs).toMatchObject([
      { evcsId: 'site:test.ac', topology: 'singleAc', evses: [{ evseId: 'AC-1.1' }] },
    ]);
    await w.site.reload(siteFile({ contracts: contract({ status: 'suspended' }) }));
    await w.clock.advance(12_000);
    expect((await published(3))[2]).toMatchObject({ evcs: [], removed: ['site:test.ac'] });
  });

  it('tells nothing to a party without an active contract, and each only its own', async () => {
    const two = [
      ...contract({}),
      ...contract({ contractId: 'C-2', foId: 'fo:two', scope: { resourceIds: ['AC-2.1'] } }),
    ];
    await open({
      contracts: two,
      parties: [
        { partyId: 'fo:test', role: 'fo' },
        { partyId: 'fo:two', role: 'fo' },
      ],
    });
    up('fo:nobody');
    up('fo:two');
    const [theirs] = await published(1, 'fo:two');
    expect(theirs?.evcs.flatMap((e) => e.evses.map((x) => x.evseId))).toEqual(['AC-2.1']);
    expect(theirs?.groups).toBeUndefined();
    await settle();
    await published(0, 'fo:nobody');
  });

  it('keeps the delivery point and the surroundings to itself unless that was agreed', async () => {
    const poc = { ...siteFile().poc, podRef: 'POD-1', gridNode: 'n:7' };
    const generation = [{ genId: 'pv1', kind: 'pv' as const, peakW: 5000, curtailable: false }];
    await open({ poc, generation });
    up();
    const [closed] = await published(1);
    expect(closed?.evcs[0]?.poc).toMatchObject({ gridNode: 'n:7' });
    expect(JSON.stringify(closed)).not.toMatch(/POD-1|pv1/);
    await open({ poc, generation, contracts: contract({ scope: { siteIds: ['site:test'] }, disclosure: ['podRef'] }) });
    up();
    const [whole] = await published(1);
    expect(whole?.evcs[0]).toMatchObject({ poc: { podRef: 'POD-1' }, generation: [{ genId: 'pv1' }] });
    expect(whole?.evcs[1]).not.toHaveProperty('generation');
  });

  it('offers no export where the conformity of the EVSE is not proven', async () => {
    const stations = siteFile().stations.map((s) =>
      s.identity === 'V2G-1' ? { ...s, evses: s.evses.map((e) => ({ ...e, conformity: 'cred:1' })) } : s,
    );
    const time = { validFrom: '2026-01-01T00:00:00Z', validTo: '2027-01-01T00:00:00Z' };
    const credential = {
      credentialId: 'cred:1',
      kind: 'conformity',
      subjectRef: 'V2G-1.1',
      issuer: 'i',
      form: 'reference',
    } as const;
    await open({ stations, credentials: [{ ...credential, ...time, status: 'expired' }] });
    up();
    const [first] = await published(1);
    expect(first?.evcs[1]?.evses[0]).toMatchObject({ evseId: 'V2G-1.1', maxImportW: 11_000, maxExportW: 0 });
  });

  it('of a large site comes in parts that fit into messages', async () => {
    const stations = Array.from({ length: 700 }, (_, i) => ({
      identity: `CS-${String(i).padStart(4, '0')}`,
      evses: [{ evse: 1, current: 'ac' as const, phases: 3, maxImportW: 11_040, circuitId: 'k1' }],
    }));
    await open({ stations, groups: [], contracts: contract({ scope: { siteIds: ['site:test'] } }) });
    up();
    const parts = await published(2);
    expect(parts.map((p) => [p.mode, p.revision])).toEqual([
      ['full', 1],
      ['delta', 1],
    ]);
    const evcs = parts.flatMap((p) => p.evcs);
    expect(evcs.map((e) => [e.evcsId, e.evses.length])).toEqual([
      ['site:test.ac', 234],
      ['site:test.ac.2', 234],
      ['site:test.ac.3', 232],
    ]);
    for (const p of parts) expect(JSON.stringify(p).length).toBeLessThan(200 * 1024);
  });
});

describe('QueryResources', () => {
  it('answers configuration and state of what the contracts cover', async () => {
    w.plug('V2G-1.1', {
      bidirectional: true,
      energyToTargetWh: 5000,
      exportableWh: 4000,
      departureAt: iso(w.clock.now() + 7_200_000),
    });
    w.say('hub/MeterReading', { resourceId: 'V2G-1.1', powerW: 3000, socPct: 44, quality: 'good' });
    const { evcs, states, revision, nextPage } = await page({});
    expect(revision).toBe(1);
    expect(nextPage).toBeUndefined();
    expect(evcs).toHaveLength(2);
    expect(states.map((s) => s.resourceId)).toEqual(['AC-1.1', 'AC-2.1', 'V2G-1.1']);
    expect(states[0]).toMatchObject({
      state: 'offline',
      importMaxW: 0,
      exportMaxW: 0,
      quality: 'missing',
      optState: 'in',
    });
    expect(states[2]).toMatchObject({
      state: 'charging',
      socPct: 44,
      energyToTargetWh: 5000,
      exportableWh: 4000,
      importMaxW: 11_000,
      exportMaxW: 11_000,
      departureAt: iso(w.clock.now() + 7_200_000),
    });
  });

  it.each([
    ['siteId', { siteId: 'site:test' }, 3],
    ['groupId', { groupId: 'g:ac' }, 2],
    ['gridNode of the site', { gridNode: 'n:site' }, 3],
    ['gridNode of a group', { gridNode: 'n:ac' }, 2],
    ['function', { function: 'limit' }, 1],
    ['function that nobody has', { function: 'droopPf' }, 0],
    ['all together', { siteId: 'site:test', groupId: 'g:ac', function: 'limit' }, 1],
  ])('filters by %s', async (_what, body, count) => {
    const groups = [
      ...(siteFile().groups ?? []),
      { groupId: 'g:ac', members: ['AC-1.1', 'AC-2.1'], referencePoint: 'group' as const, gridNode: 'n:ac' },
    ];
    const contracts = contract({ scope: { groupIds: ['g:all', 'g:ac'] } });
    await open({ poc: { ...siteFile().poc, gridNode: 'n:site' }, groups, contracts });
    online('AC-1.1', 'ocpp1.6');
    const found = await page(body);
    expect(found.states).toHaveLength(count);
    expect(found.evcs.length > 0).toBe(count > 0);
  });

  it.each([
    ['another site', { siteId: 'site:x' }, undefined, 'resource.unknown', '/siteId'],
    ['a group that is not there', { groupId: 'g:x' }, undefined, 'resource.unknown', '/groupId'],
    ['an unknown grid node', { gridNode: 'n:x' }, undefined, 'resource.unknown', '/gridNode'],
    ['a page of its own making', { page: 'x' }, undefined, 'param.invalid', '/page'],
  ])('%s is refused with its field', async (_what, body, peer, code, path) => {
    expect(await query(body, peer)).toMatchObject({ status: 'rejected', code, details: [{ path }] });
  });

  it('is refused to whom no active contract gives the right, and of wrong form', async () => {
    expect(await query({}, 'fo:other')).toMatchObject({ status: 'rejected', code: 'contract.inactive' });
    expect(await query({ siteId: 5 })).toMatchObject({ status: 'error', code: 'schema.invalid' });
  });

  it('answers only what is newer than a revision', async () => {
    online('AC-1.1', 'ocpp1.6');
    expect(await page({ sinceRevision: 0 })).toMatchObject({ revision: 1 });
    await settle();
    expect(await page({ sinceRevision: 1 })).toEqual({ revision: 1, evcs: [], states: [] });
    online('V2G-1.1', 'ocpp2.1');
    const newer = await page({ sinceRevision: 1 });
    expect(newer.evcs.map((e) => [e.evcsId, e.revision])).toEqual([['site:test.dc', 2]]);
  });

  it('comes in pages of at most 100 states, each once', async () => {
    const stations = Array.from({ length: 520 }, (_, i) => ({
      identity: `CS-${String(i).padStart(3, '0')}`,
      evses: [{ evse: 1, current: i < 260 ? ('ac' as const) : ('dc' as const), maxImportW: 11_040 }],
    }));
    await open({ stations, groups: [], contracts: contract({ scope: { siteIds: ['site:test'] } }) });
    const ids: string[] = [];
    const evcs: string[] = [];
    let next: string | undefined;
    for (let pages = 0; pages < 20; pages++) {
      const p: ResourcePage = await page(next === undefined ? {} : { page: next });
      expect(p.states.length).toBeLessThanOrEqual(100);
      expect(JSON.stringify(p).length).toBeLessThan(220 * 1024);
      ids.push(...p.states.map((s) => s.resourceId));
      evcs.push(...p.evcs.map((e) => e.evcsId));
      next = p.nextPage;
      if (next === undefined) break;
    }
    expect(ids).toEqual(stations.map((s) => `${s.identity}.1`));
    expect(evcs).toEqual(['site:test.ac', 'site:test.ac.2', 'site:test.dc', 'site:test.dc.2']);
  });
});

describe('AvailabilityReport', () => {
  const departs = (hours: number) => iso(w.clock.now() + hours * 3_600_000);
  const at = (r: AvailabilityReport | undefined, hours: number) =>
    r?.series.points.findLast((p) => p.offsetS <= hours * 3600);

  it('tells what a group can do over 24 h: who is there, when they leave, what they need', async () => {
    w.plug('V2G-1.1', { bidirectional: true, exportableWh: 30_000, energyToMaxWh: 30_000, departureAt: departs(6) });
    w.plug('AC-1.1', { energyToTargetWh: 22_080, energyToMaxWh: 30_000, departureAt: departs(4) });
    online('AC-2.1', 'ocpp1.6');
    up();
    await w.clock.advance(100);
    const [report] = await reports(1);
    expect(report).toMatchObject({ groupId: 'g:all' });
    const { start, end, points } = report?.series ?? { start: '', end: '', points: [] };
    expect(Date.parse(end) - Date.parse(start)).toBe(86_400_000);
    expect(points[0]).toEqual({
      offsetS: 0,
      importMaxW: 22_040,
      exportMaxW: 11_000,
      neededW: -11_000,
      confidencePct: 95,
    });
    // 22 kWh at 11 kW: from two hours before it leaves the AC car cannot wait.
    expect(at(report, 1.5)?.neededW).toBe(-11_000);
    expect(at(report, 2.5)).toMatchObject({ neededW: 40, exportMaxW: 0 });
    expect(at(report, 4.5)).toMatchObject({ importMaxW: 11_000, exportMaxW: 11_000 });
    expect(at(report, 6.5)).toMatchObject({ importMaxW: 0, exportMaxW: 0, neededW: 0 });
    expect(at(report, 6.5)?.confidencePct).toBeLessThan(points[0]?.confidencePct ?? 0);
  });

  it('stays within the limits of circuits and connection', async () => {
    await w.site.setLimit({ nodeId: 'k1', source: 'test', importLimitW: 8000 });
    w.plug('V2G-1.1', { energyToMaxWh: 30_000, bidirectional: false });
    w.plug('AC-1.1', { energyToMaxWh: 30_000 });
    online('AC-2.1', 'ocpp1.6');
    up();
    await w.clock.advance(100);
    expect((await reports(1))[0]?.series.points[0]).toMatchObject({ importMaxW: 8000, exportMaxW: 0 });
  });

  it('comes again on a material change, at most once a minute', async () => {
    online('AC-1.1', 'ocpp1.6');
    up();
    await w.clock.advance(1000);
    await reports(1);
    w.plug('AC-1.1', { energyToMaxWh: 30_000 });
    await w.clock.advance(50_000);
    await reports(1);
    await w.clock.advance(15_000);
    expect((await reports(2))[1]?.series.points[0]?.importMaxW).toBe(11_040);
    await w.clock.advance(300_000);
    await reports(2);
    w.site.partyDown('fo:test', 'gone');
    w.say('hub/SessionEvent', { resourceId: 'AC-1.1', sessionId: 'tx-AC-1.1', kind: 'ended' });
    await w.clock.advance(120_000);
    await reports(2);
  });

  it('comes after a quarter of an hour at the latest, and for groups that are new', async () => {
    up();
    await w.clock.advance(1000);
    await reports(1);
    await w.clock.advance(901_000);
    await reports(2);
    const groups = [
      ...(siteFile().groups ?? []),
      { groupId: 'g:new', members: ['AC-1.1'], referencePoint: 'group' as const },
    ];
    await w.site.reload(siteFile({ groups, contracts: contract({ scope: { groupIds: ['g:all', 'g:new'] } }) }));
    await w.clock.advance(15_000);
    expect((await reports(3))[2]).toMatchObject({ groupId: 'g:new' });
  });

  it('is not made for groups that no contract covers', async () => {
    await open({ contracts: contract({ scope: { resourceIds: ['AC-1.1'] } }) });
    up();
    await w.clock.advance(5000);
    await settle();
    await reports(0);
  });
});
