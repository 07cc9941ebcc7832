import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, iso, parseTime } from '../../core/clock.ts';
import { codeOf, type V2gateError } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import { canonical } from '../../core/json.ts';
import {
  type CancelService,
  type ExecutionNotice,
  type RequestService,
  type ResultBody,
  SERVICE_ERRORS,
  type ServiceDecision,
  type ServicePhase,
  type ServiceTarget,
  type SiteFile,
  type UpdateSetpoint,
} from '../../model/index.ts';
import type { StoreOp } from '../ports.ts';
import { contractError, credentialError, membersOf, overlapError, timeError } from './checks.ts';
import { isRunning, nextState, type ServiceEvent } from './machine.ts';
import { type Notice, persist, type Service, serviceKey, setpointParameters } from './service.ts';

/** What the book must know about the fleet to decide. Powers in W, load convention. */
export interface Capacity {
  known(resourceId: string): boolean;
  /** What the members can do now, inside all limits (fo 8.6). */
  availableNow(members: readonly string[]): { readonly lowW: number; readonly highW: number };
  /** What they could do with an able EV at each, inside all limits. */
  installed(members: readonly string[]): { readonly lowW: number; readonly highW: number };
  /** What a target would become now (fo 8.3.4). */
  preview(service: Service, targetW: number): { readonly appliedW: number; readonly limitedBy?: string };
  /** Measured power of the members, undefined when it cannot be told. */
  measured(members: readonly string[]): number | undefined;
}

/** What the shell must do, in this order: persist, then tell. */
export interface Effects {
  readonly persist: readonly StoreOp[];
  readonly notices: readonly (Notice & { readonly peer: string })[];
  readonly changed: readonly string[];
}

export interface Handled extends Effects {
  readonly result?: ResultBody;
  readonly target?: ServiceTarget;
}

const MAX_SERVICES = 2_000;
/** Ended services stay visible this long, then only the store has them. */
const KEEP_ENDED_MS = 600_000;

/**
 * All flexibility services of a site with the moves of fo 6.2. It does no I/O: every call answers with what the shell
 * must persist and send. `now` is epoch ms.
 */
export class ServiceBook {
  readonly #clock: Clock;
  readonly #capacity: Capacity;
  readonly #services = new BoundedMap<string, Service>({ name: 'hub.services', max: MAX_SERVICES, overflow: 'refuse' });
  #file: SiteFile;

  constructor(o: { file: SiteFile; clock: Clock; capacity: Capacity }) {
    this.#file = o.file;
    this.#clock = o.clock;
    this.#capacity = o.capacity;
  }

  configure(file: SiteFile): void {
    this.#file = file;
  }

  /** Takes back a service that was stored before a restart; its newest setpoint is in force again if it is still valid. */
  restore(service: Service, now: number): void {
    const { setpoint } = service;
    const valid = service.state === 'active' && setpoint !== undefined && parseTime(setpoint.validUntil) > now;
    const begun = valid && parseTime(setpoint.effectiveAt ?? iso(now)) <= now;
    const inForce = begun
      ? { targetW: setpoint.targetW, validUntil: parseTime(setpoint.validUntil), seq: setpoint.seq }
      : undefined;
    this.#put(inForce === undefined ? service : { ...service, inForce });
  }

  all(): Service[] {
    return [...this.#services.values()];
  }

  running(): Service[] {
    return this.all().filter((s) => isRunning(s.state));
  }

  /** Active services, the most important first (fo 6.3): mandatory, priority, acceptance time. */
  active(): Service[] {
    return this.all()
      .filter((s) => s.state === 'active')
      .sort(
        (a, b) =>
          Number(b.fsr.mandatory) - Number(a.fsr.mandatory) ||
          a.fsr.priority - b.fsr.priority ||
          (a.acceptedAt ?? 0) - (b.acceptedAt ?? 0),
      );
  }

  find(fsrId: string): Service | undefined {
    return this.all().find((s) => s.fsr.fsrId === fsrId && isRunning(s.state));
  }

  /** `RequestService`: checked at once; the decision follows as a notice (fo 4.2, fo 6.2). */
  request(body: RequestService, foId: string, now: number): Handled {
    const { fsr } = body;
    const key = serviceKey(foId, fsr.fsrId);
    const digest = canonical(fsr);
    const known = this.#services.get(key);
    if (known) return this.#again(known, digest);
    const members = membersOf(fsr, this.#file, (r) => this.#capacity.known(r));
    const refusal =
      timeError(fsr, now) ??
      contractError(fsr, foId, this.#file, now) ??
      (members
        ? undefined
        : SERVICE_ERRORS.fail('resource.unknown', 'The target names something that this site does not have.', {
            path: '/fsr/target',
          })) ??
      unsupported(fsr.serviceType) ??
      credentialError(foId, this.#file, now) ??
      overlapError(fsr, foId, this.#services.values());
    if (refusal || !members) return { ...NOTHING, result: refused(refusal) };
    const service: Service = { foId, fsr, digest, state: 'credentialChecked', members, outgoing: [] };
    const decided = this.#decide(service, now);
    if (!this.#services.set(key, decided)) {
      return {
        ...NOTHING,
        result: refused(SERVICE_ERRORS.fail('conflict.overlap', 'This site holds as many services as it can.')),
      };
    }
    const effects = this.#effects(decided, service, now);
    return { ...effects, result: { status: 'ok', state: 'credentialChecked' } };
  }

  /** `UpdateSetpoint`: only the highest `seq` counts, inside what was asked for, not after its end (fo 3.7, fo 4.2). */
  setpoint(body: UpdateSetpoint, foId: string, now: number): Handled {
    const { setpoint } = body;
    const service = this.#services.get(serviceKey(foId, setpoint.fsrId));
    const refusal = this.#setpointError(service, body, now);
    if (refusal || !service) return { ...NOTHING, result: refused(refusal) };
    const next: Service = { ...service, setpoint };
    this.#put(next);
    const stored: StoreOp = {
      op: 'put',
      kind: 'setpoint',
      key: serviceKey(foId, setpoint.fsrId),
      at: now,
      body: setpoint,
    };
    const target: ServiceTarget = {
      fsrId: setpoint.fsrId,
      targetW: setpoint.targetW,
      validUntil: setpoint.validUntil,
      seq: setpoint.seq,
    };
    const preview = this.#capacity.preview(next, setpoint.targetW);
    const clipped = preview.limitedBy !== undefined;
    const result: ResultBody = {
      status: 'ok',
      ...(clipped ? { code: 'limit.clipped' } : {}),
      state: service.state,
      data: { appliedW: preview.appliedW, ...(clipped ? { limitedBy: preview.limitedBy } : {}) },
    };
    const startsNow = service.state === 'active' && parseTime(setpoint.effectiveAt ?? iso(now)) <= now;
    return { ...NOTHING, persist: [stored], result, ...(startsNow ? { target } : {}) };
  }

  /** `CancelService` from the FO: ends the service now or at `at` if that is earlier than its end (fo 6.2). */
  cancel(body: CancelService, foId: string, now: number): Handled {
    const service = this.#services.get(serviceKey(foId, body.fsrId));
    if (!service) return { ...NOTHING, result: refused(unknownService(body.fsrId)) };
    const state = nextState(service.state, 'cancel');
    if (!state) {
      return {
        ...NOTHING,
        result: refused(SERVICE_ERRORS.fail('state.invalid', `The service is ${service.state} already.`)),
      };
    }
    const ended = this.#move(service, 'cancel', now, { cause: body.reason });
    return { ...this.#effects(ended, service, now), changed: ['cancel'], result: { status: 'ok', state: ended.state } };
  }

  /** A target reached `allocate`: from now on it is in force. False when it is for nobody, or lapsed, or older. */
  inForce(target: ServiceTarget, now: number): Handled & { readonly taken: boolean } {
    const service = this.find(target.fsrId);
    const validUntil = parseTime(target.validUntil);
    const older = service?.inForce?.seq !== undefined && target.seq !== undefined && target.seq < service.inForce.seq;
    if (service?.state !== 'active' || older || validUntil <= now) return { ...NOTHING, taken: false };
    const { fallback, ...rest } = service;
    const inForce = { targetW: target.targetW, validUntil, ...(target.seq === undefined ? {} : { seq: target.seq }) };
    const next: Service = { ...rest, inForce };
    const told = fallback ? this.#tell(next, 'resumed', now) : next;
    this.#put(told);
    return { ...this.#effects(told, service, now, fallback !== undefined), taken: true };
  }

  /** Keeps what is newer than the service itself: the result of an allocation, a deviation, a lost fleet. */
  update(service: Service, patch: Partial<Service>): Service {
    const next = { ...service, ...patch };
    this.#put(next);
    return next;
  }

  /** As `update`, for a service from which something was taken away. */
  replace(service: Service): void {
    this.#put(service);
  }

  /** Moves a service and says so to its FO. */
  move(service: Service, event: ServiceEvent, now: number, extra: Partial<ExecutionNotice> = {}): Effects {
    if (!nextState(service.state, event)) return NOTHING;
    const next = this.#move(service, event, now, extra);
    return this.#effects(next, service, now);
  }

  /** A notice without a move: fallback, deviation, resourceLost … */
  notice(service: Service, phase: ServicePhase, now: number, extra: Partial<ExecutionNotice> = {}): Effects {
    const next = this.#tell(service, phase, now, extra);
    this.#put(next);
    return this.#effects(next, service, now);
  }

  /** A notice has reached the outbox of the link: it need not be kept here any more. */
  delivered(noticeId: string, now: number): Effects {
    const service = this.all().find((s) => s.outgoing.some((n) => n.id === noticeId));
    if (!service) return NOTHING;
    const next = { ...service, outgoing: service.outgoing.filter((n) => n.id !== noticeId) };
    this.#put(next);
    return { ...NOTHING, persist: [persist(next, now)] };
  }

  /** Forgets services that ended a while ago and have nothing left to tell. */
  forgetEnded(now: number): Effects {
    const done = this.all().filter(
      (s) => !isRunning(s.state) && s.outgoing.length === 0 && parseTime(s.fsr.window.end) + KEEP_ENDED_MS < now,
    );
    for (const s of done) this.#services.delete(serviceKey(s.foId, s.fsr.fsrId));
    return NOTHING;
  }

  #again(known: Service, digest: string): Handled {
    if (known.digest === digest) return { ...NOTHING, result: { status: 'ok', state: known.state } };
    return {
      ...NOTHING,
      result: refused(
        SERVICE_ERRORS.fail('id.conflict', `fsrId ${known.fsr.fsrId} was used before with other content.`, {
          path: '/fsr/fsrId',
        }),
      ),
    };
  }

  #decide(service: Service, now: number): Service {
    const p = setpointParameters(service.fsr);
    const can = this.#capacity.installed(service.members);
    const offered = this.#capacity.availableNow(service.members);
    const none = p !== undefined && (p.minW > can.highW || p.maxW < can.lowW);
    const partial = p !== undefined && !none && (p.minW < can.lowW || p.maxW > can.highW);
    const contract = this.#file.contracts?.find((c) => c.contractId === service.fsr.contractId);
    // Without acceptPartial the FO would have to be asked back; until that exchange exists, it is a refusal with numbers.
    const feasible = !none && (!partial || contract?.optPolicy.acceptPartial === true);
    const baselineW = feasible ? this.#baseline(service) : undefined;
    const decision: ServiceDecision = {
      fsrId: service.fsr.fsrId,
      revision: service.fsr.revision,
      decision: feasible ? (partial ? 'partial' : 'accepted') : 'rejected',
      offered: { importMaxW: Math.max(offered.highW, 0), exportMaxW: Math.max(-offered.lowW, 0) },
      ...(feasible ? { accepted: [...service.members] } : { code: 'capability.insufficient' }),
      ...(baselineW === undefined ? {} : { baseline: { method: this.#baselineMethod(service), powerW: baselineW } }),
    };
    const state = nextState(service.state, feasible ? 'feasible' : 'infeasible') ?? service.state;
    return {
      ...service,
      state,
      decision,
      ...(feasible ? { acceptedAt: now } : {}),
      ...(baselineW === undefined ? {} : { baselineW }),
      outgoing: [...service.outgoing, this.#note('hub/ServiceDecision', decision, now)],
    };
  }

  #baselineMethod(service: Service): string {
    const rule =
      service.fsr.baseline ?? this.#file.contracts?.find((c) => c.contractId === service.fsr.contractId)?.baseline;
    return rule?.method ?? 'zero';
  }

  /** fo 3.8 as far as it needs no history: `zero`; others are frozen from the power measured now. */
  #baseline(service: Service): number | undefined {
    return this.#baselineMethod(service) === 'zero' ? 0 : this.#capacity.measured(service.members);
  }

  #setpointError(service: Service | undefined, body: UpdateSetpoint, now: number): V2gateError | undefined {
    const { setpoint } = body;
    const path = (field: string) => ({ path: `/setpoint/${field}` });
    if (!service) return unknownService(setpoint.fsrId);
    if (!isRunning(service.state))
      return SERVICE_ERRORS.fail('state.invalid', `The service is ${service.state}.`, path('fsrId'));
    const p = setpointParameters(service.fsr);
    if (!p) return SERVICE_ERRORS.fail('state.invalid', 'This service takes no setpoints.', path('fsrId'));
    const newest = service.setpoint?.seq;
    if (newest !== undefined && setpoint.seq <= newest) {
      return SERVICE_ERRORS.fail('seq.stale', `seq ${setpoint.seq} came after ${newest}.`, path('seq'));
    }
    const until = parseTime(setpoint.validUntil);
    if (until <= now)
      return SERVICE_ERRORS.fail(
        'time.expired',
        'The setpoint was valid only until before it arrived.',
        path('validUntil'),
      );
    if (until > now + 310_000) {
      return SERVICE_ERRORS.fail('param.range', 'A setpoint is valid for at most 300 s.', path('validUntil'));
    }
    if (setpoint.targetW < p.minW || setpoint.targetW > p.maxW) {
      return SERVICE_ERRORS.fail(
        'param.range',
        `targetW must lie within ${p.minW} … ${p.maxW} W as requested.`,
        path('targetW'),
      );
    }
    return undefined;
  }

  #move(service: Service, event: ServiceEvent, now: number, extra: Partial<ExecutionNotice> = {}): Service {
    const state = nextState(service.state, event) ?? service.state;
    const moved = { ...service, state };
    const told = isPhase(state) ? this.#tell(moved, state, now, extra) : moved;
    this.#put(told);
    return told;
  }

  #tell(service: Service, phase: ServicePhase, now: number, extra: Partial<ExecutionNotice> = {}): Service {
    const body: ExecutionNotice = { fsrId: service.fsr.fsrId, phase, at: iso(now), ...extra };
    return { ...service, outgoing: [...service.outgoing, this.#note('hub/ExecutionNotice', body, now)].slice(-200) };
  }

  #note(topic: Notice['topic'], payload: unknown, now: number): Notice {
    return { id: uuidv7(this.#clock), topic, payload, at: now };
  }

  #put(service: Service): void {
    this.#services.set(serviceKey(service.foId, service.fsr.fsrId), service);
  }

  #effects(next: Service, before: Service, now: number, stored = true): Effects {
    const old = new Set(before.outgoing.map((n) => n.id));
    const notices = next.outgoing.filter((n) => !old.has(n.id)).map((n) => ({ ...n, peer: next.foId }));
    return { persist: stored ? [persist(next, now)] : [], notices, changed: [] };
  }
}

const NOTHING: Effects = { persist: [], notices: [], changed: [] };

function isPhase(state: string): state is ServicePhase {
  return ['scheduled', 'active', 'completed', 'aborted', 'failed'].includes(state);
}

const unknownService = (fsrId: string): V2gateError =>
  SERVICE_ERRORS.fail('id.unknown', `There is no service ${fsrId}.`, { path: '/fsrId' });

function unsupported(serviceType: string): V2gateError | undefined {
  if (serviceType === 'setpoint') return undefined;
  return SERVICE_ERRORS.fail('capability.unsupported', `Services of type ${serviceType} are not served here.`, {
    path: '/fsr/serviceType',
  });
}

/** A business no as a Result (fo 4.1). */
export function refused(e: V2gateError | undefined): ResultBody {
  const error = e ?? SERVICE_ERRORS.fail('id.unknown');
  const code = codeOf(error) ?? 'internal.permanent';
  const details =
    error.cause.path === undefined ? {} : { details: [{ path: error.cause.path, code, message: error.cause.what }] };
  return { status: 'rejected', code, message: error.message, ...details };
}
