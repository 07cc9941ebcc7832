import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { cutTexts, launchChromium, watchPage } from './support/browser.ts';
import { Child } from './support/child.ts';
import { GatewayProcess, ROOT } from './support/gateway.ts';

/** A short service whose record and proof come soon, then a mandatory limit with a step. */
const SCENARIO = {
  services: [
    { type: 'setpoint', durationS: 10, minW: -20_000, maxW: 20_000, steps: [{ atS: 0, targetW: 8000 }] },
    {
      type: 'congestion',
      durationS: 600,
      gridNode: 'node:7',
      referencePoint: 'site',
      mandateRef: 'DSO-1',
      limits: [
        { atS: 0, importLimitW: 30_000 },
        { atS: 60, importLimitW: 20_000 },
      ],
    },
  ],
  pauseS: 3,
  repeat: false,
};

/** What the issue Path brought to the console: choices, evidence, capabilities, removal, limits (fo 4.3, fo 6.4, fo 9.4). */
describe('an operator at the console of a site with services', () => {
  let gateway: GatewayProcess;
  let browser: Browser;
  let page: Page;
  let folder: string;
  const programs: Child[] = [];
  let wrong: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'v2gate-console-'));
    await writeFile(join(folder, 'scenario.json'), JSON.stringify(SCENARIO));
    gateway = await GatewayProcess.start({ site: await site() });
    await gateway.ready();
    programs.push(program('stations', ['--url', await gateway.link('stations')]));
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
    page.setDefaultTimeout(30_000);
    // A refusal is an answer of the gateway; browsers note every status above 399.
    wrong = watchPage(page, /status of 409/);
    await page.goto(`${gateway.url}/console/#/stations`);
    await row('DEMO-V2G-1.1').getByText('OCPP 2.1').waitFor();
    const operator = ['--url', await gateway.link('operators'), '--scenario', join(folder, 'scenario.json')];
    programs.push(program('fo', operator));
  });
  afterEach(() => page.evaluate(() => document.querySelectorAll('dialog').forEach((d) => void d.close())));
  afterAll(async () => {
    await browser?.close();
    for (const p of programs) await p.stop();
    await gateway?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const row = (resource: string) =>
    page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: resource }) });
  const view = (name: string) => page.getByRole('navigation').getByRole('link', { name }).click();
  const table = (id: string) => page.locator(`#${id}`);
  const dialog = (name: string | RegExp) => page.getByRole('dialog', { name });

  it('sees what a station can do, and how it is commanded', async () => {
    await page.getByRole('button', { name: 'DEMO-V2G-1.1' }).click();
    const detail = dialog('DEMO-V2G-1.1');
    await detail.getByText('asking the station').waitFor();
    expect(await detail.innerText()).toMatch(/Functions\s+smart charging, dynamic setpoints/);
    await page.keyboard.press('Escape');
    await detail.waitFor({ state: 'hidden' });
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('DEMO-V2G-1.1');
  });

  it('finds record and proof with their totals, and sees that the signatures are valid', async () => {
    await view('Evidence');
    const first = table('documents').getByRole('row').nth(1);
    await first.getByText('Signature valid').waitFor({ timeout: 150_000 });
    expect((await first.innerText()).replaceAll('\u202f', ' ')).toMatch(/fo:north[\s\S]*Completed[\s\S]*\d Wh[\s\S]*%/);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      first.getByRole('link', { name: 'Proof' }).click(),
    ]);
    const proof = JSON.parse(await readFile(await download.path(), 'utf8')) as Record<string, unknown>;
    expect(proof).toMatchObject({ type: 'Proof', signature: { alg: 'EdDSA' } });
    expect(await (await fetch((await page.locator('#jwks').getAttribute('href')) ?? '')).json()).toHaveProperty('keys');
  });

  it('has the browser check the whole event log', async () => {
    await view('Evidence');
    await page.getByRole('button', { name: 'Check the whole chain' }).click();
    await page.getByText(/entries, number 1 to \d+: none changed, none missing in between/).waitFor();
    await table('events').getByText('service.completed').first().waitFor();
  });

  it('sees a limit series as terms, steps and a band, and is refused an opt-out from what is mandatory', async () => {
    await view('Services');
    const limit = table('services').getByRole('row').filter({ hasText: 'Congestion limit' });
    await limit.getByText('Active').waitFor();
    expect((await limit.innerText()).replaceAll('\u202f', ' ')).toMatch(
      /mandatory[\s\S]*≤ 30.0 kW|mandatory[\s\S]*≤ 20.0 kW/,
    );
    await view('Overview');
    await page.locator('#band-note').waitFor();
    await view('Services');
    await limit.getByRole('button', { name: /Details of/ }).click();
    await dialog(/Congestion limit/)
      .getByText('import at most')
      .first()
      .waitFor();
    await page.keyboard.press('Escape');
    await view('Stations');
    await optOf('DEMO-AC-1.1', 'Opt out', 'Opt out');
    await dialog('DEMO-AC-1.1').getByRole('alert').getByText('A mandatory service allows no opt-out').waitFor();
    await dialog('DEMO-AC-1.1').getByText('mandatory.noOptOut').waitFor();
    await page.keyboard.press('Escape');
  });

  it('takes a service back with a reason that the operator may give', async () => {
    await view('Services');
    const limit = table('services').getByRole('row').filter({ hasText: 'Congestion limit' });
    await limit.getByRole('button', { name: /Details of/ }).click();
    await page.getByRole('button', { name: 'Take back …' }).click();
    const question = dialog(/Take back/);
    await question.getByLabel('Reason').selectOption('fault');
    await question.getByRole('button', { name: 'Take service back' }).click();
    await page.getByText(/is taken back; fo:north is told/).waitFor();
    await page.keyboard.press('Escape');
    await view('Evidence');
    await table('events').getByText('service.cancelled').waitFor();
  });

  it('opts a resource out and in again', async () => {
    await view('Stations');
    await optOf('DEMO-AC-1.1', 'Opt out', 'Opt out');
    await dialog('DEMO-AC-1.1').getByText('DEMO-AC-1.1 is opted out of services.').waitFor();
    await page.keyboard.press('Escape');
    await row('DEMO-AC-1.1').getByText('Opted out', { exact: true }).waitFor();
    await optOf('DEMO-AC-1.1', 'Opt in', 'Opt in');
    await page.keyboard.press('Escape');
    await row('DEMO-AC-1.1').getByText('Opted out', { exact: true }).waitFor({ state: 'hidden' });
  });

  it('removes a station that was accepted', async () => {
    await view('Stations');
    const station = new WebSocket(`${await gateway.link('stations')}/CS-77`, ['ocpp1.6']);
    const boot = { chargePointVendor: '<b>Acme</b>', chargePointModel: 'Wall 1' };
    station.on('error', () => {});
    station.on('open', () => station.send(JSON.stringify([2, 'b1', 'BootNotification', boot])));
    await page.getByRole('button', { name: /Accept CS-77/ }).click();
    await dialog('Accept CS-77?').getByText('<b>Acme</b>', { exact: true }).waitFor();
    await dialog('Accept CS-77?').getByRole('button', { name: 'Accept station' }).click();
    await page.getByRole('button', { name: 'CS-77.1' }).click();
    await dialog('CS-77.1').getByRole('button', { name: 'Remove station …' }).click();
    await dialog('Remove CS-77?').getByRole('button', { name: 'Remove station' }).click();
    await row('CS-77.1').waitFor({ state: 'detached' });
    station.terminate();
  });

  it('reads everything on a phone: nothing is cut or reaches beyond the edge', async () => {
    await view('Stations');
    await page.setViewportSize({ width: 390, height: 844 });
    await page.waitForTimeout(500);
    expect(await page.evaluate(cutTexts)).toEqual([]);
    await page.getByRole('button', { name: 'DEMO-V2G-1.1' }).click();
    await dialog('DEMO-V2G-1.1').getByText('asking the station').waitFor();
    expect(await page.evaluate(cutTexts)).toEqual([]);
    await page.keyboard.press('Escape');
    expect(wrong).toEqual([]);
  });

  async function optOf(resource: string, button: string, yes: string): Promise<void> {
    await page.getByRole('button', { name: resource }).click();
    await dialog(resource)
      .getByRole('button', { name: `${button} …` })
      .click();
    await dialog(new RegExp(`${button} ?${resource}|Opt ${resource}`))
      .getByRole('button', { name: yes, exact: true })
      .click();
  }
});

/** The demo's site with a contract for both services and an issuer of mandates. */
async function site(): Promise<object> {
  const file = JSON.parse(await readFile(join(ROOT, 'flows/uc-2.1-setpoint-following/site.json'), 'utf8'));
  const [contract] = file.contracts;
  return {
    ...file,
    poc: { ...file.poc, gridNode: 'node:7' },
    contracts: [
      {
        ...contract,
        serviceTypes: ['setpoint', 'congestion'],
        scope: { siteIds: ['site:harbour'] },
        proof: { ...contract.proof, signed: true },
      },
    ],
    mandateIssuers: [{ issuerId: 'dso:harbour', refPrefix: 'DSO-' }],
  };
}

function program(name: string, args: string[]): Child {
  const script = join(ROOT, 'simulators', name, 'main.ts');
  return new Child({ name, command: process.execPath, args: [script, ...args], cwd: ROOT, env: process.env });
}
