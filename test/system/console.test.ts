import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/child.ts';
import { GatewayProcess, ROOT } from './support/gateway.ts';
import { crossesZero, plotOf } from './support/plot.ts';

const PICTURES = join(ROOT, '.data');

function chromiumPath(): string {
  const found = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => existsSync(p));
  if (found === undefined) throw new Error('There is no Chromium. Install it: apt install chromium.');
  return found;
}

describe('in a browser', () => {
  let gateway: GatewayProcess;
  let browser: Browser;

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    gateway = await GatewayProcess.start();
    await gateway.ready();
    browser = await chromium.launch({
      executablePath: chromiumPath(),
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
  });

  /** A page that notes everything that goes wrong in it. */
  async function open(path: string): Promise<{ page: Page; wrong: string[] }> {
    const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
    const wrong: string[] = [];
    page.on('pageerror', (e) => wrong.push(`uncaught: ${e.message}`));
    page.on('console', (m) => {
      if (m.type() === 'error') wrong.push(`console: ${m.text()} ${m.location().url}`);
    });
    page.on('response', (r) => {
      if (r.status() >= 400) wrong.push(`${r.status()} ${r.url()}`);
    });
    page.on('requestfailed', (r) => {
      if (r.failure()?.errorText !== 'net::ERR_ABORTED') wrong.push(`${r.failure()?.errorText} ${r.url()}`);
    });
    page.on('request', (r) => {
      if (!r.url().startsWith(gateway.url) && !/^(data|blob|about):/.test(r.url()))
        wrong.push(`leaves the machine: ${r.url()}`);
    });
    await page.goto(`${gateway.url}${path}`, { waitUntil: 'load', timeout: 30_000 });
    return { page, wrong };
  }

  it('the console draws the plot and lists the stations, without an error', async () => {
    await crossesZero(gateway.url, 'measuredW', 90_000);
    await eventually(
      'half a minute is plotted',
      async () => ((await plotOf(gateway.url)).length >= 30 ? true : undefined),
      60_000,
    );
    const { page, wrong } = await open('/console');
    await page.waitForSelector('canvas', { timeout: 15_000 });
    const inked = await page.waitForFunction(colours, undefined, { timeout: 15_000 });
    expect(await inked.jsonValue()).toBeGreaterThanOrEqual(3);
    await page.getByText('DEMO-V2G-1').first().waitFor({ timeout: 15_000 });
    for (const name of ['DEMO-V2G-2', 'DEMO-V2G-3', 'DEMO-AC-1', 'DEMO-AC-2']) {
      expect(await page.getByText(name).count()).toBeGreaterThan(0);
    }
    await page.screenshot({ path: join(PICTURES, 'console.png') });
    expect(wrong).toEqual([]);
    await page.close();
  });

  it('the editor shows the flow of the demo with its nodes known, without an error', async () => {
    const { page, wrong } = await open('/');
    await page.waitForSelector('.red-ui-flow-node-group', { timeout: 60_000 });
    const labels = await page.locator('.red-ui-flow-node-label').allTextContents();
    for (const label of ['fo in', 'service', 'allocate', 'ocpp out', 'ocpp in', 'fleet'])
      expect(labels.map((l) => l.trim())).toContain(label);
    expect(await page.locator('.red-ui-flow-node-unknown').count()).toBe(0);
    expect(await page.locator('.red-ui-flow-node-error:not(.hide)').count()).toBe(0);
    await page.screenshot({ path: join(PICTURES, 'editor.png') });
    expect(wrong).toEqual([]);
    await page.close();
  });
});

/** In the page: how many clearly different, opaque colours the plot has; undefined while it shows hardly anything. */
function colours(): number | undefined {
  const canvas = document.querySelector('canvas');
  const data = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data;
  if (!data) return undefined;
  const seen = new Map<number, number>();
  for (let i = 0; i < data.length; i += 4) {
    if ((data[i + 3] ?? 0) < 200) continue;
    const colour = ((data[i] ?? 0) >> 5) * 64 + ((data[i + 1] ?? 0) >> 5) * 8 + ((data[i + 2] ?? 0) >> 5);
    seen.set(colour, (seen.get(colour) ?? 0) + 1);
  }
  const lasting = [...seen.values()].filter((n) => n > 50).length;
  return lasting >= 3 ? lasting : undefined;
}
