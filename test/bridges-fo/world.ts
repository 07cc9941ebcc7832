import { type FoLinkConfig, openFoLink } from '../../bridges/fo/index.ts';
import { type ManualClock, manualClock, realClock } from '../../core/clock.ts';
import { LeaseRegistry } from '../../core/lease.ts';
import { silentLog } from '../../core/log.ts';
import { createMappingLibrary } from '../../core/mapping/library.ts';
import { createMetrics } from '../../core/metrics.ts';
import { openStore } from '../../gateway/store/index.ts';
import type { GatewayRuntime, Link, StorePort } from '../../hub/ports.ts';
import { SiteRegistry } from '../../hub/site/registry.ts';
import type { Site } from '../../hub/site/types.ts';
import type { SiteFile, WireMessage } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';

export const SECRETS: Readonly<Record<string, string>> = {
  'fo-secret': 'correct-horse-battery',
  'broker-secret': 'gateway-at-broker',
};

export const TWO_PARTIES: Partial<SiteFile> = {
  parties: [
    { partyId: 'fo:test', role: 'fo' },
    { partyId: 'fo:secured', role: 'fo' },
  ],
  partySecrets: [{ partyId: 'fo:secured', tokenRef: 'fo-secret' }],
};

export interface World {
  readonly clock: ManualClock;
  readonly runtime: GatewayRuntime;
  readonly site: Site;
  readonly store: StorePort;
  link: Link;
  readonly received: WireMessage[];
  close(): Promise<void>;
}

export const linkConfig = (over: Partial<FoLinkConfig> = {}): FoLinkConfig => ({
  linkId: 'fo:1',
  siteId: 'site:test',
  host: '127.0.0.1',
  port: 0,
  path: '/fo',
  portSearch: false,
  speaks: 'hub',
  ...over,
});

/** A site with a store in memory and an FO link on loopback, under a manual clock. */
export async function world(
  o: { link?: Partial<FoLinkConfig>; site?: Partial<SiteFile>; runtime?: Partial<GatewayRuntime> } = {},
): Promise<World> {
  const metrics = createMetrics();
  const clock = manualClock();
  const store = await openStore({ path: ':memory:', clock: realClock(), log: silentLog, metrics });
  const files = { read: async () => JSON.stringify(siteFile({ ...TWO_PARTIES, ...o.site })), watch: () => () => {} };
  const sites = new SiteRegistry({ clock, log: silentLog, metrics, store, files });
  const site = await sites.open({ file: 'site.json' });
  const runtime: GatewayRuntime = {
    clock,
    log: silentLog,
    metrics,
    store,
    leases: new LeaseRegistry({ clock, log: silentLog }),
    sites,
    mappings: createMappingLibrary({ roots: [], files: { list: () => [], read: () => '' }, log: silentLog }),
    settings: {
      siteFile: '',
      gatewayId: 'gw',
      host: '127.0.0.1',
      ocppPort: 0,
      foPort: 0,
      mqttPort: 0,
      portSearch: false,
      demo: false,
    },
    secret: (ref) => SECRETS[ref],
    health: () => {},
    ...o.runtime,
  };
  const received: WireMessage[] = [];
  const link = await openFoLink(linkConfig(o.link), runtime);
  link.on('message', (m) => received.push(m));
  const w: World = {
    clock,
    runtime,
    site,
    store,
    link,
    received,
    async close() {
      await w.link.close();
      await site.close();
      await store.close();
    },
  };
  return w;
}

/** Looks at a condition until it holds. */
export async function until(what: () => boolean): Promise<void> {
  const end = Date.now() + 2_500;
  while (!what()) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((r) => setTimeout(r, 2));
  }
}
