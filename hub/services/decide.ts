import { type Clock, parseTime } from '../../core/clock.ts';
import { round3 } from '../../core/quantities.ts';
import type { Contract, ServiceDecision } from '../../model/index.ts';
import { baselineField } from './baseline.ts';
import { tightestW } from './congestion.ts';
import { nextState, type ServiceEvent } from './machine.ts';
import { withDecision, withNotice } from './notices.ts';
import type { Capacity, PowerBand, Scope } from './request.ts';
import { congestionParameters, type Service, setpointParameters } from './service.ts';

/** The choice of drivers and owners is waited for until so long before `decisionBy` (fo 4.2). */
const BEFORE_DECISION_MS = 5_000;
/** The FO has at least so long to confirm a part (fo 4.2). */
const CONFIRM_MS = 30_000;
/** A part of the limit below which nothing speaks of a shortfall, W. */
const TRIFLE_W = 1;

export interface DecideContext {
  readonly clock: Clock;
  readonly capacity: Capacity;
}

/** fo 6.2 from `credentialChecked`: asks drivers and owners where the contract says so, else decides at once. */
export function choose(service: Service, contract: Contract | undefined, o: DecideContext): Service {
  const policy = contract?.optPolicy;
  const everybodyIsOut = service.members.every((m) => o.capacity.isOut(m));
  if (service.fsr.mandatory || !policy) return decide(service, contract, o);
  if (everybodyIsOut) return optedOut(service, o.clock);
  const until = parseTime(service.fsr.decisionBy) - BEFORE_DECISION_MS;
  if (policy.askUser && until > o.clock.now()) return { ...service, pending: { why: 'opt', until } };
  return policy.defaultOpt === 'out' && !hasOptedIn(service)
    ? optedOut(service, o.clock)
    : decide(service, contract, o);
}

/** The time to choose is over: who said nothing has chosen the default (fo 4.2). */
export function afterAsking(service: Service, contract: Contract | undefined, o: DecideContext): Service {
  const { pending: _, ...rest } = service;
  const isOut = contract?.optPolicy.defaultOpt === 'out' && !hasOptedIn(service);
  return isOut ? optedOut(rest, o.clock) : decide(rest, contract, o);
}

const hasOptedIn = (s: Service): boolean => s.optEvents?.at(-1)?.choice === 'in';

/** A service that nobody wants to serve: before its acceptance. */
export function optedOut(service: Service, clock: Clock): Service {
  const { pending: _, ...rest } = service;
  const { fsrId, revision } = service.fsr;
  return withDecision(moved(rest, 'optOut'), clock, {
    fsrId,
    revision,
    decision: 'optedOut',
    code: 'resource.optedOut',
  });
}

/** What the site can do of what is asked. */
export interface Feasibility {
  readonly verdict: 'all' | 'part' | 'none';
  readonly offered: NonNullable<ServiceDecision['offered']>;
  readonly counter?: NonNullable<ServiceDecision['counter']>;
}

/** fo 6.2: accepted, accepted in part, to be confirmed by the FO where it is less than asked, or rejected. */
export function decide(service: Service, contract: Contract | undefined, o: DecideContext): Service {
  const can = feasibility(service, contract, o.capacity);
  if (can.verdict === 'none') return rejected(service, can, o.clock);
  const isPart = can.verdict === 'part';
  const decision = acceptance(service, contract, can, isPart ? 'partial' : 'accepted', o);
  if (!isPart || contract?.optPolicy.acceptPartial === true)
    return withDecision(accepted(service, o.clock), o.clock, decision);
  const until = Math.max(o.clock.now() + CONFIRM_MS, parseTime(service.fsr.decisionBy));
  return withDecision({ ...service, pending: { why: 'confirm', until } }, o.clock, decision);
}

/** The FO has taken the part that was offered; the decision is told for its new revision. */
export function confirmed(service: Service, contract: Contract | undefined, o: DecideContext): Service {
  const { pending: _, ...rest } = service;
  const can = feasibility(service, contract, o.capacity);
  return withDecision(accepted(rest, o.clock), o.clock, acceptance(service, contract, can, 'accepted', o));
}

/** Nobody confirmed the part in time: the contract decides (fo 4.2). */
export function afterConfirming(service: Service, contract: Contract | undefined, clock: Clock): Service {
  const { pending: _, ...rest } = service;
  return contract?.optPolicy.acceptPartial === true ? accepted(rest, clock) : unconfirmed(rest, clock, 'time.expired');
}

/** A part that the FO does not take. */
export function unconfirmed(service: Service, clock: Clock, cause: string): Service {
  const { pending: _, ...rest } = service;
  return withNotice(moved(rest, 'decisionLapsed'), clock, 'aborted', { cause });
}

function rejected(service: Service, { offered, counter }: Feasibility, clock: Clock): Service {
  const { fsrId, revision } = service.fsr;
  return withDecision(moved(service, 'infeasible'), clock, {
    fsrId,
    revision,
    decision: 'rejected',
    offered,
    code: 'capability.insufficient',
    ...(counter === undefined ? {} : { counter }),
  });
}

const accepted = (service: Service, clock: Clock): Service => ({
  ...moved(service, 'feasible'),
  acceptedAt: clock.now(),
});

const moved = (service: Service, event: ServiceEvent): Service => ({
  ...service,
  state: nextState(service.state, event) ?? service.state,
});

/** The words of an acceptance: what is offered, who takes part and who does not. */
export function acceptance(
  service: Service,
  contract: Contract | undefined,
  { offered, counter }: Feasibility,
  decision: 'accepted' | 'partial',
  { capacity }: DecideContext,
): ServiceDecision {
  const { fsrId, revision, mandatory } = service.fsr;
  const out = mandatory ? [] : service.members.filter((m) => capacity.isOut(m));
  return {
    fsrId,
    revision,
    decision,
    offered,
    accepted: service.members.filter((m) => !out.includes(m)),
    ...(out.length === 0 ? {} : { refused: out.map((id) => ({ id, code: 'resource.optedOut' })) }),
    ...baselineField(service, contract),
    ...(counter === undefined ? {} : { counter }),
  };
}

/** What can be done of a request, by what is installed; the numbers told are those of now (fo 4.3 no. 12). */
export function feasibility(service: Service, contract: Contract | undefined, capacity: Capacity): Feasibility {
  const scope: Scope = { members: service.members, referencePoint: service.fsr.target.referencePoint };
  if (congestionParameters(service.fsr)) return ofLimits(service, scope, capacity);
  const now = capacity.availableNow(scope, contract);
  const offered = { importMaxW: round3(Math.max(now.highW, 0)), exportMaxW: round3(Math.max(-now.lowW, 0)) };
  const p = setpointParameters(service.fsr);
  if (!p) return { verdict: 'all', offered };
  const can = capacity.installed(scope);
  const zeroW = p.mode === 'relative' ? (service.baselineW ?? 0) : 0;
  if (zeroW + p.minW > can.highW || zeroW + p.maxW < can.lowW) return { verdict: 'none', offered };
  if (zeroW + p.minW >= can.lowW && zeroW + p.maxW <= can.highW) return { verdict: 'all', offered };
  return { verdict: 'part', offered, counter: within(p, zeroW, can) };
}

/** The range that could be served, as the FO says it. */
function within(
  p: { readonly minW: number; readonly maxW: number },
  zeroW: number,
  can: PowerBand,
): Record<string, number> {
  const clip = (w: number): number => round3(Math.min(Math.max(w, can.lowW - zeroW), can.highW - zeroW));
  return { minW: clip(p.minW), maxW: clip(p.maxW) };
}

/** A limit can be held as long as others alone stay below it; what drivers miss by it is named. */
function ofLimits(service: Service, scope: Scope, capacity: Capacity): Feasibility {
  const { neededW, leastW } = capacity.demand(scope);
  const eachW = tightestW(service);
  const limitW = eachW !== undefined && scope.referencePoint === 'evse' ? eachW * scope.members.length : eachW;
  if (limitW === undefined) return { verdict: 'all', offered: {} };
  const shortfallW = Math.max(0, neededW - limitW);
  const counter =
    shortfallW > TRIFLE_W ? { counter: { neededW: round3(neededW), shortfallW: round3(shortfallW) } } : {};
  if (leastW <= limitW) return { verdict: 'all', offered: { importMaxW: round3(limitW) }, ...counter };
  const least = { importLimitW: round3(Math.max(0, leastW)), ...counter.counter };
  return { verdict: 'part', offered: { importMaxW: round3(Math.max(0, leastW)) }, counter: least };
}
