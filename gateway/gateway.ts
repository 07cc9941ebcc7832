import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { type Clock, every, type ManualClock, realClock } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { Access } from './access.ts';
import { createGate } from './gate.ts';
import { createHttp, type Http } from './http.ts';
import type { LinkBook } from './link-book.ts';
import { listen } from './listen.ts';
import { followRuntime, pagesOf } from './live.ts';
import { type NodeRedHost, startNodeRed } from './node-red.ts';
import { createRuntime, type GatewayProcessRuntime, ROOT } from './runtime.ts';
import { dataPaths, type Environment, isLoopback, type Settings } from './settings.ts';

export interface GatewayOptions {
  readonly settings: Settings;
  readonly clock: Clock | ManualClock;
  readonly log: Log;
  /** Where single secrets may come from; default: nowhere. */
  readonly env?: Environment;
  /** False leaves out the editor and its admin API (tests). */
  readonly editor?: boolean;
  /** Flow file to start with when there is none yet. */
  readonly example?: string;
  readonly nodesDirs?: readonly string[];
}

/** Streams and sockets are asked when they open; whether their session has ended since is looked at this often. */
const SESSIONS_MS = 30_000;

/** A running gateway. */
export interface Gateway {
  readonly runtime: GatewayProcessRuntime;
  readonly links: LinkBook;
  /** `http://127.0.0.1:1880` */
  readonly url: string;
  /** Where HTTP listens, which may not be the wanted port. */
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Starts everything of one gateway process. Rejects when settings, data folder, store or HTTP port make a start
 * impossible; a broken flow or site file does not, so that console and health can tell about it.
 */
export async function startGateway(o: GatewayOptions): Promise<Gateway> {
  const { settings, clock, log } = o;
  let url = '';
  const runtime = await createRuntime({
    settings,
    clock,
    log,
    mappings: join(ROOT, 'mappings'),
    env: o.env ?? {},
    gatewayUrl: () => url,
  });
  // The console and the watch over the process live in real time, also where the domain's clock stands still.
  const wall = realClock();
  const live = followRuntime(runtime, wall);
  const { links } = live;
  const access = new Access({
    clock: wall,
    users: () => runtime.users.content,
    password: settings.httpPassword,
    proxy: settings.trustedProxy,
    trusting: isLoopback(settings.host) || settings.insecure,
    onLogout: () => endSessions(),
    log,
  });
  runtime.metrics.collect('v2gate_bound', () => access.stats());
  const http = createHttp({
    ...pagesOf(runtime, live, wall),
    access,
    gate: createGate(access, log),
    secure: runtime.tls.http !== undefined,
    ...(runtime.tls.http ? { tls: runtime.tls.http } : {}),
  });
  const forgetUsers = runtime.users.onChange(() => {
    live.streams.disconnect();
    live.timeline.disconnect();
    http.recheck('all');
  });
  const endSessions = (): void => {
    const may = (req: IncomingMessage): boolean =>
      req.headers.authorization !== undefined || access.identifyNow(req) !== undefined;
    live.streams.recheck(may);
    live.timeline.recheck(may);
    http.recheck('sessions');
  };
  const watch = every(wall, SESSIONS_MS, endSessions);
  let nodeRed: NodeRedHost | undefined;
  const stop = async (): Promise<void> => {
    forgetUsers();
    watch.cancel();
    live.close();
    await nodeRed?.stop().catch((e: unknown) => log.error('nodered.stopFailed', describeError(e)));
    await runtime.close();
    await closeServer(http);
  };
  try {
    const { host, httpPort, portSearch } = settings;
    const port = await listen(http.server, { host, port: httpPort, search: portSearch });
    url = `${runtime.tls.http ? 'https' : 'http'}://${urlHost(settings.host)}:${port}`;
    nodeRed = await startFlows(o, runtime, http, links);
    return {
      runtime,
      links,
      url,
      port,
      stop,
    };
  } catch (e) {
    await stop();
    throw e;
  }
}

/** Node-RED that cannot start leaves a gateway without flows, which says so. */
async function startFlows(
  o: GatewayOptions,
  runtime: GatewayProcessRuntime,
  http: Http,
  links: LinkBook,
): Promise<NodeRedHost | undefined> {
  const { settings, log, editor = true } = o;
  const paths = dataPaths(settings.dataDir);
  try {
    return await startNodeRed({
      server: http.server,
      runtime,
      userDir: paths.nodeRed,
      nodesDirs: [join(ROOT, 'nodes'), ...(o.nodesDirs ?? [])],
      ...(o.example === undefined ? {} : { example: o.example }),
      credentialSecret: settings.credentialSecret ?? { keepIn: paths.secret },
      editor,
      onInitialised: () => http.mountNodeRed(editor),
      onLink: links.note,
      onLinkGone: links.forget,
    });
  } catch (e) {
    const shown = describeError(e);
    log.error('flows.failed', shown);
    runtime.health('flows', { state: 'down', text: shown.what });
    return undefined;
  }
}

function closeServer({ server }: Http): Promise<void> {
  return new Promise((done) => {
    if (!server.listening) return done();
    server.close(() => done());
    server.closeAllConnections();
  });
}

/** A host as it is written in a URL that people open; every address is reached by this machine as localhost. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
