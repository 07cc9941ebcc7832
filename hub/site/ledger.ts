import { BoundedMap } from '../../core/bounded.ts';
import { codeOf, describeError, INTERNAL_ERRORS } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { RECORD_KINDS, type RecordKind, type StoredRecord, type StoreOp, type StorePort } from '../ports.ts';

/** More tasks than this do not wait for one another; who comes then is told to come again. */
const MAX_WAITING = 64;
const MAX_LANES = 8_192;
const PAGE = 1_000;

interface Lane {
  tail: Promise<unknown>;
  waiting: number;
}

/**
 * What a site writes: under keys of its own (sites share a store), in lanes in which one task follows the other, and
 * never after it was closed.
 */
export class Ledger {
  readonly #store: StorePort;
  readonly #log: Log;
  readonly #prefix: string;
  readonly #lanes = new BoundedMap<string, Lane>({ name: 'hub.lanes', max: MAX_LANES, overflow: 'refuse' });
  #failing = false;
  #closed = false;

  constructor(o: { store: StorePort; log: Log; siteId: string }) {
    this.#store = o.store;
    this.#log = o.log;
    this.#prefix = `${o.siteId}/`;
  }

  /** True while a task of the lane runs or waits. */
  busy(lane: string): boolean {
    return this.#lanes.get(lane) !== undefined;
  }

  /** Runs a task after those of the same lane. Rejects as it does, or with `internal.temporary` when too many wait. */
  run<T>(name: string, task: () => Promise<T>): Promise<T> {
    const lane = this.#lanes.get(name) ?? { tail: Promise.resolve(), waiting: 0 };
    if (this.#closed || lane.waiting >= MAX_WAITING || (lane.waiting === 0 && !this.#lanes.set(name, lane))) {
      return Promise.reject(INTERNAL_ERRORS.fail('internal.temporary', 'The site has too much to write just now.'));
    }
    lane.waiting++;
    const done = lane.tail.then(task).finally(() => {
      if (--lane.waiting === 0) this.#lanes.delete(name);
    });
    lane.tail = done.catch(() => undefined);
    return done;
  }

  /** Settles when the class of the records is satisfied (design 5). Rejects with `store.failed` or `store.closed`. */
  async write(ops: readonly StoreOp[]): Promise<void> {
    if (ops.length === 0) return;
    if (this.#closed) throw INTERNAL_ERRORS.fail('internal.temporary', 'The site is closing.');
    try {
      await this.#store.write(ops.map((op) => ({ ...op, key: this.#prefix + op.key })));
      // What is acknowledged before it is written shows nothing of the disk.
      if (ops.some((op) => RECORD_KINDS[op.kind] !== 'C')) this.#said(undefined);
    } catch (e) {
      this.#said(e);
      throw e;
    }
  }

  /** Writes what nobody waits for. */
  later(op: StoreOp, ...more: readonly StoreOp[]): void {
    if (!this.#closed) this.write([op, ...more]).catch(() => undefined);
  }

  async get(kind: RecordKind, key: string): Promise<StoredRecord | undefined> {
    return this.#store.get(kind, this.#prefix + key);
  }

  /** All records of a kind below a folder (and after a key), page by page; keys as they were written. */
  async *all(kind: RecordKind, folder = '', from = ''): AsyncGenerator<StoredRecord> {
    const prefix = this.#prefix + folder;
    let after = from === '' ? undefined : this.#prefix + from;
    for (;;) {
      const rows = await this.#store.list(kind, { prefix, limit: PAGE, ...(after === undefined ? {} : { after }) });
      for (const row of rows) yield { ...row, key: row.key.slice(this.#prefix.length) };
      after = rows.at(-1)?.key;
      if (rows.length < PAGE || after === undefined) return;
    }
  }

  /** One page below a folder in the order of keys, after a key; keys as they were written. */
  async page(
    kind: RecordKind,
    q: { readonly folder: string; readonly after: string; readonly limit: number; readonly newestFirst?: boolean },
  ): Promise<StoredRecord[]> {
    const { newestFirst = false } = q;
    const after = q.after === '' ? {} : { after: this.#prefix + q.after };
    const rows = await this.#store.list(kind, {
      prefix: this.#prefix + q.folder,
      limit: q.limit,
      newestFirst,
      ...after,
    });
    return rows.map((row) => ({ ...row, key: row.key.slice(this.#prefix.length) }));
  }

  /** The newest records of a kind that are not older than `since` (epoch ms), at most 10 000. */
  async recent(kind: RecordKind, since: number): Promise<StoredRecord[]> {
    const rows = await this.#store.list(kind, { prefix: this.#prefix, newestFirst: true, limit: 10 * PAGE });
    return rows.filter((row) => row.at >= since);
  }

  /** Waits for what has begun; from then on nothing is written. */
  async close(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.tail));
    this.#closed = true;
  }

  /** A failing store is logged when it begins and when it ends, not at every write. */
  #said(error: unknown): void {
    if (error !== undefined && !this.#failing && codeOf(error) !== 'store.closed')
      this.#log.error('site.store', { ...describeError(error) });
    if (error === undefined && this.#failing) this.#log.info('site.storeWorks');
    this.#failing = error !== undefined;
  }
}
