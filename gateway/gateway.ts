import { join } from 'node:path';
import { type Clock, type ManualClock, realClock } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { EventStreams } from './event-streams.ts';
import type { HealthReport } from './health.ts';
import { createHttp, type Http } from './http.ts';
import { createLinkBook, type LinkBook } from './link-book.ts';
import { listen } from './listen.ts';
import { watchLoopDelay } from './loop-delay.ts';
import { type NodeRedHost, startNodeRed } from './node-red.ts';
import { createRuntime, type GatewayProcessRuntime, ROOT } from './runtime.ts';
import { dataPaths, type Environment, type Settings } from './settings.ts';
import { greeting, SiteFeed } from './site-feed.ts';

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
  const runtime = await createRuntime({ settings, clock, log, mappings: join(ROOT, 'mappings'), env: o.env ?? {} });
  const { components, metrics } = runtime;
  const sites = () => runtime.sites.all();
  const links = createLinkBook();
  metrics.collect('v2gate_bound', () => [components.stats(), ...links.stats()]);
  // The console and the watch over the process live in real time, also where the domain's clock stands still.
  const wall = realClock();
  const health = (): HealthReport => {
    const report = components.report();
    const admits = sites().length > 0 && sites().every((s) => s.ready);
    return { ...report, admitsNewControl: report.admitsNewControl && admits };
  };
  const greet = (): string[] => greeting(sites(), health());
  const streams = new EventStreams({ clock: wall, metrics, max: settings.eventClients, greet });
  const feed = new SiteFeed({ clock: wall, sites, health, streams });
  const stopWatching = watchLoopDelay(wall, metrics, (state) => components.set('event loop', state));
  const http = createHttp({
    settings,
    clock,
    sites,
    streams,
    links: links.list,
    secret: runtime.secret,
    publicKeys: runtime.signers.publicKeys,
    health,
    metrics: () => metrics.render(),
    console: join(ROOT, 'gateway', 'console'),
    ...(runtime.tls.http ? { tls: runtime.tls.http } : {}),
  });
  let nodeRed: NodeRedHost | undefined;
  const stop = async (): Promise<void> => {
    feed.close();
    streams.close();
    stopWatching();
    await nodeRed?.stop().catch((e: unknown) => log.error('nodered.stopFailed', describeError(e)));
    await runtime.close();
    await closeServer(http);
  };
  try {
    const { host, httpPort, portSearch } = settings;
    const port = await listen(http.server, { host, port: httpPort, search: portSearch });
    nodeRed = await startFlows(o, runtime, http, links);
    return {
      runtime,
      links,
      url: `${runtime.tls.http ? 'https' : 'http'}://${urlHost(settings.host)}:${port}`,
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
