import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DEFAULT_LIMITS, MAPPING_ERRORS } from '../../core/mapping/index.ts';

const FOLDER = new URL('../../core/mapping/', import.meta.url);
const readme = readFileSync(new URL('README.md', FOLDER), 'utf8');

it('the example of the engine prints what it says', () => {
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const expected = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((m) => m[1]);
  expect(expected.length).toBe(4);
  const folder = mkdtempSync(join(tmpdir(), 'mapping-'));
  try {
    const file = join(folder, 'example.ts');
    writeFileSync(file, example.replace("'./index.ts'", JSON.stringify(new URL('index.ts', FOLDER).pathname)));
    const lines = execFileSync(process.execPath, [file], { encoding: 'utf8' }).trim().split('\n');
    expect(lines).toEqual(expected);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('the text names limits and errors as they are', () => {
  const plain = readme.replaceAll(/(?<=\d) (?=\d{3})/g, '');
  for (const [name, value] of Object.entries(DEFAULT_LIMITS)) expect(plain).toContain(`\`${name}\` (${value}`);
  const named = [...readme.matchAll(/`(mapping\.\w+)`/g)].map((m) => m[1] ?? '');
  for (const code of named) expect(Object.keys(MAPPING_ERRORS.kinds)).toContain(code);
});
