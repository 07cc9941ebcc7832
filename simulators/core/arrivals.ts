import type { BatterySpec } from './battery.ts';
import type { Ev } from './evse.ts';
import { createPrng, seedOf } from './prng.ts';

/** Inclusive bounds of a uniform draw. */
export type Range = readonly [min: number, max: number];

/** How cars come and go at one EVSE. */
export interface ArrivalSpec {
  /** Until the first car, ms after the start. */
  readonly firstMs: Range;
  /** Between two cars, ms. */
  readonly gapMs: Range;
  /** How long a car stays, ms. */
  readonly stayMs: Range;
  readonly arrivalPct: Range;
  readonly targetPct: Range;
  /** The kinds of cars that come; each visit draws one. */
  readonly cars: readonly CarSpec[];
}

export interface CarSpec {
  readonly battery: BatterySpec;
  readonly phases: number;
  readonly minCurrentA: number;
  readonly maxImportW: number;
  readonly maxExportW: number;
  readonly tellsNeeds?: boolean;
}

/** One car at one EVSE. */
export interface Visit {
  readonly index: number;
  readonly ev: Ev;
  readonly arrivalMs: number;
  readonly departureMs: number;
}

export interface ArrivalState {
  readonly spec: ArrivalSpec;
  readonly seed: number;
  /** The visit that is here or comes next. */
  readonly visit: Visit;
  readonly here: boolean;
}

export interface ArrivalEvent {
  readonly kind: 'arrive' | 'depart';
  readonly visit: Visit;
}

/** Starts the process; `idTags` are what the drivers identify with. */
export function startArrivals(spec: ArrivalSpec, seed: number, nowMs: number, idTags: readonly string[]): ArrivalState {
  return { spec, seed, visit: draw(spec, seed, 0, nowMs, idTags), here: false };
}

/** The next thing that happened up to `nowMs`, if anything; call again until nothing is left. */
export function nextArrivalEvent(
  s: ArrivalState,
  nowMs: number,
  idTags: readonly string[],
): { readonly state: ArrivalState; readonly event: ArrivalEvent } | undefined {
  const { visit } = s;
  if (!s.here) {
    if (nowMs < visit.arrivalMs) return undefined;
    return { state: { ...s, here: true }, event: { kind: 'arrive', visit } };
  }
  if (nowMs < visit.departureMs) return undefined;
  const next = draw(s.spec, s.seed, visit.index + 1, visit.departureMs, idTags);
  return { state: { ...s, here: false, visit: next }, event: { kind: 'depart', visit } };
}

/** A visit is a pure function of seed and index, so one late car changes no later car. */
function draw(spec: ArrivalSpec, seed: number, index: number, fromMs: number, idTags: readonly string[]): Visit {
  const random = createPrng(seedOf(seed, index));
  const within = ([min, max]: Range): number => random.between(min, max);
  const arrivalMs = fromMs + Math.round(within(index === 0 ? spec.firstMs : spec.gapMs));
  const car = spec.cars[random.int(0, spec.cars.length - 1)];
  if (!car) throw new RangeError('An arrival process needs at least one kind of car.');
  const ev: Ev = {
    ...car,
    idTag: idTags[random.int(0, idTags.length - 1)] ?? 'DEMO-1',
    arrivalPct: within(spec.arrivalPct),
    targetPct: within(spec.targetPct),
    isV2G: car.maxExportW > 0,
  };
  return { index, ev, arrivalMs, departureMs: arrivalMs + Math.round(within(spec.stayMs)) };
}
