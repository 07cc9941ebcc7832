import type { NodeController, NodeHost } from '../base/host.ts';
import { linkOf } from '../base/link-holder.ts';
import { linkOut } from '../base/link-nodes.ts';
import type { SavedConfig } from '../base/migrate.ts';

/** Outcomes of commands leave the first output, answers to native requests the second (design 2.1). */
export function createOcppOut(host: NodeHost, config: SavedConfig): NodeController {
  const server = linkOf(host, config.server, 'an OCPP server');
  return linkOut(host, server, (message) => (message.topic.startsWith('hub/') ? 0 : 1));
}
