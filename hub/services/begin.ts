import type { Clock } from '../../core/clock.ts';
import { round3 } from '../../core/quantities.ts';
import type { Contract, SiteFile } from '../../model/index.ts';
import { baselineOf, ruleOf } from './baseline.ts';
import { contractOf } from './checks.ts';
import { type Capacity, scopeOf } from './request.ts';
import { congestionParameters, type Service, setpointParameters, type TargetInForce, validityMs } from './service.ts';

export interface BeginContext {
  readonly clock: Clock;
  readonly capacity: Capacity;
  readonly file: SiteFile;
}

/** A service whose window begins now, with what can only be known now: a late baseline, until when `initialW` holds. */
export function readied(service: Service, o: BeginContext): Service {
  const now = o.clock.now();
  const contract = contractOf(service.fsr.contractId, service.foId, o.file);
  const late = service.baselineW === undefined ? baselineOf(service, contract, o) : {};
  const p = setpointParameters(service.fsr);
  const initialUntil = p?.initialW === undefined ? {} : { initialUntil: now + validityMs(p) };
  const ready: Service = { ...service, ...late, startedAt: now, ...initialUntil };
  return { ...ready, ...reducing(ready, contract, o.capacity) };
}

/** From where `reduceByW` counts: the baseline, or what is measured where the contract has none that means anything. */
function reducing(service: Service, contract: Contract | undefined, capacity: Capacity): Pick<Service, 'reduceFromW'> {
  if (congestionParameters(service.fsr)?.reduceByW === undefined) return {};
  const { method } = ruleOf(service.fsr, contract);
  const fromW = (method === 'zero' ? undefined : service.baselineW) ?? capacity.measured(scopeOf(service));
  return fromW === undefined ? {} : { reduceFromW: round3(fromW) };
}

/** The target before the first setpoint. */
export function initial({ fsr, initialUntil }: Service): TargetInForce | undefined {
  const initialW = setpointParameters(fsr)?.initialW;
  return initialW === undefined || initialUntil === undefined
    ? undefined
    : { targetW: initialW, validUntil: initialUntil };
}
