import type { IncomingMessage } from 'node:http';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { ClientOptions as WsOptions } from 'ws';
import { WebSocket } from 'ws';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import { every } from '../../core/clock.ts';
import type { V2gateError } from '../../core/errors.ts';
import { idSource } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import { silentLog } from '../../core/log.ts';
import type { BackOff } from './backoff.ts';
import { backOffMs, DEFAULT_BACKOFF } from './backoff.ts';
import type { SessionLimits } from './config.ts';
import { DEFAULT_LIMITS } from './config.ts';
import type { Shell } from './connection.ts';
import { Connection } from './connection.ts';
import { Counts } from './counts.ts';
import { OCPP_ERRORS } from './errors.ts';
import { createSession } from './session.ts';
import type { Action, CallOptions, CloseInfo, Handler, PeerIn, Request, Response } from './types.ts';
import type { Validators } from './validators.ts';
import { createValidators } from './validators.ts';
import type { Version } from './versions.ts';
import { attach, DEFLATE, HARD_LIMIT, WsTransport } from './websocket.ts';

export interface OcppClientOptions<V extends Version> {
  /** Endpoint without the identity, e.g. `ws://127.0.0.1:9220/ocpp`. */
  readonly url: string;
  readonly identity: string;
  /** In order of preference. */
  readonly versions: readonly V[];
  /** Basic password: text as is, or the raw bytes of a 1.6 key (ocpp 1.5). */
  readonly password?: string | Uint8Array;
  /** Certificates and keys for wss. */
  readonly tls?: Pick<TlsOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>;
  readonly clock: Clock;
  readonly log?: Log;
  /** Gives [0, 1), for the back-off. Default Math.random. */
  readonly random?: () => number;
  /** Answers the CSMS's CALLs; also to be set with `handle`. */
  readonly handler?: Handler<V>;
  /** Told at each connection, also after a reconnect. */
  readonly onOpen?: (peer: PeerIn<V>) => void;
  /** Told at each end of a connection. */
  readonly onClose?: (why: CloseInfo) => void;
  /** Default true: after a failure or a lost connection it tries again, by `backOff`, until `close`. */
  readonly reconnect?: boolean;
  readonly backOff?: Partial<BackOff>;
  /** Period of pings, ms; default 0 = none. */
  readonly pingMs?: number;
  readonly limits?: Partial<SessionLimits>;
  /** Default false. */
  readonly compression?: boolean;
  /** To share compiled schemas between clients of one process: with many stations, always do. */
  readonly validators?: Partial<Readonly<Record<Version, Validators>>>;
}

export interface OcppClient<V extends Version> {
  readonly identity: string;
  /** The connection, while there is one. */
  readonly peer: PeerIn<V> | undefined;
  readonly counts: Readonly<Counts>;
  /**
   * Starts connecting. Settles with the first attempt; later ones go on by themselves (see `reconnect`). Rejects with
   * `ocpp.unauthorized`, `ocpp.unknownStation`, `ocpp.noVersion`, `ocpp.connectFailed` or `ocpp.closed`.
   */
  connect(): Promise<PeerIn<V>>;
  /** Like `PeerOf.call`; rejects with `ocpp.notConnected` while there is no connection. */
  call<A extends Action<V>>(action: A, payload: Request<V, A>, options?: CallOptions): Promise<Response<V, A>>;
  callAny(action: string, payload: unknown, options?: CallOptions): Promise<unknown>;
  handle(handler: Handler<V>): void;
  /** Drops the connection without a handshake, as a broken network would; it reconnects. */
  drop(): void;
  /** Ends the connection for good. */
  close(code?: number): Promise<void>;
}

/** Time an attempt to connect may take. */
const CONNECT_MS = 15_000;

/** The station's side of OCPP-J (ocpp 1.1): connects, reconnects, and speaks through the same session core. */
export function createOcppClient<V extends Version>(o: OcppClientOptions<V>): OcppClient<V> {
  return new Client(o);
}

class Client<V extends Version> implements OcppClient<V> {
  readonly identity: string;
  readonly counts = new Counts();
  readonly #o: OcppClientOptions<V>;
  readonly #log: Log;
  readonly #ids: () => string;
  readonly #shell: Shell;
  readonly #validators: Partial<Record<Version, Validators>>;
  #handler: Handler<V> | undefined;
  #connection: Connection<V> | undefined;
  #ws: WebSocket | undefined;
  #retry: TimerHandle | undefined;
  #failures = 0;
  #started: Promise<PeerIn<V>> | undefined;
  #closed = false;
  #onGone: (() => void) | undefined;

  constructor(o: OcppClientOptions<V>) {
    this.#o = o;
    this.identity = o.identity;
    this.#log = o.log ?? silentLog;
    this.#ids = idSource(o.clock);
    this.#shell = {
      clock: o.clock,
      log: this.#log,
      counts: this.counts,
      maxBuffered: 1_048_576,
      onEnd: () => {
        this.#connection = undefined;
      },
    };
    this.#validators = { ...o.validators };
    this.#handler = o.handler;
  }

  get peer(): PeerIn<V> | undefined {
    return this.#connection && asPeer(this.#connection);
  }

  connect(): Promise<PeerIn<V>> {
    this.#started ??= this.#attempt();
    return this.#started;
  }

  call<A extends Action<V>>(action: A, payload: Request<V, A>, options?: CallOptions): Promise<Response<V, A>> {
    return this.#connection?.call(action, payload, options) ?? Promise.reject(OCPP_ERRORS.fail('ocpp.notConnected'));
  }

  callAny(action: string, payload: unknown, options?: CallOptions): Promise<unknown> {
    return this.#connection?.callAny(action, payload, options) ?? Promise.reject(OCPP_ERRORS.fail('ocpp.notConnected'));
  }

  handle(handler: Handler<V>): void {
    this.#handler = handler;
  }

  drop(): void {
    this.#ws?.terminate();
  }

  async close(code = 1000): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    if (this.#ws === undefined) return;
    const gone = new Promise<void>((resolve) => {
      this.#onGone = resolve;
    });
    if (this.#connection === undefined) this.#ws.terminate();
    else this.#connection.close(code);
    await gone;
  }

  #attempt(): Promise<PeerIn<V>> {
    return new Promise((resolve, reject) => {
      const { url, identity, versions, clock } = this.#o;
      const target = `${url.replace(/\/+$/, '')}/${encodeURIComponent(identity)}`;
      let failure: V2gateError | undefined;
      const ws = new WebSocket(target, [...versions], this.#wsOptions());
      this.#ws = ws;
      const overdue = clock.after(CONNECT_MS, () => ws.terminate());
      ws.on('upgrade', (res) => {
        if (res.headers['sec-websocket-protocol'] === undefined) failure = OCPP_ERRORS.fail('ocpp.noVersion');
        res.socket.setNoDelay(true);
      });
      ws.on('unexpected-response', (_req, res) => {
        failure = refusal(res);
        ws.terminate();
      });
      ws.on('error', (e) => {
        failure ??= OCPP_ERRORS.fail('ocpp.connectFailed', `No connection to ${this.#host()}: ${e.message}.`);
      });
      ws.on('open', () => {
        overdue.cancel();
        const version = versions.find((v) => v === ws.protocol);
        // `ws` lets only an offered version through.
        if (version !== undefined) resolve(this.#opened(ws, version));
      });
      ws.on('close', () => {
        overdue.cancel();
        if (this.#closed) failure = OCPP_ERRORS.fail('ocpp.closed');
        const why = failure ?? OCPP_ERRORS.fail('ocpp.connectFailed');
        reject(why);
        this.#gone(why);
      });
    });
  }

  #host(): string {
    return URL.parse(this.#o.url)?.host ?? 'the given URL';
  }

  #wsOptions(): WsOptions {
    const { identity, password, tls, limits, compression } = this.#o;
    const user = Buffer.from(`${identity}:`, 'utf8');
    const secret = password === undefined ? undefined : Buffer.concat([user, Buffer.from(password)]);
    return {
      ...tls,
      maxPayload: (limits?.maxFrame ?? DEFAULT_LIMITS.maxFrame) * HARD_LIMIT,
      perMessageDeflate: compression === true ? DEFLATE : false,
      // Two frames of one packet: who waits for the answer in the first goes on before the CALL in the second is handled.
      allowSynchronousEvents: false,
      ...(secret === undefined ? {} : { headers: { Authorization: `Basic ${secret.toString('base64')}` } }),
    };
  }

  #opened(ws: WebSocket, version: V): PeerIn<V> {
    const { clock, limits, pingMs = 0, onOpen, onClose, identity } = this.#o;
    this.#failures = 0;
    const validators = this.#validators[version] ?? createValidators(version);
    this.#validators[version] = validators;
    const session = createSession({
      version,
      role: 'cs',
      clock,
      ids: this.#ids,
      validators,
      ...(limits ? { limits } : {}),
    });
    const transport = new WsTransport(ws);
    const remote = this.#host();
    const connection = new Connection<V>(this.#shell, { version, session, transport, identity, remote, turn: 0 });
    this.#connection = connection;
    connection.handle((action, payload, ctx) => {
      if (this.#handler === undefined) throw OCPP_ERRORS.fail('ocpp.notImplemented');
      return this.#handler(action, payload, ctx);
    });
    const pings = pingMs > 0 ? every(clock, pingMs, () => connection.ping()) : undefined;
    connection.onClose((why) => {
      pings?.cancel();
      onClose?.(why);
    });
    attach(ws, connection, () => undefined);
    onOpen?.(asPeer(connection));
    return asPeer(connection);
  }

  #gone(why: V2gateError): void {
    this.#ws = undefined;
    this.#onGone?.();
    if (this.#closed || this.#o.reconnect === false) return;
    const wait = backOffMs({ ...DEFAULT_BACKOFF, ...this.#o.backOff }, this.#failures++, this.#o.random ?? Math.random);
    this.#log.info('ocpp.retry', { station: this.identity, code: why.code, inMs: wait });
    this.#retry = this.#o.clock.after(wait, () => {
      this.#attempt().catch(() => undefined);
    });
  }
}

function refusal(res: IncomingMessage): V2gateError {
  if (res.statusCode === 401) return OCPP_ERRORS.fail('ocpp.unauthorized');
  if (res.statusCode === 404) return OCPP_ERRORS.fail('ocpp.unknownStation');
  return OCPP_ERRORS.fail(
    'ocpp.connectFailed',
    `The other side refused the connection with HTTP ${res.statusCode ?? 0}.`,
  );
}

/** The same object, typed so that `version` tells the message types apart. */
function asPeer<V extends Version>(connection: Connection<V>): PeerIn<V> {
  return connection as PeerIn<V>;
}
