import { textOf } from '../base/config.ts';
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
      const flowAnswers = (textOf(config, 'flowAnswers') ?? '').split(/[\s,]+/).filter((word) => word !== '');
      return openOcppLink({ ...values, flowAnswers }, runtime);
    },
  });
}
