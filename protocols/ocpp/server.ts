import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { ServerOptions as TlsOptions } from 'node:https';
import { createServer as createTlsServer } from 'node:https';
import type { BoundStats } from '../../core/bounded.ts';
import type { Clock } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';
import { LISTEN_ERRORS } from '../../core/listen.ts';
import type { Log } from '../../core/log.ts';
import type { Metrics } from '../../core/metrics.ts';
import { createHttpsServer, type TlsSource } from '../../core/tls.ts';
import type { SessionLimits } from './config.ts';
import type { Counts } from './counts.ts';
import { Endpoint } from './endpoint.ts';
import { OCPP_ERRORS } from './errors.ts';
import { paceHandshakes } from './gate.ts';
import type { Credentials, Remote } from './handshake.ts';
import type { Station, TappedMessage } from './types.ts';
import type { Validators } from './validators.ts';
import type { Version } from './versions.ts';

export type Admission =
  | { readonly accept: true }
  /** `reason`: for the log, a few words without anything that was given. */
  | { readonly accept: false; readonly status: 401 | 404; readonly reason?: string };

export interface OcppServerOptions {
  /** Default 127.0.0.1. Any other address needs `tls` and `authenticate`, or `allowInsecure`. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port?: number;
  /** Makes the server speak wss (security profiles 2 and 3, ocpp 1.5). */
  readonly tls?: TlsOptions;
  /** The same with a certificate that may change while the server runs, and the suites of ocpp 1.5. */
  readonly tlsSource?: TlsSource;
  /** A running HTTP server to share instead of listening; `host`, `port` and `tls` are then its owner's matter. */
  readonly attachTo?: Server;
  /** Path before the identity. Default `/ocpp`. */
  readonly path?: string;
  /** Versions to accept; the station's order of preference decides. Default: all of this stack. */
  readonly versions?: readonly Version[];
  readonly clock: Clock;
  readonly log?: Log;
  readonly metrics?: Metrics;
  /** Who may connect. Without it everybody may. A Basic user name that is not the identity is refused before. */
  readonly authenticate?: (
    identity: string,
    credentials: Credentials | undefined,
    remote: Remote,
  ) => Admission | Promise<Admission>;
  /** A station has connected: set its handler here, synchronously. */
  readonly onStation: (station: Station) => void;
  /** Sees every message that passes, decoded, right after it was read or written. Must not throw. */
  readonly tap?: (message: TappedMessage) => void;
  readonly limits?: Partial<SessionLimits>;
  /** Stations connected at once. Default 10 000. */
  readonly maxStations?: number;
  /** Period of pings, ms; a station that is silent for two periods is dropped. 0 = off. Default 60 000. */
  readonly pingMs?: number;
  /** Unread bytes after which a station is dropped. Default 1 048 576. */
  readonly maxBuffered?: number;
  /** Offer permessage-deflate to 2.x stations that ask for it. Default true. */
  readonly compression?: boolean;
  /** Listen in plain text or to anybody beyond loopback: everybody on that network may then pose as a station. */
  readonly allowInsecure?: boolean;
  /** To share compiled schemas between servers and clients of one process. */
  readonly validators?: Partial<Readonly<Record<Version, Validators>>>;
}

export interface OcppServer {
  readonly port: number;
  /** Base URL without the identity, e.g. `ws://127.0.0.1:9220/ocpp`. */
  readonly url: string;
  readonly stationCount: number;
  station(identity: string): Station | undefined;
  stations(): IterableIterator<Station>;
  /** Compiles the schemas of these actions now, in all versions of this server. */
  warm(actions: readonly string[]): void;
  stats(): readonly BoundStats[];
  /** What was counted since the start. */
  readonly counts: Readonly<Counts>;
  /** Stops listening, lets open calls end for at most `drainMs` (default 1000), closes all sockets. */
  close(drainMs?: number): Promise<void>;
}

const LOOPBACK: readonly string[] = ['127.0.0.1', '::1', 'localhost'];

/** Opens a CSMS endpoint (ocpp 1.1). Rejects with `port.taken` or `ocpp.insecure`. */
export async function createOcppServer(o: OcppServerOptions): Promise<OcppServer> {
  const host = o.host ?? '127.0.0.1';
  const secure = (o.tls !== undefined || o.tlsSource !== undefined) && o.authenticate !== undefined;
  if (o.attachTo === undefined && !LOOPBACK.includes(host) && !secure && o.allowInsecure !== true) {
    throw OCPP_ERRORS.fail('ocpp.insecure');
  }
  const http = o.attachTo ?? ownServer(o);
  const encrypted = o.attachTo === undefined && (o.tls !== undefined || o.tlsSource !== undefined);
  const gate = encrypted ? paceHandshakes(http, { clock: o.clock, max: o.maxStations ?? 10_000 }) : undefined;
  const endpoint = new Endpoint(o, http, host, gate);
  if (o.attachTo === undefined) await listen(http, o.port ?? 0, host);
  endpoint.start();
  return endpoint;
}

function ownServer({ tls, tlsSource }: OcppServerOptions): Server {
  if (tlsSource !== undefined) return createHttpsServer(tlsSource, { profile: 'stations' }, plainRequest);
  return tls === undefined ? createServer(plainRequest) : createTlsServer(tls, plainRequest);
}

function plainRequest(_req: IncomingMessage, res: ServerResponse): void {
  res.writeHead(426, { Connection: 'close', Upgrade: 'websocket' }).end();
}

function listen(http: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (e: Error): void => {
      const what = `Port ${port} of ${host} is in use.`;
      reject(codeOf(e) === 'EADDRINUSE' ? LISTEN_ERRORS.fail('port.taken', what) : e);
    };
    http.once('error', failed);
    http.listen(port, host, () => {
      http.off('error', failed);
      resolve();
    });
  });
}
