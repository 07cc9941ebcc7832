import type { FlowNode } from 'node-red';
import { beforeAll, describe, expect, it } from 'vitest';
import { API_ROUTES } from '../../gateway/api.ts';
import { checkMeterSender } from '../../gateway/meter-api.ts';
import { PATIENT, siteNodes, useGateway } from '../support/gateway.ts';

const gw = useGateway({
  site: (file) => ({
    ...file,
    meters: [
      { meterId: 'm:poc', at: 'poc', signedValues: false, intervalS: 3600 },
      { meterId: 'm:pv', at: 'gen', subjectRef: 'pv1', signedValues: false, intervalS: 3600 },
    ],
    generation: [{ genId: 'pv1', kind: 'pv', peakW: 30_000, curtailable: false }],
  }),
});

interface MeterRow {
  readonly meterId: string;
  readonly state: string;
  readonly powerW?: number;
}

const post = async (body: unknown) => {
  const headers = { 'content-type': 'application/json' };
  const res = await gw().get('/v2gate/api/meter', { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: res.status, body: (await res.json()) as Record<string, unknown> };
};
const meters = async (): Promise<Record<string, MeterRow>> => {
  const view = (await (await gw().get('/v2gate/api/site')).json()) as { snapshot: { meters: MeterRow[] } };
  return Object.fromEntries(view.snapshot.meters.map((m) => [m.meterId, m]));
};
const reading = (patch: object = {}) => ({
  meterId: 'm:poc',
  at: new Date().toISOString(),
  powerW: 12_000,
  quality: 'good',
  ...patch,
});
const meterNode = (id: string, patch: object): FlowNode => ({
  id,
  type: 'v2gate-meter',
  z: 't',
  version: 1,
  name: '',
  site: 'c-site',
  meter: 'm:poc',
  unit: 'W',
  positive: 'import',
  wires: [['out']],
  ...patch,
});

beforeAll(async () => {
  await gw().deploy([
    ...siteNodes(),
    meterNode('poc', {}),
    meterNode('pv', { meter: 'm:pv', unit: 'kW', positive: 'export' }),
    meterNode('lost', { meter: 'm:none' }),
    { id: 'out', type: 'debug', z: 't', name: '', active: false, wires: [] },
    { id: 'catch', type: 'catch', z: 't', name: '', scope: null, uncaught: false, wires: [['caught']] },
    { id: 'caught', type: 'debug', z: 't', name: '', active: false, wires: [] },
  ]);
  await gw().status('poc', /ready/);
});

describe('POST /v2gate/api/meter', () => {
  it('takes one reading, or a list', async () => {
    expect(await post(reading())).toEqual({ status: 200, body: { taken: 1 } });
    expect((await meters())['m:poc']).toMatchObject({ state: 'good', powerW: 12_000 });
    const list = [reading({ powerW: 13_000 }), reading({ meterId: 'm:pv', powerW: -5000 })];
    expect(await post(list)).toEqual({ status: 200, body: { taken: 2 } });
    expect(await meters()).toMatchObject({ 'm:poc': { powerW: 13_000 }, 'm:pv': { powerW: -5000 } });
  });

  it.each([
    ['a wrong field', reading({ powerW: 'much' }), 400, 'schema.invalid', '/powerW'],
    ['an unknown field in a list', [reading(), reading({ watts: 1 })], 400, 'schema.invalid', '/1/watts'],
    [
      'neither meter nor resource',
      { at: '2026-01-01T00:00:00Z', quality: 'good' },
      400,
      'schema.invalid',
      '/resourceId',
    ],
    ['an unknown meter', [reading({ meterId: 'm:x' })], 404, 'meter.unknown', undefined],
    [
      'a value of a station',
      reading({ meterId: undefined, resourceId: 'DEMO-AC-1.1' }),
      404,
      'meter.unknown',
      undefined,
    ],
    ['too many', Array.from({ length: 101 }, () => reading()), 400, 'api.badRequest', undefined],
    ['nothing', [], 400, 'api.badRequest', undefined],
  ])('%s is refused with what to do, and nothing is taken over', async (_what, body, status, code, path) => {
    const before = await meters();
    const answer = await post(body);
    expect(answer).toMatchObject({ status, body: { error: { code, remedy: expect.any(String) } } });
    const { details } = answer.body.error as { details?: { path: string }[] };
    if (path !== undefined) expect(details?.[0]?.path).toBe(path);
    expect(await meters()).toEqual(before);
  });

  it('names the meters that the site knows', async () => {
    const { body } = await post(reading({ meterId: 'm:x' }));
    expect(body.error).toMatchObject({ what: expect.stringContaining('m:poc, m:pv') });
  });

  it('asks programs on other machines for the token', () => {
    const from = (remoteAddress: string, authorization?: string) => ({
      socket: { remoteAddress },
      headers: { authorization },
    });
    const check = (req: object, token?: string) => () =>
      checkMeterSender(req as Parameters<typeof checkMeterSender>[0], (ref) =>
        ref === 'meter-token' ? token : undefined,
      );
    expect(check(from('127.0.0.1'))).not.toThrow();
    // A proxy on this machine speaks for others.
    for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'])
      expect(check({ socket: { remoteAddress: '::ffff:127.0.0.1' }, headers: { [name]: '10.0.0.7' } })).toThrow(
        expect.objectContaining({ code: 'api.unauthorised' }),
      );
    expect(check(from('10.0.0.7', 'Bearer s3cret'), 's3cret')).not.toThrow();
    for (const [given, token] of [
      [undefined, 's3cret'],
      ['Bearer other', 's3cret'],
      ['Bearer ', ''],
      ['Bearer x', undefined],
    ] as const)
      expect(check(from('10.0.0.7', given), token)).toThrow(expect.objectContaining({ code: 'api.unauthorised' }));
  });
});

describe('the health of a site', () => {
  const health = async () => (await (await gw().get('/health')).json()) as { components: Record<string, unknown> };
  const siteHealth = async () =>
    Object.entries((await health()).components).find(([name]) => name.startsWith('site '))?.[1];

  it('tells of a meter that is not believed, and when it is again', async () => {
    await post(reading({ powerW: 20_000_000, at: new Date().toISOString() }));
    const told = {
      state: 'degraded',
      text: expect.stringContaining('meter m:poc is not believed: its value is beyond'),
    };
    await expect.poll(siteHealth, PATIENT).toMatchObject(told);
    await post(reading({ at: new Date().toISOString() }));
    await expect.poll(siteHealth, PATIENT).toMatchObject({ state: 'ok', text: 'site:harbour · open' });
  });
});

describe('the index of the API', () => {
  it('lists every route, and all of them are served', async () => {
    const { routes } = (await (await gw().get('/v2gate/api')).json()) as { routes: typeof API_ROUTES };
    expect(routes).toEqual(API_ROUTES);
    for (const { method, path, what } of routes) {
      expect(what).toMatch(/^[A-Z].+\.$/);
      if (path === '/events' || path === '/timeline/stream') continue;
      const headers = { 'content-type': 'application/json' };
      const init = method === 'POST' ? { method, headers, body: '{}' } : { method };
      const res = await gw().get(`/v2gate/api${path}`, init);
      const text = await res.text();
      expect(text, `${method} ${path}`).not.toContain('api.notFound');
    }
  });
});

describe('the node meter', () => {
  it('takes numbers and texts in the unit and sign of its dialog', async () => {
    const out = gw().next('out');
    gw().inject('poc', { payload: 4321 });
    expect(await out).toMatchObject({
      topic: 'hub/MeterReading',
      payload: { meterId: 'm:poc', powerW: 4321, quality: 'good' },
    });
    expect(await gw().status('poc', /4321 W/)).toBe('4321 W');
    gw().inject('pv', { payload: ' 7.5 ' });
    await gw().status('pv', /-7500 W/);
    expect(await meters()).toMatchObject({ 'm:poc': { powerW: 4321 }, 'm:pv': { powerW: -7500 } });
  });

  it('takes the fields of a reading as they are', async () => {
    const out = gw().next('out');
    gw().inject('pv', { payload: { powerW: -2000, exportWh: 77, meterId: 'm:poc' } });
    expect(await out).toMatchObject({ payload: { meterId: 'm:pv', powerW: -2000, exportWh: 77 } });
  });

  it.each([
    ['a text', 'nodes.message', { payload: 'twelve' }],
    ['nothing', 'nodes.message', {}],
    ['a wrong field', 'schema.invalid', { payload: { powerW: 'x' } }],
  ])('%s reaches the catch nodes', async (_what, code, message) => {
    const caught = gw().next('caught');
    gw().inject('poc', message);
    expect(await caught).toMatchObject({ error: { code } });
  });

  it('says that the site file has no such meter', async () => {
    expect(await gw().status('lost', /no meter m:none/)).toContain('m:none');
  });
});
