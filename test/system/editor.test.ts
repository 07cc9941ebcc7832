import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NODES } from '../../nodes/registry.ts';
import { launchChromium, watchPage } from './support/browser.ts';
import { GatewayProcess, ROOT } from './support/gateway.ts';

const PICTURES = join(ROOT, '.data');
const PATIENCE = { timeout: 20_000 };
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PALETTE = NODES.filter((n) => n.kind === 'node');

/** What the tests use of the editor. */
interface EditorGlobal {
  readonly nodes: {
    node(id: string): { readonly validationErrors?: readonly string[] } | null;
    add(node: object): void;
    getType(type: string): object;
  };
  readonly editor: { edit(node: unknown): void; editConfig(name: string, type: string, id: string): void };
  readonly sidebar: { readonly help: { show(type: string): void } };
  readonly view: { reveal(id: string): void };
}
declare const RED: EditorGlobal;

describe('the palette in a browser', () => {
  let gateway: GatewayProcess;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const watched: string[][] = [];

  const open = async (locale: string): Promise<Page> => {
    context = await browser.newContext({ viewport: { width: 1600, height: 1100 }, locale });
    const opened = await context.newPage();
    opened.setDefaultTimeout(15_000);
    watched.push(watchPage(opened));
    await opened.goto(gateway.url, { waitUntil: 'load', timeout: 30_000 });
    await opened.waitForSelector('.red-ui-flow-node-group', { timeout: 60_000 });
    return opened;
  };
  const edit = async (id: string): Promise<void> => {
    await page.evaluate((nodeId) => RED.editor.edit(RED.nodes.node(nodeId)), id);
    await page.locator('.red-ui-tray-body form').first().waitFor(PATIENCE);
  };
  const cancel = async (): Promise<void> => {
    await page.locator('#node-dialog-cancel').click();
    await page.locator('.red-ui-tray').waitFor({ state: 'detached', ...PATIENCE });
  };
  const now = () => page.locator('.v2gate-now-line');

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    [gateway, browser] = await Promise.all([GatewayProcess.start(), launchChromium()]);
    await gateway.ready();
    page = await open('en-US');
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
  });

  /** A failed test must not fail those after it. */
  afterEach(async () => {
    while ((await page.locator('.red-ui-tray').count()) > 0) {
      await page.locator('.red-ui-tray').last().locator('#node-dialog-cancel, #node-config-dialog-cancel').click();
      await page.waitForTimeout(400);
    }
  });

  it('has one category with every node, its icon and its colour', async () => {
    const shown = page.locator('#red-ui-palette-v2gate .red-ui-palette-node');
    const labels = await shown.locator('.red-ui-palette-label').allTextContents();
    expect(labels.map((t) => t.trim().replaceAll(/\s+/g, ' '))).toEqual(PALETTE.map((n) => n.label));
    const icons = await shown
      .locator('.red-ui-palette-icon')
      .evaluateAll((all) => all.map((e) => getComputedStyle(e).backgroundImage || (e.getAttribute('src') ?? '')));
    for (const [i, n] of PALETTE.entries()) {
      const path = /icons\/[^"')]+/.exec(icons[i] ?? '')?.[0] ?? '';
      expect(decodeURIComponent(path)).toContain(`/${n.folder}.svg`);
      const icon = await fetch(`${gateway.url}/${path}`);
      expect([icon.status, icon.headers.get('content-type')]).toEqual([200, 'image/svg+xml']);
    }
    expect(await page.locator('.red-ui-flow-node-unknown').count()).toBe(0);
    expect(await page.locator('.red-ui-flow-node-error:not(.hide)').count()).toBe(0);
    await page.screenshot({ path: join(PICTURES, 'palette.png') });
  });

  it('a node that is dragged into the flow has a dialog that knows the site', async () => {
    const from = page.locator('#red-ui-palette-v2gate .red-ui-palette-node', { hasText: /^\s*fleet\s*$/ });
    await from.dragTo(page.locator('#red-ui-workspace-chart'), { targetPosition: { x: 700, y: 560 } });
    const dropped = page
      .locator('.red-ui-flow-node-group.red-ui-flow-node-selected, .red-ui-flow-node-selected')
      .first();
    await dropped.waitFor(PATIENCE);
    await page.keyboard.press('Enter');
    await page.locator('.red-ui-tray-body form').first().waitFor(PATIENCE);
    await now().filter({ hasText: 'Harbour depot (demo) · stations: 8' }).waitFor(PATIENCE);
    const offered = (id: string) =>
      page.locator(`#${id} option`).evaluateAll((all) => all.map((o) => Reflect.get(o, 'value')));
    expect(await offered('node-input-group-list')).toEqual(['g:depot']);
    expect(await offered('node-input-resource-list')).toContain('DEMO-V2G-4.1');
    await page.fill('#node-input-group', 'g:depot');
    await page.locator('#node-dialog-ok').click();
    await page.locator('.red-ui-tray').waitFor({ state: 'detached', ...PATIENCE });
    await page.locator('.red-ui-flow-node-label', { hasText: 'fleet g:depot' }).first().waitFor(PATIENCE);
    await page.keyboard.press('Control+z');
  });

  it('what is wrong in a dialog is marked, and says why', async () => {
    await page.evaluate(() => RED.editor.editConfig('', 'v2gate-ocpp-server', 'uc21-ocpp'));
    await now().filter({ hasText: 'stations: 8' }).waitFor(PATIENCE);
    const port = page.locator('#node-config-input-port');
    await port.fill('99999');
    await port.press('Tab');
    const classes = async () => (await port.getAttribute('class')) ?? '';
    await expect.poll(classes, PATIENCE).toContain('input-error');
    await port.hover();
    await page.locator('.red-ui-popover', { hasText: 'a port from 0 to 65535' }).first().waitFor(PATIENCE);
    await port.fill('');
    await port.press('Tab');
    await expect.poll(classes, PATIENCE).not.toContain('input-error');
    await page.locator('#node-config-dialog-cancel').click();
    await page.locator('.red-ui-tray').waitFor({ state: 'detached', ...PATIENCE });
  });

  it('rows appear when they matter', async () => {
    await page.evaluate(() => RED.editor.editConfig('', 'v2gate-fo-link', 'uc21-fo'));
    await now().waitFor(PATIENCE);
    const row = (name: string) => page.locator(`[data-v2gate-row=${name}]`);
    await row('brokerUrl').waitFor({ state: 'hidden', ...PATIENCE });
    await page.selectOption('#node-config-input-transport', 'mqtt');
    await row('brokerUrl').waitFor(PATIENCE);
    await row('path').waitFor({ state: 'hidden', ...PATIENCE });
    await row('brokerUser').waitFor({ state: 'hidden', ...PATIENCE });
    await page.fill('#node-config-input-brokerUrl', 'mqtt://broker.example');
    await row('brokerUser').waitFor(PATIENCE);
    await now()
      .filter({ hasText: /ws:\/\/127\.0\.0\.1:\d+\/fo · fo:north/ })
      .waitFor(PATIENCE);
    await page.locator('#node-config-dialog-cancel').click();
    await page.locator('.red-ui-tray').waitFor({ state: 'detached', ...PATIENCE });
  });

  it('the virtual fleet is stopped, started and disturbed from its dialog and its button', async () => {
    await edit('uc21-stations');
    const state = page.locator('.v2gate-now [role=status]').last();
    await state.filter({ hasText: /8 stations · \d charging/ }).waitFor({ timeout: 30_000 });
    await page
      .locator('#v2gate-panel-station option', { hasText: 'DEMO-V2G-1' })
      .waitFor({ state: 'attached', ...PATIENCE });
    await page.selectOption('#v2gate-panel-what', 'fault.disconnect');
    await page.selectOption('#v2gate-panel-station', 'DEMO-V2G-1');
    await page.screenshot({ path: join(PICTURES, 'virtual-fleet.png') });
    await page.locator('.v2gate-now fieldset button').click();
    await state.filter({ hasText: '8 stations · 1 offline' }).waitFor(PATIENCE);
    await page.locator('.v2gate-now button', { hasText: 'Stop' }).click();
    await state.filter({ hasText: 'stopped' }).waitFor(PATIENCE);
    await cancel();
    await page.evaluate(() => RED.view.reveal('uc21-stations'));
    await page.locator('#uc21-stations .red-ui-flow-node-button-button').click();
    await page.locator('.red-ui-notification', { hasText: 'virtual fleet: starting' }).waitFor(PATIENCE);
    await edit('uc21-stations');
    await state.filter({ hasText: /8 stations/ }).waitFor(PATIENCE);
    await cancel();
  });

  it('a virtual operator sends a setpoint by hand', async () => {
    await edit('uc21-operator');
    await page.selectOption('#v2gate-panel-what', 'act.setpoint');
    await page.fill('#v2gate-panel-target', '7000');
    const state = page.locator('.v2gate-now [role=status]').last();
    await state.filter({ hasText: 'service runs' }).waitFor({ timeout: 30_000 });
    await page.locator('.v2gate-now fieldset button').click();
    await state.filter({ hasText: '7000 W' }).waitFor(PATIENCE);
    await cancel();
  });

  it('every dialog has no serious accessibility violation of ours, and all of it can be reached with the keyboard', async () => {
    await page.evaluate(AXE);
    for (const { type, kind, defaults } of NODES.filter((n) => !n.ownDialog)) {
      const id = await page.evaluate((nodeType) => {
        const ids: Record<string, string> = {
          'v2gate-site': 'uc21-site',
          'v2gate-fo-link': 'uc21-fo',
          'v2gate-ocpp-server': 'uc21-ocpp',
        };
        return ids[nodeType] ?? '';
      }, type);
      if (kind === 'config') await page.evaluate(([t, i]) => RED.editor.editConfig('', t ?? '', i ?? ''), [type, id]);
      else
        await page.evaluate(
          ([t, values]) => {
            const _def = RED.nodes.getType(String(t));
            const node = {
              id: `trial-${t}`,
              type: t,
              z: 'uc21',
              x: 10,
              y: 10,
              wires: [],
              _def,
              _config: {},
              ...(values as object),
            };
            RED.editor.edit(node);
          },
          [type, defaults] as const,
        );
      await now().waitFor(PATIENCE);
      const violations = await page.evaluate(async () => {
        const axe = Reflect.get(globalThis, 'axe');
        const { violations } = await axe.run(
          { include: ['.red-ui-tray-body form'], exclude: ['[id^=red-ui-trap]'] },
          {
            resultTypes: ['violations'],
            rules: { 'color-contrast': { enabled: false } },
          },
        );
        return violations
          .filter((v: { impact: string }) => v.impact === 'serious' || v.impact === 'critical')
          .map((v: { id: string; nodes: { html: string }[] }) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`);
      });
      expect(violations, type).toEqual([]);
      const reached = await tabThrough(2 * Object.keys(defaults).length + 4);
      const wanted = await page
        .locator('.red-ui-tray-body form :is(input, select, textarea)[id^=node-]:visible')
        .evaluateAll((all) => all.map((e) => e.id));
      for (const field of wanted) expect(reached, `${field} of ${type}`).toContain(field);
      await page.locator(kind === 'config' ? '#node-config-dialog-cancel' : '#node-dialog-cancel').click();
      await page.locator('.red-ui-tray').waitFor({ state: 'detached', ...PATIENCE });
    }
  });

  /** The ids that get the focus one after the other. */
  async function tabThrough(times: number): Promise<string[]> {
    await page.evaluate(() => {
      const seen: string[] = [];
      Reflect.set(globalThis, 'seenByTab', seen);
      document.addEventListener('focusin', (e) => e.target instanceof Element && seen.push(e.target.id));
    });
    await page.locator('.red-ui-tray-body form :is(input, select)').first().focus();
    for (let i = 0; i < times; i++) await page.keyboard.press('Tab');
    return page.evaluate(() => Reflect.get(globalThis, 'seenByTab'));
  }

  it('help stands beside the flow, and all of it is there in German', async () => {
    await page.evaluate(() => RED.sidebar.help.show('v2gate-evidence'));
    const help = (text: string) => page.locator('.red-ui-help', { hasText: text }).last();
    await help('Asks what is on record').getByText('References').waitFor(PATIENCE);
    await context.close();

    page = await open('de');
    await page.evaluate(() => RED.sidebar.help.show('v2gate-evidence'));
    await help('Fragt, was festgehalten ist').getByText('Verweise').waitFor(PATIENCE);
    await edit('uc21-stations');
    await page.locator('label', { hasText: 'Szenario' }).waitFor(PATIENCE);
    await page
      .locator('#node-input-scenario option', { hasText: 'Demoflotte, Grundlast' })
      .waitFor({ state: 'attached' });
    await page.locator('.v2gate-now legend', { hasText: 'Stören' }).waitFor(PATIENCE);
    await now()
      .filter({ hasText: /^Jetzt: .*Stationen: 8 · Verträge: 1/ })
      .waitFor(PATIENCE);
    await page.screenshot({ path: join(PICTURES, 'virtual-fleet-de.png') });
    await cancel();
  });

  it('nothing went wrong on the pages', () => {
    expect(watched.flat()).toEqual([]);
  });

  it('a full deploy interrupts no simulated station or operator, and without their nodes they are gone', async () => {
    const flows = (await gateway.get('/flows')) as { readonly id: string; readonly type: string }[];
    const deploy = async (nodes: readonly object[]): Promise<void> => {
      const headers = { 'content-type': 'application/json', 'node-red-deployment-type': 'full' };
      const answer = await fetch(`${gateway.url}/flows`, { method: 'POST', headers, body: JSON.stringify(nodes) });
      expect(answer.status).toBe(204);
    };
    const connected = (): number => gateway.child.lines.filter((l) => /station\.boot|fo\.up/.test(l)).length;
    const before = connected();
    expect(before).toBeGreaterThanOrEqual(9);
    await deploy(flows.map((n) => (n.type === 'comment' ? { ...n, info: 'changed' } : n)));
    await page.waitForTimeout(4000);
    expect(connected()).toBe(before);
    await deploy(flows.filter((n) => !n.type.startsWith('v2gate-virtual-')));
    const links = async () => {
      const { components } = (await gateway.get('/health')) as { components: Record<string, { text: string }> };
      return `${components['link stations']?.text} / ${components['link operators']?.text}`;
    };
    await expect.poll(links, PATIENCE).toMatch(/^(0|no) stations? .*\/ no operator/);
  });
});
