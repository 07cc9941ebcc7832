import { BoundedQueue, type BoundStats } from '../../core/bounded.ts';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { V2gateError } from '../../core/errors.ts';
import { type Durability, RECORD_KINDS, type RecordKind } from '../../hub/ports.ts';
import { STORE_ERRORS } from './errors.ts';
import { durabilityOf, type PreparedOp, touchesDeferred } from './prepare.ts';

/**
 * A group of class B closes this long after the last commit but one, or with this many rows: at most 2 ms after its first
 * write (design 5), and at once where little goes on. What leads to one command is two writes, and none of them waits.
 */
const GROUP_MS = 2;
const GROUP_ROWS = 64;
/** Class C is written this often (design 5), or sooner when this many rows wait. */
const DEFERRED_MS = 1000;
const DEFERRED_ROWS = 1000;
/** Rows of one transaction: about 1 ms of a blocked event loop. */
const SLICE_ROWS = 128;
/** Where more than four slices wait, a slice is this part of them: a burst must not fill the lane until rows are refused. */
const SLICE_PART = 4;

/** One atomic write in the queue. `settle` is called once, with the error when it failed. */
export interface Entry {
  readonly ops: readonly PreparedOp[];
  readonly durability: Durability;
  readonly settle: (error?: V2gateError) => void;
}

export interface WriterOptions {
  readonly clock: Clock;
  /** Rows that may wait over all classes. */
  readonly maxRows: number;
  /** Commits the entries in order, in one transaction, and settles each of them. Must not throw. */
  readonly commit: (slice: readonly Entry[]) => void;
}

/**
 * Decides when what is committed. Classes A and B wait in one lane and are committed in order; class C waits beside it
 * and joins the end of the lane every second. A write that touches a record of class C moves what is deferred into the
 * lane first: the order per key holds across classes.
 */
export class Writer {
  readonly #o: WriterOptions;
  readonly #lane: BoundedQueue<Entry>;
  readonly #deferred: BoundedQueue<Entry>;
  readonly #pending: Record<RecordKind, number>;
  #laneRows = 0;
  #deferredRows = 0;
  #draining = false;
  /** The last commit and the one before, epoch ms. */
  #committedAt: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  #groupTimer: TimerHandle | undefined;
  #deferredTimer: TimerHandle | undefined;
  /** Shared by all who ask while nothing new came in, so there are never more barriers than writes in the lane. */
  #barrier: Promise<void> | undefined;
  /** What writes are refused with until there is room again. */
  #full: V2gateError | undefined;

  constructor(o: WriterOptions) {
    this.#o = o;
    this.#lane = new BoundedQueue({ name: 'store.lane', max: 2 * o.maxRows + 1, overflow: 'refuse' });
    this.#deferred = new BoundedQueue({ name: 'store.deferred', max: o.maxRows, overflow: 'refuse' });
    this.#pending = Object.fromEntries(Object.keys(RECORD_KINDS).map((k) => [k, 0])) as Record<RecordKind, number>;
  }

  /** Rows that are accepted but not committed, of one kind or in all. */
  pendingRows(kind?: RecordKind): number {
    return kind === undefined ? this.#laneRows + this.#deferredRows : this.#pending[kind];
  }

  stats(): readonly BoundStats[] {
    return [this.#lane.stats(), this.#deferred.stats()];
  }

  /** Settles when the class of the write is satisfied; rejects with what `commit` says, or `store.failed` when full. */
  write(ops: readonly PreparedOp[]): Promise<void> {
    if (this.pendingRows() + ops.length > this.#o.maxRows) {
      const what = `The store cannot keep up: ${this.pendingRows()} rows wait to be written.`;
      this.#full ??= STORE_ERRORS.fail('store.failed', what);
      return Promise.reject(this.#full);
    }
    this.#barrier = undefined;
    const durability = durabilityOf(ops);
    if (durability === 'C') {
      this.#defer({ ops, durability, settle: () => undefined });
      return Promise.resolve();
    }
    if (touchesDeferred(ops)) this.#promote();
    const done = this.#enqueue(ops, durability);
    const waitMs = durability === 'A' || this.#laneRows >= GROUP_ROWS ? 0 : this.#groupWaitMs();
    if (waitMs === 0) this.#drain(durability);
    else if (!this.#draining) this.#groupTimer ??= this.#o.clock.after(waitMs, () => this.#drain());
    return done;
  }

  /** Commits everything accepted so far and settles then, whatever became of the single writes. */
  barrier(): Promise<void> {
    if (this.#barrier) return this.#barrier;
    this.#promote();
    this.#barrier = this.#enqueue([], 'B');
    this.#drain();
    return this.#barrier;
  }

  #groupWaitMs(): number {
    const sinceMs = this.#o.clock.now() - this.#committedAt[1];
    // Before that commit: the clock was set back.
    return sinceMs < 0 || sinceMs >= GROUP_MS ? 0 : GROUP_MS - sinceMs;
  }

  #enqueue(ops: readonly PreparedOp[], durability: Durability): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#lane.push({ ops, durability, settle: (error) => (error ? reject(error) : resolve()) });
      this.#laneRows += ops.length;
      this.#count(ops, 1);
    });
  }

  #defer(entry: Entry): void {
    this.#deferred.push(entry);
    this.#deferredRows += entry.ops.length;
    this.#count(entry.ops, 1);
    const commit = (): void => {
      this.#promote();
      this.#drain();
    };
    if (this.#deferredRows >= DEFERRED_ROWS) commit();
    else this.#deferredTimer ??= this.#o.clock.after(DEFERRED_MS, commit);
  }

  /** Moves what is deferred to the end of the lane, so that whatever is enqueued next comes after it. */
  #promote(): void {
    this.#deferredTimer?.cancel();
    this.#deferredTimer = undefined;
    for (let e = this.#deferred.shift(); e !== undefined; e = this.#deferred.shift()) this.#lane.push(e);
    this.#laneRows += this.#deferredRows;
    this.#deferredRows = 0;
  }

  /**
   * Empties the lane slice by slice. Begins with the next turn of the loop, so that writes of one turn share one synced
   * commit; for class B, which is not synced and comes here in groups or when little goes on, right after the present step.
   */
  #drain(durability: Durability = 'A'): void {
    this.#groupTimer?.cancel();
    this.#groupTimer = undefined;
    if (this.#draining) return;
    this.#draining = true;
    if (durability === 'B') queueMicrotask(() => this.#step());
    else setImmediate(() => this.#step());
  }

  #step(): void {
    const slice = this.#take();
    if (slice.length === 0) {
      this.#draining = false;
      return;
    }
    this.#o.commit(slice);
    this.#committedAt = [this.#o.clock.now(), this.#committedAt[0]];
    setImmediate(() => this.#step());
  }

  #take(): Entry[] {
    const slice: Entry[] = [];
    const most = Math.max(SLICE_ROWS, Math.floor(this.#laneRows / SLICE_PART));
    let rows = 0;
    for (let e = this.#lane.peek(); e !== undefined; e = this.#lane.peek()) {
      if (slice.length > 0 && rows + e.ops.length > most) break;
      this.#lane.shift();
      slice.push(e);
      rows += e.ops.length;
      this.#count(e.ops, -1);
    }
    this.#laneRows -= rows;
    if (rows > 0) this.#full = undefined;
    return slice;
  }

  #count(ops: readonly PreparedOp[], by: 1 | -1): void {
    for (const o of ops) this.#pending[o.kind] += by;
  }
}
