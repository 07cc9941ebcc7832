import type { FlowNode } from 'node-red';
import { describe, expect, it } from 'vitest';
import { ChainStatus, EventPage, FleetSnapshot, RecordPage } from '../../model/index.ts';
import { promptSite, siteNodes, useGateway } from '../support/gateway.ts';

const gw = useGateway({ site: promptSite });

const node = (id: string, type: string, more: object, wires: string[][] = []): FlowNode => ({
  id,
  type,
  z: 't',
  version: 1,
  name: '',
  wires,
  ...more,
});
const sink = (id: string): FlowNode => ({ id, type: 'debug', z: 't', name: '', active: false, wires: [] });
const flow = [
  ...siteNodes(),
  node('fleet', 'v2gate-fleet', { site: 'c-site', group: '', resource: '' }, [[], ['answer']]),
  node('dc', 'v2gate-fleet', { site: 'c-site', group: '', resource: 'DEMO-V2G-1.1' }, [[], ['answer']]),
  node('chains', 'v2gate-evidence', { site: 'c-site', ask: 'chains', operator: '', limit: '100' }, [['answer']]),
  node('events', 'v2gate-evidence', { site: 'c-site', ask: 'events', operator: '', limit: '2' }, [['answer']]),
  node('records', 'v2gate-evidence', { site: 'c-site', ask: 'records', operator: 'fo:north' }, [['answer']]),
  sink('answer'),
  { id: 'catch', type: 'catch', z: 't', name: '', scope: null, wires: [['caught']] },
  sink('caught'),
];

const ask = async (id: string, message: object = {}) => {
  const answer = gw().next('answer');
  gw().inject(id, { ...message });
  return answer;
};
const refused = async (id: string, message: object) => {
  const caught = gw().next('caught');
  gw().inject(id, { ...message });
  return (await caught).error;
};

describe('fleet', () => {
  it('answers for the whole fleet, a group or single charge points, with their sums', async () => {
    await gw().deploy(flow);
    await gw().status('fleet', /ready/);
    const all = FleetSnapshot.parse((await ask('fleet', { payload: Date.now() })).payload);
    expect(all.resources).toHaveLength(8);
    expect(all.selection).toEqual({ online: 0, measuredW: 0, neededW: 0, upW: 0, downW: 0 });
    const two = { resourceIds: ['DEMO-V2G-2.1', 'DEMO-AC-1.1'] };
    const some = FleetSnapshot.parse((await ask('fleet', { topic: 'hub/QueryFleet', payload: two })).payload);
    expect(some.resources.map((r) => r.resourceId).sort()).toEqual(['DEMO-AC-1.1', 'DEMO-V2G-2.1']);
    const group = FleetSnapshot.parse((await ask('fleet', { payload: { groupId: 'g:depot' } })).payload);
    expect(group.resources.length).toBeGreaterThan(0);
    const one = FleetSnapshot.parse((await ask('dc')).payload);
    expect(one.resources.map((r) => r.resourceId)).toEqual(['DEMO-V2G-1.1']);
    expect(await gw().status('dc', /of 1 online/)).toBe('0 of 1 online');
  });

  it('what the site does not have is a message error that names it', async () => {
    expect(await refused('fleet', { payload: { groupId: 'g:nowhere' } })).toMatchObject({
      code: 'nodes.message',
      message: expect.stringContaining('g:nowhere'),
    });
    expect(await refused('fleet', { payload: { resourceIds: ['CS9.1'] } })).toMatchObject({
      message: expect.stringContaining('CS9.1'),
    });
    expect(await refused('fleet', { payload: { groupId: 1 } })).toMatchObject({ code: 'nodes.message' });
  });
});

describe('evidence', () => {
  it('finds the event logs unbroken', async () => {
    await gw().deploy(flow);
    await gw().status('chains', /ready/);
    const { topic, payload } = await ask('chains');
    expect(topic).toBe('hub/ChainStatus');
    const { chains } = ChainStatus.parse(payload);
    expect(chains.map((c) => c.chain)).toContain('local');
    for (const c of chains) expect(c).toMatchObject({ ok: true, checked: c.entries });
    expect(await gw().status('chains', /unbroken/)).toMatch(/^\d+ logs unbroken$/);
  });

  it('answers the newest events, and those from a number on', async () => {
    const [site] = gw().gateway.runtime.sites.all();
    for (const meterId of ['m:1', 'm:2', 'm:3'])
      site?.evidence.note({ kind: 'meter.lost', severity: 'warning', subject: [meterId] });
    const newest = EventPage.parse((await ask('events')).payload);
    expect(newest.entries.length).toBeLessThanOrEqual(2);
    expect(newest.headHash).toBe(newest.entries.at(-1)?.hash);
    const first = EventPage.parse((await ask('events', { payload: { from: 1, limit: 1 } })).payload);
    expect(first.entries.map((e) => e.logSeq)).toEqual([1]);
    expect(first).toMatchObject({ headHash: newest.headHash, nextPage: '2' });
  });

  it('answers documents, and queries of an operator as the operator itself would be answered', async () => {
    const records = RecordPage.parse((await ask('records')).payload);
    expect(records).toEqual({ records: [], proofs: [] });
    const query = { topic: 'hub/QueryEvents', payload: { fromLogSeq: 1 } };
    expect(await refused('events', query)).toMatchObject({ code: 'nodes.config' });
    const page = await ask('records', { topic: 'hub/QueryEvents', payload: { fromLogSeq: 1 } });
    expect(page.topic).toBe('hub/EventPage');
    EventPage.parse(page.payload);
  });

  it('a question that cannot be asked names what is wrong', async () => {
    for (const [payload, text] of [
      [{ ask: 'everything' }, 'everything'],
      [{ limit: 0 }, 'limit'],
      [{ limit: 2000 }, '1000'],
      [{ operator: 7 }, 'operator'],
      [{ from: 0 }, 'logSeq'],
      [{ operator: 'fo:nobody' }, 'fo:nobody'],
    ] as const)
      expect(await refused('events', { payload })).toMatchObject({
        code: 'nodes.message',
        message: expect.stringContaining(text),
      });
  });
});
