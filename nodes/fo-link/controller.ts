import { textOf, wordOf } from '../base/config.ts';
import { NODE_ERRORS } from '../base/errors.ts';
import type { NodeHost } from '../base/host.ts';
import type { LinkHolder } from '../base/link-holder.ts';
import { createListeningLink } from '../base/listening-link.ts';
import type { SavedConfig } from '../base/migrate.ts';

/** Opens the interface to flexibility operators: a port for WebSockets, a broker of its own, or one elsewhere. */
export function createFoLink(host: NodeHost, config: SavedConfig): LinkHolder {
  const { settings } = host.runtime;
  const transport = wordOf(config, 'transport', ['websocket', 'mqtt']);
  const broker = transport === 'mqtt' ? brokerOf(config) : undefined;
  const more = {
    transport,
    requireSignature: wordOf(config, 'signatures', ['catalogue', 'always']),
    ...(broker === undefined ? {} : { broker }),
  };
  return createListeningLink(host, config, {
    prefix: 'fo',
    port: transport === 'mqtt' ? settings.mqttPort : settings.foPort,
    path: '/fo',
    async open(values, runtime) {
      const { openFoLink } = await import('../../bridges/fo/index.ts');
      return openFoLink({ ...values, ...more }, runtime);
    },
  });
}

/** The broker that the node names; undefined: one of our own. Throws `nodes.config`. */
function brokerOf(config: SavedConfig) {
  const url = textOf(config, 'brokerUrl');
  if (url === undefined) return undefined;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^mqtts?:$/.test(parsed.protocol) || parsed.hostname === '' || parsed.username || parsed.password) {
    throw NODE_ERRORS.fail(
      'nodes.config',
      'The address of the broker must be mqtt://host:port or mqtts://host:port, without user and password.',
    );
  }
  const user = textOf(config, 'brokerUser');
  const passwordRef = textOf(config, 'brokerPasswordRef');
  return {
    url: `${parsed.protocol}//${parsed.host}`,
    ...(user === undefined ? {} : { user }),
    ...(passwordRef === undefined ? {} : { passwordRef }),
  };
}
