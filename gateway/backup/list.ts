import { BACKUP_ERRORS } from './errors.ts';
import { type Derivation, isSound } from './sealing.ts';

/** Version of the form of backups that is written, and the last one that can be read. */
export const VERSION = 1;

export interface BackupHeader {
  readonly format: 'v2gate-backup';
  readonly version: number;
  readonly kdf: Derivation;
}

/** One file of a backup. */
export interface BackupEntry {
  /** Where it belongs in the data folder, with `/`. */
  readonly path: string;
  /** Sealed. */
  readonly bytes: number;
  /** Of what is sealed, hexadecimal. */
  readonly sha256: string;
}

/** What a backup says about itself. */
export interface BackupList {
  /** ISO 8601. */
  readonly madeAt: string;
  /** Version of v2gate that made it. */
  readonly program: string;
  /** Schema version of its store; 0 where it has none. */
  readonly schema: number;
  readonly entries: readonly BackupEntry[];
}

const MAX_ENTRIES = 100_000;

/** The first line of a backup. Throws `backup.format` or `backup.newer`. */
export function headerOf(line: string, file: string): BackupHeader {
  const header = parse(line);
  const version = field(header, 'version');
  if (field(header, 'format') !== 'v2gate-backup' || typeof version !== 'number')
    throw BACKUP_ERRORS.fail('backup.format', `${file} is not a backup of v2gate.`);
  if (version > VERSION)
    throw BACKUP_ERRORS.fail('backup.newer', `${file} has version ${version}; this v2gate reads up to ${VERSION}.`);
  const kdf = field(header, 'kdf');
  const [n, r, p, salt] = ['n', 'r', 'p', 'salt'].map((name) => field(kdf, name));
  if (typeof n === 'number' && typeof r === 'number' && typeof p === 'number' && typeof salt === 'string') {
    const derivation = { n, r, p, salt };
    if (isSound(derivation)) return { format: 'v2gate-backup', version, kdf: derivation };
  }
  throw BACKUP_ERRORS.fail('backup.format', `The first line of ${file} is damaged.`);
}

/** The list of a backup whose entries take `room` bytes. Throws `backup.format`. */
export function listOf(line: string, file: string, room: number): BackupList {
  const list = parse(line);
  const [madeAt, program, schema, rows] = ['madeAt', 'program', 'schema', 'entries'].map((name) => field(list, name));
  const entries = Array.isArray(rows) && rows.length <= MAX_ENTRIES ? rows.map(entryOf) : [undefined];
  const sound = entries.every((e) => e !== undefined);
  if (typeof madeAt === 'string' && typeof program === 'string' && typeof schema === 'number' && sound) {
    if (entries.reduce((sum, e) => sum + e.bytes, 0) === room) return { madeAt, program, schema, entries };
  }
  throw BACKUP_ERRORS.fail('backup.format', `The list of content of ${file} is damaged.`);
}

function entryOf(row: unknown): BackupEntry | undefined {
  const [path, bytes, sha256] = ['path', 'bytes', 'sha256'].map((name) => field(row, name));
  if (typeof path !== 'string' || !isInside(path) || typeof bytes !== 'number' || typeof sha256 !== 'string')
    return undefined;
  return Number.isSafeInteger(bytes) && bytes >= 28 ? { path, bytes, sha256 } : undefined;
}

/** A path that stays where it is put. */
const isInside = (path: string): boolean =>
  path.length <= 1_024 &&
  !path.includes('\\') &&
  !path.includes('\0') &&
  path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const field = (of: unknown, name: string): unknown =>
  typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
