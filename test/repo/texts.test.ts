import { describe, expect, it } from 'vitest';
import { listFiles, loadSources, readText, toSource } from './rules/source.ts';
import { escapeViolations, sizeViolations, skipViolations, timeViolations, wordViolations } from './rules/texts.ts';

const files = listFiles();
const sources = loadSources(files);
const texts = (pattern: RegExp) =>
  files.filter((path) => pattern.test(path)).map((path) => ({ path, text: readText(path) }));
const lines = (path: string, n: number) => ({ path, text: 'x\n'.repeat(n) });
const j = (...parts: string[]): string => parts.join('');

describe('sizes of files', () => {
  it('are at most 600 lines, and 350 for 19 of 20', () => {
    expect(sizeViolations(texts(/\.(ts|m?js|html|css)$/))).toEqual([]);
  });

  it('above are found', () => {
    const small = Array.from({ length: 40 }, (_, i) => lines(`s${i}`, 350));
    expect(sizeViolations([...small, lines('a', 600)])).toEqual([]);
    expect(sizeViolations([...small, lines('a', 601)])).toMatchObject([{ path: 'a', line: 601 }]);
    expect(sizeViolations([...small.slice(0, 10), lines('a', 351)])[0]?.what).toContain('a 351');
  });
});

describe('escapes from the compiler and the linter', () => {
  const complaints = (text: string): string[] => escapeViolations([toSource('hub/a.ts', text)]).map((v) => v.what);

  it('give a reason everywhere', () => {
    expect(escapeViolations(sources)).toEqual([]);
  });

  it.each([
    'let x: any;',
    'const y = x as any;',
    'const z = x as unknown as Y;',
    'type T = string | any;',
    'const m = new Map<any, string>();',
    `// ${j('@ts-', 'ignore')}\nf();`,
    `// ${j('biome-', 'ignore')} lint/a/b: no\nf();`,
    `/* ${j('@ts-', 'nocheck')} */`,
  ])('are found in: %s', (text) => {
    expect(complaints(text)).toHaveLength(1);
  });

  it.each([
    '// the library types this value wrongly\nconst y = x as any;',
    `// ${j('@ts-', 'expect-error')}: the types lack this method\nf();`,
    `const policy = 'any'; // : any`,
    'const any = f(any); expect.any(Number); o = { any: 1 };',
  ])('are not suspected in: %s', (text) => {
    expect(complaints(text)).toEqual([]);
  });
});

describe('time and randomness', () => {
  const complaints = (path: string, text: string): number => timeViolations([toSource(path, text)]).length;

  it('are injected everywhere they must be', () => {
    expect(timeViolations(sources)).toEqual([]);
  });

  it.each([
    'Date.now()',
    'new Date()',
    'setTimeout(f, 1)',
    'setInterval(f, 1)',
    'performance.now()',
    'Math.random()',
    'crypto.randomUUID()',
  ])('%s is found', (text) => {
    for (const room of ['hub', 'model', 'protocols/ocpp', 'bridges/fo', 'core', 'nodes/map'])
      expect(complaints(`${room}/a.ts`, text)).toBe(1);
    expect(complaints('gateway/a.ts', text)).toBe(0);
  });

  it('comments, strings and dates of a given time are not suspected', () => {
    expect(
      complaints('hub/a.ts', `// Date.now()\nconst s = 'Math.random()'; new Date(ms); Date.UTC(2026, 0, 1);`),
    ).toBe(0);
  });
});

describe('tests', () => {
  const complaints = (text: string): number => skipViolations([toSource('test/a.test.ts', text)]).length;

  it('are all run', () => {
    expect(skipViolations(sources)).toEqual([]);
  });

  it.each(['skip', 'todo', 'only', 'skipIf', 'runIf'])('left out with %s are found', (word) => {
    expect(complaints(`it.${word}('x', () => {})`)).toBe(1);
    expect(complaints(`describe.concurrent.${word}('x', () => {})`)).toBe(1);
    expect(complaints(`it('x', () => { queue.${word}(); }) // it.${word}`)).toBe(0);
  });
});

describe('words that do not belong in the project', () => {
  const complaints = (text: string): number => wordViolations([{ path: 'a.md', text }]).length;

  it('are nowhere', () => {
    const all = texts(
      /\.(ts|m?js|json|jsonata|md|html|css|ya?ml|txt|py|sh|toml)$|(^|\/)(run|\.npmrc|\.gitignore|Dockerfile)$/,
    );
    expect(all.length).toBeGreaterThan(50);
    expect(wordViolations(all.filter((f) => f.path !== 'package-lock.json'))).toEqual([]);
  });

  it.each([
    j('see /wo', 'rk/main/a.ts'),
    j('"/ro', 'ot/.cache"'),
    j('cd /ho', 'me/anna'),
    j('https://regis', 'try.npm', 'js.org/x'),
    j('https://py', 'pi.org/simple'),
    j('This is IEC 63382-2 comp', 'liant.'),
    j('// TO', 'DO: later'),
  ])('are found: %s', (text) => {
    expect(complaints(text)).toBe(1);
  });

  it.each([
    'import x from "./work/a.ts"',
    'a /* work */ b',
    'designed after IEC 63382-1',
    'GET /v2gate/api/work',
    'the root of the tree',
  ])('are not suspected in: %s', (text) => {
    expect(complaints(text)).toBe(0);
  });
});
