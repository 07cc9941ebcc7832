import type { Clock } from '../../core/clock.ts';
import type { Contract, SiteFile } from '../../model/index.ts';
import { bounds, type EvseInput, type SiteInput, type TargetInput } from '../allocation/index.ts';
import type { PresentPower } from '../dispatch/index.ts';
import { nettingOfPoc } from '../fleet/resources.ts';
import { belowW, type FleetTwin, inUse, type TwinEntry } from '../fleet/twin.ts';
import type { LimitBook } from './limits.ts';

/** Default least time between commands, s, by protocol (fo 8.3.8). */
const COMMAND_INTERVAL_S: Readonly<Record<string, number>> = { 'ocpp1.6': 60, 'ocpp2.0.1': 10, 'ocpp2.1': 1 };
const UNKNOWN_INTERVAL_S = 60;

/** A measured voltage counts when it is within this part of the nominal one. */
const VOLTAGE_BAND = 0.2;

export interface PlanSources {
  readonly file: SiteFile;
  readonly twin: FleetTwin;
  readonly limits: LimitBook;
  readonly clock: Clock;
  /** What the dispatcher knows of a resource. */
  power(resourceId: string): PresentPower;
  /** The power that counts as told to a resource, W. */
  told(resourceId: string): number | undefined;
  /** Epoch ms of the last command that went to a resource. */
  commandedAt(resourceId: string): number | undefined;
  /** It does not do what it is told, or nobody knows whether it does (fo 6.4). */
  isUncertain(resourceId: string): boolean;
  /** Since when a resource is on its present side of zero. */
  sideSince(resourceId: string): { readonly side: 'import' | 'zero' | 'export'; readonly since: number } | undefined;
}

/** Who is led where, and under which contract. */
export interface Purpose {
  readonly target: TargetInput;
  readonly contract: Contract | undefined;
}

/** The input of an allocation run (fo 8) from file, twin, limits and what is under way. */
export function siteInput(s: PlanSources, purpose: Purpose | undefined): SiteInput {
  const { file, limits } = s;
  const led = purpose && new Set(purpose.target.members); // bounded by: the members of one service
  return {
    poc: { ...limits.effective('poc', file.poc), netting: nettingOfPoc(file.poc) },
    usedW: file.baseLoadW ?? 0,
    generationW: 0,
    stepS: file.planningStepS ?? 900,
    circuits: (file.circuits ?? []).map((c) => ({
      circuitId: c.circuitId,
      ...(c.parentId === undefined ? {} : { parentId: c.parentId }),
      ...limits.effective(c.circuitId, c),
      netting: c.netting ?? 'none',
    })),
    evses: Array.from(s.twin.all(), (e) =>
      evseInput(s, e, led?.has(e.resource.resourceId) === true && contractExports(e, purpose?.contract)),
    ),
    ...(purpose === undefined ? {} : { target: purpose.target }),
  };
}

/** Whether the contract lets an EV give power (fo 3.4, fo 8.4 G8): outside of a contract nobody does. */
export function contractExports(entry: TwinEntry, contract: Contract | undefined): boolean {
  if (!contract || contract.maxExportW === 0) return false;
  const socPct = entry.reading?.socPct;
  return contract.minSocPct === undefined || (socPct !== undefined && socPct > contract.minSocPct);
}

function evseInput(s: PlanSources, entry: TwinEntry, contract: boolean): EvseInput {
  const { resource: r } = entry;
  const power = s.power(r.resourceId);
  const own = s.limits.effective(r.resourceId, r.limits);
  const b = resourceBounds(s, entry, contract);
  const fixed = fixedPower(s, entry, power, b.wishedW);
  const keepSide = keptSide(s, entry);
  return {
    evseId: r.resourceId,
    ...(r.circuitId === undefined ? {} : { circuitId: r.circuitId }),
    loW: Math.max(b.loW, -own.exportLimitW),
    neededW: Math.min(Math.max(b.neededW, -own.exportLimitW), own.importLimitW),
    wishedW: Math.min(b.wishedW, own.importLimitW),
    minImportW: r.minImportW,
    minExportW: r.minExportW,
    stepW: r.stepW,
    ...(r.current === 'ac' && entry.protocol === 'ocpp1.6'
      ? { amps: { voltageV: voltageOf(entry), phases: r.phases } }
      : {}),
    ...(fixed === undefined ? {} : { fixed }),
    presentW: s.told(r.resourceId) ?? power.confirmedW,
    inFlight: { minW: power.minW, maxW: power.maxW },
    maxW: Math.max(r.maxImportW, r.maxExportW),
    commandRunning: isCommandRunning(s, entry),
    ...(keepSide === undefined ? {} : { keepSide }),
    exportAllowed: b.loW < 0,
  };
}

/** The higher of nominal and measured (fo 8.3.7), where the measured one can be true. */
function voltageOf({ resource, reading }: TwinEntry): number {
  const seen = reading?.voltageV ?? 0;
  return seen <= resource.voltageV * (1 + VOLTAGE_BAND) ? Math.max(resource.voltageV, seen) : resource.voltageV;
}

/** Opted out: what the driver wants. Out of reach, or not doing what it is told: anything that it may do (fo 6.4, fo 8.3.1). */
function fixedPower(s: PlanSources, entry: TwinEntry, power: PresentPower, wishedW: number): EvseInput['fixed'] {
  if (!entry.online) {
    const { offlineExportW } = entry.resource;
    return { minW: -Math.max(power.worstExportW, offlineExportW), maxW: Math.max(power.worstImportW, belowW(entry)) };
  }
  if (entry.optOut) return { minW: wishedW, maxW: wishedW };
  return s.isUncertain(entry.resource.resourceId) ? { minW: power.minW, maxW: power.maxW } : undefined;
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
  s: Pick<PlanSources, 'file' | 'clock'>,
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
      site: s.file.poc.exportLimitW > 0,
    },
    ...(needs?.departureAt === undefined ? {} : { departureInS: Math.max(0, (needs.departureAt - now) / 1000) }),
    asap: s.file.chargeAsap ?? false,
    minImportW: Math.max(r.minImportW, n?.importMinW ?? 0),
    planningStepS: s.file.planningStepS ?? 900,
    defaultDepartureS: s.file.defaultStayS ?? 28_800,
  });
}

function isCommandRunning(s: PlanSources, entry: TwinEntry): boolean {
  const last = s.commandedAt(entry.resource.resourceId);
  if (last === undefined) return false;
  const since = s.clock.now() - last;
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
  const minS = at.side === 'zero' ? entry.resource.minOffS : entry.resource.minOnS;
  const since = s.clock.now() - at.since;
  return since >= 0 && since < minS * 1000 ? at.side : undefined;
}
