import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { codeOf } from '../../core/errors.ts';
import { PATIENT, startTestGateway } from '../support/gateway.ts';
import { PATH, useWorld } from './world.ts';

const overrides = await mkdtemp(join(tmpdir(), 'v2gate-mappings-'));
afterAll(() => rm(overrides, { recursive: true, force: true }));

const shipped = (path: string): Promise<string> => readFile(join(import.meta.dirname, '../../mappings', path), 'utf8');
const override = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(join(overrides, path)), { recursive: true });
  await writeFile(join(overrides, path), text);
};
const METER = 'ocpp1.6/to-hub/MeterValuesRequest.jsonata';
await override(METER, (await shipped(METER)).replace(/\)\s*$/, ''));

const world = useWorld({ env: { V2GATE_MAPPINGS: overrides } });

/** The first line of the log from `from` on that fits. */
async function logged(pattern: RegExp, from = 0): Promise<string> {
  const find = (): string | undefined =>
    world()
      .gw.log.slice(from)
      .find((l) => pattern.test(l));
  await expect.poll(find, PATIENT).toBeDefined();
  return find() ?? '';
}

describe('a mapping file of the integrator that is broken', () => {
  it('at the start is told with its place, and the shipped one is in force', async () => {
    const line = await logged(/mapping\.broken/);
    expect(line).toMatch(/MeterValuesRequest\.jsonata/);
    expect(line).toMatch(/line \d+, column \d+/);
    expect(line).toMatch(/covered=true/);
    await world().unharmed();
  });

  it('at a reload is told, and the last good one stays in force', async () => {
    const from = world().gw.log.length;
    const spoiled: readonly [string, (text: string) => string][] = [
      [METER, (t) => `${t}/*${'x'.repeat(300_000)}*/`],
      ['ocpp2.1/to-hub/TransactionEventRequest.jsonata', () => '{}'],
      ['ocpp1.6/to-hub/StatusNotificationRequest.jsonata', (t) => t.replace('StatusNotification', 'Heartbeat')],
      ['ocpp2.1/to-hub/StatusNotificationRequest.jsonata', () => ''],
      ['ocpp2.1/to-hub/MeterValuesRequest.jsonata', (t) => t.replaceAll('$ctx.at', '$now()')],
      ['ocpp1.6/to-hub/StopTransactionRequest.jsonata', (t) => t.replace('{', '{(')],
      ['ocpp9.9/nowhere/Nothing.jsonata', () => '{}'],
    ];
    for (const [path, spoil] of spoiled) await override(path, spoil(await shipped(path).catch(() => '')));
    for (const [path] of spoiled) {
      expect(await logged(new RegExp(`mapping\\.broken.*${path.replaceAll('.', '\\.')}`), from)).toMatch(/message=\S/);
    }
    await world().unharmed();
  });
});

type Spoil = (text: string) => string;

describe('a site file that is broken', () => {
  const SPOILED: readonly (readonly [name: string, spoil: Spoil, code: string, says: RegExp])[] = [
    ['half', (t) => t.slice(0, 500), 'site.invalid', /not valid JSON/],
    ['empty', () => '', 'site.invalid', /not valid JSON/],
    ['list', () => '[]', 'site.invalid', /object/],
    [
      'negative',
      (t) => t.replace('"importLimitW": 60000', '"importLimitW": -1'),
      'site.invalid',
      /\/poc\/importLimitW/,
    ],
    ['infinite', (t) => t.replace('"importLimitW": 60000', '"importLimitW": 1e999'), 'site.invalid', /importLimitW/],
    ['missing', (t) => t.replace('"operatorId"', '"operator"'), 'site.invalid', /\/operator/],
    ['circuit', (t) => t.replace('"circuitId": "ac",', '"circuitId": "moon",'), 'site.invalid', /circuit/],
    ['twice', (t) => t.replace('"siteId"', '"siteId":"a","siteId"'), 'site.invalid', /twice/],
    ['polluted', (t) => t.replace('"siteId"', '"__proto__":{"polluted":1},"siteId"'), 'site.invalid', /__proto__/],
    ['deep', () => '['.repeat(100_000), 'site.invalid', /deep/],
    ['same', (t) => t, 'site.open', /site:harbour/],
  ];

  it('at the start is told with code, field and remedy; other sites are untouched', async () => {
    const good = await readFile(join(world().gw.dataDir, 'site.json'), 'utf8');
    const from = world().gw.log.length;
    const nodes = SPOILED.map(([name], n) => ({
      id: `c-bad-${n}`,
      type: 'v2gate-site',
      name,
      version: 1,
      file: join(world().gw.dataDir, `${name}.json`),
    }));
    for (const [name, spoil] of SPOILED) await writeFile(join(world().gw.dataDir, `${name}.json`), spoil(good));
    await world().gw.deploy([...PATH, ...nodes]);
    for (const [name, , code, says] of SPOILED) {
      const component = async () => (await world().health()).components[`site ${name}`];
      await expect.poll(component, PATIENT).toMatchObject({ state: 'down', text: expect.stringMatching(says) });
      const line = await logged(new RegExp(`v2gate-site:${name}`), from);
      expect(line).toContain(`code=${code}`);
      expect(line).toMatch(/(Correct|Close|Give|Use) /);
    }
    await world().gw.deploy(PATH);
    await world().unharmed();
  });

  it.each([
    ['half a file', (t: string) => t.slice(0, 500), /not valid JSON/],
    ['another site', (t: string) => t.replace('"site:harbour"', '"site:elsewhere"'), /site:elsewhere/],
  ])('at a reload, %s: is told with code and remedy, and the old one stays in force', async (_, spoil, says) => {
    const file = join(world().gw.dataDir, 'site.json');
    const good = await readFile(file, 'utf8');
    const from = world().gw.log.length;
    const component = async () => (await world().health()).components['site depot'];
    await writeFile(file, spoil(good));
    const line = await logged(/site\.reloadRefused/, from);
    expect(line).toMatch(/code=site\.invalid/);
    expect(line).toMatch(says);
    expect(line).toMatch(/remedy=/);
    expect(await component()).toMatchObject({ state: 'degraded' });
    await world().unharmed();
    await writeFile(file, good);
    await expect.poll(component, PATIENT).toMatchObject({ state: 'ok' });
    await world().unharmed();
  });
});

describe('a flow that is broken', () => {
  it('by a wire to nowhere or a node of an unknown type interrupts nobody', async () => {
    const odd = { id: 'odd', z: 't', x: 1, y: 1, wires: [['nowhere']] };
    await world().gw.deploy([...PATH, { ...odd, type: 'debug' }]);
    await world().unharmed();
    await expect(world().gw.deploy([...PATH, { ...odd, type: 'no-such-node' }])).rejects.toThrow(/no-such-node/);
    expect((await world().health()).components.flows).toMatchObject({
      state: 'down',
      text: expect.stringContaining('no-such-node'),
    });
    await world().gw.deploy(PATH);
    await world().unharmed();
  });
});

describe('a port that is taken', () => {
  const occupy = async (): Promise<{ readonly port: number; free(): Promise<void> }> => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return { port, free: () => new Promise((done) => server.close(() => done())) };
  };

  it.each(['v2gate-ocpp-server', 'v2gate-fo-link'])(
    'costs only the %s that wants it, until it is free',
    async (type) => {
      const { port, free } = await occupy();
      const from = world().gw.log.length;
      const link = { id: 'c-two', type, name: 'second', version: 1, site: 'c-site', path: '/x', speaks: 'hub' };
      await world().gw.deploy([...PATH, { ...link, port: String(port) }]);
      const component = async () => (await world().health()).components['link second'];
      await expect
        .poll(component, PATIENT)
        .toMatchObject({ state: 'down', text: expect.stringContaining(String(port)) });
      const line = await logged(/port\.taken/, from);
      expect(line).toMatch(/choose another port/);
      await free();
      for (let s = 0; s < 60 && (await component())?.state !== 'ok'; s++) await world().pass(1);
      expect(await component()).toMatchObject({ state: 'ok' });
      await world().gw.deploy(PATH);
      await world().unharmed();
    },
  );

  it('for HTTP is an error of the start with its remedy', async () => {
    const { port, free } = await occupy();
    const env = { V2GATE_HTTP_PORT: String(port), V2GATE_PORT_SEARCH: 'off' };
    const error: unknown = await startTestGateway({ env }).catch((e: unknown) => e);
    expect(codeOf(error)).toBe('port.taken');
    expect(String(error)).toMatch(new RegExp(`${port}.*V2GATE_PORT_SEARCH`));
    await free();
    await world().unharmed();
  });
});
