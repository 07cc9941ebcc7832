import { configHash, portOf, textOf, wordOf } from '../base/config.ts';
import type { NodeHost } from '../base/host.ts';
import { LinkHolder } from '../base/link-holder.ts';
import type { SavedConfig } from '../base/migrate.ts';
import { siteOf } from '../base/site-holder.ts';

/** Opens the port for charging stations. The bridge is loaded when the first link needs it, to keep the start short. */
export function createOcppServer(host: NodeHost, config: SavedConfig): LinkHolder {
  const { settings } = host.runtime;
  const site = siteOf(host, config.site);
  const values = {
    linkId: `ocpp:${host.id}`,
    host: settings.host,
    port: portOf(config, 'port') ?? settings.ocppPort,
    path: textOf(config, 'path') ?? '/ocpp',
    portSearch: settings.portSearch,
    speaks: wordOf(config, 'speaks', ['hub', 'native']),
  };
  return new LinkHolder({
    host,
    site,
    hash: configHash(config, [site.hash, values]),
    wantedPort: values.port,
    async open({ siteId }) {
      const { openOcppLink } = await import('../../bridges/ocpp/index.ts');
      return openOcppLink({ ...values, siteId }, host.runtime);
    },
  });
}
