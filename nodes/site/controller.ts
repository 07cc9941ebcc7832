import { resolve } from 'node:path';
import { configHash, textOf } from '../base/config.ts';
import type { NodeHost } from '../base/host.ts';
import type { SavedConfig } from '../base/migrate.ts';
import { SiteHolder } from '../base/site-holder.ts';

/** Opens the site of a site file; the file of V2GATE_SITE where the node names none. */
export function createSite(host: NodeHost, config: SavedConfig): SiteHolder {
  const named = textOf(config, 'file');
  const file = named === undefined ? host.runtime.settings.siteFile : resolve(named);
  return new SiteHolder({ host, hash: configHash(config, file), open: () => host.runtime.sites.open({ file }) });
}
