import type { Clock } from '../../core/clock.ts';
import type { Contract, SiteFile } from '../../model/index.ts';
import { bounds, type EvseInput, type Limits, type SiteInput, type TargetInput } from '../allocation/index.ts';
import { circuitOf, type Departure } from '../fleet/departed.ts';
import { belowW, type FleetTwin, inUse, type TwinEntry } from '../fleet/twin.ts';
import type { MeterBook } from '../meters/book.ts';
import type { LimitBook } from './limits.ts';
import type { Known } from './standing.ts';

/** Default least time between commands, s, by protocol (fo 8.3.8). */
const COMMAND_INTERVAL_S: Readonly<Record<string, number>> = { 'ocpp1.6': 60, 'ocpp2.0.1': 10, 'ocpp2.1': 1 };
const UNKNOWN_INTERVAL_S = 60;

/** A measured voltage counts when it is within this part of the nominal one. */
const VOLTAGE_BAND = 0.2;

export interface PlanSources {
  readonly file: SiteFile;
  readonly twin: FleetTwin;
  readonly limits: LimitBook;
  readonly meters: MeterBook;
  readonly clock: Clock;
  /** What a resource was told and may be doing. */
  known(resourceId: string): Known;
  /** The power that counts as told to a resource, W. */
  told(resourceId: string): number | undefined;
  /** It does not do what it is told, or nobody knows whether it does (fo 6.4). */
  isUncertain(resourceId: string): boolean;
  /** Since when a resource is on its present side of zero. */
  sideSince(resourceId: string): { readonly side: 'import' | 'zero' | 'export'; readonly since: number } | undefined;
}

/** Who is led where, and under which contract a resource is led, if it is. */
export interface Purpose {
  readonly target?: TargetInput;
  contractOf(resourceId: string): Contract | undefined;
}

/** The input of an allocation run (fo 8) from file, twin, limits and what is under way. */
export function siteInput(s: PlanSources, purpose: Purpose | undefined): SiteInput {
  const { file, meters } = s;
  const { usedW, generationW, netting, ...poc } = meters.poc();
  return {
    poc: { netting, ...planned(poc) },
    usedW,
    generationW,
    stepS: file.planningStepS ?? 900,
    onlyNow: true,
    circuits: (file.circuits ?? []).map((c) => ({
      circuitId: c.circuitId,
      ...(c.parentId === undefined ? {} : { parentId: c.parentId }),
      ...planned(meters.circuit(c.circuitId, c, c.netting ?? 'none')),
      netting: c.netting ?? 'none',
    })),
    evses: [
      ...Array.from(s.twin.all(), (e) =>
        evseInput(s, e, contractExports(e, purpose?.contractOf(e.resource.resourceId))),
      ),
      ...Array.from(s.twin.departed.all(), (d) => departedInput(file, d)),
    ],
    ...(purpose?.target === undefined ? {} : { target: purpose.target }),
  };
}

/** Shares are made for the room there will be; until it is known what stations do, only the room of now may be used. */
function planned({ later, ...now }: Limits & { readonly later?: Limits }): Limits & { readonly now?: Limits } {
  return later ? { ...later, now } : now;
}

/** Whether the contract lets an EV give power (fo 3.4, fo 8.4 G8): outside of a contract nobody does. */
export function contractExports(entry: TwinEntry, contract: Contract | undefined): boolean {
  if (!contract || contract.maxExportW === 0) return false;
  const socPct = entry.reading?.socPct;
  return contract.minSocPct === undefined || (socPct !== undefined && socPct > contract.minSocPct);
}

function evseInput(s: PlanSources, entry: TwinEntry, contract: boolean): EvseInput {
  const { resource: r } = entry;
  const known = s.known(r.resourceId);
  const { power } = known;
  const own = s.limits.effective(r.resourceId, r.limits);
  const b = resourceBounds(s, entry, contract);
  const fixed = fixedPower(entry, known);
  const keepSide = entry.optOut ? undefined : keptSide(s, entry);
  return {
    evseId: r.resourceId,
    ...(r.circuitId === undefined ? {} : { circuitId: r.circuitId }),
    loW: Math.max(b.loW, -own.exportLimitW),
    // Opted out: what the driver wants comes before every target (fo 6.4), within the limits.
    neededW: Math.min(entry.optOut ? b.wishedW : Math.max(b.neededW, -own.exportLimitW), own.importLimitW),
    wishedW: Math.min(b.wishedW, own.importLimitW),
    minImportW: leastImportW(entry),
    minExportW: r.minExportW,
    stepW: r.stepW,
    ...(r.current === 'ac' && entry.protocol === 'ocpp1.6'
      ? { amps: { voltageV: voltageOf(entry), phases: r.phases } }
      : {}),
    ...(fixed === undefined ? {} : { fixed }),
    presentW: known.toldW ?? power.confirmedW,
    inFlight: { minW: power.minW, maxW: power.maxW },
    maxW: Math.max(r.maxImportW, r.maxExportW),
    commandRunning: !entry.optOut && isCommandRunning(s.clock.now(), entry, known.commandedAt),
    ...(keepSide === undefined ? {} : { keepSide }),
    exportAllowed: b.loW < 0,
  };
}

/** No longer in the site file: nobody can lead it, and it counts as long as it may still do what it was told. */
function departedInput(file: SiteFile, departure: Departure): EvseInput {
  const { evseId, minW, maxW } = departure;
  const nothing = { loW: 0, neededW: 0, wishedW: 0, minImportW: 0, minExportW: 0, presentW: 0 };
  return {
    evseId,
    ...circuitOf(departure, file.circuits),
    ...nothing,
    maxW: Math.max(maxW, -minW),
    fixed: { minW, maxW },
    commandRunning: false,
    exportAllowed: false,
  };
}

/** The higher of nominal and measured (fo 8.3.7), where the measured one can be true. */
function voltageOf({ resource, reading }: TwinEntry): number {
  const seen = reading?.voltageV ?? 0;
  return seen <= resource.voltageV * (1 + VOLTAGE_BAND) ? Math.max(resource.voltageV, seen) : resource.voltageV;
}

/** The least that an AC vehicle takes is a current: at a higher voltage it is more power, W. */
export function leastImportW(entry: TwinEntry): number {
  const { current, minImportW, voltageV } = entry.resource;
  return current === 'ac' ? (minImportW * voltageOf(entry)) / voltageV : minImportW;
}

/** Out of reach, or not doing what it is told: anything that it may do (fo 6.4, fo 8.3.1). */
function fixedPower(entry: TwinEntry, { power, uncertain }: Known): EvseInput['fixed'] {
  if (!entry.online) {
    const { offlineExportW } = entry.resource;
    return { minW: -Math.max(power.worstExportW, offlineExportW), maxW: Math.max(power.worstImportW, belowW(entry)) };
  }
  return uncertain ? { minW: power.minW, maxW: power.maxW } : undefined;
}

/** What members do that are there but cannot be led now, W: the others make up for it. */
export function unledW(s: PlanSources, members: readonly string[]): number {
  let sum = 0;
  for (const id of members) {
    const entry = s.twin.get(id);
    if (entry?.online && !entry.optOut && s.isUncertain(id)) sum += s.told(id) ?? 0;
  }
  return sum;
}

/** Bounds of fo 8.1 for what is known of the EV now; `contract`: whether one lets it give power. */
export function resourceBounds(
  s: Pick<PlanSources, 'file' | 'meters'> & { readonly clock: Pick<Clock, 'now'> },
  entry: TwinEntry,
  contract: boolean,
): { readonly loW: number; readonly neededW: number; readonly wishedW: number } {
  const { resource: r, needs } = entry;
  const n = needs?.body;
  const now = s.clock.now();
  const movedWh = needs?.movedWh ?? 0;
  const left = (wh: number | undefined) => (wh === undefined ? undefined : Math.max(0, wh - movedWh));
  const energyToMaxWh = left(n?.energyToMaxWh);
  const energyToTargetWh = left(n?.energyToTargetWh);
  const exportableWh = n?.exportableWh === undefined ? undefined : Math.max(0, n.exportableWh + movedWh);
  return bounds({
    connected: entry.online && inUse(entry),
    cpMaxW: r.maxImportW,
    ...(n?.importMaxW === undefined ? {} : { evMaxW: n.importMaxW }),
    ...(entry.learned === undefined ? {} : { learnedMaxW: entry.learned.maxW }),
    ...(energyToMaxWh === undefined ? {} : { energyToMaxWh }),
    ...(energyToTargetWh === undefined ? {} : { energyToTargetWh }),
    ...(exportableWh === undefined ? {} : { exportableWh }),
    exportMaxW: Math.min(r.maxExportW, n?.exportMaxW ?? r.maxExportW),
    exportAllowed: {
      driver: n?.bidirectional ?? false,
      contract,
      conformity: r.exportAllowed,
      // While nobody knows what flows at the POC nothing is exported (fo 6.4).
      site: s.file.poc.exportLimitW > 0 && s.meters.seesPoc(),
    },
    ...(needs?.departureAt === undefined ? {} : { departureInS: Math.max(0, (needs.departureAt - now) / 1000) }),
    asap: s.file.chargeAsap ?? false,
    minImportW: Math.max(r.minImportW, n?.importMinW ?? 0),
    planningStepS: s.file.planningStepS ?? 900,
    defaultDepartureS: s.file.defaultStayS ?? 28_800,
  });
}

function isCommandRunning(now: number, entry: TwinEntry, last: number | undefined): boolean {
  if (last === undefined) return false;
  const since = now - last;
  // A time in the future: the clock was set back.
  return since >= 0 && since < commandIntervalMs(entry);
}

function commandIntervalMs(entry: TwinEntry): number {
  const s = entry.resource.minCommandIntervalS ?? COMMAND_INTERVAL_S[entry.protocol ?? ''] ?? UNKNOWN_INTERVAL_S;
  return s * 1000;
}

/** minOnS and minOffS of fo 8.1. */
function keptSide(s: PlanSources, entry: TwinEntry): 'import' | 'zero' | 'export' | undefined {
  const at = s.sideSince(entry.resource.resourceId);
  if (at === undefined) return undefined;
  // That nothing was granted before this vehicle came is no pause of its charging.
  if (at.side === 'zero' && entry.session !== undefined && at.since < entry.session.since) return undefined;
  const minS = at.side === 'zero' ? entry.resource.minOffS : entry.resource.minOnS;
  const since = s.clock.now() - at.since;
  return since >= 0 && since < minS * 1000 ? at.side : undefined;
}
