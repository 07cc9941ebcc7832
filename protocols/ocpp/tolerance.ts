import type { Version } from './versions.ts';

/**
 * What stations in the field send although the schemas forbid it (ocpp 5.1, ocpp 8). Everything here changes the
 * freshly parsed payload in place and runs only for metering actions of 1.6 or after a failed check.
 */

interface Sample {
  value?: unknown;
}

/** The member that holds meter values, per action. */
const METERED: Readonly<Record<string, string>> = {
  MeterValues: 'meterValue',
  TransactionEvent: 'meterValue',
  StopTransaction: 'transactionData',
};

/** No message of any version nests deeper; what fails the check may. */
const MAX_DEPTH = 16;
/** Members whose content belongs to somebody else: nulls inside stay. */
const FOREIGN: readonly string[] = ['customData', 'data'];

/**
 * 1.6 only, before the check: its schema takes `""` as a value, which a reader would turn into 0.
 * True when samples were dropped.
 */
export function dropBlankSamples(action: string, payload: unknown): boolean {
  const key = METERED[action];
  if (key === undefined || !isObject(payload)) return false;
  const list = payload[key];
  if (!Array.isArray(list) || !list.some(hasBlank)) return false;
  payload[key] = list.map((entry) => withoutBlanks(entry)).filter(hasSamples);
  return true;
}

/** After a failed check. True when something was changed, so that a second check makes sense. */
export function repair(version: Version, action: string, payload: unknown): boolean {
  if (!isObject(payload)) return false;
  const metered = repairMeterValues(version, action, payload);
  return stripNulls(payload, MAX_DEPTH) || metered;
}

function repairMeterValues(version: Version, action: string, payload: Record<string, unknown>): boolean {
  const key = METERED[action];
  if (key === undefined || payload[key] === undefined || payload[key] === null) return false;
  const list = asList(payload[key]).map((entry) => {
    const clean = withoutBlanks(entry);
    if (isObject(clean) && Array.isArray(clean.sampledValue)) for (const s of clean.sampledValue) convert(version, s);
    return clean;
  });
  const kept = list.filter(hasSamples);
  if (kept.length === 0 && action !== 'MeterValues') delete payload[key];
  else payload[key] = kept;
  return true;
}

/** The value is a string in 1.6 and a number in 2.x; either is taken. */
function convert(version: Version, sample: unknown): void {
  if (!isObject(sample)) return;
  const { value } = sample;
  if (version === 'ocpp1.6') {
    if (typeof value === 'number') sample.value = String(value);
  } else if (typeof value === 'string' && Number.isFinite(Number(value))) sample.value = Number(value);
}

function withoutBlanks(entry: unknown): unknown {
  if (!isObject(entry) || entry.sampledValue === undefined || entry.sampledValue === null) return entry;
  entry.sampledValue = asList(entry.sampledValue).filter((s) => !isBlank(s));
  return entry;
}

function hasBlank(entry: unknown): boolean {
  return isObject(entry) && Array.isArray(entry.sampledValue) && entry.sampledValue.some(isBlank);
}

/** False only for entries that lost all their samples. */
function hasSamples(entry: unknown): boolean {
  return !isObject(entry) || !Array.isArray(entry.sampledValue) || entry.sampledValue.length > 0;
}

function isBlank(sample: unknown): boolean {
  if (!isObject(sample)) return false;
  const { value }: Sample = sample;
  return value === null || value === undefined || (typeof value === 'string' && value.trim() === '');
}

/** Removes members that are null: "optional empty fields are omitted" (ocpp 1.2). */
function stripNulls(x: unknown, depth: number): boolean {
  if (depth === 0) return false;
  if (Array.isArray(x)) return x.map((y) => stripNulls(y, depth - 1)).includes(true);
  if (!isObject(x)) return false;
  let changed = false;
  for (const [key, value] of Object.entries(x)) {
    if (value === null) {
      delete x[key];
      changed = true;
    } else if (typeof value === 'object' && !FOREIGN.includes(key)) changed = stripNulls(value, depth - 1) || changed;
  }
  return changed;
}

function asList(x: unknown): unknown[] {
  return Array.isArray(x) ? x : [x];
}

function isObject(x: unknown): x is Record<string, unknown> {
  return typeof x === 'object' && x !== null && !Array.isArray(x);
}

const TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))?(Z|[+-]\d\d(?::?\d\d)?)?$/i;

/** Whether `text` is a time as stations write it: ISO 8601, with or without seconds, fraction and zone (ocpp 8). */
export function isOcppTime(text: string): boolean {
  return text.length <= 40 && TIME.test(text);
}

/** Epoch ms of such a time, and whether its zone was missing and UTC was assumed (ocpp 5.1); undefined if unreadable. */
export function ocppTime(text: string): { readonly at: number; readonly assumedUtc: boolean } | undefined {
  const m = text.length <= 40 ? TIME.exec(text) : null;
  if (m === null) return undefined;
  const [, date, minutes, seconds = ':00', fraction = '', zone] = m;
  const at = Date.parse(`${date}T${minutes}${seconds}.${fraction.padEnd(3, '0').slice(0, 3)}${isoZone(zone)}`);
  return Number.isNaN(at) ? undefined : { at, assumedUtc: zone === undefined };
}

/** `Z` or `±hh:mm`, which is all that Date.parse takes. */
function isoZone(zone: string | undefined): string {
  if (zone === undefined || zone.toUpperCase() === 'Z') return 'Z';
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  return `${zone[0]}${digits.slice(0, 2)}:${digits.slice(2)}`;
}
