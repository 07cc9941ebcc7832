import { randomInt } from 'node:crypto';
import type { TimerHandle } from '../../../core/clock.ts';
import { clientOf } from '../client-of.ts';
import { backoffMs } from '../session/retry.ts';
import { createFoSession } from '../session/session.ts';
import type { FoClient, FoConnection } from '../types.ts';
import { MqttPair } from './pair.ts';
import type { FoMqttClientOptions } from './types.ts';

/** A link that held this long starts the backoff anew. */
const STABLE_MS = 10_000;

/**
 * An FO on a broker: says Hello whenever the gateway's end of the link is up, and keeps the broker connection open. Returns
 * at once; see `onUp`.
 */
export function createFoMqttClient(o: FoMqttClientOptions): FoClient {
  const { url, partyId, to, user, token, ca, version, onResource, ...rest } = o;
  const session = createFoSession({ ...rest, role: 'fo', self: partyId, peer: to });
  const random = o.random ?? (() => randomInt(2 ** 32) / 2 ** 32);
  const log = o.log.child({ peer: to, url });
  /** When the gateway's end came up, undefined while it is not. */
  let gatewayAt: string | undefined;
  let connection: FoConnection | undefined;
  let attachedAt = 0;
  let attempt = 0;
  let retry: TimerHandle | undefined;
  let closed = false;

  const pair: MqttPair = new MqttPair(
    {
      side: 'dn',
      foId: partyId,
      gwId: to,
      url,
      user: user ?? partyId,
      password: token,
      ca,
      version,
      clock: o.clock,
      log,
      random,
      randomBytes: o.randomBytes,
    },
    {
      onOpen: () => undefined,
      onLost: () => {
        gatewayAt = undefined;
        detach();
      },
      onText: (text, via) => connection?.receive(text, via),
      onPeer(state, at) {
        if (state !== 'up') {
          gatewayAt = undefined;
          detach();
        } else if (at !== gatewayAt) {
          gatewayAt = at;
          detach();
          attachLater();
        }
      },
      onResource: (evcsId, item) => onResource?.(evcsId, item),
    },
  );

  function detach(): void {
    retry?.cancel();
    const gone = connection;
    connection = undefined;
    if (!gone) return;
    if (o.clock.now() - attachedAt >= STABLE_MS) attempt = 0;
    gone.gone('closed');
  }

  /** The first time at once, then with growing pauses. */
  function attachLater(): void {
    retry?.cancel();
    if (attempt++ === 0) attach();
    else retry = o.clock.after(backoffMs(attempt - 2, random), attach);
  }

  function attach(): void {
    if (closed || gatewayAt === undefined || !pair.connected) return;
    attachedAt = o.clock.now();
    let mine: FoConnection | undefined;
    const transport = pair.transport(() => {
      if (connection !== mine) return;
      connection = undefined;
      if (o.clock.now() - attachedAt >= STABLE_MS) attempt = 0;
      if (!closed) attachLater();
    });
    mine = session.attach(transport, 'opener');
    connection = mine;
  }

  pair.open();
  return clientOf(session, url, async () => {
    if (closed) return;
    closed = true;
    retry?.cancel();
    session.close();
    await pair.close();
  });
}
