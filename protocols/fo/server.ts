import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { BoundedSet } from '../../core/bounded.ts';
import type { TimerHandle } from '../../core/clock.ts';
import { codeOf, describeError } from '../../core/errors.ts';
import { idSource } from '../../core/ids.ts';
import { LISTEN_ERRORS } from '../../core/listen.ts';
import { createHttpsServer } from '../../core/tls.ts';
import { authRequestOf, isLoopback } from './auth.ts';
import { FO_LIMITS } from './envelope.ts';
import { FO_ERRORS, FO_LINK_ERRORS, resultOf } from './errors.ts';
import { closeCodeOf, judgeHello, refusalText } from './gate.ts';
import { DEFAULT_PARTIES, Parties } from './parties.ts';
import { HELLO_WITHIN_MS } from './session/hello.ts';
import { wrapSocket } from './socket.ts';
import {
  FO_CLOSE,
  FO_PATH,
  FO_SUBPROTOCOL,
  type FoAuthAnswer,
  type FoConnection,
  type FoServer,
  type FoServerOptions,
} from './types.ts';

/** Listens for parties. Rejects with `port.taken`, `fo.listenFailed` or `fo.insecure`. */
export async function createFoServer(o: FoServerOptions): Promise<FoServer> {
  if (!o.tls && !isLoopback(o.host) && o.allow !== 'plainTextOutsideLoopback') {
    throw FO_LINK_ERRORS.fail(
      'fo.insecure',
      `The FO link would listen in plain text on ${o.host}, which others can reach.`,
    );
  }
  const parties = new Parties(o);
  const http = o.tls
    ? createHttpsServer(o.tls.source, { profile: o.tls.profile ?? 'modern', askClient: true })
    : createHttpServer();
  http.maxConnections = 8 * (o.maxParties ?? DEFAULT_PARTIES);
  const door = new Door(o, parties);
  http.on('request', (_, res) => res.writeHead(426, { upgrade: 'websocket', connection: 'close' }).end());
  http.on('upgrade', (req, socket, head) => void door.upgrade(req, socket, head));
  const port = await listen(http, o);
  const path = o.path ?? FO_PATH;
  const host = o.host.includes(':') ? `[${o.host}]` : o.host;
  const url = `${o.tls ? 'wss' : 'ws'}://${host}:${port}${path}`;
  o.log.info('fo.listening', { url });
  if (!o.tls && !isLoopback(o.host)) o.log.warn('fo.plainText', { url });
  return {
    url,
    port,
    peers: () => parties.up(),
    session: (peer) => parties.session(peer),
    answer: (replyTo, result) => parties.answer(replyTo, result),
    async close() {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      parties.close();
      const cut = door.close();
      await closed;
      cut.cancel();
      o.log.info('fo.closed', { url });
    },
  };
}

async function listen(http: Server, o: FoServerOptions): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(o.port, o.host, () => resolve());
  }).catch((e: unknown) => {
    if (codeOf(e) === 'EADDRINUSE')
      throw LISTEN_ERRORS.fail('port.taken', `Port ${o.port} is in use by another program.`);
    throw FO_LINK_ERRORS.fail('fo.listenFailed', `Cannot listen on ${o.host}:${o.port} (${codeOf(e) ?? 'unknown'}).`);
  });
  http.on('error', (e) => o.log.error('fo.serverError', { code: codeOf(e), what: e.message }));
  const address = http.address();
  return typeof address === 'object' && address !== null ? address.port : o.port;
}

/** Lets connections in: path, subprotocol, authentication, first message. */
class Door {
  readonly #o: FoServerOptions;
  readonly #parties: Parties;
  readonly #wss = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: FO_LIMITS.maxBytes,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(FO_SUBPROTOCOL) ? FO_SUBPROTOCOL : false),
  });
  readonly #sockets: BoundedSet<WebSocket>;
  readonly #nextId: () => string;
  readonly #signatures: Pick<FoServerOptions, 'signatures'>;
  #closed = false;

  constructor(o: FoServerOptions, parties: Parties) {
    this.#o = o;
    this.#nextId = o.randomBytes ? idSource(o.clock, o.randomBytes) : idSource(o.clock);
    this.#signatures = o.signatures ? { signatures: o.signatures.bind(o) } : {};
    this.#parties = parties;
    this.#sockets = new BoundedSet({
      name: 'fo.sockets',
      max: 4 * (o.maxParties ?? DEFAULT_PARTIES),
      overflow: 'refuse',
    });
  }

  /** Never rejects. */
  async upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { log } = this.#o;
    const swallow = (): void => undefined;
    socket.on('error', swallow);
    if (req.url?.split('?', 1)[0] !== (this.#o.path ?? FO_PATH)) return refuseHttp(socket, '404 Not Found');
    if (this.#closed) return refuseHttp(socket, '503 Service Unavailable');
    const answer = await this.#authenticate(req);
    if (this.#closed || socket.destroyed) return void socket.destroy();
    try {
      setNoDelay(socket);
      this.#wss.handleUpgrade(req, socket, head, (ws) => {
        socket.off('error', swallow);
        this.#greet(ws, answer);
      });
    } catch (e) {
      log.warn('fo.upgradeFailed', { what: describeError(e).what });
      socket.destroy();
    }
  }

  async #authenticate(req: IncomingMessage): Promise<FoAuthAnswer> {
    const request = authRequestOf(req);
    try {
      const ask = this.#o.authenticate?.bind(this.#o);
      const answer = ask ? await ask(request) : ({ fromHello: true } as const);
      if (!('fromHello' in answer)) return answer;
      // Any web page in a browser on this machine could connect; only browsers send Origin.
      const nobody = !request.loopback || req.headers.origin !== undefined;
      return nobody ? { refuse: 'auth.failed' } : answer;
    } catch (e) {
      this.#o.log.error('fo.authenticateFailed', { what: describeError(e).what });
      return { refuse: 'auth.failed' };
    }
  }

  #greet(ws: WebSocket, answer: FoAuthAnswer): void {
    const { clock, log } = this.#o;
    const { self, role = 'fcsbe' } = this.#o;
    let connection: FoConnection | undefined;
    let closing = false;
    const hello = clock.after(HELLO_WITHIN_MS, () => transport.close(FO_CLOSE.profile, 'no Hello'));
    const transport = wrapSocket(ws, {
      clock,
      log,
      onText: (text) => {
        if ('refuse' in answer || closing) return;
        connection ??= introduce(text);
        if (connection) connection.receive(text);
        else closing = true;
      },
      onGone: (reason) => {
        hello.cancel();
        this.#sockets.delete(ws);
        connection?.gone(reason);
      },
    });
    const introduce = (text: string): FoConnection | undefined => {
      const known = 'partyId' in answer ? answer.partyId : undefined;
      const allows = 'fromHello' in answer ? answer.allows : undefined;
      const first = judgeHello(text, { self, role, now: clock.now(), peer: known, allows, ...this.#signatures });
      if ('refused' in first) {
        const result = resultOf(first.refused);
        log.warn('fo.refusedHello', { code: result.code, what: result.message });
        // A Result is never answered: two sides could answer each other for ever.
        const mute = (first.decoded.ok ? first.decoded.envelope.type : first.decoded.type) === 'Result';
        if (!mute) ws.send(refusalText(first, { self, now: clock.now(), messageId: this.#nextId() }));
        transport.close(closeCodeOf(result), result.code ?? 'refused');
        return undefined;
      }
      hello.cancel();
      try {
        return this.#parties.session(first.peer, known === undefined).attach(transport, 'listener');
      } catch (e) {
        log.warn('fo.refusedParty', { peer: first.peer, code: codeOf(e), what: describeError(e).what });
        transport.close(FO_CLOSE.rate, 'too many parties');
        return undefined;
      }
    };
    const refuse = (code: Refusal): void => {
      log.warn('fo.refusedConnection', { code, what: FO_ERRORS.kinds[code].what });
      transport.close(code === 'state.invalid' ? FO_CLOSE.enrolment : FO_CLOSE.authentication, code);
    };
    if (!this.#sockets.add(ws)) {
      transport.close(FO_CLOSE.rate, 'too many connections');
      return;
    }
    if (ws.protocol !== FO_SUBPROTOCOL) {
      transport.close(FO_CLOSE.profile, `subprotocol ${FO_SUBPROTOCOL} expected`);
      return;
    }
    if ('refuse' in answer) refuse(answer.refuse);
  }

  /** Says goodbye to all; who does not answer within a second is cut off unless the timer is cancelled. */
  close(): TimerHandle {
    this.#closed = true;
    const sockets = [...this.#sockets];
    for (const ws of sockets) ws.close(FO_CLOSE.goingAway, 'shutting down');
    return this.#o.clock.after(1000, () => {
      for (const ws of sockets) ws.terminate();
    });
  }
}

type Refusal = Extract<FoAuthAnswer, { readonly refuse: unknown }>['refuse'];

function setNoDelay(socket: Duplex): void {
  if ('setNoDelay' in socket) (socket as Socket).setNoDelay(true);
}

/** Sockets of an HTTP server are half-open by default: without `destroy` one would stay until the peer ends it, too. */
function refuseHttp(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}
