import { apply, native } from './call.ts';
import { Fn } from './fn.ts';
import type { Step } from './path.ts';
import type { SafeRegex } from './regex/index.ts';
import { parseSignature } from './signature.ts';
import { charge, checkText, fail, type RunState } from './state.ts';
import { allStrings, isArray, isForbidden, isObject, put, toText } from './values.ts';

/** A regular expression literal: a function that finds the next match of a text. */
export function regex(s: RunState, re: SafeRegex, position: number): Fn {
  let last = 0;
  const matcher = (given: unknown, from?: unknown): unknown => {
    const text = typeof given === 'string' ? given : searched(s, given);
    const found = re.find(s, text, typeof from === 'number' ? from : 0);
    last = found?.end ?? 0;
    if (!found) return undefined;
    const next = (): unknown => {
      if (last >= (isArray(given) ? given : text).length) return undefined;
      const following = matcher(text, last);
      // A match of no characters would never advance.
      if (isObject(following) && following.match === '') fail('D1004', position, { value: re.source });
      return following;
    };
    const { start, end, groups } = found;
    return { match: text.slice(start, end), start, end, groups, next: native(0, next) };
  };
  return new Fn({ kind: 'native', arity: 2, code: matcher, regex: re });
}

/** What a matcher that is called directly searches: the value as JavaScript shows it, without running code of the value. */
function searched(s: RunState, v: unknown): string {
  if (!isArray(v)) return typeof v === 'object' && v !== null ? '[object Object]' : String(v);
  charge(s, v.length);
  const text = v.map((item) => (item === undefined || item === null ? '' : searched(s, item))).join(',');
  checkText(s, text.length);
  return text;
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
    const cloned = apply(s, o.clone, [input], null);
    // A $clone of the mapping's own may give what belongs to others, above all the input itself.
    const copy = o.clone.builtin ? cloned : copied(s, cloned);
    const found = o.pattern(copy);
    const matches: readonly unknown[] = found === undefined ? [] : isArray(found) ? found : [found];
    const parts = new Set<unknown>();
    partsOf(s, copy, parts);
    for (const match of matches) {
      const update = o.update(match);
      // A pattern that leaves the copy, e.g. by $$, must not reach what belongs to others.
      const target = typeof match !== 'object' || match === null || parts.has(match) ? match : copied(s, match);
      if (update !== undefined) change(target, update, o.updatePosition);
      if (o.remove) erase(target, o.remove(target), o.removePosition);
    }
    if (containsItself(s, copy, new Set(), new Set())) fail('X0007', o.updatePosition);
    return copy;
  };
  return native(1, code, parseSignature(TRANSFORM_SIGNATURE));
}

function copied(s: RunState, v: unknown): unknown {
  if (typeof v !== 'object' || v === null || v instanceof Fn) return v;
  charge(s, 1);
  if (isArray(v)) return v.map((item) => copied(s, item));
  const copy = {};
  for (const key of Object.keys(v)) if (!isForbidden(key)) put(copy, key, copied(s, Reflect.get(v, key)));
  return copy;
}

/** An update may put an object into a part of itself; such a value could not be written out. */
function containsItself(s: RunState, v: unknown, open: Set<unknown>, done: Set<unknown>): boolean {
  if (typeof v !== 'object' || v === null || done.has(v)) return false;
  if (open.has(v)) return true;
  charge(s, 1);
  open.add(v);
  const found = Object.values(v).some((part) => containsItself(s, part, open, done));
  open.delete(v);
  done.add(v);
  return found;
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
export function clone(s: RunState, v: unknown): unknown {
  const text = toText(s, v);
  if (text === undefined) return undefined;
  const copy: unknown = JSON.parse(text);
  return copy;
}
