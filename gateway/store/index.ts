import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { ComponentHealth, ListQuery, RecordKind, StoredRecord, StoreOp, StorePort } from '../../hub/ports.ts';
import { Checkpoints } from './checkpoints.ts';
import { createCommitter } from './commit.ts';
import { copyDatabase } from './copy.ts';
import { explain, openDatabase } from './database.ts';
import { STORE_ERRORS } from './errors.ts';
import { passStored } from './passing.ts';
import { checkKind, prepareOps } from './prepare.ts';
import { prepareRecords, type Records } from './records.ts';
import { Writer } from './writer.ts';

export { serveCopies } from './copy.ts';
export { STORE_ERRORS } from './errors.ts';
export { RETENTION_DAYS, startRetention } from './retention.ts';

const DEFAULT_MAX_ROWS = 10_000;
const PRUNE_ROWS = 128;

export interface StoreOptions {
  /** Path of the file (its folder is made when missing) or `:memory:`. */
  readonly path: string;
  /**
   * Paces groups and the second of class C. Pass the machine's clock also where the domain's is manual: with a manual
   * one, writes of class B wait until somebody moves it.
   */
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Rows that may wait to be written, default 10 000; beyond it a write is refused with `store.failed`. */
  readonly maxRows?: number;
  /** How long the start waits for a gateway that is just stopping to let go of the file; default 2 000 ms. */
  readonly lockWaitMs?: number;
  /** Told when a commit fails (`down`) and when one works again (`ok`). */
  readonly health?: (state: ComponentHealth) => void;
}

/** The store as the process has it. */
export interface SqliteStorePort extends StorePort {
  /** Writes a consistent copy of everything accepted so far to a new file; writing goes on meanwhile. */
  copyTo(file: string): Promise<void>;
}

/**
 * Opens the store of one gateway on `node:sqlite` (design 5). Rejects with `store.unreachable`, `store.locked`,
 * `store.corrupt`, `store.foreign`, `store.newer` or `store.migration`; the file is then as it was.
 *
 * SQLite runs on the main thread: 128 rows of 300 B take about 1 ms and a synced commit of one row 0.2 ms on an SSD, and
 * no transaction that the store makes by itself is larger before 512 rows wait. `v2gate_store_commit_seconds` shows when a disk is too slow for it.
 */
export async function openStore(o: StoreOptions): Promise<SqliteStorePort> {
  const db = openDatabase(o.path, o.log, { lockWaitMs: o.lockWaitMs });
  try {
    return new SqliteStore(db, o);
  } catch (e) {
    db.close();
    throw explain(e, o.path);
  }
}

class SqliteStore implements SqliteStorePort {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #log: Log;
  readonly #records: Records;
  readonly #writer: Writer;
  readonly #checkpoints: Checkpoints;
  readonly #forget: () => void;
  #closing: Promise<void> | undefined;

  constructor(db: DatabaseSync, o: StoreOptions) {
    this.#db = db;
    this.#path = o.path;
    this.#log = o.log;
    this.#records = prepareRecords(db);
    this.#checkpoints = new Checkpoints({ db, clock: o.clock });
    const commit = createCommitter({
      ...o,
      db,
      records: this.#records,
      committed: (rows) => this.#checkpoints.committed(rows),
    });
    this.#writer = new Writer({ clock: o.clock, maxRows: o.maxRows ?? DEFAULT_MAX_ROWS, commit });
    this.#forget = o.metrics.collect('v2gate_store_queue', () => this.#writer.stats());
  }

  async write(ops: readonly StoreOp[]): Promise<void> {
    if (this.#closing) throw STORE_ERRORS.fail('store.closed');
    const prepared = prepareOps(ops);
    if (prepared.length === 0) return;
    await this.#writer.write(prepared);
    passStored(prepared);
  }

  get(kind: RecordKind, key: string): Promise<StoredRecord | undefined> {
    return this.#read(kind, () => this.#records.get(kind, key));
  }

  list(kind: RecordKind, query: ListQuery = {}): Promise<readonly StoredRecord[]> {
    return this.#read(kind, () => this.#records.list(kind, query));
  }

  async prune(kind: RecordKind, before: number): Promise<number> {
    let pruned = 0;
    for (;;) {
      const n = await this.#read(kind, () => this.#records.prune(kind, before, PRUNE_ROWS));
      pruned += n;
      if (n < PRUNE_ROWS) return pruned;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  async flush(): Promise<void> {
    if (this.#closing) throw STORE_ERRORS.fail('store.closed');
    await this.#writer.barrier();
    this.#run(() => this.#checkpoints.now());
  }

  async copyTo(file: string): Promise<void> {
    if (this.#closing) throw STORE_ERRORS.fail('store.closed');
    await this.#writer.barrier();
    try {
      await copyDatabase(this.#db, file);
    } catch (e) {
      throw explain(e, file);
    }
  }

  /** Writes what is accepted and closes the file; the second call waits for the first. */
  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  async #shut(): Promise<void> {
    await this.#writer.barrier();
    this.#forget();
    this.#checkpoints.close();
    this.#run(() => this.#db.close());
    this.#log.debug('store.closed', { path: this.#path });
  }

  /** Reads see everything acknowledged, also what class C has not written yet. */
  async #read<T>(kind: RecordKind, read: () => T): Promise<T> {
    checkKind(kind);
    if (!this.#closing && this.#writer.pendingRows(kind) > 0) await this.#writer.barrier();
    if (this.#closing) throw STORE_ERRORS.fail('store.closed');
    return this.#run(read);
  }

  #run<T>(step: () => T): T {
    try {
      return step();
    } catch (e) {
      throw explain(e, this.#path);
    }
  }
}
