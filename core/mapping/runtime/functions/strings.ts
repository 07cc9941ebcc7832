import { Buffer } from 'node:buffer';
import { apply } from '../call.ts';
import { type BuiltinRow, Fn, type Impl } from '../fn.ts';
import { charge, checkLength, checkText, fail, type RunState } from '../state.ts';
import { isArray, isFn, isObject, newSequence, toText } from '../values.ts';

const text =
  (f: (t: string) => unknown): Impl =>
  (_s, v) =>
    v === undefined ? undefined : f(v as string);

/** Characters are code points. */
const characters = (t: string): string[] => Array.from(t);

const SURROGATE = /[\ud800-\udfff]/;

/** A text in which every code unit is a character need not be taken apart. Partial application lets anything through. */
const isSimple = (t: unknown): boolean => typeof t === 'string' && !SURROGATE.test(t);

function lengthOf(s: RunState, t: string): number {
  charge(s, t.length >> 4);
  return isSimple(t) ? t.length : characters(t).length;
}

function substring(s: RunState, v: unknown, start: unknown, length: unknown): unknown {
  if (v === undefined) return undefined;
  const t = v as string;
  charge(s, t.length >> 4);
  return isSimple(t) ? sliced(t, start, length) : sliced(characters(t), start, length).join('');
}

function sliced<T extends string | string[]>(chars: T, start: unknown, length: unknown): T {
  const from = chars.length + (start as number) < 0 ? 0 : (start as number);
  if (length === undefined) return chars.slice(from) as T;
  if ((length as number) <= 0) return chars.slice(0, 0) as T;
  const end = from >= 0 ? from + (length as number) : chars.length + from + (length as number);
  return chars.slice(from, end) as T;
}

/** Charges a search for `mark`, which at worst compares all of it at every place of the text. */
function seek(s: RunState, t: string, mark: unknown): void {
  // Partial application lets anything through.
  if (typeof mark === 'string') charge(s, Math.floor((t.length * mark.length) / 2048));
}

function before(s: RunState, v: unknown, mark: unknown): unknown {
  if (v === undefined) return undefined;
  const [t, m] = [v as string, mark as string];
  seek(s, t, m);
  const at = t.indexOf(m);
  return at < 0 ? t : t.slice(0, at);
}

function after(s: RunState, v: unknown, mark: unknown): unknown {
  if (v === undefined) return undefined;
  const [t, m] = [v as string, mark as string];
  seek(s, t, m);
  const at = t.indexOf(m);
  return at < 0 ? t : t.slice(at + m.length);
}

function trim(t: string): string {
  return t.replace(/[ \t\n\r]+/g, ' ').replace(/^ | $/g, '');
}

function pad(s: RunState, v: unknown, width: unknown, fill: unknown): unknown {
  if (v === undefined) return undefined;
  const t = v as string;
  const mark = fill === undefined || fill === '' ? ' ' : (fill as string);
  const target = Math.trunc(width as number);
  const missing = Math.abs(target) - characters(t).length;
  if (!(missing > 0)) return t;
  checkLength(s, missing);
  const marks = characters(mark);
  const whole = mark.repeat(Math.ceil(missing / marks.length));
  const padding = mark.length > 1 ? characters(whole).slice(0, missing).join('') : whole;
  checkText(s, t.length + padding.length);
  return target > 0 ? t + padding : padding + t;
}

interface Match {
  readonly match: unknown;
  readonly start: unknown;
  readonly end: unknown;
  readonly groups: unknown;
  readonly next: unknown;
}

/** Calls a matcher (regular expression or function of the same form) on a text, or its `next`. */
function findMatch(s: RunState, matcher: unknown, args: readonly unknown[]): Match | undefined {
  if (!(matcher instanceof Fn)) fail('T1010');
  charge(s, 1);
  const r = apply(s, matcher, args, null);
  if (r === undefined || r === null || r === false || r === 0 || r === '') return r as undefined;
  const m: Partial<Match> = isObject(r) ? r : {};
  const known = typeof m.start === 'number' || typeof m.end === 'number' || isArray(m.groups) || isFn(m.next);
  if (!known) fail('T1010');
  return r as Match;
}

/** Where the interpreter breaks down, e.g. on a separator that is missing. */
function checkMatcher(matcher: unknown): void {
  if (!(matcher instanceof Fn)) fail('T0410', -1, { value: matcher, index: 2 });
}

/** All matches up to a limit, one after the other. */
function* matches(s: RunState, matcher: unknown, t: string, limit: unknown): Generator<Match> {
  checkMatcher(matcher);
  let found = findMatch(s, matcher, [t]);
  for (let n = 0; found !== undefined && (limit === undefined || n < (limit as number)); n++) {
    yield found;
    found = findMatch(s, found.next, []);
  }
}

function contains(s: RunState, v: unknown, token: unknown): unknown {
  if (v === undefined || token === undefined) return undefined;
  if (typeof token === 'string') {
    seek(s, v as string, token);
    return (v as string).includes(token);
  }
  if (token instanceof Fn && token.regex) return token.regex.holds(s, v as string);
  checkMatcher(token);
  return findMatch(s, token, [v]) !== undefined;
}

const isNegative = (limit: unknown): boolean => typeof limit === 'number' && limit < 0;
const wantsSome = (limit: unknown): boolean => limit === undefined || (limit as number) > 0;

function match(s: RunState, v: unknown, matcher: unknown, limit: unknown): unknown {
  if (v === undefined) return undefined;
  if (isNegative(limit)) fail('D3040', -1, { value: limit, index: 3 });
  const out = newSequence();
  if (!wantsSome(limit)) return out;
  for (const m of matches(s, matcher, v as string, limit)) {
    out.push({ match: m.match, index: m.start, groups: m.groups });
  }
  return out;
}

function split(s: RunState, v: unknown, separator: unknown, limit: unknown): unknown {
  if (v === undefined) return undefined;
  if (isNegative(limit)) fail('D3020', -1, { value: limit, index: 3 });
  const t = v as string;
  if (!wantsSome(limit)) return [];
  if (typeof separator === 'string') return splitText(s, t, separator, limit as number | undefined);
  const out: string[] = [];
  let start = 0;
  for (const m of matches(s, separator, t, limit)) {
    out.push(t.substring(start, m.start as number));
    start = m.end as number;
  }
  if (limit === undefined || out.length < (limit as number)) out.push(t.substring(start));
  return out;
}

function splitText(s: RunState, t: string, separator: string, limit: number | undefined): string[] {
  seek(s, t, separator);
  const out = t.split(separator, limit);
  checkLength(s, out.length);
  return out;
}

function join(s: RunState, v: unknown, separator: unknown): unknown {
  if (v === undefined) return undefined;
  const items = v as readonly string[];
  const by = separator === undefined ? '' : (separator as string);
  // Partial application lets any separator through; what is no text becomes a short one.
  let length = Math.max(0, items.length - 1) * (typeof by === 'string' ? by.length : 8);
  for (let i = 0; i < items.length; i++) length += items[i]?.length ?? 0;
  charge(s, items.length);
  checkText(s, length);
  return items.join(by);
}

function replace(s: RunState, v: unknown, pattern: unknown, replacement: unknown, limit: unknown): unknown {
  if (v === undefined) return undefined;
  if (pattern === '') fail('D3010', -1, { value: pattern, index: 2 });
  if (isNegative(limit)) fail('D3011', -1, { value: limit, index: 4 });
  const t = v as string;
  if (!wantsSome(limit)) return t;
  if (typeof pattern === 'string') return replaceText(s, t, pattern, replacement, limit);
  let out = '';
  let at = 0;
  for (const m of matches(s, pattern, t, limit)) {
    out += t.substring(at, m.start as number);
    const by = typeof replacement === 'string' ? substitute(replacement, m) : apply(s, replacement, [m], null);
    if (typeof by !== 'string') fail('D3012', -1, { value: by });
    out += by;
    checkText(s, out.length);
    at = (m.start as number) + (m.match as string).length;
  }
  return out + t.substring(at);
}

function replaceText(s: RunState, t: string, pattern: string, by: unknown, limit: unknown): string {
  // The interpreter would insert the text of its own implementation.
  if (by instanceof Fn) fail('T0410', -1, { value: by, index: 3 });
  seek(s, t, pattern);
  let out = '';
  let at = 0;
  let n = 0;
  for (let i = t.indexOf(pattern); i >= 0 && (limit === undefined || n < (limit as number)); n++) {
    charge(s, 1);
    checkText(s, out.length);
    out += t.substring(at, i) + (typeof by === 'string' ? by : String(toText(s, by)));
    at = i + pattern.length;
    i = t.indexOf(pattern, at);
  }
  return out + t.substring(at);
}

/** `$0`, `$n` and `$$` in a replacement; as many digits as the number of groups has. */
function substitute(template: string, m: Match): string {
  const groups = m.groups as readonly (string | undefined)[];
  let out = '';
  let at = 0;
  for (let i = template.indexOf('$'); i >= 0 && at < template.length; i = template.indexOf('$', at)) {
    out += template.substring(at, i);
    at = i + 1;
    const c = template.charAt(at);
    if (c === '$' || c === '0') {
      out += c === '$' ? '$' : String(m.match);
      at++;
      continue;
    }
    const n = groupNumber(template, at, groups.length);
    if (Number.isNaN(n)) out += '$';
    else {
      out += groups[n - 1] ?? '';
      at += String(n).length;
    }
  }
  return out + template.substring(at);
}

function groupNumber(template: string, at: number, groups: number): number {
  const digits = groups === 0 ? 1 : Math.floor(Math.log(groups) * Math.LOG10E) + 1;
  const n = Number.parseInt(template.substring(at, at + digits), 10);
  return digits > 1 && n > groups ? Number.parseInt(template.substring(at, at + digits - 1), 10) : n;
}

function url(name: string, f: (t: string) => string): Impl {
  return text((t) => {
    try {
      return f(t);
    } catch {
      return fail('D3140', -1, { value: t, text: name });
    }
  });
}

export const STRING_FUNCTIONS: readonly BuiltinRow[] = [
  ['string', '<x-b?:s>', undefined, 1, (s, v, pretty) => toText(s, v, pretty === true)],
  ['substring', '<s-nn?:s>', ['str', 'start', 'length'], 3, substring],
  ['substringBefore', '<s-s:s>', ['str', 'chars'], 2, before],
  ['substringAfter', '<s-s:s>', ['str', 'chars'], 2, after],
  ['lowercase', '<s-:s>', ['str'], 1, text((t) => t.toLowerCase())],
  ['uppercase', '<s-:s>', ['str'], 1, text((t) => t.toUpperCase())],
  ['length', '<s-:n>', ['str'], 1, (s, v) => (v === undefined ? v : lengthOf(s, v as string))],
  ['trim', '<s-:s>', ['str'], 1, text(trim)],
  ['pad', '<s-ns?:s>', ['str', 'width', 'char'], 3, pad],
  ['match', '<s-f<s:o>n?:a<o>>', ['str', 'regex', 'limit'], 3, match],
  ['contains', '<s-(sf):b>', ['str', 'token'], 2, contains],
  ['replace', '<s-(sf)(sf)n?:s>', ['str', 'pattern', 'replacement', 'limit'], 4, replace],
  ['split', '<s-(sf)n?:a<s>>', ['str', 'separator', 'limit'], 3, split],
  ['join', '<a<s>s?:s>', ['strs', 'separator'], 2, join],
  ['base64encode', '<s-:s>', ['str'], 1, text((t) => Buffer.from(t, 'binary').toString('base64'))],
  ['base64decode', '<s-:s>', ['str'], 1, text((t) => Buffer.from(t, 'base64').toString('binary'))],
  ['encodeUrlComponent', '<s-:s>', ['str'], 1, url('encodeUrlComponent', encodeURIComponent)],
  ['encodeUrl', '<s-:s>', ['str'], 1, url('encodeUrl', encodeURI)],
  ['decodeUrlComponent', '<s-:s>', ['str'], 1, url('decodeUrlComponent', decodeURIComponent)],
  ['decodeUrl', '<s-:s>', ['str'], 1, url('decodeUrl', decodeURI)],
];
