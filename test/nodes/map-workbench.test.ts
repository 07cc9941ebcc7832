import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlowNode } from 'node-red';
import { describe, expect, it } from 'vitest';
import { useGateway } from '../support/gateway.ts';

const gw = useGateway({ editor: true });
const PACK = join(import.meta.dirname, '../../mappings');
const PATH = 'ocpp2.1/from-hub/PowerCommand.setpoint.jsonata';
const SETPOINT = readFileSync(join(PACK, PATH), 'utf8');
const COMMAND = { commandId: 'c', resourceId: 'r', kind: 'setpoint', validUntil: '2026-03-02T17:12:00Z', level: 6 };
const CTX = {
  at: '2026-03-02T17:10:00Z',
  ids: { chargingProfileId: 1, chargingScheduleId: 1 },
  resource: { evse: 1 },
  session: { identity: 'CS', transactionId: 'tx' },
  settings: { shape: 'setpoint', durationS: 120 },
};

interface Check {
  readonly diagnostics: readonly { code: string; severity: string; line: number; column: number; hint?: string }[];
  readonly description: {
    readonly coverage: readonly { required: { percent: number; missing: readonly string[] } }[];
    readonly lost: { readonly unstated: readonly string[] };
  };
  readonly slow: boolean;
  readonly place?: string;
  readonly sampleFault?: { which: string; what: string };
  readonly trial?: {
    readonly output?: string;
    readonly cut?: true;
    readonly unfit?: true;
    readonly messages: readonly { topic: string; fault?: string }[];
    readonly failure?: { code: string; line: number };
    readonly us: number;
    readonly runs: number;
  };
}

async function ask<T>(path: string, body?: object): Promise<{ status: number; body: T }> {
  const init = body && {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  const response = await gw().get(`/v2gate/map/${path}`, init);
  return { status: response.status, body: (await response.json()) as T };
}

async function check(text: string, input: unknown = { ...COMMAND, powerW: 5000 }, more: object = {}): Promise<Check> {
  const { status, body } = await ask<Check>('check', {
    text,
    input: JSON.stringify(input),
    ctx: JSON.stringify(CTX),
    ...more,
  });
  expect(status).toBe(200);
  return body;
}

function flow(map: Readonly<Record<string, unknown>>): FlowNode[] {
  const values = { version: 1, name: '', source: 'text', file: '', text: '' };
  return [
    { id: 't', type: 'tab', label: 'map' },
    { id: 'map', type: 'v2gate-map', z: 't', ...values, wires: [['out']], ...map },
    { id: 'out', type: 'debug', z: 't', name: '', active: false, wires: [] },
    { id: 'catch', type: 'catch', z: 't', name: '', scope: null, uncaught: false, wires: [['caught']] },
    { id: 'caught', type: 'debug', z: 't', name: '', active: false, wires: [] },
  ];
}

describe('the workbench of the map node', () => {
  it('lists the mappings of the pack and all messages', async () => {
    const { body } = await ask<{ mappings: object[]; topics: string[]; folder?: string }>('library');
    expect(body.mappings).toContainEqual({
      path: PATH,
      from: 'hub/PowerCommand',
      to: ['ocpp2.1/SetChargingProfileRequest'],
      variant: 'setpoint',
      when: "$ctx.settings.shape = 'setpoint'",
      own: false,
    });
    expect(body.topics).toEqual(expect.arrayContaining(['hub/PowerCommand', 'ocpp1.6/MeterValuesRequest']));
    expect(body.folder).toBeUndefined();
  });

  it('gives a mapping as shipped, and refuses what is no mapping of the library', async () => {
    const { body } = await ask<object>(`mapping?path=${PATH}`);
    expect(body).toEqual({ path: PATH, text: SETPOINT, shipped: SETPOINT, own: false });
    for (const path of ['../package.json', 'mapping?path=', '..%2F..%2Fpackage.json']) {
      const refused = await ask<{ code: string }>(`mapping?path=${path}`);
      expect(refused).toMatchObject({ status: 400, body: { code: 'nodes.request' } });
    }
  });

  it('offers the examples of the mapping first, then those of the same source, then one of the schema', async () => {
    const { body } = await ask<{ samples: { name: string; path?: string; input: object }[] }>(
      `samples?from=hub/PowerCommand&path=${PATH}`,
    );
    expect(body.samples[0]).toMatchObject({ name: '10 kW discharge', path: PATH, input: { powerW: -10_000 } });
    expect(new Set(body.samples.map((s) => s.path)).size).toBeGreaterThan(3);
    expect(body.samples.at(-1)).toMatchObject({ name: 'made from the schema', input: { kind: expect.any(String) } });
  });

  it('runs a sound mapping: output, valid by its schema, time, coverage, place of an override', async () => {
    const c = await check(SETPOINT);
    expect(c.diagnostics).toEqual([]);
    expect(JSON.parse(c.trial?.output ?? '')).toMatchObject({ evseId: 1, chargingProfile: { stackLevel: 1 } });
    expect(c.trial?.messages).toEqual([{ topic: 'ocpp2.1/SetChargingProfileRequest', known: true }]);
    expect(c.trial?.us).toBeGreaterThan(0);
    expect(c.trial?.runs).toBeGreaterThan(1);
    expect(c.description.coverage[0]?.required).toMatchObject({ percent: 100, missing: [] });
    expect(c.description.lost.unstated).toEqual([]);
    expect(c.place).toBe(PATH);
    expect(c.slow).toBe(false);
  });

  it('says where a broken one is broken, and which required fields and source fields it leaves out', async () => {
    const syntax = await check(SETPOINT.replace('"stackLevel": 1,', '"stackLevel": 1 +,'));
    expect(syntax.diagnostics[0]).toMatchObject({ severity: 'error', line: 10, column: expect.any(Number) });
    expect(syntax.trial).toBeUndefined();
    const hole = await check(SETPOINT.replace('"stackLevel": 1,', '').replace('"setpoint": powerW,', ''));
    expect(hole.description.coverage[0]?.required.missing).toEqual(['chargingProfile.stackLevel']);
    expect(hole.description.lost.unstated).toEqual(['powerW']);
    expect(hole.trial?.messages[0]?.fault).toContain('stackLevel');
  });

  it('says when the condition of the header does not hold for the sample', async () => {
    expect((await check(SETPOINT)).trial?.unfit).toBeUndefined();
    const other = { ctx: JSON.stringify({ ...CTX, settings: { shape: 'limit' } }) };
    expect((await check(SETPOINT, { ...COMMAND, powerW: 1 }, other)).trial).toMatchObject({ unfit: true });
  });

  it('a run that fails tells code and line; a sample that is no JSON is said to be none', async () => {
    const failed = await check('/* from: hub/PowerCommand to: hub/X */\n{"a": -kind}');
    expect(failed.trial?.failure).toMatchObject({ code: 'mapping.value', line: 2 });
    const { body } = await ask<Check>('check', { text: '1', input: '{"a": }', ctx: '' });
    expect(body.sampleFault).toMatchObject({ which: 'input', what: expect.any(String) });
    expect(body.trial).toBeUndefined();
  });

  it('is bounded: endless loops end, huge results are cut, long texts are refused', async () => {
    const endless = await check('($f := function($n) { $f($n + 1) }; $f(0))');
    expect(endless.trial?.failure?.code).toBe('mapping.budget');
    const doubled = Array.from({ length: 18 }, (_, i) => `$x${i + 1} := {"a": $x${i}, "b": $x${i}};`).join('');
    const huge = await check(`($x0 := {"a": 1}; ${doubled} $x18)`, {}, { to: 'ocpp2.1/SetChargingProfileRequest' });
    expect(huge.trial).toMatchObject({ cut: true, messages: [{ fault: expect.stringContaining('too large') }] });
    expect(huge.trial?.output).toBeUndefined();
    for (const long of [{ text: 'a'.repeat(33_000) }, { text: '1', input: `"${'a'.repeat(263_000)}"` }]) {
      expect(await ask('check', long)).toMatchObject({ status: 413, body: { code: 'nodes.tooLarge' } });
    }
    expect(await ask('check', { text: 7 })).toMatchObject({ status: 400, body: { code: 'nodes.request' } });
  });

  it('runs what needs the interpreter only when asked to', async () => {
    const text = '[$a := 1, $a + 1]';
    const unasked = await check(text);
    expect(unasked).toMatchObject({ slow: true });
    expect(unasked.trial).toBeUndefined();
    expect((await check(text, {}, { runSlow: 'yes' })).trial).toMatchObject({ runs: 1, messages: expect.any(Array) });
  });

  it('makes a mapping to begin with', async () => {
    const { body } = await ask<{ text: string }>('skeleton?from=hub/PowerCommand&to=ocpp1.6/SetChargingProfileRequest');
    expect(body.text).toContain('/* from: hub/PowerCommand   to: ocpp1.6/SetChargingProfileRequest');
    expect((await check(body.text)).description.coverage[0]?.required.percent).toBe(100);
    const unknown = await ask<{ code: string }>('skeleton?from=hub/PowerCommand&to=ocpp1.6/Nothing');
    expect(unknown).toMatchObject({ status: 400, body: { code: 'mapping.header' } });
  });

  it('shows the last messages of a running node, without secrets, and with which code they failed', async () => {
    await gw().deploy(flow({ text: '{"w": -n}' }));
    expect(await ask('messages/nobody')).toMatchObject({ status: 200, body: { messages: [] } });
    const caught = gw().next('caught');
    gw().inject('map', { topic: 'hub/A', payload: { n: 'much', idToken: 'ABC' }, ctx: { session: { password: 'x' } } });
    await caught;
    const { body } = await ask<{ messages: object[] }>('messages/map');
    expect(body.messages).toEqual([
      {
        at: expect.any(String),
        topic: 'hub/A',
        payload: { n: 'much', idToken: '[redacted]' },
        ctx: { at: expect.any(String), ids: {}, settings: {}, session: { password: '[redacted]' } },
        failed: 'mapping.value',
      },
    ]);
  });

  it('serves the files of the editor part and nothing else', async () => {
    const page = await gw().get('/v2gate/map/editor/workbench.js');
    expect(page.headers.get('content-type')).toContain('javascript');
    expect(await page.text()).toContain('export function mount');
    for (const name of ['..%2Fmap.ts', 'map.ts', 'none.js', 'types.d.ts', '%2e%2e%2fcontroller.ts']) {
      expect((await gw().get(`/v2gate/map/editor/${name}`)).status).toBe(404);
    }
  });
});
