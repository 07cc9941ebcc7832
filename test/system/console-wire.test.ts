import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cutTexts, launchChromium, seriousViolations, watchPage } from './support/browser.ts';
import { eventually } from './support/child.ts';
import { GatewayProcess, ROOT } from './support/gateway.ts';
import { plotOf } from './support/plot.ts';

const PICTURES = join(ROOT, '.data');
const VIEWS = ['overview', 'stations', 'services', 'limits', 'wire', 'evidence', 'health'];
const plain = (text: string): string => text.replaceAll('\u202f', ' ');

interface Entry {
  readonly id: string;
  readonly cause?: string;
  readonly stage: string;
  readonly direction: string;
  readonly topic: string;
  readonly payload: { readonly commands?: readonly unknown[] };
}

/** The views of the console against the demo, with the wire timeline as its centre. */
describe('the console of the demo', () => {
  let gateway: GatewayProcess;
  let browser: Browser;
  let page: Page;
  let wrong: string[];

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    gateway = await GatewayProcess.start();
    await gateway.ready();
    browser = await launchChromium();
    // axe-core is put into the page by the test; that the policy holds is what the other files look at.
    const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, bypassCSP: true });
    page = await context.newPage();
    page.setDefaultTimeout(15_000);
    wrong = watchPage(page);
    await page.goto(`${gateway.url}/console/`);
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
  });

  const go = async (path: string): Promise<void> => {
    await page.goto(`${gateway.url}/console/#/${path}`);
    await page.locator(`[data-view="${path.split('?')[0]}"]:not([hidden])`).waitFor();
  };
  const hops = () => page.locator('#wire-lanes .hop-main');
  const detail = () => page.locator('#wire-detail');
  const stone = (label: string) => page.locator('.stones li').filter({ hasText: label });

  it('follows a setpoint of the operator through every stage to the meter', async () => {
    const request = await eventually('a setpoint led to six commands', () => bigSetpoint(gateway), 40_000, 500);
    await go(`wire?follow=${request}`);
    await stone('Station').getByText('answered').waitFor();
    await stone('Meter').getByText('effective').waitFor();
    expect(plain(await page.locator('#wire-story p').innerText())).toMatch(
      /fo:north: New setpoint: .* kW .*stations answered after .* m?s\. Effective after .* s\./,
    );
    for (const topic of [
      'fo1/UpdateSetpoint',
      'hub/ServiceTarget',
      'hub/CommandBatch',
      'hub/PowerCommand',
      'ocpp2.1/',
      'hub/CommandOutcome',
      'hub/MeterReading',
    ])
      await hops().filter({ hasText: topic }).first().waitFor();
    await page.screenshot({ path: join(PICTURES, 'console-timeline.png') });
  });

  it('draws the power of the fleet, and shows each vehicle', async () => {
    await eventually(
      'a while is plotted',
      async () => ((await plotOf(gateway.url)).length >= 15 ? true : undefined),
      30_000,
    );
    await go('overview');
    const inked = await page.waitForFunction(colours, undefined, { timeout: 15_000 });
    expect(await inked.jsonValue()).toBeGreaterThanOrEqual(3);
    for (const name of ['DEMO-V2G-1.1', 'DEMO-V2G-4.1', 'DEMO-AC-1.1', 'DEMO-AC-4.1'])
      await page.getByRole('button', { name }).waitFor();
    await page.screenshot({ path: join(PICTURES, 'console.png') });
  });

  it('shows the decoded message, leads to its cause, and gives the focus back', async () => {
    await page.goBack();
    const command = hops().filter({ hasText: 'hub/CommandBatch' }).first();
    await command.click();
    await detail().getByText('"commands"').waitFor();
    await detail().getByRole('button', { name: 'Show its cause' }).click();
    await detail().getByRole('heading', { name: 'Target arrives from the flow' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await detail().getByRole('heading', { name: 'Split over the vehicles' }).waitFor();
    await page.keyboard.press('Escape');
    await detail().waitFor({ state: 'hidden' });
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('hub/CommandBatch');
  });

  it('shows what is alike as one, and one by one on demand', async () => {
    const row = page.locator('.hop').filter({ hasText: 'hub/PowerCommand' }).first();
    const count = Number(/× (\d+)/.exec(await row.innerText())?.[1]);
    expect(count).toBeGreaterThanOrEqual(6);
    await row.getByRole('button', { name: `Show all ${count} one by one` }).click();
    await page.waitForFunction((n) => document.querySelectorAll('.hop[data-burst]').length === n, count);
    await page.getByRole('button', { name: 'Show them as one' }).first().click();
    await page.waitForFunction(() => document.querySelectorAll('.hop[data-burst]').length === 0);
  });

  it('narrows by stage, partner and message, keeps it in the address, pauses and exports it', async () => {
    await go('wire');
    await hops().nth(5).waitFor();
    await page.getByLabel('Message', { exact: true }).fill('SetChargingProfile');
    await page.getByLabel('Partner').selectOption('DEMO-AC-1');
    await page.waitForFunction(() => {
      const topics = [...document.querySelectorAll('.hop-topic')].map((t) => t.textContent);
      return topics.length > 0 && topics.every((t) => t?.includes('ocpp1.6/SetChargingProfile'));
    });
    expect(new URL(page.url()).hash).toContain('peer=DEMO-AC-1');
    await page.getByRole('button', { name: 'Live' }).click();
    await page.getByRole('button', { name: 'Paused' }).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Export JSONL' }).click(),
    ]);
    const lines = (await readFile(await download.path(), 'utf8')).trim().split('\n');
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ peer: 'DEMO-AC-1', stage: 'ocpp' });
    await page.getByRole('button', { name: 'Paused' }).click();
  });

  it('leads from a service to the wire', async () => {
    await go('services');
    const bar = page.locator('.gantt-row').first();
    await bar.focus();
    await page.keyboard.press('Enter');
    const service = page.getByRole('dialog', { name: /Setpoint following/ });
    await service.getByText('accepted', { exact: false }).first().waitFor();
    await service.getByRole('button', { name: 'Follow on the wire' }).click();
    await page.waitForFunction(() => location.hash.startsWith('#/wire?follow='));
    await hops().filter({ hasText: 'fo1/RequestService' }).first().waitFor();
  });

  it('orders a station to report, after a question, and tells what it said', async () => {
    await go('stations');
    await page.getByRole('button', { name: 'DEMO-V2G-2.1' }).click();
    const station = page.getByRole('dialog', { name: 'DEMO-V2G-2.1' });
    await station.getByText('the best form of its protocol').waitFor();
    await station.getByRole('button', { name: 'Ask to report …' }).click();
    const question = page.getByRole('dialog', { name: /Ask DEMO-V2G-2 to report/ });
    await question.getByLabel('What').selectOption('MeterValues');
    await question.getByRole('button', { name: 'Ask', exact: true }).click();
    await station.getByText(/Ask to report: /).waitFor();
    await station.getByText(/waiting for the station/).waitFor({ state: 'hidden' });
    expect(await station.innerText()).toMatch(/Ask to report: (The station accepts it|Done|The station refuses it)/);
    await page.keyboard.press('Escape');
  });

  it('plots a group as well as the site, for the time that was chosen, and can be read by keyboard', async () => {
    await go('overview');
    await page.locator('#plot-subject').selectOption('g:depot');
    await page.getByRole('button', { name: '2 min', exact: true }).click();
    const plot = page.getByRole('slider', { name: 'Power over time' });
    await page.waitForFunction(() => Number(document.querySelector('#plot')?.getAttribute('aria-valuemax')) > 10);
    await plot.focus();
    await page.keyboard.press('ArrowLeft');
    await page.locator('.plot-tip').getByText('Measured').waitFor();
    const there = await plot.getAttribute('aria-valuetext');
    await page.keyboard.press('PageDown');
    expect(await plot.getAttribute('aria-valuetext')).not.toBe(there);
    await page.keyboard.press('Escape');
    await page.locator('.plot-tip').waitFor({ state: 'hidden' });
    await page.locator('#plot-subject').selectOption({ label: 'Whole site' });
  });

  it('shows contracts, queues and versions', async () => {
    await go('services');
    await page.getByRole('row').filter({ hasText: 'C-9' }).getByText('opt-out at any time').waitFor();
    await go('health');
    await page.getByText('Node.js').waitFor();
    await page.getByRole('row').filter({ hasText: 'trace.stations' }).waitFor();
  });

  it.each(['light', 'dark'] as const)('has no serious violation that axe-core finds, %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    // Only colours differ.
    const rules = colorScheme === 'dark' ? ['color-contrast'] : undefined;
    for (const view of VIEWS) {
      // Rows are alike: a few of them show what all have.
      await go(view === 'wire' ? 'wire?stage=allocate' : view);
      await page.locator(`[data-view="${view}"] .panel`).first().waitFor();
      await page.waitForTimeout(250);
      expect(await seriousViolations(page, rules), view).toEqual([]);
    }
    await hopDetail();
    expect(await seriousViolations(page, rules), 'a message in full').toEqual([]);
    await go('stations');
    await page.getByRole('button', { name: 'DEMO-AC-1.1' }).click();
    await page.getByRole('button', { name: 'Restart station …' }).click();
    expect(await seriousViolations(page, rules), 'a question').toEqual([]);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
  });

  it('fits a phone in every view: nothing is cut or reaches beyond the edge', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const view of VIEWS) {
      await go(view);
      await page.waitForTimeout(400);
      expect(await page.evaluate(cutTexts), view).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth), view).toBeLessThanOrEqual(390);
    }
    expect(wrong).toEqual([]);
  });

  async function hopDetail(): Promise<void> {
    await go('wire?stage=allocate');
    await hops().first().click();
    await detail().waitFor();
  }
});

/** The id of a setpoint of the operator that six vehicles or more were commanded for. */
async function bigSetpoint(gateway: GatewayProcess): Promise<string | undefined> {
  const body = (await gateway.get('/v2gate/api/timeline?stage=fo,allocate&limit=2000')) as { entries: Entry[] };
  const causes = new Map(body.entries.map((e) => [e.id, e.cause]));
  const setpoints = new Set(body.entries.filter((e) => e.topic === 'fo1/UpdateSetpoint').map((e) => e.id));
  for (const e of body.entries) {
    if (e.topic !== 'hub/CommandBatch' || (e.payload.commands?.length ?? 0) < 6) continue;
    let id = e.cause;
    while (id !== undefined && !setpoints.has(id)) id = causes.get(id);
    if (id !== undefined) return id;
  }
  return undefined;
}

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
