import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { hashPassword } from '../../gateway/passwords.ts';
import { writeUsers } from '../../gateway/users.ts';
import { launchChromium, watchPage } from './support/browser.ts';
import { eventually } from './support/child.ts';
import { GatewayProcess } from './support/gateway.ts';

const PASSWORD = 'correct horse battery';
const STRICT = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** What an operator does at the console, against the real gateway with its demo. */
describe('an operator at the console', () => {
  let gateway: GatewayProcess;
  let browser: Browser;
  let page: Page;
  let wrong: string[];

  beforeAll(async () => {
    gateway = await GatewayProcess.start();
    await gateway.ready();
    browser = await launchChromium();
    const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
    page = await context.newPage();
    // Before the login every request is refused, and browsers note that.
    wrong = watchPage(page, /status of 40[13]/);
    page.setDefaultTimeout(15_000);
    await page.goto(`${gateway.url}/console/#/stations`);
    await row('DEMO-V2G-1.1').waitFor({ timeout: 60_000 });
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
  });

  const row = (resource: string) =>
    page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: resource }) });
  const me = async () => (await gateway.get('/v2gate/api/me')) as { authRequired: boolean };
  const poc = () => row('Connection point');

  it('gets the console under a strict policy', async () => {
    const { headers } = await fetch(`${gateway.url}/console/`);
    expect(headers.get('content-security-policy')).toBe(STRICT);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

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
    await page.getByRole('navigation').getByRole('link', { name: 'Limits' }).click();
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

  it('is asked to log in, and sees nothing before', async () => {
    const hash = await hashPassword(PASSWORD);
    await writeUsers(gateway.dataDir, [
      { name: 'vera', role: 'viewer', hash },
      { name: 'otto', role: 'operator', hash },
    ]);
    await eventually('users are in force', async () => ((await me()).authRequired ? true : undefined), 10_000);
    await page.goto('about:blank');
    await page.goto(`${gateway.url}/console/#/limits`);
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    await login('vera', 'wrong password here');
    await page
      .getByRole('alert')
      .filter({ hasText: /password|name/i })
      .waitFor();
    expect(await page.getByRole('rowheader').count()).toBe(0);
  });

  it('as a viewer looks at everything and is offered nothing that changes it', async () => {
    await login('vera', PASSWORD);
    await page.getByText('vera · viewer').waitFor();
    await page.getByRole('row').filter({ hasText: 'Connection point' }).waitFor();
    expect(await page.getByRole('button', { name: 'Set limit …' }).count()).toBe(0);
    await page.getByRole('navigation').getByRole('link', { name: 'Stations' }).click();
    await page.getByRole('button', { name: 'DEMO-AC-1.1' }).click();
    const station = page.getByRole('dialog', { name: 'DEMO-AC-1.1' });
    await station.getByText('asking the station').waitFor();
    expect(await station.getByRole('button').allTextContents()).toEqual(['Follow on the wire', 'Close']);
    const refused = await page.evaluate(async () => {
      const limit = { nodeId: 'poc', source: 'operator', importLimitW: 1 };
      const headers = { 'content-type': 'application/json' };
      return (await fetch('../v2gate/api/limit', { method: 'POST', headers, body: JSON.stringify(limit) })).status;
    });
    expect(refused).toBe(403);
    await page.keyboard.press('Escape');
  });

  it('as an operator is offered limits and orders, and may log out', async () => {
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    await login('otto', PASSWORD);
    await page.getByText('otto · operator').waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Limits' }).click();
    await page.getByRole('button', { name: 'Set limit …' }).waitFor();
    expect(wrong).toEqual([]);
  });

  it('is told that the connection is lost, and keeps seeing what was known', async () => {
    await page.getByRole('navigation').getByRole('link', { name: 'Stations' }).click();
    await gateway.child.stop();
    await page.getByRole('alert').getByText('Connection to the gateway lost').waitFor();
    expect(await row('DEMO-V2G-1.1').count()).toBe(1);
    expect(await page.locator('body').getAttribute('data-connection')).toBe('lost');
  });

  async function login(name: string, password: string): Promise<void> {
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Password').fill(password);
    await page.keyboard.press('Enter');
  }
});
