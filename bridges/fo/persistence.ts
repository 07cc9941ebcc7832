import type { Clock } from '../../core/clock.ts';
import { failPoint } from '../../core/failpoint.ts';
import type { StorePort } from '../../hub/ports.ts';
import type {
  FoOutbox,
  FoOutboxEntry,
  FoPersistence,
  FoResultStore,
  FoStoredResult,
  FoType,
} from '../../protocols/fo/index.ts';

/** Events are acknowledged one by one; a few more go along where an earlier delete failed. */
const ACK_BATCH = 32;

/**
 * Notices that are owed until the outbox has them: who owes may die before it knows, and then tells again. What was
 * appended is remembered as long as Results.
 */
const ONCE: readonly FoType[] = [
  'ServiceDecision',
  'Opt',
  'CancelService',
  'ExecutionNotice',
  'ServiceRecord',
  'Proof',
];

const toldKey = (peer: string, messageId: string): string => `told/${peer}/${messageId}`;

const seqKey = (peer: string, seq: number): string => `${peer}/${String(seq).padStart(16, '0')}`;

/** Keeps the Results of one party for 24 h and its unacknowledged events (fo 4.2), both of durability class A. */
export function foPersistence(store: StorePort, clock: Clock, peer: string): FoPersistence {
  return { results: resultStore(store, clock), outbox: outbox(store, clock, peer) };
}

function resultStore(store: StorePort, clock: Clock): FoResultStore {
  return {
    async get(key) {
      const row = await store.get('request', key);
      return row === undefined ? undefined : (row.body as FoStoredResult);
    },
    async put(key, entry) {
      await store.write([{ op: 'put', kind: 'request', key, at: clock.now(), body: entry }]);
    },
  };
}

function outbox(store: StorePort, clock: Clock, peer: string): FoOutbox {
  const counter = `fo/${peer}`;
  return {
    async last() {
      const row = await store.get('sequence', counter);
      return row === undefined ? 0 : (row.body as { readonly seq: number }).seq;
    },
    async append(entry) {
      const at = clock.now();
      await store.write([
        { op: 'append', kind: 'outbox', key: seqKey(peer, entry.seq), at, body: entry },
        { op: 'put', kind: 'sequence', key: counter, at, body: { seq: entry.seq } },
        ...(ONCE.includes(entry.type)
          ? [{ op: 'put', kind: 'request', key: toldKey(peer, entry.messageId), at, body: { seq: entry.seq } } as const]
          : []),
      ]);
    },
    has: async (messageId) => (await store.get('request', toldKey(peer, messageId))) !== undefined,
    async list(afterSeq, limit) {
      const rows = await store.list('outbox', { prefix: `${peer}/`, after: seqKey(peer, afterSeq), limit });
      return rows.map((r) => r.body as FoOutboxEntry);
    },
    async ack(seq) {
      const rows = await store.list('outbox', { prefix: `${peer}/`, limit: ACK_BATCH });
      const acked = rows.filter((r) => r.key <= seqKey(peer, seq));
      if (acked.length === 0) return;
      failPoint('event.acked');
      await store.write(acked.map((r) => ({ op: 'delete', kind: 'outbox', key: r.key })));
    },
  };
}
