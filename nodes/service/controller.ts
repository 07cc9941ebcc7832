import { AfterDeeds } from '../../core/after-deeds.ts';
import type { Site } from '../../hub/site/types.ts';
import { type ResultBody, ServiceTarget, type WireMessage } from '../../model/index.ts';
import type { NodeController, NodeHost } from '../base/host.ts';
import type { SavedConfig } from '../base/migrate.ts';
import { siteOf } from '../base/site-holder.ts';
import { useSite } from '../base/site-nodes.ts';
import { following, fromWire, toWire } from '../base/wire.ts';

/**
 * Lets the site decide about requests of parties and answers them. Notices for parties leave the first output, a new
 * target of a running service the second; its answer follows when the commands had time to go.
 */
export function createService(host: NodeHost, config: SavedConfig): NodeController {
  const holder = siteOf(host, config.site);
  const { clock, log } = host.runtime;
  const answers = new AfterDeeds(clock, (e) => host.fail(e));
  const close = useSite(host, holder, (site) => [
    site.on('notice', (notice) => host.send([fromWire(notice), null])),
    // What was told while a wire was missing went nowhere.
    host.onFlowsStarted(() => site.tellAgain()),
  ]);
  const answer = (site: Site, { topic, v2gate: { replyTo } }: WireMessage, result: ResultBody): void => {
    if (replyTo !== undefined && !site.reply(replyTo, result)) log.warn('service.lateReply', { topic, replyTo });
    const { status } = result;
    host.status(status === 'rejected' || status === 'error' ? 'attention' : 'good', wordsFor(topic, result));
  };
  return {
    async input(message, send) {
      const request = toWire(message, clock);
      const site = holder.require();
      const decision = await site.decide(request);
      const { target } = decision;
      if (!target) {
        answer(site, request, decision.result);
        return;
      }
      const meta = following(request.v2gate, clock, site.siteId);
      send([null, fromWire({ topic: `hub/${ServiceTarget.name}`, payload: target, v2gate: meta })]);
      answers.later(() => answer(site, request, decision.result));
    },
    close() {
      answers.flush();
      close();
    },
  };
}

function wordsFor(topic: string, { status, code }: ResultBody): string {
  return `${topic.slice(topic.indexOf('/') + 1)}: ${status}${code === undefined ? '' : ` · ${code}`}`;
}
