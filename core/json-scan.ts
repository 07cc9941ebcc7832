/** What {@link scan} looks for. */
export interface ScanLimits {
  readonly maxDepth: number;
  /** Report keys that an object names twice. */
  readonly duplicates: boolean;
  /** Report the key `__proto__`. */
  readonly keys: boolean;
}

export interface Finding {
  readonly code: 'json.tooDeep' | 'json.duplicateKey' | 'json.forbiddenKey';
  /** Index into the text. */
  readonly at: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * One pass over JSON text for what JSON.parse does not tell. It relies on JSON.parse to refuse bad grammar afterwards,
 * so it only has to be right for valid JSON, and to end for any text.
 */
export function scan(text: string, limits: ScanLimits): Finding | undefined {
  return limits.duplicates || limits.keys ? scanKeys(text, limits) : scanDepth(text, limits.maxDepth);
}

function scanDepth(text: string, maxDepth: number): Finding | undefined {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      i = endOfString(text, i);
    } else if (c === OPEN_OBJECT || c === OPEN_LIST) {
      if (++depth > maxDepth) return { code: 'json.tooDeep', at: i };
    } else if (c === CLOSE_OBJECT || c === CLOSE_LIST) depth--;
  }
  return undefined;
}

function scanKeys(text: string, limits: ScanLimits): Finding | undefined {
  /** Per open container the keys seen so far; undefined for lists. */
  const open: (Set<string> | undefined)[] = [];
  let keyNext = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      const end = endOfString(text, i);
      const code = keyNext ? checkKey(text.slice(i, end + 1), open.at(-1), limits) : undefined;
      if (code !== undefined) return { code, at: i };
      keyNext = false;
      i = end;
    } else if (c === OPEN_OBJECT || c === OPEN_LIST) {
      if (open.length >= limits.maxDepth) return { code: 'json.tooDeep', at: i };
      keyNext = c === OPEN_OBJECT;
      open.push(keyNext ? new Set() : undefined);
    } else if (c === CLOSE_OBJECT || c === CLOSE_LIST) {
      open.pop();
      keyNext = false;
    } else if (c === COMMA) keyNext = open.at(-1) !== undefined;
  }
  return undefined;
}

function checkKey(quoted: string, seen: Set<string> | undefined, limits: ScanLimits): Finding['code'] | undefined {
  const key = decode(quoted);
  if (key === '__proto__') return 'json.forbiddenKey';
  if (!limits.duplicates || seen === undefined || key === undefined) return undefined;
  if (seen.has(key)) return 'json.duplicateKey';
  seen.add(key);
  return undefined;
}

/** The key that a quoted text spells, undefined when its escapes are wrong (JSON.parse will say so). */
function decode(quoted: string): string | undefined {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    const key: unknown = JSON.parse(quoted);
    return typeof key === 'string' ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Index of the quote that ends the string starting at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

function isEscaped(text: string, at: number): boolean {
  let i = at;
  while (text.charCodeAt(i - 1) === BACKSLASH) i--;
  return (at - i) % 2 === 1;
}

// A source, not a RegExp: a sticky RegExp is mutable.
const SCALAR = 'true|false|null|-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?';
const MAX_LOCATED_DEPTH = 500;

/** Index of the first character at which `text` stops being JSON (or nests more than 500 levels). */
export function locate(text: string): number {
  const reader: Reader = { text, i: 0, depth: 0 };
  if (readValue(reader)) skip(reader);
  return reader.i;
}

interface Reader {
  readonly text: string;
  i: number;
  depth: number;
}

function readValue(r: Reader): boolean {
  skip(r);
  const c = r.text[r.i];
  if (c === '{') return readItems(r, '}', () => readKey(r) && readValue(r));
  if (c === '[') return readItems(r, ']', () => readValue(r));
  return c === '"' ? readString(r) : readScalar(r);
}

function readItems(r: Reader, close: string, readItem: () => boolean): boolean {
  if (++r.depth > MAX_LOCATED_DEPTH) return false;
  r.i++;
  skip(r);
  if (r.text[r.i] !== close) {
    do {
      if (!readItem()) return false;
      skip(r);
    } while (eat(r, ','));
  }
  r.depth--;
  return eat(r, close);
}

function readKey(r: Reader): boolean {
  skip(r);
  if (r.text[r.i] !== '"' || !readString(r)) return false;
  skip(r);
  return eat(r, ':');
}

function readString(r: Reader): boolean {
  for (r.i++; r.i < r.text.length; r.i++) {
    const c = r.text.charAt(r.i);
    if (c === '"') return eat(r, '"');
    if (c < ' ') return false;
    if (c === '\\' && !readEscape(r)) return false;
  }
  return false;
}

/** Ends on the last character of the escape. */
function readEscape(r: Reader): boolean {
  const next = r.text.charAt(r.i + 1);
  const length =
    next === 'u' && /^[0-9a-fA-F]{4}$/.test(r.text.slice(r.i + 2, r.i + 6))
      ? 5
      : '"\\/bfnrt'.includes(next) && next !== ''
        ? 1
        : 0;
  r.i += length;
  return length > 0;
}

function readScalar(r: Reader): boolean {
  const token = new RegExp(SCALAR, 'y');
  token.lastIndex = r.i;
  const hit = token.exec(r.text);
  r.i += hit?.[0].length ?? 0;
  return hit !== null;
}

function skip(r: Reader): void {
  while (r.i < r.text.length && ' \t\n\r'.includes(r.text.charAt(r.i))) r.i++;
}

function eat(r: Reader, c: string): boolean {
  if (r.text[r.i] !== c) return false;
  r.i++;
  return true;
}
