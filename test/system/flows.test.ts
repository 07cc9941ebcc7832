import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, watchPage } from './support/browser.ts';
import { GatewayProcess, ROOT } from './support/gateway.ts';

const PICTURES = join(ROOT, '.data');

describe('the flows of the other demos in the editor', () => {
  let browser: Browser;

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  it.each([
    ['uc-2.7', ['m:poc', 'only news', 'control room']],
    ['two-fos', ['house rule', 'reply', 'fo:north hears']],
  ])('%s has only known nodes, which are well', async (flow, labels) => {
    const gateway = await GatewayProcess.start({ env: { V2GATE_FLOW: flow } });
    try {
      await gateway.ready();
      const page = await browser.newPage({ viewport: { width: 1600, height: 1200 } });
      const wrong = watchPage(page);
      await page.goto(gateway.url, { waitUntil: 'load', timeout: 30_000 });
      await page.waitForSelector('.red-ui-flow-node-group', { timeout: 60_000 });
      const shown = (await page.locator('.red-ui-flow-node-label').allTextContents()).map((l) => l.trim());
      for (const label of [...labels, 'fo in', 'service', 'allocate', 'ocpp out']) expect(shown).toContain(label);
      expect(await page.locator('.red-ui-flow-node-unknown').count()).toBe(0);
      expect(await page.locator('.red-ui-flow-node-error:not(.hide)').count()).toBe(0);
      expect(wrong).toEqual([]);
      await page.screenshot({ path: join(PICTURES, `flow-${flow}.png`) });
      await page.close();
    } finally {
      await gateway.stop();
    }
  });
});
