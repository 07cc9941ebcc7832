import { boundaryAfter, periodAt } from './profile-periods.ts';
import type { Effective, Period, Profile, ProfileContext, Purpose } from './profile-types.ts';

export type * from './profile-types.ts';

/** One stretch of a composite schedule. */
export interface CompositePeriod extends Effective {
  /** Seconds from the start of the composite schedule. */
  readonly startS: number;
}

/** Longest list that {@link composite} gives; a longer plan is cut there. */
export const MAX_COMPOSITE_PERIODS = 1024;

/** A profile with its period at some moment, converted to W. */
interface Active {
  readonly profile: Profile;
  readonly period: Period;
  readonly limitW?: number;
  readonly dischargeLimitW?: number;
  readonly setpointW?: number;
}

/**
 * What all profiles together demand of an EVSE at `tMs` (ocpp 2.5): the highest stack level with a period wins within
 * a purpose, TxProfile replaces TxDefault, active PriorityCharging replaces both, the lowest of station maximum,
 * transaction level and external constraints holds, local generation comes on top.
 */
export function effectiveAt(profiles: readonly Profile[], tMs: number, ctx: ProfileContext): Effective {
  const tx = transactionLevel(profiles, tMs, ctx);
  const caps = [
    winner(profiles, 'ChargingStationMaxProfile', tMs, ctx),
    winner(profiles, 'ChargingStationExternalConstraints', tMs, ctx),
  ];
  const all = [tx, ...caps].filter((x) => x !== undefined);
  const extra = winner(profiles, 'LocalGeneration', tMs, ctx);
  const lowest = least(all.map((x) => x.limitW));
  const limitW = lowest === undefined ? undefined : lowest + (extra?.limitW ?? 0);
  const dischargeLimitW = most(all.map((x) => x.dischargeLimitW));
  const mode = tx?.period.mode ?? 'ChargingOnly';
  const setpointW = mode === 'Idle' ? 0 : capped(tx?.setpointW, dischargeLimitW, limitW);
  const numberPhases = least(all.map((x) => x.period.numberPhases));
  return {
    ...(limitW === undefined ? {} : { limitW }),
    ...(dischargeLimitW === undefined ? {} : { dischargeLimitW }),
    ...(setpointW === undefined ? {} : { setpointW }),
    ...(numberPhases === undefined ? {} : { numberPhases }),
    mode,
    from: [...all, ...(extra ? [extra] : [])].map((x) => x.profile.id),
  };
}

/** The next time after `tMs` at which {@link effectiveAt} may change; Infinity when nothing is planned. */
export function nextChange(profiles: readonly Profile[], tMs: number, ctx: ProfileContext): number {
  return Math.min(...profiles.map((p) => boundaryAfter(p, tMs, ctx)));
}

/** The plan from `startMs` for `durationS` seconds as it stands now; equal neighbours are joined. */
export function composite(
  profiles: readonly Profile[],
  startMs: number,
  durationS: number,
  ctx: ProfileContext,
): CompositePeriod[] {
  const endMs = startMs + durationS * 1000;
  const periods: CompositePeriod[] = [];
  for (let tMs = startMs; tMs < endMs && periods.length < MAX_COMPOSITE_PERIODS; tMs = nextChange(profiles, tMs, ctx)) {
    const now = effectiveAt(profiles, tMs, ctx);
    const startS = Math.ceil((tMs - startMs) / 1000);
    if (periods.at(-1)?.startS === startS) periods.pop();
    const last = periods.at(-1);
    if (!last || !sameValues(last, now)) periods.push({ ...now, startS });
  }
  return periods;
}

/** A rate in the unit of a schedule as W over all phases in use (ocpp 2.2; K01.FR.49–51). */
export function rateToW(rate: number, unit: 'W' | 'A', numberPhases: number | undefined, ctx: ProfileContext): number {
  if (ctx.phases === 0) return unit === 'W' ? rate : rate * ctx.nominalV;
  const planned = numberPhases ?? 3;
  const used = Math.min(planned, ctx.phases);
  return unit === 'W' ? (rate / planned) * used : rate * ctx.nominalV * used;
}

/** The reverse of {@link rateToW} for the phases in use. */
export function wToRate(powerW: number, unit: 'W' | 'A', ctx: ProfileContext): number {
  if (unit === 'W') return powerW;
  return powerW / (ctx.nominalV * Math.max(1, ctx.phases));
}

/** The context with the phases that a plan leaves of those in use. */
export const onPhases = (ctx: ProfileContext, numberPhases: number | undefined): ProfileContext => ({
  ...ctx,
  phases: Math.min(ctx.phases, numberPhases ?? ctx.phases),
});

/** PriorityCharging while active, else TxProfile, else TxDefault. */
function transactionLevel(profiles: readonly Profile[], tMs: number, ctx: ProfileContext): Active | undefined {
  const priority = ctx.priorityActive ? winner(profiles, 'PriorityCharging', tMs, ctx) : undefined;
  return priority ?? winner(profiles, 'TxProfile', tMs, ctx) ?? winner(profiles, 'TxDefaultProfile', tMs, ctx);
}

/** Highest stack level with a period now; at the same level the EVSE's own profile beats the station's. */
function winner(profiles: readonly Profile[], purpose: Purpose, tMs: number, ctx: ProfileContext): Active | undefined {
  let best: { profile: Profile; period: Period } | undefined;
  for (const profile of profiles) {
    if (profile.purpose !== purpose || !concerns(profile, ctx)) continue;
    const period = periodAt(profile, tMs, ctx);
    if (period && (!best || outranks(profile, best.profile))) best = { profile, period };
  }
  return best && converted(best.profile, best.period, ctx);
}

function outranks(a: Profile, b: Profile): boolean {
  return a.stackLevel > b.stackLevel || (a.stackLevel === b.stackLevel && a.evseId > b.evseId);
}

function concerns(p: Profile, ctx: ProfileContext): boolean {
  if (p.evseId !== 0 && p.evseId !== ctx.evseId) return false;
  if (p.purpose !== 'TxProfile') return true;
  return ctx.transactionId !== undefined && (p.transactionId === undefined || p.transactionId === ctx.transactionId);
}

function converted(profile: Profile, period: Period, ctx: ProfileContext): Active {
  const { unit, limitAtSoC } = profile.schedule;
  const toW = (rate: number | undefined): number | undefined =>
    rate === undefined ? undefined : rateToW(rate, unit, period.numberPhases, ctx);
  // K01.FR.100: from that state of charge on the lower of the two limits.
  const full = limitAtSoC && (ctx.socPct ?? 0) >= limitAtSoC.socPct ? limitAtSoC.limit : undefined;
  const limitW = toW(least([period.limit, full]));
  const dischargeLimitW = toW(period.dischargeLimit);
  const setpointW = toW(period.setpoint);
  return {
    profile,
    period,
    ...(limitW === undefined ? {} : { limitW }),
    ...(dischargeLimitW === undefined ? {} : { dischargeLimitW }),
    ...(setpointW === undefined ? {} : { setpointW }),
  };
}

/** V2X.03, V2X.04: a positive setpoint stays below the limit, a negative one above the discharge limit. */
function capped(setpointW?: number, dischargeLimitW?: number, limitW?: number): number | undefined {
  if (setpointW === undefined) return undefined;
  if (setpointW >= 0) return limitW === undefined ? setpointW : Math.min(setpointW, Math.max(0, limitW));
  return dischargeLimitW === undefined ? setpointW : Math.max(setpointW, Math.min(0, dischargeLimitW));
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((x) => x !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function most(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((x) => x !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

const sameValues = (a: Effective, b: Effective): boolean =>
  a.limitW === b.limitW &&
  a.dischargeLimitW === b.dischargeLimitW &&
  a.setpointW === b.setpointW &&
  a.mode === b.mode &&
  a.numberPhases === b.numberPhases;
