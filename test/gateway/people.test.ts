import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { FlowNode } from 'node-red';
import { beforeAll, describe, expect, it } from 'vitest';
import { API_ROUTES } from '../../gateway/api.ts';
import { hashPassword } from '../../gateway/passwords.ts';
import { mayDo, ROLES, type Role } from '../../gateway/roles.ts';
import { writeUsers } from '../../gateway/users.ts';
import type { TraceEntry } from '../../hub/trace/types.ts';
import { DEMO_FLOW, PATIENT, promptSite, useGateway } from '../support/gateway.ts';
import { connectOperator, connectStation, setpointRequest, type TestStation } from '../support/peers.ts';

const gw = useGateway({ site: promptSite });
const NAMES: Readonly<Record<Role, string>> = { viewer: 'vera', operator: 'otto', engineer: 'anna' };
const passwordOf = (name: string): string => `a password of ${name}`;

const auth = (role: Role, password = passwordOf(NAMES[role])): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${NAMES[role]}:${password}`).toString('base64')}`,
});
async function api(path: string, o: { as?: Role; body?: unknown; headers?: Record<string, string> } = {}) {
  const headers = { 'content-type': 'application/json', ...(o.as ? auth(o.as) : {}), ...o.headers };
  const init = o.body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(o.body) };
  const res = await gw().get(`/v2gate/api${path}`, init);
  const text = await res.text();
  const isJson = res.headers.get('content-type')?.startsWith('application/json') === true;
  const body = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: res.status, body, text, headers: res.headers };
}
const codeIn = (body: Record<string, unknown>): unknown => (body.error as { code?: string } | undefined)?.code;

/** The status and headers of a request as another program than fetch would send it. */
function plain(path: string, headers: Record<string, string>) {
  return new Promise<{ status: number | undefined; location: string | undefined; challenge: string | undefined }>(
    (done, failed) => {
      const req = request(`${gw().gateway.url}${path}`, { headers }, (res) => {
        res.resume();
        const { location, 'www-authenticate': challenge } = res.headers;
        done({ status: res.statusCode, location, challenge });
      });
      req.on('error', failed).end();
    },
  );
}

async function cookieOf(role: Role): Promise<string> {
  const { headers } = await api('/login', { body: { name: NAMES[role], password: passwordOf(NAMES[role]) } });
  return headers.get('set-cookie')?.split(';', 1)[0] ?? '';
}

let station: TestStation;

beforeAll(async () => {
  await gw().deploy(JSON.parse(await readFile(DEMO_FLOW, 'utf8')) as FlowNode[]);
  station = await connectStation(await gw().linkUrl('v2gate-ocpp-server'), 'DEMO-AC-1');
  const timestamp = new Date().toISOString();
  await station.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Preparing', timestamp });
  await station.call('StartTransaction', { connectorId: 1, idTag: 'DEMO-TAG', meterStart: 0, timestamp });
  await station.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging', timestamp });
});

describe('without users', () => {
  it('nobody has to log in on this machine', async () => {
    expect(await api('/me')).toMatchObject({ body: { name: 'anybody', role: 'engineer', authRequired: false } });
    expect((await api('/site')).status).toBe(200);
  });
});

describe('the wire timeline', () => {
  const entriesOf = async (query: string) => (await api(`/timeline?${query}`)).body.entries as TraceEntry[];

  it('follows a setpoint of an operator through the station to the meter', async () => {
    const operator = await connectOperator(await gw().linkUrl('v2gate-fo-link'));
    const active = operator.next('ExecutionNotice', (body) => body.phase === 'active');
    expect(await operator.request('RequestService', setpointRequest('N-1', 4_000))).toMatchObject({ status: 'ok' });
    await active;
    const told = station.nextCall((action) => action === 'SetChargingProfile');
    const setpoint = await operator.request('UpdateSetpoint', {
      setpoint: { fsrId: 'N-1', seq: 1, targetW: 6_000, validUntil: new Date(Date.now() + 60_000).toISOString() },
    });
    expect(setpoint).toMatchObject({ status: 'ok' });
    await told;
    const sampledValue = [{ value: '6000', measurand: 'Power.Active.Import', unit: 'W' }];
    const say = () =>
      station.call('MeterValues', {
        connectorId: 1,
        meterValue: [{ timestamp: new Date().toISOString(), sampledValue }],
      });
    const stages = async () => {
      await say();
      const [setpoint] = await entriesOf('stage=fo&topic=UpdateSetpoint');
      const story = await entriesOf(`follow=${setpoint?.id}&limit=2000`);
      return story.map((e) => `${e.stage} ${e.direction} ${e.topic.replace(/^.*\//, '')}`);
    };
    await expect.poll(stages, PATIENT).toContain('meter in MeterReading');
    const all = await stages();
    const way = [
      'fo in UpdateSetpoint',
      'service inside ServiceTarget',
      'allocate in ServiceTarget',
      'allocate inside CommandBatch',
      'command out PowerCommand',
      'ocpp out SetChargingProfileRequest',
      'ocpp in SetChargingProfileResponse',
      'command in CommandOutcome',
      'ocpp in MeterValuesRequest',
      'meter in MeterReading',
    ];
    expect(all.filter((x) => way.includes(x)).filter((x, i, list) => list.indexOf(x) === i)).toEqual(
      expect.arrayContaining(way),
    );
    expect(await entriesOf('follow=N-1&stage=fo&limit=2000')).toContainEqual(
      expect.objectContaining({ topic: 'fo1/RequestService', fsrId: 'N-1', peer: 'fo:north' }),
    );
    operator.close();
  });

  it('follows a limit to the station that has to obey', async () => {
    const told = station.nextCall((action) => action === 'SetChargingProfile');
    await api('/limit', { body: { nodeId: 'poc', source: 'grid', importLimitW: 5_000 } });
    await told;
    const story = async () => {
      const limit = (await entriesOf('topic=SetLimit')).at(-1);
      const entries = await entriesOf(`follow=${limit?.id}&limit=2000`);
      return entries.map((e) => `${e.stage} ${e.direction} ${e.topic.replace(/^.*\//, '')}`);
    };
    const way = ['limit in SetLimit', 'limit inside EnvelopeUpdate', 'command out PowerCommand'];
    await expect.poll(story, PATIENT).toEqual(expect.arrayContaining([...way, 'ocpp out SetChargingProfileRequest']));
    await api('/limit', { body: { nodeId: 'poc', source: 'grid', lift: true } });
  });

  it('shows no token of a driver, and goes out as a file', async () => {
    const [start] = await entriesOf('topic=StartTransactionRequest');
    expect(start).toMatchObject({ peer: 'DEMO-AC-1', payload: { idTag: 'DEM…' } });
    const file = await api('/timeline?format=jsonl&peer=DEMO-AC-1');
    expect(file.headers.get('content-type')).toContain('application/x-ndjson');
    expect(file.headers.get('content-disposition')).toContain('timeline.jsonl');
    expect(file.text).not.toContain('DEMO-TAG');
    const lines = file.text.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ peer: 'DEMO-AC-1', seq: expect.any(Number) });
  });

  it('comes as a stream, from where a client was', async () => {
    const abort = new AbortController();
    const path = '/v2gate/api/timeline/stream?topic=SetLimit';
    const res = await gw().get(path, { signal: abort.signal, headers: { 'last-event-id': '0' } });
    const reader = (res.body ?? new ReadableStream<Uint8Array>()).getReader();
    const decoder = new TextDecoder();
    await api('/limit', { body: { nodeId: 'poc', source: 'test', importLimitW: 39_000 } });
    let text = '';
    while (!text.includes('39000')) text += decoder.decode((await reader.read()).value, { stream: true });
    expect(text).toMatch(/id: \d+\nevent: entry\ndata: \{.*"summary":"poc · test · import ≤ 39 kW"/);
    abort.abort();
  });

  it('says which words are wrong', async () => {
    for (const query of ['stage=heaven', 'limit=0', 'after=x', `follow=${'x'.repeat(200)}`, 'peer=a&peer=b'])
      expect(await api(`/timeline?${query}`), query).toMatchObject({ status: 400 });
  });
});

describe('orders', () => {
  const order = (body: object, identity = 'DEMO-AC-1') => api(`/stations/${identity}/orders`, { body });

  it('are given to the station, and answered with what it said', async () => {
    const asked = station.nextCall((action) => action === 'Reset');
    expect(await order({ action: 'reset' })).toMatchObject({
      status: 200,
      body: { outcome: { identity: 'DEMO-AC-1', action: 'reset', state: 'accepted' } },
    });
    expect(await asked).toEqual({ type: 'Soft' });
    const { text } = await api('/sites/site:harbour/events');
    expect(text).toContain('reset by anybody: accepted');
    const { entries } = (await api('/timeline?topic=Reset&limit=10')).body as { entries: TraceEntry[] };
    expect(entries.map((e) => e.topic)).toEqual(['ocpp1.6/ResetRequest', 'ocpp1.6/ResetResponse']);
    expect(entries[0]?.cause).toMatch(/^order:/);
  });

  it('say what is wrong with them', async () => {
    expect(await order({ action: 'dance' })).toMatchObject({
      status: 400,
      body: { error: { code: 'schema.invalid' } },
    });
    expect(await order({ action: 'reset' }, 'GHOST')).toMatchObject({ status: 404 });
    expect(await order({ action: 'stop', resourceId: 'DEMO-AC-2.1' })).toMatchObject({ status: 400 });
    expect(await order({ action: 'reset' }, 'DEMO-AC-2')).toMatchObject({
      status: 200,
      body: { outcome: { state: 'rejected', code: 'station.notConnected' } },
    });
    expect(await order({ action: 'unlock' })).toMatchObject({
      body: { outcome: { state: 'rejected', code: 'order.incomplete' } },
    });
  });
});

describe('what the console asks for', () => {
  it('contracts without secrets, groups with a plot, and health in detail', async () => {
    const contracts = await api('/contracts?siteId=site:harbour');
    expect(contracts.body).toMatchObject({ siteId: 'site:harbour', contracts: expect.any(Array) });
    expect(contracts.text).not.toMatch(/token|password|secret/i);
    await expect
      .poll(async () => (await api('/plot?group=g:depot')).body, PATIENT)
      .toMatchObject({
        group: 'g:depot',
        groups: expect.arrayContaining(['g:depot']),
        points: expect.arrayContaining([expect.objectContaining({ measuredW: expect.any(Number) })]),
      });
    expect((await api('/plot?group=g:none')).status).toBe(404);
    const { body } = await api('/health');
    expect(body).toMatchObject({ live: true, components: expect.any(Object), process: { node: process.version } });
    expect(body.bounds).toContainEqual(expect.objectContaining({ name: 'trace.stations', max: 7_500 }));
    expect((await api('/sites/site:harbour')).body).toMatchObject({ siteId: 'site:harbour', snapshot: {} });
  });
});

describe('with users', () => {
  beforeAll(async () => {
    const cost = { n: 2, r: 1, p: 1 };
    const users = ROLES.map(async (role) => ({
      name: NAMES[role],
      role,
      hash: await hashPassword(passwordOf(NAMES[role]), cost),
    }));
    await writeUsers(gw().dataDir, await Promise.all(users));
    await gw().gateway.runtime.users.reload();
  });

  it('every route of the API lets in whom its role allows, and nobody else', async () => {
    const open: string[] = [];
    for (const { method, path, role } of API_ROUTES) {
      if (path.endsWith('/events') || path.endsWith('/stream')) continue;
      const given = method === 'POST' ? { body: {} } : {};
      const nobody = await api(path, given);
      if (role === 'open' || role === 'token') {
        open.push(path);
        expect(codeIn(nobody.body), path).not.toBe('api.unauthorised');
        continue;
      }
      expect([nobody.status, codeIn(nobody.body)], path).toEqual([401, 'api.unauthorised']);
      for (const as of ROLES) {
        const { status, body } = await api(path, { ...given, as });
        expect(codeIn(body) === 'api.forbidden', `${as} ${path}`).toBe(!mayDo(as, role));
        if (!mayDo(as, role)) expect(status).toBe(403);
      }
    }
    expect(open).toEqual(['/meter', '/me', '/login', '/logout', '/jwks.json']);
  });

  it('viewers only look: what changes something needs more', () => {
    const changes = API_ROUTES.filter(
      (r) => r.method === 'POST' && mayDo('viewer', r.role === 'token' || r.role === 'open' ? 'engineer' : r.role),
    );
    expect(changes).toEqual([]);
  });

  it('editor, metrics, flows and streams ask too; health, keys and the files of the console do not', async () => {
    const status = async (path: string, as?: Role) => (await plain(path, as ? auth(as) : {})).status;
    for (const [path, allowed] of [
      ['/', 'engineer'],
      ['/flows', 'engineer'],
      ['/metrics', 'viewer'],
      ['/http/x', 'viewer'],
    ] as const) {
      expect(await status(path), path).toBe(401);
      for (const as of ROLES) expect((await status(path, as)) === 403, `${as} ${path}`).toBe(!mayDo(as, allowed));
    }
    expect(await status('/v2gate/api/events')).toBe(401);
    expect(await status('/v2gate/api/timeline/stream')).toBe(401);
    expect(await status('/console/')).toBe(200);
    expect(await status('/console/../flows')).toBe(401);
    expect([200, 503]).toContain(await status('/health'));
    expect(await status('/.well-known/jwks.json')).toBe(200);
  });

  it('a browser goes to the console, which asks; programs are asked by HTTP', async () => {
    const page = await plain('/?a=b', { 'sec-fetch-mode': 'navigate' });
    expect(page).toMatchObject({ status: 303, location: '/console/?next=%2F%3Fa%3Db' });
    const refused = await plain('/', { 'sec-fetch-mode': 'navigate', cookie: await cookieOf('viewer') });
    expect(refused).toMatchObject({ status: 403, location: undefined });
    expect(await plain('/', {})).toMatchObject({ status: 401, challenge: expect.stringContaining('Basic') });
    // A page's own script shows the question itself.
    const script = await plain('/v2gate/api/site', { 'sec-fetch-mode': 'cors' });
    expect(script).toMatchObject({ status: 401, challenge: undefined });
  });

  it('people log in once; the cookie is out of reach of scripts and other sites', async () => {
    expect((await api('/me')).body).toEqual({ name: null, role: null, authRequired: true });
    const login = (password: string) => api('/login', { body: { name: 'otto', password } });
    expect(await login('wrong')).toMatchObject({ status: 401, body: { error: { code: 'api.badLogin' } } });
    const { status, body, headers } = await login(passwordOf('otto'));
    expect([status, body]).toEqual([200, { name: 'otto', role: 'operator', authRequired: true }]);
    const given = headers.get('set-cookie') ?? '';
    expect(given).toMatch(/^v2gate_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
    const cookie = { cookie: given.split(';', 1)[0] ?? '' };
    expect((await api('/me', { headers: cookie })).body).toMatchObject({ name: 'otto', role: 'operator' });
    expect((await api('/stations/DEMO-AC-1/orders', { headers: cookie, body: { action: 'trigger' } })).status).toBe(
      200,
    );
    expect((await api('/sites/site:harbour/events')).status).toBe(401);
    expect((await api('/sites/site:harbour/events', { headers: cookie })).text).toContain('trigger by otto: accepted');
    const foreign = { ...cookie, origin: 'https://evil.example' };
    expect((await api('/limit', { headers: foreign, body: {} })).body).toMatchObject({
      error: { code: 'api.forbiddenOrigin' },
    });
    await api('/logout', { headers: cookie, body: {} });
    expect((await api('/site', { headers: cookie })).status).toBe(401);
  });

  it('who logs out loses the streams of that session, others keep theirs', async () => {
    const [own, other] = [await cookieOf('operator'), await cookieOf('operator')];
    const open = async (headers: Record<string, string>, path: string) => {
      const res = await gw().get(`/v2gate/api/${path}`, { headers });
      const reader = (res.body ?? new ReadableStream<Uint8Array>()).getReader();
      expect((await reader.read()).done).toBe(false);
      return reader;
    };
    const mine = [await open({ cookie: own }, 'events'), await open({ cookie: own }, 'timeline/stream')];
    const kept = [await open({ cookie: other }, 'events'), await open(auth('operator'), 'events')];
    await api('/logout', { headers: { cookie: own }, body: {} });
    for (const reader of mine) for (let done = false; !done; ) done = (await reader.read()).done;
    // A limit is told to everybody who still listens.
    await api('/limit', { as: 'operator', body: { nodeId: 'poc', source: 'test', lift: true } });
    for (const reader of kept) expect((await reader.read()).done).toBe(false);
    for (const reader of kept) await reader.cancel();
  });

  it('who is let in no more loses open streams', async () => {
    const res = await gw().get('/v2gate/api/timeline/stream', { headers: auth('viewer') });
    const reader = (res.body ?? new ReadableStream<Uint8Array>()).getReader();
    expect((await reader.read()).done).toBe(false);
    const { content } = gw().gateway.runtime.users;
    await writeUsers(
      gw().dataDir,
      content.filter((u) => u.role !== 'viewer'),
    );
    await gw().gateway.runtime.users.reload();
    for (let done = false; !done; ) done = (await reader.read()).done;
    expect((await api('/site', { as: 'viewer' })).status).toBe(401);
    expect((await api('/site', { as: 'operator' })).status).toBe(200);
  });

  it('the log tells who changed what, and no password', async () => {
    await api('/limit', { as: 'operator', body: { nodeId: 'poc', source: 'test', lift: true } });
    const { log } = gw();
    expect(log.join('\n')).toMatch(/access\.used.* name=otto role=operator method=POST path=\/v2gate\/api\/limit/);
    expect(log.join('\n')).toMatch(/access\.login.* name=otto/);
    expect(log.join('\n')).toMatch(/access\.refused.* name=otto/);
    expect(log.join('\n')).not.toContain('a password of');
  });

  it('whoever may not ask cannot make the gateway read a body', async () => {
    const body = { text: 'x'.repeat(100_000) };
    expect((await api('/limit', { body })).status).toBe(401);
    expect((await api('/limit', { body, as: 'operator' })).status).toBe(413);
  });
});
