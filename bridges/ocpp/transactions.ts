import { BoundedMap } from '../../core/bounded.ts';
import type { Clock } from '../../core/clock.ts';
import type { StorePort } from '../../hub/ports.ts';

/** The last transaction of one EVSE, kept so that a repeated start is recognised and a running one is adopted. */
export interface StoredTransaction {
  readonly transactionId: string | number;
  readonly startedAt: string;
  readonly meterStart: number;
  readonly ended: boolean;
}

const COUNTER = 'ocpp/transactionId';
const MAX_OPEN = 20_000;
/** Ids of 1.6 are 32-bit numbers at many stations. */
const MAX_ID = 2_147_483_647;
/** Ids that an earlier gateway gave are near ours; what one station makes up must not use up the ids of all. */
const NEAR_IDS = 1_000_000;

/** Transactions of all stations of a link: durability class A, idempotent (ocpp 1.3, ocpp 5). */
export class TransactionBook {
  readonly #store: StorePort;
  readonly #clock: Clock;
  /** What is being written per EVSE: a repetition waits for the first one. */
  readonly #open = new BoundedMap<string, Promise<unknown>>({
    name: 'ocpp.openTransactions',
    max: MAX_OPEN,
    overflow: 'refuse',
  });
  #last = 0;

  constructor(store: StorePort, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Reads the counter back; call once before use. */
  async restore(): Promise<void> {
    const row = await this.#store.get('sequence', COUNTER);
    this.#last = row === undefined ? 0 : (row.body as { readonly last: number }).last;
  }

  async last(resourceId: string): Promise<StoredTransaction | undefined> {
    const row = await this.#store.get('transaction', resourceId);
    return row === undefined ? undefined : (row.body as StoredTransaction);
  }

  /** The id for a start of OCPP 1.6, where the CSMS chooses it. The same start again gets the same id (ocpp 1.3). */
  start(
    resourceId: string,
    startedAt: string,
    meterStart: number,
  ): Promise<StoredTransaction & { transactionId: number }> {
    return this.#inTurn(resourceId, async () => {
      const known = await this.last(resourceId);
      if (
        known?.startedAt === startedAt &&
        known.meterStart === meterStart &&
        typeof known.transactionId === 'number'
      ) {
        return { ...known, transactionId: known.transactionId };
      }
      this.#last = this.#last >= MAX_ID ? 1 : this.#last + 1;
      const made = { transactionId: this.#last, startedAt, meterStart, ended: false };
      await this.#write(resourceId, made);
      return made;
    });
  }

  /** Notes a transaction that was not started here: its id was chosen by the station (2.x), or by an earlier gateway. */
  note(resourceId: string, transactionId: string | number, startedAt: string): Promise<void> {
    // Ids of 1.6 that we hand out later must not meet one that is in use.
    if (typeof transactionId === 'number' && transactionId <= this.#last + NEAR_IDS)
      this.#last = Math.max(this.#last, transactionId);
    return this.#inTurn(resourceId, () =>
      this.#write(resourceId, { transactionId, startedAt, meterStart: 0, ended: false }),
    );
  }

  /** Notes the end; answers false when that transaction is not the last one known there, or has ended already. */
  end(resourceId: string, transactionId: string | number): Promise<boolean> {
    return this.#inTurn(resourceId, async () => {
      const known = await this.last(resourceId);
      if (known === undefined || String(known.transactionId) !== String(transactionId) || known.ended) return false;
      await this.#write(resourceId, { ...known, ended: true });
      return true;
    });
  }

  /** One change per EVSE at a time, in the order asked for. */
  #inTurn<T>(resourceId: string, work: () => Promise<T>): Promise<T> {
    const before = this.#open.get(resourceId) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#open.set(resourceId, mine);
    const done = (): void => {
      if (this.#open.get(resourceId) === mine) this.#open.delete(resourceId);
    };
    mine.then(done, done);
    return mine;
  }

  async #write(resourceId: string, body: StoredTransaction): Promise<void> {
    const at = this.#clock.now();
    await this.#store.write([
      { op: 'put', kind: 'transaction', key: resourceId, at, body },
      { op: 'put', kind: 'sequence', key: COUNTER, at, body: { last: this.#last } },
    ]);
  }
}
