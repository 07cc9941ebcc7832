import { ResultBody } from '../../model/index.ts';
import { NODE_ERRORS } from '../base/errors.ts';
import type { NodeController, NodeHost } from '../base/host.ts';
import type { SavedConfig } from '../base/migrate.ts';
import { siteOf } from '../base/site-holder.ts';
import { useSite } from '../base/site-nodes.ts';
import { metaOf } from '../base/wire.ts';

/** Answers the request that a message came from: `msg.v2gate.replyTo` names it, `msg.payload` is the result. */
export function createReply(host: NodeHost, config: SavedConfig): NodeController {
  const holder = siteOf(host, config.site);
  const close = useSite(host, holder, () => []);
  return {
    input(message) {
      const { replyTo } = metaOf(message, host.runtime.clock);
      if (replyTo === undefined) {
        throw NODE_ERRORS.fail(
          'nodes.message',
          'The message has no msg.v2gate.replyTo, so nobody waits for an answer.',
        );
      }
      const result = ResultBody.parse(message.payload);
      if (!holder.require().reply(replyTo, result)) throw NODE_ERRORS.fail('nodes.replyUnknown');
      host.status('good', `answered: ${result.status}`);
    },
    close,
  };
}
