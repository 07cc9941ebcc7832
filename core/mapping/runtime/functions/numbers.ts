import type { BuiltinRow, Impl } from '../fn.ts';
import { fail } from '../state.ts';

const sum = (list: readonly number[]): number => {
  let total = 0;
  for (let i = 0; i < list.length; i++) total += list[i] as number;
  return total;
};

/** The interpreter calls list methods on what partial application lets through; so a list is demanded here as well. */
export function list(v: unknown): readonly unknown[] {
  if (!Array.isArray(v)) throw new TypeError('The argument is not an array.');
  return v;
}

function extreme(v: unknown, pick: (a: number, b: number) => number): number | undefined {
  if (v === undefined) return undefined;
  const items = list(v) as readonly number[];
  let best = items[0];
  for (let i = 1; i < items.length; i++) best = pick(best as number, items[i] as number);
  return best;
}

/**
 * `$round`: half to even, shifted in decimal text so that binary fractions do not disturb the half. Partial application
 * lets anything through as precision; what is no number gives NaN.
 */
export function round(v: number, precision?: unknown): number {
  const shifted = precision ? shift(v, precision) : v;
  let result = Math.round(shifted);
  if (Math.abs(result - shifted) === 0.5 && Math.abs(result % 2) === 1) result -= 1;
  if (precision) result = shift(result, -(precision as number));
  return Object.is(result, -0) ? 0 : result;
}

function shift(v: number, by: unknown): number {
  const [digits, exponent] = v.toString().split('e');
  const places: unknown = exponent === undefined ? by : Number(exponent) + (by as number);
  return Number(`${digits}e${String(places)}`);
}

const DECIMAL = /^-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?$/;
/** Only the first and the last branch are anchored, as in the interpreter. */
const OTHER_RADIX = /^(0[xX][0-9A-Fa-f]+)|(0[oO][0-7]+)|(0[bB][0-1]+)$/;

function toNumber(v: unknown): number | undefined {
  if (v === undefined || typeof v === 'number') return v;
  if (typeof v === 'boolean') return v ? 1 : 0;
  if (typeof v === 'string') {
    if (DECIMAL.test(v) && Number.isFinite(Number(v))) return Number.parseFloat(v);
    if (OTHER_RADIX.test(v)) return Number(v);
  }
  return fail('D3030', -1, { value: v, index: 1 });
}

function power(base: unknown, exponent: unknown): unknown {
  if (base === undefined) return undefined;
  const v = (base as number) ** (exponent as number);
  return Number.isFinite(v) ? v : fail('D3061', -1, { value: base, value2: exponent, index: 1 });
}

function sqrt(v: unknown): unknown {
  if (v === undefined) return undefined;
  return (v as number) < 0 ? fail('D3060', -1, { value: v, index: 1 }) : Math.sqrt(v as number);
}

function formatBase(v: unknown, radix: unknown): unknown {
  if (v === undefined) return undefined;
  const base = radix === undefined ? 10 : round(radix as number);
  if (base < 2 || base > 36) fail('D3100', -1, { value: base });
  return round(v as number).toString(base);
}

const math =
  (f: (n: number) => number): Impl =>
  (_s, v) =>
    v === undefined ? undefined : f(v as number);

export const NUMBER_FUNCTIONS: readonly BuiltinRow[] = [
  ['sum', '<a<n>:n>', ['args'], 1, (_s, v) => (v === undefined ? undefined : sum(list(v) as number[]))],
  ['count', '<a:n>', ['args'], 1, (_s, v) => (v === undefined ? 0 : (v as { length?: unknown }).length)],
  ['max', '<a<n>:n>', ['args'], 1, (_s, v) => extreme(v, Math.max)],
  ['min', '<a<n>:n>', ['args'], 1, (_s, v) => extreme(v, Math.min)],
  ['average', '<a<n>:n>', ['args'], 1, (_s, v) => average(v)],
  ['number', '<(nsb)-:n>', ['arg'], 1, (_s, v) => toNumber(v)],
  ['floor', '<n-:n>', ['arg'], 1, math(Math.floor)],
  ['ceil', '<n-:n>', ['arg'], 1, math(Math.ceil)],
  ['abs', '<n-:n>', ['arg'], 1, math(Math.abs)],
  ['round', '<n-n?:n>', ['arg', 'precision'], 2, (_s, v, p) => (v === undefined ? v : round(v as number, p))],
  ['sqrt', '<n-:n>', ['arg'], 1, (_s, v) => sqrt(v)],
  ['power', '<n-n:n>', ['arg', 'exp'], 2, (_s, v, e) => power(v, e)],
  ['formatBase', '<n-n?:s>', ['value', 'radix'], 2, (_s, v, r) => formatBase(v, r)],
];

function average(v: unknown): unknown {
  if (v === undefined) return undefined;
  const items = list(v) as readonly number[];
  return items.length === 0 ? undefined : sum(items) / items.length;
}
