import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { manualClock, realClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { newDerivation } from '../../gateway/backup/sealing.ts';
import { makeBackup } from '../../gateway/cli/backup.ts';
import type { Terminal } from '../../gateway/cli/command.ts';
import { restore } from '../../gateway/cli/restore.ts';
import { openSigners } from '../../gateway/signer.ts';
import { openStore, type SqliteStorePort, serveCopies } from '../../gateway/store/index.ts';
import { MIGRATIONS } from '../../gateway/store/migrations.ts';

const PASSPHRASE = 'correct horse battery';
/** As the real one, but cheap. */
const backup = (args: readonly string[], to: Terminal): Promise<number> =>
  makeBackup(args, to, { ...newDerivation(), n: 16 });
const SECRETS = { stations: 'a-very-secret-password' };

/** What the commands say. */
interface Said extends Terminal {
  readonly lines: string[];
}

function terminal(): Said {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  return { lines, out: say, err: say, stdin: process.stdin };
}

const store = (folder: string): Promise<SqliteStorePort> =>
  openStore({
    path: join(folder, 'store.sqlite'),
    clock: realClock(),
    log: silentLog,
    metrics: createMetrics(),
    lockWaitMs: 100,
  });

/** A data folder with everything that a gateway keeps. */
async function fill(folder: string): Promise<void> {
  await mkdir(join(folder, 'node-red', 'node_modules', 'x'), { recursive: true });
  await openSigners({
    file: join(folder, 'signing-key.pem'),
    alg: 'EdDSA',
    folder,
    secret: () => undefined,
    log: silentLog,
  });
  await writeFile(join(folder, 'secrets.json'), JSON.stringify(SECRETS), { mode: 0o600 });
  await writeFile(join(folder, 'credential-secret'), 'abc\n', { mode: 0o600 });
  await writeFile(join(folder, 'node-red', 'flows.json'), '[]');
  await writeFile(join(folder, 'node-red', 'node_modules', 'x', 'index.js'), '');
  const db = await store(folder);
  await db.write([{ op: 'put', kind: 'record', key: 'rec:1', at: 1, body: { n: 1 } }]);
  await db.close();
}

describe('a backup', () => {
  let root: string;
  let data: string;
  let file: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'v2gate-backup-'));
    [data, file] = [join(root, 'data'), join(root, 'one.v2gate')];
    vi.stubEnv('V2GATE_BACKUP_PASSPHRASE', PASSPHRASE);
    for (const name of ['V2GATE_DATA', 'V2GATE_SITE', 'V2GATE_SIGN_KEY']) vi.stubEnv(name, undefined);
    await mkdir(data);
    await fill(data);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(root, { recursive: true, force: true });
  });

  const into = (name: string): string[] => [file, '--data', join(root, name)];
  const read = (folder: string, path: string): Promise<string> => readFile(join(root, folder, path), 'utf8');

  it('brings everything back into an empty folder, readable by its owner only', async () => {
    expect(await backup([file, '--data', data], terminal())).toBe(0);
    const said = terminal();
    expect(await restore(into('other'), said)).toBe(0);
    for (const path of [
      'signing-key.pem',
      'signing-keys.json',
      'secrets.json',
      'credential-secret',
      'node-red/flows.json',
    ])
      expect(await read('other', path)).toBe(await read('data', path));
    const db = await store(join(root, 'other'));
    expect(await db.get('record', 'rec:1')).toMatchObject({ body: { n: 1 } });
    await db.close();
    expect((await stat(join(root, 'other', 'signing-key.pem'))).mode & 0o777).toBe(0o600);
    expect(await readdir(join(root, 'other', 'node-red'))).toEqual(['flows.json']);
    expect(said.lines.join('\n')).toMatch(/store\s+store\.sqlite[\s\S]*Restored to/);
  });

  it('is for its owner only and shows nothing of what is in it', async () => {
    await backup([file, '--data', data], terminal());
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const bytes = (await readFile(file)).toString('latin1');
    for (const hidden of [SECRETS.stations, 'PRIVATE KEY', 'SQLite format']) expect(bytes).not.toContain(hidden);
    expect(await readdir(root)).toEqual(['data', 'one.v2gate']);
  });

  it('follows no links, and says so', async () => {
    await writeFile(join(root, 'of-others'), SECRETS.stations);
    for (const [to, name] of [
      ['.', 'circle'],
      ['.', 'another-circle'],
      [root, 'out'],
      [join(root, 'of-others'), 'file'],
    ] as const)
      await symlink(to, join(data, 'node-red', name));
    const said = terminal();
    expect(await backup([file, '--data', data], said)).toBe(0);
    expect(said.lines.join('\n')).toMatch(/Links are not followed.*another-circle, circle, file, out in/);
    await restore(into('other'), terminal());
    expect(await readdir(join(root, 'other', 'node-red'))).toEqual(['flows.json']);
  });

  it('never takes the place of another one', async () => {
    await writeFile(file, 'precious');
    await expect(backup([file, '--data', data], terminal())).rejects.toMatchObject({ code: 'backup.exists' });
    expect(await readFile(file, 'utf8')).toBe('precious');
  });

  it('needs a passphrase of twelve characters', async () => {
    vi.stubEnv('V2GATE_BACKUP_PASSPHRASE', 'short');
    await expect(backup([file, '--data', data], terminal())).rejects.toMatchObject({ code: 'backup.noPassphrase' });
  });

  it('asks for its passphrase twice where somebody types', async () => {
    vi.stubEnv('V2GATE_BACKUP_PASSPHRASE', '');
    const typing = (...answers: string[]): Terminal => ({ ...terminal(), secret: async () => answers.shift() ?? '' });
    await expect(backup([file, '--data', data], typing(PASSPHRASE, 'a different one'))).rejects.toThrow(/not the same/);
    expect(await backup([file, '--data', data], typing(PASSPHRASE, PASSPHRASE))).toBe(0);
    expect(await restore([...into('other'), '--check'], typing(PASSPHRASE))).toBe(0);
  });

  it('can be made while a gateway has the store open, and has what it acknowledged', async () => {
    const clock = manualClock();
    const db = await store(data);
    await db.write([{ op: 'put', kind: 'record', key: 'rec:2', at: 2, body: { n: 2 } }]);
    await db.write([{ op: 'put', kind: 'meter', key: 'm:1', at: 2, body: { n: 3 } }]);
    const copies = serveCopies({ folder: data, copy: (to) => db.copyTo(to), clock, log: silentLog });
    const said = terminal();
    let done = false;
    const made = backup([file, '--data', data], said).finally(() => {
      done = true;
    });
    while (!done) {
      await clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await made).toBe(0);
    copies.cancel();
    await db.close();
    expect(said.lines[0]).toContain('while its gateway runs');
    expect((await readdir(data)).filter((name) => name.startsWith('store-copy'))).toEqual([]);
    await restore(into('other'), terminal());
    const restored = await store(join(root, 'other'));
    expect(await restored.get('record', 'rec:2')).toBeDefined();
    expect(await restored.get('meter', 'm:1')).toBeDefined();
    await restored.close();
  });

  describe('is not restored', () => {
    beforeEach(async () => {
      await backup([file, '--data', data], terminal());
    });
    const refused = async (code: string, args = into('other')): Promise<void> => {
      await expect(restore(args, terminal())).rejects.toMatchObject({ code });
      const left = await readdir(join(root, 'other')).catch(() => []);
      expect(left.filter((name) => name !== 'kept')).toEqual([]);
    };

    it('with another passphrase', async () => {
      vi.stubEnv('V2GATE_BACKUP_PASSPHRASE', 'wrong horse battery');
      await refused('backup.passphrase');
    });

    it('when one bit of it changed, wherever', async () => {
      const bytes = await readFile(file);
      const half = Math.floor(bytes.length / 2);
      for (const at of [half, 200, bytes.length - 200]) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ 1;
        await writeFile(file, changed);
        await expect(restore(into('other'), terminal())).rejects.toMatchObject({
          code: expect.stringMatching(/^backup\.(damaged|passphrase|format)$/),
        });
      }
      await writeFile(file, bytes);
      expect(await restore(into('other'), terminal())).toBe(0);
    });

    it('when its end is missing', async () => {
      const bytes = await readFile(file);
      await writeFile(file, bytes.subarray(0, bytes.length - 1));
      await refused('backup.format');
    });

    it('from a file that is something else', async () => {
      await writeFile(file, 'PK\u0003\u0004 something else\n'.repeat(20));
      await refused('backup.format');
    });

    it('from a newer version', async () => {
      const bytes = await readFile(file);
      const line = bytes.indexOf('\n');
      const header = bytes.subarray(0, line).toString().replace('"version":1', '"version":2');
      await writeFile(file, Buffer.concat([Buffer.from(header), bytes.subarray(line)]));
      await refused('backup.newer');
    });

    it('into a folder that is not empty, unless told to move it aside', async () => {
      await mkdir(join(root, 'other'));
      await writeFile(join(root, 'other', 'kept'), 'x');
      await refused('backup.notEmpty');
      const said = terminal();
      expect(await restore([...into('other'), '--force'], said)).toBe(0);
      const aside = (await readdir(join(root, 'other'))).filter((name) => name.startsWith('before-restore-'));
      expect(aside).toHaveLength(1);
      expect(await read('other', `${aside[0]}/kept`)).toBe('x');
      expect(await read('other', 'secrets.json')).toBe(JSON.stringify(SECRETS));
    });

    it('while a gateway runs there', async () => {
      const db = await store(data);
      await expect(restore([file, '--data', data, '--force'], terminal())).rejects.toMatchObject({
        code: 'backup.running',
      });
      await db.close();
    });

    it('when it is only to be checked', async () => {
      const said = terminal();
      expect(await restore([...into('other'), '--check'], said)).toBe(0);
      expect(said.lines.at(-1)).toContain('Nothing was restored');
      expect(await readdir(join(root, 'other'))).toEqual([]);
    });
  });

  it('of a store that is damaged is refused when it is made', async () => {
    await writeFile(join(data, 'store.sqlite'), 'no database at all'.repeat(300));
    await expect(backup([file, '--data', data], terminal())).rejects.toMatchObject({ code: 'backup.unreadable' });
    expect(await readdir(root)).toEqual(['data']);
  });

  it('names the file that it may not read', async () => {
    if (process.getuid?.() === 0) return;
    await chmod(join(data, 'secrets.json'), 0);
    await expect(backup([file, '--data', data], terminal())).rejects.toThrow(/secrets\.json/);
  });

  it('of the store alone has its schema version, and the log beside it is in it', async () => {
    await backup([file, '--data', data], terminal());
    await restore(into('other'), terminal());
    expect(await readdir(join(root, 'other'))).not.toContain('store.sqlite-wal');
    const db = new DatabaseSync(join(root, 'other', 'store.sqlite'), { readOnly: true });
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: MIGRATIONS.at(-1)?.to });
    db.close();
  });
});
