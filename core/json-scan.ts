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

// Sources, not RegExps: a sticky RegExp is mutable.
const SCALAR = 'true|false|null|-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?';
const STRING = '"(?:[^"\\\\\\u0000-\\u001f]|\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4}))*"';

/**
 * Index of the first character at which `text` stops being JSON. Only for texts that JSON.parse refused and whose depth
 * {@link scan} has bounded, for it recurses.
 */
export function locate(text: string): number {
  const reader: Reader = { text, i: 0 };
  if (readValue(reader)) skip(reader);
  return reader.i;
}

interface Reader {
  readonly text: string;
  i: number;
}

function readValue(r: Reader): boolean {
  skip(r);
  const c = r.text[r.i];
  if (c === '{') return readItems(r, '}', () => readKey(r) && readValue(r));
  if (c === '[') return readItems(r, ']', () => readValue(r));
  return eat(r, c === '"' ? STRING : SCALAR);
}

function readItems(r: Reader, close: string, readItem: () => boolean): boolean {
  r.i++;
  skip(r);
  if (r.text[r.i] !== close) {
    do {
      if (!readItem()) return false;
      skip(r);
    } while (eatChar(r, ','));
  }
  return eatChar(r, close);
}

function readKey(r: Reader): boolean {
  skip(r);
  if (!eat(r, STRING)) return false;
  skip(r);
  return eatChar(r, ':');
}

function skip(r: Reader): void {
  while (r.i < r.text.length && ' \t\n\r'.includes(r.text.charAt(r.i))) r.i++;
}

function eatChar(r: Reader, c: string): boolean {
  if (r.text[r.i] !== c) return false;
  r.i++;
  return true;
}

function eat(r: Reader, pattern: string): boolean {
  const token = new RegExp(pattern, 'y');
  token.lastIndex = r.i;
  const hit = token.exec(r.text);
  if (hit === null) return false;
  r.i += hit[0].length;
  return true;
}
