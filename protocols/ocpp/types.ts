import type { Calls as Calls16, Sends as Sends16 } from '../../generated/ocpp/ocpp16.ts';
import type { Calls as Calls21, Sends as Sends21 } from '../../generated/ocpp/ocpp21.ts';
import type { Calls as Calls201, Sends as Sends201 } from '../../generated/ocpp/ocpp201.ts';
import type { Version } from './versions.ts';

/** All CALLs of each version, by action. */
export interface CallsOf {
  'ocpp1.6': Calls16;
  'ocpp2.0.1': Calls201;
  'ocpp2.1': Calls21;
}

/** All SEND messages of each version, by action (only 2.1 has any, ocpp 1.2). */
export interface SendsOf {
  'ocpp1.6': Sends16;
  'ocpp2.0.1': Sends201;
  'ocpp2.1': Sends21;
}

export type Action<V extends Version> = keyof CallsOf[V] & string;
export type SendAction<V extends Version> = keyof SendsOf[V] & string;

export type Request<V extends Version, A extends Action<V>> = CallsOf[V][A] extends { request: infer R } ? R : never;
export type Response<V extends Version, A extends Action<V>> = CallsOf[V][A] extends { response: infer R } ? R : never;

/**
 * Urgency of a CALL (design 5), most urgent first: `stop` for stops and limits, `reduction` for setpoints that lower
 * power, `setpoint` for the others, `request` for anything else, `report` for long reports.
 */
export type Priority = 'stop' | 'reduction' | 'setpoint' | 'request' | 'report';

export interface CallOptions {
  /** Default `request`. */
  readonly priority?: Priority;
  /** Time from writing the CALL to its answer, ms; default 10 000 (see `SessionLimits.timeoutMs`). */
  readonly timeoutMs?: number;
  /**
   * CALLs with the same key that still wait in the queue are dropped with `ocpp.superseded` and this one takes its
   * turn. A queued `stop` is replaced only by another `stop`.
   */
  readonly replaceKey?: string;
  /** Epoch ms after which the CALL must not be sent any more: it ends with `ocpp.expired`. */
  readonly expiresAt?: number;
  /** True when the caller has validated this payload (or its template) itself. */
  readonly validated?: boolean;
  /** For a tap: what it is about. Never sent. */
  readonly about?: CallAbout;
  /** Told the id of the message when it is written. */
  readonly onSent?: (id: string) => void;
}

/** What a CALL of ours is about, in the words of who sends it. */
export interface CallAbout {
  readonly cause: string;
  readonly resourceId?: string;
}

/** One message that passes, decoded, for who watches. */
export interface TappedMessage {
  readonly identity: string;
  readonly version: Version;
  /** As this side sees it. */
  readonly direction: 'in' | 'out';
  /** `error`: a CALLERROR, or why no valid answer came. */
  readonly kind: 'call' | 'send' | 'result' | 'error';
  /** The message id on the wire; an answer has that of its CALL. */
  readonly id: string;
  readonly action: string;
  readonly payload: unknown;
  /** Of a CALL of ours, and of its answer. */
  readonly about?: CallAbout | undefined;
}

/** The other end of one connection, whatever the role. */
export interface PeerOf<V extends Version> {
  readonly version: V;
  readonly identity: string;
  /** Epoch ms. */
  readonly connectedAt: number;
  /** Address and port of the other end, for logs. */
  readonly remote: string;
  readonly open: boolean;
  /**
   * Sends a CALL and waits for its CALLRESULT. One CALL is open at a time, the others queue by priority.
   * Rejects with `ocpp.timeout`, `ocpp.queueFull`, `ocpp.superseded`, `ocpp.expired`, `ocpp.closed`, `ocpp.replaced`,
   * `ocpp.invalidRequest` (our payload), `ocpp.invalidAnswer` (theirs), or the code of the peer's CALLERROR
   * (`ocpp.notSupported`, …; the wire's code is in `cause.protocol`).
   */
  call<A extends Action<V>>(action: A, payload: Request<V, A>, options?: CallOptions): Promise<Response<V, A>>;
  /** The same for an action known only at run time. */
  callAny(action: string, payload: unknown, options?: CallOptions): Promise<unknown>;
  /** Sends an unanswered message (SEND, 2.1 only). Throws `ocpp.noSend`, `ocpp.closed`, `ocpp.invalidRequest`. */
  send<A extends SendAction<V>>(action: A, payload: SendsOf[V][A]): void;
  /** The same for an action known only at run time. */
  sendAny(action: string, payload: unknown): void;
  /** Sets who answers the peer's CALLs; until then they are answered with NotImplemented. */
  handle(handler: Handler<V>): void;
  /** Called once, when the connection has ended; at once if it already has. */
  onClose(listener: (why: CloseInfo) => void): void;
  /** Ends the connection; calls still open or queued end with `ocpp.closed`. */
  close(code?: number, reason?: string): void;
}

/** One of several versions; `version` tells the message types apart. */
export type PeerIn<V extends Version> = { [W in V]: PeerOf<W> }[V];

/** A station as the CSMS sees it, or the CSMS as the station sees it. */
export type Peer = PeerIn<Version>;

/** The name by which the CSMS side calls its peers. */
export type Station = Peer;

export interface CloseInfo {
  /** WebSocket close code; 1006 when the connection broke. */
  readonly code: number;
  readonly reason: string;
  /** Error code that open calls ended with: `ocpp.closed` or `ocpp.replaced`. */
  readonly error: 'ocpp.closed' | 'ocpp.replaced';
}

/** One CALL or SEND of the peer. */
export interface CallContext<V extends Version = Version> {
  readonly id: string;
  readonly version: V;
  readonly identity: string;
  /** Epoch ms of arrival. */
  readonly at: number;
  /** True for a SEND: the return value is ignored. */
  readonly send: boolean;
  /** Calls back once the answer was handed to the transport: from then on a CALL of ours arrives after it. */
  answered(listener: () => void): void;
}

/**
 * Answers a CALL with its response payload, at once or later. An error whose `cause.protocol` is an OCPP error code
 * (see `callError`) becomes that CALLERROR, anything else `InternalError`.
 */
export type Handler<V extends Version = Version> = (action: string, payload: unknown, ctx: CallContext<V>) => unknown;

/** A handler per action, typed; what is missing is answered with NotImplemented. */
export type Handlers<V extends Version> = {
  [A in Action<V>]?: (payload: Request<V, A>, ctx: CallContext<V>) => Response<V, A> | Promise<Response<V, A>>;
} & {
  [A in SendAction<V>]?: (payload: SendsOf[V][A], ctx: CallContext<V>) => void;
};
