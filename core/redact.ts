/** What {@link redact} puts in the place of a secret. */
export const REDACTED = '[redacted]';

/** How much of a value {@link redact} shows. */
export interface RedactBounds {
  /** Levels of objects and lists. */
  readonly depth: number;
  /** Of one object. */
  readonly keys: number;
  /** Of one list. */
  readonly items: number;
}

const LOG_BOUNDS: RedactBounds = { depth: 5, keys: 40, items: 20 };
const MAX_TEXT = 500;
/** Patterns look at this much; more than is shown, so that a cut cannot split a secret out of its pattern. */
const MAX_SCANNED = 4096;

/** Parts of a key, in lower case without separators, that mark its value as secret or personal. */
const SECRET_PARTS: readonly string[] = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'token',
  'authorization',
  'cookie',
  'apikey',
  'accesskey',
  'privatekey',
  'sharedkey',
  'vpnkey',
  'wifikey',
  'simpin',
  'signingkey',
  'encryptionkey',
  'keymaterial',
  'idtag',
  'signature',
  'bearer',
];
const SECRET_NAMES: readonly string[] = [
  'credential',
  'credentials',
  'pwd',
  'pass',
  'psk',
  'pin',
  'material',
  'jws',
  'jwt',
  'pem',
  'emaid',
  'vin',
  'evccid',
  'otp',
];

/** Whether the value under this key must never be shown. */
export function isSecretKey(key: string): boolean {
  const k = key
    .slice(0, 200)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
  return SECRET_NAMES.includes(k) || SECRET_PARTS.some((part) => k.includes(part));
}

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g, REDACTED],
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#@]*@/gi, `$1${REDACTED}@`],
  [/\b(Bearer|Basic|Digest)\s+[A-Za-z0-9+/=._~-]{4,}/gi, `$1 ${REDACTED}`],
];

/** A name and its separator, as in `name=`, `name: `, `"name":` and, in JSON within JSON, `\"name\":`. */
const NAME = String.raw`(?<![\w-])([A-Za-z][\w-]*)\\*["']?\s{0,4}[:=]\s{0,4}`;
/** A quoted text to its end at the same level of escapes, a list or object with all that follows, or one word. */
const VALUE = String.raw`(\\*)(["'])[\s\S]*?(?:(?<!\\)\1\2|$)|[{[][\s\S]*|(?:Bearer |Basic |Digest )?[^\s,;&"'}\\]+`;

/** Takes out the values behind names that {@link isSecretKey} knows. */
function redactPairs(text: string): string {
  const name = new RegExp(NAME, 'g');
  const value = new RegExp(VALUE, 'y');
  let out = '';
  let done = 0;
  for (let hit = name.exec(text); hit !== null; hit = name.exec(text)) {
    if (!isSecretKey(hit[1] ?? '')) continue;
    value.lastIndex = name.lastIndex;
    const found = value.exec(text);
    if (found === null) continue;
    out += text.slice(done, found.index) + REDACTED;
    done = value.lastIndex;
    name.lastIndex = done;
  }
  return out + text.slice(done);
}

/** A text with everything taken out that looks like a secret, cut to `max` characters. */
export function redactText(text: string, max: number = MAX_TEXT): string {
  let out = text.length > MAX_SCANNED ? text.slice(0, MAX_SCANNED) : text;
  for (const [pattern, by] of PATTERNS) out = out.replace(pattern, by);
  out = redactPairs(out);
  return out.length > max || text.length > MAX_SCANNED ? `${out.slice(0, max)}…(${text.length})` : out;
}

/**
 * A JSON-ready copy for people to read: secrets out (by key, by pattern, and `value` beside a `key`/`name` that names
 * a secret), long values cut, cycles and hostile getters survived. Never throws.
 */
export function redact(value: unknown, key = '', bounds: RedactBounds = LOG_BOUNDS): unknown {
  try {
    return isSecretKey(key) ? hide(value) : copy(value, [], bounds);
  } catch {
    return '[unreadable]';
  }
}

const hide = (value: unknown): unknown => (value === undefined || value === null ? value : REDACTED);

function copy(value: unknown, above: readonly object[], bounds: RedactBounds): unknown {
  switch (typeof value) {
    case 'string':
      return redactText(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
    case 'undefined':
      return value;
    case 'bigint':
      return `${String(value).slice(0, 64)}n`;
    case 'function':
      return '[function]';
    case 'symbol':
      return '[symbol]';
    default:
      return typeof value === 'object' && value !== null ? copyObject(value, above, bounds) : null;
  }
}

function copyObject(value: object, above: readonly object[], bounds: RedactBounds): unknown {
  if (above.includes(value)) return '[cycle]';
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  const tag = tagOf(value);
  if (tag === 'Date') return String(Reflect.apply(Date.prototype.toJSON, value, []) ?? 'invalid date');
  if (tag === 'Map' || tag === 'Set') return `[${String(Reflect.get(value, 'size'))} entries]`;
  if (above.length >= bounds.depth) return Array.isArray(value) ? '[…]' : '{…}';
  const path = [...above, value];
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (let i = 0; i < Math.min(value.length, bounds.items); i++) items.push(read(value, String(i), path, bounds));
    if (value.length > bounds.items) items.push(`…${value.length - bounds.items} more`);
    return items;
  }
  return copyRecord(value, path, bounds);
}

/** Not `instanceof`: values of function nodes come from another realm. */
const tagOf = (value: object): string => Object.prototype.toString.call(value).slice(8, -1);

function copyRecord(value: object, path: readonly object[], bounds: RedactBounds): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  const keys = Object.keys(value);
  if (tagOf(value) === 'Error' && !keys.includes('message')) keys.unshift('message');
  const named = namesSecret(value);
  for (const key of keys.slice(0, bounds.keys)) {
    const secret = isSecretKey(key) || (named && /value$/i.test(key));
    const shown = secret ? REDACTED : read(value, key, path, bounds);
    if (shown !== undefined) define(out, redactText(key, 64), shown);
  }
  if (keys.length > bounds.keys) out['…'] = `${keys.length - bounds.keys} more`;
  return out;
}

/** `{key: 'AuthorizationKey', value: …}` and the like: configuration pairs whose name tells that the value is secret. */
function namesSecret(value: object): boolean {
  return ['key', 'name', 'variable', 'header'].some((k) => {
    const name = get(value, k);
    if (typeof name === 'string') return isSecretKey(name);
    const inner = typeof name === 'object' && name !== null ? get(name, 'name') : undefined;
    return typeof inner === 'string' && isSecretKey(inner);
  });
}

function get(value: object, key: string): unknown {
  try {
    const x: unknown = Reflect.get(value, key);
    return x;
  } catch {
    return undefined;
  }
}

function read(value: object, key: string, path: readonly object[], bounds: RedactBounds): unknown {
  try {
    return copy(Reflect.get(value, key), path, bounds);
  } catch {
    return '[unreadable]';
  }
}

/** Plain assignment would call the setter of `__proto__`. */
function define(out: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(out, key, { value, enumerable: true, configurable: true, writable: true });
}
