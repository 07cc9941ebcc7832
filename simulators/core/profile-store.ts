import { diesOffline, isSpent } from './profile-periods.ts';
import type { Profile, Purpose } from './profile-types.ts';

/** `silent`: 1.6 replaces same purpose, stack level and connector; `strict`: 2.x refuses another id there. */
export type DuplicateRule = 'silent' | 'strict';

export type InstallResult =
  | { readonly ok: true; readonly profiles: readonly Profile[] }
  | { readonly ok: false; readonly reasonCode: 'DuplicateProfile' | 'TooManyProfiles' };

/** Takes a checked profile in; the same id always replaces (K01.FR.05). `max` bounds the list. */
export function install(
  profiles: readonly Profile[],
  profile: Profile,
  o: { readonly rule: DuplicateRule; readonly max: number; readonly nowMs: number },
): InstallResult {
  const others = profiles.filter((p) => p.id !== profile.id && !isSpent(p, o.nowMs));
  const rivals = others.filter((p) => samePlace(p, profile, o.rule));
  if (o.rule === 'strict' && rivals.some((p) => overlap(p, profile)))
    return { ok: false, reasonCode: 'DuplicateProfile' };
  const kept = o.rule === 'silent' ? others.filter((p) => !rivals.includes(p)) : others;
  if (kept.length >= o.max) return { ok: false, reasonCode: 'TooManyProfiles' };
  return { ok: true, profiles: [...kept, profile] };
}

export interface ClearFilter {
  readonly id?: number;
  readonly evseId?: number;
  readonly purpose?: Purpose;
  readonly stackLevel?: number;
}

/** Removes what matches all given criteria; an id alone decides. Nothing given removes everything but external constraints. */
export function clear(
  profiles: readonly Profile[],
  filter: ClearFilter,
): { readonly profiles: readonly Profile[]; readonly removed: number } {
  const matches = (p: Profile): boolean => {
    if (p.purpose === 'ChargingStationExternalConstraints') return false;
    if (filter.id !== undefined) return p.id === filter.id;
    return (
      (filter.evseId === undefined || p.evseId === filter.evseId) &&
      (filter.purpose === undefined || p.purpose === filter.purpose) &&
      (filter.stackLevel === undefined || p.stackLevel === filter.stackLevel)
    );
  };
  const kept = profiles.filter((p) => !matches(p));
  return { profiles: kept, removed: profiles.length - kept.length };
}

/** Id of the profile that stands for an external limit; the CSMS uses others. */
const EXTERNAL_ID = -1;

/** The profiles with this limit of somebody at the site in force from now on, W; undefined takes it away. */
export function withExternalLimit(
  profiles: readonly Profile[],
  limitW: number | undefined,
  nowMs: number,
): readonly Profile[] {
  const others = profiles.filter((p) => p.purpose !== 'ChargingStationExternalConstraints');
  if (limitW === undefined) return others;
  const schedule = { unit: 'W', startMs: nowMs, periods: [{ startS: 0, limit: limitW }] } as const;
  const purpose = 'ChargingStationExternalConstraints';
  return [...others, { id: EXTERNAL_ID, evseId: 0, purpose, kind: 'Absolute', stackLevel: 0, schedule }];
}

/** The transaction is over, and so are its profiles (K02.FR.05). */
export const endTransaction = (profiles: readonly Profile[], transactionId: string): readonly Profile[] =>
  profiles.filter((p) => p.purpose !== 'TxProfile' || p.transactionId !== transactionId);

/** What is left after a time offline (K01.FR.102). */
export const afterOffline = (profiles: readonly Profile[], nowMs: number, sinceMs: number): readonly Profile[] =>
  profiles.filter((p) => !diesOffline(p, nowMs, sinceMs));

/** What survives a reboot: station maximum, defaults, priority (ocpp 2.3). */
export const afterReboot = (profiles: readonly Profile[]): readonly Profile[] =>
  profiles.filter((p) => SURVIVES.includes(p.purpose));

const SURVIVES: readonly Purpose[] = ['ChargingStationMaxProfile', 'TxDefaultProfile', 'PriorityCharging'];

/** New values for a Dynamic profile; undefined when there is no such Dynamic profile (K28.FR.06, 09, 11). */
export function updateDynamic(
  profiles: readonly Profile[],
  id: number,
  values: { readonly limit?: number; readonly dischargeLimit?: number; readonly setpoint?: number },
  nowMs: number,
): readonly Profile[] | undefined {
  const old = profiles.find((p) => p.id === id);
  const period = old?.schedule.periods[0];
  if (old?.kind !== 'Dynamic' || !period) return undefined;
  const schedule = { ...old.schedule, periods: [{ ...period, ...values }] };
  return profiles.map((p) => (p === old ? { ...old, schedule, dynUpdateMs: nowMs } : p));
}

/** Same purpose and level for the same addressee; a TxDefault of the station meets those of its EVSEs in 2.x (K01.FR.52, 53). */
function samePlace(a: Profile, b: Profile, rule: DuplicateRule): boolean {
  if (a.purpose !== b.purpose || a.stackLevel !== b.stackLevel) return false;
  if (a.purpose === 'TxProfile') return a.evseId === b.evseId && a.transactionId === b.transactionId;
  if (a.evseId === b.evseId) return true;
  return rule === 'strict' && a.purpose === 'TxDefaultProfile' && (a.evseId === 0 || b.evseId === 0);
}

function overlap(a: Profile, b: Profile): boolean {
  const from = (p: Profile): number => p.validFromMs ?? Number.NEGATIVE_INFINITY;
  const to = (p: Profile): number => p.validToMs ?? Number.POSITIVE_INFINITY;
  return from(a) < to(b) && from(b) < to(a);
}
