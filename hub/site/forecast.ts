import { iso } from '../../core/clock.ts';
import { round3 } from '../../core/quantities.ts';
import { allocate, type EvseInput } from '../allocation/index.ts';
import { inUse } from '../fleet/twin.ts';
import type { PowerSeries, Scope } from '../services/request.ts';
import { type PlanSources, siteInput } from './plan.ts';

/** More steps than this are not planned; longer spans have longer steps. */
const MAX_STEPS = 192;

interface Ahead {
  readonly mostW: number;
  /** Energy that it can still take, Wh. */
  leftWh: number;
  readonly departureAt: number;
}

/**
 * What EVSEs are expected to do without any service: everybody gets what is wished within the limits, until the vehicle is
 * full or gone, by planning steps (fo 3.8 `declared`). Vehicles that are not there yet are not foreseen.
 */
export function planned(s: PlanSources, scope: Scope, fromMs: number, toMs: number): PowerSeries | undefined {
  if (toMs <= fromMs) return undefined;
  const now = s.clock.now();
  const stepMs = Math.max((s.file.planningStepS ?? 900) * 1000, Math.ceil((toMs - now) / MAX_STEPS / 1000) * 1000);
  const input = siteInput(s, undefined);
  const vehicles = vehiclesOf(s);
  const members = new Set(scope.members); // bounded by: the members of one request
  const atPoc = scope.referencePoint === 'site';
  const othersW = input.usedW - input.generationW;
  const points: { offsetS: number; powerW: number }[] = [];
  for (let at = now; at < toMs; ) {
    const end = Math.min(toMs, at < fromMs ? Math.min(fromMs, at + stepMs) : at + stepMs);
    const hours = (end - at) / 3_600_000;
    const evses = input.evses.map((e) => ahead(e, vehicles.get(e.evseId), at, hours));
    const { grants } = allocate({ ...input, evses });
    let sumW = atPoc ? othersW : 0;
    for (const g of grants) {
      const vehicle = vehicles.get(g.evseId);
      if (vehicle) vehicle.leftWh = Math.max(0, vehicle.leftWh - g.grantedW * hours);
      if (atPoc || members.has(g.evseId)) sumW += g.grantedW;
    }
    if (at >= fromMs && points.at(-1)?.powerW !== round3(sumW))
      points.push({ offsetS: Math.round((at - fromMs) / 1000), powerW: round3(sumW) });
    at = end;
  }
  return { start: iso(fromMs), end: iso(toMs), points };
}

function vehiclesOf(s: PlanSources): Map<string, Ahead> {
  const vehicles = new Map<string, Ahead>(); // bounded by: the resources of the site
  for (const entry of s.twin.all()) {
    if (!entry.online || !inUse(entry)) continue;
    const { resource, needs, learned } = entry;
    const mostW = Math.min(resource.maxImportW, needs?.body.importMaxW ?? Infinity, learned?.maxW ?? Infinity);
    const toMaxWh = needs?.body.energyToMaxWh;
    vehicles.set(resource.resourceId, {
      mostW,
      leftWh: toMaxWh === undefined ? Infinity : Math.max(0, toMaxWh - (needs?.movedWh ?? 0)),
      departureAt: needs?.departureAt ?? Infinity,
    });
  }
  return vehicles;
}

/** An EVSE as it will be then: nothing of this moment holds it, nobody gives, and what is full or gone takes nothing. */
function ahead(e: EvseInput, vehicle: Ahead | undefined, at: number, hours: number): EvseInput {
  const { fixed, keepSide: _, inFlight: __, ...rest } = e;
  const wishedW = !vehicle || vehicle.departureAt <= at ? 0 : Math.min(vehicle.mostW, vehicle.leftWh / hours);
  return {
    ...rest,
    ...(fixed ? { fixed } : {}),
    loW: 0,
    neededW: 0,
    wishedW,
    presentW: 0,
    commandRunning: false,
    exportAllowed: false,
  };
}

/** Import at the reference point now: when everybody gets what is needed, and when nobody who can be led gets anything, W. */
export function demandOf(s: PlanSources, scope: Scope): { readonly neededW: number; readonly leastW: number } {
  const input = siteInput(s, undefined);
  const atPoc = scope.referencePoint === 'site';
  const members = new Set(scope.members); // bounded by: the members of one request
  const mine = input.evses.filter((e) => atPoc || members.has(e.evseId));
  const othersW = atPoc ? input.usedW - input.generationW : 0;
  const sum = (of: (e: EvseInput) => number): number => mine.reduce((total, e) => total + of(e), othersW);
  const fixedW = (e: EvseInput): number => Math.max(0, e.fixed?.maxW ?? 0);
  return {
    neededW: sum((e) => (e.fixed ? fixedW(e) : Math.max(0, e.neededW))),
    leastW: sum(fixedW),
  };
}
