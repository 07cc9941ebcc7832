import type { Clock } from '../../core/clock.ts';
import type { V2gateError } from '../../core/errors.ts';
import { canonical } from '../../core/json.ts';
import {
  type Contract,
  type RequestService,
  type ResultBody,
  SERVICE_ERRORS,
  type ServiceDecision,
  type ServiceRequest,
  type SiteFile,
} from '../../model/index.ts';
import { baselineError, baselineOf } from './baseline.ts';
import {
  contractError,
  contractOf,
  credentialError,
  mandateError,
  membersOf,
  powerError,
  reactiveError,
  timeError,
} from './checks.ts';
import { congestionError } from './congestion-checks.ts';
import { choose } from './decide.ts';
import { nextState, type ServiceEvent } from './machine.ts';
import { overlapError } from './order.ts';
import { refused } from './results.ts';
import { remaining, type Service, setpointParameters } from './service.ts';
import { type ContractUse, useError } from './usage.ts';

/** A sum of power: of the members, or of the whole site at the POC (fo 2.3). */
export interface Scope {
  readonly members: readonly string[];
  readonly referencePoint: ServiceRequest['target']['referencePoint'];
}

export interface PowerBand {
  readonly lowW: number;
  readonly highW: number;
}

/** What a setpoint would become, as the FO says it, W. */
export interface Preview {
  readonly appliedW: number;
  readonly limitedBy?: string;
  /** A service that stands above has taken members away. */
  readonly cause?: 'priority';
}

export type PowerSeries = NonNullable<NonNullable<ServiceDecision['baseline']>['series']>;

/** What must be known about the fleet to decide. Powers in W, load convention, at the reference point. */
export interface Capacity {
  known(resourceId: string): boolean;
  /** What the members can do now, inside all limits (fo 8.6). */
  availableNow(scope: Scope, contract: Contract | undefined): PowerBand;
  /** What they could do with an able EV at each, inside all limits. */
  installed(scope: Scope): PowerBand;
  /** What a target would become now (fo 8.3.4). `done`: the newest run has followed it, so that is known already. */
  preview(service: Service, targetW: number, done: boolean): Preview;
  /** Measured power, undefined when it cannot be told. */
  measured(scope: Scope): number | undefined;
  /** Mean of the measured power over `[fromMs, toMs)`, undefined when it cannot be told. */
  mean(scope: Scope, fromMs: number, toMs: number): number | undefined;
  /** What they would do without any service, over the span in planning steps (fo 3.8 `declared`). */
  planned(scope: Scope, fromMs: number, toMs: number): PowerSeries | undefined;
  /** The driver or owner has opted out. */
  isOut(resourceId: string): boolean;
  /** Where a limit for these members is enforced: `poc`, a circuit, or each of them; undefined where it cannot be. */
  nodes(fsr: ServiceRequest, members: readonly string[]): readonly string[] | undefined;
  /** Import at the reference point now when everybody gets what is needed, and when nobody gets anything, W. */
  demand(scope: Scope): { readonly neededW: number; readonly leastW: number };
}

export interface RequestContext {
  readonly foId: string;
  readonly file: SiteFile;
  readonly clock: Clock;
  readonly capacity: Capacity;
  readonly use: ContractUse;
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
  const members = membersOf(fsr, o.file, (r) => o.capacity.known(r));
  const refusal = requestError(fsr, members, o);
  if (refusal || !members) return { result: refused(refusal ?? unknownTarget()) };
  const contract = contractOf(fsr.contractId, o.foId, o.file);
  const checked = through({ ...draft(fsr, members, o), state: 'received' }, 'formOk', 'credentialsOk');
  const service: Service = { ...checked, ...baselineOf(checked, contract, o) };
  const beyond = powerError(fsr, contract, service.baselineW);
  if (beyond) return { result: refused(beyond) };
  const chosen = choose(service, contract, o);
  const status = chosen.pending?.why === 'opt' ? 'pending' : 'ok';
  return { result: { status, state: 'credentialChecked' }, service: chosen };
}

/** What speaks against a request, or against what an amendment makes of it; `running`: the service that is amended. */
export function requestError(
  fsr: ServiceRequest,
  members: readonly string[] | undefined,
  o: RequestContext,
  running?: Service,
): V2gateError | undefined {
  const now = o.clock.now();
  return (
    timeError(fsr, now, running) ??
    contractError(fsr, o.foId, o.file, now, running) ??
    mandateError(fsr, o.foId, o.file) ??
    (members ? undefined : unknownTarget()) ??
    unsupported(fsr.serviceType) ??
    reactiveError(setpointParameters(fsr)?.reactiveVar, '/fsr/parameters/reactiveVar') ??
    credentialError(o.foId, o.file, now) ??
    (running ? undefined : useError(fsr, o.foId, o)) ??
    (running ? undefined : baselineError(fsr, contractOf(fsr.contractId, o.foId, o.file))) ??
    congestionError(fsr, members ?? [], o) ??
    overlapError({ fsr, foId: o.foId, members: members ?? [] }, o.others, o.file)
  );
}

/** The same request again, or another one under the same id (fo 4.2). */
export function repeated(known: Service, fsr: ServiceRequest): ResultBody {
  if (known.digest === canonical(fsr)) return { status: 'ok', state: known.state };
  const what = `fsrId ${fsr.fsrId} was used before with other content.`;
  return refused(SERVICE_ERRORS.fail('id.conflict', what, { path: '/fsr/fsrId' }));
}

/** Where a service is counted now: those that still take part, at its reference point. */
export const scopeOf = (s: Service): Scope => ({ members: remaining(s), referencePoint: s.fsr.target.referencePoint });

const draft = (fsr: ServiceRequest, members: readonly string[], { foId }: RequestContext): Omit<Service, 'state'> => ({
  foId,
  fsr,
  digest: canonical(fsr),
  members,
  outgoing: [],
});

/** A record after moves of fo 6.2 that follow at once. */
function through(service: Service, ...events: readonly ServiceEvent[]): Service {
  let { state } = service;
  for (const e of events) state = nextState(state, e) ?? state;
  return { ...service, state };
}

const unknownTarget = (): V2gateError =>
  SERVICE_ERRORS.fail('resource.unknown', 'The target names something that this site does not have.', {
    path: '/fsr/target',
  });

function unsupported(serviceType: string): V2gateError | undefined {
  if (serviceType === 'setpoint' || serviceType === 'congestion') return undefined;
  const what = `Services of type ${serviceType} are not served here.`;
  return SERVICE_ERRORS.fail('capability.unsupported', what, { path: '/fsr/serviceType' });
}
