import { charge, checkLength, checkRoom, type Marked, type RunState } from './state.ts';
import { EMPTY, isArray, isNumeric, newSequence, norm, own, sequenceOf, truthy } from './values.ts';

/** A step of a path, or any other piece of generated code that needs only its context. */
export type Step = (item: unknown) => unknown;

/*
 * Between the steps of a path its items travel compressed: undefined is the empty sequence, anything that is not an
 * array is a sequence of one, an array holds the items. The last step gives the value of the whole path. A step sees
 * one item and returns what evaluating the step and its predicates returns.
 */

/** What the result of a step is used for. */
type Use = 'mid' | 'last' | 'keep' | 'raw';

/** The field `key` of all items of an array, flat. */
export function lookupIn(s: RunState, items: readonly unknown[], key: string): Marked {
  charge(s, items.length);
  const out = newSequence();
  for (let i = 0; i < items.length; i++) {
    const v = lookup(s, items[i], key);
    if (isArray(v)) {
      checkRoom(s, out.length, v.length);
      for (let k = 0; k < v.length; k++) out.push(v[k]);
    } else if (v !== undefined) out.push(v);
  }
  return out;
}

/** The field `key` of anything. */
export function lookup(s: RunState, v: unknown, key: string): unknown {
  if (typeof v !== 'object' || v === null) return undefined;
  return isArray(v) ? lookupIn(s, v, key) : own(v, key);
}

export function lookupNorm(s: RunState, items: readonly unknown[], key: string): unknown {
  return norm(lookupIn(s, items, key));
}

/** Result of the only item, more steps follow. */
export function midOf(v: unknown): unknown {
  if (!isArray(v)) return v;
  if (v.cons) return sequenceOf(v);
  return v.length === 0 ? undefined : v;
}

/** Result of the only item at the end of a path. */
export function lastOf(v: unknown): unknown {
  if (!isArray(v) || v.sequence !== true) return v;
  if (v.length === 0) return undefined;
  if (v.length === 1) return v[0];
  return v.tupleStream ? flatCopy(v) : v;
}

/** The same for a path that contains `[]`. */
export function keepOf(v: unknown): unknown {
  if (v === undefined) return undefined;
  if (!isArray(v)) return keeping(sequenceOf(v));
  if (v.sequence !== true) return v.cons ? keeping(sequenceOf(v)) : v;
  return v.length === 0 ? undefined : keeping(flatCopy(v));
}

function flatCopy(v: readonly unknown[]): Marked {
  const out = newSequence();
  for (let i = 0; i < v.length; i++) out.push(v[i]);
  return out;
}

function keeping(seq: Marked): Marked {
  seq.keepSingleton = true;
  return seq;
}

function collect(s: RunState, items: readonly unknown[], f: Step, use: Use): unknown {
  charge(s, items.length);
  const out = newSequence();
  let results = 0;
  let first: unknown;
  for (let i = 0; i < items.length; i++) {
    const r = f(items[i]);
    if (r === undefined) continue;
    if (results++ === 0) first = r;
    if (isArray(r) && !r.cons) {
      checkRoom(s, out.length, r.length);
      for (let k = 0; k < r.length; k++) out.push(r[k]);
    } else out.push(r);
  }
  checkLength(s, out.length);
  if (use !== 'mid' && results === 1 && isArray(first) && first.sequence !== true) {
    return use === 'keep' ? keepOf(first) : first;
  }
  return use === 'last' ? norm(out) : packed(out, use);
}

function packed(out: Marked, use: Use): unknown {
  if (use === 'keep') return out.length === 0 ? undefined : keeping(out);
  if (out.length === 0) return use === 'raw' ? EMPTY : undefined;
  return out.length === 1 && out[0] !== undefined && !isArray(out[0]) ? out[0] : out;
}

export function stepMid(s: RunState, v: unknown, f: Step): unknown {
  if (v === undefined) return undefined;
  return isArray(v) ? collect(s, v, f, 'mid') : midOf(f(v));
}

export function stepLast(s: RunState, v: unknown, f: Step): unknown {
  if (v === undefined) return undefined;
  return isArray(v) ? collect(s, v, f, 'last') : lastOf(f(v));
}

export function stepKeep(s: RunState, v: unknown, f: Step): unknown {
  if (v === undefined) return undefined;
  return isArray(v) ? collect(s, v, f, 'keep') : keepOf(f(v));
}

/** The last step before grouping: its items as they are. */
export function stepRaw(s: RunState, v: unknown, f: Step): unknown {
  if (v === undefined) return EMPTY;
  return isArray(v) ? collect(s, v, f, 'raw') : rawOf(f(v));
}

/** Result of the only item before grouping. */
export function rawOf(v: unknown): unknown {
  return v === undefined ? EMPTY : v;
}

/** First steps: an array as context gives its items, and so does a missing context (one missing item). */
export function firstMid(s: RunState, x: unknown, f: Step): unknown {
  return isArray(x) ? collect(s, x, f, 'mid') : midOf(f(x));
}

export function firstLast(s: RunState, x: unknown, f: Step): unknown {
  return isArray(x) ? collect(s, x, f, 'last') : lastOf(f(x));
}

export function firstKeep(s: RunState, x: unknown, f: Step): unknown {
  return isArray(x) ? collect(s, x, f, 'keep') : keepOf(f(x));
}

export function firstRaw(s: RunState, x: unknown, f: Step): unknown {
  return isArray(x) ? collect(s, x, f, 'raw') : rawOf(f(x));
}

/** The items after an array constructor at the start of a path; the interpreter takes whatever has a length. */
export function loose(v: unknown): unknown {
  if (v === undefined || isArray(v)) return v !== undefined && v.length === 0 ? undefined : v;
  if (typeof v === 'string') return v === '' ? undefined : Array.from({ length: v.length }, (_, i) => v.charAt(i));
  const length = typeof v === 'object' && v !== null ? own(v, 'length') : undefined;
  if (typeof v !== 'object' || v === null || typeof length !== 'number' || length <= 0) return undefined;
  return Array.from({ length: Math.min(length, 1000) }, (_, i) => own(v, String(i)));
}

/** Whether the interpreter stops a path at this value of its first step. */
export function isEmpty(v: unknown): boolean {
  return (isArray(v) || typeof v === 'string') && v.length === 0;
}

/** `[n]` with a literal number. */
export function filterIndex(v: unknown, n: number): unknown {
  if (!isArray(v)) return (n === 0 || n === -1) && v !== undefined ? v : EMPTY;
  const item: unknown = v[n < 0 ? v.length + n : n];
  return item === undefined ? EMPTY : item;
}

/** `[…]` with anything else: a truth value keeps the item, numbers name positions. */
export function filter(s: RunState, v: unknown, test: Step): unknown {
  if (!isArray(v)) {
    const times = hits(s, test(v), 0, 1);
    if (times === 0) return EMPTY;
    return times === 1 && v !== undefined ? v : sequenceOfMany(v, times);
  }
  charge(s, v.length);
  const out = newSequence();
  for (let i = 0; i < v.length; i++) {
    const item: unknown = v[i];
    for (let n = hits(s, test(item), i, v.length); n > 0; n--) out.push(item);
  }
  return out.length === 0 ? EMPTY : out;
}

function sequenceOfMany(v: unknown, times: number): Marked {
  const out = newSequence();
  for (let i = 0; i < times; i++) out.push(v);
  return out;
}

/** How often a predicate's result selects the item at `index`. */
export function hits(s: RunState, r: unknown, index: number, length: number): number {
  if (typeof r === 'boolean') return r ? 1 : 0;
  if (typeof r === 'number' && isNumeric(r)) return position(r, length) === index ? 1 : 0;
  if (!Array.isArray(r)) return truthy(s, r) ? 1 : 0;
  charge(s, r.length);
  let count = 0;
  let numbers = true;
  for (const n of r as unknown[]) {
    if (!isNumeric(n)) numbers = false;
    else if (position(n, length) === index) count++;
  }
  if (numbers) return count;
  return truthy(s, r) ? 1 : 0;
}

function position(n: number, length: number): number {
  const i = Math.floor(n);
  return i < 0 ? length + i : i;
}
