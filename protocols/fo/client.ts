import { randomInt } from 'node:crypto';
import { WebSocket } from 'ws';
import type { TimerHandle } from '../../core/clock.ts';
import { isLoopback } from './auth.ts';
import { clientOf } from './client-of.ts';
import { FO_LIMITS } from './envelope.ts';
import { backoffMs } from './session/retry.ts';
import { createFoSession } from './session/session.ts';
import { wrapSocket } from './socket.ts';
import { FO_CLOSE, FO_SUBPROTOCOL, type FoClient, type FoClientOptions, type FoConnection } from './types.ts';

const CONNECT_WITHIN_MS = 10_000;
/** A connection that held this long starts the backoff anew. */
const STABLE_MS = 10_000;
/** Asking again soon does not help: wrong credentials, not enrolled, or another program took our place. */
const SLOW_CODES: readonly number[] = [FO_CLOSE.authentication, FO_CLOSE.enrolment, FO_CLOSE.replaced];
const SLOWEST = 6;

/** Opens a link to an FO server and keeps it open. Returns at once; see `onUp`. */
export function createFoClient(o: FoClientOptions): FoClient {
  const { url, partyId, to, token, ca, certificate, role, ...rest } = o;
  const session = createFoSession({ ...rest, role: role ?? 'fo', self: partyId, peer: to });
  const random = o.random ?? (() => randomInt(2 ** 32) / 2 ** 32);
  const log = o.log.child({ peer: to, url });
  let attempt = 0;
  let closed = false;
  let retry: TimerHandle | undefined;
  let socket: WebSocket | undefined;
  let onClosed = (): void => undefined;

  const later = (): void => {
    const delayMs = backoffMs(attempt++, random);
    log.info('fo.reconnect', { delayMs });
    retry = o.clock.after(delayMs, connect);
  };

  if (token !== undefined && plainOutside(url)) log.warn('fo.plainToken', {});

  function connect(): void {
    const ws = new WebSocket(url, [FO_SUBPROTOCOL], {
      maxPayload: FO_LIMITS.maxBytes,
      perMessageDeflate: false,
      ...(ca === undefined ? {} : { ca }),
      ...certificate,
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    });
    socket = ws;
    const openedAt = o.clock.now();
    const timeout = o.clock.after(CONNECT_WITHIN_MS, () => ws.terminate());
    let connection: FoConnection | undefined;
    const transport = wrapSocket(ws, {
      clock: o.clock,
      log,
      onText: (text) => connection?.receive(text),
      onGone(reason, code) {
        timeout.cancel();
        connection?.gone(reason);
        if (closed) return onClosed();
        if (SLOW_CODES.includes(code)) attempt = SLOWEST;
        else if (o.clock.now() - openedAt >= STABLE_MS && connection) attempt = 0;
        later();
      },
    });
    ws.once('open', () => {
      timeout.cancel();
      connection = session.attach(transport, 'opener');
    });
  }

  connect();
  return clientOf(session, url, async () => {
    if (closed) return;
    closed = true;
    retry?.cancel();
    const gone = new Promise<void>((resolve) => {
      onClosed = resolve;
    });
    session.close();
    if (!socket || socket.readyState === socket.CLOSED) return;
    if (socket.readyState === socket.CONNECTING) socket.terminate();
    await gone;
  });
}

/** A token would travel readable for everyone on the way. */
function plainOutside(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'ws:' && !isLoopback(hostname.replace(/^\[|\]$/g, ''));
}
