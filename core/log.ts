import { type Clock, iso } from './clock.ts';
import { redact, redactText } from './redact.ts';

/** What a log entry tells beside its event. Secrets are taken out by key and by pattern. */
export type Fields = Readonly<Record<string, unknown>>;

/** Structured log. Events are stable dotted names (`ocpp.boot`); no method ever throws. */
export interface Log {
  debug(event: string, f?: Fields): void;
  info(event: string, f?: Fields): void;
  warn(event: string, f?: Fields): void;
  error(event: string, f?: Fields): void;
  /** A log that adds `f` to each entry. */
  child(f: Fields): Log;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'off';

export interface LogOptions {
  readonly clock: Clock;
  readonly level: LogLevel;
  /** `text` for people, `json` for machines; both one line per entry. */
  readonly format: 'json' | 'text';
  readonly write: (line: string) => void;
}

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, off: 4 };
const MAX_LINE = 8192;

/** A log that hands finished lines (without line end) to `write`. */
export function createLog(o: LogOptions): Log {
  return makeLog(o, () => ({}));
}

/** Says nothing. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};

function makeLog(o: LogOptions, fixedOf: () => Readonly<Record<string, unknown>>): Log {
  // Most of the many logs that are made never say anything.
  let known: Readonly<Record<string, unknown>> | undefined;
  const fixed = (): Readonly<Record<string, unknown>> => {
    known ??= fixedOf();
    return known;
  };
  const at =
    (level: LogLevel) =>
    (event: string, f?: Fields): void => {
      if (RANK[level] < RANK[o.level]) return;
      try {
        o.write(line(o, level, event, { ...fixed(), ...clean(f) }));
      } catch {
        // A log that cannot be written must not stop what it tells about.
      }
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (f) => makeLog(o, () => ({ ...fixed(), ...clean(f) })),
  };
}

function clean(f: Fields | undefined): Readonly<Record<string, unknown>> {
  if (f === undefined) return {};
  const out = redact(f);
  return typeof out === 'object' && out !== null && !Array.isArray(out) ? { ...out } : { fields: out };
}

function line(o: LogOptions, level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): string {
  const at = iso(o.clock.now());
  const name = redactText(event, 120);
  if (o.format === 'json') {
    const { at: fieldAt, level: fieldLevel, event: fieldEvent, ...rest } = fields;
    const clash = Object.entries({ at: fieldAt, level: fieldLevel, event: fieldEvent }).filter(
      ([, v]) => v !== undefined,
    );
    const renamed = Object.fromEntries(clash.map(([k, v]) => [`${k}_`, v]));
    const text = escapeControls(JSON.stringify({ at, level, event: name, ...rest, ...renamed }));
    return text.length <= MAX_LINE
      ? text
      : JSON.stringify({ at, level, event: name, cut: text.slice(0, MAX_LINE / 4) });
  }
  const pairs = Object.entries(fields).map(([k, v]) => ` ${word(k)}=${shown(v)}`);
  const text = `${at.slice(11, 23)} ${level.padEnd(5)} ${word(name)}${pairs.join('')}`;
  return text.length <= MAX_LINE ? text : `${text.slice(0, MAX_LINE)}…`;
}

function shown(v: unknown): string {
  return typeof v === 'string' ? word(v) : escapeControls(JSON.stringify(v) ?? 'undefined');
}

/** Bare when it reads as one word, else quoted: nobody can forge a line or a field. */
function word(s: string): string {
  return /^[^\s"'=\p{C}]+$/u.test(s) ? s : escapeControls(JSON.stringify(s));
}

/** JSON leaves C1 controls and Unicode line ends as they are; terminals do not. */
function escapeControls(text: string): string {
  return text.replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
