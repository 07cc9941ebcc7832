import type { Step } from './path.ts';
import { charge, checkLength, checkRoom, fail, type Marked, type RunState, weigh } from './state.ts';
import { EMPTY, isArray, isFn, isForbidden, kept, newSequence, own, put, sequenceOf } from './values.ts';

/** `*`: the values of all fields; arrays are opened up completely. */
export function wildcard(s: RunState, v: unknown): unknown {
  const from: unknown = isArray(v) && v.outerWrapper && v.length > 0 ? v[0] : v;
  if (typeof from !== 'object' || from === null || isFn(from)) return EMPTY;
  const names = Object.keys(from);
  charge(s, names.length);
  const out = newSequence();
  for (const key of names) {
    const value: unknown = isArray(from) ? Reflect.get(from, key) : own(from, key);
    if (isArray(value)) {
      flattened(s, value, out);
      // Opening an array up gives a plain array: from here on a single value stays an array.
      delete out.sequence;
    } else out.push(value);
  }
  checkLength(s, out.length);
  return out;
}

function flattened(s: RunState, v: readonly unknown[], out: unknown[]): void {
  charge(s, v.length);
  for (let i = 0; i < v.length; i++) {
    const item: unknown = v[i];
    if (isArray(item)) flattened(s, item, out);
    else out.push(item);
  }
}

/** `**`: the value itself and everything below it, arrays left out. */
export function descendants(s: RunState, v: unknown): unknown {
  if (v === undefined) return undefined;
  const out = newSequence();
  descend(s, v, out);
  return out.length === 1 ? out[0] : out;
}

function descend(s: RunState, v: unknown, out: Marked): void {
  charge(s, 1);
  if (isArray(v)) {
    for (let i = 0; i < v.length; i++) descend(s, v[i], out);
    return;
  }
  out.push(v);
  if (typeof v !== 'object' || v === null || isFn(v)) return;
  for (const key of Object.keys(v)) if (!isForbidden(key)) descend(s, own(v, key), out);
}

/** Adds one item of an array constructor: nothing for undefined, the items of an array. */
export function add(s: RunState, out: unknown[], v: unknown): void {
  if (v === undefined) return;
  if (isArray(v)) {
    checkRoom(s, out.length, v.length);
    for (let i = 0; i < v.length; i++) out.push(v[i]);
  } else out.push(v);
}

/** Marks an array constructor in a path so that the path does not flatten it. */
export function cons(s: RunState, v: unknown[]): unknown[] {
  Object.defineProperty(v, 'cons', { value: true, enumerable: false, configurable: true });
  s.marked.push(v);
  return v;
}

/** A pair of an object constructor: constant or computed key, value in the context of the grouped items. */
export type PairCode = readonly [key: string | Step, value: Step];

export interface Gathered {
  data: unknown;
  /** The array of several items, once there are several. */
  own?: unknown[];
}

/** As `$append` does, without copying the array for every item. */
export function gather(s: RunState, entry: Gathered, item: unknown): void {
  if (item === undefined) return;
  if (entry.data === undefined) entry.data = item;
  else {
    entry.own ??= isArray(entry.data) ? [...entry.data] : [entry.data];
    add(s, entry.own, item);
    entry.data = entry.own;
  }
}

/** Object constructor and group-by: items with the same key share one value. */
export function group(s: RunState, items: unknown, pairs: readonly PairCode[], position: number): unknown {
  const list: readonly unknown[] = isArray(items) ? (items.length === 0 ? [undefined] : items) : [items];
  charge(s, list.length * pairs.length);
  const groups: Record<string, Gathered & { readonly pair: number }> = Object.create(null);
  for (let i = 0; i < list.length; i++) {
    const item = list[i];
    for (let p = 0; p < pairs.length; p++) {
      const code = pairs[p]?.[0];
      const key = checkedKey(typeof code === 'function' ? code(item) : code, position);
      if (key === undefined) continue;
      const entry = groups[key];
      if (!entry) groups[key] = { data: item, pair: p };
      else if (entry.pair !== p) fail('D1009', position, { value: key });
      else gather(s, entry, item);
    }
  }
  const out = {};
  for (const key of Object.keys(groups)) {
    const entry = groups[key];
    const value = entry && pairs[entry.pair]?.[1](entry.data);
    if (value !== undefined) put(out, key, kept(s, value));
  }
  return out;
}

/** Keys are texts; the interpreter reserves two names and this engine those that lead to prototypes. */
export function checkedKey(key: unknown, position: number): string | undefined {
  if (key === undefined) return undefined;
  if (typeof key !== 'string') return fail('T1003', position, { value: key });
  if (key === '_jsonata_lambda' || key === '_jsonata_function') fail('D1013', position, { value: key });
  if (isForbidden(key)) fail('X0001', position, { value: key });
  return key;
}

/** One term of `^(…)`. */
export type TermCode = readonly [key: Step, descending: boolean];

/** `^(…)` over the items of a path. Keys are computed once per item and only as far as they are needed. */
export function sortBy(s: RunState, v: unknown, terms: readonly TermCode[], position: number): unknown {
  if (!isArray(v)) return v;
  if (v.length <= 1) return fewItems(v);
  checkLength(s, v.length);
  const rows = v.map((item: unknown) => ({ item, keys: new Array<unknown>(terms.length), known: 0 }));
  type Row = (typeof rows)[number];
  const keyOf = (row: Row, t: number, code: Step): unknown => {
    if (row.known === t) {
      row.keys[t] = code(row.item);
      row.known++;
    }
    return row.keys[t];
  };
  const after = (a: Row, b: Row): boolean => {
    for (let t = 0; t < terms.length; t++) {
      const term = terms[t];
      if (!term) break;
      const order = compareKeys(s, keyOf(a, t, term[0]), keyOf(b, t, term[0]), term[1], position);
      if (order !== 0) return order > 0;
    }
    return false;
  };
  return mergeSort(s, rows, after).map((row) => row.item);
}

/** One item or none, as they travel between steps. */
function fewItems(v: Marked): unknown {
  if (v.length === 0) return undefined;
  return v[0] === undefined || isArray(v[0]) ? sequenceOf(v[0]) : v[0];
}

function compareKeys(s: RunState, a: unknown, b: unknown, descending: boolean, position: number): number {
  if (a === undefined) return b === undefined ? 0 : 1;
  if (b === undefined) return -1;
  const simple = (v: unknown): boolean => typeof v === 'string' || typeof v === 'number';
  if (!simple(a) || !simple(b)) fail('T2008', position, { value: simple(a) ? b : a });
  if (typeof a !== typeof b) fail('T2007', position, { value: a, value2: b });
  weigh(s, a);
  if (a === b) return 0;
  return (a as number) < (b as number) === descending ? 1 : -1;
}

/** The merge sort of the language: stable, halves at floor(n / 2), swaps only where `after` says so. */
export function mergeSort<T>(s: RunState, items: readonly T[], after: (a: T, b: T) => unknown): T[] {
  if (items.length <= 1) return [...items];
  charge(s, items.length);
  const middle = Math.floor(items.length / 2);
  const left = mergeSort(s, items.slice(0, middle), after);
  const right = mergeSort(s, items.slice(middle), after);
  const out: T[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length && r < right.length) {
    const a = left[l] as T;
    const b = right[r] as T;
    if (after(a, b)) {
      out.push(b);
      r++;
    } else {
      out.push(a);
      l++;
    }
  }
  while (l < left.length) out.push(left[l++] as T);
  while (r < right.length) out.push(right[r++] as T);
  return out;
}
