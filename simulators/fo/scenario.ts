import { iso } from '../../core/clock.ts';
import type { ResultBody } from '../../model/index.ts';
import type { FoBodies, FoInbound } from '../../protocols/fo/index.ts';
import { type ActOutcome, carryOut, confirmed, requestOf, targetNow } from './acts.ts';
import { requestBody, telemetryBody } from './bodies.ts';
import { EvidenceDesk } from './evidence-desk.ts';
import { DEFAULTS, type ScenarioService } from './scenario-file.ts';
import { heard, told } from './telling.ts';
import type { Action, Asked, Input, OperatorState, PlannedAct, Running, ScenarioOptions, Step } from './types.ts';

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
  readonly #desk: EvidenceDesk;
  #s: OperatorState;

  constructor(o: ScenarioOptions, state: OperatorState, now: number) {
    this.#o = o;
    this.#s = state;
    this.#now = now;
    this.#desk = new EvidenceDesk(state.evidence ?? [], (event, fsrId, fields) => this.#tell(event, fsrId, fields));
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
      case 'order':
        this.#order(input.act);
        break;
      case 'tick':
        break;
    }
  }

  /** Does what is due now, and says when to be called again. */
  finish(): Step {
    this.#loud();
    this.#acts();
    this.#advance();
    this.#desk.expire(this.#now);
    this.#finishRun();
    const wakeAt = this.#wakeAt();
    this.#s = { ...this.#s, evidence: this.#desk.awaited };
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
    const { acts = [], mutedUntil } = this.#s;
    const due = [this.#serviceWakeAt(), acts[0]?.at, mutedUntil, this.#desk.nextExpiry].filter((t) => t !== undefined);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  #serviceWakeAt(): number | undefined {
    const { running: r, up, done, nextAt } = this.#s;
    if (!r) return up && !done ? nextAt : undefined;
    if (r.phase !== 'accepted') return r.until;
    const { cancelAtS } = this.#service(r.index);
    const end = cancelAtS === undefined ? r.endAt : r.startAt + cancelAtS * 1000;
    return up ? Math.min(end, r.nextUpdateAt) : end;
  }

  /** Ends the silence that a scenario asked for. */
  #loud(): void {
    const { mutedUntil, ...rest } = this.#s;
    if (mutedUntil === undefined || this.#now < mutedUntil) return;
    this.#s = rest;
    this.#actions.push({ do: 'mute', on: false });
    this.#tell('loud', undefined, {});
  }

  #acts(): void {
    for (let [next, ...rest] = this.#s.acts ?? []; next && next.at <= this.#now; [next, ...rest] = this.#s.acts ?? []) {
      this.#s = { ...this.#s, acts: rest };
      this.#act(next);
    }
  }

  /** What has to do with a service needs one. */
  #order(act: PlannedAct['act']): void {
    const { fsrId, index, startAt } = this.#s.running ?? { fsrId: '', index: 0, startAt: this.#now };
    if (fsrId !== '' || ['mute', 'drop', 'pause'].includes(act.do))
      this.#act({ at: this.#now, fsrId, index, startAt, act });
    else this.#tell('controlFailed', undefined, { what: 'No service runs.', remedy: 'Try again when one does.' });
  }

  #act(planned: PlannedAct): void {
    const { act, fsrId, index } = planned;
    const running = this.#s.running?.fsrId === fsrId ? this.#s.running : undefined;
    this.#tell('act', fsrId, { what: act.do });
    if (act.do === 'cancel') {
      if (running) this.#cancel(running, 'the scenario says so');
      return;
    }
    this.#take(carryOut(planned, this.#service(index), running, this.#now));
  }

  #take({ actions, change, run }: ActOutcome): void {
    this.#actions.push(...actions);
    if (change) this.#s = { ...this.#s, ...change };
    if (run) this.#run(run);
  }

  /** The last service is over, and everything that belongs to it. */
  #finishRun(): void {
    const { done, toldDone, acts = [] } = this.#s;
    if (!done || toldDone || acts.length > 0 || this.#desk.awaited.length > 0) return;
    this.#s = { ...this.#s, toldDone: true };
    this.#tell('done', undefined, {});
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
      revision: 1,
    };
    const planned = (s.acts ?? []).map((act) => ({ at: startAt + act.atS * 1000, fsrId, index, startAt, act }));
    const acts = [...(this.#s.acts ?? []), ...planned].sort((a, b) => a.at - b.at);
    this.#s = { ...this.#s, begun: index + 1, running, acts };
    this.#request('RequestService', fsrId, requestBody(this.#o, s, { fsrId, startAt, endAt, decisionBy }));
    this.#tell('requested', fsrId, { start: iso(startAt), end: iso(endAt) });
  }

  #update(r: Running, s: ScenarioService): void {
    const { pausedUntil = 0 } = this.#s;
    if (s.type !== 'setpoint' || this.#now < pausedUntil) {
      this.#run({ nextUpdateAt: s.type === 'setpoint' ? pausedUntil : Number.POSITIVE_INFINITY });
      return;
    }
    const { targetW, until: nextStepAt } = targetNow(this.#s, s, r.startAt, this.#now);
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
    const { event, ...fields } = told(of, result, this.#o.keys?.());
    this.#tell(event, fsrId, fields);
    if (of === 'UpdateSetpoint') this.#countRefused(fsrId, ok);
    if (of === 'AmendService') this.#onAmended(fsrId, ok);
    if (of === 'RequestService' && !ok) this.#giveUp(fsrId, result.code ?? result.status);
  }

  #onAmended(fsrId: string, ok: boolean): void {
    const r = this.#s.running;
    if (r?.fsrId !== fsrId || !r.amending) return;
    const { amending, ...rest } = r;
    this.#s = { ...this.#s, running: ok ? { ...rest, ...amending } : rest };
  }

  #countRefused(fsrId: string, ok: boolean): void {
    const r = this.#s.running;
    if (r?.fsrId !== fsrId) return;
    this.#run({ refused: ok ? 0 : r.refused + 1 });
    if (!ok && r.refused + 1 >= MAX_REFUSED && r.phase === 'accepted') this.#giveUp(fsrId, 'setpointsRefused');
  }

  #onMessage(m: FoInbound): void {
    if (m.replyTo !== undefined) this.#actions.push({ do: 'answer', replyTo: m.replyTo, result: { status: 'ok' } });
    for (const { event, fsrId, ...fields } of heard(m)) this.#tell(event, fsrId, fields);
    switch (m.type) {
      case 'ServiceDecision':
        this.#onDecision(m.body);
        break;
      case 'ExecutionNotice': {
        const { fsrId, phase } = m.body;
        if (phase === 'completed' || phase === 'aborted' || phase === 'failed') this.#over(fsrId, phase);
        else this.#disown(fsrId);
        break;
      }
      case 'CancelService':
        this.#over(m.body.fsrId, 'cancelledByGateway');
        break;
      case 'ServiceRecord':
        this.#desk.record(m.body.record, m.signature?.keyId);
        break;
      case 'Proof':
        this.#desk.proof(m.body.proof, m.signature?.keyId);
        break;
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
    const { fsrId, decision } = d;
    const r = this.#s.running;
    if (r?.fsrId !== fsrId || r.phase !== 'requested') return;
    if (decision === 'rejected' || decision === 'optedOut') {
      this.#over(fsrId, decision, REFUSED_PAUSE_MS);
      return;
    }
    this.#run({ phase: 'accepted', nextUpdateAt: Math.max(this.#now, r.startAt) });
    this.#subscribe();
    if (decision === 'partial') this.#onPartial();
  }

  /** Numbers of a partial decision hold when they are confirmed (fo 4.2). */
  #onPartial(): void {
    const r = this.#s.running;
    if (!r) return;
    const service = this.#service(r.index);
    const { onPartial = 'confirm' } = service;
    if (onPartial === 'cancel') this.#cancel(r, 'only a part was offered');
    else if (onPartial === 'confirm') this.#take(confirmed(r, service));
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
    const { running, ...rest } = this.#s;
    if (running?.fsrId !== fsrId) return;
    const { scenario } = this.#o;
    const done = scenario.repeat === false && rest.begun >= scenario.services.length;
    this.#s = { ...rest, done, nextAt: this.#now + Math.max(leastPauseMs, scenario.pauseS * 1000) };
    this.#tell('over', fsrId, { why });
    const { evidenceWithinS } = this.#service(running.index);
    if (running.phase === 'requested')
      this.#s = { ...this.#s, acts: this.#s.acts?.filter((a) => a.fsrId !== fsrId) ?? [] };
    else if (evidenceWithinS !== undefined) this.#desk.expect(fsrId, this.#now + evidenceWithinS * 1000);
  }

  #run(change: Partial<Running>): void {
    if (this.#s.running) this.#s = { ...this.#s, running: { ...this.#s.running, ...change } };
  }

  #request<T extends Asked>(type: T, fsrId: string, body: FoBodies[T]): void {
    this.#actions.push(requestOf(type, fsrId, body));
  }

  #tell(event: string, fsrId: string | undefined, fields: Readonly<Record<string, unknown>>): void {
    this.#actions.push({ do: 'tell', event, ...(fsrId === undefined ? {} : { fsrId }), ...fields });
  }
}
