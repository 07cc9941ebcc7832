import type { NodeController, NodeHost } from '../base/host.ts';
import { linkOf } from '../base/link-holder.ts';
import { linkOut } from '../base/link-nodes.ts';
import type { SavedConfig } from '../base/migrate.ts';

export function createFoOut(host: NodeHost, config: SavedConfig): NodeController {
  return linkOut(host, linkOf(host, config.link, 'an FO link'));
}
