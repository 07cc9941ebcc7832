import type { Quality } from '../../model/index.ts';

/** Energy that one meter counted over a span. Times are epoch ms, energies Wh ≥ 0. */
export interface Segment {
  readonly fromMs: number;
  readonly toMs: number;
  readonly importWh: number;
  readonly exportWh: number;
  /** `missing`: nothing was measured in between; energy that registers show for it is counted, the span stays a gap. */
  readonly quality: Quality;
  /** Power at its begin and its end, W, where both were measured. */
  readonly endsW?: { readonly from: number; readonly to: number } | undefined;
}

/** One value of a meter: power (W, load convention), registers (Wh), or both. */
export interface Sample {
  readonly atMs: number;
  readonly powerW?: number | undefined;
  readonly importWh?: number | undefined;
  readonly exportWh?: number | undefined;
  readonly quality: Quality;
}

/** What can be at most, to tell a register that was reset or replaced from energy that flowed. */
export interface MeterBounds {
  readonly importW: number;
  readonly exportW: number;
  /** Usual distance of values where it is declared, ms. */
  readonly intervalMs?: number;
}

type Registers = Pick<Sample, 'atMs' | 'importWh' | 'exportWh'>;

/** A span between two values. Its quality is that of the values; its energy is by power, where power is known. */
interface Part extends Segment {
  readonly byPower: boolean;
}

/** What is kept over a restart. */
export interface TrackState {
  readonly last?: Sample;
  readonly registers?: Registers;
  readonly pending: readonly Part[];
  /** The last distances of values, ms. */
  readonly distances: readonly number[];
}

const HOUR_MS = 3_600_000;
/** Values further apart than this many usual distances leave a gap (fo 6.4), but not below the least. */
const GAP_INTERVALS = 3;
const LEAST_GAP_MS = 30_000;
/** The usual distance is the median of as many; one that is not known yet is at most this. */
const DISTANCES = 5;
const FIRST_GAP_MS = 900_000;
/** Power between two readings of the registers waits for the second this long. */
const REGISTER_WAIT_MS = 1_200_000;
const MAX_PENDING = 32;
const NOTHING: readonly Segment[] = [];
/** A register that moves by more than the meter could count, and this on top, was reset or replaced, Wh. */
const REGISTER_SLACK_WH = 200;
const RANK: readonly Quality[] = ['good', 'estimated', 'substituted', 'missing'];

export const worseOf = (a: Quality, b: Quality): Quality => (a === b || RANK.indexOf(a) >= RANK.indexOf(b) ? a : b);

/**
 * Turns the values of one meter into energy. Registers count where there are: their difference is spread over the time
 * between them the way the power in between says, or evenly. Else power counts (trapezoids), as `estimated`. Registers
 * that run back or jump count for nothing.
 */
export class MeterTrack {
  #last: Sample | undefined;
  #registers: Registers | undefined;
  /** Since the registers were read. */
  #pending: Part[]; // bounded by: MAX_PENDING
  readonly #distances: number[]; // bounded by: DISTANCES

  constructor(state: TrackState = { pending: [], distances: [] }) {
    this.#last = state.last;
    this.#registers = state.registers;
    this.#pending = [...state.pending];
    this.#distances = [...state.distances];
  }

  get state(): TrackState {
    return {
      ...(this.#last === undefined ? {} : { last: this.#last }),
      ...(this.#registers === undefined ? {} : { registers: this.#registers }),
      pending: [...this.#pending],
      distances: [...this.#distances],
    };
  }

  /** When the newest value was measured, epoch ms. */
  get lastMs(): number | undefined {
    return this.#last?.atMs;
  }

  /** The energy that is known by this value and was not before. Values that are not newer tell nothing. */
  take(sample: Sample, bounds: MeterBounds): readonly Segment[] {
    const last = this.#last;
    if (last && sample.atMs <= last.atMs) return NOTHING;
    this.#last = sample;
    if (last) {
      this.#push(between(last, sample, this.#isGap(sample.atMs - last.atMs, bounds)));
      if (this.#distances.push(sample.atMs - last.atMs) > DISTANCES) this.#distances.shift();
    }
    const isRegister = sample.importWh !== undefined || sample.exportWh !== undefined;
    if (isRegister) return this.#count(sample, bounds);
    const waits = this.#registers && sample.atMs - this.#registers.atMs <= REGISTER_WAIT_MS;
    return waits ? NOTHING : this.settle();
  }

  /** Power is known to be 0 without that the meter says so. */
  quiet(atMs: number, quality: Quality, bounds: MeterBounds): Segment[] {
    const last = this.#last;
    if (last && atMs <= last.atMs) return [];
    this.#last = { atMs, powerW: 0, quality };
    if (!last) return [];
    const out = this.settle();
    const part = between(last, this.#last, this.#isGap(atMs - last.atMs, bounds));
    if (last.powerW === 0) return [...out, { ...part, importWh: 0, exportWh: 0 }];
    this.#registers = undefined;
    return [...out, asPowerSays(part)];
  }

  /** What waits for registers goes out as power says; registers start anew. */
  settle(): Segment[] {
    const out = this.#pending.map(asPowerSays);
    if (out.length > 0) this.#registers = undefined;
    this.#pending = [];
    return out;
  }

  /** What waits for registers, as power says so far. */
  get pending(): readonly Segment[] {
    return this.#pending.map(asPowerSays);
  }

  #isGap(lengthMs: number, { intervalMs }: MeterBounds): boolean {
    if (lengthMs <= LEAST_GAP_MS) return false;
    const usual = intervalMs ?? median(this.#distances);
    return lengthMs > (usual === undefined ? FIRST_GAP_MS : GAP_INTERVALS * usual);
  }

  #push(part: Part): void {
    const [first, second] = this.#pending;
    if (this.#pending.length >= MAX_PENDING && first && second) this.#pending.splice(0, 2, joined(first, second));
    this.#pending.push(part);
  }

  #count({ atMs, importWh, exportWh }: Sample, bounds: MeterBounds): readonly Segment[] {
    const had = this.#registers;
    const parts = this.#pending;
    const registers = { atMs, importWh, exportWh };
    this.#registers = registers;
    if (parts.length === 0) return NOTHING;
    this.#pending = [];
    const moved = had && difference(had, registers, bounds);
    return moved ? spread(parts, moved) : parts.map(asPowerSays);
  }
}

/** Trapezoid where both ends are known, else the one that is. Where the sign changes, each side has its triangle. */
function byPower(aW: number | undefined, bW: number | undefined, dtMs: number): { importWh: number; exportWh: number } {
  const a = aW ?? bW ?? 0;
  const b = bW ?? aW ?? 0;
  const hours = dtMs / HOUR_MS;
  const one = (p: number, q: number): number => {
    if (p >= 0 && q >= 0) return ((p + q) / 2) * hours;
    if (p <= 0 && q <= 0) return 0;
    const top = Math.max(p, q);
    return ((top / 2) * hours * top) / Math.abs(p - q);
  };
  return { importWh: one(a, b), exportWh: one(-a, -b) };
}

/** The span between two values. */
function between(last: Sample, next: Sample, isGap: boolean): Part {
  const { importWh, exportWh } = byPower(last.powerW, next.powerW, next.atMs - last.atMs);
  const [from, to] = [last.powerW, next.powerW];
  return {
    fromMs: last.atMs,
    toMs: next.atMs,
    importWh,
    exportWh,
    quality: isGap ? 'missing' : worseOf(last.quality, next.quality),
    byPower: from !== undefined || to !== undefined,
    endsW: from === undefined || to === undefined ? undefined : { from, to },
  };
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** What the registers counted; undefined where one ran back, jumped, or was not there before. */
function difference(
  from: Registers,
  to: Registers,
  { importW, exportW }: MeterBounds,
): { importWh: number; exportWh: number } | undefined {
  const hours = (to.atMs - from.atMs) / HOUR_MS;
  const step = (a: number | undefined, b: number | undefined, mostW: number): number | undefined => {
    if (a === undefined && b === undefined) return 0;
    if (a === undefined || b === undefined || b < a) return undefined;
    return b - a > 1.2 * mostW * hours + REGISTER_SLACK_WH ? undefined : b - a;
  };
  const importWh = step(from.importWh, to.importWh, importW);
  const exportWh = step(from.exportWh, to.exportWh, exportW);
  return importWh === undefined || exportWh === undefined ? undefined : { importWh, exportWh };
}

/** Spreads what registers counted over the parts: by the power in them, else by their length. */
function spread(parts: readonly Part[], moved: { importWh: number; exportWh: number }): Segment[] {
  const [first, second] = parts;
  if (first !== undefined && second === undefined) return [counted(first, moved.importWh, moved.exportWh)];
  const length = parts.reduce((sum, p) => sum + p.toMs - p.fromMs, 0);
  const share = (of: (p: Segment) => number): ((p: Segment) => number) => {
    const all = parts.reduce((sum, p) => sum + of(p), 0);
    return all > 0 ? (p) => of(p) / all : (p) => (p.toMs - p.fromMs) / length;
  };
  const [imports, exports] = [share((p) => p.importWh), share((p) => p.exportWh)];
  return parts.map((p) => counted(p, moved.importWh * imports(p), moved.exportWh * exports(p)));
}

const counted = ({ fromMs, toMs, quality, endsW }: Part, importWh: number, exportWh: number): Segment => ({
  fromMs,
  toMs,
  importWh,
  exportWh,
  quality,
  endsW,
});

/** Power over a gap would be a guess, and without power nothing is known. */
function asPowerSays({ byPower: isKnown, ...s }: Part): Segment {
  if (!isKnown || s.quality === 'missing') return { ...s, importWh: 0, exportWh: 0, quality: 'missing' };
  return { ...s, quality: worseOf(s.quality, 'estimated') };
}

function joined(a: Part, b: Part): Part {
  return {
    fromMs: a.fromMs,
    toMs: b.toMs,
    importWh: a.importWh + b.importWh,
    exportWh: a.exportWh + b.exportWh,
    quality: worseOf(a.quality, b.quality),
    byPower: a.byPower && b.byPower,
  };
}
