import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { GatewayProcess } from './support/gateway.ts';

const STRICT = "default-src 'self'; frame-ancestors 'none'";

/** What an operator does at the console, against the real gateway with its demo. */
describe('an operator at the console', () => {
  let gateway: GatewayProcess;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    gateway = await GatewayProcess.start();
    await gateway.ready();
    const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
      existsSync,
    );
    if (executablePath === undefined) throw new Error('There is no Chromium. Install it: apt install chromium.');
    browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
    page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
    page.setDefaultTimeout(15_000);
    await page.route('**/console/', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': STRICT } });
    });
    await page.goto(`${gateway.url}/console/`);
    await row('DEMO-V2G-1.1').waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
  });

  const row = (resource: string) =>
    page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: resource }) });
  const poc = () => row('Connection point');

  it('sorts and filters the stations by keyboard', async () => {
    await page.getByRole('button', { name: 'Resource' }).focus();
    await page.keyboard.press('Enter');
    const head = page.getByRole('columnheader', { name: 'Resource' });
    await page.waitForFunction((th) => th?.getAttribute('aria-sort') === 'descending', await head.elementHandle());
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Resource');
    await page.getByLabel('Filter').pressSequentially('demo-ac-1');
    await row('DEMO-V2G-1.1').waitFor({ state: 'detached' });
    expect(await row('DEMO-AC-1.1').count()).toBe(1);
    await page.getByLabel('Filter').fill('');
  });

  it('sees what an unknown station reported, accepts it, and has it in the table without a reload', async () => {
    const station = new WebSocket(`${await gateway.link('stations')}/CS-77`, ['ocpp1.6']);
    const boot = { chargePointVendor: 'Acme', chargePointModel: 'Wall 1', chargePointSerialNumber: 'S-0042' };
    station.on('open', () => station.send(JSON.stringify([2, 'b1', 'BootNotification', boot])));
    try {
      const accept = page.getByRole('button', { name: /Accept CS-77/ });
      await accept.click();
      const question = page.getByRole('dialog', { name: 'Accept CS-77?' });
      for (const fact of ['Acme', 'Wall 1', 'S-0042', 'OCPP 1.6'])
        await question.getByText(fact, { exact: true }).waitFor();
      await page.keyboard.press('Escape');
      await question.waitFor({ state: 'hidden' });
      await accept.click();
      await question.getByRole('button', { name: 'Accept station' }).click();
      await row('CS-77.1').waitFor();
      await accept.waitFor({ state: 'detached' });
    } finally {
      station.close();
    }
  });

  it('sets and lifts a limit after a question, and is told what is wrong with one that cannot be', async () => {
    const set = page.getByRole('button', { name: 'Set limit …' });
    await page.getByLabel('Import, at most').fill('ten');
    await set.click();
    await page.getByRole('alert').getByText('A power in kW').waitFor();
    await page.getByLabel('Import, at most').fill('12,5');
    await set.click();
    await page.getByRole('dialog').getByText('import at most 12.5').waitFor();
    await page.getByRole('button', { name: 'Set limit', exact: true }).click();
    await poc().getByText('12.5').waitFor();
    expect(await poc().innerText()).toContain('operator');
    await page.getByRole('button', { name: 'Lift limit …' }).click();
    await page.getByRole('button', { name: 'Lift limit', exact: true }).click();
    await poc().getByText('site file').waitFor();
  });

  it('fits a phone, and follows the colours that the system prefers', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(13, 20, 27)');
    await page.setViewportSize({ width: 1440, height: 1000 });
  });

  it('is told that the connection is lost, and keeps seeing what was known', async () => {
    await gateway.child.stop();
    await page.getByRole('alert').getByText('Connection to the gateway lost').waitFor();
    expect(await row('DEMO-V2G-1.1').count()).toBe(1);
    expect(await page.locator('body').getAttribute('data-connection')).toBe('lost');
  });
});
