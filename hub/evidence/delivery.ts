import type { Quality } from '../../model/index.ts';
import { type Segment, worseOf } from './meter-track.ts';
import { overlapMs } from './minutes.ts';
import { shareOf } from './shape.ts';
import type { AppliedPoint } from './types.ts';

/** What is measured for one service: the meters of its proof, its members, and the grid of its intervals. */
export interface DeliveryPlan {
  /** Epoch ms; the first interval begins here. */
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  /** Their sum is what was delivered. */
  readonly meters: readonly string[];
  /** Each has a line in the record. */
  readonly members: readonly string[];
}

/** One interval: energies in Wh, times in ms. */
export interface Cell {
  importWh: number;
  exportWh: number;
  /** How long a meter said nothing, all meters together. */
  gapMs: number;
  quality: Quality;
  /** Integral of what was applied, and for how long something was. */
  targetWh: number;
  targetMs: number;
  /** Integral of what was asked for. */
  askedWh: number;
  askedMs: number;
}

export interface MemberTotals {
  importWh: number;
  exportWh: number;
  gapMs: number;
  minPowerW?: number;
  maxPowerW?: number;
}

/** What is kept over a restart. */
export interface DeliveryState {
  /** The grid that the cells lie on. */
  readonly grid: { readonly startMs: number; readonly stepMs: number };
  readonly cells: readonly (readonly [number, Cell])[];
  readonly members: readonly (readonly [string, MemberTotals])[];
  readonly point?: AppliedPoint;
}

const HOUR_MS = 3_600_000;
export const MAX_CELLS = 10_000;
/** Cells are written in rows of as many. */
export const CELLS_A_ROW = 100;

/** What one service delivers: energy per interval and per member, and the curve it was led along, as both come in. */
export class Delivery {
  readonly #plan: DeliveryPlan;
  readonly #meters: ReadonlySet<string>; // bounded by: the members of a service
  readonly #cells = new Map<number, Cell>(); // bounded by: MAX_CELLS, in #split()
  readonly #members: Map<string, MemberTotals>; // bounded by: the members of a service
  /** Rows of cells that changed since they were written. */
  readonly #dirty = new Set<number>(); // bounded by: MAX_CELLS / CELLS_A_ROW
  #endMs: number;
  /** What is applied since, and until where it is in the cells. */
  #point: AppliedPoint | undefined;

  constructor(plan: DeliveryPlan, state?: DeliveryState) {
    this.#plan = plan;
    this.#endMs = plan.endMs;
    this.#meters = new Set(plan.meters);
    this.#members = new Map(plan.members.map((m) => [m, { importWh: 0, exportWh: 0, gapMs: 0 }]));
    const isSameGrid = state?.grid.startMs === plan.startMs && state.grid.stepMs === plan.stepMs;
    for (const [i, cell] of isSameGrid ? state.cells : []) this.#cell(i, { ...cell });
    for (const [id, totals] of state?.members ?? []) if (this.#members.has(id)) this.#members.set(id, { ...totals });
    this.#point = state?.point;
  }

  get plan(): DeliveryPlan {
    return { ...this.#plan, endMs: this.#endMs };
  }

  get state(): DeliveryState {
    return {
      grid: { startMs: this.#plan.startMs, stepMs: this.#plan.stepMs },
      cells: [...this.#cells],
      members: [...this.#members],
      ...(this.#point === undefined ? {} : { point: this.#point }),
    };
  }

  /** What changed since it was asked for last: rows of cells, all members, and where the curve is. */
  changes(): DeliveryState & { readonly rows: readonly number[] } {
    const rows = [...this.#dirty];
    this.#dirty.clear();
    const cells = [...this.#cells].filter(([i]) => rows.includes(Math.floor(i / CELLS_A_ROW)));
    return { ...this.state, cells, rows };
  }

  /** It ends at another time than planned. */
  endAt(endMs: number): void {
    this.#endMs = Math.max(endMs, this.#plan.startMs);
  }

  /** Whether values of this meter or member count here. */
  concerns(meter: string): boolean {
    return this.#meters.has(meter) || this.#members.has(meter);
  }

  /** Energy of a meter; what lies outside the service does not count. */
  add(meter: string, s: Segment, span?: { readonly fromMs: number; readonly toMs: number }): void {
    if (s.toMs <= this.#plan.startMs || s.fromMs >= this.#endMs) return;
    if (this.#meters.has(meter)) this.#split(s.fromMs, s.toMs, (cell, ms, fromMs) => addTo(cell, s, ms, fromMs));
    const totals = this.#members.get(meter);
    if (!totals) return;
    const fromMs = Math.max(this.#plan.startMs, span?.fromMs ?? 0);
    const toMs = Math.min(this.#endMs, span?.toMs ?? this.#endMs);
    const ms = overlapMs(s.fromMs, s.toMs, fromMs, toMs);
    const { importWh, exportWh } = shareOf(s, fromMs, toMs);
    totals.importWh += importWh;
    totals.exportWh += exportWh;
    if (s.quality === 'missing') totals.gapMs += ms;
  }

  /** A power value of a member while it serves. */
  power(member: string, atMs: number, powerW: number): void {
    const totals = this.#members.get(member);
    if (!totals || atMs < this.#plan.startMs || atMs > this.#endMs) return;
    totals.minPowerW = Math.min(totals.minPowerW ?? powerW, powerW);
    totals.maxPowerW = Math.max(totals.maxPowerW ?? powerW, powerW);
  }

  /** From now on something else is applied (a step function). */
  applied(point: AppliedPoint): void {
    this.advance(point.at);
    // What is in the cells already is not counted again.
    this.#point = { ...point, at: Math.max(point.at, this.#point?.at ?? 0) };
  }

  /** Takes the curve into the cells up to a time (epoch ms). */
  advance(toMs: number): void {
    const p = this.#point;
    if (!p || toMs <= p.at) return;
    this.#split(p.at, toMs, (cell, ms) => {
      if (p.appliedW !== undefined) {
        cell.targetWh += (p.appliedW * ms) / HOUR_MS;
        cell.targetMs += ms;
      }
      if (p.requestedW !== undefined) {
        cell.askedWh += (p.requestedW * ms) / HOUR_MS;
        cell.askedMs += ms;
      }
    });
    this.#point = { ...p, at: toMs };
  }

  get pointAt(): number | undefined {
    return this.#point?.at;
  }

  /** The intervals from start to end; those of which nothing is known are empty. */
  cells(): Cell[] {
    const count = Math.ceil((this.#endMs - this.#plan.startMs) / this.#plan.stepMs);
    return Array.from({ length: Math.min(count, MAX_CELLS) }, (_, i) => ({ ...(this.#cells.get(i) ?? empty()) }));
  }

  totals(member: string): MemberTotals {
    return { ...(this.#members.get(member) ?? { importWh: 0, exportWh: 0, gapMs: 0 }) };
  }

  #split(fromMs: number, toMs: number, each: (cell: Cell, ms: number, fromMs: number) => void): void {
    const { startMs, stepMs } = this.#plan;
    const from = Math.max(fromMs, startMs);
    const to = Math.min(toMs, this.#endMs);
    for (let i = Math.floor((from - startMs) / stepMs); from < to && startMs + i * stepMs < to; i++) {
      if (i >= MAX_CELLS) return;
      const begin = startMs + i * stepMs;
      each(this.#cell(i), overlapMs(from, to, begin, begin + stepMs), Math.max(from, begin));
    }
  }

  #cell(i: number, fresh: Cell = empty()): Cell {
    this.#dirty.add(Math.floor(i / CELLS_A_ROW));
    const known = this.#cells.get(i);
    if (known) return known;
    this.#cells.set(i, fresh);
    return fresh;
  }
}

function addTo(cell: Cell, s: Segment, ms: number, fromMs: number): void {
  const { importWh, exportWh } = shareOf(s, fromMs, fromMs + ms);
  cell.importWh += importWh;
  cell.exportWh += exportWh;
  if (s.quality === 'missing') cell.gapMs += ms;
  else cell.quality = worseOf(cell.quality, s.quality);
}

const empty = (): Cell => ({
  importWh: 0,
  exportWh: 0,
  gapMs: 0,
  quality: 'good',
  targetWh: 0,
  targetMs: 0,
  askedWh: 0,
  askedMs: 0,
});
