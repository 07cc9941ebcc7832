import type { BuiltinRow } from '../fn.ts';
import { parseDate } from '../pictures/dateparse.ts';
import { formatDate } from '../pictures/dates.ts';
import { formatIntegerAs, integerReader, parseIntegerPicture } from '../pictures/integers.ts';
import { formatNumber } from '../pictures/numbers.ts';
import { fail } from '../state.ts';

const ISO = /^\d{4}(-[01]\d)?(-[0-3]\d)?(T[0-2]\d:[0-5]\d:[0-5]\d)?(\.\d+)?([+-][0-2]\d:?[0-5]\d|Z)?$/;

function toMillis(text: unknown, picture: unknown): unknown {
  if (text === undefined) return undefined;
  if (picture !== undefined) return parseDate(text as string, picture as string);
  if (!ISO.test(text as string)) fail('D3110', -1, { value: text });
  return Date.parse(text as string);
}

function fromMillis(ms: unknown, picture: unknown, zone: unknown): unknown {
  if (ms === undefined) return undefined;
  if (picture === undefined && zone === undefined) {
    const date = new Date(ms as number);
    const year = date.getUTCFullYear();
    if (year >= 0 && year <= 9999) return date.toISOString();
  }
  return formatDate(ms as number, picture as string | undefined, zone as string | undefined);
}

function formatInteger(n: unknown, picture: unknown): unknown {
  return n === undefined ? undefined : formatIntegerAs(Math.floor(n as number), parseIntegerPicture(picture as string));
}

function parseInteger(text: unknown, picture: unknown): unknown {
  return text === undefined ? undefined : integerReader(parseIntegerPicture(picture as string)).read(text as string);
}

/** Functions over picture texts. */
export const PICTURE_FUNCTIONS: readonly BuiltinRow[] = [
  ['toMillis', '<s-s?:n>', ['timestamp', 'picture'], 2, (_s, t, p) => toMillis(t, p)],
  ['fromMillis', '<n-s?s?:s>', ['millis', 'picture', 'timezone'], 3, (_s, ms, p, z) => fromMillis(ms, p, z)],
  ['formatInteger', '<n-s:s>', ['value', 'picture'], 2, (_s, n, p) => formatInteger(n, p)],
  ['parseInteger', '<s-s:n>', ['value', 'picture'], 2, (_s, t, p) => parseInteger(t, p)],
  [
    'formatNumber',
    '<n-so?:s>',
    ['value', 'picture', 'options'],
    3,
    (_s, n, p, o) => (n === undefined ? undefined : formatNumber(n as number, p as string, o)),
  ],
];
