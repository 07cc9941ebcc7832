import { SafeRegex } from '../regex/index.ts';
import { fail, type RunState } from '../state.ts';
import { type Component, DAYS, type DatePart, fragment, MONTHS, parseDatePicture } from './dates.ts';
import { integerReader, type Reader } from './integers.ts';

/** `$toMillis` with a picture. Dates that are not complete fail with X0003 where no current time is known. */
export function parseDate(s: RunState, text: string, picture: string): number | undefined {
  const parts = parseDatePicture(picture).map((part) => ({ part, reader: readerOf(part) }));
  const pattern = new SafeRegex(`^${parts.map((p) => `(${p.reader.regex})`).join('')}$`, 'i');
  const match = pattern.find(s, text, 0);
  if (!match) return undefined;
  const found = new Map<string, number | undefined>();
  parts.forEach(({ part, reader }, i) => {
    if ('component' in part) found.set(part.component, reader.read(match.groups[i] ?? ''));
  });
  return found.size === 0 ? undefined : compose(s, found);
}

function readerOf(part: DatePart): Reader {
  if ('literal' in part) return { regex: part.literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), read: () => undefined };
  if (part.component === 'Z' || part.component === 'z') return zoneReader(part);
  if (part.component === 'f') return { regex: '[0-9]+', read: (t) => Number.parseFloat(`0.${t.slice(0, 3)}`) * 1000 };
  return part.format ? integerReader(part.format) : nameReader(part);
}

function zoneReader(c: Component): Reader {
  const prefix = c.component === 'z' ? 'GMT' : '';
  const mark = c.format && c.format.regular > 0 ? c.format.separators[0]?.character : undefined;
  const read = (text: string): number => {
    const t = text.slice(prefix.length);
    const cut = mark === undefined ? (t.length - 1 <= 2 ? t.length : 3) : t.indexOf(mark);
    const hours = Number.parseInt(t.slice(0, cut), 10);
    const minutes =
      mark === undefined && cut === t.length ? 0 : Number.parseInt(t.slice(mark === undefined ? cut : cut + 1), 10);
    return hours * 60 + minutes;
  };
  return { regex: `${prefix}[-+][0-9]+${mark === undefined ? '' : `${mark}[0-9]+`}`, read };
}

function namesOf(c: Component): [string, number][] {
  if (c.component === 'M' || c.component === 'x') return MONTHS.map((name, i) => [name, i + 1]);
  if (c.component === 'F') return DAYS.map((name, i): [string, number] => [name, i]).slice(1);
  if (c.component !== 'P') return fail('D3133', -1, { value: c.component });
  return [
    ['am', 0],
    ['AM', 0],
    ['pm', 1],
    ['PM', 1],
  ];
}

function nameReader(c: Component): Reader {
  const max = c.width?.max;
  const list = namesOf(c).map(([name, v]): [string, number] => [max ? name.slice(0, max) : name, v]);
  const names = new Map(list);
  return { regex: '[a-zA-Z]+', read: (t) => names.get(t) };
}

/** Which components say the date and the time; bits in the order of the letters. */
const DATE_LETTERS = 'YXMxWwdD';
const TIME_LETTERS = 'PHhmsf';
const YEAR_DAY = 0b10000010;
const MONTH_WEEK = 0b01010100;
const YEAR_WEEK = 0b01001000;
const YEAR_MONTH_DAY = 0b10100001;
const HALF_DAY = 0b101111;
const FULL_DAY = 0b010111;

function compose(s: RunState, found: Map<string, number | undefined>): number {
  const mask = (letters: string): number => [...letters].reduce((m, l) => m * 2 + (found.get(l) ? 1 : 0), 0);
  const dates = mask(DATE_LETTERS);
  const times = mask(TIME_LETTERS);
  /** Only components of the kind, and at least one. */
  const is = (given: number, kind: number): boolean => (~kind & given) === 0 && (kind & given) !== 0;
  const byDay = !is(dates, YEAR_MONTH_DAY) && is(dates, YEAR_DAY);
  const byMonthWeek = is(dates, MONTH_WEEK);
  const byWeek = !byMonthWeek && is(dates, YEAR_WEEK);
  const halfDay = !is(times, FULL_DAY) && is(times, HALF_DAY);
  const order = (byDay ? 'YD' : byMonthWeek ? 'XxwF' : byWeek ? 'XWF' : 'YMD') + (halfDay ? 'Phmsf' : 'Hmsf');
  fillGaps(s, found, order);
  if (byMonthWeek || byWeek) fail('D3136');
  return toUtc(found, byDay, halfDay);
}

/**
 * More significant components default to the current time, less significant ones to their first value; a gap between
 * given ones is an error.
 */
function fillGaps(s: RunState, found: Map<string, number | undefined>, order: string): void {
  let started = false;
  let ended = false;
  for (const letter of order) {
    if (found.get(letter) !== undefined) {
      started = true;
      if (ended) fail('D3136');
    } else if (started) {
      found.set(letter, 'MDd'.includes(letter) ? 1 : 0);
      ended = true;
    } else if (s.effects) found.set(letter, Number(fragment(new Date(s.now), letter)));
    else fail('X0003');
  }
}

function toUtc(found: ReadonlyMap<string, number | undefined>, byDay: boolean, halfDay: boolean): number {
  const get = (letter: string): number => found.get(letter) ?? Number.NaN;
  const year = get('Y');
  let month = get('M') > 0 ? get('M') - 1 : 0;
  let day = get('D');
  if (byDay) {
    const date = new Date(Date.UTC(year, 0) + (get('d') - 1) * 86_400_000);
    month = date.getUTCMonth();
    day = date.getUTCDate();
  }
  const hour = halfDay ? (get('h') === 12 ? 0 : get('h')) + (get('P') === 1 ? 12 : 0) : get('H');
  const ms = Date.UTC(year, month, day, hour, get('m'), get('s'), get('f'));
  const zone = found.get('Z') || found.get('z');
  return zone ? ms - zone * 60_000 : ms;
}
