import type { ListQuery, RecordKind, StoredRecord, StoreOp, StorePort } from '../../hub/ports.ts';

/** A store in memory whose moods a test sets. */
export interface MoodyStore extends StorePort {
  /** Writes fail from now on. */
  broken: boolean;
  /** Writes wait until they are let go. */
  slow: boolean;
  /** Lets waiting writes go. */
  go(): void;
  /** Kinds of what was written, in order. */
  readonly written: RecordKind[];
  closed: boolean;
}

export function moodyStore(): MoodyStore {
  const rows = new Map<string, StoredRecord>();
  const id = (kind: RecordKind, key: string) => `${kind} ${key}`;
  let waiting: (() => void)[] = [];
  const store: MoodyStore = {
    broken: false,
    slow: false,
    written: [],
    closed: false,
    go() {
      for (const next of waiting.splice(0)) next();
      waiting = [];
    },
    async write(ops: readonly StoreOp[]) {
      const frozen = structuredClone(ops);
      if (store.slow) await new Promise<void>((resolve) => waiting.push(resolve));
      if (store.closed) throw Object.assign(new Error('closed'), { code: 'store.closed' });
      if (store.broken) {
        const cause = { what: 'The store failed.', remedy: 'Look at the disk.', retry: 'yes' };
        throw Object.assign(new Error('failed'), { code: 'store.failed', cause });
      }
      for (const op of frozen) {
        store.written.push(op.kind);
        if (op.op === 'delete') rows.delete(id(op.kind, op.key));
        else rows.set(id(op.kind, op.key), { key: op.key, at: op.at, body: op.body });
      }
    },
    async get(kind, key) {
      return rows.get(id(kind, key));
    },
    async list(kind, q: ListQuery = {}) {
      const found = [...rows]
        .filter(([k]) => k.startsWith(id(kind, q.prefix ?? '')))
        .map(([, row]) => row)
        .filter((row) => q.after === undefined || row.key > q.after);
      return found.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, q.limit ?? 1000);
    },
    async prune() {
      return 0;
    },
    async flush() {},
    async close() {
      store.closed = true;
    },
  };
  return store;
}
