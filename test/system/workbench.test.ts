import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, watchPage } from './support/browser.ts';
import { GatewayProcess, ROOT } from './support/gateway.ts';

const PICTURES = join(ROOT, '.data');
const SITE = join(ROOT, 'flows/uc-2.1-setpoint-following/site.json');
const PATH = 'ocpp2.1/from-hub/PowerCommand.setpoint.jsonata';
const PATIENCE = { timeout: 20_000 };

const COMMAND = {
  commandId: 'c',
  resourceId: 'r',
  kind: 'setpoint',
  validUntil: '2026-03-02T17:12:00Z',
  level: 6,
  powerW: -4321,
};
const CTX = {
  at: '2026-03-02T17:10:00Z',
  ids: { chargingProfileId: 1, chargingScheduleId: 1 },
  resource: { evse: 1 },
  session: { identity: 'CS', transactionId: 'tx' },
  settings: { shape: 'setpoint', durationS: 120 },
};

/** A request over HTTP goes through a map node and comes back as the answer. */
const FLOW = [
  { id: 't', type: 'tab', label: 'Mapping' },
  { id: 'in', type: 'http in', z: 't', name: '', url: '/map', method: 'post', x: 120, y: 120, wires: [['set']] },
  {
    id: 'set',
    type: 'change',
    z: 't',
    name: 'topic',
    rules: [
      { t: 'set', p: 'topic', pt: 'msg', to: 'hub/PowerCommand', tot: 'str' },
      { t: 'set', p: 'ctx', pt: 'msg', to: 'payload.ctx', tot: 'msg' },
      { t: 'set', p: 'payload', pt: 'msg', to: 'payload.body', tot: 'msg' },
    ],
    x: 300,
    y: 120,
    wires: [['map']],
  },
  {
    id: 'map',
    type: 'v2gate-map',
    z: 't',
    version: 1,
    name: 'trial',
    source: 'pack',
    file: '',
    text: '',
    x: 480,
    y: 120,
    wires: [['answer']],
  },
  { id: 'answer', type: 'http response', z: 't', name: '', statusCode: '', headers: {}, x: 660, y: 120, wires: [] },
];

describe('the workbench in a browser', () => {
  let gateway: GatewayProcess;
  let browser: Browser;
  let page: Page;
  let wrong: string[] = [];

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    gateway = await GatewayProcess.start({ site: JSON.parse(readFileSync(SITE, 'utf8')) });
    await gateway.ready();
    await fetch(`${gateway.url}/flows`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'node-red-deployment-type': 'full' },
      body: JSON.stringify(FLOW),
    });
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
    page.setDefaultTimeout(15_000);
    wrong = watchPage(page);
    page.on('request', (r) => {
      if (!r.url().startsWith(gateway.url) && !/^(data|blob|about):/.test(r.url()))
        wrong.push(`leaves the machine: ${r.url()}`);
    });
    await page.goto(gateway.url, { waitUntil: 'load', timeout: 30_000 });
    await openDialog();
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
  });

  async function openDialog(): Promise<void> {
    const node = page.locator('.red-ui-flow-node-group').filter({ hasText: 'trial' }).first();
    await node.waitFor({ timeout: 60_000 });
    await node.dblclick({ position: { x: 40, y: 15 } });
    await page.locator('#v2gate-map-bench.v2gate-bench-ready').waitFor(PATIENCE);
    await page
      .locator('#node-input-file option')
      .nth(1)
      .waitFor({ state: 'attached', ...PATIENCE });
  }

  /** Puts the cursor into a line of the mapping and empties it. */
  async function emptyLine(n: number): Promise<void> {
    await page.locator('#v2gate-map-code').click({ position: { x: 200, y: 60 } });
    await page.keyboard.press('Control+g');
    await page.keyboard.type(String(n));
    await page.keyboard.press('Enter');
    await page.keyboard.press('Home');
    await page.keyboard.press('Shift+End');
    await page.keyboard.press('Delete');
  }

  const verdict = () => page.locator('.v2gate-bench-verdict');
  const output = () => page.locator('.v2gate-bench-output');
  const findings = () => page.locator('#v2gate-map-facts-panel-findings');
  const tab = (name: string) => page.locator(`#v2gate-map-facts-tab-${name}`);

  it('narrows the mappings down by source and target, and tries the chosen one on its first example', async () => {
    await page.selectOption('#v2gate-map-from-language', 'hub');
    await page.selectOption('#v2gate-map-from', 'PowerCommand');
    await page.selectOption('#v2gate-map-to-language', 'ocpp2.1');
    await page.selectOption('#v2gate-map-to', 'SetChargingProfileRequest');
    const offered = await page.locator('#node-input-file option').allTextContents();
    expect(offered.length).toBeGreaterThan(3);
    expect(offered.slice(1).every((o) => o.startsWith('ocpp2.1/from-hub/PowerCommand.'))).toBe(true);
    await page.selectOption('#node-input-file', PATH);
    await verdict().filter({ hasText: 'valid ocpp2.1/SetChargingProfileRequest' }).waitFor(PATIENCE);
    expect(await output().textContent()).toContain('"setpoint": -10000');
    expect(await page.locator('.v2gate-bench-time').textContent()).toMatch(/^[\d.]+ (µs|ms), median of \d+ runs$/);
    expect(await page.locator('#v2gate-map-sample').inputValue()).toBe('example 0');
    await page.locator('#v2gate-map-facts-tab-coverage').filter({ hasText: '100 %' }).waitFor(PATIENCE);
  });

  it('says while typing what is broken and where; a click leads there', async () => {
    await emptyLine(10);
    await page.keyboard.type('"stackLevl": 1,');
    const found = findings().locator('button').filter({ hasText: 'stackLevl' });
    await found.waitFor(PATIENCE);
    expect(await found.textContent()).toMatch(/line 10, column \d+/);
    await verdict().filter({ hasText: 'stackLevel is missing' }).waitFor(PATIENCE);
    await tab('coverage').click();
    const missing = page.locator('#v2gate-map-facts-panel-coverage li').filter({ hasText: 'required, not set' });
    expect(await missing.first().textContent()).toContain('chargingProfile.stackLevel');
    await tab('findings').click();
    await page.screenshot({ path: join(PICTURES, 'workbench-broken.png') });

    await page.locator('#v2gate-map-code').click({ position: { x: 200, y: 60 } });
    await found.click();
    await page.locator('#v2gate-map-code .active-line-number').filter({ hasText: /^10$/ }).waitFor(PATIENCE);
    // A screen reader hears the same.
    expect(await page.locator('.v2gate-bench [role=status]').textContent()).toMatch(
      /^2 findings, .*Line 7: .*stackLevel/,
    );
  });

  it('a syntax error keeps the last output, faded', async () => {
    await emptyLine(10);
    await page.keyboard.type('"stackLevel": 2 2,');
    await verdict().filter({ hasText: 'cannot be compiled' }).waitFor(PATIENCE);
    expect(await findings().locator('button').first().textContent()).toContain('mapping.syntax');
    expect(await output().textContent()).toContain('"evseId"');
  });

  it('mended, the output is back, with what differs from the shipped mapping and where an override would lie', async () => {
    await emptyLine(10);
    await page.keyboard.type('"stackLevel": 2,');
    await verdict().filter({ hasText: 'valid ocpp2.1' }).waitFor(PATIENCE);
    expect(await output().textContent()).toContain('"stackLevel": 2');
    expect(await page.locator('#node-input-source').inputValue()).toBe('text');
    await tab('difference').click();
    const changed = page.locator('#v2gate-map-facts-panel-difference');
    expect(await changed.locator('[data-kind=removed]').textContent()).toContain('"stackLevel": 1');
    expect(await changed.locator('[data-kind=added]').textContent()).toContain('"stackLevel": 2');
    expect(await page.locator('.v2gate-bench-override').textContent()).toContain(PATH);
    await page.screenshot({ path: join(PICTURES, 'workbench.png') });
  });

  it('saved and deployed, messages flow through it and serve as samples', async () => {
    await page.locator('#node-dialog-ok').click();
    await page.locator('#v2gate-map-bench').waitFor({ state: 'detached', ...PATIENCE });
    const deployed = page.waitForResponse(
      (r) => r.url().endsWith('/flows') && r.request().method() === 'POST',
      PATIENCE,
    );
    await page.locator('#red-ui-header-button-deploy').click();
    await deployed;
    const made = (): Promise<Response> =>
      fetch(`${gateway.url}/http/map`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ body: COMMAND, ctx: CTX }),
        signal: AbortSignal.timeout(5_000),
      });
    await expect.poll(async () => (await made()).status, PATIENCE).toBe(200);
    expect(await (await made()).json()).toMatchObject({ chargingProfile: { stackLevel: 2 } });

    await openDialog();
    await verdict().filter({ hasText: 'valid ocpp2.1' }).waitFor(PATIENCE);
    expect(await page.locator('#node-input-source').inputValue()).toBe('text');
    const message = page.locator('#v2gate-map-sample option').filter({ hasText: 'hub/PowerCommand' }).first();
    await page.selectOption('#v2gate-map-sample', (await message.getAttribute('value')) ?? '');
    await output().filter({ hasText: '-4321' }).waitFor(PATIENCE);
  });

  it('can be used with the keyboard', async () => {
    await page.locator('#v2gate-map-facts-tab-findings').focus();
    await page.keyboard.press('ArrowRight');
    expect(await tab('coverage').getAttribute('aria-selected')).toBe('true');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('v2gate-map-facts-tab-coverage');
    const unnamed = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('#v2gate-map-bench :is(input, select, button)')]
        .filter((e) => e.offsetParent !== null && !e.closest('.monaco-editor'))
        .filter((e) => !e.textContent?.trim() && !e.ariaLabel && !(e as HTMLInputElement).labels?.length)
        .map((e) => e.outerHTML),
    );
    expect(unnamed).toEqual([]);
  });

  it('writes a new mapping, and goes back to the shipped one', async () => {
    page.once('dialog', (d) => void d.accept());
    await page.selectOption('#v2gate-map-to-language', 'ocpp1.6');
    await page.selectOption('#v2gate-map-to', 'SetChargingProfileRequest');
    await page.locator('#v2gate-map-new').click();
    await page.locator('#v2gate-map-code').filter({ hasText: 'ocpp1.6/SetChargingProfileRequest' }).waitFor(PATIENCE);
    await page.selectOption('#v2gate-map-to-language', 'ocpp2.1');
    await page.selectOption('#v2gate-map-to', 'SetChargingProfileRequest');
    await page.selectOption('#node-input-file', PATH);
    await output().filter({ hasText: '"stackLevel": 1' }).waitFor(PATIENCE);
    expect(await page.locator('#node-input-source').inputValue()).toBe('pack');
    await page.selectOption('#node-input-source', 'text');
    await page.locator('#v2gate-map-code').filter({ hasText: 'ocpp1.6/SetChargingProfileRequest' }).waitFor(PATIENCE);
    await page.locator('#v2gate-map-reset').click();
    await output().filter({ hasText: '"stackLevel": 1' }).waitFor(PATIENCE);
    expect(await page.locator('#node-input-text').inputValue()).toBe('');
  });

  it('fits into a narrow window, and nothing went wrong on the page', async () => {
    await page.setViewportSize({ width: 1000, height: 800 });
    await page.locator('#v2gate-map-facts-tab-findings').scrollIntoViewIfNeeded();
    const wide = await page.evaluate(() => {
      const bench = document.getElementById('v2gate-map-bench');
      const edge = bench?.getBoundingClientRect().right ?? 0;
      return [...(bench?.querySelectorAll('section, select, button') ?? [])].filter(
        (e) => e.getBoundingClientRect().right > edge + 1 && !e.closest('.monaco-editor'),
      ).length;
    });
    expect(wide).toBe(0);
    expect(wrong).toEqual([]);
  });
});
