import { type TSchema, Type } from 'typebox';
import { ID_PATTERN, UUID_PATTERN } from '../ids.ts';
import type { Json } from '../json.ts';
import type { Field, Fields, Spec, Static, Unit } from './spec.ts';

/** Every builder takes `doc`: one sentence for the documentation. */
export interface DocOption {
  readonly doc?: string;
}

const field = <T>(schema: TSchema, spec: Spec, doc: string | undefined): Field<T, false> => ({
  schema,
  spec,
  optional: false,
  ...(doc === undefined ? {} : { doc }),
});

/** May be absent (card. `?`). Never null: an absent value means unknown (fo 2.1). */
export function opt<T>(f: Field<T, boolean>, o: DocOption = {}): Field<T, true> {
  const doc = o.doc ?? f.doc;
  return { schema: f.schema, spec: f.spec, optional: true, ...(doc === undefined ? {} : { doc }) };
}

// Texts

const LEAP_YEAR = '(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)';
const DATE = `(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))|${LEAP_YEAR}-02-29)`;
/** ISO 8601 UTC ending in `Z`, at most milliseconds (fo 2.1). */
export const TIME_PATTERN = `^${DATE}T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,3})?Z$`;

interface StringShape {
  readonly what: string;
  readonly min: number;
  readonly max: number;
  readonly pattern?: string;
  readonly unit?: Unit;
}

function string(shape: StringShape, doc: string | undefined): Field<string, false> {
  const schema = Type.String({
    maxLength: shape.max,
    ...(shape.min > 0 ? { minLength: shape.min } : {}),
    ...(shape.pattern === undefined ? {} : { pattern: shape.pattern }),
  });
  return field(schema, { kind: 'string', ...shape }, doc);
}

/** An id: 1–64 of `A–Z a–z 0–9 . _ : -` (fo 2.1). */
export function id(o: DocOption = {}): Field<string, false> {
  return string({ what: 'an id (1–64 of A–Z a–z 0–9 . _ : -)', min: 1, max: 64, pattern: ID_PATTERN }, o.doc);
}

/** A UUID, version 7 or 4: message ids (fo 2.1). */
export function uuid(o: DocOption = {}): Field<string, false> {
  return string({ what: 'a UUID (version 7 or 4)', min: 36, max: 36, pattern: UUID_PATTERN }, o.doc);
}

/** An instant: ISO 8601 UTC ending in `Z`, at most milliseconds (fo 2.1). */
export function time(o: DocOption = {}): Field<string, false> {
  return string(
    { what: 'a UTC time such as 2026-03-02T16:40:00.000Z', min: 20, max: 24, pattern: TIME_PATTERN },
    o.doc,
  );
}

/** Free text of `min` (0) to `max` (1000) characters (code points). */
export function text(
  o: {
    readonly min?: number;
    readonly max?: number;
    readonly pattern?: string;
    readonly what?: string;
  } & DocOption = {},
): Field<string, false> {
  const { min = 0, max = 1000, pattern } = o;
  const what = o.what ?? (pattern === undefined ? 'a text' : `a text that matches ${pattern}`);
  return string({ what, min, max, ...(pattern === undefined ? {} : { pattern }) }, o.doc);
}

/** A price per kWh: a decimal string such as "0.2875" or "-0.01"; the name ends in `PerKWh` (fo 2.1). */
export function price(o: DocOption = {}): Field<string, false> {
  const pattern = '^-?(?:0|[1-9]\\d{0,8})(?:\\.\\d{1,8})?$';
  return string({ what: 'a decimal string such as "0.2875"', min: 1, max: 19, pattern, unit: '1/kWh' }, o.doc);
}

export function bool(o: DocOption = {}): Field<boolean, false> {
  return field(Type.Boolean(), { kind: 'boolean' }, o.doc);
}

/** One of the given words; a last argument `{doc}` documents it. */
export function oneOf<const V extends readonly (string | DocOption)[]>(
  ...values: V
): Field<Extract<V[number], string>, false> {
  const words = values.filter((v): v is Extract<V[number], string> => typeof v === 'string');
  const options = values.find((v) => typeof v === 'object');
  const schema = Type.Union(words.map((v) => Type.Literal(v)));
  return field(schema, { kind: 'oneOf', values: words }, options?.doc);
}

/** Exactly this value. */
export function literal<const V extends string | number | boolean>(value: V, o: DocOption = {}): Field<V, false> {
  return field(Type.Literal(value), { kind: 'oneOf', values: [value] }, o.doc);
}

// Numbers

export interface NumberOptions extends DocOption {
  readonly min?: number;
  readonly max?: number;
  /** Exclusive lower bound, e.g. `above: 0` for a step. */
  readonly above?: number;
}

function number(integer: boolean, o: NumberOptions, min: number, max: number, unit?: Unit): Field<number, false> {
  const bounds = { minimum: o.min ?? min, maximum: o.max ?? max };
  const schema = { ...bounds, ...(o.above === undefined ? {} : { exclusiveMinimum: o.above }) };
  const spec: Spec = {
    kind: 'number',
    integer,
    min: bounds.minimum,
    max: bounds.maximum,
    ...(o.above === undefined ? {} : { above: o.above }),
    ...(unit === undefined ? {} : { unit }),
  };
  return field(integer ? Type.Integer(schema) : Type.Number(schema), spec, o.doc);
}

/** A whole number within the safe range. */
export function int(o: NumberOptions = {}): Field<number, false> {
  return number(true, o, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
}

/** A finite number without a unit. What has a unit uses that unit's builder. */
export function num(o: NumberOptions = {}): Field<number, false> {
  return number(false, o, -1e15, 1e15);
}

export interface QuantityOptions extends NumberOptions {
  /** Whether negative values are allowed (fo 2.2); the default differs per quantity. */
  readonly signed?: boolean;
}

const quantity =
  (unit: Unit, max: number, signedByDefault = false) =>
  (o: QuantityOptions = {}): Field<number, false> =>
    number(false, o, (o.signed ?? signedByDefault) ? -max : 0, max, unit);

/** Active power in W, ≥ 0 unless `signed` (load convention, fo 2.2). Name ends in `W`. */
export const power = quantity('W', 1e9);
/** Energy in Wh, ≥ 0 unless `signed`. Name ends in `Wh`. */
export const energy = quantity('Wh', 1e12);
/** Energy per day in Wh. Name ends in `WhPerDay`. */
export const energyPerDay = quantity('Wh/d', 1e12);
/** Duration in s, ≥ 0 unless `signed`. Name ends in `S`. */
export const duration = quantity('s', 1e9);
/** 0–100 %. Name ends in `Pct`. */
export const pct = quantity('%', 100);
/** Voltage in V. Name ends in `V`. */
export const voltage = quantity('V', 1e6);
/** Current in A. Name ends in `A`. */
export const current = quantity('A', 1e5);
/** Frequency in Hz, 4 digits after the point. Name ends in `Hz`. */
export const freq = quantity('Hz', 1000);
/** Reactive power in var, signed unless `signed: false`; positive = absorbed (fo 2.2). Name ends in `Var`. */
export const reactive = quantity('var', 1e9, true);
/** Apparent power in VA. Name ends in `Va`. */
export const apparent = quantity('VA', 1e9);
/** Ramp in W/s, a magnitude unless `signed`. Name ends in `WPerS`. */
export const ramp = quantity('W/s', 1e9);
/** Rate of change of frequency in Hz/s, signed. Name ends in `HzPerS`. */
export const rocof = quantity('Hz/s', 1000, true);

// Composites

/** A list of `min` (0) to `max` (1000) items. */
export function list<T>(
  item: Field<T, boolean>,
  o: { readonly min?: number; readonly max?: number } & DocOption = {},
): Field<T[], false> {
  const { min = 0, max = 1000 } = o;
  const schema = Type.Array(item.schema, { minItems: min, maxItems: max });
  return field(schema, { kind: 'list', item, min, max }, o.doc);
}

/** The TypeBox object of declared fields. */
export function objectSchema(fields: Fields, open: boolean): TSchema {
  const properties = Object.entries(fields).map(([k, f]): [string, TSchema] => [
    k,
    f.optional ? Type.Optional(f.schema) : f.schema,
  ]);
  return Type.Object(Object.fromEntries(properties), { additionalProperties: open });
}

/** An inline object; unknown fields are refused unless `open`. */
export function obj<F extends Fields>(
  fields: F,
  o: { readonly open?: boolean } & DocOption = {},
): Field<Static<F>, false> {
  const open = o.open ?? false;
  return field(objectSchema(fields, open), { kind: 'object', fields, open }, o.doc);
}

/** A map from ids to values, at most `max` (100) entries. */
export function record<T>(
  value: Field<T, boolean>,
  o: { readonly max?: number } & DocOption = {},
): Field<Record<string, T>, false> {
  const max = o.max ?? 100;
  const schema = Type.Unsafe({
    type: 'object',
    maxProperties: max,
    additionalProperties: false,
    patternProperties: { [ID_PATTERN]: value.schema },
  });
  return field(schema, { kind: 'record', value, max }, o.doc);
}

/** A text or a number, as peers that cannot agree send ids. */
export function scalar(o: DocOption = {}): Field<string | number, false> {
  return field(Type.Union([Type.String(), Type.Number()]), { kind: 'json', maxDepth: 1, object: false }, o.doc);
}

/** Any JSON value up to `maxDepth` (8) levels and 150 000 parts. */
export function json(o: { readonly maxDepth?: number } & DocOption = {}): Field<Json, false> {
  return field(Type.Unknown(), { kind: 'json', maxDepth: o.maxDepth ?? 8, object: false }, o.doc);
}

/** Any JSON object up to `maxDepth` (8) levels and 150 000 parts. */
export function anyObject(o: { readonly maxDepth?: number } & DocOption = {}): Field<Record<string, Json>, false> {
  const schema = Type.Object({}, { additionalProperties: true });
  return field(schema, { kind: 'json', maxDepth: o.maxDepth ?? 8, object: true }, o.doc);
}
