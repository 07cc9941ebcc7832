import { configHash, portOf, textOf, wordOf } from '../base/config.ts';
import type { NodeHost } from '../base/host.ts';
import { LinkHolder } from '../base/link-holder.ts';
import type { SavedConfig } from '../base/migrate.ts';
import { siteOf } from '../base/site-holder.ts';

/** Opens the port for flexibility operators. The bridge is loaded when the first link needs it, to keep the start short. */
export function createFoLink(host: NodeHost, config: SavedConfig): LinkHolder {
  const { settings } = host.runtime;
  const site = siteOf(host, config.site);
  const values = {
    linkId: `fo:${host.id}`,
    host: settings.host,
    port: portOf(config, 'port') ?? settings.foPort,
    path: textOf(config, 'path') ?? '/fo',
    portSearch: settings.portSearch,
    speaks: wordOf(config, 'speaks', ['hub', 'native']),
  };
  return new LinkHolder({
    host,
    site,
    hash: configHash(config, [site.hash, values]),
    wantedPort: values.port,
    async open({ siteId }) {
      const { openFoLink } = await import('../../bridges/fo/index.ts');
      return openFoLink({ ...values, siteId }, host.runtime);
    },
  });
}
