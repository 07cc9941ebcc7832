import { iso } from '../../core/clock.ts';
import type { ResultBody } from '../../model/index.ts';
import type { FoBodies, FoInbound } from '../../protocols/fo/index.ts';
import { requestBody, telemetryBody } from './bodies.ts';
import { DEFAULTS, type Scenario, type ScenarioService, targetAt } from './scenario-file.ts';

/** The requests of an operator. */
export type Asked = 'RequestService' | 'UpdateSetpoint' | 'SubscribeTelemetry' | 'CancelService';

/** What happens to the operator. Results carry the fsrId of the service they belong to. */
export type Input =
  | { readonly kind: 'tick' }
  | { readonly kind: 'up' }
  | { readonly kind: 'down' }
  | { readonly kind: 'result'; readonly of: Asked; readonly fsrId: string; readonly result: ResultBody }
  /** No Result at all: expired, superseded, invalid. */
  | { readonly kind: 'failed'; readonly of: Asked; readonly fsrId: string; readonly code: string }
  | { readonly kind: 'message'; readonly message: FoInbound };

/** One line of the program's output. */
export interface OperatorEvent {
  readonly event: string;
  readonly fsrId?: string;
  readonly [field: string]: unknown;
}

/** What the operator does. */
export type Action =
  | {
      [T in Asked]: { readonly do: 'request'; readonly type: T; readonly fsrId: string; readonly body: FoBodies[T] };
    }[Asked]
  | { readonly do: 'answer'; readonly replyTo: string; readonly result: ResultBody }
  | ({ readonly do: 'tell' } & OperatorEvent);

/** One service from its request to its end. All times in epoch ms. */
interface Running {
  readonly fsrId: string;
  readonly index: number;
  readonly phase: 'requested' | 'accepted' | 'ending';
  readonly startAt: number;
  readonly endAt: number;
  /** When the present phase ends by itself. */
  readonly until: number;
  readonly seq: number;
  readonly nextUpdateAt: number;
  readonly lastTargetW?: number;
  /** Setpoints refused in a row. */
  readonly refused: number;
}

/** The whole state of the operator: plain data. */
export interface OperatorState {
  readonly up: boolean;
  /** Services begun so far. */
  readonly begun: number;
  readonly nextAt: number;
  readonly running?: Running;
  readonly done: boolean;
  /** Services of an earlier run of the program that were cancelled, the newest last. */
  readonly orphans?: readonly string[];
}

export interface ScenarioOptions {
  readonly scenario: Scenario;
  /** Used where a service names none. */
  readonly contractId: string;
  readonly groupId: string;
  /** Begins every fsrId; unique per run of the program. */
  readonly prefix: string;
}

export interface Step {
  readonly state: OperatorState;
  readonly actions: readonly Action[];
  /** Epoch ms at which a `tick` is due; absent while only messages matter. */
  readonly wakeAt?: number;
}

/** How long after its end or cancellation a service may take to report that it is over, ms. */
const END_WITHIN_MS = 10_000;
/** Cancelled services of earlier runs that are remembered. */
const MAX_ORPHANS = 16;
/** How long the decision may be late before the request is given up, ms. */
const DECISION_GRACE_MS = 5_000;
/** A refused request is not followed by the next one sooner than this, ms. */
const REFUSED_PAUSE_MS = 5_000;
/** Refused setpoints in a row after which the gateway does not know the service any more. */
const MAX_REFUSED = 3;

export const initialState = (now: number): OperatorState => ({ up: false, begun: 0, nextAt: now, done: false });

/** One step of the scenario. Pure: the same state, time and input give the same result. */
export function step(o: ScenarioOptions, state: OperatorState, now: number, input: Input): Step {
  const play = new Play(o, state, now);
  play.take(input);
  return play.finish();
}

/** Collects the changes of one step. */
class Play {
  readonly #o: ScenarioOptions;
  readonly #now: number;
  readonly #actions: Action[] = [];
  #s: OperatorState;

  constructor(o: ScenarioOptions, state: OperatorState, now: number) {
    this.#o = o;
    this.#s = state;
    this.#now = now;
  }

  take(input: Input): void {
    switch (input.kind) {
      case 'up':
        this.#s = { ...this.#s, up: true };
        if (this.#s.running?.phase === 'accepted') {
          this.#run({ nextUpdateAt: Math.max(this.#now, this.#s.running.startAt) });
          this.#subscribe();
        }
        break;
      case 'down':
        this.#s = { ...this.#s, up: false };
        break;
      case 'result':
        this.#onResult(input.of, input.fsrId, input.result);
        break;
      case 'failed':
        this.#tell('failed', input.fsrId, { of: input.of, code: input.code });
        if (input.of === 'RequestService') this.#giveUp(input.fsrId, 'noAnswer');
        break;
      case 'message':
        this.#onMessage(input.message);
        break;
      case 'tick':
        break;
    }
  }

  /** Does what is due now, and says when to be called again. */
  finish(): Step {
    this.#advance();
    const wakeAt = this.#wakeAt();
    return { state: this.#s, actions: this.#actions, ...(wakeAt === undefined ? {} : { wakeAt }) };
  }

  #advance(): void {
    const r = this.#s.running;
    if (!r) {
      if (this.#s.up && !this.#s.done && this.#now >= this.#s.nextAt) this.#begin();
      return;
    }
    if (r.phase === 'requested' && this.#now >= r.until) {
      this.#giveUp(r.fsrId, 'noDecision');
    } else if (r.phase === 'accepted') {
      const service = this.#service(r.index);
      const { cancelAtS } = service;
      if (cancelAtS !== undefined && this.#now >= r.startAt + cancelAtS * 1000) this.#cancel(r, 'the scenario says so');
      else if (this.#now >= r.endAt) this.#end(r, 'ended');
      else if (this.#s.up && this.#now >= r.nextUpdateAt) this.#update(r, service);
    } else if (r.phase === 'ending' && this.#now >= r.until) {
      this.#over(r.fsrId, 'endNotReported');
    }
  }

  #wakeAt(): number | undefined {
    const { running: r, up, done, nextAt } = this.#s;
    if (!r) return up && !done ? nextAt : undefined;
    if (r.phase !== 'accepted') return r.until;
    const { cancelAtS } = this.#service(r.index);
    const end = cancelAtS === undefined ? r.endAt : r.startAt + cancelAtS * 1000;
    return up ? Math.min(end, r.nextUpdateAt) : end;
  }

  #service(index: number): ScenarioService {
    const { services } = this.#o.scenario;
    const service = services[index % services.length];
    if (!service) throw new RangeError('A scenario has at least one service.');
    return service;
  }

  #begin(): void {
    const index = this.#s.begun;
    const s = this.#service(index);
    const fsrId = `${this.#o.prefix}-${index + 1}`;
    const startAt = this.#now + (s.startInS ?? DEFAULTS.startInS) * 1000;
    const endAt = startAt + s.durationS * 1000;
    const decisionBy = this.#now + (s.decisionWithinS ?? DEFAULTS.decisionWithinS) * 1000;
    const until = decisionBy + DECISION_GRACE_MS;
    const running: Running = {
      fsrId,
      index,
      phase: 'requested',
      startAt,
      endAt,
      until,
      seq: 0,
      nextUpdateAt: startAt,
      refused: 0,
    };
    this.#s = { ...this.#s, begun: index + 1, running };
    this.#request('RequestService', fsrId, requestBody(this.#o, s, { fsrId, startAt, endAt, decisionBy }));
    this.#tell('requested', fsrId, { start: iso(startAt), end: iso(endAt) });
  }

  #update(r: Running, s: ScenarioService): void {
    const offsetS = (this.#now - r.startAt) / 1000;
    const nextStep = s.steps.find((x) => x.atS > offsetS);
    const nextStepAt = nextStep ? r.startAt + nextStep.atS * 1000 : Number.POSITIVE_INFINITY;
    const targetW = targetAt(s, offsetS);
    if (targetW === undefined) {
      this.#run({ nextUpdateAt: nextStepAt });
      return;
    }
    const seq = r.seq + 1;
    const again = this.#now + (s.updateIntervalS ?? DEFAULTS.updateIntervalS) * 1000;
    this.#run({ seq, nextUpdateAt: Math.min(again, nextStepAt), lastTargetW: targetW });
    const validUntil = iso(this.#now + (s.validityS ?? DEFAULTS.validityS) * 1000);
    this.#request('UpdateSetpoint', r.fsrId, { setpoint: { fsrId: r.fsrId, seq, targetW, validUntil } });
    if (targetW !== r.lastTargetW) this.#tell('setpoint', r.fsrId, { seq, targetW });
  }

  #subscribe(): void {
    const r = this.#s.running;
    if (!r) return;
    this.#request('SubscribeTelemetry', r.fsrId, telemetryBody(this.#o, this.#service(r.index), r));
  }

  #onResult(of: Asked, fsrId: string, result: ResultBody): void {
    const ok = result.status === 'ok' || result.status === 'pending';
    const { status, code, state, message } = result;
    if (of === 'UpdateSetpoint') {
      if (ok) this.#tell('applied', fsrId, { ...result.data, code });
      else this.#tell('refused', fsrId, { of, status, code, message });
      this.#countRefused(fsrId, ok);
      return;
    }
    this.#tell(ok ? 'answered' : 'refused', fsrId, { of, status, code, state, ...(ok ? {} : { message }) });
    if (of === 'RequestService' && !ok) this.#giveUp(fsrId, code ?? status);
  }

  #countRefused(fsrId: string, ok: boolean): void {
    const r = this.#s.running;
    if (r?.fsrId !== fsrId) return;
    this.#run({ refused: ok ? 0 : r.refused + 1 });
    if (!ok && r.refused + 1 >= MAX_REFUSED && r.phase === 'accepted') this.#giveUp(fsrId, 'setpointsRefused');
  }

  #onMessage(m: FoInbound): void {
    if (m.replyTo !== undefined) this.#actions.push({ do: 'answer', replyTo: m.replyTo, result: { status: 'ok' } });
    switch (m.type) {
      case 'ServiceDecision':
        this.#onDecision(m.body);
        break;
      case 'Telemetry':
        for (const { fsrId, at, powerW, setpointW, quality, resourceId, groupId } of m.body.samples) {
          const subject = groupId ?? resourceId;
          this.#tell('measured', fsrId, { subject, measuredAt: at, powerW, setpointW, quality });
        }
        break;
      case 'ExecutionNotice': {
        const { fsrId, phase, powerW, shortfallW, cause } = m.body;
        this.#tell('notice', fsrId, { phase, powerW, shortfallW, cause });
        if (phase === 'completed' || phase === 'aborted' || phase === 'failed') this.#over(fsrId, phase);
        else this.#disown(fsrId);
        break;
      }
      case 'CancelService':
        this.#tell('cancelledByGateway', m.body.fsrId, { reason: m.body.reason });
        this.#over(m.body.fsrId, 'cancelledByGateway');
        break;
      default:
        this.#tell('received', undefined, { type: m.type });
    }
  }

  /** A service that an earlier run of the program left behind: nobody leads it any more, so it is cancelled, once. */
  #disown(fsrId: string): void {
    const { prefix } = this.#o;
    const orphans = this.#s.orphans ?? [];
    if (fsrId.startsWith(`${prefix}-`) || orphans.includes(fsrId)) return;
    this.#s = { ...this.#s, orphans: [...orphans, fsrId].slice(-MAX_ORPHANS) };
    this.#request('CancelService', fsrId, { fsrId, reason: 'left by an earlier run', at: iso(this.#now) });
  }

  #onDecision(d: FoBodies['ServiceDecision']): void {
    const { fsrId, decision, code, offered, accepted, refused } = d;
    this.#tell('decision', fsrId, { decision, code, offered, accepted: accepted?.length, refused: refused?.length });
    const r = this.#s.running;
    if (r?.fsrId !== fsrId || r.phase !== 'requested') return;
    if (decision === 'rejected' || decision === 'optedOut') {
      this.#over(fsrId, decision, REFUSED_PAUSE_MS);
      return;
    }
    this.#run({ phase: 'accepted', nextUpdateAt: Math.max(this.#now, r.startAt) });
    this.#subscribe();
  }

  #cancel(r: Running, reason: string): void {
    this.#request('CancelService', r.fsrId, { fsrId: r.fsrId, reason, at: iso(this.#now) });
    this.#end(r, 'cancelled');
  }

  /** No more setpoints; the gateway reports the end. */
  #end(r: Running, event: string): void {
    this.#tell(event, r.fsrId, { setpoints: r.seq });
    this.#run({ phase: 'ending', until: this.#now + END_WITHIN_MS });
  }

  /** Something went wrong: takes the request back and goes on with the next. */
  #giveUp(fsrId: string, why: string): void {
    if (this.#s.running?.fsrId !== fsrId) return;
    if (why === 'noDecision' || why === 'setpointsRefused') {
      this.#request('CancelService', fsrId, { fsrId, reason: why, at: iso(this.#now) });
    }
    this.#over(fsrId, why, REFUSED_PAUSE_MS);
  }

  #over(fsrId: string, why: string, leastPauseMs = 0): void {
    if (this.#s.running?.fsrId !== fsrId) return;
    const { running: _, ...rest } = this.#s;
    const { scenario } = this.#o;
    const done = scenario.repeat === false && rest.begun >= scenario.services.length;
    this.#s = { ...rest, done, nextAt: this.#now + Math.max(leastPauseMs, scenario.pauseS * 1000) };
    this.#tell('over', fsrId, { why });
    if (done) this.#tell('done', undefined, {});
  }

  #run(change: Partial<Running>): void {
    if (this.#s.running) this.#s = { ...this.#s, running: { ...this.#s.running, ...change } };
  }

  #request<T extends Asked>(type: T, fsrId: string, body: FoBodies[T]): void {
    // The pair of type and body is right by T; the compiler cannot see through the mapped type.
    this.#actions.push({ do: 'request', type, fsrId, body } as Action);
  }

  #tell(event: string, fsrId: string | undefined, fields: Readonly<Record<string, unknown>>): void {
    this.#actions.push({ do: 'tell', event, ...(fsrId === undefined ? {} : { fsrId }), ...fields });
  }
}
