import type { DatabaseSync } from 'node:sqlite';
import type { V2gateError } from '../../core/errors.ts';
import { failPoint } from '../../core/failpoint.ts';
import type { Log } from '../../core/log.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { ComponentHealth } from '../../hub/ports.ts';
import { explain } from './database.ts';
import { STORE_ERRORS } from './errors.ts';
import { touchesDeferred } from './prepare.ts';
import type { Records } from './records.ts';
import type { Entry } from './writer.ts';

const BUCKETS_S = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1];

export interface CommitterOptions {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly records: Records;
  /** Rows were committed. Must not throw. */
  readonly committed?: (rows: number) => void;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health?: (state: ComponentHealth) => void;
}

/**
 * Makes the function that commits one slice of entries in one transaction: fully synced when one of them is of class A.
 * An entry whose `append` meets an existing key fails alone; what the disk refuses fails them all. Never throws.
 */
export function createCommitter(o: CommitterOptions): (slice: readonly Entry[]) => void {
  const { db, log, metrics } = o;
  const seconds = metrics.histogram('v2gate_store_commit_seconds', 'Time a commit blocks the loop', BUCKETS_S, [
    'sync',
  ]);
  const rows = metrics.counter('v2gate_store_rows_total', 'Rows committed', ['class']);
  const failures = metrics.counter('v2gate_store_failures_total', 'Writes that failed', ['class', 'code']);
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  let fullSync = true; // as the database was opened
  let healthy = true;

  const sync = (full: boolean): void => {
    if (full !== fullSync) db.exec(`PRAGMA synchronous = ${full ? 'FULL' : 'NORMAL'}`);
    fullSync = full;
  };

  const transact = (slice: readonly Entry[], full: boolean): readonly (V2gateError | undefined)[] => {
    try {
      sync(full);
      const [only] = slice;
      if (slice.length === 1 && only?.ops.length === 1) {
        failPoint('commit.open');
        // A statement by itself is a transaction.
        return [applyEntry(db, o.records, only)];
      }
      begin.run();
      const verdicts = slice.map((entry) => applyEntry(db, o.records, entry));
      failPoint('commit.open');
      commit.run();
      return verdicts;
    } catch (e) {
      const error = explain(e, o.path);
      rollBack(db);
      return slice.map(() => error);
    }
  };

  const report = (failed: V2gateError | undefined): void => {
    if ((failed === undefined) === healthy) return;
    healthy = failed === undefined;
    if (failed) log.error('store.down', { code: failed.code, what: failed.cause.what, remedy: failed.cause.remedy });
    else log.info('store.up', {});
    o.health?.(
      failed ? { state: 'down', text: failed.message, admits: false } : { state: 'ok', text: 'Store writes.' },
    );
  };

  return (slice) => {
    const work = slice.filter((e) => e.ops.length > 0);
    if (work.length > 0) {
      const full = work.some((e) => e.durability === 'A');
      const start = performance.now();
      const verdicts = transact(work, full);
      if (work.some((e) => touchesDeferred(e.ops))) failPoint('telemetry.flushed');
      seconds.observe((performance.now() - start) / 1000, { sync: full ? 'full' : 'normal' });
      work.forEach((entry, i) => {
        const error = verdicts[i];
        if (error === undefined) rows.add(entry.ops.length, { class: entry.durability });
        else failures.add(1, { class: entry.durability, code: error.code });
        entry.settle(error);
      });
      report(verdicts.find((v) => v !== undefined && v.code !== 'store.keyExists'));
      o.committed?.(work.reduce((sum, e) => sum + e.ops.length, 0));
    }
    for (const barrier of slice.filter((e) => e.ops.length === 0)) barrier.settle();
  };
}

/** The error that concerns this entry alone, after taking back what it wrote. Other errors are thrown. */
function applyEntry(db: DatabaseSync, records: Records, entry: Entry): V2gateError | undefined {
  const nested = entry.ops.length > 1 && entry.ops.some((o) => o.op === 'append');
  if (nested) db.exec('SAVEPOINT entry');
  const refused = entry.ops.find((op) => !records.apply(op));
  if (nested) db.exec(refused ? 'ROLLBACK TO entry; RELEASE entry' : 'RELEASE entry');
  if (refused === undefined) return undefined;
  return STORE_ERRORS.fail('store.keyExists', `There is already a ${refused.kind} with the key ${refused.key}.`);
}

function rollBack(db: DatabaseSync): void {
  try {
    if (db.isTransaction) db.exec('ROLLBACK');
  } catch {
    // SQLite has rolled back by itself, or the file is gone; the next commit tells.
  }
}
