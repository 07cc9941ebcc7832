import { HUB_ERRORS } from '../../hub/errors.ts';
import type { GatewayRuntime, Link } from '../../hub/ports.ts';
import type { FoLinkConfig } from './config.ts';
import { FoLink } from './link.ts';

export type { FoBrokerConfig, FoLinkConfig } from './config.ts';

/** Opens the FO interface of a site. Rejects with `site.unknown`, `port.taken` or `fo.insecure`. */
export async function openFoLink(config: FoLinkConfig, runtime: GatewayRuntime): Promise<Link> {
  const site = runtime.sites.get(config.siteId);
  if (!site) throw HUB_ERRORS.fail('site.unknown', `The site ${config.siteId} is not open.`);
  const link = new FoLink(config, runtime, site);
  await link.open();
  return link;
}
