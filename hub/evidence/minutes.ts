import type { Quality } from '../../model/index.ts';
import { type Segment, worseOf } from './meter-track.ts';
import { type Share, shareOf } from './shape.ts';

export const MINUTE_MS = 60_000;
const QUALITIES: readonly Quality[] = ['good', 'estimated', 'substituted', 'missing'];

/** What one meter counted in one minute. */
export interface MinuteCell {
  readonly importWh: number;
  readonly exportWh: number;
  /** How much of the minute was measured, ms. */
  readonly knownMs: number;
  readonly quality: Quality;
}

/** Numbers of a cell: its minute, imported and exported energy (as floats), and what was known with its quality. */
const WIDTH = 4;
const [MINUTE, IMPORT, EXPORT, KNOWN] = [0, 1, 2, 3];
/** The quality stands above the known time of at most 60 000 ms. */
const QUALITY_BITS = 16;
const KNOWN_MASK = 0xffff;

/** Energy of one meter minute by minute (of the epoch), the last `size` minutes; 16 bytes each, side by side. */
export class Minutes {
  readonly #size: number;
  readonly #whole: Int32Array;
  /** The same memory. */
  readonly #float: Float32Array;

  constructor(size: number) {
    this.#size = size;
    this.#whole = new Int32Array(WIDTH * size).fill(-1);
    this.#float = new Float32Array(this.#whole.buffer);
  }

  /** Adds a segment, and the minutes that it touched to `touched`. What is older than the ring is left out. */
  add(s: Segment, touched: Set<number>): void {
    const newest = Math.floor((s.toMs - 1) / MINUTE_MS);
    const oldest = Math.max(Math.floor(s.fromMs / MINUTE_MS), newest - this.#size + 1);
    for (let minute = oldest; minute <= newest; minute++) {
      const [from, to] = [minute * MINUTE_MS, (minute + 1) * MINUTE_MS];
      const share = shareOf(s, from, to);
      if (this.#put(minute, share, overlapMs(s.fromMs, s.toMs, from, to), s.quality)) touched.add(minute);
    }
  }

  /** Takes a minute back from before a restart. */
  set(minute: number, cell: MinuteCell): void {
    const at = this.#cell(minute);
    if (this.#int(at + MINUTE) > minute) return;
    this.#whole[at + MINUTE] = minute;
    this.#float[at + IMPORT] = cell.importWh;
    this.#float[at + EXPORT] = cell.exportWh;
    this.#whole[at + KNOWN] = cell.knownMs | (QUALITIES.indexOf(cell.quality) << QUALITY_BITS);
  }

  get(minute: number): MinuteCell | undefined {
    const at = this.#cell(minute);
    if (this.#int(at + MINUTE) !== minute) return undefined;
    const known = this.#int(at + KNOWN);
    return {
      importWh: this.#float[at + IMPORT] ?? 0,
      exportWh: this.#float[at + EXPORT] ?? 0,
      knownMs: known & KNOWN_MASK,
      quality: QUALITIES[known >> QUALITY_BITS] ?? 'missing',
    };
  }

  /** Sum over a span; minutes at its borders count with their share. */
  over(fromMs: number, toMs: number): { netWh: number; knownMs: number; quality: Quality } {
    let [netWh, knownMs, quality] = [0, 0, 'good' as Quality];
    for (let minute = Math.floor(fromMs / MINUTE_MS); minute * MINUTE_MS < toMs; minute++) {
      const cell = this.get(minute);
      if (!cell) continue;
      const share = overlapMs(fromMs, toMs, minute * MINUTE_MS, (minute + 1) * MINUTE_MS) / MINUTE_MS;
      netWh += (cell.importWh - cell.exportWh) * share;
      knownMs += cell.knownMs * share;
      quality = worseOf(quality, cell.quality);
    }
    return { netWh, knownMs, quality };
  }

  #put(minute: number, { importWh, exportWh }: Share, knownMs: number, quality: Quality): boolean {
    const at = this.#cell(minute);
    const there = this.#int(at + MINUTE);
    if (there > minute) return false;
    const isNew = there < minute;
    this.#whole[at + MINUTE] = minute;
    this.#float[at + IMPORT] = (isNew ? 0 : (this.#float[at + IMPORT] ?? 0)) + importWh;
    this.#float[at + EXPORT] = (isNew ? 0 : (this.#float[at + EXPORT] ?? 0)) + exportWh;
    const known = isNew ? 0 : this.#int(at + KNOWN);
    if (quality === 'missing') this.#whole[at + KNOWN] = known;
    else {
      const ms = Math.min(MINUTE_MS, (known & KNOWN_MASK) + Math.round(knownMs));
      this.#whole[at + KNOWN] = ms | (Math.max(known >> QUALITY_BITS, QUALITIES.indexOf(quality)) << QUALITY_BITS);
    }
    return true;
  }

  #cell(minute: number): number {
    return WIDTH * (minute % this.#size);
  }

  #int(at: number): number {
    return this.#whole[at] ?? 0;
  }
}

/** How much of `[a0, a1)` lies in `[b0, b1)`, ms. */
export const overlapMs = (a0: number, a1: number, b0: number, b1: number): number =>
  Math.max(0, Math.min(a1, b1) - Math.max(a0, b0));
