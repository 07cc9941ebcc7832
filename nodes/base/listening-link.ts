import type { GatewayRuntime, Link } from '../../hub/ports.ts';
import { configHash, portOf, textOf, wordOf } from './config.ts';
import type { NodeHost } from './host.ts';
import { LinkHolder } from './link-holder.ts';
import type { SavedConfig } from './migrate.ts';
import { siteOf } from './site-holder.ts';

/** What every link that listens is configured with; the bridges add their own on top. */
export interface ListeningConfig {
  readonly linkId: string;
  readonly siteId: string;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly portSearch: boolean;
  readonly speaks: 'hub' | 'native';
}

export interface ListeningLink {
  /** Begins the id of the link, for example `ocpp`. */
  readonly prefix: string;
  /** Where the node names no port of its own. */
  readonly port: number;
  readonly path: string;
  /** Loads the bridge when the first link needs it, to keep the start short, and opens the link. */
  readonly open: (config: ListeningConfig, runtime: GatewayRuntime) => Promise<Link>;
}

/** The controller of a config node whose link listens for peers of one site. */
export function createListeningLink(host: NodeHost, config: SavedConfig, kind: ListeningLink): LinkHolder {
  const { settings } = host.runtime;
  const site = siteOf(host, config.site);
  const values = {
    linkId: `${kind.prefix}:${host.id}`,
    host: settings.host,
    port: portOf(config, 'port') ?? kind.port,
    path: textOf(config, 'path') ?? kind.path,
    portSearch: settings.portSearch,
    speaks: wordOf(config, 'speaks', ['hub', 'native']),
  };
  return new LinkHolder({
    host,
    site,
    hash: configHash(config, [site.hash, values]),
    open: ({ siteId }) => kind.open({ ...values, siteId }, host.runtime),
  });
}
