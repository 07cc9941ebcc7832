import { apply } from '../call.ts';
import { mergeSort } from '../collections.ts';
import { type BuiltinRow, Fn } from '../fn.ts';
import { lookup } from '../path.ts';
import { clone } from '../special.ts';
import { charge, checkLength, fail, type Marked, type RunState, weigh } from '../state.ts';
import {
  allNumbers,
  allStrings,
  append,
  deepEqual,
  isArray,
  isFn,
  isForbidden,
  isNumeric,
  kept,
  newSequence,
  own,
  put,
  truthy,
} from '../values.ts';
import { list } from './numbers.ts';

/** Calls the function argument of a higher-order function with as many arguments as it takes. */
function caller(s: RunState, f: unknown): (a: unknown, b: unknown, c: unknown) => unknown {
  if (!(f instanceof Fn)) return fail('T0410', -1, { value: f, index: 2 });
  const { arity, code } = f;
  return (a, b, c) => {
    charge(s, 1);
    // Plain code ignores arguments that it does not declare.
    if (f.plain) return code(a, b, c);
    return apply(s, f, arity >= 3 ? [a, b, c] : arity === 2 ? [a, b] : [a], null);
  };
}

function map(s: RunState, v: unknown, f: unknown): unknown {
  if (v === undefined) return undefined;
  const items = v as readonly unknown[];
  const code = caller(s, f);
  const out = newSequence();
  for (let i = 0; i < items.length; i++) {
    const r = code(items[i], i, items);
    if (r !== undefined) out.push(typeof r === 'object' ? kept(s, r) : r);
  }
  checkLength(s, out.length);
  return out;
}

function filter(s: RunState, v: unknown, f: unknown): unknown {
  if (v === undefined) return undefined;
  const items = v as readonly unknown[];
  const code = caller(s, f);
  const out = newSequence();
  for (let i = 0; i < items.length; i++) if (truthy(s, code(items[i], i, items))) out.push(items[i]);
  return out;
}

function single(s: RunState, v: unknown, f: unknown): unknown {
  if (v === undefined) return undefined;
  const items = v as readonly unknown[];
  const code = f === undefined ? () => true : caller(s, f);
  let found = 0;
  let result: unknown;
  for (let i = 0; i < items.length; i++) {
    if (!truthy(s, code(items[i], i, items))) continue;
    if (++found > 1) fail('D3138', -1, { index: i });
    result = items[i];
  }
  return found === 0 ? fail('D3139') : result;
}

function reduce(s: RunState, v: unknown, f: unknown, init: unknown): unknown {
  if (v === undefined) return undefined;
  const items = v as readonly unknown[];
  if (!(f instanceof Fn)) return fail('T0410', -1, { value: f, index: 2 });
  if (f.arity < 2) fail('D3050', -1, { index: 1 });
  const skip = init === undefined && items.length > 0;
  let result = skip ? items[0] : init;
  for (let i = skip ? 1 : 0; i < items.length; i++) {
    charge(s, 1);
    if (f.plain) result = f.code(result, items[i], i, items);
    else result = apply(s, f, [result, items[i], i, items].slice(0, Math.min(4, f.arity)), null);
  }
  return result;
}

function each(s: RunState, v: unknown, f: unknown): unknown {
  const out = newSequence();
  if (typeof v !== 'object' || v === null || isFn(v)) return out;
  const code = caller(s, f);
  for (const key of Object.keys(v)) {
    const r = code(own(v, key), key, v);
    if (r !== undefined) out.push(kept(s, r));
  }
  return out;
}

function sift(s: RunState, v: unknown, f: unknown): unknown {
  if (typeof v !== 'object' || v === null || isFn(v) || Object.keys(v).length === 0) return undefined;
  const code = caller(s, f);
  const out = {};
  let any = false;
  for (const key of Object.keys(v)) {
    const value: unknown = Reflect.get(v, key);
    if (!truthy(s, code(value, key, v))) continue;
    put(out, key, value);
    any = true;
  }
  return any ? out : undefined;
}

function zip(s: RunState, ...args: unknown[]): unknown {
  const length = Math.min(...args.map((a) => (isArray(a) ? a.length : 0)));
  const out: unknown[] = [];
  if (args.length === 0) fail('T0410', -1, { index: 1 });
  charge(s, length * args.length);
  for (let i = 0; i < length; i++) out.push(args.map((a) => (a as readonly unknown[])[i]));
  return out;
}

function keys(s: RunState, v: unknown): Marked {
  const out = newSequence();
  if (isArray(v)) {
    charge(s, v.length);
    const all: Record<string, true> = Object.create(null);
    for (let i = 0; i < v.length; i++) for (const key of keys(s, v[i])) all[key as string] = true;
    for (const key of Object.keys(all)) out.push(key);
  } else if (typeof v === 'object' && v !== null && !isFn(v)) {
    for (const key of Object.keys(v)) if (!isForbidden(key)) out.push(key);
  }
  charge(s, out.length);
  return out;
}

function appended(s: RunState, a: unknown, b: unknown): unknown {
  const out = append(a, b);
  if (a !== undefined && b !== undefined && isArray(out)) checkLength(s, out.length);
  return out;
}

function spread(s: RunState, v: unknown): unknown {
  if (!isArray(v)) return typeof v !== 'object' || v === null || isFn(v) ? v : pairsOf(s, v);
  // Parts are appended to a plain array; without any it stays an empty sequence.
  let out: unknown = newSequence();
  let plain: unknown[] | undefined;
  charge(s, v.length);
  for (let i = 0; i < v.length; i++) {
    const part = spread(s, v[i]);
    if (part === undefined) continue;
    plain ??= [];
    if (isArray(part)) for (let k = 0; k < part.length; k++) plain.push(part[k]);
    else plain.push(part);
    out = plain;
  }
  if (isArray(out)) checkLength(s, out.length);
  return out;
}

function pairsOf(s: RunState, v: object): Marked {
  const out = newSequence();
  for (const key of Object.keys(v)) {
    const one = {};
    put(one, key, Reflect.get(v, key));
    out.push(one);
  }
  checkLength(s, out.length);
  return out;
}

function merge(s: RunState, v: unknown): unknown {
  if (v === undefined) return undefined;
  const out = {};
  for (const o of list(v)) {
    if (typeof o !== 'object' || o === null || isFn(o)) continue;
    const names = Object.keys(o);
    charge(s, 1 + names.length);
    for (const key of names) put(out, key, Reflect.get(o, key));
  }
  return out;
}

function reverse(s: RunState, v: unknown): unknown {
  if (v === undefined) return undefined;
  const items = v as readonly unknown[];
  if (items.length <= 1) return items;
  charge(s, items.length);
  return items.toReversed();
}

function sort(s: RunState, v: unknown, f: unknown): unknown {
  if (v === undefined) return undefined;
  const items = v as readonly unknown[];
  if (items.length <= 1) return items;
  checkLength(s, items.length);
  if (f === undefined) {
    if (!allNumbers(items) && !allStrings(items)) fail('D3070', -1, { index: 1 });
    return mergeSort(s, items, (a, b) => {
      weigh(s, a);
      return (a as number) > (b as number);
    });
  }
  if (!(f instanceof Fn)) return fail('T0410', -1, { value: f, index: 2 });
  const { plain, code } = f;
  return mergeSort(s, items, plain ? (a, b) => code(a, b) : (a, b) => apply(s, f, [a, b], null));
}

function distinct(s: RunState, v: unknown): unknown {
  if (!isArray(v) || v.length <= 1) return v;
  const out: unknown[] = v.sequence ? newSequence() : [];
  for (let i = 0; i < v.length; i++) {
    const item: unknown = v[i];
    charge(s, out.length + 1);
    if (!out.some((o) => deepEqual(s, item, o))) out.push(item);
  }
  return out;
}

function typeName(v: unknown): string | undefined {
  if (v === undefined) return undefined;
  if (v === null) return 'null';
  if (isNumeric(v)) return 'number';
  if (typeof v === 'string' || typeof v === 'boolean') return typeof v;
  if (Array.isArray(v)) return 'array';
  return v instanceof Fn ? 'function' : 'object';
}

function check(condition: unknown, message: unknown): undefined {
  if (!condition) fail('D3141', -1, { text: (message as string) || '$assert() statement failed' });
  return undefined;
}

export const STRUCTURE_FUNCTIONS: readonly BuiltinRow[] = [
  ['boolean', '<x-:b>', ['arg'], 1, (s, v) => (v === undefined ? undefined : truthy(s, v))],
  ['not', '<x-:b>', ['arg'], 1, (s, v) => (v === undefined ? undefined : !truthy(s, v))],
  ['exists', '<x:b>', ['arg'], 1, (_s, v) => v !== undefined],
  ['map', '<af>', ['arr', 'func'], 2, map],
  ['filter', '<af>', ['arr', 'func'], 2, filter],
  ['single', '<af?>', ['arr', 'func'], 2, single],
  ['reduce', '<afj?:j>', ['sequence', 'func', 'init'], 3, reduce],
  ['each', '<o-f:a>', ['obj', 'func'], 2, each],
  ['sift', '<o-f?:o>', ['arg', 'func'], 2, sift],
  ['zip', '<a+>', [''], 0, zip],
  ['keys', '<x-:a<s>>', ['arg'], 1, keys],
  ['lookup', '<x-s:x>', ['input', 'key'], 2, (s, v, key) => lookup(s, v, key as string)],
  ['append', '<xx:a>', ['arg1', 'arg2'], 2, appended],
  ['spread', '<x-:a<o>>', ['arg'], 1, spread],
  ['merge', '<a<o>:o>', ['arg'], 1, merge],
  ['reverse', '<a:a>', ['arr'], 1, reverse],
  ['sort', '<af?:a>', ['arr', 'comparator'], 2, sort],
  ['distinct', '<x:x>', ['arr'], 1, distinct],
  ['type', '<x:s>', ['value'], 1, (_s, v) => typeName(v)],
  [
    'error',
    '<s?:x>',
    ['message'],
    1,
    (_s, m) => fail('D3137', -1, { text: (m as string) || '$error() function evaluated' }),
  ],
  ['assert', '<bs?:x>', ['condition', 'message'], 2, (_s, c, m) => check(c, m)],
  ['clone', '<(oa)-:o>', ['arg'], 1, (s, v) => clone(s, v)],
];
