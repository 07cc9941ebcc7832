import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from './support/browser.ts';
import { GatewayProcess, ROOT } from './support/gateway.ts';
import { crossesZero } from './support/plot.ts';

const PICTURES = join(ROOT, '.data');
const EMPTY = join(ROOT, 'flows/uc-2.1-setpoint-following/empty.json');

/** Where each node is dropped, px from the upper left corner of the canvas. */
const PLACES = {
  'ocpp-in': [120, 60],
  fleet: [310, 60],
  'fo-out': [720, 100],
  'fo-in': [120, 180],
  service: [310, 180],
  allocate: [520, 240],
  'ocpp-out': [720, 240],
  'virtual-fleet': [160, 350],
  'virtual-fo': [480, 350],
} as const;
type Name = keyof typeof PLACES;

/** From, its output, to: as step 3 and 4 of the README say. */
const WIRES: readonly (readonly [Name, number, Name])[] = [
  ['fo-in', 0, 'service'],
  ['service', 0, 'fo-out'],
  ['service', 1, 'allocate'],
  ['allocate', 0, 'ocpp-out'],
  ['ocpp-in', 0, 'fleet'],
  ['fleet', 0, 'fo-out'],
];

/** What the test uses of the editor. */
declare const RED: {
  readonly nodes: { eachNode(see: (n: { readonly id: string; readonly type: string }) => void): void };
};

describe('the first flow of the README', () => {
  let gateway: GatewayProcess;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    [gateway, browser] = await Promise.all([GatewayProcess.start({ flowFile: EMPTY }), launchChromium()]);
    page = await (await browser.newContext({ viewport: { width: 1500, height: 800 }, locale: 'en-US' })).newPage();
    page.setDefaultTimeout(30_000);
    await page.goto(gateway.url, { waitUntil: 'load', timeout: 60_000 });
    await page.locator('.red-ui-palette-node[data-palette-type="v2gate-virtual-fo"]').waitFor({ timeout: 60_000 });
    await page.locator('#red-ui-workspace-chart').waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
  });

  const drop = async (name: Name): Promise<string> => {
    const before = await idsOf(page, name);
    const from = page.locator(`.red-ui-palette-node[data-palette-type="v2gate-${name}"]`);
    await from.scrollIntoViewIfNeeded();
    const [node, chart] = [await from.boundingBox(), await page.locator('#red-ui-workspace-chart').boundingBox()];
    if (!node || !chart) throw new Error(`${name} cannot be seen`);
    await page.mouse.move(node.x + 20, node.y + 10);
    await page.mouse.down();
    await page.mouse.move(chart.x + PLACES[name][0], chart.y + PLACES[name][1], { steps: 6 });
    await page.mouse.up();
    const [id] = (await idsOf(page, name)).filter((other) => !before.includes(other));
    if (id === undefined) throw new Error(`${name} was not dropped`);
    return id;
  };
  const wire = async (from: string, output: number, to: string): Promise<void> => {
    const out = await page.locator(`[id="${from}"] .red-ui-flow-port-output`).nth(output).boundingBox();
    const input = await page.locator(`[id="${to}"] .red-ui-flow-port-input`).boundingBox();
    if (!out || !input) throw new Error('a port cannot be seen');
    await page.mouse.move(out.x + 4, out.y + 4);
    await page.mouse.down();
    await page.mouse.move(input.x + 4, input.y + 4, { steps: 5 });
    await page.mouse.up();
  };

  it('is nine nodes, six wires and Deploy, without a dialog; then power moves through zero', async () => {
    const ids = new Map<Name, string>(); // bounded by: the nodes of the flow
    for (const name of Object.keys(PLACES) as Name[]) ids.set(name, await drop(name));
    await page.mouse.click(1000, 560);
    for (const [from, output, to] of WIRES) await wire(ids.get(from) ?? '', output, ids.get(to) ?? '');
    expect(await page.locator('.red-ui-flow-node-error:visible').count()).toBe(0);
    await page.locator('#red-ui-header-button-deploy').click();
    await crossesZero(gateway.url, 'grantedW', 60_000);
    await crossesZero(gateway.url, 'measuredW', 60_000);
    await page.getByText('8 stations', { exact: false }).first().waitFor();
    const chart = { x: 216, y: 42, width: 900, height: 400 };
    await page.screenshot({ path: join(PICTURES, 'first-flow.png'), clip: chart });
  });
});

const idsOf = (page: Page, name: Name): Promise<string[]> =>
  page.evaluate((type) => {
    const ids: string[] = [];
    RED.nodes.eachNode((n) => {
      if (n.type === type) ids.push(n.id);
    });
    return ids;
  }, `v2gate-${name}`);
