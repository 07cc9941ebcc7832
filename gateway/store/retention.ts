import { type Clock, every, type TimerHandle } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { RecordKind, StorePort } from '../../hub/ports.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/**
 * How long records are kept, in days since their `at`; kinds that are not listed are kept until somebody deletes them
 * (state such as contracts and stations, and the heads of log chains, so that a chain goes on after its entries are gone).
 * Telemetry (meter values too), event log, records and proofs as in fo 9.4. Single commands (`batch`, `outcome`) go early: a fleet that
 * follows a target of every 4 s writes more of them than of everything else, a restart reads those of the last two
 * minutes, and no record or proof is made from them.
 */
export const RETENTION_DAYS: Readonly<Partial<Record<RecordKind, number>>> = {
  request: 90,
  setpoint: 400,
  batch: 14,
  outcome: 14,
  log: 1096,
  meter: 90,
  telemetry: 90,
  energy: 3,
  curve: 400,
  service: 1096,
  record: 1096,
  proof: 1096,
};

export interface RetentionOptions {
  readonly store: StorePort;
  readonly clock: Clock;
  readonly log: Log;
  /** Default {@link RETENTION_DAYS}. */
  readonly days?: Readonly<Partial<Record<RecordKind, number>>>;
  /** Default one hour. */
  readonly periodMs?: number;
}

/** Deletes what is older than its retention, every hour, kind after kind and in small slices. Cancel it before the store closes. */
export function startRetention(o: RetentionOptions): TimerHandle {
  const days = Object.entries(o.days ?? RETENTION_DAYS) as [RecordKind, number][];
  let running = false;
  let cancelled = false;
  const run = async (): Promise<void> => {
    if (running) return;
    running = true;
    try {
      for (const [kind, keep] of days) {
        if (cancelled) break;
        const pruned = await o.store.prune(kind, o.clock.now() - keep * DAY_MS);
        if (pruned > 0) o.log.info('store.pruned', { kind, pruned, keepDays: keep });
      }
    } catch (e) {
      if (!cancelled) o.log.warn('store.pruneFailed', describeError(e));
    } finally {
      running = false;
    }
  };
  const timer = every(o.clock, o.periodMs ?? HOUR_MS, () => void run());
  return {
    cancel() {
      cancelled = true;
      timer.cancel();
    },
  };
}
