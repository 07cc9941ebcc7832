import { BoundedMap } from '../../core/bounded.ts';
import type { Proof } from '../../model/index.ts';

const MAX_PARTIES = 10_000;

interface Offsets {
  readonly lastMs: number;
  /** The largest since {@link ClockOffsets.begin}. */
  readonly maxMs: number;
}

/** How far the clocks of parties and ours are apart, by what their messages say when they were sent (fo 6.4). */
export class ClockOffsets {
  readonly #of = new BoundedMap<string, Offsets>({
    name: 'evidence.offsets',
    max: MAX_PARTIES,
    overflow: 'dropOldest',
  });

  take(foId: string, offsetMs: number): void {
    const lastMs = Math.abs(offsetMs);
    this.#of.set(foId, { lastMs, maxMs: Math.max(this.#of.get(foId)?.maxMs ?? 0, lastMs) });
  }

  /** What was before does not concern the service that begins now. */
  begin(foId: string): void {
    const known = this.#of.get(foId);
    if (known) this.#of.set(foId, { lastMs: known.lastMs, maxMs: known.lastMs });
  }

  /** For a proof: the largest offset while services of the party ran. */
  of(foId: string): Proof['clock'] {
    const known = this.#of.get(foId);
    return known ? { source: 'fo', maxErrorMs: Math.round(known.maxMs) } : { source: 'unknown' };
  }
}
