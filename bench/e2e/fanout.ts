/**
 * The yardstick: a bare `ws` server that sends a SetChargingProfile of its own to each of its clients. Forked twice, as
 * `server` and as `clients <port> <count>`, so that both sides have a process, like product and simulator.
 */
import { WebSocket, WebSocketServer } from 'ws';
import { profileFor } from '../load/messages.ts';

/** What the bench says to a side, and what that answers. */
export type ToSide = { readonly do: 'send' } | { readonly do: 'report' } | { readonly do: 'mark' };
export type FromSide =
  | { readonly port: number }
  | { readonly connected: number }
  | { readonly sentAtMs: number }
  | { readonly marked: true }
  | { readonly receipts: number; readonly lastAtMs: number };

const nowMs = (): number => performance.timeOrigin + performance.now();
const tell = (m: FromSide): void => void process.send?.(m);

function serve(): void {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  const sockets: WebSocket[] = [];
  wss.on('connection', (ws, req) => {
    req.socket.setNoDelay(true);
    sockets.push(ws);
  });
  wss.on('listening', () => {
    const address = wss.address();
    tell({ port: typeof address === 'object' && address !== null ? address.port : 0 });
  });
  process.on('message', () => {
    const sentAtMs = nowMs();
    sockets.forEach((ws, n) => {
      ws.send(JSON.stringify([2, `f-${n}`, 'SetChargingProfile', profileFor(n)]));
    });
    tell({ sentAtMs });
  });
}

function connect(port: number, count: number): void {
  let [open, receipts, lastAtMs] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const ws = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    ws.on('open', () => {
      if (++open === count) tell({ connected: open });
    });
    ws.on('message', (data) => {
      JSON.parse(data.toString());
      receipts++;
      lastAtMs = nowMs();
    });
  }
  process.on('message', (m: ToSide) => {
    if (m.do === 'report') tell({ receipts, lastAtMs });
    if (m.do === 'mark') {
      receipts = 0;
      tell({ marked: true });
    }
  });
}

const [side, port, count] = process.argv.slice(2);
if (side === 'server') serve();
else connect(Number(port), Number(count));
process.on('disconnect', () => process.exit());
