import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FlowNode } from 'node-red';
import { describe, expect, it } from 'vitest';
import { NODES } from '../../nodes/registry.ts';
import { siteNodes, useGateway } from '../support/gateway.ts';

const BROWSER = join(import.meta.dirname, '../../nodes/editor/browser');
const gw = useGateway({ editor: true });
const virtual: FlowNode = {
  id: 'v-fleet',
  type: 'v2gate-virtual-fleet',
  z: 't',
  version: 1,
  name: '',
  server: 'c-ocpp',
  scenario: 'file',
  file: '/no.json',
  start: 'never',
  wires: [[]],
};

const json = async (path: string, body?: object) => {
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await gw().get(`/v2gate/${path}`, body === undefined ? undefined : post);
  return { status: response.status, body: await response.json() };
};

describe('what dialogs know of the site', () => {
  it('groups, charge points, stations, contracts, operators and meters to pick from, and nothing secret', async () => {
    await gw().deploy([...siteNodes(), virtual]);
    await gw().linkUrl('v2gate-fo-link');
    const { status, body } = await json('editor/site/c-site');
    expect(status).toBe(200);
    expect(body).toMatchObject({ siteId: 'site:harbour', name: 'Harbour depot (demo)' });
    expect(body.lists.groups).toEqual([{ id: 'g:depot', about: '8' }]);
    expect(body.lists.operators).toEqual([{ id: 'fo:north', about: 'C-9' }]);
    expect(body.lists.stations).toHaveLength(8);
    expect(body.lists.resources).toContainEqual({ id: 'DEMO-V2G-1.1', about: 'DC, 11 kW, −11 kW' });
    const wanted = NODES.flatMap((n) => n.fields.flatMap((f) => (f.list ? [f.list] : [])));
    for (const list of wanted) expect(Object.keys(body.lists)).toContain(list);
    expect(JSON.stringify(body)).not.toMatch(/passwordRef|tokenRef|secret/i);
  });

  it('how site and links are now, in words; a node that does not run is nothing', async () => {
    expect((await json('editor/now/c-site')).body).toEqual({ state: 'ok', text: 'site:harbour · open' });
    expect((await json('editor/now/c-fo')).body).toMatchObject({
      text: expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+\/fo · /),
    });
    for (const path of [
      'editor/now/nobody',
      'editor/site/nobody',
      'editor/site/c-fo',
      'virtual/nobody',
      'virtual/c-fo',
    ])
      expect(await json(path)).toEqual({ status: 200, body: null });
  });

  it('their code is served, and nothing else of the folder or beside it', async () => {
    for (const file of readdirSync(BROWSER).filter((f) => f.endsWith('.js'))) {
      const answer = await gw().get(`/v2gate/editor/${file}`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8']);
    }
    for (const file of ['types.d.ts', '..%2froutes.js', 'no-such.js', '%2e%2e/registry.js'])
      expect((await gw().get(`/v2gate/editor/${file}`)).status).toBe(404);
  });
});

describe('a virtual node in its dialog', () => {
  it('is started and stopped; a program that cannot run says why', async () => {
    expect((await json('virtual/v-fleet')).body).toEqual({ running: false, mood: 'waiting', words: 'stopped' });
    expect((await json('virtual/v-fleet', { turn: 'start' })).body).toMatchObject({ running: true });
    expect(await gw().status('v-fleet', /no such file/)).toContain('/no.json');
    expect((await json('virtual/v-fleet', { turn: 'stop' })).body).toEqual({
      running: false,
      mood: 'waiting',
      words: 'stopped',
    });
  });

  it('orders without sense, or to nobody, are refused with what and remedy', async () => {
    const what = { what: expect.any(String), remedy: expect.any(String) };
    expect(await json('virtual/nobody', { turn: 'start' })).toMatchObject({
      status: 404,
      body: { code: 'nodes.notRunning', ...what },
    });
    expect(await json('virtual/v-fleet', { turn: 'around' })).toMatchObject({
      status: 400,
      body: { code: 'nodes.request', ...what },
    });
    expect(await json('virtual/v-fleet', { tell: { station: '*', fault: 'none' } })).toMatchObject({
      status: 400,
      body: { code: 'nodes.notReady', ...what },
    });
  });
});
