import type { DatabaseSync } from 'node:sqlite';
import type { Clock, TimerHandle } from '../../core/clock.ts';

/** What was committed since is moved from the log of the database into its file when so many rows have come together. */
const ROWS = 128;
/** A quiet moment: so long nothing was committed. */
const QUIET_MS = 10;
/** The log must not grow for ever where it is never quiet. */
const MOST_ROWS = 16 * ROWS;

export interface CheckpointOptions {
  readonly db: DatabaseSync;
  readonly clock: Clock;
}

/**
 * Checkpoints of the write-ahead log (sqlite.org/wal.html), which block for milliseconds and are synced to the disk: in
 * a quiet moment, and not in the commit for which somebody waits just then.
 */
export class Checkpoints {
  readonly #o: CheckpointOptions;
  #rows = 0;
  #committedAt = Number.NEGATIVE_INFINITY;
  #timer: TimerHandle | undefined;

  constructor(o: CheckpointOptions) {
    this.#o = o;
    o.db.exec('PRAGMA wal_autocheckpoint = 0');
  }

  /** Rows were committed. Never throws. */
  committed(rows: number): void {
    this.#rows += rows;
    this.#committedAt = this.#o.clock.now();
    if (this.#rows >= MOST_ROWS) this.#try();
    else if (this.#rows >= ROWS) this.#timer ??= this.#o.clock.after(QUIET_MS, () => this.#look());
  }

  /** Throws what SQLite throws. */
  now(): void {
    this.close();
    this.#rows = 0;
    this.#o.db.exec('PRAGMA wal_checkpoint(PASSIVE)');
  }

  /** SQLite makes the last one itself when the file is closed. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(): void {
    this.#timer = undefined;
    const sinceMs = this.#o.clock.now() - this.#committedAt;
    // Less than nothing: the clock was set back.
    if (sinceMs >= 0 && sinceMs < QUIET_MS) {
      this.#timer = this.#o.clock.after(QUIET_MS - sinceMs, () => this.#look());
      return;
    }
    this.#try();
  }

  #try(): void {
    try {
      this.now();
    } catch {
      // The disk is full or gone: the next commit tells. It is tried again after as many rows.
    }
  }
}
