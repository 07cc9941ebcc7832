import { QUANTITY_ERRORS } from './errors.ts';

declare const UNIT: unique symbol;
type Quantity<U extends string> = number & { readonly [UNIT]: U };

/** Active power in W; load convention where signed (fo 2.2). */
export type Watts = Quantity<'W'>;
export type WattHours = Quantity<'Wh'>;
/** Current per phase in A. */
export type Amps = Quantity<'A'>;
/** Voltage in V; line to neutral where phases matter. */
export type Volts = Quantity<'V'>;
/** Reactive power in var; positive = absorbed (fo 2.2). */
export type Vars = Quantity<'var'>;
export type Hertz = Quantity<'Hz'>;
export type Seconds = Quantity<'s'>;
/** 0–100. */
export type Percent = Quantity<'Pct'>;

const finite =
  <Q extends number>(unit: string) =>
  (n: number): Q => {
    if (typeof n !== 'number' || !Number.isFinite(n)) {
      throw QUANTITY_ERRORS.fail('quantity.invalid', `${String(n)} is not a number of ${unit}.`);
    }
    return n as Q;
  };

/** Each throws `quantity.invalid` unless finite. */
export const watts = finite<Watts>('W');
export const wattHours = finite<WattHours>('Wh');
export const amps = finite<Amps>('A');
export const volts = finite<Volts>('V');
export const vars = finite<Vars>('var');
export const hertz = finite<Hertz>('Hz');
export const seconds = finite<Seconds>('s');
/** Throws `quantity.invalid` outside 0–100. */
export const percent = (n: number): Percent => {
  if (!(n >= 0 && n <= 100)) throw QUANTITY_ERRORS.fail('quantity.invalid', `${String(n)} is not within 0–100 %.`);
  return n as Percent;
};

/** The units that values have inside v2gate. */
export type SiUnit =
  | 'W'
  | 'Wh'
  | 'A'
  | 'V'
  | 'var'
  | 'varh'
  | 'VA'
  | 'VAh'
  | 'Hz'
  | 'Pct'
  | 'C'
  | 's'
  | 'W/s'
  | 'm'
  | 'Pa';

interface Conversion {
  readonly unit: SiUnit;
  readonly factor: number;
  /** Added after the factor. */
  readonly offset?: number;
}

const conversion = (unit: SiUnit, factor = 1, offset?: number): Conversion =>
  offset === undefined ? { unit, factor } : { unit, factor, offset };

/** Every unit a protocol may name, as OCPP, EEBUS and OpenADR spell them. Letters count: mW is not MW. */
export const UNITS: Readonly<Record<string, Conversion>> = {
  W: conversion('W'),
  kW: conversion('W', 1e3),
  MW: conversion('W', 1e6),
  Wh: conversion('Wh'),
  kWh: conversion('Wh', 1e3),
  MWh: conversion('Wh', 1e6),
  var: conversion('var'),
  kvar: conversion('var', 1e3),
  varh: conversion('varh'),
  kvarh: conversion('varh', 1e3),
  VA: conversion('VA'),
  kVA: conversion('VA', 1e3),
  VAh: conversion('VAh'),
  kVAh: conversion('VAh', 1e3),
  A: conversion('A'),
  mA: conversion('A', 1e-3),
  kA: conversion('A', 1e3),
  V: conversion('V'),
  mV: conversion('V', 1e-3),
  kV: conversion('V', 1e3),
  Hz: conversion('Hz'),
  mHz: conversion('Hz', 1e-3),
  kHz: conversion('Hz', 1e3),
  Percent: conversion('Pct'),
  Pct: conversion('Pct'),
  pct: conversion('Pct'),
  '%': conversion('Pct'),
  Celsius: conversion('C'),
  // The spelling of the OCPP 1.6 schema.
  Celcius: conversion('C'),
  C: conversion('C'),
  K: conversion('C', 1, -273.15),
  Fahrenheit: conversion('C', 5 / 9, -160 / 9),
  ms: conversion('s', 1e-3),
  s: conversion('s'),
  min: conversion('s', 60),
  h: conversion('s', 3600),
  'W/s': conversion('W/s'),
  'kW/s': conversion('W/s', 1e3),
  m: conversion('m'),
  kPa: conversion('Pa', 1e3),
};

/** A foreign value in our unit, free of the noise of binary fractions. Throws `quantity.unit`, `quantity.invalid`. */
export function toSi(value: number, unit: string): { value: number; unit: SiUnit } {
  const c = conversionOf(unit);
  return { value: denoise(finite(unit)(value) * c.factor + (c.offset ?? 0)), unit: c.unit };
}

/** Our value in a foreign unit: the inverse of {@link toSi}. Throws `quantity.unit`, `quantity.invalid`. */
export function fromSi(value: number, unit: string): number {
  const c = conversionOf(unit);
  return denoise((finite(c.unit)(value) - (c.offset ?? 0)) / c.factor);
}

function conversionOf(unit: string): Conversion {
  const c = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  if (!c)
    throw QUANTITY_ERRORS.fail('quantity.unit', `The unit ${JSON.stringify(String(unit).slice(0, 32))} is not known.`);
  return c;
}

/** 15 significant digits: the most that a decimal keeps through a double. Also turns −0 into 0. */
function denoise(n: number): number {
  return Number.isInteger(n) ? n + 0 : Number(n.toPrecision(15)) + 0;
}

/** `P = I·U·phases`; U line to neutral, 1–3 phases. Throws `quantity.invalid`. */
export function ampsPerPhaseToWatts(i: Amps, u: Volts, phases: number): Watts {
  checkSupply(u, phases);
  return watts(denoise(i * u * phases));
}

/**
 * `floor(10·P/(U·phases))/10` toward zero (fo 8.3.7): the largest current in steps of 0.1 A that does not exceed P.
 * U line to neutral, the higher of nominal and measured. Throws `quantity.invalid`.
 */
export function wattsToAmpsPerPhase(p: Watts, u: Volts, phases: number): Amps {
  checkSupply(u, phases);
  const limit = Math.abs(watts(p));
  const wattsAt = (tenths: number): number => denoise((tenths / 10) * u * phases);
  let tenths = Math.floor((10 * limit) / (u * phases));
  // The division may be off by one step in its last bit.
  if (wattsAt(tenths + 1) <= limit) tenths++;
  if (tenths > 0 && wattsAt(tenths) > limit) tenths--;
  return amps((Math.sign(p) * tenths) / 10 + 0);
}

function checkSupply(u: Volts, phases: number): void {
  if (u > 0 && Number.isFinite(u) && (phases === 1 || phases === 2 || phases === 3)) return;
  throw QUANTITY_ERRORS.fail(
    'quantity.invalid',
    `A supply has a voltage above 0 and 1 to 3 phases, got ${u} V, ${phases}.`,
  );
}

/** Rounds to `digits` (0–9) after the point, halves away from zero: rounding and turning the sign may be swapped. */
export function roundHalfUp(n: number, digits: number): number {
  if (Number.isInteger(n) || !Number.isFinite(n)) return n + 0;
  const factor = 10 ** digits;
  const scaled = Math.abs(n) * factor;
  if (scaled > Number.MAX_SAFE_INTEGER) return n;
  // The decimal half may lie a bit below the binary one: 1.005 is stored as 1.00499999999999989…
  const rounded = Math.round(Number(scaled.toPrecision(15))) / factor;
  return n < 0 ? 0 - rounded : rounded;
}

/** The form in which numbers leave us: at most 3 digits after the point (fo 2.1). */
export const round3 = (n: number): number => roundHalfUp(n, 3);
/** As {@link round3}, for frequencies (fo 2.1). */
export const round4 = (n: number): number => roundHalfUp(n, 4);

/** Rounds toward zero to a multiple of `step` (> 0), the way setpoints are rounded (fo 8.3.7). */
export function roundToStep(n: number, step: number): number {
  if (!(step > 0)) throw QUANTITY_ERRORS.fail('quantity.invalid', `A step must be above 0, got ${step}.`);
  const limit = Math.abs(n);
  let count = Math.floor(limit / step);
  if (denoise((count + 1) * step) <= limit) count++;
  if (count > 0 && denoise(count * step) > limit) count--;
  return denoise(Math.sign(n) * count * step);
}
