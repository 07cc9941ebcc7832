import { Fn } from './fn.ts';
import { charge, checkText, fail, type Marked, type RunState, weigh } from './state.ts';

export const isArray = (v: unknown): v is Marked => Array.isArray(v);

export function newSequence(): Marked {
  const seq: Marked = [];
  seq.sequence = true;
  return seq;
}

export function sequenceOf(item: unknown): Marked {
  const seq: Marked = [item];
  seq.sequence = true;
  return seq;
}

/** The empty sequence; shared, therefore frozen. */
export const EMPTY: Marked = Object.freeze(newSequence());

/** Names that no mapping reads or writes: the way to prototypes and constructors. */
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
export const isForbidden = (key: string): boolean => FORBIDDEN.has(key);

/** An own field of an object that is not an array; nothing inherited, nothing of functions. */
export function own(o: object, key: string): unknown {
  if (o instanceof Fn || FORBIDDEN.has(key) || !Object.hasOwn(o, key)) return undefined;
  return (o as Record<string, unknown>)[key];
}

/** Sets a field of an object that this engine made. */
export function put(o: object, key: string, value: unknown): void {
  if (FORBIDDEN.has(key)) fail('X0001', -1, { value: key });
  (o as Record<string, unknown>)[key] = value;
}

export const isObject = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' && v !== null && !Array.isArray(v) && !(v instanceof Fn);

export const isFn = (v: unknown): v is Fn => v instanceof Fn;

/** A finite number; infinities are an error of their own. */
export function isNumeric(v: unknown): v is number {
  if (typeof v !== 'number') return false;
  if (v - v !== 0 && !Number.isNaN(v)) fail('D1001', -1, { value: v });
  return !Number.isNaN(v);
}

export function allNumbers(v: readonly unknown[]): boolean {
  for (let i = 0; i < v.length; i++) if (!isNumeric(v[i])) return false;
  return true;
}

export function allStrings(v: readonly unknown[]): v is string[] {
  for (let i = 0; i < v.length; i++) if (typeof v[i] !== 'string') return false;
  return true;
}

/** The effective boolean value; undefined counts as false. */
export function truthy(s: RunState, v: unknown): boolean {
  switch (typeof v) {
    case 'boolean':
      return v;
    case 'string':
      return v.length > 0;
    case 'number':
      return isNumeric(v) && v !== 0;
    case 'object':
      if (v === null || v instanceof Fn) return false;
      return Array.isArray(v) ? someTruthy(s, v) : hasKeys(s, v);
    default:
      return false;
  }
}

function someTruthy(s: RunState, v: readonly unknown[]): boolean {
  charge(s, v.length);
  for (let i = 0; i < v.length; i++) if (truthy(s, v[i])) return true;
  return false;
}

function hasKeys(s: RunState, o: object): boolean {
  const { length } = Object.keys(o);
  if (length > 8) charge(s, length);
  return length > 0;
}

/** The language's equality: by value, key order does not count. */
export function deepEqual(s: RunState, a: unknown, b: unknown): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a.length === b.length && sameText(s, a, b);
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Fn || b instanceof Fn) return false;
  if (Array.isArray(a) && Array.isArray(b)) return equalItems(s, a, b);
  const keys = Object.getOwnPropertyNames(a);
  charge(s, keys.length);
  if (keys.length !== Object.getOwnPropertyNames(b).length) return false;
  return keys.every((k) => Object.hasOwn(b, k) && deepEqual(s, Reflect.get(a, k), Reflect.get(b, k)));
}

function sameText(s: RunState, a: string, b: string): boolean {
  weigh(s, a);
  return a === b;
}

function equalItems(s: RunState, a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  charge(s, a.length);
  for (let i = 0; i < a.length; i++) if (!deepEqual(s, a[i], b[i])) return false;
  return true;
}

/** `$string`: JSON with numbers to 15 significant digits; functions become empty texts. */
export function toText(s: RunState, v: unknown, pretty = false): string | undefined {
  if (typeof v === 'string' || v === undefined) return v;
  if (v instanceof Fn) return '';
  if (typeof v === 'number') {
    if (!Number.isFinite(v)) fail('D3001', -1, { value: v });
    return Number.isInteger(v) ? JSON.stringify(v) : JSON.stringify(Number(v.toPrecision(15)));
  }
  const root: unknown = isArray(v) && v.outerWrapper ? v[0] : v;
  if (typeof root !== 'object') return JSON.stringify(root);
  // The same part may be in a value many times: what counts is how often it is written.
  const text = JSON.stringify(root, (_key, part: unknown) => jsonValue(s, part), pretty ? 2 : 0);
  checkText(s, text.length);
  return text;
}

function jsonValue(s: RunState, v: unknown): unknown {
  charge(s, typeof v === 'string' ? 1 + (v.length >> 6) : 1);
  if (v instanceof Fn || typeof v === 'function') return '';
  if (isNumeric(v)) return Number.isInteger(v) ? v : Number(v.toPrecision(15));
  return v;
}

/** Remembers an array whose marks must not leave the engine, at the moment it becomes part of a value. */
export function kept(s: RunState, v: unknown): unknown {
  if (Array.isArray(v) && ((v as Marked).sequence || (v as Marked).cons)) s.marked.push(v);
  return v;
}

/** What every evaluation does to its result: an empty sequence is nothing, a sequence of one is its item. */
export function norm(v: unknown): unknown {
  if (!Array.isArray(v)) return v;
  const a: Marked = v;
  if (a.sequence !== true || a.length > 1 || a.tupleStream) return a;
  if (a.length === 0) return undefined;
  return a.keepSingleton ? a : a[0];
}

/** The same behind `[]`: a sequence of one stays an array. */
export function normKeep(v: unknown): unknown {
  if (!isArray(v) || v.sequence !== true || v.tupleStream) return v;
  if (v.length === 0) return undefined;
  v.keepSingleton = true;
  return v;
}

/** `$append`. */
export function append(a: unknown, b: unknown): unknown {
  if (a === undefined) return b;
  if (b === undefined) return a;
  const left = Array.isArray(a) ? a : [a];
  return Array.isArray(b) ? left.concat(b) : left.concat([b]);
}
