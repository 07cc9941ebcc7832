import { charge, checkText, fail, located, type RunState, weigh } from './state.ts';
import { deepEqual, isArray, isNumeric, newSequence, toText } from './values.ts';

function checkOperands(a: unknown, b: unknown, position: number, token: string): boolean {
  try {
    if (a !== undefined && !isNumeric(a)) fail('T2001', position, { value: a, token });
    if (b !== undefined && !isNumeric(b)) fail('T2002', position, { value: b, token });
  } catch (e) {
    throw located(e, position, token);
  }
  return a !== undefined && b !== undefined;
}

/** `v - v === 0` holds for finite numbers only: a finite sum, difference or product has finite operands. */
export function add(a: unknown, b: unknown, position: number): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') {
    const v = a + b;
    if (v - v === 0) return v;
  }
  return checkOperands(a, b, position, '+') ? (a as number) + (b as number) : undefined;
}

export function sub(a: unknown, b: unknown, position: number): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') {
    const v = a - b;
    if (v - v === 0) return v;
  }
  return checkOperands(a, b, position, '-') ? (a as number) - (b as number) : undefined;
}

export function mul(a: unknown, b: unknown, position: number): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') {
    const v = a * b;
    if (v - v === 0) return v;
  }
  return checkOperands(a, b, position, '*') ? (a as number) * (b as number) : undefined;
}

export function div(a: unknown, b: unknown, position: number): number | undefined {
  if (typeof a === 'number' && typeof b === 'number' && a - a === 0 && b - b === 0) return a / b;
  return checkOperands(a, b, position, '/') ? (a as number) / (b as number) : undefined;
}

export function mod(a: unknown, b: unknown, position: number): number | undefined {
  if (typeof a === 'number' && typeof b === 'number' && a - a === 0 && b - b === 0) return a % b;
  return checkOperands(a, b, position, '%') ? (a as number) % (b as number) : undefined;
}

export function negate(a: unknown, position: number): number | undefined {
  if (a === undefined) return undefined;
  try {
    return isNumeric(a) ? -a : fail('D1002', position, { value: a, token: '-' });
  } catch (e) {
    throw located(e, position, '-');
  }
}

export function eq(s: RunState, a: unknown, b: unknown): boolean {
  return a !== undefined && b !== undefined && deepEqual(s, a, b);
}

export function ne(s: RunState, a: unknown, b: unknown): boolean {
  return a !== undefined && b !== undefined && !deepEqual(s, a, b);
}

/** True when both sides can be ordered; false when one is missing; fails otherwise. */
function comparable(s: RunState, a: unknown, b: unknown, position: number, token: string): boolean {
  const ta = typeof a;
  const tb = typeof b;
  const okA = ta === 'undefined' || ta === 'string' || ta === 'number';
  const okB = tb === 'undefined' || tb === 'string' || tb === 'number';
  if (!okA || !okB) fail('T2010', position, { value: okA && ta !== 'undefined' ? b : a, token });
  if (ta === 'undefined' || tb === 'undefined') return false;
  if (ta !== tb) fail('T2009', position, { value: a, value2: b, token });
  weigh(s, a);
  return true;
}

export function lt(s: RunState, a: unknown, b: unknown, position: number): boolean | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  return comparable(s, a, b, position, '<') ? (a as string) < (b as string) : undefined;
}

export function le(s: RunState, a: unknown, b: unknown, position: number): boolean | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a <= b;
  return comparable(s, a, b, position, '<=') ? (a as string) <= (b as string) : undefined;
}

export function gt(s: RunState, a: unknown, b: unknown, position: number): boolean | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a > b;
  return comparable(s, a, b, position, '>') ? (a as string) > (b as string) : undefined;
}

export function ge(s: RunState, a: unknown, b: unknown, position: number): boolean | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a >= b;
  return comparable(s, a, b, position, '>=') ? (a as string) >= (b as string) : undefined;
}

/** `in`: membership by identity of simple values. */
export function includes(s: RunState, a: unknown, b: unknown): boolean {
  if (a === undefined || b === undefined) return false;
  if (!isArray(b)) return a === b;
  charge(s, b.length);
  if (typeof a === 'string') charge(s, b.length * (a.length >> 10));
  for (let i = 0; i < b.length; i++) if (b[i] === a) return true;
  return false;
}

export function concat(s: RunState, a: unknown, b: unknown, position: number): string {
  try {
    const text = (toText(s, a) ?? '') + (toText(s, b) ?? '');
    checkText(s, text.length);
    return text;
  } catch (e) {
    throw located(e, position, '&');
  }
}

/** `a..b`; bounded by the sequence length of the engine, which is smaller than the language's ten million. */
export function range(s: RunState, a: unknown, b: unknown, position: number): unknown {
  if (a !== undefined && !Number.isInteger(a)) fail('T2003', position, { value: a, token: '..' });
  if (b !== undefined && !Number.isInteger(b)) fail('T2004', position, { value: b, token: '..' });
  if (typeof a !== 'number' || typeof b !== 'number' || a > b) return undefined;
  const size = b - a + 1;
  if (size > 1e7) fail('D2014', position, { value: size, token: '..' });
  if (size > s.limits.sequence) fail('D2015', position, { value: s.limits.sequence, token: '..' });
  charge(s, size);
  const out = newSequence();
  for (let i = a; i <= b; i++) out.push(i);
  return out;
}
