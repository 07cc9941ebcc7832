import { describe, expect, it } from 'vitest';
import { NODES } from '../../nodes/registry.ts';
import { PATIENT, siteNodes, useGateway } from '../support/gateway.ts';

const gw = useGateway({ editor: true });

describe('a running gateway', () => {
  it('serves editor, console, health and metrics on one port', async () => {
    const editor = await gw().get('/');
    expect(await editor.text()).toContain('<title>v2gate</title>');
    const uplot = await gw().get('/console/vendor/uplot/uPlot.esm.js');
    expect(uplot.status).toBe(200);
    expect(uplot.headers.get('content-security-policy')).toContain("default-src 'self'");
    const metrics = await gw().get('/metrics');
    expect(metrics.headers.get('content-type')).toContain('version=0.0.4');
    expect(await metrics.text()).toContain('v2gate_component_up{component="store"} 1');
  });

  it('every node type of the palette is loaded without error', async () => {
    const list = (await (await gw().get('/nodes', { headers: { accept: 'application/json' } })).json()) as {
      module: string;
      types: string[];
      err?: unknown;
    }[];
    const own = list.filter((n) => n.module === '@v2gate/nodes');
    expect(own).toHaveLength(NODES.length);
    expect(own.filter((n) => n.err !== undefined)).toEqual([]);
  });

  it('health tells about each component and answers 503 while something is down', async () => {
    await gw().deploy(siteNodes());
    await expect.poll(async () => (await gw().get('/health')).status, PATIENT).toBe(200);
    const report = (await (await gw().get('/health')).json()) as { components: Record<string, unknown> };
    expect(Object.keys(report.components)).toEqual(
      expect.arrayContaining(['flows', 'link operators', 'link stations', 'site depot', 'store']),
    );
    await gw().deploy(siteNodes().map((n) => (n.id === 'c-site' ? { ...n, file: '/does/not/exist.json' } : n)));
    // While the flow changes, the site is down for another reason.
    const health = async () => {
      const answer = await gw().get('/health');
      return { status: answer.status, ...((await answer.json()) as object) };
    };
    await expect.poll(health, PATIENT).toMatchObject({
      status: 503,
      live: true,
      ready: false,
      components: { 'site depot': { state: 'down', text: expect.stringContaining('/does/not/exist.json') } },
    });
    await gw().deploy([]);
    await expect.poll(async () => (await gw().get('/health')).status, PATIENT).toBe(200);
  });

  it('a foreign host name or origin is refused everywhere', async () => {
    const post = await gw().get('/flows', { method: 'POST', headers: { origin: 'https://evil.example' }, body: '[]' });
    expect(post.status).toBe(403);
    expect(await post.json()).toMatchObject({ error: { code: 'api.forbiddenOrigin' } });
  });

  it('an error of the API has code, cause and remedy', async () => {
    const nothing = await gw().get('/v2gate/api/nothing');
    expect(nothing.status).toBe(404);
    expect(await nothing.json()).toMatchObject({
      error: { code: 'api.notFound', what: expect.any(String), remedy: expect.any(String) },
    });
    const clock = await gw().get('/v2gate/api/clock/advance', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"ms":1}',
    });
    expect(clock.status).toBe(409);
    expect(await clock.json()).toMatchObject({ error: { code: 'clock.real' } });
  });

  it('settings are shown without secrets', async () => {
    const text = await (await gw().get('/v2gate/api/settings')).text();
    expect(JSON.parse(text)).toMatchObject({ settings: { host: '127.0.0.1', demo: false } });
    expect(text).not.toContain('only for this test');
  });
});
