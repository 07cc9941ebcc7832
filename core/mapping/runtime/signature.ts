import { Fn } from './fn.ts';
import { fail } from './state.ts';

interface Param {
  /** Accepted type letters. */
  readonly accepts: string;
  /** Takes an array: a single value becomes an array of one. */
  readonly array: boolean;
  readonly subtype?: string;
  /** Missing: the context value stands in. */
  readonly context: boolean;
  readonly optional: boolean;
  readonly repeated: boolean;
}

/** A parsed function signature, e.g. `<s-nn?:s>`. */
export interface Signature {
  readonly definition: string;
  readonly params: readonly Param[];
  readonly pattern: RegExp;
  /** Number of leading parameters that cannot be left out. */
  readonly required: number;
  /** A missing argument may be taken from the context. */
  readonly usesContext: boolean;
}

const PLURAL: Readonly<Record<string, string>> = {
  a: 'arrays',
  b: 'booleans',
  f: 'functions',
  n: 'numbers',
  o: 'objects',
  s: 'strings',
};
const ANY = 'asnblfom';
const JSON_TYPES = 'asnblom';

/** Parses a signature. The parser of the language has already accepted it where it comes from a mapping. */
export function parseSignature(definition: string): Signature {
  const params: { -readonly [K in keyof Param]: Param[K] }[] = [];
  let at = 1;
  while (at < definition.length && definition.charAt(at) !== ':') {
    const symbol = definition.charAt(at);
    const last = params.at(-1);
    if (symbol === '(') {
      const end = definition.indexOf(')', at);
      params.push(param(`${definition.slice(at + 1, end)}m`));
      at = end;
    } else if (symbol === '<') {
      const end = closing(definition, at);
      if (last) last.subtype = definition.slice(at + 1, end);
      at = end;
    } else if (symbol === '-') {
      if (last) last.context = true;
    } else if (symbol === '?') {
      if (last) last.optional = true;
    } else if (symbol === '+') {
      if (last) last.repeated = true;
    } else if ('snblo'.includes(symbol)) params.push(param(`${symbol}m`));
    else if (symbol === 'a') params.push({ ...param(ANY), array: true });
    else if (symbol === 'f') params.push(param('f'));
    else if (symbol === 'j') params.push(param(JSON_TYPES));
    else if (symbol === 'x') params.push(param(ANY));
    at++;
  }
  return {
    definition,
    params,
    pattern: new RegExp(`^${params.map((p) => `(${charClass(p)}${quantifier(p)})`).join('')}$`),
    required: requiredCount(params),
    usesContext: params.some((p) => p.context),
  };
}

function requiredCount(params: readonly Param[]): number {
  for (let i = params.length; i > 0; i--) {
    const p = params[i - 1];
    if (p && !p.optional && !p.context) return i;
  }
  return 0;
}

const param = (accepts: string): Param => ({ accepts, array: false, context: false, optional: false, repeated: false });
const charClass = (p: Param): string => `[${p.accepts}]`;
const quantifier = (p: Param): string => (p.repeated ? '+' : '') + (p.optional || p.context ? '?' : '');

function closing(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text.charAt(i) === '<') depth++;
    else if (text.charAt(i) === '>' && --depth === 0) return i;
  }
  return text.length;
}

/** The type letter of a value; `m` for a missing one. */
export function typeLetter(v: unknown): string {
  switch (typeof v) {
    case 'string':
      return 's';
    case 'number':
      return 'n';
    case 'boolean':
      return 'b';
    case 'object':
      if (v === null) return 'l';
      if (Array.isArray(v)) return 'a';
      return v instanceof Fn ? 'f' : 'o';
    default:
      return 'm';
  }
}

/** Holds the argument at `index` to its parameter without regular expression; undefined when it does not fit as it stands. */
export function fits(sig: Signature, index: number, v: unknown): boolean {
  const p = sig.params[index];
  return p?.accepts.includes(typeLetter(v)) === true;
}

/** The argument as the function gets it: a single value becomes an array where an array is expected. */
export function adapt(sig: Signature, index: number, v: unknown): unknown {
  const p = sig.params[index];
  return p?.array && v !== undefined ? asArray(p, v, index) : v;
}

function asArray(p: Param, v: unknown, index: number): unknown {
  const letter = typeLetter(v);
  if (p.subtype !== undefined && !subtypeHolds(p.subtype, letter, v)) {
    fail('T0412', -1, { value: v, index: index + 1, text: PLURAL[p.subtype] ?? p.subtype });
  }
  return letter === 'a' ? v : [v];
}

function subtypeHolds(subtype: string, letter: string, v: unknown): boolean {
  if (!Array.isArray(v)) return letter === subtype;
  const expected = subtype.charAt(0);
  for (let i = 0; i < v.length; i++) if (typeLetter(v[i]) !== expected) return false;
  return true;
}

/** Checks arguments against a signature and completes them from the context. Fails with T0410, T0411 or T0412. */
export function validate(sig: Signature, args: readonly unknown[], context: unknown): unknown[] {
  const letters = args.map(typeLetter).join('');
  const match = sig.pattern.exec(letters);
  if (!match) return mismatch(sig, args, letters);
  const out: unknown[] = [];
  let next = 0;
  sig.params.forEach((p, i) => {
    const taken = match[i + 1] ?? '';
    if (taken === '' && p.context) {
      if (!p.accepts.includes(typeLetter(context))) fail('T0411', -1, { value: context, index: next + 1 });
      out.push(context);
    } else if (taken === '') {
      out.push(args[next++]);
    } else {
      for (let k = 0; k < taken.length; k++) {
        const v = args[next];
        out.push(p.array && v !== undefined ? asRepeated(p, v, taken, next) : v);
        next++;
      }
    }
  });
  return out;
}

/** As {@link asArray}; a repeated parameter compares all its letters with the subtype, as the interpreter does. */
function asRepeated(p: Param, v: unknown, taken: string, index: number): unknown {
  if (!p.repeated || p.subtype === undefined || Array.isArray(v)) return asArray(p, v, index);
  if (taken !== p.subtype) fail('T0412', -1, { value: v, index: index + 1, text: PLURAL[p.subtype] ?? p.subtype });
  return [v];
}

function mismatch(sig: Signature, args: readonly unknown[], letters: string): never {
  let pattern = '^';
  let goodTo = 0;
  for (const p of sig.params) {
    pattern += charClass(p) + quantifier(p);
    const match = new RegExp(pattern).exec(letters);
    if (!match) break;
    goodTo = match[0].length;
  }
  return fail('T0410', -1, { value: args[goodTo], index: goodTo + 1 });
}
