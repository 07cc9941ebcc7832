import { BoundedMap } from '../../../core/bounded.ts';
import type { ResultBody } from '../../../model/index.ts';
import { DEFAULT_PARTIES, Parties } from '../parties.ts';
import { GatewayPair } from './gateway-pair.ts';
import type { FoMqttGateway, FoMqttGatewayOptions } from './types.ts';

/**
 * The gateway's side of the FO interface on a broker (fo 9.1): one connection to the broker for each party, because a will
 * has one topic, and each pair has its own. Returns at once and keeps the connections open.
 */
export function createFoMqttGateway(o: FoMqttGatewayOptions): FoMqttGateway {
  const { url, user, password, ca, version, connect, ...shared } = o;
  const parties = new Parties({ ...shared, role: 'fcsbe' });
  const pairs = new BoundedMap<string, GatewayPair>({
    name: 'fo.mqttPairs',
    max: o.maxParties ?? DEFAULT_PARTIES,
    overflow: 'refuse',
  });
  const stopCollecting = o.metrics?.collect('v2gate_fo_bound', () => [
    pairs.stats(),
    ...[...pairs.values()].flatMap((p) => p.stats()),
  ]);
  let closed = false;

  const serve = (foIds: readonly string[]): void => {
    if (closed) return;
    for (const [foId, pair] of [...pairs]) {
      if (foIds.includes(foId)) continue;
      pairs.delete(foId);
      void pair.close();
    }
    for (const foId of foIds) {
      if (pairs.has(foId)) continue;
      const pair = new GatewayPair({
        broker: { url, user, password, ca, version, connect },
        foId,
        shared: o,
        session: () => parties.session(foId),
      });
      if (!pairs.set(foId, pair)) {
        o.log.error('fo.refusedParty', { peer: foId, what: 'too many parties' });
        return;
      }
      pair.open();
    }
  };
  serve(o.parties);

  return {
    url,
    port: Number(new URL(url).port) || (url.startsWith('mqtts:') ? 8883 : 1883),
    get connected() {
      return pairs.size > 0 && [...pairs.values()].every((p) => p.connected);
    },
    serve,
    peers: () => parties.up(),
    session: (peer) => parties.session(peer),
    answer: (replyTo: string, result: ResultBody) => parties.answer(replyTo, result),
    async close() {
      closed = true;
      stopCollecting?.();
      parties.close();
      await Promise.all([...pairs.values()].map((p) => p.close()));
      pairs.clear();
    },
  };
}
