import type { BoundStats } from '../../core/bounded.ts';
import type { TraceNote } from './types.ts';

/** One note as it is kept. */
export interface Kept {
  readonly seq: number;
  /** Epoch ms. */
  readonly at: number;
  readonly note: TraceNote;
  readonly id: string;
  readonly resourceIds: readonly string[];
  /** The payload as text, where it was written down at once. */
  readonly text: string | undefined;
  /** What it takes about, bytes. */
  readonly bytes: number;
}

/** The newest notes, bounded by their number and by the memory that they take; adding is O(1) amortised. */
export class Ring {
  readonly #name: string;
  readonly #maxBytes: number;
  readonly #slots: (Kept | undefined)[];
  #head = 0;
  #size = 0;
  #bytes = 0;
  #dropped = 0;

  constructor(o: { name: string; max: number; maxBytes: number }) {
    this.#name = o.name;
    this.#maxBytes = o.maxBytes;
    this.#slots = Array<Kept | undefined>(o.max).fill(undefined);
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(kept: Kept): void {
    if (this.#size === this.#slots.length) this.#drop();
    while (this.#size > 0 && this.#bytes + kept.bytes > this.#maxBytes) this.#drop();
    this.#slots[(this.#head + this.#size) % this.#slots.length] = kept;
    this.#size++;
    this.#bytes += kept.bytes;
  }

  /** Oldest first, from a number on. */
  *from(seq: number): Generator<Kept, void, undefined> {
    for (let i = this.#firstFrom(seq); i < this.#size; i++) {
      const kept = this.#at(i);
      if (kept !== undefined) yield kept;
    }
  }

  get oldest(): Kept | undefined {
    return this.#size === 0 ? undefined : this.#at(0);
  }

  stats(): BoundStats {
    return { name: this.#name, size: this.#size, max: this.#slots.length, dropped: this.#dropped };
  }

  #at(i: number): Kept | undefined {
    return this.#slots[(this.#head + i) % this.#slots.length];
  }

  #firstFrom(seq: number): number {
    let [low, high] = [0, this.#size];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#at(middle)?.seq ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #drop(): void {
    const oldest = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#slots.length;
    this.#size--;
    this.#bytes -= oldest?.bytes ?? 0;
    this.#dropped++;
  }
}

/** Deeper than this nobody looks for memory. */
const MAX_DEPTH = 8;

/** About what a decoded message takes in memory, bytes; of a list the first element stands for all. */
export function sizeOf(value: unknown, depth = 0): number {
  if (typeof value === 'string') return 24 + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  if (depth >= MAX_DEPTH) return 256;
  if (Array.isArray(value)) return 32 + (value.length === 0 ? 0 : value.length * (8 + sizeOf(value[0], depth + 1)));
  let bytes = 40;
  for (const key in value) bytes += 16 + sizeOf((value as Record<string, unknown>)[key], depth + 1);
  return bytes;
}
