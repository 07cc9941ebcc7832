import type { DatabaseSync } from 'node:sqlite';
import { describeError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { STORE_ERRORS } from './errors.ts';

/** One step forward. `to` is the schema version after it; steps are never edited once released, only added. */
export interface Migration {
  readonly to: number;
  /** What it does, for the log. */
  readonly what: string;
  readonly up: (db: DatabaseSync) => void;
}

/** Marks the file as ours (SQLite header field `application_id`): "v2gs". */
export const APPLICATION_ID = 0x76326773;

/** Every version of the schema there ever was, oldest first. */
export const MIGRATIONS: readonly Migration[] = [
  {
    to: 1,
    what: 'records by kind and key',
    up: (db) =>
      db.exec(`CREATE TABLE record (
        kind TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (kind, key)) STRICT`),
  },
  {
    to: 2,
    what: 'records by age, for retention and newest first',
    up: (db) => db.exec('CREATE INDEX record_by_age ON record (kind, at, key)'),
  },
  {
    to: 3,
    what: 'the index by age without the keys, a sixth of the file',
    up: (db) => db.exec('DROP INDEX record_by_age; CREATE INDEX record_by_age ON record (kind, at)'),
  },
  {
    to: 4,
    what: 'meter values in rows by the second they were written in, each a list',
    up: (db) =>
      // Keys begin with the site, whose id has no slash.
      db.exec(`UPDATE record SET body = '[' || body || ']',
        key = substr(key, 1, instr(key, '/')) || 'second/' || strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch')
          || '/' || substr(key, instr(key, '/') + 1)
        WHERE kind = 'meter' AND substr(key, instr(key, '/') + 1) NOT LIKE 'second/%'`),
  },
];

/**
 * Brings an open database to the last version of `steps`, each step in its own transaction, and answers the version it
 * had. Throws `store.newer`, `store.foreign`, `store.migration`; then nothing was changed by the failing step.
 */
export function migrate(db: DatabaseSync, log: Log, steps: readonly Migration[] = MIGRATIONS): number {
  const found = pragma(db, 'user_version');
  const last = steps.at(-1)?.to ?? 0;
  checkOwner(db, found);
  if (found > last) {
    const what = `The store file has schema version ${found}; this gateway knows up to ${last}.`;
    throw STORE_ERRORS.fail('store.newer', what);
  }
  for (const step of steps.filter((s) => s.to > found)) {
    db.exec('BEGIN IMMEDIATE');
    try {
      step.up(db);
      db.exec(`PRAGMA user_version = ${step.to}; PRAGMA application_id = ${APPLICATION_ID}; COMMIT`);
    } catch (e) {
      if (db.isTransaction) db.exec('ROLLBACK');
      const what = `The step to schema version ${step.to} (${step.what}) failed: ${messageOf(e)}.`;
      throw STORE_ERRORS.fail('store.migration', what);
    }
    if (found > 0) log.info('store.migrated', { to: step.to, what: step.what });
  }
  return found;
}

/** A new file is empty; an existing one must carry our mark, so that nobody's database is overwritten by a wrong path. */
function checkOwner(db: DatabaseSync, version: number): void {
  if (pragma(db, 'application_id') === APPLICATION_ID) return;
  const objects = Number(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.n);
  if (version === 0 && objects === 0) return;
  throw STORE_ERRORS.fail('store.foreign');
}

function pragma(db: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}

function messageOf(e: unknown): string {
  return e instanceof Error ? e.message : describeError(e).what;
}
