import { parseTime } from '../../core/clock.ts';
import type { V2gateError } from '../../core/errors.ts';
import { canonical } from '../../core/json.ts';
import { type AmendService, type ResultBody, SERVICE_ERRORS, ServiceRequest } from '../../model/index.ts';
import { baselineOf } from './baseline.ts';
import { contractOf, powerError } from './checks.ts';
import { acceptance, choose, confirmed, decide, feasibility } from './decide.ts';
import { isRunning } from './machine.ts';
import { withDecision } from './notices.ts';
import { type RequestContext, requestError } from './request.ts';
import { refused } from './results.ts';
import { type Service, setpointParameters } from './service.ts';

const { fail } = SERVICE_ERRORS;

export interface Amended {
  readonly result: ResultBody;
  readonly service?: Service;
}

/**
 * `AmendService` (fo 4.3 no. 14): the next revision is checked like a new request; refused, the old one stays in force. In
 * answer to a partial decision the same numbers confirm it (fo 4.2).
 */
export function amend(service: Service, body: AmendService, o: RequestContext): Amended {
  const { fsr } = service;
  if (wasDecided(service, body)) return { result: { status: 'ok', state: service.state } };
  const wrong = revisionError(service, body);
  if (wrong) return { result: refused(wrong) };
  const next = ServiceRequest.accept({
    ...fsr,
    revision: body.revision,
    window: body.window ?? fsr.window,
    parameters: body.parameters ?? fsr.parameters,
    fallback: body.fallback ?? fsr.fallback,
  });
  if (service.pending?.why === 'confirm' && sameTerms(fsr, next)) return confirm(service, next, o);
  const error = movedStart(service, next, o.clock.now()) ?? requestError(next, service.members, o, service);
  if (error) return { result: refused(error) };
  return carried(service, next, body, o);
}

function confirm(service: Service, fsr: ServiceRequest, o: RequestContext): Amended {
  const contract = contractOf(fsr.contractId, o.foId, o.file);
  const next = confirmed(revised(service, fsr, o), contract, o);
  return { result: { status: 'ok', state: next.state }, service: next };
}

/** The next revision with its decision to tell; one that cannot be served is told as rejected and changes nothing else. */
function carried(service: Service, fsr: ServiceRequest, body: AmendService, o: RequestContext): Amended {
  const contract = contractOf(fsr.contractId, o.foId, o.file);
  const { pending: _, ...rest } = service;
  const draft = revised(isRunning(service.state) ? service : rest, fsr, o);
  // What was frozen at the acceptance stays, unless the window has yet to come and is another one.
  const refresh = service.startedAt === undefined && fsr.window.start !== service.fsr.window.start;
  const based: Service = refresh ? { ...draft, ...baselineOf(draft, contract, o) } : draft;
  const beyond = powerError(fsr, contract, based.baselineW);
  if (beyond) return { result: refused(beyond) };
  if (!isRunning(service.state)) {
    // Drivers and owners who are being asked have not chosen yet: an amendment does not choose for them (fo 4.2).
    const next = service.pending?.why === 'opt' ? choose(based, contract, o) : decide(based, contract, o);
    return { result: { status: 'ok', state: next.state }, service: next };
  }
  const can = feasibility(based, contract, o.capacity);
  const accepts = can.verdict === 'all' || (can.verdict === 'part' && contract?.optPolicy.acceptPartial === true);
  if (!accepts) {
    const { fsrId, revision } = fsr;
    const { offered, counter } = can;
    const said = { fsrId, revision, decision: 'rejected' as const, code: 'capability.insufficient', offered };
    const told = withDecision(service, o.clock, { ...said, ...(counter === undefined ? {} : { counter }) });
    const kept = service.decision === undefined ? {} : { decision: service.decision };
    const refusedAmendment = { revision, digest: canonical(body) };
    return { result: { status: 'ok', state: service.state }, service: { ...told, ...kept, refusedAmendment } };
  }
  const word = can.verdict === 'all' ? 'accepted' : 'partial';
  const next = withDecision(based, o.clock, acceptance(based, contract, can, word, o));
  return { result: { status: 'ok', state: next.state }, service: next };
}

const revised = (service: Service, fsr: ServiceRequest, o: RequestContext): Service => ({
  ...service,
  fsr,
  amendments: [...(service.amendments ?? []), { revision: fsr.revision, at: o.clock.now() }].slice(-MAX_AMENDMENTS),
});

const MAX_AMENDMENTS = 1_000;

/** Each revision is decided once and never used again, also one that was refused (fo 3, fo 4.3 no. 12). */
function revisionError(service: Service, { revision }: AmendService): V2gateError | undefined {
  const { fsr, state, pending, refusedAmendment } = service;
  const at = { path: '/revision' };
  if (!isRunning(state) && pending === undefined)
    return fail('state.invalid', `The service is ${state}.`, { path: '/fsrId' });
  const newest = Math.max(fsr.revision, refusedAmendment?.revision ?? 0);
  if (revision <= newest) return fail('seq.stale', `Revision ${revision} came after ${newest}.`, at);
  if (revision > newest + 1) return fail('param.range', `The next revision is ${newest + 1}, not ${revision}.`, at);
  return undefined;
}

/** The begin of what has begun is history. */
function movedStart(service: Service, next: ServiceRequest, now: number): V2gateError | undefined {
  if (service.startedAt === undefined || next.window.start === service.fsr.window.start) return undefined;
  if (parseTime(next.window.start) <= now) return undefined;
  return fail('state.invalid', 'The service has begun; its window can only get another end.', {
    path: '/window/start',
  });
}

const terms = ({ window, parameters }: Pick<ServiceRequest, 'window' | 'parameters'>): string =>
  canonical({ start: parseTime(window.start), end: parseTime(window.end), parameters });

const sameTerms = (a: ServiceRequest, b: ServiceRequest): boolean => terms(a) === terms(b);

/** The last amendment, in force or refused, said again: its answer may have been lost. */
function wasDecided(service: Service, body: AmendService): boolean {
  const { fsr, refusedAmendment: no } = service;
  if (body.revision === no?.revision) return canonical(body) === no.digest;
  return body.revision === fsr.revision && isSame(service, body);
}

function isSame({ fsr, amendments }: Service, { window, parameters, fallback }: AmendService): boolean {
  const same = (part: unknown, whole: unknown): boolean => part === undefined || canonical(part) === canonical(whole);
  const known = amendments?.at(-1)?.revision === fsr.revision;
  return known && same(window, fsr.window) && same(parameters, fsr.parameters) && same(fallback, fsr.fallback);
}

/** What is in force stays inside the range of the new revision. */
export function clippedTarget(service: Service, targetW: number): number {
  const p = setpointParameters(service.fsr);
  return p ? Math.min(Math.max(targetW, p.minW), p.maxW) : targetW;
}
