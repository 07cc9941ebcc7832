import { crc32 } from 'node:zlib';
import type { BoundStats } from '../../core/bounded.ts';
import type { Clock } from '../../core/clock.ts';
import type { V2gateError } from '../../core/errors.ts';
import type { OcppErrorCode, RpcCode } from './errors.ts';
import { callError, OCPP_ERRORS, rpcCodeOf, wireCode } from './errors.ts';
import type { Frame, FrameLimits } from './frames.ts';
import {
  CALL,
  CALLERROR,
  CALLRESULT,
  CALLRESULTERROR,
  decode,
  encodeCall,
  encodeError,
  encodeResult,
  encodeSend,
  SEND,
  UNREADABLE_ID,
} from './frames.ts';
import type { Displaced } from './queue.ts';
import { CallQueue } from './queue.ts';
import type { CallOptions, Priority } from './types.ts';
import type { ActionInfo, Role, Validators } from './validators.ts';
import type { Version } from './versions.ts';
import { VERSIONS } from './versions.ts';

export interface SessionLimits {
  /** Longest frame, characters; longer ones are answered with an error and not parsed. Default 262 144. */
  readonly maxFrame: number;
  /** Deepest nesting of a frame. Default 32. */
  readonly maxDepth: number;
  /** Calls that wait for their turn. Default 64. */
  readonly maxQueue: number;
  /** Calls of the peer that are being worked on at once; the standard says 1. Default 16. */
  readonly maxOpenInbound: number;
  /** Last answers kept for repeated calls. Default 8. */
  readonly answersKept: number;
  /** Unreadable frames in a row after which the connection is closed. Default 20. */
  readonly maxUnreadable: number;
  /** Time to wait for the answer to a call, ms. Default 10 000. */
  readonly timeoutMs: number;
  /** The same per urgency, where it differs. */
  readonly timeouts: Readonly<Partial<Record<Priority, number>>>;
  /** Time a handler has for its answer, ms; then the peer gets InternalError. Default 10 000. */
  readonly handlerMs: number;
}

export const DEFAULT_LIMITS: SessionLimits = {
  maxFrame: 262_144,
  maxDepth: 32,
  maxQueue: 64,
  maxOpenInbound: 16,
  answersKept: 8,
  maxUnreadable: 20,
  timeoutMs: 10_000,
  timeouts: {},
  handlerMs: 10_000,
};

export interface SessionOptions {
  readonly version: Version;
  readonly role: Role;
  readonly clock: Clock;
  /** Fresh message ids: unique over all connections of an identity (ocpp 1.2), ≤ 36 characters. */
  readonly ids: () => string;
  readonly validators: Validators;
  readonly limits?: Partial<SessionLimits>;
}

/** Told once how a call ended. */
export type Done = (error: V2gateError | undefined, payload: unknown) => void;

/** Something out of the ordinary, for logs and counts. */
export interface Report {
  readonly what:
    | 'badFrame'
    | 'unknownType'
    | 'refusedCall'
    | 'duplicateCall'
    | 'lateAnswer'
    | 'unknownAnswer'
    | 'invalidAnswer'
    | 'peerError'
    | 'answerRefused'
    | 'invalidOwnAnswer'
    | 'handlerTimeout'
    | 'lateHandler'
    | 'badSend'
    | 'queueFull';
  readonly action?: string;
  readonly id?: string;
  /** CALLERROR code in the spelling of 2.x. */
  readonly code?: RpcCode;
  readonly detail?: string;
}

/** What the shell has to do, in this order. */
export type Effect =
  | { readonly kind: 'write'; readonly text: string }
  /** Hand a CALL to the handler, then `respond` or `fail` with its id; a SEND needs no answer. */
  | { readonly kind: 'handle'; readonly id: string; readonly action: string; readonly payload: unknown; readonly send: boolean }
  | { readonly kind: 'settle'; readonly done: Done; readonly error: V2gateError | undefined; readonly payload: unknown }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }
  | { readonly kind: 'report'; readonly report: Report };

interface Outbound {
  readonly id: string;
  readonly info: ActionInfo;
  readonly text: string;
  readonly priority: Priority;
  readonly replaceKey: string | undefined;
  readonly expiresAt: number;
  readonly timeoutMs: number;
  readonly done: Done;
  deadline: number;
}

interface Inbound {
  readonly id: string;
  readonly info: ActionInfo;
  readonly sum: number;
  readonly deadline: number;
}

interface Answered {
  readonly id: string;
  readonly sum: number;
  readonly text: string;
}

const NONE: readonly Effect[] = [];
/** Ids of timed-out calls, to tell a late answer from a stray one. */
const LATE_KEPT = 8;
/** Repeating it is harmless and a kept answer would carry an old time. */
const NEVER_KEPT = 'Heartbeat';

/**
 * The OCPP-J engine of one connection, either role, without I/O (ocpp 1.2, 1.3, 1.4). Every method returns what the
 * shell has to do; it never throws. After each call the shell looks at {@link Session.deadline} and sees to it that
 * {@link Session.tick} is called then: one timer per connection is enough.
 */
export class Session {
  readonly version: Version;
  readonly #role: Role;
  readonly #clock: Clock;
  readonly #ids: () => string;
  readonly #validators: Validators;
  readonly #limits: SessionLimits;
  readonly #frameLimits: FrameLimits;
  readonly #newFrames: boolean;
  readonly #queue: CallQueue<Outbound>;
  #open: Outbound | undefined;
  #inbound: Inbound[] = [];
  #answered: Answered[] = [];
  #late: string[] = [];
  #unreadable = 0;
  #closed: OcppErrorCode | undefined;

  constructor(o: SessionOptions) {
    this.version = o.version;
    this.#role = o.role;
    this.#clock = o.clock;
    this.#ids = o.ids;
    this.#validators = o.validators;
    this.#limits = o.limits === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...o.limits };
    this.#frameLimits = { maxChars: this.#limits.maxFrame, maxDepth: this.#limits.maxDepth };
    this.#newFrames = VERSIONS[o.version].newFrames;
    this.#queue = new CallQueue(this.#limits.maxQueue);
  }

  /** When `tick` is due, epoch ms; Infinity if nothing waits. */
  get deadline(): number {
    let at = this.#open?.deadline ?? Number.POSITIVE_INFINITY;
    for (const call of this.#inbound) if (call.deadline < at) at = call.deadline;
    return at;
  }

  /** True when no call of either side is open or queued. */
  get idle(): boolean {
    return this.#open === undefined && this.#queue.size === 0 && this.#inbound.length === 0;
  }

  stats(): BoundStats {
    return this.#queue.stats();
  }

  /** Takes one text frame of the peer. */
  receive(data: string | Buffer): readonly Effect[] {
    if (this.#closed !== undefined) return NONE;
    const text = typeof data === 'string' ? data : data.toString('utf8');
    const frame = decode(text, this.#frameLimits);
    if (frame.type !== 'bad') this.#unreadable = 0;
    switch (frame.type) {
      case CALL:
        return this.#onCall(frame, data);
      case CALLRESULT:
        return this.#onResult(frame.id, frame.payload);
      case CALLERROR:
        return this.#onError(frame);
      case CALLRESULTERROR:
        return this.#newFrames ? [report({ what: 'answerRefused', id: frame.id, detail: frame.description })] : unknownType(frame.id);
      case SEND:
        return this.#newFrames ? this.#onSend(frame) : unknownType(frame.id);
      case 'unknown':
        return this.#onUnknownType(frame.id);
      case 'bad':
        return this.#onBad(frame);
    }
  }

  /** Sends a CALL as soon as it is its turn. `done` is told exactly once, by a `settle` effect. */
  call(action: string, payload: unknown, o: CallOptions, done: Done): readonly Effect[] {
    if (this.#closed !== undefined) return [settle(done, OCPP_ERRORS.fail(this.#closed))];
    const info = this.#validators.action(action);
    const problem = this.#refuse(info, 'request', action, payload, o.validated);
    if (info === undefined || problem !== undefined) return [settle(done, problem)];
    const id = this.#ids();
    let text: string;
    try {
      text = encodeCall(id, action, payload);
    } catch (e) {
      return [settle(done, notJson(action, e))];
    }
    const { timeouts, timeoutMs } = this.#limits;
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
      deadline: 0,
    };
    if (this.#open === undefined) return this.#start(call, []);
    return this.#displaced(this.#queue.add(call));
  }

  /** Sends an unanswered message now, past all queues (ocpp 1.3). Settles like a call, without waiting for anything. */
  send(action: string, payload: unknown, done: Done): readonly Effect[] {
    if (this.#closed !== undefined) return [settle(done, OCPP_ERRORS.fail(this.#closed))];
    if (!this.#newFrames) return [settle(done, OCPP_ERRORS.fail('ocpp.noSend'))];
    const problem = this.#refuse(this.#validators.action(action), 'send', action, payload, false);
    if (problem !== undefined) return [settle(done, problem)];
    try {
      return [write(encodeSend(this.#ids(), action, payload)), settle(done, undefined)];
    } catch (e) {
      return [settle(done, notJson(action, e))];
    }
  }

  /** Answers an inbound CALL with its response payload. */
  respond(id: string, payload: unknown): readonly Effect[] {
    const call = this.#take(id);
    if (call === undefined) return this.#closed === undefined ? [report({ what: 'lateHandler', id })] : NONE;
    const violation = call.info.check('response', payload ?? {});
    if (violation === undefined) {
      try {
        const text = encodeResult(id, payload);
        this.#keep(call, text);
        return [write(text)];
      } catch {
        // Falls through: a payload that JSON cannot express is our own fault like any other.
      }
    }
    const detail = violation?.message ?? 'The answer cannot be written as JSON.';
    const failed = report({ what: 'invalidOwnAnswer', id, action: call.info.name, code: 'InternalError', detail });
    return [write(this.#errorText(id, 'InternalError', 'The message could not be answered.')), failed];
  }

  /** Answers an inbound CALL with a CALLERROR. */
  fail(id: string, code: RpcCode, description: string): readonly Effect[] {
    const call = this.#take(id);
    if (call === undefined) return this.#closed === undefined ? [report({ what: 'lateHandler', id })] : NONE;
    return this.#refuseCall(id, call.info.name, code, description);
  }

  /** Ends what is overdue. Harmless at any time. */
  tick(): readonly Effect[] {
    const now = this.#clock.now();
    const effects: Effect[] = [];
    const overdue = this.#inbound.filter((call) => call.deadline <= now);
    for (const { id, info } of overdue) {
      this.#take(id);
      const text = this.#errorText(id, 'InternalError', 'The message was not answered in time.');
      effects.push(write(text), report({ what: 'handlerTimeout', id, action: info.name, code: 'InternalError' }));
    }
    const open = this.#open;
    if (open !== undefined && open.deadline <= now) {
      this.#late.push(open.id);
      if (this.#late.length > LATE_KEPT) this.#late.shift();
      const what = `The peer did not answer ${open.info.name} within ${open.timeoutMs} ms.`;
      effects.push(settle(open.done, OCPP_ERRORS.fail('ocpp.timeout', what)));
      this.#next(effects);
    }
    return effects;
  }

  /** Ends the session; open and queued calls end with `error`. */
  close(error: 'ocpp.closed' | 'ocpp.replaced' = 'ocpp.closed'): readonly Effect[] {
    if (this.#closed !== undefined) return NONE;
    this.#closed = error;
    const ended = this.#open === undefined ? this.#queue.drain() : [this.#open, ...this.#queue.drain()];
    this.#open = undefined;
    this.#inbound = [];
    this.#answered = [];
    return ended.map(({ done }) => settle(done, OCPP_ERRORS.fail(error)));
  }

  #onCall(frame: { id: string; action: string; payload: unknown }, data: string | Buffer): readonly Effect[] {
    const { id, action, payload } = frame;
    const sum = crc32(data);
    if (this.#inbound.some((call) => call.id === id)) return [report({ what: 'duplicateCall', id, action })];
    const kept = this.#answered.find((a) => a.id === id && a.sum === sum);
    if (kept !== undefined) return [write(kept.text), report({ what: 'duplicateCall', id, action })];
    const info = this.#validators.action(action);
    if (info === undefined || !info.has('request')) {
      return this.#refuseCall(id, action, 'NotImplemented', `${this.version} has no such action.`);
    }
    if (!info.startedBy(this.#role === 'csms' ? 'cs' : 'csms')) {
      return this.#refuseCall(id, action, 'NotSupported', `${action} is not sent in this direction.`);
    }
    const violation = info.accept('request', payload);
    if (violation !== undefined) return this.#refuseCall(id, action, violation.code, violation.message);
    if (this.#inbound.length >= this.#limits.maxOpenInbound) {
      return this.#refuseCall(id, action, 'GenericError', OCPP_ERRORS.kinds['ocpp.tooManyOpen'].what);
    }
    this.#inbound.push({ id, info, sum, deadline: this.#clock.now() + this.#limits.handlerMs });
    return [{ kind: 'handle', id, action, payload, send: false }];
  }

  #onSend(frame: { id: string; action: string; payload: unknown }): readonly Effect[] {
    const { id, action, payload } = frame;
    const info = this.#validators.action(action);
    if (info === undefined || !info.has('send')) return [report({ what: 'badSend', id, action, detail: 'unknown action' })];
    const violation = info.accept('send', payload);
    if (violation !== undefined) return [report({ what: 'badSend', id, action, detail: violation.message })];
    return [{ kind: 'handle', id, action, payload, send: true }];
  }

  #onResult(id: string, payload: unknown): readonly Effect[] {
    const open = this.#open;
    if (open === undefined || open.id !== id) return [this.#stray(id)];
    const violation = open.info.accept('response', payload);
    if (violation === undefined) return this.#next([settle(open.done, undefined, payload)]);
    const { code, message, path } = violation;
    const action = open.info.name;
    const effects: Effect[] = [];
    if (this.#newFrames) effects.push(write(encodeError(CALLRESULTERROR, id, wireCode(this.version, code), message)));
    effects.push(report({ what: 'invalidAnswer', id, action, code, detail: message }));
    effects.push(settle(open.done, OCPP_ERRORS.fail('ocpp.invalidAnswer', `The answer to ${action} is not valid: ${message}`, { path })));
    return this.#next(effects);
  }

  #onError(frame: { id: string; code: string; description: string }): readonly Effect[] {
    const { id, code, description } = frame;
    const open = this.#open;
    const known = rpcCodeOf(code);
    if (open === undefined || open.id !== id) {
      if (id === UNREADABLE_ID) return [report({ what: 'peerError', id, code: known, detail: description })];
      return [this.#stray(id)];
    }
    const what = `The peer answered ${open.info.name} with ${code === '' ? 'an error' : code}${description === '' ? '.' : `: ${description}`}`;
    const effects = [report({ what: 'peerError', id, action: open.info.name, code: known, detail: description })];
    return this.#next([...effects, settle(open.done, callError(known, what))]);
  }

  /** 1.6 ignores unknown types, 2.x may say that it does not know them (ocpp 1.2). */
  #onUnknownType(id: string | undefined): readonly Effect[] {
    if (this.version === 'ocpp1.6') return unknownType(id);
    const text = this.#errorText(id ?? UNREADABLE_ID, 'MessageTypeNotSupported', 'This message type is not known.');
    return [write(text), ...unknownType(id)];
  }

  #onBad(frame: Extract<Frame, { type: 'bad' }>): readonly Effect[] {
    const code: RpcCode = frame.tooLarge ? 'GenericError' : frame.id === undefined ? 'RpcFrameworkError' : 'FormatViolation';
    const effects: Effect[] = [report({ what: 'badFrame', code, detail: frame.reason })];
    // An answer is never answered (ocpp 1.2); the call it belongs to runs into its time-out.
    if (!frame.answers) effects.unshift(write(this.#errorText(frame.id ?? UNREADABLE_ID, code, frame.reason)));
    if (++this.#unreadable >= this.#limits.maxUnreadable) {
      effects.push({ kind: 'close', code: 1002, reason: 'too many unreadable frames' });
    }
    return effects;
  }

  #stray(id: string): Effect {
    const at = this.#late.indexOf(id);
    if (at < 0) return report({ what: 'unknownAnswer', id: id.slice(0, 64) });
    this.#late.splice(at, 1);
    return report({ what: 'lateAnswer', id });
  }

  #refuse(
    info: ActionInfo | undefined,
    part: 'request' | 'send',
    action: string,
    payload: unknown,
    validated: boolean | undefined,
  ): V2gateError | undefined {
    if (info === undefined || !info.has(part)) {
      return OCPP_ERRORS.fail('ocpp.notImplemented', `${this.version} has no ${part === 'send' ? 'SEND' : 'CALL'} ${action}.`);
    }
    if (!info.startedBy(this.#role)) {
      return OCPP_ERRORS.fail('ocpp.invalidRequest', `${action} is not sent in this direction.`);
    }
    const violation = validated === true ? undefined : info.check(part, payload ?? {});
    if (violation === undefined) return undefined;
    const { message, path } = violation;
    return OCPP_ERRORS.fail('ocpp.invalidRequest', `${action} was not sent: ${message}`, { path });
  }

  /** Opens `call`, or the next one if its time is over. */
  #start(call: Outbound, effects: Effect[]): readonly Effect[] {
    const now = this.#clock.now();
    if (call.expiresAt <= now) {
      effects.push(settle(call.done, OCPP_ERRORS.fail('ocpp.expired')));
      return this.#next(effects);
    }
    call.deadline = now + call.timeoutMs;
    this.#open = call;
    effects.push(write(call.text));
    return effects;
  }

  /** The open call has ended; `effects` is added to. */
  #next(effects: Effect[]): readonly Effect[] {
    this.#open = undefined;
    const call = this.#queue.shift();
    return call === undefined ? effects : this.#start(call, effects);
  }

  #displaced({ superseded, dropped }: Displaced<Outbound>): readonly Effect[] {
    if (superseded !== undefined) return [settle(superseded.done, OCPP_ERRORS.fail('ocpp.superseded'))];
    if (dropped === undefined) return NONE;
    const { id, info, done } = dropped;
    return [settle(done, OCPP_ERRORS.fail('ocpp.queueFull')), report({ what: 'queueFull', id, action: info.name })];
  }

  #take(id: string): Inbound | undefined {
    const at = this.#inbound.findIndex((call) => call.id === id);
    return at < 0 ? undefined : this.#inbound.splice(at, 1)[0];
  }

  #keep(call: Inbound, text: string): void {
    if (call.info.name === NEVER_KEPT) return;
    this.#answered.push({ id: call.id, sum: call.sum, text });
    if (this.#answered.length > this.#limits.answersKept) this.#answered.shift();
  }

  #refuseCall(id: string, action: string, code: RpcCode, description: string): readonly Effect[] {
    const detail = description;
    return [write(this.#errorText(id, code, description)), report({ what: 'refusedCall', id, action: action.slice(0, 64), code, detail })];
  }

  #errorText(id: string, code: RpcCode, description: string): string {
    return encodeError(CALLERROR, id, wireCode(this.version, code), description);
  }
}

export function createSession(o: SessionOptions): Session {
  return new Session(o);
}

function write(text: string): Effect {
  return { kind: 'write', text };
}

function settle(done: Done, error: V2gateError | undefined, payload?: unknown): Effect {
  return { kind: 'settle', done, error, payload };
}

function report(r: Report): Effect {
  return { kind: 'report', report: r };
}

function unknownType(id: string | undefined): readonly Effect[] {
  return [report(id === undefined ? { what: 'unknownType' } : { what: 'unknownType', id: id.slice(0, 64) })];
}

function notJson(action: string, e: unknown): V2gateError {
  const why = e instanceof Error ? e.message.slice(0, 100) : 'unknown';
  return OCPP_ERRORS.fail('ocpp.invalidRequest', `The payload of ${action} cannot be written as JSON (${why}).`);
}
