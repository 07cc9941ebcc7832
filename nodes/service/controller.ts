import { type ResultBody, ServiceTarget } from '../../model/index.ts';
import type { NodeController, NodeHost } from '../base/host.ts';
import type { SavedConfig } from '../base/migrate.ts';
import { siteOf } from '../base/site-holder.ts';
import { useSite } from '../base/site-nodes.ts';
import { following, fromWire, toWire } from '../base/wire.ts';

/**
 * Lets the site decide about requests of parties and answers them. Notices for parties leave the first output, a new
 * target of a running service the second.
 */
export function createService(host: NodeHost, config: SavedConfig): NodeController {
  const holder = siteOf(host, config.site);
  const { clock } = host.runtime;
  const close = useSite(host, holder, (site) => [
    site.on('notice', (notice) => host.send([fromWire(notice), null])),
    // What was told while a wire was missing went nowhere.
    host.onFlowsStarted(() => site.tellAgain()),
  ]);
  return {
    async input(message, send) {
      const request = toWire(message, clock);
      const site = holder.require();
      const { result, target } = await site.decide(request);
      const { replyTo } = request.v2gate;
      if (replyTo !== undefined && !site.reply(replyTo, result)) {
        host.runtime.log.warn('service.lateReply', { topic: request.topic, replyTo });
      }
      host.status(
        result.status === 'rejected' || result.status === 'error' ? 'attention' : 'good',
        wordsFor(request.topic, result),
      );
      if (target) {
        const meta = following(request.v2gate, clock, site.siteId);
        send([null, fromWire({ topic: `hub/${ServiceTarget.name}`, payload: target, v2gate: meta })]);
      }
    },
    close,
  };
}

function wordsFor(topic: string, { status, code }: ResultBody): string {
  return `${topic.slice(topic.indexOf('/') + 1)}: ${status}${code === undefined ? '' : ` · ${code}`}`;
}
