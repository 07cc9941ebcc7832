import { EVSE_FUNCTIONS, type Evse, type StationCapabilities } from '../../model/index.ts';

export type Protocol = Evse['protocol'];
export type EvseFunction = NonNullable<Evse['functions']>[number];

/** How a resource is reached and what it was seen to do. */
export interface Skills {
  readonly protocol: Protocol;
  readonly functions: readonly EvseFunction[];
}

/** Of a resource that was never connected. */
export const UNKNOWN_SKILLS: Skills = { protocol: 'other', functions: [] };

const PROTOCOLS: readonly Protocol[] = ['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1', 'eebus', 'iec61850', 'other'];
/** Forms of commands that set a power, and those that only cap it (ocpp 4). */
const SETPOINT_FORMS: readonly string[] = ['dynamic', 'setpoint'];
const LIMIT_FORMS: readonly string[] = [...SETPOINT_FORMS, 'schedule', 'limitW', 'limitA'];

/**
 * What may be published of a resource (fo 3.2: only what was verified). What its station has told counts, as far as it
 * is still commanded in that form; where nobody could ask, its protocol speaks for a ceiling and nothing more.
 */
export function skillsOf(protocol: string | undefined, seen: StationCapabilities | undefined): Skills | undefined {
  const known = seen?.protocol ?? PROTOCOLS.find((p) => p === protocol);
  if (known === undefined) return undefined;
  if (!seen || seen.source === 'assumed') return { protocol: known, functions: known === 'other' ? [] : ['limit'] };
  const may = new Set<EvseFunction>(); // bounded by: the functions there are
  if (LIMIT_FORMS.includes(seen.form)) may.add('limit');
  for (const f of EVSE_FUNCTIONS) if (seen.functions.includes(f)) may.add(f);
  if (!SETPOINT_FORMS.includes(seen.form)) may.delete('setpoint');
  return { protocol: known, functions: EVSE_FUNCTIONS.filter((f) => may.has(f)) };
}
