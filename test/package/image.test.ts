import { readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const lines = (path: string): string[] =>
  readFileSync(join(ROOT, path), 'utf8')
    .split('\n')
    .filter((l) => l !== '' && !l.startsWith('#'));

describe('the image', () => {
  it('holds no secret of who builds it', () => {
    const left = lines('.dockerignore');
    const isLeftOut = (path: string): boolean =>
      path.split('/').some((_, i, parts) => left.some((l) => matchesGlob(parts.slice(0, i + 1).join('/'), l)));
    // What compose.yaml gives to the running container instead.
    const secrets = lines('compose.yaml').flatMap((l) => /\{ file: \.\/(\S+) \}/.exec(l)?.[1] ?? []);
    expect(secrets.length).toBeGreaterThan(3);
    for (const path of [...secrets, '.env', '.data/signing-key.pem', 'some/key.pem'])
      expect(isLeftOut(path), path).toBe(true);
    expect(isLeftOut('gateway/main.ts')).toBe(false);
  });

  it('and git is not asked to keep them', () => {
    expect(lines('.gitignore')).toEqual(expect.arrayContaining(['/config/', '.env', '.data/']));
  });
});
