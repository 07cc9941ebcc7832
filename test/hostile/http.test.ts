import { describe, expect, it } from 'vitest';
import { speakTcp, upgradeRequest } from './tcp.ts';
import { useWorld } from './world.ts';

const world = useWorld();

interface Bad {
  readonly name: string;
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly status: number;
  readonly code: string;
  /** The field that `details` must name. */
  readonly field?: string;
}

const post = (name: string, body: unknown, status: number, code: string, more: Partial<Bad> = {}): Bad => ({
  name,
  method: 'POST',
  path: '/v2gate/api/limit',
  headers: { 'content-type': 'application/json' },
  body: typeof body === 'string' ? body : JSON.stringify(body),
  status,
  code,
  ...more,
});
const limit = { nodeId: 'poc', source: 'attacker', importLimitW: 1 };

const TABLE: readonly Bad[] = [
  { name: 'an unknown path', path: '/v2gate/api/moon', status: 404, code: 'api.notFound' },
  {
    name: 'a path with half an escape',
    path: '/v2gate/api/stations/%/accept',
    method: 'POST',
    status: 400,
    code: 'api.badRequest',
  },
  {
    name: 'a path that is not UTF-8',
    path: '/v2gate/api/stations/%ff/accept',
    method: 'POST',
    status: 400,
    code: 'api.badRequest',
  },
  { name: 'a page with half an escape', path: '/console/%', status: 404, code: 'api.notFound' },
  { name: 'a way out of the console', path: '/console/..%2f..%2fpackage.json', status: 404, code: 'api.notFound' },
  { name: 'a null in a path', path: '/console/%00', status: 404, code: 'api.notFound' },
  { name: 'a site that is not there', path: '/v2gate/api/site?site=moon', status: 404, code: 'site.absent' },
  { name: 'a site that is an object', path: '/v2gate/api/site?site[__proto__][x]=1', status: 404, code: 'site.absent' },
  {
    name: 'a station that does not wait',
    path: '/v2gate/api/stations/__proto__/accept',
    method: 'POST',
    status: 404,
    code: 'station.unknown',
  },
  post('half a body', '{"nodeId":', 400, 'api.badRequest'),
  post('a body of another type', JSON.stringify(limit), 400, 'api.badRequest', {
    headers: { 'content-type': 'text/plain' },
  }),
  post('a body in an unknown encoding', '{}', 400, 'api.badRequest', {
    headers: { 'content-type': 'application/json', 'content-encoding': 'zip' },
  }),
  post('a body in an unknown character set', '{}', 400, 'api.badRequest', {
    headers: { 'content-type': 'application/json; charset=klingon' },
  }),
  post('a body of 70 000 characters', { nodeId: 'x'.repeat(70_000) }, 413, 'api.tooLarge'),
  post('a body of 30 000 levels', `${'['.repeat(30_000)}${']'.repeat(30_000)}`, 400, 'schema.invalid'),
  post('a list as body', '[]', 400, 'schema.invalid'),
  post('a text as limit', { ...limit, importLimitW: 'much' }, 400, 'schema.invalid', { field: '/importLimitW' }),
  post('a limit below zero', { ...limit, importLimitW: -1 }, 400, 'schema.invalid', { field: '/importLimitW' }),
  post('a limit beyond all numbers', JSON.stringify(limit).replace(':1}', ':1e999}'), 400, 'schema.invalid', {
    field: '/importLimitW',
  }),
  post('a key __proto__', JSON.stringify(limit).replace('{', '{"__proto__":{"polluted":1},'), 400, 'schema.invalid'),
  post('a node that is not there', { ...limit, nodeId: 'moon' }, 404, 'limit.unknownNode'),
  post('a page of another origin', limit, 403, 'api.forbiddenOrigin', {
    headers: { 'content-type': 'application/json', origin: 'https://evil.example' },
  }),
  post('a page without origin', limit, 403, 'api.forbiddenOrigin', {
    headers: { 'content-type': 'application/json', origin: 'null' },
  }),
];

describe('a request that is wrong', () => {
  it.each(TABLE)(
    '$name is answered with $code, what and remedy',
    async ({ method = 'GET', path, headers, body, ...bad }) => {
      const answer = await world().gw.get(path, {
        method,
        ...(headers === undefined ? {} : { headers }),
        ...(body === undefined ? {} : { body }),
      });
      const { error } = (await answer.json()) as { error: { details?: { path: string }[] } };
      expect(error).toMatchObject({ code: bad.code, what: expect.any(String), remedy: expect.any(String) });
      expect(answer.status).toBe(bad.status);
      if (bad.field !== undefined) expect(error.details?.map((d) => d.path)).toContain(bad.field);
      expect(Reflect.get({}, 'polluted')).toBeUndefined();
      await world().unharmed();
    },
  );
});

describe('bytes that are no proper request', () => {
  const port = (): number => Number(new URL(world().gw.gateway.url).port);
  const raw = (line: string, ...headers: string[]): string =>
    [line, ...headers, 'Connection: close', '\r\n'].join('\r\n');
  it.each([
    [
      'a foreign host',
      raw('GET /v2gate/api/site HTTP/1.1', 'Host: evil.example'),
      /^HTTP\/1\.1 403 [\s\S]*api\.forbiddenHost/,
    ],
    ['a host that looks alike', raw('GET /health HTTP/1.1', 'Host: 127.0.0.1.evil.example'), /^HTTP\/1\.1 403 /],
    ['no host', raw('GET /health HTTP/1.0'), /^HTTP\/1\.1 403 /],
    ['a host in the path', raw('GET http://evil.example/health HTTP/1.1', 'Host: evil.example'), /^HTTP\/1\.1 403 /],
    ['a way out', raw('GET /console/../../package.json HTTP/1.1', 'Host: localhost'), /^HTTP\/1\.1 404 /],
    [
      'two lengths',
      raw('POST /v2gate/api/limit HTTP/1.1', 'Host: localhost', 'Content-Length: 1', 'Content-Length: 2'),
      /^HTTP\/1\.1 400 /,
    ],
    ['no HTTP', '\u0016\u0003\u0001\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['endless headers', `GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['an upgrade of a foreign page', upgradeRequest('/comms', ['Origin: https://evil.example']), /^HTTP\/1\.1 403 /],
    ['an upgrade of a foreign host', upgradeRequest('/comms', ['Host: evil.example']), /^HTTP\/1\.1 403 /],
    ['an upgrade to nothing', upgradeRequest('/v2gate/api/events'), /^HTTP\/1\.1 404 /],
  ])('%s: refused, and the socket is ended', async (_, bytes, answer) => {
    expect(await speakTcp(port(), bytes)).toMatch(answer);
    await world().unharmed();
  });
});

describe('consoles beyond the limit', () => {
  it('are refused with code and remedy, and the others go on hearing', async () => {
    const before = await world().settled();
    const stop = new AbortController();
    const open = () => world().gw.get('/v2gate/api/events', { signal: stop.signal });
    const first = (await open()).body?.getReader();
    for (let n = 1; n < 64; n++) expect((await open()).status).toBe(200);
    const refused = await open();
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ error: { code: 'api.tooManyClients', remedy: expect.any(String) } });
    await world().unharmed();
    const heard = new TextDecoder();
    let text = '';
    while (!text.includes('event: plot\n')) text += heard.decode((await first?.read())?.value, { stream: true });
    stop.abort();
    await world().nothingGrew(before);
  });
});
