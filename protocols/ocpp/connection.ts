import type { Clock, TimerHandle } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import type { Fields, Log } from '../../core/log.ts';
import type { Counts } from './counts.ts';
import type { Done, Effect, HandleEffect, Report } from './effects.ts';
import { OCPP_ERRORS, toCallError } from './errors.ts';
import type { Session } from './session.ts';
import type {
  Action,
  CallContext,
  CallOptions,
  CloseInfo,
  Handler,
  PeerOf,
  Request,
  Response,
  SendAction,
  SendsOf,
  TappedMessage,
} from './types.ts';
import type { Version } from './versions.ts';

/** What carries frames: a WebSocket today, native framing or a worker's port later. No method throws. */
export interface Transport {
  send(text: string): void;
  ping(): void;
  /** Starts the closing handshake. */
  close(code: number, reason: string): void;
  /** Drops the connection without a handshake. */
  terminate(): void;
  /** Bytes handed over and not yet taken by the network. */
  readonly buffered: number;
}

/** What all connections of one server or client share. */
export interface Shell {
  readonly clock: Clock;
  readonly log: Log;
  readonly counts: Counts;
  /** Unread bytes after which a peer is dropped. */
  readonly maxBuffered: number;
  /** Sees every message that passes. */
  readonly tap?: ((message: TappedMessage) => void) | undefined;
  /** Told when a connection has ended for its user, before the peer's close frame arrives. */
  readonly onEnd: (identity: string, connection: unknown) => void;
}

export interface ConnectionOptions<V extends Version> {
  readonly version: V;
  readonly session: Session;
  readonly transport: Transport;
  readonly identity: string;
  readonly remote: string;
  /** Spreads periodic work over the connections. */
  readonly turn: number;
}

/** Time a peer gets to answer our close frame. */
const CLOSE_MS = 2000;
/** Reports of one connection that are logged; beyond them only the 16th, 32nd, 64th, … */
const LOGGED_REPORTS = 10;

/** Reports of CALLERRORs that went out, whoever refused: the session or the handler. */
const ANSWERED_BY_ERROR: readonly Report['what'][] = ['refusedCall', 'handlerTimeout', 'invalidOwnAnswer'];

/** Binds a session to a transport and to its user. The transport's owner calls `received`, `alive` and `gone`. */
export class Connection<V extends Version = Version> implements PeerOf<V> {
  readonly version: V;
  readonly identity: string;
  readonly connectedAt: number;
  readonly remote: string;
  readonly turn: number;
  readonly #shell: Shell;
  readonly #session: Session;
  readonly #transport: Transport;
  #handler: Handler<V> | undefined;
  #timer: TimerHandle | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #ended: CloseInfo | undefined;
  #gone = false;
  #alive = true;
  #reports = 0;
  #onClose: ((why: CloseInfo) => void)[] | undefined;

  constructor(shell: Shell, o: ConnectionOptions<V>) {
    this.#shell = shell;
    this.#session = o.session;
    this.#transport = o.transport;
    this.version = o.version;
    this.identity = o.identity;
    this.remote = o.remote;
    this.turn = o.turn;
    this.connectedAt = shell.clock.now();
  }

  get open(): boolean {
    return this.#ended === undefined;
  }

  /** True when no call of either side is open or queued. */
  get idle(): boolean {
    return this.#session.idle;
  }

  /** Calls that wait for their turn. */
  get queued(): number {
    return this.#session.stats().size;
  }

  call<A extends Action<V>>(action: A, payload: Request<V, A>, options: CallOptions = {}): Promise<Response<V, A>> {
    // The session has checked the answer against the schema that the type was made from.
    return this.callAny(action, payload, options) as Promise<Response<V, A>>;
  }

  callAny(action: string, payload: unknown, options: CallOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const done: Done = (error, answer) => (error ? reject(error) : resolve(answer));
      const { tap } = this.#shell;
      if (tap === undefined) this.#apply(this.#session.call(action, payload, options, done));
      else this.#callTapped(action, payload, options, done);
    });
  }

  send<A extends SendAction<V>>(action: A, payload: SendsOf[V][A]): void {
    this.sendAny(action, payload);
  }

  sendAny(action: string, payload: unknown): void {
    let problem: Error | undefined;
    const effects = this.#session.send(action, payload, (error) => {
      problem = error;
    });
    this.#apply(effects);
    if (problem !== undefined) throw problem;
  }

  handle(handler: Handler<V>): void {
    this.#handler = handler;
  }

  onClose(listener: (why: CloseInfo) => void): void {
    if (this.#ended !== undefined) this.#tell(listener, this.#ended);
    else this.#onClose = [...(this.#onClose ?? []), listener];
  }

  close(code = 1000, reason = ''): void {
    this.#end({ code, reason, error: 'ocpp.closed' });
  }

  /** A newer connection of the same identity takes over. */
  replace(): void {
    this.#end({ code: 1000, reason: 'replaced by a newer connection', error: 'ocpp.replaced' });
  }

  /** A frame has arrived. */
  received(data: string | Buffer): void {
    this.#alive = true;
    this.#shell.counts.framesIn++;
    this.#apply(this.#session.receive(data));
  }

  /** A pong has arrived. */
  alive(): void {
    this.#alive = true;
  }

  /** Pings the peer; drops it if nothing has arrived since the last ping. */
  ping(): void {
    if (this.#ended !== undefined) return;
    if (this.#alive) {
      this.#alive = false;
      this.#transport.ping();
    } else this.#drop('ocpp.idle');
  }

  /** The transport is closed for good. */
  gone(code: number, reason: string): void {
    this.#gone = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#finish({ code, reason, error: 'ocpp.closed' });
  }

  #apply(effects: readonly Effect[]): void {
    this.#run(effects);
    this.#arm();
  }

  #run(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'write':
          this.#write(effect.text);
          effect.sent?.();
          break;
        case 'handle':
          this.#handle(effect);
          break;
        case 'settle':
          if (effect.error?.code === 'ocpp.timeout') this.#shell.counts.timeouts++;
          effect.done(effect.error, effect.payload);
          break;
        case 'close':
          this.close(effect.code, effect.reason);
          break;
        case 'report':
          this.#report(effect.report);
          break;
      }
    }
  }

  #write(text: string): void {
    if (this.#gone) return;
    const { maxBuffered, counts } = this.#shell;
    const transport = this.#transport;
    if (transport.buffered > maxBuffered) {
      this.#drop('ocpp.slowPeer');
      return;
    }
    counts.framesOut++;
    transport.send(text);
  }

  #handle({ id, action, payload, send }: HandleEffect): void {
    const { identity, version } = this;
    let later: (() => void)[] | undefined;
    const answered = (listener: () => void): void => {
      later = [...(later ?? []), listener];
    };
    const ctx: CallContext<V> = { id, version, identity, at: this.#shell.clock.now(), send, answered };
    this.#tap('in', send ? 'send' : 'call', id, action, payload);
    const respond = (answer: unknown): void => {
      if (!send) this.#tap('out', 'result', id, action, answer);
      this.#respond(id, answer, send);
      this.#after(later);
    };
    const fail = (e: unknown): void => {
      this.#fail(id, action, e, send);
      this.#after(later);
    };
    try {
      if (this.#handler === undefined) throw OCPP_ERRORS.fail('ocpp.notImplemented', 'Nobody handles this action yet.');
      const result: unknown = this.#handler(action, payload, ctx);
      if (isThenable(result)) result.then(respond, fail);
      else respond(result);
    } catch (e) {
      fail(e);
    }
  }

  #after(listeners: readonly (() => void)[] | undefined): void {
    for (const listener of listeners ?? []) {
      try {
        listener();
      } catch (e) {
        this.#log('error', 'listenerFailed', { ...describeError(e) });
      }
    }
  }

  #respond(id: string, answer: unknown, send: boolean): void {
    if (!send) this.#apply(this.#session.respond(id, answer));
  }

  #fail(id: string, action: string, e: unknown, send: boolean): void {
    const { code, description } = toCallError(e);
    if (code === 'InternalError') this.#log('error', 'handlerFailed', { action, ...describeError(e) });
    if (!send) this.#apply(this.#session.fail(id, code, description));
  }

  #callTapped(action: string, payload: unknown, options: CallOptions, done: Done): void {
    let sent: string | undefined;
    const { about } = options;
    const onSent = (id: string): void => {
      sent = id;
      this.#tap('out', 'call', id, action, payload, about);
      options.onSent?.(id);
    };
    const answered: Done = (error, answer) => {
      if (sent !== undefined && error === undefined) this.#tap('in', 'result', sent, action, answer, about);
      else if (sent !== undefined && error !== undefined)
        this.#tap('in', 'error', sent, action, { code: error.code, description: error.message }, about);
      done(error, answer);
    };
    this.#apply(this.#session.call(action, payload, { ...options, onSent }, answered));
  }

  #tap(
    direction: TappedMessage['direction'],
    kind: TappedMessage['kind'],
    id: string,
    action: string,
    payload: unknown,
    about?: TappedMessage['about'],
  ): void {
    const { identity, version } = this;
    this.#shell.tap?.({ identity, version, direction, kind, id, action, payload, about });
  }

  /** Leaves an earlier timer alone: it re-arms itself, so a busy connection does not set a timer per call. */
  #arm(): void {
    const at = this.#session.deadline;
    if (at >= this.#timerAt || this.#ended !== undefined) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#shell.clock.after(at - this.#shell.clock.now(), () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#apply(this.#session.tick());
    });
  }

  #report(r: Report): void {
    this.#shell.counts.add(r);
    if (this.#shell.tap && ANSWERED_BY_ERROR.includes(r.what))
      this.#tap('out', 'error', r.id ?? '', r.action ?? 'unknown', { code: r.code, description: r.detail });
    const n = ++this.#reports;
    if (n > LOGGED_REPORTS && (n & (n - 1)) !== 0) return;
    const { what, ...fields } = r;
    this.#log('warn', what, { ...fields, ...(n > LOGGED_REPORTS ? { reports: n } : {}) });
  }

  #drop(code: 'ocpp.idle' | 'ocpp.slowPeer'): void {
    if (this.#ended !== undefined) return;
    this.#log('warn', 'dropped', { code, what: OCPP_ERRORS.kinds[code].what });
    this.#finish({ code: 1006, reason: code, error: 'ocpp.closed' });
    this.#transport.terminate();
  }

  #end(why: CloseInfo): void {
    if (this.#ended !== undefined) return;
    this.#finish(why);
    this.#transport.close(why.code, why.reason);
    // A transport may report its end while it is being closed.
    if (!this.#gone) this.#timer = this.#shell.clock.after(CLOSE_MS, () => this.#transport.terminate());
  }

  #finish(why: CloseInfo): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#run(this.#session.close(why.error));
    this.#shell.onEnd(this.identity, this);
    const listeners = this.#onClose ?? [];
    this.#onClose = undefined;
    for (const listener of listeners) this.#tell(listener, why);
  }

  #log(level: 'warn' | 'error', event: string, fields: Fields): void {
    this.#shell.log[level](`ocpp.${event}`, { station: this.identity, ...fields });
  }

  #tell(listener: (why: CloseInfo) => void, why: CloseInfo): void {
    try {
      listener(why);
    } catch (e) {
      this.#log('error', 'listenerFailed', describeError(e));
    }
  }
}

function isThenable(x: unknown): x is PromiseLike<unknown> {
  return typeof x === 'object' && x !== null && 'then' in x && typeof x.then === 'function';
}
