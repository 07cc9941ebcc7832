import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { openStore } from '../../gateway/store/index.ts';
import { MIGRATIONS } from '../../gateway/store/migrations.ts';
import { RECORD_KINDS, type RecordKind } from '../../hub/ports.ts';

/**
 * The store as each version of the schema made it: the words of that time, not those of the migrations, which would follow
 * a mistake that is made in them. A new version adds a row here and never changes one.
 */
const STORES: Readonly<Record<number, string>> = {
  1: `CREATE TABLE record (
        kind TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (kind, key)) STRICT;
      PRAGMA application_id = 1983014771; PRAGMA user_version = 1`,
  2: `CREATE TABLE record (
        kind TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (kind, key)) STRICT;
      CREATE INDEX record_by_age ON record (kind, at, key);
      PRAGMA application_id = 1983014771; PRAGMA user_version = 2`,
  3: `CREATE TABLE record (
        kind TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (kind, key)) STRICT;
      CREATE INDEX record_by_age ON record (kind, at);
      PRAGMA application_id = 1983014771; PRAGMA user_version = 3`,
  4: `CREATE TABLE record (
        kind TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (kind, key)) STRICT;
      CREATE INDEX record_by_age ON record (kind, at);
      PRAGMA application_id = 1983014771; PRAGMA user_version = 4`,
};

/** All but `meter`, whose rows have another form since version 4. */
const KINDS = (Object.keys(RECORD_KINDS) as RecordKind[]).filter((kind) => kind !== 'meter');

describe('a store of an earlier version', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'v2gate-migrations-'));
    path = join(folder, 'store.sqlite');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const open = () => openStore({ path, clock: realClock(), log: silentLog, metrics: createMetrics() });

  /** Writes a store as that version did, with a record of every kind. */
  function write(version: number): void {
    const db = new DatabaseSync(path);
    db.exec(STORES[version] ?? '');
    const put = db.prepare('INSERT INTO record (kind, key, at, body) VALUES (?, ?, ?, ?)');
    for (const kind of KINDS) put.run(kind, `${kind}:1`, 1_700_000_000_000, JSON.stringify({ kind, n: 1 }));
    db.close();
  }

  function shapeOf(file: string): unknown {
    const db = new DatabaseSync(file, { readOnly: true });
    const rows = db.prepare('SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name').all();
    const version = db.prepare('PRAGMA user_version').get();
    db.close();
    return { version, rows: rows.map((r) => ({ ...r, sql: String(r.sql).replaceAll(/\s+/g, ' ') })) };
  }

  it('keeps its meter values, in the form in which they are read since version 4', async () => {
    write(3);
    const db = new DatabaseSync(path);
    const body = { resourceId: 'N-1.1', at: '2026-06-01T12:00:00.000Z', powerW: 7000, quality: 'good' };
    const at = Date.parse('2026-06-01T12:00:00.250Z');
    const put = db.prepare(`INSERT INTO record (kind, key, at, body) VALUES ('meter', ?, ?, ?)`);
    put.run(`site:a/N-1.1/${body.at}`, at, JSON.stringify(body));
    db.close();
    const store = await open();
    expect(await store.list('meter', { prefix: 'site:a/second/' })).toEqual([
      { key: `site:a/second/2026-06-01T12:00:00.250Z/N-1.1/${body.at}`, at, body: [body] },
    ]);
    await store.close();
  });

  it('is known for every version that there was', () => {
    expect(Object.keys(STORES).map(Number)).toEqual(MIGRATIONS.map((m) => m.to));
  });

  it.each(Object.keys(STORES).map(Number))('%i opens with every record, in the shape of a new one', async (version) => {
    write(version);
    const store = await open();
    for (const kind of KINDS)
      expect(await store.get(kind, `${kind}:1`)).toEqual({
        key: `${kind}:1`,
        at: 1_700_000_000_000,
        body: { kind, n: 1 },
      });
    expect(await store.list('log', { newestFirst: true })).toHaveLength(1);
    await store.close();
    const made = shapeOf(path);
    await rm(folder, { recursive: true });
    await (await open()).close();
    expect(made).toEqual(shapeOf(path));
  });
});
