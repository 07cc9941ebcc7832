import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { iso, realClock } from '../../core/clock.ts';
import { contentOf, copyStore } from '../backup/content.ts';
import { BACKUP_ERRORS } from '../backup/errors.ts';
import { writeBackup } from '../backup/format.ts';
import { newDerivation } from '../backup/sealing.ts';
import { ROOT } from '../runtime.ts';
import { dataPaths, type Settings } from '../settings.ts';
import type { Command, Terminal } from './command.ts';
import { passphraseOf } from './passphrase.ts';
import { settingsFor } from './places.ts';

const USAGE = `Usage: npx v2gate backup <file> [--data <folder>]

Writes one file with everything of a gateway that cannot be made again: store, signing keys, site file, secrets, users,
flows with their credentials, own mappings. It is encrypted with the passphrase in V2GATE_BACKUP_PASSPHRASE, or with one
that is asked for. The gateway may run meanwhile.

  --data  data folder; default: V2GATE_DATA, else .data`;

/** `npx v2gate backup`: 0 it was written. */
export const backup: Command = (args, terminal) => makeBackup(args, terminal);

/** The same with another `kdf` than that of backups to keep (tests). */
export async function makeBackup(args: readonly string[], terminal: Terminal, kdf = newDerivation()): Promise<number> {
  const { file, data } = optionsOf(args);
  if (file === undefined) {
    terminal.err(USAGE);
    return 2;
  }
  const settings = settingsFor(process.env, data);
  const to = resolve(file);
  checkPlaces(settings, to);
  const passphrase = await passphraseOf(process.env, terminal, true);
  await mkdir(dirname(to), { recursive: true });
  // Beside the backup: the folder for temporary files may be small, or shared.
  const folder = await mkdtemp(`${to}.store-`);
  try {
    const { files, notes } = await contentOf(settings);
    const store = join(folder, 'store.sqlite');
    const known = existsSync(dataPaths(settings.dataDir).store);
    const state = known ? await copyStore(settings.dataDir, store) : 'stopped';
    const list = await writeBackup({
      to,
      passphrase,
      kdf,
      files: [...files, ...(known ? [{ path: 'store.sqlite', file: store }] : [])],
      about: { madeAt: iso(realClock().now()), program: await versionOf(), schema: known ? schemaOf(store) : 0 },
    });
    const bytes = list.entries.reduce((sum, e) => sum + e.bytes, 0);
    const what = state === 'running' ? 'while its gateway runs' : 'no gateway runs on it';
    terminal.out(`Backed up ${settings.dataDir} (${what}): ${list.entries.length} files, ${size(bytes)}, to ${to}`);
    for (const note of notes) terminal.out(note);
    terminal.out('Keep its passphrase apart from it: without the passphrase nobody can restore it, you neither.');
    return 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function optionsOf(args: readonly string[]): { file: string | undefined; data: string | undefined } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { data: { type: 'string' } },
    });
    if (positionals.length > 1) throw new Error('It takes one file.');
    return { file: positionals[0], data: values.data };
  } catch (e) {
    throw BACKUP_ERRORS.fail('backup.usage', e instanceof Error ? e.message : 'The options cannot be read.');
  }
}

function checkPlaces({ dataDir, signKey }: Settings, to: string): void {
  if (!existsSync(dataPaths(dataDir).store) && !existsSync(signKey))
    throw BACKUP_ERRORS.fail('backup.nothing', `${dataDir} has neither a store nor a signing key.`);
  if (existsSync(to)) throw BACKUP_ERRORS.fail('backup.exists', `${to} is there already.`);
}

function schemaOf(store: string): number {
  const db = new DatabaseSync(store);
  try {
    // As one file, without a log beside it.
    db.exec('PRAGMA journal_mode = DELETE');
    return Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
  } finally {
    db.close();
  }
}

async function versionOf(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const version: unknown =
    typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'version') : undefined;
  return typeof version === 'string' ? version : 'unknown';
}

export const size = (bytes: number): string =>
  bytes < 1_000_000 ? `${Math.ceil(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
