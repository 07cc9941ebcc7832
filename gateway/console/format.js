/** Numbers, times and spans as people read them. Pure functions; what is unknown is shown as a dash. */

/** Shown where a value is not known. */
export const UNKNOWN = '–';
const MINUS = '\u2212';
/** Narrow no-break space between number and unit. */
const GAP = '\u202f';

/**
 * Power with unit, signed (positive: import), three to four digits: `4.25 kW`, `−11.0 kW`, `1.20 MW`.
 * @param {number | undefined} w
 */
export function power(w) {
  return w === undefined || !Number.isFinite(w) ? UNKNOWN : withUnit(w, Math.abs(w) >= 999_500 ? 'MW' : 'kW');
}

/**
 * Energy with unit, signed: `840 Wh`, `1.20 kWh`, `3.40 MWh`.
 * @param {number | undefined} wh
 */
export function energy(wh) {
  if (wh === undefined || !Number.isFinite(wh)) return UNKNOWN;
  const size = Math.abs(wh);
  if (size < 999.5) return `${wh < 0 && size >= 0.5 ? MINUS : ''}${size.toFixed(0)}${GAP}Wh`;
  return `${number(wh, size >= 999_500 ? 'MW' : 'kW')}${GAP}${size >= 999_500 ? 'MWh' : 'kWh'}`;
}

/**
 * What a resource or the site may do, export to import: `−11.0 … 11.0 kW`.
 * @param {number | undefined} importW
 * @param {number | undefined} exportW W ≥ 0
 */
export function span(importW, exportW) {
  if (importW === undefined && exportW === undefined) return UNKNOWN;
  const unit = Math.max(importW ?? 0, exportW ?? 0) >= 999_500 ? 'MW' : 'kW';
  const low = exportW === undefined ? UNKNOWN : number(-exportW, unit);
  const high = importW === undefined ? UNKNOWN : number(importW, unit);
  return `${low} … ${high}${GAP}${unit}`;
}

/**
 * Which way power flows, in a word.
 * @param {number | undefined} w
 */
export function direction(w) {
  if (w === undefined) return '';
  return Math.abs(w) < 5 ? 'nothing flows' : w > 0 ? 'import' : 'export';
}

/** @param {number | undefined} pct */
export function percent(pct) {
  return pct === undefined ? UNKNOWN : `${Math.round(pct)}${GAP}%`;
}

/**
 * A length of time, coarser the longer it is: `3 s`, `2 min 10 s`, `1 h 5 min`, `3 d 2 h`.
 * @param {number} ms
 */
export function duration(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s}${GAP}s`;
  if (s < 3600) return two(Math.floor(s / 60), 'min', s % 60, 's');
  if (s < 86_400) return two(Math.floor(s / 3600), 'h', Math.floor((s % 3600) / 60), 'min');
  return two(Math.floor(s / 86_400), 'd', Math.floor((s % 86_400) / 3600), 'h');
}

/**
 * How long ago something was, by the clock of the gateway.
 * @param {string | undefined} at ISO 8601
 * @param {number} now epoch ms
 */
export function age(at, now) {
  const t = at === undefined ? Number.NaN : Date.parse(at);
  return Number.isNaN(t) ? UNKNOWN : duration(now - t);
}

/**
 * Time of day, local, `17:03:09`.
 * @param {number} ms epoch
 * @param {string} [timeZone] default: that of the browser
 */
export function timeOfDay(ms, timeZone) {
  if (!Number.isFinite(ms)) return UNKNOWN;
  return new Date(ms).toLocaleTimeString('en-GB', timeZone === undefined ? {} : { timeZone });
}

/**
 * Kilowatts as somebody types them (`10`, `7,4`) in watts; undefined for nothing, NaN for what is no power ≥ 0.
 * @param {string} text
 * @returns {number | undefined}
 */
export function parseKilowatts(text) {
  const trimmed = text.trim().replace(',', '.');
  if (trimmed === '') return undefined;
  const w = /^\d{1,6}(\.\d{1,3})?$/.test(trimmed) ? Number(trimmed) * 1000 : Number.NaN;
  return Math.round(w);
}

/** @param {number} w @param {'kW' | 'MW'} unit */
function withUnit(w, unit) {
  return `${number(w, unit)}${GAP}${unit}`;
}

/** @param {number} w @param {'kW' | 'MW'} unit */
function number(w, unit) {
  const value = w / (unit === 'MW' ? 1e6 : 1e3);
  const size = Math.abs(value);
  if (w === 0) return '0';
  const text = size.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** @param {number} a @param {string} unitA @param {number} b @param {string} unitB */
function two(a, unitA, b, unitB) {
  return b === 0 ? `${a}${GAP}${unitA}` : `${a}${GAP}${unitA} ${b}${GAP}${unitB}`;
}
