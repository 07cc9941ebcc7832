import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { ListQuery, RecordKind, StoredRecord } from '../../hub/ports.ts';
import { STORE_ERRORS } from './errors.ts';
import type { PreparedOp } from './prepare.ts';

const LIST_DEFAULT = 1000;
const LIST_MAX = 10_000;

/** The statements over one open database. Synchronous; whatever SQLite throws comes through. */
export interface Records {
  /** False when an `append` met an existing key. */
  apply(op: PreparedOp): boolean;
  get(kind: RecordKind, key: string): StoredRecord | undefined;
  /** Throws `store.invalid` for a limit outside 1–10 000. */
  list(kind: RecordKind, query: ListQuery): readonly StoredRecord[];
  /** Deletes up to `limit` records older than `before`; answers how many. */
  prune(kind: RecordKind, before: number, limit: number): number;
}

export function prepareRecords(db: DatabaseSync): Records {
  const put = db.prepare(
    `INSERT INTO record (kind, key, at, body) VALUES (?, ?, ?, ?)
     ON CONFLICT (kind, key) DO UPDATE SET at = excluded.at, body = excluded.body`,
  );
  const append = db.prepare(
    'INSERT INTO record (kind, key, at, body) VALUES (?, ?, ?, ?) ON CONFLICT (kind, key) DO NOTHING',
  );
  const remove = db.prepare('DELETE FROM record WHERE kind = ? AND key = ?');
  const get = db.prepare('SELECT key, at, body FROM record WHERE kind = ? AND key = ?');
  const prune = db.prepare(
    'DELETE FROM record WHERE rowid IN (SELECT rowid FROM record WHERE kind = ? AND at < ? ORDER BY at LIMIT ?)',
  );
  return {
    apply(op) {
      if (op.op === 'delete') remove.run(op.kind, op.key);
      else if (op.op === 'put') put.run(op.kind, op.key, op.at, op.body);
      else return append.run(op.kind, op.key, op.at, op.body).changes === 1;
      return true;
    },
    get(kind, key) {
      const row = get.get(kind, key);
      return row === undefined ? undefined : toRecord(row);
    },
    list(kind, query) {
      const { sql, values } = listStatement(kind, query);
      return db
        .prepare(sql)
        .all(...values)
        .map(toRecord);
    },
    prune: (kind, before, limit) => Number(prune.run(kind, before, limit).changes),
  };
}

function listStatement(kind: RecordKind, q: ListQuery): { sql: string; values: SQLInputValue[] } {
  const limit = q.limit ?? LIST_DEFAULT;
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_MAX) {
    throw STORE_ERRORS.fail('store.invalid', `A list takes a limit of 1 to ${LIST_MAX}, not ${limit}.`);
  }
  const where = ['kind = ?'];
  const values: SQLInputValue[] = [kind];
  const also = (condition: string, value: string | undefined): void => {
    if (value === undefined) return;
    where.push(condition);
    values.push(value);
  };
  also('key > ?', q.after);
  if (q.prefix !== undefined && q.prefix !== '') {
    also('key >= ?', q.prefix);
    also('key < ?', afterPrefix(q.prefix));
  }
  const order = q.newestFirst === true ? 'at DESC, key DESC' : 'key';
  return {
    sql: `SELECT key, at, body FROM record WHERE ${where.join(' AND ')} ORDER BY ${order} LIMIT ?`,
    values: [...values, limit],
  };
}

/** The least text above every text that starts with `prefix`, in byte order; undefined when there is none. */
function afterPrefix(prefix: string): string | undefined {
  const points = [...prefix].map((c) => c.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10ffff) continue;
    const next = last === 0xd7ff ? 0xe000 : last + 1; // surrogates are no characters
    return String.fromCodePoint(...points, next);
  }
  return undefined;
}

function toRecord(row: Record<string, unknown>): StoredRecord {
  const body: unknown = JSON.parse(String(row.body));
  return { key: String(row.key), at: Number(row.at), body };
}
