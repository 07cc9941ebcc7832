import { BoundedMap } from '../../core/bounded.ts';
import type { Log } from '../../core/log.ts';
import type { FleetSnapshot } from '../../model/index.ts';
import type { EventNote } from '../evidence/types.ts';

/** An offset beyond this is too much for setpoints (fo 6.4, T1), ms. */
const TOO_MUCH_MS = 1_000;
/**
 * A message may have waited on its way, which looks like a clock that is behind: only when so many in a row are off does
 * it count.
 */
const IN_A_ROW = 3;
const MAX_PARTIES = 1_024;

interface Watched {
  readonly offsetMs: number;
  /** Offsets in a row that were too much. */
  readonly off: number;
  readonly degraded: boolean;
}

/** Compares our clock with those of the parties, by when their messages say they were sent (fo 6.4, line "clock bad"). */
export class ClockWatch {
  readonly #log: Log;
  readonly #note: (event: EventNote) => void;
  readonly #watched = new BoundedMap<string, Watched>({ name: 'hub.clocks', max: MAX_PARTIES, overflow: 'dropOldest' });

  constructor(o: { log: Log; note: (event: EventNote) => void }) {
    this.#log = o.log;
    this.#note = o.note;
  }

  /** Their clock less ours, ms; `fresh`: it cannot have waited on its way (a Hello). */
  take(foId: string, offsetMs: number, fresh = false): void {
    if (!Number.isFinite(offsetMs)) return;
    const before = this.#watched.get(foId);
    const off = Math.abs(offsetMs) > TOO_MUCH_MS ? (before?.off ?? 0) + (fresh ? IN_A_ROW : 1) : 0;
    const degraded = off === 0 ? false : off >= IN_A_ROW || before?.degraded === true;
    this.#watched.set(foId, { offsetMs, off: Math.min(off, IN_A_ROW), degraded });
    if (degraded !== (before?.degraded ?? false)) this.#tell(foId, offsetMs, degraded);
  }

  /** True while the clocks are too far apart: what is measured keeps its value and loses its quality. */
  isDegraded(foId: string): boolean {
    return this.#watched.get(foId)?.degraded ?? false;
  }

  /** What is wrong, for people; undefined when nothing is known to be. */
  problem(): string | undefined {
    const { state, offsetMs } = this.view();
    return state === 'degraded' ? `the clock is ${Math.abs(offsetMs ?? 0)} ms off against a party` : undefined;
  }

  /** How our clock stands: against the party that is furthest off. */
  view(): NonNullable<FleetSnapshot['clock']> {
    const [worst] = [...this.#watched.values()].sort(
      (a, b) => Number(b.degraded) - Number(a.degraded) || Math.abs(b.offsetMs) - Math.abs(a.offsetMs),
    );
    if (!worst) return { source: 'unknown', state: 'unknown' };
    return { source: 'fo', state: worst.degraded ? 'degraded' : 'good', offsetMs: Math.round(worst.offsetMs) };
  }

  #tell(foId: string, offsetMs: number, degraded: boolean): void {
    const kind = degraded ? 'clock.degraded' : 'clock.restored';
    const by = `${Math.abs(Math.round(offsetMs))} ms`;
    const text = degraded
      ? `The clock of ${foId} is ${by} ${offsetMs > 0 ? 'ahead of' : 'behind'} ours; synchronise both with NTP.`
      : `The clock of ${foId} agrees with ours again.`;
    if (degraded) this.#log.warn(kind, { fo: foId, offsetMs });
    else this.#log.info(kind, { fo: foId, offsetMs });
    this.#note({ kind, severity: degraded ? 'warning' : 'info', subject: [foId], text, parties: [foId] });
  }
}
