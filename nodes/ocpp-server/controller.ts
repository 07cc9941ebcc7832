import type { NodeHost } from '../base/host.ts';
import type { LinkHolder } from '../base/link-holder.ts';
import { createListeningLink } from '../base/listening-link.ts';
import type { SavedConfig } from '../base/migrate.ts';

/** Opens the port for charging stations. */
export function createOcppServer(host: NodeHost, config: SavedConfig): LinkHolder {
  return createListeningLink(host, config, {
    prefix: 'ocpp',
    port: host.runtime.settings.ocppPort,
    path: '/ocpp',
    async open(values, runtime) {
      const { openOcppLink } = await import('../../bridges/ocpp/index.ts');
      return openOcppLink(values, runtime);
    },
  });
}
