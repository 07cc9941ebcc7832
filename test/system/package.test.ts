import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NODES } from '../../nodes/registry.ts';
import { collectExamples } from '../../tools/examples.ts';
import { PACKAGE_NAME } from '../../tools/pack/manifest.ts';
import { eventually } from './support/child.ts';
import { ForeignNodeRed, installPackage, outside, remove, weigh } from './support/foreign-node-red.ts';
import { ROOT } from './support/gateway.ts';
import { plotOf } from './support/plot.ts';

/** As the import menu names it. */
const MENU = '1 Use cases/UC 2.1 Setpoint following';

/** Logs in to the editor, opens the console from its menu, and answers who somebody is there. */
async function consoleFromEditor(url: string, name: string, password: string): Promise<unknown> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  try {
    const context = await browser.newContext({ viewport: { width: 1600, height: 1000 } });
    const editor = await context.newPage();
    await editor.goto(url);
    await editor.fill('#node-dialog-login-username', name);
    await editor.fill('#node-dialog-login-password', password);
    await editor.click('#node-dialog-login-submit');
    await editor.waitForSelector('.red-ui-palette-node', { timeout: 60_000 });
    await editor.click('#red-ui-header-button-sidemenu');
    const [opened] = await Promise.all([context.waitForEvent('page'), editor.click('#menu-item-v2gate-console')]);
    await opened.waitForURL(/\/console\/$/);
    return await opened.evaluate(async () => (await fetch('../v2gate/api/me')).json());
  } finally {
    await browser.close();
  }
}

describe('the package in an empty user directory of Node-RED', () => {
  let folder: string;
  let userDir: string;
  let packed: string;
  let red: ForeignNodeRed;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'v2gate-package-'));
    ({ userDir, packed } = await installPackage(folder));
    red = await ForeignNodeRed.start(userDir, '{ v2gate: { ocppPort: 0, foPort: 0 } }');
  });
  afterAll(async () => {
    await red?.child.stop();
    await remove(folder);
  });

  it('adds at most 60 packages and 40 MB, and neither a Node-RED nor a Node', async () => {
    const { packages, bytes } = await weigh(join(userDir, 'node_modules'));
    expect(packages.length).toBeLessThanOrEqual(60);
    expect(bytes).toBeLessThan(40_000_000);
    const unwanted =
      /^(node|node-red|@node-red\/.*|express|aedes|node-linux-.*|typescript|vitest|ocpp-rpc|selfsigned)$/;
    expect(packages.filter((name) => unwanted.test(name))).toEqual([]);
    expect(await readdir(join(userDir, 'node_modules', '.bin'))).toContain('v2gate');
  });

  it('has no TypeScript in it, nor asks for any', async () => {
    const names = await readdir(packed, { recursive: true, encoding: 'utf8' });
    expect(names.filter((name) => name.endsWith('.ts'))).toEqual([]);
    const code = names.filter((name) => /\.c?js$/.test(name));
    const texts = await Promise.all(code.map((name) => readFile(join(packed, name), 'utf8')));
    const bare = texts.map((text) => text.replaceAll(/\/\*[\s\S]*?\*\//g, ''));
    const imports = (i: number, what: RegExp): boolean =>
      [...(bare[i] ?? '').matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"\n]+)['"]/g)].some(([, name]) =>
        what.test(name ?? ''),
      );
    expect(code.filter((_, i) => imports(i, /\.ts$/))).toEqual([]);
    expect(code.filter((_, i) => imports(i, /^(express|node-red)$/))).toEqual([]);
  });

  it('loads every node without an error', async () => {
    const sets = (await red.json('/nodes')) as { module: string; types: string[]; enabled: boolean; err?: string }[];
    const own = sets.filter((s) => s.module === PACKAGE_NAME);
    expect(own.flatMap((s) => s.types).sort()).toEqual(NODES.map((n) => n.type).sort());
    expect(own.filter((s) => !s.enabled || s.err !== undefined)).toEqual([]);
    expect(
      red.child.lines.filter((l) => /\[(warn|error)\].*v2gate|ExperimentalWarning|DeprecationWarning/.test(l)),
    ).toEqual([]);
  });

  it('brings editor parts, help in both languages, texts and icons', async () => {
    const [english, german] = await Promise.all(
      ['en-US', 'de'].map(async (lng) =>
        (await red.get('/nodes', { accept: 'text/html', 'accept-language': lng })).text(),
      ),
    );
    for (const { type } of NODES) {
      expect(english).toContain(`data-template-name="${type}"`);
      for (const help of [english, german]) expect(help).toContain(`data-help-name="${type}"`);
    }
    const icons = (await red.json('/icons')) as Record<string, string[]>;
    for (const { folder: name, icon, kind } of NODES) {
      for (const lng of ['en-US', 'de'])
        expect(Object.keys((await red.json(`/locales/${PACKAGE_NAME}/${name}?lng=${lng}`)) as object)).not.toEqual([]);
      if (kind === 'config') continue;
      expect(icons[PACKAGE_NAME]).toContain(icon);
      expect((await red.get(`/icons/${PACKAGE_NAME}/${icon}`)).status).toBe(200);
    }
  });

  it('serves console, API, health, metrics and public keys', async () => {
    for (const path of [
      '/console/',
      '/console/main.js',
      '/console/vendor/uplot/uPlot.esm.js',
      '/v2gate/api',
      '/v2gate/api/me',
      '/v2gate/map/editor/workbench.js',
      '/v2gate/metrics',
      '/.well-known/jwks.json',
    ])
      expect([path, (await red.get(path)).status]).toEqual([path, 200]);
    expect((await red.get('/v2gate/api/nothing')).status).toBe(404);
    expect(await red.json('/v2gate/api/me')).toMatchObject({ role: 'engineer', authRequired: false });
  });

  it('answers no page of another origin', async () => {
    const foreign = await red.post('/v2gate/api/limit', {}, { origin: 'https://evil.example' });
    expect(foreign.status).toBe(403);
  });

  it('shows the same import menu as development, and moves power with “UC 2.1” from it', async () => {
    const menu = collectExamples(ROOT).map((e) => e.menuPath.replace(/\.json$/, ''));
    expect(menu).toContain(MENU);
    for (const path of menu)
      expect((await red.get(`/library/examples/flows/${encodeURI(`${PACKAGE_NAME}/${path}`)}`)).status).toBe(200);
    const flow = (await red.json(`/library/examples/flows/${encodeURI(`${PACKAGE_NAME}/${MENU}`)}`)) as {
      id: string;
      type: string;
    }[];
    await red.deploy(flow);
    await red.ready();
    const press = async (type: string): Promise<void> => {
      const id = flow.find((n) => n.type === type)?.id;
      await eventually(
        `${type} starts`,
        async () => ((await red.post(`/v2gate/virtual/${id}`, { turn: 'start' })).ok ? true : undefined),
        20_000,
      );
    };
    await press('v2gate-virtual-fleet');
    await press('v2gate-virtual-fo');
    const follows = await eventually(
      'measured power follows what was granted',
      async () => {
        const last = (await plotOf(red.url)).at(-1);
        if (last === undefined || Math.abs(last.measuredW) < 1_500 || last.requestedW === undefined) return undefined;
        return Math.abs(last.measuredW - last.grantedW) < 2_000 ? last : undefined;
      },
      90_000,
      500,
    );
    expect(follows.requestedW).toBeDefined();
  });

  it('brings its commands', async () => {
    const site = spawnSync('npx', ['v2gate', 'site', 'check', join(userDir, 'v2gate', 'site.json')], {
      cwd: userDir,
      env: outside(),
      encoding: 'utf8',
    });
    expect(site.stdout).toContain('is good');
    expect(site.status).toBe(0);
  });

  it('says why it cannot run beside another one on the same folder, and leaves that one alone', async () => {
    const second = await ForeignNodeRed.start(userDir, '{ v2gate: { ocppPort: 0, foPort: 0 } }');
    const health = await second.get('/v2gate/health');
    expect([health.status, await health.text()]).toEqual([
      503,
      expect.stringContaining('Another process uses the store'),
    ]);
    expect(second.child.lines.join('\n')).toContain('Stop the other gateway');
    expect(await second.child.stop('SIGTERM')).toBe('exit code 0');
    expect((await red.get('/v2gate/health')).status).toBe(200);
  });

  it('ends with its Node-RED, and starts again with what it kept', async () => {
    const keys = await red.json('/.well-known/jwks.json');
    expect(await red.child.stop('SIGTERM')).toBe('exit code 0');
    red = await ForeignNodeRed.start(userDir, '{ v2gate: { ocppPort: 0, foPort: 0 } }');
    expect(await red.json('/.well-known/jwks.json')).toEqual(keys);
    await red.ready();
  });

  it('lets in whom its Node-RED lets in, as far as their permissions go', async () => {
    await red.child.stop();
    const guarded = await ForeignNodeRed.start(
      userDir,
      `{ v2gate: { ocppPort: 0, foPort: 0 }, adminAuth: {
        type: 'credentials',
        users: async (name) => ({ eve: { username: 'eve', permissions: '*' }, ann: { username: 'ann', permissions: 'read' } })[name] ?? null,
        authenticate: async (name, password) => password === name + '-password' ? { username: name, permissions: name === 'eve' ? '*' : 'read' } : null,
      } }`,
    );
    try {
      const cookieOf = async (name: string, password = `${name}-password`): Promise<string> => {
        const answer = await guarded.post('/v2gate/api/login', { name, password });
        return answer.headers.get('set-cookie')?.split(';')[0] ?? `none, ${answer.status}`;
      };
      expect((await guarded.get('/v2gate/api/sites')).status).toBe(401);
      expect(await guarded.json('/v2gate/api/me')).toEqual({ name: null, role: null, authRequired: true });
      expect((await guarded.get('/console/')).status).toBe(200);
      expect((await guarded.get('/v2gate/health')).status).toBe(200);
      expect(await cookieOf('eve', 'guessed')).toBe('none, 401');

      const viewer = { cookie: await cookieOf('ann') };
      expect(await guarded.json('/v2gate/api/me', viewer)).toEqual({ name: 'ann', role: 'viewer', authRequired: true });
      expect((await guarded.get('/v2gate/api/sites', viewer)).status).toBe(200);
      expect((await guarded.post('/v2gate/api/limit', {}, viewer)).status).toBe(401);

      const engineer = { cookie: await cookieOf('eve') };
      expect(await guarded.json('/v2gate/api/me', engineer)).toMatchObject({ name: 'eve', role: 'engineer' });
      expect((await guarded.post('/v2gate/api/limit', {}, engineer)).status).toBe(400);
      expect(await consoleFromEditor(guarded.url, 'eve', 'eve-password')).toMatchObject({
        name: 'eve',
        role: 'engineer',
      });
    } finally {
      await guarded.child.stop();
    }
  });
});
