import type { BuiltinRow } from '../fn.ts';
import { parseDate } from '../pictures/dateparse.ts';
import { formatDate } from '../pictures/dates.ts';
import { formatIntegerAs, integerReader, parseIntegerPicture } from '../pictures/integers.ts';
import { formatNumber } from '../pictures/numbers.ts';
import { charge, fail, type RunState } from '../state.ts';

const ISO = /^\d{4}(-[01]\d)?(-[0-3]\d)?(T[0-2]\d:[0-5]\d:[0-5]\d)?(\.\d+)?([+-][0-2]\d:?[0-5]\d|Z)?$/;

function toMillis(s: RunState, text: unknown, picture: unknown): unknown {
  if (text === undefined) return undefined;
  chargePicture(s, picture);
  if (picture !== undefined) return parseDate(s, text as string, picture as string);
  if (!ISO.test(text as string)) fail('D3110', -1, { value: text });
  return Date.parse(text as string);
}

export function fromMillis(s: RunState, ms: unknown, picture: unknown, zone: unknown): unknown {
  if (ms === undefined) return undefined;
  chargePicture(s, picture);
  if (picture === undefined && zone === undefined) {
    const date = new Date(ms as number);
    const year = date.getUTCFullYear();
    if (year >= 0 && year <= 9999) return date.toISOString();
  }
  return formatDate(ms as number, picture as string | undefined, zone as string | undefined);
}

function formatInteger(s: RunState, n: unknown, picture: unknown): unknown {
  chargePicture(s, picture);
  return n === undefined ? undefined : formatIntegerAs(Math.floor(n as number), parseIntegerPicture(picture as string));
}

function parseInteger(s: RunState, text: unknown, picture: unknown): unknown {
  chargePicture(s, picture);
  return text === undefined ? undefined : integerReader(parseIntegerPicture(picture as string)).read(text as string);
}

function numberText(s: RunState, n: unknown, picture: unknown, options: unknown): unknown {
  if (n === undefined) return undefined;
  chargePicture(s, picture);
  const symbols = typeof options === 'object' && options !== null ? Object.values(options) : [];
  for (const text of symbols) if (typeof text === 'string' && text.length > 8) charge(s, text.length * 16);
  return formatNumber(n as number, picture as string, options);
}

/** Pictures are read again for every call, in a time that grows with the square of their length. */
function chargePicture(s: RunState, picture: unknown): void {
  if (typeof picture === 'string') charge(s, 16 + Math.ceil(picture.length ** 2 / 64));
}

/** Functions over picture texts. */
export const PICTURE_FUNCTIONS: readonly BuiltinRow[] = [
  ['toMillis', '<s-s?:n>', ['timestamp', 'picture'], 2, toMillis],
  ['fromMillis', '<n-s?s?:s>', ['millis', 'picture', 'timezone'], 3, fromMillis],
  ['formatInteger', '<n-s:s>', ['value', 'picture'], 2, formatInteger],
  ['parseInteger', '<s-s:n>', ['value', 'picture'], 2, parseInteger],
  ['formatNumber', '<n-so?:s>', ['value', 'picture', 'options'], 3, numberText],
];
