import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from './support/browser.ts';
import { GatewayProcess, ROOT } from './support/gateway.ts';

const PICTURES = join(ROOT, '.data');

describe('in a browser', () => {
  let gateway: GatewayProcess;
  let browser: Browser;

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    gateway = await GatewayProcess.start();
    await gateway.ready();
    browser = await launchChromium();
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
