import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { PATIENT, siteNodes, useGateway } from '../support/gateway.ts';
import { connectStation } from '../support/peers.ts';

const gw = useGateway();

const api = async (path: string, init?: RequestInit): Promise<{ status: number; body: Record<string, unknown> }> => {
  const res = await gw().get(`/v2gate/api${path}`, init);
  return { status: res.status, body: (await res.json()) as Record<string, unknown> };
};
const post = (path: string, body: unknown) =>
  api(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

/** Opens a stream of server-sent events; `next` resolves to the data of the first event from now on that fits. */
async function openEvents() {
  const res = await gw().get('/v2gate/api/events');
  const reader = (res.body ?? new ReadableStream<Uint8Array>()).getReader();
  const decoder = new TextDecoder();
  let text = '';
  return {
    close: () => reader.cancel(),
    async next(name: string, fits: (data: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
      for (;;) {
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const [, event, data = ''] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
          text = text.slice(end + 2);
          const parsed = event === name ? (JSON.parse(data) as Record<string, unknown>) : {};
          if (event === name && fits(parsed)) return parsed;
        }
        const { value, done } = await reader.read();
        if (done) throw new Error(`the stream ended without ${name}`);
        text += decoder.decode(value, { stream: true });
      }
    },
  };
}

const ocppUrl = (): Promise<string> => gw().linkUrl('v2gate-ocpp-server');

describe('API without a site', () => {
  it('says that no site runs', async () => {
    expect(await api('/site')).toMatchObject({ status: 404, body: { error: { code: 'site.absent', retry: 'later' } } });
    expect(await api('/sites')).toEqual({ status: 200, body: { sites: [] } });
  });
});

describe('API of a running site', () => {
  beforeAll(async () => {
    await gw().deploy(siteNodes());
    await ocppUrl();
  });

  it('shows the fleet, the plot and the links', async () => {
    const { body } = await api('/site');
    expect(body).toMatchObject({
      siteId: 'site:harbour',
      ready: true,
      pending: [],
      snapshot: { siteId: 'site:harbour' },
    });
    expect(await api('/site?site=site:harbour')).toMatchObject({ status: 200 });
    expect(await api('/site?site=elsewhere')).toMatchObject({ status: 404 });
    expect(await api('/plot')).toMatchObject({
      status: 200,
      body: { siteId: 'site:harbour', points: expect.any(Array) },
    });
    const server = expect.objectContaining({ type: 'v2gate-ocpp-server', url: await ocppUrl() });
    expect((await api('/links')).body.links).toContainEqual(server);
    expect(await ocppUrl()).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/ocpp$/);
  });

  it('an unknown station appears, and can be accepted once', async () => {
    const station = await connectStation(await ocppUrl(), 'CS-77');
    await expect
      .poll(async () => (await api('/site')).body.pending, PATIENT)
      .toMatchObject([{ identity: 'CS-77', vendor: 'v2gate', model: 'test' }]);
    expect(await post('/stations/CS-77/accept', {})).toMatchObject({
      status: 200,
      body: { station: { identity: 'CS-77' } },
    });
    expect((await api('/site')).body.pending).toEqual([]);
    expect(await post('/stations/CS-77/accept', {})).toMatchObject({
      status: 404,
      body: { error: { code: 'station.unknown' } },
    });
    station.close();
  });

  it('a limit is set and shown, a wrong one is refused with its field', async () => {
    const limit = { nodeId: 'poc', source: 'operator', importLimitW: 9_000 };
    expect(await post('/limit', limit)).toEqual({ status: 200, body: { limit } });
    const { body } = await api('/site');
    expect((body.snapshot as { limits: unknown[] }).limits).toContainEqual(
      expect.objectContaining({ nodeId: 'poc', importLimitW: 9_000 }),
    );
    expect(await post('/limit', { nodeId: 'poc', source: 'x', importLimitW: 'much' })).toMatchObject({
      status: 400,
      body: { error: { code: 'schema.invalid', details: [{ path: '/importLimitW' }] } },
    });
    expect(await post('/limit', { nodeId: 'moon', source: 'x', importLimitW: 1 })).toMatchObject({
      status: 404,
      body: { error: { code: 'limit.unknownNode' } },
    });
    await post('/limit', { nodeId: 'poc', source: 'operator', lift: true });
  });

  it('a body that is no JSON, too large or of another type is refused', async () => {
    const raw = (body: string, type: string) =>
      api('/limit', { method: 'POST', headers: { 'content-type': type }, body });
    expect(await raw('{"nodeId":', 'application/json')).toMatchObject({
      status: 400,
      body: { error: { code: 'api.badRequest' } },
    });
    expect(await raw('{}', 'text/plain')).toMatchObject({ status: 400, body: { error: { code: 'api.badRequest' } } });
    const large = JSON.stringify({ nodeId: 'x'.repeat(70_000) });
    expect(await raw(large, 'application/json')).toMatchObject({
      status: 413,
      body: { error: { code: 'api.tooLarge' } },
    });
  });

  it('streams what happens, and what is known to begin with', async () => {
    const events = await openEvents();
    expect(await events.next('health', () => true)).toMatchObject({ live: true, components: expect.any(Object) });
    expect(await events.next('site', () => true)).toMatchObject({
      siteId: 'site:harbour',
      name: 'Harbour depot (demo)',
    });
    expect(await events.next('plots', () => true)).toMatchObject({ siteId: 'site:harbour', points: expect.any(Array) });
    expect(await events.next('plot', () => true)).toMatchObject({ point: { grantedW: expect.any(Number) } });
    expect(await events.next('site', (d) => d.ready === true)).toMatchObject({
      snapshot: { resources: expect.any(Array) },
    });
    await events.close();
  });

  it('a changed site file is taken over without a deploy, a broken one is told and not', async () => {
    const file = join(gw().dataDir, 'site.json');
    const text = await readFile(file, 'utf8');
    const events = await openEvents();
    await writeFile(file, text.replace('"importLimitW": 60000', '"importLimitW": -1'));
    expect(String((await events.next('reloaded', () => true)).text)).toContain('/poc/importLimitW');
    await writeFile(file, text.replace('"importLimitW": 60000', '"importLimitW": 59000'));
    expect(await events.next('reloaded', () => true)).toMatchObject({ ok: true });
    const { body } = await api('/site');
    expect((body.snapshot as { limits: unknown[] }).limits).toContainEqual(
      expect.objectContaining({ nodeId: 'poc', importLimitW: 59_000 }),
    );
    await events.close();
  });
});
