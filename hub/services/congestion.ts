import { parseTime } from '../../core/clock.ts';
import type { Congestion, ServiceRequest, SiteFile } from '../../model/index.ts';
import { contractOf } from './checks.ts';
import { congestionParameters, type Service } from './service.ts';

/** What holds at one moment, W ≥ 0; absent: no limit in that direction. */
export interface Ceiling {
  readonly importLimitW?: number;
  readonly exportLimitW?: number;
}

/** A limit that holds at every instant, and not only as far as needs allow (fo 6.3, UC 2.7). */
export const isHard = (fsr: ServiceRequest): boolean => fsr.mandatory || congestionParameters(fsr)?.firm === true;

/** What the series says at `now`, and whether it says anything: before its start and after its end it does not. */
function stepAt({ limits }: Congestion, now: number): Ceiling | undefined {
  const start = parseTime(limits.start);
  if (now < start || now >= parseTime(limits.end)) return undefined;
  return lastStep(limits.points.filter((p) => start + p.offsetS * 1000 <= now));
}

function lastStep(points: Congestion['limits']['points']): Ceiling | undefined {
  const p = points.at(-1);
  return p && ceiling(p.importLimitW, p.exportLimitW);
}

const ceiling = (importLimitW: number | undefined, exportLimitW: number | undefined): Ceiling => ({
  ...(importLimitW === undefined ? {} : { importLimitW }),
  ...(exportLimitW === undefined ? {} : { exportLimitW }),
});

/**
 * The limit of a running congestion service at `now`; undefined when none holds. After the series, inside the window, the
 * contract's safe limit holds, and without one the last limit of the series: never nothing (UC 2.7). `reduceByW` counts from the power
 * at the begin.
 */
export function ceilingAt(service: Service, now: number, file: SiteFile): Ceiling | undefined {
  const p = congestionParameters(service.fsr);
  const delivers = (service.activation?.state ?? 'delivering') === 'delivering';
  if (!p || service.state !== 'active' || !delivers || now >= parseTime(service.fsr.window.end)) return undefined;
  const step = stepAt(p, now) ?? (now < parseTime(p.limits.start) ? {} : afterSeries(service, p, file));
  if (p.reduceByW === undefined || service.reduceFromW === undefined) return step;
  const reducedW = Math.max(0, service.reduceFromW - p.reduceByW);
  return ceiling(Math.min(step?.importLimitW ?? Number.POSITIVE_INFINITY, reducedW), step?.exportLimitW);
}

function afterSeries({ fsr, foId }: Service, p: Congestion, file: SiteFile): Ceiling | undefined {
  const { points } = p.limits;
  const safeW = contractOf(fsr.contractId, foId, file)?.safeImportLimitW;
  // A last step that leaves a direction open was meant for its time only.
  return ceiling(
    safeW ?? points.findLast((x) => x.importLimitW !== undefined)?.importLimitW,
    points.findLast((x) => x.exportLimitW !== undefined)?.exportLimitW,
  );
}

/** When the limit may become another one, epoch ms, in order. */
export function stepTimes({ fsr }: Service): number[] {
  const p = congestionParameters(fsr);
  if (!p) return [];
  const start = parseTime(p.limits.start);
  return [
    parseTime(fsr.window.start),
    ...p.limits.points.map((x) => start + x.offsetS * 1000),
    parseTime(p.limits.end),
    parseTime(fsr.window.end),
  ].sort((a, b) => a - b);
}

/** The tightest import limit of the series inside the window, W. */
export function tightestW({ fsr }: Pick<Service, 'fsr'>): number | undefined {
  const p = congestionParameters(fsr);
  const limits = p?.limits.points.flatMap((x) => x.importLimitW ?? []) ?? [];
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/**
 * Where a limit is enforced (UC 2.7): at the POC, at the circuit that holds exactly these members, or at each of them.
 * Undefined where the site has no such place.
 */
export function nodesOf(
  fsr: ServiceRequest,
  members: readonly string[],
  file: SiteFile,
  circuitOf: (resourceId: string) => string | undefined,
  all: readonly string[],
): readonly string[] | undefined {
  if (fsr.target.referencePoint === 'site') return ['poc'];
  if (fsr.target.referencePoint === 'evse') return members;
  const wanted = [...members].sort().join('\n');
  const circuit = (file.circuits ?? []).find((c) => {
    const below = all.filter((id) => isBelow(circuitOf(id), c.circuitId, file));
    return below.sort().join('\n') === wanted;
  });
  return circuit && [circuit.circuitId];
}

function isBelow(circuitId: string | undefined, above: string, file: SiteFile): boolean {
  let at = circuitId;
  for (let depth = 0; at !== undefined && depth < MAX_DEPTH; depth++) {
    if (at === above) return true;
    const here: string = at;
    at = file.circuits?.find((c) => c.circuitId === here)?.parentId;
  }
  return false;
}

/** Deeper than any tree of circuits. */
const MAX_DEPTH = 64;

/** True when the site, or the group that is asked for, lies at this node of the grid. */
export function isAtNode({ target, parameters }: ServiceRequest, file: SiteFile): boolean {
  const gridNode = 'gridNode' in parameters ? parameters.gridNode : undefined;
  if (gridNode === undefined) return false;
  if (file.poc.gridNode === gridNode) return true;
  const group = file.groups?.find((g) => g.groupId === target.groupId);
  return group?.gridNode === gridNode;
}
