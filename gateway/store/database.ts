import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { codeOf, type V2gateError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { STORE_ERRORS } from './errors.ts';
import { type Migration, migrate } from './migrations.ts';

/** Larger files are not read through at the start: it would take longer than the start may. */
const CHECKED_UP_TO_BYTES = 64 * 2 ** 20;
export interface DatabaseOptions {
  /** How long another process may still hold the file, in ms; the loop is blocked meanwhile. Default 2 000. */
  readonly lockWaitMs?: number | undefined;
  readonly steps?: readonly Migration[];
}

/** Primary result codes (sqlite.org/rescode.html). */
const SQLITE = { noPermission: 3, busy: 5, readOnly: 8, corrupt: 11, cannotOpen: 14, notADatabase: 26 } as const;

/**
 * Opens (or makes) the database and brings it to the present schema. The process owns the file alone while it is open:
 * two gateways on one store would both believe they command its stations.
 * Throws `store.unreachable`, `store.locked`, `store.corrupt`, `store.foreign`, `store.newer`, `store.migration`.
 */
export function openDatabase(path: string, log: Log, o: DatabaseOptions = {}): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    db = new DatabaseSync(path, { timeout: o.lockWaitMs ?? 2000 });
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY');
    db.exec('BEGIN IMMEDIATE; COMMIT');
    checkHealth(db, path);
    migrate(db, log, o.steps);
    return db;
  } catch (e) {
    if (db?.isOpen) db.close();
    throw explain(e, path);
  }
}

/** The coded error of what SQLite or the file system threw; coded errors pass. The sentence names the file. */
export function explain(e: unknown, path: string): V2gateError {
  if (isCoded(e)) return e;
  const words = e instanceof Error ? e.message : String(e);
  switch (kindOf(e)) {
    case 'store.locked':
      return STORE_ERRORS.fail('store.locked', `Another process uses the store file ${path}.`);
    case 'store.corrupt':
      return STORE_ERRORS.fail('store.corrupt', `The store file ${path} is damaged or not a database: ${words}.`);
    case 'store.unreachable':
      return STORE_ERRORS.fail('store.unreachable', `The store file ${path} cannot be opened for writing: ${words}.`);
    case 'store.failed':
      return STORE_ERRORS.fail('store.failed', `The store ${path} failed: ${words}.`);
  }
}

function kindOf(e: unknown): 'store.failed' | 'store.locked' | 'store.corrupt' | 'store.unreachable' {
  // Extended codes carry the primary code in their low byte.
  const errcode = typeof e === 'object' && e !== null && 'errcode' in e ? Number(e.errcode) & 0xff : undefined;
  if (errcode === SQLITE.busy) return 'store.locked';
  if (errcode === SQLITE.corrupt || errcode === SQLITE.notADatabase) return 'store.corrupt';
  if (errcode === SQLITE.cannotOpen || errcode === SQLITE.readOnly || errcode === SQLITE.noPermission) {
    return 'store.unreachable';
  }
  return /^E[A-Z]+$/.test(codeOf(e) ?? '') ? 'store.unreachable' : 'store.failed';
}

function isCoded(e: unknown): e is V2gateError {
  return codeOf(e)?.startsWith('store.') === true;
}

function checkHealth(db: DatabaseSync, path: string): void {
  if (path === ':memory:' || statSync(path).size > CHECKED_UP_TO_BYTES) return;
  const verdict = db.prepare('PRAGMA quick_check(1)').get()?.quick_check;
  if (verdict === 'ok') return;
  throw STORE_ERRORS.fail('store.corrupt', `The store file ${path} is damaged: ${String(verdict)}.`);
}
