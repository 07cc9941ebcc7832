import type { NodeController, NodeHost } from '../base/host.ts';
import { linkOf } from '../base/link-holder.ts';
import { linkIn } from '../base/link-nodes.ts';
import type { SavedConfig } from '../base/migrate.ts';

export function createFoIn(host: NodeHost, config: SavedConfig): NodeController {
  return linkIn(host, linkOf(host, config.link, 'an FO link'));
}
