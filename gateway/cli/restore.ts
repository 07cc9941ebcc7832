import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { iso, realClock } from '../../core/clock.ts';
import { checkUnpacked } from '../backup/check.ts';
import { BACKUP_ERRORS } from '../backup/errors.ts';
import { openBackup } from '../backup/format.ts';
import type { BackupList } from '../backup/list.ts';
import { ROOT } from '../runtime.ts';
import { dataPaths } from '../settings.ts';
import { size } from './backup.ts';
import type { Command, Terminal } from './command.ts';
import { passphraseOf } from './passphrase.ts';
import { settingsFor } from './places.ts';

const USAGE = `Usage: npx v2gate restore <file> [--data <folder>] [--force] [--check]

Puts a backup back. Everything in it is unpacked and checked before anything takes its place.

  --data   data folder; default: V2GATE_DATA, else .data
  --force  also where the folder is not empty: what is there is moved into a folder before-restore-… in it
  --check  only checks the backup and lists it`;

/** What is in the data folder and belongs to no gateway: a mount point's own, and what this command itself makes. */
const IGNORED = /^(lost\+found|\.restore-\w+|before-restore-.*)$/;

interface Options {
  readonly file: string | undefined;
  readonly data: string | undefined;
  readonly force: boolean;
  readonly check: boolean;
}

/** `npx v2gate restore`: 0 it was restored, or is good. */
export const restore: Command = async (args, terminal) => {
  const { file, data, force, check } = optionsOf(args);
  if (file === undefined) {
    terminal.err(USAGE);
    return 2;
  }
  const { dataDir } = settingsFor({ ...process.env, V2GATE_SITE: '' }, data);
  if (!check) await checkTarget(dataDir, force);
  const backup = await openBackup(resolve(file), await passphraseOf(process.env, terminal, false));
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // In the folder itself: it may be the only place that can be written, and files are moved into place from here.
  const fresh = await mkdtemp(join(dataDir, '.restore-'));
  try {
    await backup.extract((path) => join(fresh, path));
    await checkUnpacked(fresh, backup.list);
    tellContent(terminal, backup.list);
    if (check) {
      terminal.out('The backup is good. Nothing was restored.');
      return 0;
    }
    const aside = await putInPlace(fresh, dataDir);
    terminal.out(`Restored to ${dataDir}.`);
    if (aside !== undefined) terminal.out(`What was there before is in ${aside}.`);
    terminal.out(startLine(dataDir, data));
    return 0;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
};

function optionsOf(args: readonly string[]): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { data: { type: 'string' }, force: { type: 'boolean' }, check: { type: 'boolean' } },
    });
    if (positionals.length > 1) throw new Error('It takes one file.');
    return { file: positionals[0], data: values.data, force: values.force ?? false, check: values.check ?? false };
  } catch (e) {
    throw BACKUP_ERRORS.fail('backup.usage', e instanceof Error ? e.message : 'The options cannot be read.');
  }
}

async function contentNames(dataDir: string): Promise<string[]> {
  if (!existsSync(dataDir)) return [];
  return (await readdir(dataDir)).filter((name) => !IGNORED.test(name));
}

async function checkTarget(dataDir: string, force: boolean): Promise<void> {
  const names = await contentNames(dataDir);
  if (names.length > 0 && !force) throw BACKUP_ERRORS.fail('backup.notEmpty', `${dataDir} is not empty.`);
  const { store } = dataPaths(dataDir);
  if (!existsSync(store)) return;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(store, { timeout: 500 });
    db.exec('BEGIN IMMEDIATE; ROLLBACK');
  } catch (e) {
    // A damaged store is a reason to restore, not a reason not to.
    const code = typeof e === 'object' && e !== null && 'errcode' in e ? Number(e.errcode) & 0xff : 0;
    if (code === 5) throw BACKUP_ERRORS.fail('backup.running', `A gateway runs on ${dataDir}.`);
  } finally {
    db?.close();
  }
}

/** Moves what is there aside, and what was unpacked to its place; the store comes last, so that half a move is no gateway. */
async function putInPlace(fresh: string, dataDir: string): Promise<string | undefined> {
  const old = await contentNames(dataDir);
  const aside = join(dataDir, `before-restore-${iso(realClock().now()).replaceAll(/[:.]/g, '-')}`);
  for (const name of old) {
    await mkdir(aside, { recursive: true, mode: 0o700 });
    await rename(join(dataDir, name), join(aside, name));
  }
  const names = (await readdir(fresh)).sort((a, b) => Number(a === 'store.sqlite') - Number(b === 'store.sqlite'));
  for (const name of names) {
    await mkdir(dirname(join(dataDir, name)), { recursive: true });
    await rename(join(fresh, name), join(dataDir, name));
  }
  return old.length > 0 ? aside : undefined;
}

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^store\.sqlite$/, 'store'],
  [/\.pem$|^signing-keys\.json$|^credential-secret$/, 'keys'],
  [/^(secrets|users)\.json$/, 'secrets and users'],
  [/^site\.json$/, 'site file'],
  [/^node-red\//, 'flows'],
  [/^mappings\//, 'own mappings'],
];

function tellContent(terminal: Terminal, { madeAt, program, schema, entries }: BackupList): void {
  terminal.out(`Backup of ${madeAt}, made by v2gate ${program} (store schema ${schema}):`);
  const kindOf = (path: string): string => KINDS.find(([form]) => form.test(path))?.[1] ?? 'other files';
  for (const kind of [...KINDS.map(([, name]) => name), 'other files']) {
    const those = entries.filter((e) => kindOf(e.path) === kind);
    const bytes = those.reduce((sum, e) => sum + e.bytes, 0);
    const names = those.length > 3 ? `${those.length} files` : those.map((e) => e.path).join(', ');
    if (those.length > 0) terminal.out(`  ${kind.padEnd(18)} ${names} (${size(bytes)})`);
  }
}

function startLine(dataDir: string, data: string | undefined): string {
  // In the package for somebody's Node-RED there is no program of its own.
  if (!existsSync(join(ROOT, 'gateway', `main${extname(import.meta.filename)}`))) return 'Start Node-RED again.';
  const site = existsSync(join(dataDir, 'site.json')) ? `V2GATE_SITE=${join(dataDir, 'site.json')} ` : '';
  return `Start it with: ${site}${data === undefined ? '' : `V2GATE_DATA=${dataDir} `}npm start`;
}
