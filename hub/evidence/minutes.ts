import type { Quality } from '../../model/index.ts';
import { type Segment, worseOf } from './meter-track.ts';
import { shareOf } from './shape.ts';

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

/** Energy of one meter minute by minute (of the epoch), the last `size` minutes; 15 bytes each. */
export class Minutes {
  readonly #size: number;
  readonly #minute: Int32Array;
  readonly #importWh: Float32Array;
  readonly #exportWh: Float32Array;
  readonly #knownMs: Uint16Array;
  readonly #quality: Uint8Array;

  constructor(size: number) {
    this.#size = size;
    this.#minute = new Int32Array(size).fill(-1);
    this.#importWh = new Float32Array(size);
    this.#exportWh = new Float32Array(size);
    this.#knownMs = new Uint16Array(size);
    this.#quality = new Uint8Array(size);
  }

  /** Adds a segment; answers the minutes that it touched. What is older than the ring is left out. */
  add(s: Segment): number[] {
    const touched: number[] = [];
    const newest = Math.floor((s.toMs - 1) / MINUTE_MS);
    const oldest = Math.max(Math.floor(s.fromMs / MINUTE_MS), newest - this.#size + 1);
    for (let minute = oldest; minute <= newest; minute++) {
      const ms = overlapMs(s.fromMs, s.toMs, minute * MINUTE_MS, (minute + 1) * MINUTE_MS);
      const cell = { ...shareOf(s, minute * MINUTE_MS, (minute + 1) * MINUTE_MS), knownMs: ms, quality: s.quality };
      if (this.#put(minute, cell)) touched.push(minute);
    }
    return touched;
  }

  /** Takes a minute back from before a restart. */
  set(minute: number, cell: MinuteCell): void {
    const i = minute % this.#size;
    if ((this.#minute[i] ?? -1) > minute) return;
    this.#clear(i, minute);
    this.#importWh[i] = cell.importWh;
    this.#exportWh[i] = cell.exportWh;
    this.#knownMs[i] = cell.knownMs;
    this.#quality[i] = QUALITIES.indexOf(cell.quality);
  }

  get(minute: number): MinuteCell | undefined {
    const i = minute % this.#size;
    if (this.#minute[i] !== minute) return undefined;
    return {
      importWh: this.#importWh[i] ?? 0,
      exportWh: this.#exportWh[i] ?? 0,
      knownMs: this.#knownMs[i] ?? 0,
      quality: QUALITIES[this.#quality[i] ?? 3] ?? 'missing',
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

  #put(minute: number, cell: MinuteCell): boolean {
    const i = minute % this.#size;
    const there = this.#minute[i] ?? -1;
    if (there > minute) return false;
    if (there < minute) this.#clear(i, minute);
    const isKnown = cell.quality !== 'missing';
    this.#importWh[i] = (this.#importWh[i] ?? 0) + cell.importWh;
    this.#exportWh[i] = (this.#exportWh[i] ?? 0) + cell.exportWh;
    if (isKnown) {
      this.#knownMs[i] = Math.min(MINUTE_MS, (this.#knownMs[i] ?? 0) + Math.round(cell.knownMs));
      this.#quality[i] = Math.max(this.#quality[i] ?? 0, QUALITIES.indexOf(cell.quality));
    }
    return true;
  }

  #clear(i: number, minute: number): void {
    this.#minute[i] = minute;
    this.#importWh[i] = 0;
    this.#exportWh[i] = 0;
    this.#knownMs[i] = 0;
    this.#quality[i] = 0;
  }
}

/** How much of `[a0, a1)` lies in `[b0, b1)`, ms. */
export const overlapMs = (a0: number, a1: number, b0: number, b1: number): number =>
  Math.max(0, Math.min(a1, b1) - Math.max(a0, b0));
