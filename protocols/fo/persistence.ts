import type { DetachedSignature } from '../../core/signing.ts';
import type { ResultBody } from '../../model/index.ts';
import type { FoType } from './catalogue.ts';

/** A stored answer (fo 4.2, idempotency). */
export interface FoStoredResult {
  /** Lower-case hex SHA-256 over the canonical body. */
  readonly hash: string;
  readonly result: ResultBody;
  /** Epoch ms. */
  readonly at: number;
}

/**
 * Where Results live for 24 h. `key` is `<from>/<messageId>`. The session keeps the newest 4 096 in memory itself, asks
 * here on a miss and awaits `put` before the Result leaves. Setpoints are not stored here: their `seq` protects them.
 */
export interface FoResultStore {
  get(key: string): Promise<FoStoredResult | undefined>;
  put(key: string, entry: FoStoredResult): Promise<void>;
}

/** One G→F message that must arrive in order (fo 4.1 eventSeq). JSON-serialisable. */
export interface FoOutboxEntry {
  /** ≥ 1, no gaps. */
  readonly seq: number;
  readonly messageId: string;
  readonly type: FoType;
  readonly body: unknown;
  /** Epoch ms of `publish`. */
  readonly at: number;
  /** Of a signed document: `sentAt` of every transmission, ISO 8601. */
  readonly sentAt?: string;
  readonly signature?: DetachedSignature;
}

/** Where unacknowledged events of one peer live. The session numbers them; calls of `append` never overlap. */
export interface FoOutbox {
  /** The highest number ever appended, 0 if none; asked once. */
  last(): Promise<number>;
  /** Settles once the entry is safe; only then it is sent. */
  append(entry: FoOutboxEntry): Promise<void>;
  /** True when an entry with this messageId was appended before, also if it is acknowledged by now. */
  has?(messageId: string): Promise<boolean>;
  /** Entries with `seq` > `afterSeq`, rising, at most `limit`. */
  list(afterSeq: number, limit: number): Promise<readonly FoOutboxEntry[]>;
  /** All entries up to and including `seq` were acknowledged and may be forgotten. */
  ack(seq: number): Promise<void>;
}

/** The persistence of one peer; what is absent is kept in memory. */
export interface FoPersistence {
  readonly results?: FoResultStore;
  readonly outbox?: FoOutbox;
}
