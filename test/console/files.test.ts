import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const FOLDER = join(import.meta.dirname, '../../gateway/console');
const read = (path: string): string => readFileSync(join(FOLDER, path), 'utf8');
const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((f) => /\.(js|css|html|svg)$/.test(f));
const scripts = files.filter((f) => f.endsWith('.js'));

describe('the files of the console', () => {
  it('hold nothing that a strict content security policy forbids', () => {
    const html = read('index.html');
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:/i);
    for (const f of scripts)
      expect(read(f), f).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function/);
  });

  it('ask no other host for anything', () => {
    for (const f of files) {
      const urls = [...read(f).matchAll(/https?:\/\/[^\s'"<>)]+/g)].map(([url]) => url);
      expect(
        urls.filter((url) => url !== 'http://www.w3.org/2000/svg'),
        f,
      ).toEqual([]);
    }
  });

  it('have every id and symbol that the scripts look for', () => {
    const html = read('index.html');
    const symbols = [...read('icons.svg').matchAll(/<symbol id="([^"]+)"/g)].map((m) => m[1]);
    for (const f of scripts) {
      const text = read(f);
      for (const [, id] of text.matchAll(/(?:byId|tableOf)\('([^']+)'/g)) expect(html, f).toContain(`id="${id}"`);
      for (const [, icon] of text.matchAll(/\bicon: '([^']+)'/g)) expect(symbols, f).toContain(icon);
    }
  });

  it('give every label in index.html something to label and every reference a target', () => {
    const html = read('index.html');
    const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map((m) => m[1]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, refs = ''] of html.matchAll(/aria-(?:labelledby|describedby)="([^"]+)"/g)) {
      for (const ref of refs.split(' ')) expect(ids).toContain(ref);
    }
  });

  it('colours keep enough contrast to read, light and dark', () => {
    const [light = '', dark = ''] = read('theme.css').split('@media (prefers-color-scheme: dark)');
    for (const [name, css] of Object.entries({ light, dark })) {
      const colour = (key: string): string => new RegExp(`--${key}: (#[0-9a-f]{6})`).exec(css)?.[1] ?? '#000000';
      for (const text of ['text', 'muted', 'good', 'warn', 'bad', 'accent']) {
        for (const back of ['page', 'surface', 'raised']) {
          expect(contrast(colour(text), colour(back)), `${name}: ${text} on ${back}`).toBeGreaterThanOrEqual(4.5);
        }
      }
      expect(contrast(colour('on-accent'), colour('accent')), name).toBeGreaterThanOrEqual(4.5);
      for (const line of ['requested', 'granted', 'measured', 'import', 'export']) {
        expect(contrast(colour(line), colour('surface')), `${name}: ${line}`).toBeGreaterThanOrEqual(3);
      }
    }
  });
});

/** WCAG 2 contrast ratio of two colours. */
function contrast(a: string, b: string): number {
  const [x = 0, y = 0] = [a, b].map(luminance).toSorted((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
}

function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
    const c = Number.parseInt(colour.slice(i, i + 2), 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
