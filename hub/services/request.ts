import type { Clock } from '../../core/clock.ts';
import type { V2gateError } from '../../core/errors.ts';
import { canonical } from '../../core/json.ts';
import { round3 } from '../../core/quantities.ts';
import {
  type Contract,
  type RequestService,
  type ResultBody,
  SERVICE_ERRORS,
  type ServiceDecision,
  type ServiceRequest,
  type SiteFile,
} from '../../model/index.ts';
import {
  contractError,
  contractOf,
  credentialError,
  mandateError,
  membersOf,
  overlapError,
  powerError,
  timeError,
} from './checks.ts';
import { nextState } from './machine.ts';
import { withDecision } from './notices.ts';
import { refused } from './results.ts';
import { type Service, setpointParameters } from './service.ts';

/** A sum of power: of the members, or of the whole site at the POC (fo 2.3). */
export interface Scope {
  readonly members: readonly string[];
  readonly referencePoint: ServiceRequest['target']['referencePoint'];
}

export interface PowerBand {
  readonly lowW: number;
  readonly highW: number;
}

/** What must be known about the fleet to decide. Powers in W, load convention, at the reference point. */
export interface Capacity {
  known(resourceId: string): boolean;
  /** What the members can do now, inside all limits (fo 8.6). */
  availableNow(scope: Scope, contract: Contract | undefined): PowerBand;
  /** What they could do with an able EV at each, inside all limits. */
  installed(scope: Scope): PowerBand;
  /** What a target would become now (fo 8.3.4). */
  preview(service: Service, targetW: number): { readonly appliedW: number; readonly limitedBy?: string };
  /** Measured power, undefined when it cannot be told. */
  measured(scope: Scope): number | undefined;
}

export interface RequestContext {
  readonly foId: string;
  readonly file: SiteFile;
  readonly clock: Clock;
  readonly capacity: Capacity;
  /** Services that may stand in the way. */
  readonly others: Iterable<Service>;
}

export interface Requested {
  readonly result: ResultBody;
  /** The new service with its decision to tell; absent when the request itself is refused. */
  readonly service?: Service;
}

/** `RequestService`: form, contract and credentials are answered at once, the decision follows as a notice (fo 4.2, fo 6.2). */
export function decideRequest({ fsr }: RequestService, o: RequestContext): Requested {
  const now = o.clock.now();
  const members = membersOf(fsr, o.file, (r) => o.capacity.known(r));
  const refusal =
    timeError(fsr, now) ??
    contractError(fsr, o.foId, o.file, now) ??
    mandateError(fsr) ??
    (members ? undefined : unknownTarget()) ??
    unsupported(fsr.serviceType) ??
    credentialError(o.foId, o.file, now) ??
    overlapError(fsr, o.foId, o.others);
  if (refusal || !members) return { result: refused(refusal ?? unknownTarget()) };
  const service: Service = {
    foId: o.foId,
    fsr,
    digest: canonical(fsr),
    state: 'credentialChecked',
    members,
    outgoing: [],
  };
  const contract = contractOf(fsr.contractId, o.foId, o.file);
  const baselineW = baselineOf(service, contract, o.capacity);
  const beyond = powerError(fsr, contract, baselineW);
  if (beyond) return { result: refused(beyond) };
  return { result: { status: 'ok', state: 'credentialChecked' }, service: decided(service, baselineW, contract, o) };
}

/** The same request again, or another one under the same id (fo 4.2). */
export function repeated(known: Service, fsr: ServiceRequest): ResultBody {
  if (known.digest === canonical(fsr)) return { status: 'ok', state: known.state };
  const what = `fsrId ${fsr.fsrId} was used before with other content.`;
  return refused(SERVICE_ERRORS.fail('id.conflict', what, { path: '/fsr/fsrId' }));
}

/** fo 6.2: accepted or rejected. Without `acceptPartial` the FO would have to be asked back (fo 4.2); here that is a refusal with numbers. */
function decided(
  service: Service,
  baselineW: number | undefined,
  contract: Contract | undefined,
  { capacity, clock }: RequestContext,
): Service {
  const scope = scopeOf(service);
  const can = capacity.installed(scope);
  const now = capacity.availableNow(scope, contract);
  const p = setpointParameters(service.fsr);
  const zeroW = p?.mode === 'relative' ? (baselineW ?? 0) : 0;
  const none = p !== undefined && (zeroW + p.minW > can.highW || zeroW + p.maxW < can.lowW);
  const part = p !== undefined && !none && (zeroW + p.minW < can.lowW || zeroW + p.maxW > can.highW);
  const feasible = !none && (!part || contract?.optPolicy.acceptPartial === true);
  const { fsrId, revision } = service.fsr;
  const decision: ServiceDecision = {
    fsrId,
    revision,
    decision: feasible ? (part ? 'partial' : 'accepted') : 'rejected',
    offered: { importMaxW: round3(Math.max(now.highW, 0)), exportMaxW: round3(Math.max(-now.lowW, 0)) },
    ...(feasible ? { accepted: [...service.members] } : { code: 'capability.insufficient' }),
    ...(feasible && baselineW !== undefined
      ? { baseline: { method: methodOf(service.fsr, contract), powerW: round3(baselineW) } }
      : {}),
  };
  const state = nextState(service.state, feasible ? 'feasible' : 'infeasible') ?? service.state;
  const next: Service = {
    ...service,
    state,
    ...(feasible ? { acceptedAt: clock.now() } : {}),
    ...(baselineW === undefined ? {} : { baselineW }),
  };
  return withDecision(next, clock, decision);
}

const methodOf = (fsr: ServiceRequest, contract: Contract | undefined): string =>
  (fsr.baseline ?? contract?.baseline)?.method ?? 'zero';

/** fo 3.8 as far as it needs no history: `zero`, and `declared` as the power of now, held. Others cannot be computed yet. */
function baselineOf(service: Service, contract: Contract | undefined, capacity: Capacity): number | undefined {
  const method = methodOf(service.fsr, contract);
  if (method === 'zero') return 0;
  return method === 'declared' ? capacity.measured(scopeOf(service)) : undefined;
}

export const scopeOf = (s: Service): Scope => ({ members: s.members, referencePoint: s.fsr.target.referencePoint });

const unknownTarget = (): V2gateError =>
  SERVICE_ERRORS.fail('resource.unknown', 'The target names something that this site does not have.', {
    path: '/fsr/target',
  });

function unsupported(serviceType: string): V2gateError | undefined {
  if (serviceType === 'setpoint') return undefined;
  const what = `Services of type ${serviceType} are not served here.`;
  return SERVICE_ERRORS.fail('capability.unsupported', what, { path: '/fsr/serviceType' });
}
