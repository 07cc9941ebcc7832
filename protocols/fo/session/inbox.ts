/** Numbers, both included. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

/** What to do with an event: hand it over, answer `ok` without side effect, or ask for the ones before it. */
export type InboxVerdict =
  | { readonly verdict: 'deliver'; readonly gap?: Gap }
  | { readonly verdict: 'known' }
  | { readonly verdict: 'early' };

/** As `fo`: the order of incoming events (fo 4.2). Pure bookkeeping. */
export class EventInbox {
  /** The highest number handed over. */
  #delivered: number;
  /** Handed over, but no final Result yet. */
  readonly #open = new Set<number>(); // bounded by: the 16 requests in flight
  /** The lowest number refused as early since the last one that fitted. */
  #lowestEarly: number | undefined;
  /**
   * The gateway announces gaps by firstEventSeq. One that does not is taken by its deeds: its first event after Hello,
   * and one that it repeats although an earlier one is missing, may lie beyond a gap.
   */
  #announces = false;
  #fresh = true;

  constructor(last: number) {
    this.#delivered = last;
  }

  /** Everything up to here was handled. */
  get acked(): number {
    return this.#open.size === 0 ? this.#delivered : Math.min(...this.#open) - 1;
  }

  /** After Hello. `restarted`: the gateway lost its numbering and ours was reset. `gap`: events that will never come. */
  resume(gatewayLast: number, first: number | undefined): { readonly restarted: boolean; readonly gap?: Gap } {
    this.#announces = first !== undefined;
    this.#fresh = !this.#announces;
    this.#lowestEarly = undefined;
    const restarted = gatewayLast < this.#delivered;
    if (restarted) {
      this.#delivered = gatewayLast;
      this.#open.clear();
    }
    const expected = this.acked + 1;
    if (first === undefined || first <= expected) return { restarted };
    for (const seq of this.#open) if (seq < first) this.#open.delete(seq);
    const gap = { from: Math.max(expected, this.#delivered + 1), to: first - 1 };
    this.#delivered = Math.max(this.#delivered, first - 1);
    return gap.from > gap.to ? { restarted } : { restarted, gap };
  }

  judge(seq: number): InboxVerdict {
    const expected = this.#delivered + 1;
    if (seq < expected) return { verdict: this.#open.has(seq) ? 'deliver' : 'known' };
    // Refused once, and it comes first again: the gateway has nothing before it.
    const gapIsReal = !this.#announces && (this.#fresh || seq === this.#lowestEarly);
    if (seq > expected && !gapIsReal) {
      this.#lowestEarly = Math.min(seq, this.#lowestEarly ?? seq);
      return { verdict: 'early' };
    }
    this.#fresh = false;
    this.#lowestEarly = undefined;
    this.#delivered = seq;
    this.#open.add(seq);
    return seq > expected ? { verdict: 'deliver', gap: { from: expected, to: seq - 1 } } : { verdict: 'deliver' };
  }

  /** An event was turned away before it could be judged; it will come again. */
  postponed(seq: number): void {
    if (seq <= this.#delivered + 1) this.#lowestEarly = undefined;
  }

  /** The final Result of an event is known. */
  settled(seq: number): void {
    this.#open.delete(seq);
  }
}
