import { beforeAll, describe, expect, it } from 'vitest';
import { PATIENT, siteNodes, useGateway } from '../support/gateway.ts';
import { connectStation } from '../support/peers.ts';

const gw = useGateway();
const SITE = '/v2gate/api/sites/site:harbour';
const RESOURCE_REMEDY = 'Query the resources and use their ids.';
const JSON_TYPE = { 'content-type': 'application/json' };

async function call(path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
  const post = { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) };
  const res = await gw().get(`${SITE}${path}`, body === undefined ? undefined : post);
  return { status: res.status, body: (await res.json()) as Record<string, unknown> };
}
const entry = async (resourceId: string) => (await call(`/resources/${resourceId}`)).body.entry;

beforeAll(async () => {
  await gw().deploy(siteNodes());
  await gw().linkUrl('v2gate-ocpp-server');
});

describe('what an operator does over the API', () => {
  it('opts a resource out and in again', async () => {
    const choice = { choice: 'out', actor: 'cso', scope: { resources: ['DEMO-AC-1.1'] }, reason: 'maintenance' };
    expect(await call('/opt', choice)).toMatchObject({
      status: 200,
      body: { result: { status: 'ok', data: { effectiveAt: expect.any(String) } } },
    });
    expect(await entry('DEMO-AC-1.1')).toMatchObject({ optState: 'out' });
    expect(await call('/opt', { ...choice, choice: 'in' })).toMatchObject({ status: 200 });
    expect(await entry('DEMO-AC-1.1')).toMatchObject({ optState: 'in' });
  });

  it('names the field that is wrong, and the resource that is not there', async () => {
    const scope = { resources: ['GHOST.1'] };
    expect(await call('/opt', { choice: 'out', actor: 'cso', scope })).toMatchObject({
      status: 404,
      body: {
        error: {
          code: 'resource.unknown',
          what: expect.not.stringContaining(RESOURCE_REMEDY),
          remedy: RESOURCE_REMEDY,
          details: [{ path: '/scope/resources/0' }],
        },
      },
    });
    expect(await call('/opt', { choice: 'away', actor: 'cso', scope })).toMatchObject({
      status: 400,
      body: { error: { code: 'schema.invalid', details: [{ path: '/choice' }] } },
    });
    expect(await call('/resources/GHOST.1')).toMatchObject({ status: 404 });
    expect((await gw().get(`${SITE}/opt`, { method: 'POST' })).status).toBe(400);
    expect((await gw().get('/v2gate/api/sites/elsewhere/resources/x')).status).toBe(404);
  });

  it('takes services back only for the reasons that fo 4.3 allows', async () => {
    const of = { foId: 'fo:north', fsrId: 'N-1' };
    expect(await call('/withdraw', { ...of, reason: 'no longer wanted' })).toMatchObject({
      status: 400,
      body: { error: { what: expect.stringContaining('safety, fault, mandate') } },
    });
    expect(await call('/withdraw', { fsrId: 'N-1', reason: 'fault' })).toMatchObject({ status: 400 });
    expect(await call('/withdraw', { ...of, reason: 'fault' })).toMatchObject({
      status: 404,
      body: { error: { code: 'id.unknown' } },
    });
  });

  it('removes an accepted station, which is cut off and has to be accepted again; others stay', async () => {
    const url = await gw().linkUrl('v2gate-ocpp-server');
    const view = async () =>
      (await (await gw().get('/v2gate/api/site')).json()) as { accepted: string[]; pending: object[] };
    const station = await connectStation(url, 'CS-88');
    await expect.poll(async () => (await view()).pending, PATIENT).toMatchObject([{ identity: 'CS-88' }]);
    const accepted = { method: 'POST', headers: JSON_TYPE, body: '{}' };
    await gw().get('/v2gate/api/stations/CS-88/accept', accepted);
    expect((await view()).accepted).toEqual(['CS-88']);
    expect(await entry('CS-88.1')).toMatchObject({ identity: 'CS-88' });
    expect(await call('/stations/CS-88/remove', {})).toEqual({ status: 200, body: { removed: 'CS-88' } });
    expect((await view()).accepted).toEqual([]);
    expect(await call('/resources/CS-88.1')).toMatchObject({ status: 404 });
    await station.close();
    for (const identity of ['CS-88', 'DEMO-AC-1'])
      expect(await call(`/stations/${identity}/remove`, {})).toMatchObject({ status: 404 });
  });

  it('gives the newest entries of a log', async () => {
    const site = gw().gateway.runtime.sites.get('site:harbour');
    for (let i = 0; i < 5; i++) site?.evidence.note({ kind: 'x', severity: 'info', subject: [`n${i}`] });
    const text = await (await gw().get(`${SITE}/events?last=2`)).text();
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((l) => (JSON.parse(l) as { subject: string[] }).subject),
    ).toEqual([['n3'], ['n4']]);
    const all = await (await gw().get(`${SITE}/events?last=1000`)).text();
    expect(all).toContain('"logSeq":1,');
  });
});
