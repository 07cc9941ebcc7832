import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { BoundStats } from '../../core/bounded.ts';
import { BoundedMap, BoundedSet } from '../../core/bounded.ts';
import type { TimerHandle } from '../../core/clock.ts';
import { every } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import { idSource } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import { silentLog } from '../../core/log.ts';
import type { SessionConfig, SessionLimits } from './config.ts';
import { DEFAULT_LIMITS, sessionConfig } from './config.ts';
import type { Shell } from './connection.ts';
import { Connection } from './connection.ts';
import { Counts, publisher } from './counts.ts';
import type { Gate } from './gate.ts';
import type { Credentials, Remote } from './handshake.ts';
import { chooseVersion, credentialsOf, identityOf, refuse, remoteOf } from './handshake.ts';
import type { Admission, OcppServer, OcppServerOptions } from './server.ts';
import { Session } from './session.ts';
import type { Station } from './types.ts';
import { createValidators } from './validators.ts';
import type { Version } from './versions.ts';
import { VERSIONS } from './versions.ts';
import { attach, DEFLATE, HARD_LIMIT, WsTransport } from './websocket.ts';

const TICK_MS = 1000;
/** Time a handshake may take, `authenticate` included. */
const HANDSHAKE_MS = 10_000;
/** Time the sockets get to close before the server drops them. */
const GRACE_MS = 3000;

/** The server behind `createOcppServer`: handshakes, the stations by identity, pings, the end. */
export class Endpoint implements OcppServer {
  readonly counts = new Counts();
  readonly #o: OcppServerOptions;
  readonly #http: Server;
  readonly #host: string;
  readonly #gate: Gate | undefined;
  readonly #path: string;
  readonly #log: Log;
  readonly #versions: readonly Version[];
  readonly #configs = new Map<Version, SessionConfig>(); // bounded by: the versions of this stack
  readonly #limits: SessionLimits;
  readonly #shell: Shell;
  readonly #plain: WebSocketServer;
  readonly #deflating: WebSocketServer;
  readonly #stations: BoundedMap<string, Connection>;
  /** Sockets that are not closed yet, also those of stations that have been replaced. */
  readonly #sockets: BoundedSet<WebSocket>;
  readonly #publish: (() => void) | undefined;
  readonly #uncollect: (() => void) | undefined;
  readonly #pingRounds: number;
  #handshakes = 0;
  #port: number | undefined;
  #welcomed = 0;
  #ticks = 0;
  #ticker: TimerHandle | undefined;
  #closing: Promise<void> | undefined;
  #allGone: (() => void) | undefined;
  readonly #onUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer): void => this.#upgrade(req, socket, head);

  /** `gate`: where connections wait before their handshake. */
  constructor(o: OcppServerOptions, http: Server, host: string, gate?: Gate) {
    this.#gate = gate;
    this.#o = o;
    this.#http = http;
    this.#host = host;
    this.#path = (o.path ?? '/ocpp').replace(/\/+$/, '') || '/';
    this.#log = o.log ?? silentLog;
    this.#versions = o.versions ?? (Object.keys(VERSIONS) as Version[]);
    this.#limits = { ...DEFAULT_LIMITS, ...o.limits };
    const { clock } = o;
    const ids = idSource(clock);
    for (const version of this.#versions) {
      const validators = o.validators?.[version] ?? createValidators(version);
      this.#configs.set(
        version,
        sessionConfig({ version, role: 'csms', clock, ids, validators, limits: this.#limits }),
      );
    }
    this.#shell = {
      clock,
      log: this.#log,
      counts: this.counts,
      maxBuffered: o.maxBuffered ?? 1_048_576,
      tap: o.tap,
      onEnd: (identity, connection) => this.#ended(identity, connection),
    };
    const common = {
      noServer: true,
      clientTracking: false,
      maxPayload: this.#limits.maxFrame * HARD_LIMIT,
      handleProtocols: (_offered: Set<string>, req: IncomingMessage) => this.#choose(req) ?? false,
    };
    this.#plain = new WebSocketServer({ ...common, perMessageDeflate: false });
    this.#deflating = new WebSocketServer({ ...common, perMessageDeflate: DEFLATE });
    const max = o.maxStations ?? 10_000;
    this.#stations = new BoundedMap({ name: 'ocpp.stations', max, overflow: 'refuse' });
    this.#sockets = new BoundedSet({ name: 'ocpp.sockets', max: max + Math.ceil(max / 4) + 16, overflow: 'refuse' });
    this.#publish = o.metrics && publisher(o.metrics, this.counts);
    this.#uncollect = o.metrics?.collect('v2gate_ocpp', () => this.stats());
    this.#pingRounds = Math.ceil((o.pingMs ?? 60_000) / TICK_MS);
  }

  start(): void {
    this.#http.on('upgrade', this.#onUpgrade);
    this.#ticker = every(this.#o.clock, TICK_MS, () => this.#tick());
  }

  get port(): number {
    // Asked for whenever a station comes or goes.
    this.#port ??= (this.#http.address() as AddressInfo | null)?.port;
    return this.#port ?? 0;
  }

  get url(): string {
    const host = this.#host.includes(':') ? `[${this.#host}]` : this.#host;
    return `${this.#o.tls || this.#o.tlsSource ? 'wss' : 'ws'}://${host}:${this.port}${this.#path === '/' ? '' : this.#path}`;
  }

  get stationCount(): number {
    return this.#stations.size;
  }

  station(identity: string): Station | undefined {
    const connection = this.#stations.get(identity);
    return connection && (connection as Station);
  }

  *stations(): IterableIterator<Station> {
    for (const connection of this.#stations.values()) yield connection as Station;
  }

  warm(actions: readonly string[]): void {
    for (const { validators } of this.#configs.values()) validators.warm(actions);
  }

  stats(): readonly BoundStats[] {
    let size = 0;
    for (const connection of this.#stations.values()) size += connection.queued;
    const max = this.#limits.maxQueue * this.#stations.stats().max;
    const calls: BoundStats = { name: 'ocpp.calls', size, max, dropped: this.counts.queueDrops };
    return [this.#stations.stats(), this.#sockets.stats(), calls, ...(this.#gate ? [this.#gate.stats()] : [])];
  }

  close(drainMs = 1000): Promise<void> {
    this.#closing ??= this.#shutDown(drainMs);
    return this.#closing;
  }

  /** Pings an equal share of the stations each second, so that 5 000 pings are no burst. */
  #tick(): void {
    this.#publish?.();
    const rounds = this.#pingRounds;
    if (rounds <= 0) return;
    const turn = this.#ticks++ % rounds;
    for (const connection of this.#stations.values()) if (connection.turn % rounds === turn) connection.ping();
  }

  #choose(req: IncomingMessage): Version | undefined {
    return chooseVersion(req.headers['sec-websocket-protocol'], this.#versions);
  }

  #upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    // On a shared server the request may be for somebody else.
    if (this.#http.listenerCount('upgrade') > 1 && !(req.url ?? '').startsWith(this.#path)) return;
    socket.on('error', () => socket.destroy());
    const identity = identityOf(req.url, this.#path);
    const credentials = credentialsOf(req);
    if (identity === undefined) this.#refuse(socket, 404, { code: 'ocpp.badAddress' });
    else if (this.#closing !== undefined || this.#full(identity)) this.#refuse(socket, 503, { identity });
    else if (credentials === null || (credentials !== undefined && credentials.user !== identity)) {
      this.#refuse(socket, 401, { identity, reason: 'the user of the password is not the identity' });
    } else this.#authenticate(req, socket, head, identity, credentials);
  }

  #authenticate(
    req: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    identity: string,
    credentials: Credentials | undefined,
  ): void {
    const version = this.#choose(req);
    const remote: Remote = { ...remoteOf(req), ...(version === undefined ? {} : { version }) };
    this.#handshakes++;
    const overdue = this.#o.clock.after(HANDSHAKE_MS, () => this.#refuse(socket, 503, { identity }));
    this.#admit(identity, credentials, remote)
      .then((admission) => {
        if (!admission.accept) {
          const { status, reason } = admission;
          this.#refuse(socket, status, { identity, ...(reason === undefined ? {} : { reason }) });
        } else if (!socket.destroyed && socket.writable) this.#complete(req, socket, head, identity, remote);
      })
      .catch((e: unknown) => {
        this.#log.error('ocpp.authenticateFailed', { identity, ...describeError(e) });
        this.#refuse(socket, 503, { identity });
      })
      .finally(() => {
        this.#handshakes--;
        overdue.cancel();
      });
  }

  #full(identity: string): boolean {
    const { size, max } = this.#stations.stats();
    const sockets = this.#sockets.stats();
    if (sockets.size + this.#handshakes >= sockets.max) return true;
    return !this.#stations.has(identity) && size + this.#handshakes >= max;
  }

  async #admit(identity: string, credentials: Credentials | undefined, remote: Remote): Promise<Admission> {
    return this.#o.authenticate?.(identity, credentials, remote) ?? { accept: true };
  }

  #refuse(socket: Duplex, status: 401 | 404 | 503, fields: Readonly<Record<string, unknown>>): void {
    this.counts.refusedHandshakes++;
    this.#log.warn('ocpp.refusedHandshake', { status, ...fields });
    refuse(socket, status);
  }

  #complete(req: IncomingMessage, socket: Duplex, head: Buffer, identity: string, remote: Remote): void {
    const version = this.#choose(req);
    const deflate = version !== undefined && VERSIONS[version].compression && this.#o.compression !== false;
    const wss = deflate ? this.#deflating : this.#plain;
    wss.handleUpgrade(req, socket, head, (ws) => {
      if (version === undefined) {
        this.#noVersion(ws, identity);
      } else if (this.#closing !== undefined) {
        ws.close(1001);
      } else {
        req.socket.setNoDelay(true);
        this.#welcome(ws, socket, { identity, version, remote });
      }
    });
  }

  /** The handshake is completed without the header, then the socket is closed at once (ocpp 1.1). */
  #noVersion(ws: WebSocket, identity: string): void {
    this.counts.refusedHandshakes++;
    this.#log.warn('ocpp.noVersion', { identity, supported: this.#versions });
    ws.on('error', () => undefined);
    this.#track(ws);
    ws.on('close', () => this.#untrack(ws));
    ws.close(1002, 'no common OCPP version');
    const drop = this.#o.clock.after(GRACE_MS, () => ws.terminate());
    ws.on('close', () => drop.cancel());
  }

  #welcome(
    ws: WebSocket,
    socket: Duplex,
    { identity, version, remote }: { readonly identity: string; readonly version: Version; readonly remote: Remote },
  ): void {
    const config = this.#configs.get(version);
    if (config === undefined) {
      ws.terminate();
      return;
    }
    const before = this.#stations.get(identity);
    if (before !== undefined) {
      this.counts.replaced++;
      this.#log.warn('ocpp.replaced', { identity, before: before.remote, remote: `${remote.address}:${remote.port}` });
      before.replace();
    }
    const connection = new Connection<Version>(this.#shell, {
      version,
      session: new Session(config),
      transport: new WsTransport(ws, socket),
      identity,
      remote: `${remote.address}:${remote.port}`,
      turn: this.#welcomed++,
    });
    this.#track(ws);
    this.#stations.set(identity, connection);
    attach(ws, connection, () => this.#untrack(ws));
    this.#log.debug('ocpp.connected', { identity, version, remote: connection.remote });
    try {
      this.#o.onStation(connection as Station);
    } catch (e) {
      this.#log.error('ocpp.onStationFailed', { identity, ...describeError(e) });
      connection.close(1011, 'internal error');
    }
  }

  #ended(identity: string, connection: unknown): void {
    if (this.#stations.get(identity) === connection) this.#stations.delete(identity);
  }

  #track(ws: WebSocket): void {
    this.#sockets.add(ws);
  }

  #untrack(ws: WebSocket): void {
    this.#sockets.delete(ws);
    if (this.#sockets.size === 0) this.#allGone?.();
  }

  async #shutDown(drainMs: number): Promise<void> {
    this.#http.off('upgrade', this.#onUpgrade);
    this.#ticker?.cancel();
    const own = this.#o.attachTo === undefined;
    this.#gate?.close();
    const stopped = own ? new Promise<void>((resolve) => this.#http.close(() => resolve())) : Promise.resolve();
    await this.#drain(drainMs);
    for (const connection of [...this.#stations.values()]) connection.close(1001, 'going away');
    await this.#socketsGone();
    if (own) this.#http.closeAllConnections();
    await stopped;
    this.#publish?.();
    this.#uncollect?.();
  }

  /** Waits until no call is open, at most `drainMs`. */
  async #drain(drainMs: number): Promise<void> {
    const { clock } = this.#o;
    const end = clock.now() + drainMs;
    while (clock.now() < end && ![...this.#stations.values()].every((c) => c.idle)) {
      await new Promise<void>((resolve) => clock.after(Math.min(20, end - clock.now()), resolve));
    }
  }

  /** Waits for the closing handshakes; the connections themselves drop sockets that do not answer. */
  async #socketsGone(): Promise<void> {
    if (this.#sockets.size === 0) return;
    await new Promise<void>((resolve) => {
      const late = this.#o.clock.after(GRACE_MS, () => {
        for (const ws of this.#sockets) ws.terminate();
      });
      this.#allGone = () => {
        late.cancel();
        resolve();
      };
    });
  }
}
