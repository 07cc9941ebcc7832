import { parseTime } from '../../core/clock.ts';
import type { V2gateError } from '../../core/errors.ts';
import { round3 } from '../../core/quantities.ts';
import {
  type Baseline,
  type Contract,
  SERVICE_ERRORS,
  type ServiceDecision,
  type ServiceRequest,
} from '../../model/index.ts';
import type { Capacity, PowerSeries } from './request.ts';
import { remaining, type Service } from './service.ts';

type Known = Pick<Service, 'baselineW' | 'baselineSeries'>;

export const ruleOf = (fsr: ServiceRequest, contract: Contract | undefined): Baseline =>
  fsr.baseline ?? contract?.baseline ?? { method: 'zero' };

/** A method that needs the meters of days past is refused, and not accepted with a baseline that will be missing (fo 3.8). */
export function baselineError(fsr: ServiceRequest, contract: Contract | undefined): V2gateError | undefined {
  const { method } = ruleOf(fsr, contract);
  if (method !== 'highXofY') return undefined;
  const whose = fsr.baseline ? 'The request' : 'The contract';
  const what = `${whose} asks for a baseline by ${method}, which is not computed here; ask for priorWindow, declared or zero.`;
  return SERVICE_ERRORS.fail('capability.unsupported', what, {
    path: fsr.baseline ? '/fsr/baseline/method' : '/fsr/contractId',
  });
}

/** The baseline as far as it can be told now (fo 3.8); one that cannot be computed is missing, not zero. */
export function baselineOf(
  service: Service,
  contract: Contract | undefined,
  { capacity, clock }: { readonly capacity: Capacity; readonly clock: { now(): number } },
): Known {
  const { fsr } = service;
  const rule = ruleOf(fsr, contract);
  const scope = { members: remaining(service), referencePoint: fsr.target.referencePoint };
  const start = parseTime(fsr.window.start);
  switch (rule.method) {
    case 'zero':
      return { baselineW: 0 };
    case 'declared': {
      const series = capacity.planned(scope, Math.max(start, clock.now()), parseTime(fsr.window.end));
      return series ? { baselineW: firstOf(series), baselineSeries: series } : {};
    }
    case 'priorWindow': {
      const until = start - (rule.gapS ?? 0) * 1000;
      // What still lies ahead is computed at the begin.
      if (rule.windowS === undefined || until > clock.now()) return {};
      const meanW = capacity.mean(scope, until - rule.windowS * 1000, until);
      return meanW === undefined ? {} : { baselineW: round3(meanW) };
    }
    default:
      return {};
  }
}

/** The baseline in a decision; absent where it is missing. */
export function baselineField(service: Service, contract: Contract | undefined): Pick<ServiceDecision, 'baseline'> {
  const { baselineW, baselineSeries } = service;
  if (baselineW === undefined) return {};
  const { method } = ruleOf(service.fsr, contract);
  const series = baselineSeries === undefined ? {} : { series: baselineSeries };
  return { baseline: { method, powerW: round3(baselineW), ...series } };
}

const firstOf = (series: PowerSeries): number => series.points[0]?.powerW ?? 0;
