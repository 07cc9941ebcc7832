import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { SiteFile } from '../../model/index.ts';
import { dataPaths, type Settings } from '../settings.ts';
import { copyDatabase, copyFiles } from '../store/copy.ts';
import { BACKUP_ERRORS } from './errors.ts';
import type { BackupSource } from './format.ts';

/** Where things are that may lie outside of the data folder. */
export type Places = Pick<Settings, 'dataDir' | 'siteFile' | 'secretsFile' | 'signKey' | 'mappings' | 'demo'>;

export interface Content {
  readonly files: readonly BackupSource[];
  /** What somebody who restores it has to know, in sentences. */
  readonly notes: readonly string[];
}

const MAX_FILES = 20_000;
/** Of Node-RED: packages are installed again, and its own copies of an earlier flow are none of ours. */
const NOT_KEPT = /(^|\/)(node_modules|\.npm|\.git)(\/|$)|\.backup$|\.broken$/;

/** Everything of a gateway that cannot be made again, but its store. */
export async function contentOf(places: Places): Promise<Content> {
  const { dataDir } = places;
  const files: BackupSource[] = [];
  const notes: string[] = [];
  const add = (path: string, file: string): void => {
    if (existsSync(file) && !files.some((f) => f.path === path)) files.push({ path, file });
  };
  const moved = (file: string, path: string, variable: string): void => {
    add(path, file);
    if (existsSync(file) && resolve(file) !== join(dataDir, path))
      notes.push(`${variable} named ${file}; it is restored as ${path} in the data folder.`);
  };
  moved(places.signKey, 'signing-key.pem', 'V2GATE_SIGN_KEY');
  moved(places.secretsFile, 'secrets.json', 'V2GATE_SECRETS');
  if (!places.demo) moved(places.siteFile, 'site.json', 'V2GATE_SITE');
  for (const name of ['signing-keys.json', 'users.json', 'credential-secret']) add(name, join(dataDir, name));
  const keys = places.demo ? [] : await siteKeys(places.siteFile);
  for (const ref of keys) {
    const file = resolve(dataDir, ref);
    const path = relative(dataDir, file).replaceAll('\\', '/');
    if (isAbsolute(path) || path.startsWith('..'))
      notes.push(`The signing key ${file} lies elsewhere and is not in it.`);
    else add(path, file);
  }
  for (const [folder, name] of [
    [dataPaths(dataDir).nodeRed, 'node-red'],
    [join(dataDir, 'tls'), 'tls'],
    ...(places.mappings === undefined ? [] : [[places.mappings, 'mappings'] as const]),
  ] as const) {
    const { files: paths, links } = await below(folder);
    for (const path of paths) add(`${name}/${path}`, join(folder, path));
    if (links.length > 0)
      notes.push(
        `Links are not followed, so what they lead to is not in it: ${links.slice(0, 5).join(', ')} in ${folder}.`,
      );
  }
  if (!existsSync(dataPaths(dataDir).nodeRed))
    notes.push('Flows are not in it: they are those of the Node-RED around it, in its user directory.');
  if (places.mappings !== undefined)
    notes.push(`V2GATE_MAPPINGS named ${places.mappings}; it is restored as mappings in the data folder.`);
  return { files, notes };
}

/** Names behind which the site file keeps signing keys; where it cannot be read it names none. */
async function siteKeys(file: string): Promise<readonly string[]> {
  try {
    const content: unknown = JSON.parse(await readFile(file, 'utf8'));
    return SiteFile.is(content) ? (content.keys ?? []).filter((k) => k.use === 'sign').map((k) => k.keyRef) : [];
  } catch {
    return [];
  }
}

/** Regular files and links below a folder, by their path in it. A link may lead anywhere, also in a circle. */
async function below(
  folder: string,
): Promise<{ readonly files: readonly string[]; readonly links: readonly string[] }> {
  if (!existsSync(folder)) return { files: [], links: [] };
  const found = (await readdir(folder, { recursive: true, withFileTypes: true })).map((entry) => ({
    path: relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'),
    isFile: entry.isFile(),
    isLink: entry.isSymbolicLink(),
  }));
  const kept = found.filter(({ path }) => !NOT_KEPT.test(path)).sort((a, b) => (a.path < b.path ? -1 : 1));
  if (kept.length > MAX_FILES)
    throw BACKUP_ERRORS.fail('backup.unreadable', `${folder} has more than ${MAX_FILES} files.`);
  const paths = (of: 'isFile' | 'isLink'): string[] => kept.filter((k) => k[of]).map((k) => k.path);
  return { files: paths('isFile'), links: paths('isLink') };
}

const ANSWER_MS = 30_000;
const STEP_MS = 200;
const SQLITE_BUSY = 5;

/**
 * Writes a consistent copy of the store to `to`, from the file itself or, while a gateway has it open, by asking that
 * gateway. Answers whether one runs. Rejects with `backup.noAnswer` or `backup.unreadable`.
 */
export async function copyStore(dataDir: string, to: string): Promise<'running' | 'stopped'> {
  const { store } = dataPaths(dataDir);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(store, { timeout: 500 });
    db.exec('BEGIN IMMEDIATE; COMMIT');
    await copyDatabase(db, to);
    return 'stopped';
  } catch (e) {
    if ((errcodeOf(e) & 0xff) !== SQLITE_BUSY)
      throw BACKUP_ERRORS.fail('backup.unreadable', `The store ${store} cannot be copied: ${messageOf(e)}.`);
  } finally {
    db?.close();
  }
  await askForCopy(dataDir, to);
  return 'running';
}

async function askForCopy(dataDir: string, to: string): Promise<void> {
  const files = copyFiles(dataDir, randomBytes(8).toString('hex'));
  await writeFile(files.wanted, '', { flag: 'wx', mode: 0o600 });
  try {
    let last = -1;
    for (let left = ANSWER_MS; left > 0; left -= STEP_MS) {
      await pause(STEP_MS);
      if (existsSync(files.failed)) throw new Error(await readFile(files.failed, 'utf8'));
      if (existsSync(files.done)) return await copyFile(files.done, to);
      // A large store takes its time; only one that does not grow is given up.
      const size = existsSync(files.part) ? (await stat(files.part)).size : -1;
      if (size > last) left = ANSWER_MS;
      last = Math.max(last, size);
    }
  } catch (e) {
    throw BACKUP_ERRORS.fail('backup.noAnswer', `The gateway could not copy its store: ${messageOf(e)}`);
  } finally {
    for (const file of [files.wanted, files.failed, files.done]) await rm(file, { force: true });
  }
  throw BACKUP_ERRORS.fail('backup.noAnswer');
}

const messageOf = (e: unknown): string => (e instanceof Error ? e.message : String(e));

const errcodeOf = (e: unknown): number =>
  typeof e === 'object' && e !== null && 'errcode' in e ? Number(e.errcode) : 0;
