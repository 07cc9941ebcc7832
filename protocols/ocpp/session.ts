import { crc32 } from 'node:zlib';
import type { BoundStats } from '../../core/bounded.ts';
import type { SessionConfig, SessionOptions } from './config.ts';
import { sessionConfig } from './config.ts';
import type { Done, Effect } from './effects.ts';
import { NONE, report, settle, write } from './effects.ts';
import type { RpcCode } from './errors.ts';
import { OCPP_ERRORS, wireCode } from './errors.ts';
import type { Frame } from './frames.ts';
import {
  CALL,
  CALLERROR,
  CALLRESULT,
  CALLRESULTERROR,
  decode,
  encodeError,
  encodeResult,
  SEND,
  UNREADABLE_ID,
} from './frames.ts';
import { Outbox } from './outbox.ts';
import type { CallOptions } from './types.ts';
import type { ActionInfo } from './validators.ts';
import type { Version } from './versions.ts';

interface Inbound {
  readonly id: string;
  readonly info: ActionInfo;
  readonly data: string | Buffer;
  readonly deadline: number;
}

interface Answered {
  readonly id: string;
  readonly sum: number;
  readonly text: string;
}

/**
 * Actions whose repetition the receiver sees by itself or need not see: a new time is wanted, or the content carries
 * its own time or sequence number. They make up nearly all traffic, so no answers are kept for them.
 */
const REPEATABLE: readonly string[] = ['Heartbeat', 'MeterValues', 'TransactionEvent', 'StatusNotification'];

/**
 * The OCPP-J engine of one connection, either role, without I/O (ocpp 1.2, 1.3, 1.4). Every method returns what the
 * shell has to do; none throws. After each of them the shell looks at {@link Session.deadline} and sees to it that
 * {@link Session.tick} is called then: one timer per connection is enough.
 */
export class Session {
  readonly #o: SessionConfig;
  readonly #outbox: Outbox;
  readonly #inbound: Inbound[] = []; // bounded by: limits.maxOpenInbound
  /** Made when first needed. */
  #answered: Answered[] | undefined;
  #unreadable = 0;
  #closed: 'ocpp.closed' | 'ocpp.replaced' | undefined;

  constructor(o: SessionConfig) {
    this.#o = o;
    this.#outbox = new Outbox(o);
  }

  get version(): Version {
    return this.#o.version;
  }

  /** When `tick` is due, epoch ms; Infinity if nothing waits. */
  get deadline(): number {
    let at = this.#outbox.deadline;
    for (const call of this.#inbound) if (call.deadline < at) at = call.deadline;
    return at;
  }

  /** True when no call of either side is open or queued. */
  get idle(): boolean {
    return this.#outbox.idle && this.#inbound.length === 0;
  }

  stats(): BoundStats {
    return this.#outbox.stats();
  }

  /** Takes one text frame of the peer. */
  receive(data: string | Buffer): readonly Effect[] {
    if (this.#closed !== undefined) return NONE;
    const text = typeof data === 'string' ? data : data.toString('utf8');
    const frame = decode(text, this.#o.frameLimits);
    if (frame.type !== 'bad') this.#unreadable = 0;
    switch (frame.type) {
      case CALL:
        return this.#onCall(frame.id, frame.action, frame.payload, data);
      case CALLRESULT:
        return this.#outbox.result(frame.id, frame.payload);
      case CALLERROR:
        return this.#outbox.error(frame.id, frame.code, frame.description);
      case CALLRESULTERROR:
        if (!this.#o.newFrames) return [report({ what: 'unknownType', id: frame.id })];
        return [report({ what: 'answerRefused', id: frame.id, detail: frame.description })];
      case SEND:
        if (!this.#o.newFrames) return [report({ what: 'unknownType', id: frame.id })];
        return this.#onSend(frame.id, frame.action, frame.payload);
      case 'unknown':
        return this.#onUnknownType(frame.id);
      case 'bad':
        return this.#onBad(frame);
    }
  }

  /** Sends a CALL as soon as it is its turn. `done` is told exactly once, by a `settle` effect. */
  call(action: string, payload: unknown, o: CallOptions, done: Done): readonly Effect[] {
    if (this.#closed !== undefined) return [settle(done, OCPP_ERRORS.fail(this.#closed))];
    return this.#outbox.call(action, payload, o, done);
  }

  /** Sends an unanswered message now, past the queue (ocpp 1.3). Settles like a call, without waiting for anything. */
  send(action: string, payload: unknown, done: Done): readonly Effect[] {
    if (this.#closed !== undefined) return [settle(done, OCPP_ERRORS.fail(this.#closed))];
    return this.#outbox.send(action, payload, done);
  }

  /** Answers an inbound CALL with its response payload. */
  respond(id: string, payload: unknown): readonly Effect[] {
    const call = this.#take(id);
    if (call === undefined) return this.#tooLate(id);
    const violation = call.info.check('response', payload ?? {});
    let detail = violation?.message ?? '';
    if (violation === undefined) {
      try {
        const text = encodeResult(id, payload);
        this.#keep(call, text);
        return [write(text)];
      } catch {
        detail = 'The answer cannot be written as JSON.';
      }
    }
    const text = this.#errorText(id, 'InternalError', 'The message could not be answered.');
    const action = call.info.name;
    return [write(text), report({ what: 'invalidOwnAnswer', id, action, code: 'InternalError', detail })];
  }

  /** Answers an inbound CALL with a CALLERROR. */
  fail(id: string, code: RpcCode, description: string): readonly Effect[] {
    const call = this.#take(id);
    return call === undefined ? this.#tooLate(id) : this.#refuse(id, call.info.name, code, description);
  }

  /** Ends what is overdue. Harmless at any time. */
  tick(): readonly Effect[] {
    const now = this.#o.clock.now();
    const effects: Effect[] = [];
    for (const { id, info } of this.#inbound.filter((call) => call.deadline <= now)) {
      this.#take(id);
      const text = this.#errorText(id, 'InternalError', 'The message was not answered in time.');
      effects.push(write(text), report({ what: 'handlerTimeout', id, action: info.name, code: 'InternalError' }));
    }
    this.#outbox.tick(now, effects);
    return effects;
  }

  /** Ends the session; open and queued calls end with `error`. */
  close(error: 'ocpp.closed' | 'ocpp.replaced' = 'ocpp.closed'): readonly Effect[] {
    if (this.#closed !== undefined) return NONE;
    this.#closed = error;
    this.#inbound.length = 0;
    this.#answered = undefined;
    return this.#outbox.close(error);
  }

  #onCall(id: string, action: string, payload: unknown, data: string | Buffer): readonly Effect[] {
    if (this.#inbound.length > 0 && this.#inbound.some((call) => call.id === id)) {
      return [report({ what: 'duplicateCall', id, action })];
    }
    const kept = this.#answered?.find((a) => a.id === id);
    if (kept !== undefined && kept.sum === crc32(data)) {
      return [write(kept.text), report({ what: 'duplicateCall', id, action })];
    }
    const info = this.#o.validators.action(action);
    if (info === undefined || !info.has('request')) {
      return this.#refuse(id, action, 'NotImplemented', `${this.version} has no such action.`);
    }
    if (!info.startedBy(this.#o.peerRole)) {
      return this.#refuse(id, action, 'NotSupported', `${action} is not sent in this direction.`);
    }
    const violation = info.accept('request', payload);
    if (violation !== undefined) return this.#refuse(id, action, violation.code, violation.message);
    if (this.#inbound.length >= this.#o.limits.maxOpenInbound) {
      return this.#refuse(id, action, 'GenericError', OCPP_ERRORS.kinds['ocpp.tooManyOpen'].what);
    }
    this.#inbound.push({ id, info, data, deadline: this.#o.clock.now() + this.#o.limits.handlerMs });
    return [{ kind: 'handle', id, action, payload, send: false }];
  }

  #onSend(id: string, action: string, payload: unknown): readonly Effect[] {
    const info = this.#o.validators.action(action);
    if (info === undefined || !info.has('send')) {
      return [report({ what: 'badSend', id, action, detail: 'unknown action' })];
    }
    const violation = info.accept('send', payload);
    if (violation !== undefined) return [report({ what: 'badSend', id, action, detail: violation.message })];
    return [{ kind: 'handle', id, action, payload, send: true }];
  }

  /** 1.6 ignores unknown types, 2.x may say that it does not know them (ocpp 1.2). */
  #onUnknownType(id: string | undefined): readonly Effect[] {
    const told = report(id === undefined ? { what: 'unknownType' } : { what: 'unknownType', id });
    if (this.version === 'ocpp1.6') return [told];
    const code = 'MessageTypeNotSupported';
    return [write(this.#errorText(id ?? UNREADABLE_ID, code, 'This message type is not known.')), told];
  }

  #onBad(frame: Extract<Frame, { type: 'bad' }>): readonly Effect[] {
    const { id, reason, tooLarge, answers } = frame;
    const code: RpcCode = tooLarge ? 'GenericError' : id === undefined ? 'RpcFrameworkError' : 'FormatViolation';
    // An answer is never answered (ocpp 1.2); the call it belongs to runs into its time-out.
    const effects: Effect[] = answers ? [] : [write(this.#errorText(id ?? UNREADABLE_ID, code, reason))];
    effects.push(report({ what: 'badFrame', code, detail: reason }));
    if (++this.#unreadable >= this.#o.limits.maxUnreadable) {
      effects.push({ kind: 'close', code: 1002, reason: 'too many unreadable frames' });
    }
    return effects;
  }

  #tooLate(id: string): readonly Effect[] {
    return this.#closed === undefined ? [report({ what: 'lateHandler', id })] : NONE;
  }

  #take(id: string): Inbound | undefined {
    const last = this.#inbound.at(-1);
    if (last?.id === id) return this.#inbound.pop();
    const at = this.#inbound.findIndex((call) => call.id === id);
    return at < 0 ? undefined : this.#inbound.splice(at, 1)[0];
  }

  #keep({ id, info, data }: Inbound, text: string): void {
    if (REPEATABLE.includes(info.name)) return;
    const kept = this.#answered?.filter((a) => a.id !== id) ?? [];
    kept.push({ id, sum: crc32(data), text });
    if (kept.length > this.#o.limits.answersKept) kept.shift();
    this.#answered = kept;
  }

  #refuse(id: string, action: string, code: RpcCode, description: string): readonly Effect[] {
    const told = report({ what: 'refusedCall', id, action, code, detail: description });
    return [write(this.#errorText(id, code, description)), told];
  }

  #errorText(id: string, code: RpcCode, description: string): string {
    return encodeError(CALLERROR, id, wireCode(this.version, code), description);
  }
}

export function createSession(o: SessionOptions): Session {
  return new Session(sessionConfig(o));
}
