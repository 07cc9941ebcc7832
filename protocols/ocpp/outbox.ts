import type { BoundStats } from '../../core/bounded.ts';
import type { V2gateError } from '../../core/errors.ts';
import type { SessionConfig } from './config.ts';
import type { Done, Effect } from './effects.ts';
import { NONE, report, settle, write } from './effects.ts';
import { callError, OCPP_ERRORS, rpcCodeOf, wireCode } from './errors.ts';
import { CALLRESULTERROR, encodeCall, encodeError, encodeSend, UNREADABLE_ID } from './frames.ts';
import { CallQueue } from './queue.ts';
import type { CallOptions, Priority } from './types.ts';
import type { ActionInfo } from './validators.ts';

interface Outbound {
  readonly id: string;
  readonly info: ActionInfo;
  readonly text: string;
  readonly priority: Priority;
  readonly replaceKey: string | undefined;
  readonly expiresAt: number;
  readonly timeoutMs: number;
  readonly done: Done;
  readonly onSent: CallOptions['onSent'];
  deadline: number;
}

/** Ids of timed-out calls, to tell a late answer from a stray one. */
const LATE_KEPT = 8;

/** Our own CALLs: one open at a time, the others in the queue (ocpp 1.3). */
export class Outbox {
  readonly #o: SessionConfig;
  readonly #queue: CallQueue<Outbound>;
  #open: Outbound | undefined;
  /** Made when first needed: most connections never time out. */
  #late: string[] | undefined;

  constructor(o: SessionConfig) {
    this.#o = o;
    this.#queue = new CallQueue(o.limits.maxQueue);
  }

  /** When the open call is overdue, epoch ms; Infinity without one. */
  get deadline(): number {
    return this.#open?.deadline ?? Number.POSITIVE_INFINITY;
  }

  /** True when no call is open; then none is queued either. */
  get idle(): boolean {
    return this.#open === undefined;
  }

  stats(): BoundStats {
    return this.#queue.stats();
  }

  call(action: string, payload: unknown, o: CallOptions, done: Done): readonly Effect[] {
    const info = this.#o.validators.action(action);
    const problem = this.#refusal(info, 'request', action, payload, o.validated);
    if (info === undefined || problem !== undefined) return [settle(done, problem)];
    const id = this.#o.ids();
    const text = encoded(action, () => encodeCall(id, action, payload));
    if (typeof text !== 'string') return [settle(done, text)];
    const { timeouts, timeoutMs } = this.#o.limits;
    const priority = o.priority ?? 'request';
    const call: Outbound = {
      id,
      info,
      text,
      priority,
      replaceKey: o.replaceKey,
      expiresAt: o.expiresAt ?? Number.POSITIVE_INFINITY,
      timeoutMs: o.timeoutMs ?? timeouts[priority] ?? timeoutMs,
      done,
      onSent: o.onSent,
      deadline: 0,
    };
    return this.#open === undefined ? this.#start(call, []) : this.#enqueue(call);
  }

  /** A SEND goes past the queue, as nobody answers it. */
  send(action: string, payload: unknown, done: Done): readonly Effect[] {
    if (!this.#o.newFrames) return [settle(done, OCPP_ERRORS.fail('ocpp.noSend'))];
    const problem = this.#refusal(this.#o.validators.action(action), 'send', action, payload, false);
    if (problem !== undefined) return [settle(done, problem)];
    const text = encoded(action, () => encodeSend(this.#o.ids(), action, payload));
    return typeof text === 'string' ? [write(text), settle(done, undefined)] : [settle(done, text)];
  }

  /** A CALLRESULT has arrived. */
  result(id: string, payload: unknown): readonly Effect[] {
    const open = this.#open;
    if (open === undefined || open.id !== id) return [this.#stray(id)];
    const violation = open.info.accept('response', payload);
    if (violation === undefined) return this.#next([settle(open.done, undefined, payload)]);
    const { version, newFrames } = this.#o;
    const { code, message, path } = violation;
    const action = open.info.name;
    const effects: Effect[] = [];
    if (newFrames) {
      effects.push(write(encodeError(CALLRESULTERROR, id, wireCode(version, code), message)));
    }
    const what = `The answer to ${action} is not valid: ${message}`;
    effects.push(report({ what: 'invalidAnswer', id, action, code, detail: message }));
    effects.push(settle(open.done, OCPP_ERRORS.fail('ocpp.invalidAnswer', what, { path })));
    return this.#next(effects);
  }

  /** A CALLERROR has arrived. */
  error(id: string, code: string, description: string): readonly Effect[] {
    const open = this.#open;
    const known = rpcCodeOf(code);
    if (open === undefined || open.id !== id) {
      if (id === UNREADABLE_ID) return [report({ what: 'peerError', id, code: known, detail: description })];
      return [this.#stray(id)];
    }
    const action = open.info.name;
    const what = `The peer answered ${action} with ${code || 'an error'}${description === '' ? '.' : `: ${description}`}`;
    const effects = [report({ what: 'peerError', id, action, code: known, detail: description })];
    effects.push(settle(open.done, callError(known, what)));
    return this.#next(effects);
  }

  /** Ends the open call if it is overdue. */
  tick(now: number, effects: Effect[]): void {
    const open = this.#open;
    if (open === undefined || open.deadline > now) return;
    this.#late ??= [];
    this.#late.push(open.id);
    if (this.#late.length > LATE_KEPT) this.#late.shift();
    const what = `The peer did not answer ${open.info.name} within ${open.timeoutMs} ms.`;
    effects.push(settle(open.done, OCPP_ERRORS.fail('ocpp.timeout', what)));
    this.#next(effects);
  }

  close(error: 'ocpp.closed' | 'ocpp.replaced'): readonly Effect[] {
    const ended = this.#open === undefined ? [] : [this.#open, ...this.#queue.drain()];
    this.#open = undefined;
    return ended.map(({ done }) => settle(done, OCPP_ERRORS.fail(error)));
  }

  /** Opens `call`, or the next one if its time is over. */
  #start(call: Outbound, effects: Effect[]): readonly Effect[] {
    const now = this.#o.clock.now();
    if (call.expiresAt <= now) {
      effects.push(settle(call.done, OCPP_ERRORS.fail('ocpp.expired')));
      return this.#next(effects);
    }
    call.deadline = now + call.timeoutMs;
    this.#open = call;
    const { id, onSent } = call;
    effects.push(write(call.text, onSent && (() => onSent(id))));
    return effects;
  }

  /** The open call has ended; what follows is added to `effects`. */
  #next(effects: Effect[]): readonly Effect[] {
    this.#open = undefined;
    const call = this.#queue.shift();
    return call === undefined ? effects : this.#start(call, effects);
  }

  #enqueue(call: Outbound): readonly Effect[] {
    const { superseded, dropped } = this.#queue.add(call);
    if (superseded !== undefined)
      return superseded.map(({ done }) => settle(done, OCPP_ERRORS.fail('ocpp.superseded')));
    if (dropped === undefined) return NONE;
    const { id, info, done } = dropped;
    return [settle(done, OCPP_ERRORS.fail('ocpp.queueFull')), report({ what: 'queueFull', id, action: info.name })];
  }

  #stray(id: string): Effect {
    const at = this.#late?.indexOf(id) ?? -1;
    if (at < 0) return report({ what: 'unknownAnswer', id });
    this.#late?.splice(at, 1);
    return report({ what: 'lateAnswer', id });
  }

  #refusal(
    info: ActionInfo | undefined,
    part: 'request' | 'send',
    action: string,
    payload: unknown,
    validated: boolean | undefined,
  ): V2gateError | undefined {
    const { version, role } = this.#o;
    if (info === undefined || !info.has(part)) {
      const kind = part === 'send' ? 'SEND' : 'CALL';
      return OCPP_ERRORS.fail('ocpp.notImplemented', `${version} has no ${kind} ${action.slice(0, 64)}.`);
    }
    if (!info.startedBy(role)) {
      return OCPP_ERRORS.fail('ocpp.invalidRequest', `${action} is not sent in this direction.`);
    }
    const violation = validated === true ? undefined : info.check(part, payload ?? {});
    if (violation === undefined) return undefined;
    const { message, path } = violation;
    return OCPP_ERRORS.fail('ocpp.invalidRequest', `${action} was not sent: ${message}`, { path });
  }
}

/** The text, or why the payload cannot be written as JSON. */
function encoded(action: string, encode: () => string): string | V2gateError {
  try {
    return encode();
  } catch (e) {
    const why = e instanceof Error ? e.message.slice(0, 100) : 'unknown';
    return OCPP_ERRORS.fail('ocpp.invalidRequest', `The payload of ${action} cannot be written as JSON (${why}).`);
  }
}
