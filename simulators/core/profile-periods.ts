import type { Period, Profile, ProfileContext } from './profile-types.ts';

/** The period of a profile at time `tMs`, undefined when the profile is silent then (ocpp 2.4). */
export function periodAt(p: Profile, tMs: number, ctx: ProfileContext): Period | undefined {
  if (!usable(p, tMs, ctx)) return undefined;
  const startMs = startOf(p, tMs, ctx);
  if (startMs === undefined || tMs < startMs) return undefined;
  // A Dynamic profile has one period and holds up to and including the end of its watchdog (K28.FR.13).
  if (p.kind === 'Dynamic') return tMs <= startMs + lengthMs(p) ? p.schedule.periods[0] : undefined;
  const offsetMs = tMs - startMs;
  if (offsetMs >= lengthMs(p)) return undefined;
  return p.schedule.periods.findLast((x) => x.startS * 1000 <= offsetMs);
}

/** The next time after `tMs` at which {@link periodAt} may change; Infinity when it stays as it is. */
export function boundaryAfter(p: Profile, tMs: number, ctx: ProfileContext): number {
  const found = [p.validFromMs, p.validToMs, offlineEndMs(p, ctx)];
  const startMs = startOf(p, tMs, ctx) ?? futureStart(p, ctx);
  if (startMs !== undefined) {
    found.push(startMs, startMs + lengthMs(p) + (p.kind === 'Dynamic' ? 1 : 0));
    for (const x of p.schedule.periods) {
      const atMs = x.startS * 1000;
      if (atMs < lengthMs(p)) found.push(startMs + atMs);
    }
    if (p.kind === 'Recurring') found.push(startMs + recurrenceMs(p));
  }
  return Math.min(...found.filter((x): x is number => x !== undefined && x > tMs));
}

/** Whether the profile is over for good, so that nothing is lost by forgetting it. */
export function isSpent(p: Profile, nowMs: number): boolean {
  return p.validToMs !== undefined && p.validToMs <= nowMs;
}

/** Whether being offline has killed the profile for good (K01.FR.101, 102). */
export function diesOffline(p: Profile, nowMs: number, offlineSinceMs: number): boolean {
  if (p.invalidAfterOffline !== true || p.maxOfflineS === undefined) return false;
  return nowMs - offlineSinceMs > p.maxOfflineS * 1000;
}

function usable(p: Profile, tMs: number, ctx: ProfileContext): boolean {
  if (p.validFromMs !== undefined && tMs < p.validFromMs) return false;
  if (p.validToMs !== undefined && tMs >= p.validToMs) return false;
  const offlineMs = offlineEndMs(p, ctx);
  return offlineMs === undefined || tMs < offlineMs;
}

/** From when on the profile is skipped because the station is offline. */
function offlineEndMs(p: Profile, ctx: ProfileContext): number | undefined {
  if (ctx.offlineSinceMs === undefined || p.maxOfflineS === undefined) return undefined;
  return p.maxOfflineS === 0 ? ctx.offlineSinceMs : ctx.offlineSinceMs + p.maxOfflineS * 1000 + 1;
}

/** Start of the run of the schedule that covers `tMs`. */
function startOf(p: Profile, tMs: number, ctx: ProfileContext): number | undefined {
  switch (p.kind) {
    case 'Absolute':
      return p.schedule.startMs;
    case 'Relative':
      return ctx.energyStartMs;
    case 'Dynamic':
      return p.dynUpdateMs;
    case 'Recurring': {
      const first = p.schedule.startMs;
      if (first === undefined || tMs < first) return undefined;
      return first + Math.floor((tMs - first) / recurrenceMs(p)) * recurrenceMs(p);
    }
  }
}

const futureStart = (p: Profile, ctx: ProfileContext): number | undefined =>
  p.kind === 'Relative' ? ctx.energyStartMs : p.schedule.startMs;

const recurrenceMs = (p: Profile): number => (p.recurrenceS ?? 86_400) * 1000;

function lengthMs(p: Profile): number {
  const own = p.schedule.durationS === undefined ? Number.POSITIVE_INFINITY : p.schedule.durationS * 1000;
  return p.kind === 'Recurring' ? Math.min(own, recurrenceMs(p)) : own;
}
