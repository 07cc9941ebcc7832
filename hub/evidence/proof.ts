import { iso } from '../../core/clock.ts';
import { round3 } from '../../core/quantities.ts';
import type { Proof } from '../../model/index.ts';
import type { Cell } from './delivery.ts';
import { deliveredWh, followed, percent, performancePct, totalsOf, trackingErrorPct } from './formulas.ts';
import { worseOf } from './meter-track.ts';

type Interval = Proof['intervals'][number];

/** Limits in force; an absent one limits nothing. */
export interface LimitAt {
  readonly importLimitW?: number;
  readonly exportLimitW?: number;
}

/** A step function of limits: what holds from `fromMs` (epoch ms) on, in order of time. */
export type LimitSteps = readonly (LimitAt & { readonly fromMs: number })[];

export interface ProofFacts {
  readonly ids: Pick<Proof, 'proofId' | 'recordId' | 'fsrId' | 'foId' | 'issuerId'>;
  readonly formula: 'setpoint' | 'up' | 'down' | 'limit';
  readonly method: Proof['method'];
  readonly meterLevel: Proof['meterLevel'];
  readonly meterRef?: string;
  readonly clock: Proof['clock'];
  /** Epoch ms; the cells are `stepMs` long, the last one ends at `endMs`. */
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  readonly cells: readonly Cell[];
  /** So many cells become one interval. */
  readonly merge: number;
  /** Known power beside what the meters count, W, for example a declared base load; it makes all `estimated`. */
  readonly besideW?: number;
  /** Energy without the service over a span, Wh; undefined where it cannot be computed (fo 3.8). */
  readonly baselineWh: (fromMs: number, toMs: number) => number | undefined;
  /** `up`, `down` and a paid reduction: what was asked for, W ≥ 0. */
  readonly requestedW?: number;
  readonly limits?: LimitSteps;
}

interface Span extends Cell {
  readonly fromMs: number;
  readonly toMs: number;
}

const HOUR_MS = 3_600_000;
/** An interval with a longer gap than this share is missing. */
const MOST_GAP = 0.02;
/** Half of the last digit that is told. */
const EXACT_WH = 0.0005;

/** The proof of one service: every number by the formulas of fo 3.9. */
export function buildProof(f: ProofFacts): Proof {
  const spans = spansOf(f);
  const intervals = spans.map((group) => intervalOf(group, f));
  const tracking = f.formula === 'setpoint' ? trackingOf(intervals) : undefined;
  return {
    ...f.ids,
    method: f.method,
    formula: f.formula,
    meterLevel: f.meterLevel,
    intervals,
    totals: totalsOf(intervals),
    performancePct: performanceOf(f.formula, intervals),
    ...(tracking === undefined ? {} : { trackingErrorPct: tracking }),
    clock: f.clock,
  };
}

/** fo 3.9. Where nothing was requested, 100 when all was measured and a baseline is known, else 0: nothing can be shown. */
export function performanceOf(formula: Proof['formula'], intervals: readonly Interval[]): number {
  if (formula === 'limit') {
    const minutes = intervals.reduce((sum, i) => sum + (i.minutes ?? 0), 0);
    const within = intervals.reduce((sum, i) => sum + (i.minutesWithin ?? 0), 0);
    return minutes === 0 ? 0 : percent(within, minutes);
  }
  const isWhole = intervals.every((i) => i.quality !== 'missing' && i.baselineWh !== undefined);
  return performancePct(intervals) ?? (isWhole ? 100 : 0);
}

export function trackingOf(intervals: readonly Interval[]): number | undefined {
  const known = intervals.flatMap((i) =>
    i.targetWh === undefined || i.importWh === undefined || i.exportWh === undefined
      ? []
      : [{ targetWh: i.targetWh, measuredWh: i.importWh - i.exportWh }],
  );
  return trackingErrorPct(known);
}

/** The cells with their times, in groups that become intervals. */
function spansOf({ cells, merge, startMs, endMs, stepMs }: ProofFacts): Span[][] {
  const groups: Span[][] = [];
  cells.forEach((cell, i) => {
    const fromMs = startMs + i * stepMs;
    const span = { ...cell, fromMs, toMs: Math.min(fromMs + stepMs, endMs) };
    const group = groups[Math.floor(i / merge)];
    if (group) group.push(span);
    else groups.push([span]);
  });
  return groups;
}

function intervalOf(group: readonly Span[], f: ProofFacts): Interval {
  const [first] = group;
  const fromMs = first?.fromMs ?? f.startMs;
  const toMs = group.at(-1)?.toMs ?? f.endMs;
  const { measuredWh, ...measured } = measuredOf(group, f, toMs - fromMs);
  const base = f.baselineWh(fromMs, toMs);
  const baseline = base === undefined ? undefined : round3(base);
  return {
    start: iso(fromMs),
    durationS: (toMs - fromMs) / 1000,
    ...measured,
    ...(baseline === undefined ? {} : { baselineWh: baseline }),
    ...(f.formula === 'limit' ? withinOf(group, f) : {}),
    ...numbers(group, f, baseline, measuredWh),
    ...(f.meterRef === undefined ? {} : { meterRef: f.meterRef }),
  };
}

/** Import and export, and what they come to; without them where the meters left a gap. */
function measuredOf(
  group: readonly Span[],
  { besideW }: ProofFacts,
  lengthMs: number,
): Pick<Interval, 'importWh' | 'exportWh' | 'quality'> & { readonly measuredWh?: number } {
  const gapMs = group.reduce((sum, c) => sum + c.gapMs, 0);
  if (gapMs > MOST_GAP * lengthMs) return { quality: 'missing' };
  const besideWh = ((besideW ?? 0) * lengthMs) / HOUR_MS;
  const importWh = round3(group.reduce((sum, c) => sum + c.importWh, 0) + besideWh);
  const exportWh = round3(group.reduce((sum, c) => sum + c.exportWh, 0));
  const worst = group.reduce<Cell['quality']>((q, c) => worseOf(q, c.quality), besideW ? 'estimated' : 'good');
  return { importWh, exportWh, quality: worst, measuredWh: round3(importWh - exportWh) };
}

/** What was asked for and delivered. A missing baseline leaves it open; a missing measurement delivers 0 (fo 3.8, fo 3.9). */
function numbers(
  group: readonly Span[],
  f: ProofFacts,
  baselineWh: number | undefined,
  measuredWh: number | undefined,
): Pick<Interval, 'targetWh' | 'requestedWh' | 'deliveredWh'> {
  if (f.formula === 'setpoint') return setpointNumbers(group, f, baselineWh, measuredWh);
  if (f.requestedW === undefined) return {};
  const hours = group.reduce((sum, c) => sum + c.toMs - c.fromMs, 0) / HOUR_MS;
  const requestedWh = round3(f.requestedW * hours);
  if (baselineWh === undefined) return { requestedWh };
  const direction = f.formula === 'down' ? 'down' : 'up';
  return { requestedWh, deliveredWh: measuredWh === undefined ? 0 : deliveredWh(direction, baselineWh, measuredWh) };
}

function setpointNumbers(
  group: readonly Span[],
  f: ProofFacts,
  baselineWh: number | undefined,
  measuredWh: number | undefined,
): Pick<Interval, 'targetWh' | 'requestedWh' | 'deliveredWh'> {
  const targetWh = targetOf(group, f);
  if (targetWh === undefined) return {};
  if (baselineWh === undefined) return { targetWh };
  const result = followed(targetWh, baselineWh, measuredWh ?? targetWh);
  return { targetWh, requestedWh: result.requestedWh, deliveredWh: measuredWh === undefined ? 0 : result.deliveredWh };
}

/** Integral of what was applied; while there was no target, the baseline stands for it, so that nothing was asked. */
function targetOf(group: readonly Span[], f: ProofFacts): number | undefined {
  let sum = 0;
  for (const c of group) {
    sum += c.targetWh;
    const lengthMs = c.toMs - c.fromMs;
    const openMs = lengthMs - c.targetMs;
    if (openMs <= 0) continue;
    const base = f.baselineWh(c.fromMs, c.toMs);
    if (base === undefined) return undefined;
    sum += (base * openMs) / lengthMs;
  }
  return round3(sum);
}

/** How many minutes had a mean within the limit. A minute with a gap is none of them. */
function withinOf(group: readonly Span[], f: ProofFacts): Pick<Interval, 'minutes' | 'minutesWithin'> {
  const within = group.filter((c) => isWithin(c, f)).length;
  return { minutes: group.length, minutesWithin: within };
}

function isWithin(c: Span, f: ProofFacts): boolean {
  const { measuredWh } = measuredOf([c], f, c.toMs - c.fromMs);
  if (measuredWh === undefined) return false;
  const { importWh, exportWh } = limitOver(f.limits ?? [], c.fromMs, c.toMs);
  return measuredWh <= importWh + EXACT_WH && -measuredWh <= exportWh + EXACT_WH;
}

/** The most energy per direction over a span. */
function limitOver(steps: LimitSteps, fromMs: number, toMs: number): { importWh: number; exportWh: number } {
  let [importWh, exportWh] = [0, 0];
  let [importMs, exportMs] = [0, 0];
  steps.forEach((s, i) => {
    const ms = Math.max(0, Math.min(toMs, steps[i + 1]?.fromMs ?? Infinity) - Math.max(fromMs, s.fromMs));
    if (s.importLimitW !== undefined) {
      importWh += (s.importLimitW * ms) / HOUR_MS;
      importMs += ms;
    }
    if (s.exportLimitW !== undefined) {
      exportWh += (s.exportLimitW * ms) / HOUR_MS;
      exportMs += ms;
    }
  });
  const isAll = (ms: number): boolean => ms >= toMs - fromMs;
  return { importWh: isAll(importMs) ? importWh : Infinity, exportWh: isAll(exportMs) ? exportWh : Infinity };
}
