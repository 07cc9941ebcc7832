import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksFor, withPart } from '../repo/guide-blocks.ts';
import { blocksOf } from '../repo/guides.ts';
import { listFiles, readText } from '../repo/rules/source.ts';
import { Child, eventually } from './support/child.ts';
import { GatewayProcess, ROOT } from './support/gateway.ts';

const SELF = 'test/system/guides.test.ts';
/** What the pages take for granted; the tests use free ports. */
const URLS = { http: 'http://127.0.0.1:1880', nowhere: 'ws://127.0.0.1:9/none' };

/** The folder of somebody who reads: a home, and the commands of the project at hand. */
const home = mkdtempSync(join(tmpdir(), 'v2gate-reader-'));
for (const name of ['node_modules', 'simulators', 'docs']) symlinkSync(join(ROOT, name), join(home, name));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const env = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...process.env,
  HOME: home,
  NO_COLOR: '1',
  ...more,
});

/** Runs one line as it stands in a page; what it printed, or what went wrong. */
function shell(line: string, more: NodeJS.ProcessEnv = {}): string {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line], {
    cwd: home,
    env: env(more),
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect({ line, status, stderr: status === 0 ? '' : `${stdout}${stderr}` }).toEqual({ line, status: 0, stderr: '' });
  expect(stdout).not.toContain('"error"');
  return stdout;
}

const lines = (page: string): string[] => blocksFor(page, SELF).flatMap((b) => b.text.split('\n'));

/** Lines that were run; at the end none of any page may be left. */
const ran = new Set<string>(); // bounded by: the lines of the pages
const take = (page: string, what: RegExp = /^/): string[] => {
  const taken = lines(page).filter((l) => what.test(l));
  expect(taken.length, `${page} ${what}`).toBeGreaterThan(0);
  for (const line of taken) ran.add(`${page}: ${line}`);
  return taken;
};

describe('a site of one’s own, as README and docs/site.md say', () => {
  const running: Child[] = [];
  let url = '';
  const start = (command: string, cwd: string): Child => {
    const ports = { V2GATE_HTTP_PORT: '0', V2GATE_OCPP_PORT: '0', V2GATE_FO_PORT: '0', V2GATE_MQTT_PORT: '0' };
    const child = new Child({ name: command, command: 'sh', args: ['-c', command], cwd, env: env(ports), group: true });
    running.push(child);
    return child;
  };
  afterAll(async () => {
    for (const child of running.reverse()) await child.stop('SIGTERM');
  });

  it('starts, and simulated stations deliver what a simulated operator asks', async () => {
    const [copy = '', run = ''] = take('README.md', /yard/).filter((l) => !l.includes('simulators'));
    shell(copy);
    const gateway = start(run, ROOT);
    const said = (label: string): Promise<string> =>
      gateway.find(label, (text) => new RegExp(`^\\s+${label}\\s+(\\w+://[^\\s<]+)`).exec(text)?.[1], 90_000);
    url = (await said('console')).replace('/console', '');
    const [stations, operators] = [await said('stations'), await said('operators')];
    for (const line of take('README.md', /simulators/))
      start(`${line} --url ${line.includes('/fo/') ? operators : stations.replace(/\/$/, '')}`, home);
    await eventually('power is measured as it was asked for', () => delivered(url), 60_000);
  });

  it('is checked, and takes values of a meter that its file names', async () => {
    for (const line of [...take('docs/site.md', /site check/), ...take('docs/deployment.md', /site check/)])
      shell(line);
    const [, part] = blocksOf(readText('docs/site.md')).filter((b) => b.mark === 'site part');
    const file = join(home, 'yard/site.json');
    writeFileSync(file, JSON.stringify(withPart(JSON.parse(readFileSync(file, 'utf8')), JSON.parse(part?.text ?? ''))));
    const [line = ''] = take('docs/site.md', /api\/meter/);
    const now = line.replace(/"at":"[^"]*"/, `"at":"${new Date().toISOString()}"`).replace(URLS.http, url);
    await eventually('the meter is known', async () => shell(now), 20_000);
  });
});

describe('the demo, as tutorial, evidence and operation say', () => {
  let gateway: GatewayProcess;
  beforeAll(async () => {
    gateway = await GatewayProcess.start();
    await gateway.ready();
  });
  afterAll(() => gateway?.stop());

  const ask = (line: string, ids: Readonly<Record<string, string>> = {}): string =>
    shell(
      Object.entries(ids).reduce(
        (l, [name, id]) => l.replace(`<${name}>`, id),
        line.replaceAll(URLS.http, gateway.url),
      ),
      { V2GATE_DATA: gateway.dataDir },
    );

  it('takes limits, and tells what it does', () => {
    for (const line of take('docs/tutorial.md', /api\/(limit|timeline)/)) ask(line);
    expect(readFileSync(join(home, 'story.jsonl'), 'utf8')).not.toContain('"error"');
    const told = take('docs/operation.md')
      .map((line) => ask(line))
      .join('\n');
    const metrics = readText('docs/reference/metrics.md');
    const served = [...told.matchAll(/^# HELP (\w+)/gm)].map(
      (m) => m[1]?.replace(/_(size|max|dropped_total)$/, '') ?? '',
    );
    expect(served.length).toBeGreaterThan(15);
    expect(served.filter((name) => !metrics.includes(`\`${name}`))).toEqual([]);
    for (const line of take('docs/stations.md')) expect(ask(line)).toMatch(/^[0-9a-f]{40}\n$/);
  });

  it('gives records and proofs that are checked without it', async () => {
    const fsrId = await eventually('a service delivers', () => active(gateway), 60_000);
    const body = { foId: 'fo:north', fsrId, reason: 'safety' };
    const headers = { 'content-type': 'application/json' };
    const path = `${gateway.url}/v2gate/api/sites/site:harbour/withdraw`;
    expect((await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })).ok).toBe(true);
    await eventually('its record is there', () => recordOf(gateway, fsrId), 120_000);
    const ids = { recordId: `rec:${fsrId}`, proofId: `prf:${fsrId}` };
    for (const page of ['docs/tutorial.md', 'docs/evidence.md']) {
      const told = take(page, /jwks|events\.jsonl|sites\//).map((line) => ask(line, ids));
      expect(told.at(-1)).toContain(blocksOf(readText('docs/tutorial.md')).find((b) => b.mark === 'output')?.text);
    }
  });
});

it('simulators start with every command of their page', async () => {
  const started = take('simulators/README.md').map((line) => {
    const away = line.replace(/--url \S+/, '').replace(/--gateway \S+/, '--gateway http://127.0.0.1:9');
    const to = away.includes('/site/') ? `-- --url ${URLS.nowhere}` : `--url ${URLS.nowhere}`;
    return new Child({ name: line, command: 'sh', args: ['-c', `${away} ${to}`], cwd: home, env: env(), group: true });
  });
  await new Promise((done) => setTimeout(done, 6_000));
  expect(started.filter((c) => !c.running).map((c) => c.lines)).toEqual([]);
  for (const child of started) await child.stop('SIGTERM');
});

it('every line that names this test was run', () => {
  const pages = listFiles().filter((f) => f.endsWith('.md'));
  const all = pages.flatMap((page) => lines(page).map((line) => `${page}: ${line}`));
  expect(all.filter((line) => !ran.has(line))).toEqual([]);
});

async function json(url: string): Promise<unknown> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.json();
}

/** Throws until what is granted is not 0 and measured within 1 kW. */
async function delivered(url: string): Promise<true> {
  const { grantedW, measuredW } = Object(Object(await json(`${url}/v2gate/api/site`)).snapshot);
  if (!(Math.abs(grantedW) > 1000 && Math.abs(grantedW - measuredW) < 1000))
    throw new Error(`granted ${grantedW} W, measured ${measuredW} W`);
  return true;
}

async function active(gateway: GatewayProcess): Promise<string> {
  const { services = [], measuredW } = Object(Object(await gateway.get('/v2gate/api/site')).snapshot);
  const [service] = services.filter((s: { readonly state: string }) => s.state === 'active');
  if (!service || Math.abs(measuredW) < 1000) throw new Error('not yet');
  return service.fsrId;
}

const recordOf = (gateway: GatewayProcess, fsrId: string): Promise<unknown> =>
  gateway.get(`/v2gate/api/sites/site:harbour/proofs/prf:${fsrId}`);
