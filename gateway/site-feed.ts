import { BoundedMap } from '../core/bounded.ts';
import { type Clock, every, type TimerHandle } from '../core/clock.ts';
import type { PlotPoint, Site } from '../hub/site/types.ts';
import type { FleetSnapshot, PendingStation } from '../model/index.ts';
import { type EventStreams, eventFrame } from './event-streams.ts';
import type { HealthReport } from './health.ts';

/** What the console shows of one site. */
export interface SiteView {
  readonly siteId: string;
  readonly name?: string;
  /** Stored services were read back; new control may be admitted. */
  readonly ready: boolean;
  readonly snapshot: FleetSnapshot;
  /** Unknown stations that wait to be accepted. */
  readonly pending: readonly PendingStation[];
  /** Identities of stations that were accepted here and are not in the site file, at most {@link MAX_ACCEPTED}. */
  readonly accepted: readonly string[];
}

/** The plot's window. */
const SHOWN_MS = 900_000;
const MAX_ACCEPTED = 1_000;
/** Choices that a console is told of one service; the newest. */
const MAX_OPT_EVENTS = 20;
/** Steps of a limit series that a console is told of one service, from the oldest that its plot shows. */
const MAX_STEPS = 200;

const PERIOD_MS = 1_000;
/** Health goes out when it changed, and this often anyway, so that a console without a site hears something. */
const HEALTH_MS = 5_000;

export function viewOf(site: Site): SiteView {
  const { name } = site.file();
  return {
    siteId: site.siteId,
    ...(name === undefined ? {} : { name }),
    ready: site.ready,
    snapshot: bounded(site.snapshot()),
    pending: site.pendingStations(),
    accepted: site.stations
      .accepted()
      .slice(0, MAX_ACCEPTED)
      .map((s) => s.identity),
  };
}

type LimitSeries = NonNullable<FleetSnapshot['services'][number]['limits']>;

/** Long lists of services are cut to what a page can show, for every console gets all of it every second. */
export function bounded(snapshot: FleetSnapshot): FleetSnapshot {
  const now = Date.parse(snapshot.at);
  const services = snapshot.services.map((s) => ({
    ...s,
    ...(s.optEvents === undefined ? {} : { optEvents: s.optEvents.slice(-MAX_OPT_EVENTS) }),
    ...(s.limits === undefined ? {} : { limits: stepsFrom(s.limits, now) }),
  }));
  return { ...snapshot, services };
}

function stepsFrom(series: LimitSeries, now: number): LimitSeries {
  const from = (now - SHOWN_MS - Date.parse(series.start)) / 1000;
  const first = series.points.findLastIndex((p) => p.offsetS <= from);
  return { ...series, points: series.points.slice(Math.max(0, first)).slice(0, MAX_STEPS) };
}

export interface SiteFeedOptions {
  readonly clock: Clock;
  readonly sites: () => readonly Site[];
  readonly health: () => HealthReport;
  readonly streams: EventStreams;
}

/** What a new client gets first: everything that it will then be told changes of. */
export function greeting(sites: readonly Site[], health: HealthReport): string[] {
  const known = sites.flatMap((site) => [
    eventFrame('site', viewOf(site)),
    eventFrame('plots', { siteId: site.siteId, points: site.plot() }),
  ]);
  return [eventFrame('health', health), ...known];
}

/**
 * Feeds the event streams from all open sites. Events: `site` ({@link SiteView}, at most once a second), `plot`
 * (`{siteId, point}`), `groupPlots` (`{siteId, points}`, a point for each group), `reloaded` (`{siteId, ok, text}`), `health` (as `/health`). A new client also gets `plots`
 * (`{siteId, points}`).
 */
export class SiteFeed {
  readonly #sites: () => readonly Site[];
  readonly #streams: EventStreams;
  readonly #health: () => HealthReport;
  readonly #followed = new BoundedMap<Site, () => void>({ name: 'gateway.feedSites', max: 256, overflow: 'refuse' });
  readonly #timers: readonly TimerHandle[];
  #lastHealth = '';

  /** `clock` is the machine's: the console lives in real time. */
  constructor(o: SiteFeedOptions) {
    this.#sites = o.sites;
    this.#streams = o.streams;
    this.#health = o.health;
    this.#timers = [
      every(o.clock, PERIOD_MS, () => this.#tick()),
      every(o.clock, HEALTH_MS, () => this.#streams.broadcast('health', this.#health())),
    ];
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel();
    for (const stop of this.#followed.values()) stop();
    this.#followed.clear();
  }

  #tick(): void {
    const open = this.#sites();
    for (const [site, stop] of [...this.#followed]) {
      if (open.includes(site)) continue;
      stop();
      this.#followed.delete(site);
    }
    for (const site of open) {
      if (!this.#followed.has(site)) this.#followed.set(site, this.#follow(site));
      if (this.#streams.size > 0) this.#streams.broadcast('site', viewOf(site));
    }
    const health = JSON.stringify(this.#health());
    if (health !== this.#lastHealth) this.#streams.broadcast('health', this.#health());
    this.#lastHealth = health;
  }

  #follow(site: Site): () => void {
    const { siteId } = site;
    const undo = [
      site.on('plot', (point: PlotPoint) => this.#streams.broadcast('plot', { siteId, point })),
      site.on('groupPlots', (points) => this.#streams.broadcast('groupPlots', { siteId, points })),
      site.on('reloaded', ({ ok, text }) => this.#streams.broadcast('reloaded', { siteId, ok, text })),
    ];
    return () => {
      for (const step of undo) step();
    };
  }
}
