import { FleetSnapshot } from '../../model/index.ts';
import type { NodeController, NodeHost } from '../base/host.ts';
import type { SavedConfig } from '../base/migrate.ts';
import { siteOf } from '../base/site-holder.ts';
import { useSite } from '../base/site-nodes.ts';
import { following, fromWire, metaOf } from '../base/wire.ts';

/** A message with this topic, or without topic (an inject button), asks for the fleet. */
const QUERY = 'hub/QueryFleet';

/**
 * The fleet as the site knows it. Telemetry that is due for a subscription leaves the first output, the answer to a query
 * the second. Observations on its input need no action: links feed the twin themselves, so that no wire can cut it off.
 */
export function createFleet(host: NodeHost, config: SavedConfig): NodeController {
  const holder = siteOf(host, config.site);
  const { clock } = host.runtime;
  const close = useSite(host, holder, (site) => [site.on('telemetry', (due) => host.send([fromWire(due), null]))]);
  return {
    input(message, send) {
      if (message.topic !== undefined && message.topic !== '' && message.topic !== QUERY) return;
      const site = holder.require();
      const payload = site.snapshot();
      const v2gate = following(metaOf(message, clock), clock, site.siteId);
      send([null, fromWire({ topic: `hub/${FleetSnapshot.name}`, payload, v2gate }, message)]);
      host.status('good', `${payload.resources.filter((r) => r.online).length} of ${payload.resources.length} online`);
    },
    close,
  };
}
