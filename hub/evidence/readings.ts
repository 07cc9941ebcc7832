import { type Clock, iso } from '../../core/clock.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { MeterReading } from '../../model/index.ts';
import type { Ledger } from '../site/ledger.ts';

/** Readings of one row: about 80 kB. */
const MAX_ROW = 500;
/** Rows that are read back at once. */
const PAGE = 50;
/** Folder of the record kind `meter`. */
const FOLDER = 'second/';

export interface ReadingLogOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
}

/**
 * The meter values of a site as they came, in rows of at most a second. A row is appended and hence committed when its
 * second ends (durability class C: at most one second is lost), and costs the store as much as a single value.
 */
export class ReadingLog {
  readonly #o: ReadingLogOptions;
  #open: MeterReading[] = []; // bounded by: MAX_ROW, in take()

  constructor(o: ReadingLogOptions) {
    this.#o = o;
  }

  take(reading: MeterReading): void {
    // Flows get the same object, and may change it.
    this.#open.push({ ...reading });
    if (this.#open.length >= MAX_ROW) this.write();
  }

  /** Writes what is open. What the store refuses is lost, as its log says. */
  write(): void {
    if (this.#open.length === 0) return;
    const { clock, ledger } = this.#o;
    const at = clock.now();
    const body = this.#open;
    this.#open = []; // bounded by: MAX_ROW, in take()
    // Two rows of one millisecond have different keys.
    ledger.later({ op: 'append', kind: 'meter', key: `${FOLDER}${iso(at)}/${uuidv7(clock)}`, at, body });
  }

  /** All readings that were written at a time (epoch ms) or later, in the order of their rows. */
  async *since(fromMs: number): AsyncGenerator<MeterReading, void, undefined> {
    let after = FOLDER + iso(Math.max(0, fromMs));
    for (;;) {
      const rows = await this.#o.ledger.page('meter', { folder: FOLDER, after, limit: PAGE });
      for (const { body } of rows) yield* body as MeterReading[];
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.key;
    }
  }
}
