import { BoundedMap } from '../../core/bounded.ts';
import type { Clock } from '../../core/clock.ts';
import { BRIDGE_ERRORS } from './errors.ts';

/** The parts of NotifyReport that say which one it is. */
export interface ReportPart {
  readonly requestId: number;
  readonly seqNo: number;
  readonly tbc?: boolean;
  readonly reportData?: readonly unknown[];
}

interface Waiting {
  readonly parts: BoundedMap<number, readonly unknown[]>;
  last: number | undefined;
  readonly done: (rows: readonly unknown[]) => void;
}

/** Orders at one station that wait for a report at the same time. */
const MAX_WAITING = 4;
const MAX_PARTS = 1_000;
/** People wait for it; see the API of orders. */
const PATIENCE_MS = 12_000;

/** What one station reports of its device model when it is asked for all of it: in parts, in any order (ocpp 6, ocpp 7). */
export class Reports {
  readonly #clock: Clock;
  readonly #waiting = new BoundedMap<number, Waiting>({ name: 'ocpp.reports', max: MAX_WAITING, overflow: 'refuse' });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Asks for a report and resolves to its rows once all parts are there; to undefined where the station says no. Rejects
   * with `order.noReport` when it takes too long, or when too many wait.
   */
  async collect(requestId: number, ask: () => Promise<boolean>): Promise<readonly unknown[] | undefined> {
    const waits = Promise.withResolvers<readonly unknown[]>();
    // It may fail before the answer to the question is there.
    waits.promise.catch(() => undefined);
    const parts: Waiting['parts'] = new BoundedMap({ name: 'ocpp.reportParts', max: MAX_PARTS, overflow: 'refuse' });
    // Parts may come before the answer is read, so they are awaited before anything is asked.
    if (!this.#waiting.set(requestId, { parts, last: undefined, done: waits.resolve }))
      throw BRIDGE_ERRORS.fail('order.noReport', 'Other reports are under way.');
    const late = this.#clock.after(PATIENCE_MS, () => waits.reject(BRIDGE_ERRORS.fail('order.noReport')));
    try {
      return (await ask()) ? await waits.promise : undefined;
    } finally {
      late.cancel();
      this.#waiting.delete(requestId);
    }
  }

  /** Takes a part in; nothing happens where nobody waits for it. */
  take({ requestId, seqNo, tbc, reportData }: ReportPart): void {
    const waiting = this.#waiting.get(requestId);
    if (waiting === undefined) return;
    waiting.parts.set(seqNo, reportData ?? []);
    if (tbc !== true) waiting.last = seqNo;
    const { parts, last } = waiting;
    if (last === undefined) return;
    const rows: unknown[] = [];
    for (let i = 0; i <= last; i++) {
      const part = parts.get(i);
      if (part === undefined) return;
      rows.push(...part);
    }
    waiting.done(rows);
  }
}
