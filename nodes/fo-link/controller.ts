import type { NodeHost } from '../base/host.ts';
import type { LinkHolder } from '../base/link-holder.ts';
import { createListeningLink } from '../base/listening-link.ts';
import type { SavedConfig } from '../base/migrate.ts';

/** Opens the port for flexibility operators. */
export function createFoLink(host: NodeHost, config: SavedConfig): LinkHolder {
  return createListeningLink(host, config, {
    prefix: 'fo',
    port: host.runtime.settings.foPort,
    path: '/fo',
    async open(values, runtime) {
      const { openFoLink } = await import('../../bridges/fo/index.ts');
      return openFoLink(values, runtime);
    },
  });
}
