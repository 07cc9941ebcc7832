/** What was seen of a station. What is absent is not known; the ladder then tries it and looks what comes (fo 6.4). */
export interface Capabilities {
  /** `probed`: the station has told. `assumed`: it could not be asked. */
  readonly source: 'probed' | 'assumed';
  readonly smartCharging?: boolean;
  readonly rateUnits?: readonly ('W' | 'A')[];
  /** Dynamic profiles (2.1). */
  readonly dynamic?: boolean;
  /** Setpoints of the CSMS, also below zero (2.1). */
  readonly setpoint?: boolean;
  /** It tells its composite schedule. */
  readonly composite?: boolean;
  readonly maxStackLevel?: number;
  readonly maxPeriods?: number;
  readonly maxProfiles?: number;
  /** Interval, s, and measurands of its meter values during a session, as they are after the probe. */
  readonly meterIntervalS?: number;
  readonly measurands?: readonly string[];
  /** What could not be seen or set, and why. */
  readonly notes: readonly { readonly step: string; readonly why: string }[];
}

export const ASSUMED: Capabilities = { source: 'assumed', notes: [] };

/** Names of what it can do, for people. */
export function functionsOf(c: Capabilities): string[] {
  const names: [string, boolean | undefined][] = [
    ['smartCharging', c.smartCharging],
    ['dynamic', c.dynamic],
    ['setpoint', c.setpoint],
    ['composite', c.composite],
  ];
  return names.filter(([, has]) => has === true).map(([name]) => name);
}

const WORDS: Readonly<Record<string, 'W' | 'A'>> = { w: 'W', power: 'W', a: 'A', current: 'A' };

/** Units of a list of 1.6 (`Current,Power`) or 2.x (`A,W`); undefined when it names none that we know. */
export function unitsOf(list: string | undefined): readonly ('W' | 'A')[] | undefined {
  const units = words(list).flatMap((w) => WORDS[w.toLowerCase()] ?? []);
  return units.length === 0 ? undefined : [...new Set(units)]; // bounded by: two units
}

/** The entries of a comma-separated list; at most 64. */
export const words = (list: string | undefined): string[] =>
  (list ?? '')
    .split(',', 64)
    .map((w) => w.trim())
    .filter((w) => w !== '');

/** A whole number ≥ 0; undefined for anything else. */
export const whole = (text: string | undefined): number | undefined =>
  text !== undefined && /^\s*\d{1,9}\s*$/.test(text) ? Number(text) : undefined;

/** `true` or `false` in any case; undefined for anything else. */
export function flag(text: string | undefined): boolean | undefined {
  const word = text?.trim().toLowerCase();
  return word === 'true' ? true : word === 'false' ? false : undefined;
}
