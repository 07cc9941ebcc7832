import { apply, native } from './call.ts';
import { Fn } from './fn.ts';
import type { Step } from './path.ts';
import { parseSignature } from './signature.ts';
import { charge, fail, type RunState } from './state.ts';
import { allStrings, isArray, isObject, put, toText } from './values.ts';

/** A regular expression literal: a function that finds the next match of a text. */
export function regex(s: RunState, source: string, flags: string, position: number): Fn {
  const re = new RegExp(source, flags);
  const matcher = (text: unknown, from?: unknown): unknown => {
    charge(s, 1);
    re.lastIndex = typeof from === 'number' ? from : 0;
    const m = re.exec(text as string);
    if (m === null) return undefined;
    const next = (): unknown => {
      if (re.lastIndex >= (text as string).length) return undefined;
      const found = matcher(text, re.lastIndex);
      // A match of no characters would never advance.
      if (isObject(found) && found.match === '') fail('D1004', position, { value: source });
      return found;
    };
    return { match: m[0], start: m.index, end: m.index + m[0].length, groups: m.slice(1), next: native(0, next) };
  };
  return native(2, matcher);
}

const TRANSFORM_SIGNATURE = '<(oa):o>';

/** `|pattern|update, delete|`: a function that gives a changed copy of its argument. */
export function transform(
  s: RunState,
  o: {
    readonly clone: unknown;
    readonly pattern: Step;
    readonly update: Step;
    readonly remove?: Step;
    readonly position: number;
    readonly updatePosition: number;
    readonly removePosition: number;
  },
): Fn {
  const code = (input: unknown): unknown => {
    if (input === undefined) return undefined;
    if (!(o.clone instanceof Fn)) fail('T2013', o.position);
    const copy = apply(s, o.clone, [input], null);
    const found = o.pattern(copy);
    const matches: readonly unknown[] = found === undefined ? [] : isArray(found) ? found : [found];
    const parts = new Set<unknown>();
    partsOf(s, copy, parts);
    for (const match of matches) {
      const update = o.update(match);
      // A pattern that leaves the copy, e.g. by $$, must not reach what belongs to others.
      const target = typeof match !== 'object' || match === null || parts.has(match) ? match : {};
      if (update !== undefined) change(target, update, o.updatePosition);
      if (o.remove) erase(target, o.remove(match), o.removePosition);
    }
    return copy;
  };
  return native(1, code, parseSignature(TRANSFORM_SIGNATURE));
}

function partsOf(s: RunState, v: unknown, into: Set<unknown>): void {
  if (typeof v !== 'object' || v === null) return;
  charge(s, 1);
  into.add(v);
  for (const part of Object.values(v)) partsOf(s, part, into);
}

function change(target: unknown, update: unknown, position: number): void {
  if (typeof update !== 'object' || update === null || Array.isArray(update))
    fail('T2011', position, { value: update });
  if (update instanceof Fn) return;
  for (const [key, value] of Object.entries(update)) {
    if (typeof target !== 'object' || target === null) fail('T2011', position, { value: target });
    put(target, key, value);
  }
}

function erase(target: unknown, names: unknown, position: number): void {
  if (names === undefined) return;
  const list: readonly unknown[] = isArray(names) ? names : [names];
  const keys = allStrings(list) ? list : fail('T2012', position, { value: names });
  if (typeof target !== 'object' || target === null || target instanceof Fn) return;
  for (const name of keys) Reflect.deleteProperty(target, name);
}

/** `$clone`: a deep copy by way of JSON. */
export function clone(v: unknown): unknown {
  const text = toText(v);
  if (text === undefined) return undefined;
  const copy: unknown = JSON.parse(text);
  return copy;
}
