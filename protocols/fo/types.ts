import type { Clock } from '../../core/clock.ts';
import type { RandomBytes } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { DetachedSignature, KeyPoint, SignatureAlg } from '../../core/signing.ts';
import type { TlsSource } from '../../core/tls.ts';
import type { ResultBody } from '../../model/index.ts';
import type { FoBodies, FoType } from './catalogue.ts';
import type { FoPersistence } from './persistence.ts';

export * from './persistence.ts';

/** The message profile of this stack (fo 4.1). */
export const FO_PROFILE = 'v2gate-fo/1';
/** The WebSocket subprotocol of the JSON encoding (fo 9.2). */
export const FO_SUBPROTOCOL = 'v2gate-fo.v1.json';
/** Where the `fcsbe` side listens unless told otherwise. */
export const FO_PATH = '/fo';

/** Close codes (fo 9.2; 1001, 1003, 1009 and 1011 of RFC 6455). */
export const FO_CLOSE = {
  goingAway: 1001,
  binary: 1003,
  tooLarge: 1009,
  internal: 1011,
  profile: 4000,
  authentication: 4001,
  enrolment: 4002,
  replaced: 4003,
  rate: 4008,
} as const;

/** Roles a session can play (fo 1.2): the gateway, or the flexibility operator. */
export type FoRole = 'fcsbe' | 'fo';

/** Facts about one received message that are not its body. */
export interface FoMeta {
  /** The authenticated party that sent it. */
  readonly peer: string;
  readonly messageId: string;
  /** Epoch ms, from the envelope. */
  readonly sentAt: number;
  /** Epoch ms, by our clock. */
  readonly receivedAt: number;
  /** Epoch ms. */
  readonly expiresAt?: number;
  /** Delivery number, G→F events only. */
  readonly eventSeq?: number;
  /** As it came, and checked. It holds for the body as it is handed over, undeclared fields included. */
  readonly signature?: DetachedSignature;
  /**
   * Handle for `answer`: exactly one Result is owed within 1.5 s (design 2.1), after that the session answers
   * `internal.temporary` itself. Absent where the sender wants no Result (streams, `noReply`).
   */
  readonly replyTo?: string;
}

/** One valid message of a peer: narrow on `type` to get the body's type. */
export type FoInbound = { [T in FoType]: FoMeta & { readonly type: T; readonly body: FoBodies[T] } }[FoType];

/** What both sides agreed on in Hello (fo 4.3 #1). */
export interface FoUp {
  readonly peer: string;
  readonly role: FoRole;
  readonly heartbeatS: number;
  /** Events that will now be replayed (as `fcsbe`) or were missed (as `fo`). */
  readonly missedEvents: number;
  readonly software?: string;
  /** Peer clock minus ours in ms, from `sentAt` of its Hello; transport delay included. */
  readonly clockOffsetMs: number;
}

/** Why a link went down. */
export type FoDown =
  | 'closed'
  | 'replaced'
  | 'heartbeatLost'
  | 'pongLost'
  | 'refused'
  | 'tooLarge'
  | 'abuse'
  | 'helloMissing'
  | 'shutdown';

/** What a session tells its owner. Nothing that a handler throws leaves the session; it is logged. */
export interface FoHandlers {
  /**
   * A valid message of the peer, once per `messageId`. With `replyTo`, answer it by `answer(replyTo, result)`, now or
   * later. Events arrive in the order of `eventSeq`.
   */
  onMessage(message: FoInbound): void;
  onUp?(up: FoUp): void;
  onDown?(peer: string, reason: FoDown): void;
  /** Peer clock minus ours in ms, from a heartbeat of the peer; transport delay included. */
  onClock?(peer: string, offsetMs: number): void;
  /** As `fo`: events the gateway no longer has; `from`…`to` never come. */
  onGap?(peer: string, gap: { readonly from: number; readonly to: number }): void;
}

/** What a message brings along; all of it reaches the wire unchanged, also in a replay. */
export interface FoStamp {
  /** The UUID under which it was made, and signed; what is in the outbox under this id is not put there again. */
  readonly messageId: string;
  /** Of a signed document, ISO 8601. */
  readonly sentAt?: string;
  readonly signature?: DetachedSignature;
}

/** A token bucket: `burst` messages at once, then `perS` a second. */
export interface FoRate {
  readonly perS: number;
  readonly burst: number;
}

/** Signatures of a session (fo 9.4). What the peer signed is checked before use. */
export interface FoSignatures {
  /**
   * The public keys of the peer, asked for each signed message; two may overlap. Absent: signatures are not judged, only
   * missed where fo 4.3 says S. An empty list refuses every signature as `auth.signature`.
   */
  keys?(): readonly KeyPoint[];
  /** `always`: every message of the peer must be signed, also Hello, Heartbeat and Result. Default `catalogue`. */
  readonly require?: 'catalogue' | 'always';
  /** Signs everything that this side sends and that brings no signature of its own. */
  readonly signer?: { readonly alg: SignatureAlg; readonly keyId: string; sign(bytes: Uint8Array): Uint8Array };
}

export interface FoSessionOptions {
  readonly role: FoRole;
  /** Our own party id (`from`). */
  readonly self: string;
  /** The authenticated party id of the other side. */
  readonly peer: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly handlers: FoHandlers;
  readonly persistence?: FoPersistence;
  /** The heartbeat we wish for, 1–3600 s, default 30; the smaller wish of both sides counts. */
  readonly heartbeatS?: number;
  readonly software?: string;
  /** As `fo`: the last event handled by an earlier run, default 0. */
  readonly lastEventSeq?: number;
  /** For ids; default cryptographic. */
  readonly randomBytes?: RandomBytes;
  /** 0 ≤ x < 1, for the jitter of retries; default cryptographic. */
  readonly random?: () => number;
  /** As `fcsbe`: what the peer may send; more is answered `rate.tooOften`. Default {@link FO_RATES}. */
  readonly rates?: { readonly requests?: FoRate; readonly setpoints?: FoRate };
  readonly signatures?: FoSignatures;
}

/** What an FO may send unless told otherwise: setpoints have a bucket of their own (fo 4.2, 9.4). */
export const FO_RATES = { requests: { perS: 20, burst: 200 }, setpoints: { perS: 50, burst: 200 } } as const;

export interface FoSendOptions {
  /** Epoch ms until which it is retried. Default: `validUntil`, `decisionBy` of the body, else 2 minutes from now. */
  readonly expiresAt?: number;
}

/** A message on its way out: the text, and what a binding may need to know of it. */
export interface FoFrame {
  readonly text: string;
  readonly messageId: string;
  readonly type: string;
  readonly body: unknown;
  readonly correlationId?: string | undefined;
  /** Epoch ms. */
  readonly expiresAt?: number | undefined;
}

/** What a session needs of a connection. Frames are whole text messages. */
export interface FoTransport {
  /** `flushed` is called once the frame left our memory (or never will). */
  send(text: string, flushed: () => void, frame: FoFrame): void;
  /** Frames that may be unflushed at a time; setpoints may exceed it. Default: only their bytes count. */
  readonly maxUnflushed?: number;
  close(code: number, reason: string): void;
}

/** On which channel of a binding with several a message came, and what was said beside it (fo 9.1). */
export interface FoVia {
  readonly channel: 'ctl' | 'fast' | 'tel' | 'rsp';
  /** The 16 bytes that must be those of `messageId`, in a Result those of `correlationId`. */
  readonly correlation?: Uint8Array | undefined;
}

/** One connection of a session. Once it was replaced, both calls do nothing. */
export interface FoConnection {
  /** One text frame. Never throws. */
  receive(text: string, via?: FoVia): void;
  /** The connection ended. */
  gone(reason: FoDown): void;
}

/** Everything between us and one party, over all its connections. */
export interface FoSession {
  readonly peer: string;
  readonly state: 'down' | 'greeting' | 'up';
  /**
   * Takes a fresh connection; an earlier one is closed with 4003. The `opener` says Hello at once, the `listener` waits
   * 10 s for it. Pending requests and events survive from connection to connection.
   */
  attach(transport: FoTransport, as: 'opener' | 'listener'): FoConnection;

  /**
   * Sends a request and settles with its Result, whatever its status. Rejects with `time.expired` (no Result in time),
   * `seq.stale` (a newer setpoint of the service went out), `rate.tooOften` (256 wait already), `schema.invalid`,
   * `fo.closed`.
   */
  request<T extends FoType>(type: T, body: FoBodies[T], options?: FoSendOptions): Promise<ResultBody>;
  /**
   * As `fcsbe`: puts a message into the outbox, to arrive once and in order, also after a reconnect. Settles with its
   * eventSeq once it is stored, with 0 when it was there before. Signed documents (S in fo 4.3) bring their `stamp`. Rejects with `schema.invalid`,
   * `auth.signature` (the stamp is missing), `fo.closed`, or what the outbox port threw.
   */
  publish<T extends FoType>(type: T, body: FoBodies[T], stamp?: FoStamp): Promise<number>;
  /** Fire and forget (Telemetry, setpoints with `noReply`). False when the link is down or the body is invalid. */
  stream<T extends FoType>(type: T, body: FoBodies[T]): boolean;
  /** Answers a message. False when the handle is unknown or was answered already; the late answer is logged. */
  answer(replyTo: string, result: ResultBody): boolean;
  /** Ends everything; open promises reject with `fo.closed`. The outbox stays as it is. */
  close(): void;
}

/** What the server knows of an HTTP upgrade before it asks `authenticate`. */
export interface FoAuthRequest {
  /** `Bearer` or `Basic` credentials, decoded; compare in constant time and never log. */
  readonly credentials?:
    | { readonly scheme: 'bearer'; readonly token: string }
    | { readonly scheme: 'basic'; readonly user: string; readonly password: string };
  /** The client certificate, if one was shown. */
  readonly certificate?: FoClientCertificate;
  readonly remoteAddress: string;
  readonly loopback: boolean;
}

/** A client certificate as TLS saw it; the caller holds its key. */
export interface FoClientCertificate {
  /** SHA-256 over the certificate, upper-case hex with colons. */
  readonly fingerprint256: string;
  readonly commonName?: string;
  /** One of our trusted issuers made it, and it is in time. */
  readonly verified: boolean;
}

/** Who is calling: a configured party, whoever Hello says (loopback only), or nobody we talk to. */
export type FoAuthAnswer =
  | { readonly partyId: string }
  | {
      readonly fromHello: true /** Parties that may be believed; default all. */;
      readonly allows?: (partyId: string) => boolean;
    }
  | { readonly refuse: 'auth.failed' | 'auth.forbidden' | 'state.invalid' };

/** TLS of a listening side: 1.3, or also 1.2 (fo 9.4). Client certificates are asked for, not demanded. */
export interface FoTls {
  readonly source: TlsSource;
  /** Default `modern`: TLS 1.3 only. */
  readonly profile?: 'modern' | 'compatible';
}

/** What all sessions of one side share, and what each gets of its own. */
export interface FoPartiesOptions
  extends Omit<FoSessionOptions, 'peer' | 'persistence' | 'role' | 'lastEventSeq' | 'signatures'> {
  /** Default `fcsbe`. */
  readonly role?: FoRole;
  /** Asked once per party. */
  persistence?(peer: string): FoPersistence;
  /** Asked once per party, and for each Hello. */
  signatures?(peer: string): FoSignatures;
  /** Parties known at a time, default 64. */
  readonly maxParties?: number;
}

export interface FoServerOptions extends FoPartiesOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Default `/fo`. */
  readonly path?: string;
  /** Asked at each connection. Default: loopback callers are who their Hello says, all others are refused. */
  authenticate?(request: FoAuthRequest): FoAuthAnswer | Promise<FoAuthAnswer>;
  readonly tls?: FoTls;
  /** Must be said to listen in plain text on other addresses than loopback: everyone on the way can read and forge. */
  readonly allow?: 'plainTextOutsideLoopback';
}

export interface FoServer {
  /** `ws://127.0.0.1:9221/fo` with the real port. */
  readonly url: string;
  readonly port: number;
  /** Parties that are up now. */
  peers(): readonly string[];
  /** The session of a party, created if needed, so that events can be published before it ever connects.
   * Throws `fo.full`, or `schema.invalid` for what is no id.
   */
  session(peer: string): FoSession;
  /** Answers by handle, whichever party it belongs to. */
  answer(replyTo: string, result: ResultBody): boolean;
  close(): Promise<void>;
}

export interface FoClientOptions extends Omit<FoSessionOptions, 'self' | 'peer' | 'role'> {
  readonly url: string;
  readonly partyId: string;
  /** Party id of the other side. */
  readonly to: string;
  /** Default `fo`. */
  readonly role?: FoRole;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string;
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string;
  /** Client certificate and key, PEM. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

/** A session with a connection that is opened again (1, 2, 4 … 60 s, ±20 %) until `close`. */
export interface FoClient extends Omit<FoSession, 'attach' | 'close'> {
  readonly url: string;
  close(): Promise<void>;
}
