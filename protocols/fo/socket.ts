import type { WebSocket } from 'ws';
import { type Clock, every } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { FO_CLOSE, type FoDown, type FoTransport } from './types.ts';

const PING_EVERY_MS = 20_000;
/** Pings in a row that may stay without pong (fo 9.2). */
const MAX_MISSING_PONGS = 2;
/** How long the peer may take to answer a close before the socket is cut. */
const CLOSE_WITHIN_MS = 2_000;

export interface SocketOptions {
  readonly clock: Clock;
  readonly log: Log;
  onText(text: string): void;
  /** Called once. `code` is the close code that was received. */
  onGone(reason: FoDown, code: number): void;
}

/** A WebSocket as the transport of a session: pings, text frames only, and an end that comes for sure. */
export function wrapSocket(ws: WebSocket, o: SocketOptions): FoTransport {
  let missingPongs = 0;
  let ended: FoDown | undefined;
  const ping = every(o.clock, PING_EVERY_MS, () => {
    if (missingPongs >= MAX_MISSING_PONGS) {
      ended ??= 'pongLost';
      return ws.terminate();
    }
    missingPongs++;
    if (ws.readyState === ws.OPEN) ws.ping();
  });
  const close = (code: number, reason: string): void => {
    if (ws.readyState === ws.CLOSED) return;
    ws.close(code, reason.slice(0, 120));
    const cut = o.clock.after(CLOSE_WITHIN_MS, () => ws.terminate());
    ws.once('close', () => cut.cancel());
  };
  ws.on('pong', () => {
    missingPongs = 0;
  });
  ws.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) return close(FO_CLOSE.binary, 'text frames only');
    try {
      o.onText(data.toString('utf8'));
    } catch (e) {
      o.log.error('fo.frameFailed', { what: describeError(e).what });
      close(FO_CLOSE.internal, 'internal');
    }
  });
  ws.on('error', (e: Error & { code?: string }) => {
    if (e.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') ended ??= 'tooLarge';
    o.log.warn('fo.socketError', { code: e.code, what: e.message });
  });
  ws.on('close', (code: number) => {
    ping.cancel();
    o.onGone(ended ?? reasonOf(code), code);
  });
  return {
    send: (text, flushed) => ws.send(text, () => flushed()),
    close,
  };
}

function reasonOf(code: number): FoDown {
  switch (code) {
    case FO_CLOSE.replaced:
      return 'replaced';
    case FO_CLOSE.tooLarge:
      return 'tooLarge';
    case FO_CLOSE.rate:
      return 'abuse';
    case FO_CLOSE.profile:
    case FO_CLOSE.authentication:
    case FO_CLOSE.enrolment:
      return 'refused';
    default:
      return 'closed';
  }
}
