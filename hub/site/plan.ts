import { type Clock, parseTime } from '../../core/clock.ts';
import type { SiteFile } from '../../model/index.ts';
import { bounds, type EvseInput, type SiteInput, type TargetInput } from '../allocation/index.ts';
import type { PresentPower } from '../dispatch/index.ts';
import { nettingOfPoc } from '../fleet/resources.ts';
import { type FleetTwin, hasEv, type TwinEntry } from '../fleet/twin.ts';
import type { LimitBook } from './limits.ts';

/** Default least time between commands, s, by protocol (fo 8.3.8). */
const COMMAND_INTERVAL_S: Readonly<Record<string, number>> = { 'ocpp1.6': 60, 'ocpp2.0.1': 10, 'ocpp2.1': 1 };
const UNKNOWN_INTERVAL_S = 60;

export interface PlanSources {
  readonly file: SiteFile;
  readonly twin: FleetTwin;
  readonly limits: LimitBook;
  readonly clock: Clock;
  /** What the dispatcher knows of a resource. */
  power(resourceId: string): PresentPower;
  /** The power that was told to a resource last and not refused, W. */
  told(resourceId: string): number | undefined;
  /** Epoch ms of the last command that went to a resource. */
  commandedAt(resourceId: string): number | undefined;
  /** Since when a resource is on its present side of zero. */
  sideSince(resourceId: string): { readonly side: 'import' | 'zero' | 'export'; readonly since: number } | undefined;
}

/** The input of an allocation run (fo 8) from file, twin, limits and what is under way. */
export function siteInput(s: PlanSources, target: TargetInput | undefined): SiteInput {
  const { file, limits } = s;
  const poc = limits.effective('poc', file.poc);
  return {
    poc: { ...poc, netting: nettingOfPoc(file.poc) },
    usedW: file.baseLoadW ?? 0,
    generationW: 0,
    stepS: file.planningStepS ?? 900,
    circuits: (file.circuits ?? []).map((c) => ({
      circuitId: c.circuitId,
      ...(c.parentId === undefined ? {} : { parentId: c.parentId }),
      ...limits.effective(c.circuitId, c),
      netting: c.netting ?? 'none',
    })),
    evses: [...s.twin.all()].map((e) => evseInput(s, e, target)),
    ...(target === undefined ? {} : { target }),
  };
}

function evseInput(s: PlanSources, entry: TwinEntry, target: TargetInput | undefined): EvseInput {
  const { resource: r } = entry;
  const power = s.power(r.resourceId);
  const own = s.limits.effective(r.resourceId, { importLimitW: r.maxImportW, exportLimitW: r.maxExportW });
  const b = resourceBounds(s, entry);
  const fixed = fixedPower(entry, power, b.wishedW);
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
      ? { amps: { voltageV: Math.max(r.voltageV, entry.reading?.voltageV ?? 0), phases: r.phases } }
      : {}),
    ...(fixed === undefined ? {} : { fixed }),
    presentW: s.told(r.resourceId) ?? power.confirmedW,
    inFlight: { minW: power.minW, maxW: power.maxW },
    maxW: Math.max(r.maxImportW, r.maxExportW),
    commandRunning: isCommandRunning(s, entry),
    ...(keepSide === undefined ? {} : { keepSide }),
    exportAllowed:
      b.loW < 0 && (target === undefined || target.members === undefined || target.members.includes(r.resourceId)),
  };
}

/** Opted out: what the driver wants. Offline: anything between its worst cases (fo 6.4, fo 8.3.1). */
function fixedPower(entry: TwinEntry, power: PresentPower, wishedW: number): EvseInput['fixed'] {
  if (!entry.online) {
    const { resource: r } = entry;
    const belowW =
      entry.offlineImportW === undefined ? r.offlineImportW : Math.min(entry.offlineImportW, r.offlineImportW);
    return { minW: -Math.max(power.worstExportW, r.offlineExportW), maxW: Math.max(power.worstImportW, belowW) };
  }
  return entry.optOut ? { minW: wishedW, maxW: wishedW } : undefined;
}

/** Bounds of fo 8.1 for what is known of the EV now. */
export function resourceBounds(
  s: Pick<PlanSources, 'file' | 'clock'>,
  entry: TwinEntry,
): { readonly loW: number; readonly neededW: number; readonly wishedW: number } {
  const { resource: r, needs } = entry;
  const n = needs?.body;
  const now = s.clock.now();
  const moved = energySince(entry);
  const left = (wh: number | undefined) => (wh === undefined ? undefined : Math.max(0, wh - moved));
  const energyToMaxWh = left(n?.energyToMaxWh);
  const energyToTargetWh = left(n?.energyToTargetWh);
  const exportableWh = n?.exportableWh === undefined ? undefined : Math.max(0, n.exportableWh + moved);
  return bounds({
    connected: entry.online && hasEv(entry),
    cpMaxW: r.maxImportW,
    ...(n?.importMaxW === undefined ? {} : { evMaxW: n.importMaxW }),
    ...(entry.learned === undefined ? {} : { learnedMaxW: entry.learned.maxW }),
    ...(energyToMaxWh === undefined ? {} : { energyToMaxWh }),
    ...(energyToTargetWh === undefined ? {} : { energyToTargetWh }),
    ...(exportableWh === undefined ? {} : { exportableWh }),
    exportMaxW: Math.min(r.maxExportW, n?.exportMaxW ?? r.maxExportW),
    exportAllowed: {
      driver: n?.bidirectional ?? false,
      contract: true,
      conformity: r.exportAllowed,
      site: s.file.poc.exportLimitW > 0,
    },
    ...(n?.departureAt === undefined ? {} : { departureInS: Math.max(0, (parseTime(n.departureAt) - now) / 1000) }),
    asap: s.file.chargeAsap ?? false,
    minImportW: Math.max(r.minImportW, n?.importMinW ?? 0),
    planningStepS: s.file.planningStepS ?? 900,
    defaultDepartureS: s.file.defaultStayS ?? 28_800,
  });
}

/** Energy into the EV since it told its needs, by the registers; Wh, negative when it gave. */
function energySince(entry: TwinEntry): number {
  const { needs, reading } = entry;
  if (!needs || !reading) return 0;
  const imported = (reading.importWh ?? 0) - (needs.importWh ?? reading.importWh ?? 0);
  const exported = (reading.exportWh ?? 0) - (needs.exportWh ?? reading.exportWh ?? 0);
  return imported - exported;
}

function isCommandRunning(s: PlanSources, entry: TwinEntry): boolean {
  const last = s.commandedAt(entry.resource.resourceId);
  return last !== undefined && s.clock.now() - last < commandIntervalMs(entry);
}

export function commandIntervalMs(entry: TwinEntry): number {
  const s = entry.resource.minCommandIntervalS ?? COMMAND_INTERVAL_S[entry.protocol ?? ''] ?? UNKNOWN_INTERVAL_S;
  return s * 1000;
}

/** minOnS and minOffS of fo 8.1. */
function keptSide(s: PlanSources, entry: TwinEntry): 'import' | 'zero' | 'export' | undefined {
  const at = s.sideSince(entry.resource.resourceId);
  if (at === undefined) return undefined;
  const minS = at.side === 'zero' ? entry.resource.minOffS : entry.resource.minOnS;
  return s.clock.now() - at.since < minS * 1000 ? at.side : undefined;
}
