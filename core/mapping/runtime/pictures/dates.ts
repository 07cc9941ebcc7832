import { fail } from '../state.ts';
import { formatIntegerAs, type IntegerFormat, parseIntegerPicture } from './integers.ts';

/** A part of a date picture (XPath fn:format-dateTime): literal text or a component such as `[Y0001]`. */
export type DatePart =
  | { readonly literal: string }
  | {
      readonly component: string;
      readonly presentation: string;
      /** `t`, `o`, `a`, `c` behind the presentation. */
      readonly modifier?: string;
      readonly names?: 'upper' | 'lower' | 'title';
      readonly width?: { readonly min: number | undefined; readonly max: number | undefined };
      readonly format?: IntegerFormat;
      /** Digits of the year that are shown; −1: all. */
      readonly digits: number;
    };

export type Component = Extract<DatePart, { component: string }>;

const DEFAULTS: Readonly<Record<string, string>> = {
  Y: '1',
  M: '1',
  D: '1',
  d: '1',
  F: 'n',
  W: '1',
  w: '1',
  X: '1',
  x: '1',
  H: '1',
  h: '1',
  P: 'n',
  m: '01',
  s: '01',
  f: '1',
  Z: '01:01',
  z: '01:01',
  C: 'n',
  E: 'n',
};
const INTEGERS = 'YMDdFWwXxHhmsf';

export function parseDatePicture(picture: string): DatePart[] {
  const parts: DatePart[] = [];
  const addLiteral = (from: number, to: number): void => {
    if (to > from) parts.push({ literal: picture.slice(from, to).replaceAll(']]', ']') });
  };
  let start = 0;
  let at = 0;
  while (at < picture.length) {
    if (picture.charAt(at) === '[' && picture.charAt(at + 1) === '[') {
      addLiteral(start, at);
      parts.push({ literal: '[' });
      at += 2;
      start = at;
      continue;
    }
    if (picture.charAt(at) === '[') {
      addLiteral(start, at);
      const end = picture.indexOf(']', at);
      if (end < 0) fail('D3135');
      const part = component(picture.slice(at + 1, end).replace(/\s+/g, ''));
      const last = parts.at(-1);
      const follows =
        part.format && !isZone(part) && part.names === undefined && last && 'component' in last
          ? last.format
          : undefined;
      // Digits directly followed by digits must have a fixed width to be read again.
      if (follows) follows.parseWidth = follows.mandatory;
      parts.push(part);
      at = end;
      start = end + 1;
    }
    at++;
  }
  addLiteral(start, at);
  return parts;
}

const isZone = (c: Component): boolean => c.component === 'Z' || c.component === 'z';

function component(marker: string): Component {
  const name = marker.charAt(0);
  const comma = marker.lastIndexOf(',');
  const given = comma < 0 ? marker.slice(1) : marker.substring(1, comma);
  const width = comma < 0 ? {} : { width: parseWidth(marker.slice(comma + 1)) };
  const hasModifier = given.length > 1 && 'atco'.includes(given.slice(-1));
  const presentation = given === '' ? DEFAULTS[name] : hasModifier ? given.slice(0, -1) : given;
  if (presentation === undefined || (given === '' && !Object.hasOwn(DEFAULTS, name)))
    return fail('D3132', -1, { value: name });
  const modifier = hasModifier ? { modifier: given.slice(-1) } : {};
  const base = { component: name, presentation, ...modifier, ...width };
  if (presentation.startsWith('n')) return zoned({ ...base, names: 'lower', digits: -1 });
  if (presentation.startsWith('N')) {
    return zoned({ ...base, names: presentation.charAt(1) === 'n' ? 'title' : 'upper', digits: -1 });
  }
  if (!INTEGERS.includes(name)) return zoned({ ...base, digits: -1 });
  const format = parseIntegerPicture(hasModifier ? `${presentation};${given.slice(-1)}` : presentation);
  const min = width.width?.min;
  if (min !== undefined && format.mandatory < min) format.mandatory = min;
  return { ...base, format, digits: name === 'Y' ? yearDigits(format, width.width?.max) : -1 };
}

const zoned = (c: Component): Component => (isZone(c) ? { ...c, format: parseIntegerPicture(c.presentation) } : c);

function yearDigits(format: IntegerFormat, max: number | undefined): number {
  if (max !== undefined) {
    format.mandatory = max;
    return max;
  }
  const shown = format.mandatory + format.optional;
  return shown >= 2 ? shown : -1;
}

/** Characters of one component at most. */
const MAX_WIDTH = 256;

const checkedWidth = (n: number): number => (n > MAX_WIDTH ? fail('X0006', -1, { value: MAX_WIDTH }) : n);

function parseWidth(text: string): { min: number | undefined; max: number | undefined } {
  const dash = text.indexOf('-');
  const bound = (t: string | undefined): number | undefined =>
    t === undefined || t === '*' ? undefined : checkedWidth(Number.parseInt(t, 10));
  return dash < 0
    ? { min: bound(text), max: undefined }
    : { min: bound(text.slice(0, dash)), max: bound(text.slice(dash + 1)) };
}

export const DAYS = ['', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
export const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

/** Start of week 1 of a year or month: the week (from Monday) that contains the first Thursday. */
function firstWeek(year: number, month: number): number {
  const first = Date.UTC(year, month);
  const day = new Date(first).getUTCDay() || 7;
  return day > 4 ? first + (8 - day) * DAY_MS : first - (day - 1) * DAY_MS;
}

/** The number of the week in a period that starts, follows and is preceded as given. */
function week(today: number, start: number, next: number, previous: number, long: number): number {
  const n = (today - start) / WEEK_MS + 1;
  if (n > long) return today >= next ? 1 : Math.floor(n);
  return Math.floor(n < 1 ? (today - previous) / WEEK_MS + 1 : n);
}

/** The value of one component of a UTC date. */
export function fragment(date: Date, name: string): number | string | undefined {
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth();
  const today = Date.UTC(year, month, date.getUTCDate());
  switch (name) {
    case 'Y':
      return year;
    case 'M':
      return month + 1;
    case 'D':
      return date.getUTCDate();
    case 'd':
      return (today - Date.UTC(year, 0)) / DAY_MS + 1;
    case 'F':
      return oneTo(7, date.getUTCDay());
    case 'W':
      return week(today, firstWeek(year, 0), firstWeek(year + 1, 0), firstWeek(year - 1, 0), 52);
    case 'w':
      return week(today, firstWeek(year, month), firstWeek(year, month + 1), firstWeek(year, month - 1), 4);
    case 'X':
      if (date.getTime() < firstWeek(year, 0)) return year - 1;
      return date.getTime() >= firstWeek(year + 1, 0) ? year + 1 : year;
    case 'x':
      if (date.getTime() < firstWeek(year, month)) return ((month + 11) % 12) + 1;
      return date.getTime() >= firstWeek(year, month + 1) ? ((month + 1) % 12) + 1 : month + 1;
    case 'H':
      return date.getUTCHours();
    case 'h':
      return oneTo(12, date.getUTCHours() % 12);
    case 'P':
      return date.getUTCHours() >= 12 ? 'pm' : 'am';
    case 'm':
      return date.getUTCMinutes();
    case 's':
      return date.getUTCSeconds();
    case 'f':
      return date.getUTCMilliseconds();
    case 'C':
    case 'E':
      return 'ISO';
    default:
      return undefined;
  }
}

const ISO_PICTURE = '[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]';

/** `$fromMillis` with picture or time zone (`±hhmm`). */
export function formatDate(ms: number, picture: string | undefined, zone: string | undefined): string {
  const offset = zone === undefined ? 0 : Number.parseInt(zone, 10);
  const hours = zone === undefined ? 0 : Math.floor(offset / 100);
  const minutes = zone === undefined ? 0 : offset % 100;
  const date = new Date(ms + (60 * hours + minutes) * 60_000);
  return parseDatePicture(picture ?? ISO_PICTURE)
    .map((p) => ('literal' in p ? p.literal : formatComponent(date, p, hours, minutes)))
    .join('');
}

/** Days and hours that count from 1 to the last one, which is 0 elsewhere. */
const oneTo = (last: number, n: number): number => (n === 0 ? last : n);

function formatComponent(date: Date, c: Component, hours: number, minutes: number): string {
  const value = fragment(date, c.component);
  if (isZone(c)) return formatZone(c, hours, minutes);
  if (c.component === 'P') return c.names === 'upper' ? String(value).toUpperCase() : String(value);
  if (!INTEGERS.includes(c.component)) return String(value);
  if (c.names !== undefined && c.component !== 'f') return formatName(Number(value), c);
  if (!c.format) throw new TypeError('The picture has no integer format.');
  const n = c.component === 'Y' && c.digits !== -1 ? Number(value) % 10 ** c.digits : Number(value);
  return formatIntegerAs(n, c.format);
}

function formatName(value: number, c: Component): string {
  const list = c.component === 'F' ? DAYS : c.component === 'M' || c.component === 'x' ? ['', ...MONTHS] : undefined;
  // A time that does not exist has nameless months and days.
  const nameless = c.names === 'title' && c.width?.max === undefined ? 'undefined' : undefined;
  const name = list ? (list[value] ?? nameless) : fail('D3133', -1, { value: c.component });
  if (name === undefined) throw new TypeError('There is no such name.');
  const cased = c.names === 'upper' ? name.toUpperCase() : c.names === 'lower' ? name.toLowerCase() : name;
  const max = c.width?.max;
  return max !== undefined && cased.length > max ? cased.slice(0, max) : cased;
}

function formatZone(c: Component, hours: number, minutes: number): string {
  const offset = hours * 100 + minutes;
  const text = (c.format && zoneDigits(c.format, offset, hours, minutes)) ?? '';
  if (offset === 0 && c.modifier === 't') return 'Z';
  return (c.component === 'z' ? 'GMT' : '') + (offset >= 0 ? '+' : '') + text;
}

function zoneDigits(format: IntegerFormat, offset: number, hours: number, minutes: number): string {
  if (format.regular > 0) return formatIntegerAs(offset, format);
  const digits = format.mandatory;
  if (digits === 3 || digits === 4) return formatIntegerAs(offset, format);
  if (digits !== 1 && digits !== 2) fail('D3134', -1, { value: digits });
  const rest = minutes === 0 ? '' : `:${formatIntegerAs(Math.floor(minutes), parseIntegerPicture('00'))}`;
  return formatIntegerAs(hours, format) + rest;
}
