import { lstat, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf } from '../../core/errors.ts';
import { openBackup, writeBackup } from '../../gateway/backup/format.ts';
import { headerOf, listOf } from '../../gateway/backup/list.ts';
import { newDerivation } from '../../gateway/backup/sealing.ts';

const PASSPHRASE = 'correct horse battery';
const kdf = { ...newDerivation(), n: 2 };
const about = { madeAt: '2026-01-01T00:00:00Z', program: '1', schema: 0 };

describe('the file of a backup', () => {
  let folder: string;
  let file: string;
  let bytes: Buffer;
  let tries = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'v2gate-format-'));
    file = join(folder, 'backup');
    for (const name of ['a', 'b']) await writeFile(join(folder, name), name.repeat(300));
    const files = ['a', 'b'].map((name) => ({ path: `x/${name}`, file: join(folder, name) }));
    await writeBackup({ to: file, passphrase: PASSPHRASE, kdf, files, about });
    bytes = await readFile(file);
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** The code with which this is refused; undefined when it was taken. */
  async function refusal(changed: Buffer): Promise<string | undefined> {
    const [at, to] = [join(folder, `changed-${tries}`), join(folder, `out-${tries++}`)];
    await writeFile(at, changed);
    try {
      const backup = await openBackup(at, PASSPHRASE);
      await backup.extract((path) => join(to, path));
      return undefined;
    } catch (e) {
      return codeOf(e);
    } finally {
      await rm(at);
      await rm(to, { recursive: true, force: true });
    }
  }

  it('gives back what was put in', async () => {
    const backup = await openBackup(file, PASSPHRASE);
    expect(backup.list).toMatchObject(about);
    await backup.extract((path) => join(folder, 'out', path));
    expect(await readFile(join(folder, 'out/x/b'), 'utf8')).toBe('b'.repeat(300));
    expect(await refusal(bytes)).toBeUndefined();
  });

  it('is refused with a coded error whatever is changed, cut off or added', async () => {
    const change = fc.oneof(
      fc.record({ at: fc.nat(bytes.length - 1), xor: fc.integer({ min: 1, max: 255 }) }).map(({ at, xor }) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ xor;
        return changed;
      }),
      fc.nat(bytes.length - 1).map((length) => bytes.subarray(0, length)),
      fc
        .record({ at: fc.nat(bytes.length), more: fc.uint8Array({ minLength: 1, maxLength: 40 }) })
        .map(({ at, more }) => Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)])),
    );
    await fc.assert(
      fc.asyncProperty(change, async (changed) => {
        expect(await refusal(changed)).toMatch(/^backup\.(format|newer|passphrase|damaged)$/);
      }),
      { numRuns: 60 },
    );
  });

  it('is written to a file of its own, not into one that is there', async () => {
    const [to, other] = [join(folder, 'fresh'), join(folder, 'other')];
    await writeFile(other, 'of somebody');
    await symlink(other, `${to}.part`);
    await writeBackup({ to, passphrase: PASSPHRASE, kdf, files: [], about });
    expect(await readFile(other, 'utf8')).toBe('of somebody');
    expect((await lstat(to)).mode & 0o777).toBe(0o600);
  });

  it.each(['../a', '/a', 'a/../../b', 'a//b', 'a\\..\\b', '', 'a/./b', 'a\0b'])(
    'takes no path that leads out: %j',
    (path) => {
      const line = JSON.stringify({ ...about, entries: [{ path, bytes: 28, sha256: '' }] });
      expect(() => listOf(line, 'x', 28)).toThrow(expect.objectContaining({ code: 'backup.format' }));
    },
  );

  it.each([
    { n: 3, r: 8, p: 1 },
    { n: 2 ** 30, r: 8, p: 1 },
    { n: 16, r: 8, p: 1e9 },
    { n: 2 ** 20, r: 1, p: 2 ** 20 },
    { n: 16, r: 0, p: 1 },
    { n: 1.5, r: 8, p: 1 },
  ])('does not work for who asks for %j', (cost) => {
    const line = JSON.stringify({ format: 'v2gate-backup', version: 1, kdf: { ...cost, salt: 'A'.repeat(22) } });
    expect(() => headerOf(line, 'x')).toThrow(expect.objectContaining({ code: 'backup.format' }));
  });
});
