/** The yardstick of the fan-out: on a trigger, a bare `ws` server sends each station a profile of its own. */
import type { IncomingMessage } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { profileFor } from '../load/messages.ts';

/** The path of the connection whose every message is a trigger; all others are stations. */
export const TRIGGER_PATH = '/trigger';

/** `checked`: each profile is checked against the schema before it goes out, as one would by hand. */
export function serveFan(check?: (payload: unknown) => boolean): WebSocketServer {
  const wss = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    perMessageDeflate: false,
    handleProtocols: (offered) => [...offered][0] ?? false,
  });
  const stations: WebSocket[] = [];
  const pending = new Map<string, number>(); // bounded by: one CALL per station and fan-out
  let next = 0;
  const fan = (): void => {
    for (const [n, ws] of stations.entries()) {
      const payload = profileFor(n);
      if (check !== undefined && !check(payload)) throw new Error('invalid profile');
      const id = `f-${++next}`;
      pending.set(id, n);
      ws.send(JSON.stringify([2, id, 'SetChargingProfile', payload]));
    }
  };
  wss.on('connection', (ws: WebSocket, req: IncomingMessage) => {
    req.socket.setNoDelay(true);
    if (req.url === TRIGGER_PATH) {
      ws.on('message', fan);
      return;
    }
    stations.push(ws);
    ws.on('message', (data) => {
      const [type, id] = JSON.parse(data.toString());
      if (type === 3) pending.delete(id);
    });
  });
  return wss;
}
