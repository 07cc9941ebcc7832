import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { Site } from '../hub/site/types.ts';
import { EventStreams } from './event-streams.ts';
import type { HealthReport } from './health.ts';
import { createLinkBook, type LinkBook } from './link-book.ts';
import { watchLoopDelay } from './loop-delay.ts';
import type { PagesOptions } from './pages.ts';
import { processFacts } from './process-facts.ts';
import { type GatewayProcessRuntime, ROOT } from './runtime.ts';
import { greeting, SiteFeed } from './site-feed.ts';
import { TimelineStreams } from './timeline-streams.ts';

/** What pages show of a running gateway, as it changes. */
export interface Live {
  readonly links: LinkBook;
  readonly streams: EventStreams;
  readonly timeline: TimelineStreams;
  sites(): readonly Site[];
  health(): HealthReport;
  close(): void;
}

/** Follows the runtime. `wall` is the machine's clock: people live in real time, also where the domain's stands still. */
export function followRuntime(runtime: GatewayProcessRuntime, wall: Clock): Live {
  const { components, metrics, trace, settings } = runtime;
  const sites = (): readonly Site[] => runtime.sites.all();
  const health = (): HealthReport => {
    const report = components.report();
    const admits = sites().length > 0 && sites().every((s) => s.ready);
    return { ...report, admitsNewControl: report.admitsNewControl && admits };
  };
  const links = createLinkBook();
  const greet = (): string[] => greeting(sites(), health());
  const streams = new EventStreams({ clock: wall, metrics, max: settings.eventClients, greet });
  const feed = new SiteFeed({ clock: wall, sites, health, streams });
  const timeline = new TimelineStreams(wall, trace);
  metrics.collect('v2gate_bound', () => [components.stats(), ...links.stats(), ...trace.stats(), timeline.stats()]);
  const stopWatching = watchLoopDelay(wall, metrics, (state) => components.set('event loop', state));
  return {
    links,
    streams,
    timeline,
    sites,
    health,
    close() {
      feed.close();
      streams.close();
      timeline.close();
      stopWatching();
    },
  };
}

/** What the pages of a gateway show, whoever decides about who may see them. */
export function pagesOf(
  runtime: GatewayProcessRuntime,
  live: Live,
  wall: Clock,
): Omit<PagesOptions, 'gate' | 'access' | 'secure' | 'paths'> {
  const { settings, clock, secret, metrics, trace, signers } = runtime;
  const { sites, streams, timeline, links, health } = live;
  return {
    settings,
    clock,
    wall,
    secret,
    sites,
    streams,
    trace,
    timeline,
    health,
    links: links.list,
    bounds: () => metrics.bounds(),
    metrics: () => metrics.render(),
    publicKeys: signers.publicKeys,
    process: processFacts(wall),
    console: join(ROOT, 'gateway', 'console'),
  };
}
