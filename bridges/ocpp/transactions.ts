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

/** Transactions of all stations of a link: durability class A, idempotent (ocpp 1.3, ocpp 5). */
export class TransactionBook {
  readonly #store: StorePort;
  readonly #clock: Clock;
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
  async start(resourceId: string, startedAt: string, meterStart: number): Promise<number> {
    const known = await this.last(resourceId);
    if (known?.startedAt === startedAt && known.meterStart === meterStart && typeof known.transactionId === 'number') {
      return known.transactionId;
    }
    const transactionId = ++this.#last;
    await this.#write(resourceId, { transactionId, startedAt, meterStart, ended: false });
    return transactionId;
  }

  /** Notes a transaction whose id the station chose (2.x). */
  async note(resourceId: string, transactionId: string, startedAt: string): Promise<void> {
    await this.#write(resourceId, { transactionId, startedAt, meterStart: 0, ended: false });
  }

  /** Notes the end; answers false when that transaction is not the last one known there. */
  async end(resourceId: string, transactionId: string | number): Promise<boolean> {
    const known = await this.last(resourceId);
    if (known === undefined || String(known.transactionId) !== String(transactionId)) return false;
    if (!known.ended) await this.#write(resourceId, { ...known, ended: true });
    return true;
  }

  async #write(resourceId: string, body: StoredTransaction): Promise<void> {
    const at = this.#clock.now();
    await this.#store.write([
      { op: 'put', kind: 'transaction', key: resourceId, at, body },
      { op: 'put', kind: 'sequence', key: COUNTER, at, body: { last: this.#last } },
    ]);
  }
}
