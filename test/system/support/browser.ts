import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Chromium of this machine. */
export function launchChromium(): Promise<Browser> {
  const known = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const executablePath = known.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error('There is no Chromium. Install it: apt install chromium.');
  const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
  return chromium.launch({ executablePath, args });
}

/**
 * The one error that Node-RED's editor makes by itself: it starts its tips when the settings are read, and shows the first
 * one a second later in a box that is made when the keymap has come. Where that takes longer, and the tip names no
 * shortcut, there is no box. Nothing of ours takes part.
 */
function isOfNodeRed(stack: string): boolean {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  const isTip = stack.startsWith("TypeError: Cannot read properties of undefined (reading 'html')");
  return isTip && frames.length === 1 && /\/red\/red\.min\.js/.test(frames[0] ?? '');
}

/** Notes everything that goes wrong in a page; `but` names what is meant to. */
export function watchPage(page: Page, but?: RegExp): string[] {
  const wrong: string[] = [];
  const note = (text: string): void => {
    if (but?.test(text) !== true) wrong.push(text);
  };
  page.on('pageerror', (e) => {
    const stack = e.stack ?? '';
    if (!isOfNodeRed(stack)) note(`uncaught: ${e.message} ${stack.split('\n').slice(1, 4).join(' ')}`);
  });
  page.on('console', (m) => {
    if (m.type() === 'error') note(`console: ${m.text()} ${m.location().url}`);
  });
  return wrong;
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * What axe-core finds serious or critical in a page as it stands, by all of its rules or those that are named. The page
 * must have been opened with `bypassCSP`.
 */
export async function seriousViolations(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  return page.evaluate(async (runOnly) => {
    const axe: unknown = Reflect.get(window, 'axe');
    const run: unknown = typeof axe === 'object' && axe !== null ? Reflect.get(axe, 'run') : undefined;
    if (typeof run !== 'function') throw new Error('axe-core is not in the page');
    const { violations } = await run(document, {
      resultTypes: ['violations'],
      ...(runOnly === undefined ? {} : { runOnly }),
    });
    return violations
      .filter((v: { impact: string }) => ['serious', 'critical'].includes(v.impact))
      .map((v: { id: string; nodes: { html: string }[] }) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`);
  }, rules);
}

/** In the page: texts that are cut off by their box, or that reach beyond the screen. */
export function cutTexts(): string[] {
  const found: string[] = [];
  for (const element of document.querySelectorAll('main *, header *, nav *, dialog[open] *')) {
    const own = [...element.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent?.trim());
    const box = element.getBoundingClientRect();
    if (!own || box.width <= 1 || element.closest('.hidden, svg, option, thead, pre')) continue;
    const style = getComputedStyle(element);
    const cut = element.scrollWidth > element.clientWidth + 1 && style.overflow !== 'visible';
    // An ellipsis is a choice, where the whole text is a click away.
    if ((cut && style.textOverflow !== 'ellipsis') || box.right > innerWidth + 1 || box.left < -1)
      found.push(`${element.tagName} ${element.textContent}`);
  }
  return found;
}
