import { parseTime } from '../../core/clock.ts';
import type { Congestion, Contract, Proof, SiteFile } from '../../model/index.ts';
import { contractOf } from '../services/checks.ts';
import type { Scope } from '../services/request.ts';
import type { Service } from '../services/service.ts';
import { type DeliveryPlan, MAX_CELLS } from './delivery.ts';
import { siteMeter } from './energy.ts';
import type { LimitSteps } from './proof.ts';

const MINUTE_MS = 60_000;
const DEFAULT_INTERVAL_S = 60;
/** An acceptance that comes this little after the start is as good as before it. */
const AT_ONCE_MS = 1_000;
const HOUR_MS = 3_600_000;

/** The meters whose sum is the power at a reference point (fo 2.3), and what is known beside them. */
export interface MeterSet {
  readonly meters: readonly string[];
  readonly level: Proof['meterLevel'];
  readonly meterRef?: string;
  /** Declared load of the site where no meter at the POC tells it, W. */
  readonly besideW?: number;
}

/** The POC meter for a site, where there is one; else the EVSEs, each by a meter of its own or by its station. */
export function metersOf(scope: Scope, file: SiteFile, resources: () => Iterable<string>): MeterSet {
  const all = file.meters ?? [];
  const poc = all.find((m) => m.at === 'poc');
  const ofEvse = (r: string): string => {
    const own = all.find((m) => m.at === 'evse' && m.subjectRef === r);
    return own ? siteMeter(own.meterId) : r;
  };
  if (scope.referencePoint !== 'site') return { meters: scope.members.map(ofEvse), level: 'evse' };
  if (poc) return { meters: [siteMeter(poc.meterId)], level: 'poc', meterRef: poc.meterId };
  return { meters: [...resources()].map(ofEvse), level: 'evse', besideW: file.baseLoadW ?? 0 };
}

export const scopeOf = ({ members, fsr }: Service): Scope => ({ members, referencePoint: fsr.target.referencePoint });

export const congestionOf = ({ fsr }: Service): Congestion | undefined =>
  fsr.serviceType === 'congestion' ? (fsr.parameters as Congestion) : undefined;

/** What is measured for a service: from the start of its window, or from when it was accepted later than that. */
export function planOf(service: Service, meters: readonly string[], file: SiteFile): DeliveryPlan {
  const { fsr, acceptedAt = 0 } = service;
  const windowMs = parseTime(fsr.window.start);
  const startMs = acceptedAt - windowMs > AT_ONCE_MS ? acceptedAt : windowMs;
  const endMs = Math.max(parseTime(fsr.window.end), startMs);
  const intervalMs = intervalMsOf(service, contractOf(fsr.contractId, service.foId, file));
  // Of limits, the means of single minutes count (fo 3.9).
  const wanted = congestionOf(service) ? MINUTE_MS : intervalMs;
  const stepMs = wanted * Math.max(1, Math.ceil((endMs - startMs) / wanted / MAX_CELLS));
  return { startMs, endMs, stepMs, meters, members: service.members };
}

/** How many cells make an interval of the proof. */
export function mergeOf(service: Service, plan: DeliveryPlan, file: SiteFile): number {
  const intervalMs = intervalMsOf(service, contractOf(service.fsr.contractId, service.foId, file));
  return Math.max(1, Math.round(intervalMs / plan.stepMs));
}

function intervalMsOf({ fsr }: Service, contract: Contract | undefined): number {
  const { intervalS = DEFAULT_INTERVAL_S } = fsr.proof ?? contract?.proof ?? {};
  return Math.max(1, intervalS) * 1000;
}

/** The rule by which the baseline is found (fo 3.8). */
export function methodOf({ fsr, foId, decision }: Service, file: SiteFile): Proof['method'] {
  const told = decision?.baseline?.method;
  if (told === 'declared' || told === 'priorWindow' || told === 'highXofY' || told === 'zero') return told;
  return (fsr.baseline ?? contractOf(fsr.contractId, foId, file)?.baseline)?.method ?? 'zero';
}

/** Energy without the service, Wh: the frozen series, else the frozen power; undefined where neither is there (fo 3.8). */
export function baselineWh(
  service: Service,
  method: Proof['method'],
  fromMs: number,
  toMs: number,
): number | undefined {
  if (method === 'zero') return 0;
  const series = service.decision?.baseline?.series;
  if (series) {
    const steps = series.points.map((p) => ({ fromMs: parseTime(series.start) + p.offsetS * 1000, powerW: p.powerW }));
    return overSteps(steps, parseTime(series.end), fromMs, toMs);
  }
  return service.baselineW === undefined ? undefined : (service.baselineW * (toMs - fromMs)) / HOUR_MS;
}

/** Integral of a step function; undefined where it does not cover the span. */
function overSteps(
  steps: readonly { readonly fromMs: number; readonly powerW: number }[],
  endMs: number,
  fromMs: number,
  toMs: number,
): number | undefined {
  if ((steps[0]?.fromMs ?? Infinity) > fromMs || endMs < toMs) return undefined;
  return steps.reduce((sum, s, i) => {
    const until = Math.min(steps[i + 1]?.fromMs ?? endMs, toMs);
    return sum + (s.powerW * Math.max(0, until - Math.max(s.fromMs, fromMs))) / HOUR_MS;
  }, 0);
}

/** The series of a congestion service; after its end the contract's safe limit holds until the window ends (fo 3.4). */
export function limitsOf(service: Service, file: SiteFile): LimitSteps | undefined {
  const series = congestionOf(service)?.limits;
  if (!series) return undefined;
  const safeW = contractOf(service.fsr.contractId, service.foId, file)?.safeImportLimitW;
  const start = parseTime(series.start);
  return [
    ...series.points.map(({ offsetS, importLimitW, exportLimitW }) => ({
      fromMs: start + offsetS * 1000,
      ...(importLimitW === undefined ? {} : { importLimitW }),
      ...(exportLimitW === undefined ? {} : { exportLimitW }),
    })),
    { fromMs: parseTime(series.end), ...(safeW === undefined ? {} : { importLimitW: safeW }) },
  ];
}
