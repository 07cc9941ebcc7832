import type { Server, Socket } from 'node:net';
import { BoundedQueue, type BoundStats } from '../../core/bounded.ts';
import type { Clock, TimerHandle } from '../../core/clock.ts';

/** Handshakes that begin per turn of the event loop in a rush; more would hold up everybody who is connected already. */
const PER_TURN = 2;
const TURN_MS = 1;
/** So many may begin at once when none has begun for a while. */
const AT_ONCE = 16;

export interface Gate {
  stats(): BoundStats;
  /** Drops who still waits. */
  close(): void;
}

/**
 * Lets connections into a TLS server a few at a time: a handshake costs a large part of a millisecond, and hundreds that
 * come at once would be answered before any message of the stations that are connected. Nobody waits while there is no
 * rush; beyond `max` new ones are dropped.
 */
export function paceHandshakes(server: Server, { clock, max }: { readonly clock: Clock; readonly max: number }): Gate {
  const waiting = new BoundedQueue<Socket>({
    name: 'ocpp.handshakes',
    max,
    overflow: 'refuse',
    onDrop: (socket) => socket.destroy(),
  });
  const begins = server.listeners('connection');
  let credit = AT_ONCE;
  let timer: TimerHandle | undefined;

  const begin = (socket: Socket): void => {
    credit--;
    for (const listener of begins) Reflect.apply(listener, server, [socket]);
  };
  const arm = (): void => {
    timer ??= clock.after(TURN_MS, turn);
  };
  function turn(): void {
    timer = undefined;
    credit = Math.min(AT_ONCE, credit + PER_TURN);
    while (credit > 0 && waiting.size > 0) {
      const socket = waiting.shift();
      socket?.off('error', ignore);
      if (socket?.destroyed === false) begin(socket);
    }
    if (credit < AT_ONCE) arm();
  }

  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    if (credit > 0) begin(socket);
    else {
      // Until TLS takes over, nobody else hears of it.
      socket.on('error', ignore);
      waiting.push(socket);
    }
    arm();
  });
  return {
    stats: () => waiting.stats(),
    close() {
      timer?.cancel();
      timer = undefined;
      for (const socket of waiting) socket.destroy();
      waiting.clear();
    },
  };
}

/** The socket is closed after an error. */
function ignore(): void {}
