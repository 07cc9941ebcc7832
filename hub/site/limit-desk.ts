import { type Clock, parseTime } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { SERVICE_ERRORS, type SetLimit, SetLimit as SetLimitMessage } from '../../model/index.ts';
import { HUB_ERRORS } from '../errors.ts';
import type { StoreOp } from '../ports.ts';
import type { Ledger } from './ledger.ts';
import { type LimitBook, limitKey } from './limits.ts';

export interface LimitDeskOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: LimitBook;
  readonly ledger: Ledger;
  /** Limits have moved. */
  readonly moved: () => void;
}

/**
 * Sets limits from outside the site file. A narrower limit holds at once, a wider one or none only when that is stored:
 * if the store fails the narrower one stays in force, and who set it is told that a restart would not know of it.
 */
export class LimitDesk {
  readonly #o: LimitDeskOptions;

  constructor(o: LimitDeskOptions) {
    this.#o = o;
  }

  /** Rejects with `time.past`, `limit.full` or an error of the store. */
  async set(limit: SetLimit): Promise<void> {
    const { clock, limits, ledger, log, moved } = this.#o;
    if (limit.validUntil !== undefined && parseTime(limit.validUntil) <= clock.now())
      throw SERVICE_ERRORS.fail('time.past', 'The limit would have ended already.', { path: '/validUntil' });
    if (!limits.hasRoom(limit)) throw HUB_ERRORS.fail('limit.full');
    limits.setNarrower(limit);
    moved();
    const key = limitKey(limit);
    const op: StoreOp =
      limit.lift === true
        ? { op: 'delete', kind: 'limit', key }
        : { op: 'put', kind: 'limit', key, at: clock.now(), body: limit };
    await ledger.run(`limit/${key}`, async () => {
      await ledger.write([op]);
      limits.set(limit);
      moved();
    });
    log.info('limit.set', { ...limit });
  }

  /** Brings back what was set before a restart. */
  async restore(): Promise<void> {
    const { clock, ledger, limits } = this.#o;
    for await (const row of ledger.all('limit')) {
      const limit = SetLimitMessage.parse(row.body);
      if (limit.validUntil === undefined || parseTime(limit.validUntil) > clock.now()) limits.set(limit);
      else ledger.later({ op: 'delete', kind: 'limit', key: row.key });
    }
  }

  /** Limits end by time. */
  tick(): void {
    const gone = this.#o.limits.expire();
    if (gone.length === 0) return;
    for (const key of gone) this.#o.ledger.later({ op: 'delete', kind: 'limit', key });
    this.#o.moved();
  }
}
