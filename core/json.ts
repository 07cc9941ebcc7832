import { errorTable } from './errors.ts';
import { locate, type ScanLimits, scan } from './json-scan.ts';

/** Anything JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [k: string]: Json };

export const JSON_ERRORS = errorTable('json', {
  'json.malformed': {
    what: 'The text is not valid JSON.',
    remedy: 'Correct the text at the named position.',
    retry: 'no',
    protocol: 'schema.invalid',
  },
  'json.tooLarge': {
    what: 'The JSON text is too large.',
    remedy: 'Send less at once, or raise the limit of this link.',
    retry: 'no',
    protocol: 'schema.tooLarge',
  },
  'json.tooDeep': {
    what: 'The JSON text is nested too deep.',
    remedy: 'Flatten it; no message of any profile needs that many levels.',
    retry: 'no',
    protocol: 'schema.invalid',
  },
  'json.duplicateKey': {
    what: 'An object names the same key twice.',
    remedy: 'Name each key once; readers differ in which value they take.',
    retry: 'no',
    protocol: 'schema.invalid',
  },
  'json.forbiddenKey': {
    what: 'An object has the key __proto__.',
    remedy: 'Remove it; it could change objects of the reader.',
    retry: 'no',
    protocol: 'schema.invalid',
  },
  'json.notCanonical': {
    what: 'The value has no canonical JSON form.',
    remedy: 'Use only plain objects, lists, finite numbers, booleans, null and well-formed texts.',
    retry: 'no',
  },
});

export interface JsonLimits {
  /** Length of the text in UTF-8 bytes. */
  readonly maxBytes: number;
  /** Nested objects and lists; 0 allows only a scalar. */
  readonly maxDepth: number;
  /** `reject` on signed paths (fo 9.4); `last` takes the last value, as JSON.parse does. */
  readonly duplicateKeys: 'reject' | 'last';
}

/**
 * Reads JSON from a peer. Throws `json.tooLarge`, `json.tooDeep`, `json.duplicateKey`, `json.forbiddenKey` or
 * `json.malformed`; no message quotes the text, which may hold secrets.
 */
export function parseJson(text: string, limits: JsonLimits): unknown {
  checkSize(text, limits.maxBytes);
  const finding = scan(text, scanLimits(text, limits));
  if (finding !== undefined) {
    throw JSON_ERRORS.fail(
      finding.code,
      `${JSON_ERRORS.kinds[finding.code].what.slice(0, -1)} at ${place(text, finding.at)}.`,
    );
  }
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    throw JSON_ERRORS.fail('json.malformed', `The text is not valid JSON at ${place(text, locate(text))}.`);
  }
}

function scanLimits(text: string, limits: JsonLimits): ScanLimits {
  // A key can only be __proto__ when the text spells it out or escapes its underscore.
  const suspicious = text.includes('__proto__') || /\\u005f/i.test(text);
  return { maxDepth: limits.maxDepth, duplicates: limits.duplicateKeys === 'reject', keys: suspicious };
}

function checkSize(text: string, maxBytes: number): void {
  // UTF-8 needs 1 to 3 bytes per UTF-16 unit: most texts are decided without counting.
  if (text.length * 3 <= maxBytes) return;
  if (text.length <= maxBytes && Buffer.byteLength(text) <= maxBytes) return;
  throw JSON_ERRORS.fail('json.tooLarge', `The JSON text has more than ${maxBytes} bytes.`);
}

function place(text: string, at: number): string {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  return line === 1 ? `position ${at}` : `position ${at} (line ${line}, column ${column})`;
}

const MAX_CANONICAL_DEPTH = 200;

/**
 * The canonical form of RFC 8785 (JCS): keys in UTF-16 order, numbers and strings as ECMAScript writes them, no spaces.
 * Throws `json.notCanonical` on NaN, Infinity, undefined, functions, bigint, lone surrogates, class instances and cycles.
 */
export function canonical(value: unknown): string {
  return write(value, '', 0);
}

function write(value: unknown, path: string, depth: number): string {
  switch (typeof value) {
    case 'string':
      return writeString(value, path);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isFinite(value)) throw notCanonical(path, `is ${value}`);
      return JSON.stringify(value);
    case 'object':
      return value === null ? 'null' : writeObject(value, path, depth);
    default:
      throw notCanonical(path, `is of type ${typeof value}`);
  }
}

function writeString(value: string, path: string): string {
  if (!value.isWellFormed()) throw notCanonical(path, 'is a text with half a surrogate pair');
  return JSON.stringify(value);
}

function writeObject(value: object, path: string, depth: number): string {
  if (depth >= MAX_CANONICAL_DEPTH) throw notCanonical(path, 'is nested too deep or in a cycle');
  if (Array.isArray(value)) {
    // Not map(): it would skip holes.
    const items = Array.from(value, (x: unknown, i) => write(x, `${path}/${i}`, depth + 1));
    return `[${items.join(',')}]`;
  }
  if (Object.prototype.toString.call(value) !== '[object Object]') throw notCanonical(path, 'is not a plain object');
  const parts: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const at = `${path}/${key}`;
    const member: unknown = Reflect.get(value, key);
    parts.push(`${writeString(key, at)}:${write(member, at, depth + 1)}`);
  }
  return `{${parts.join(',')}}`;
}

function notCanonical(path: string, why: string): Error {
  const shown = path === '' ? 'The value' : path.slice(0, 200);
  return JSON_ERRORS.fail('json.notCanonical', `${shown} ${why}.`, { path });
}
