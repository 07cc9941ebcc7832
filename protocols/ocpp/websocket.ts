import type { PerMessageDeflateOptions, WebSocket } from 'ws';
import type { Transport } from './connection.ts';

/** Small frames gain nothing from compression; the windows are kept small, as there is one per station. */
export const DEFLATE: PerMessageDeflateOptions = {
  threshold: 1024,
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  concurrencyLimit: 4,
  zlibDeflateOptions: { level: 3, memLevel: 5 },
};

/** Frames above this multiple of the session's limit are not even read: the socket is closed with 1009. */
export const HARD_LIMIT = 2;

/** A `ws` socket as transport. */
export class WsTransport implements Transport {
  readonly #ws: WebSocket;

  constructor(ws: WebSocket) {
    this.#ws = ws;
  }

  get buffered(): number {
    return this.#ws.bufferedAmount;
  }

  send(text: string): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.send(text);
  }

  ping(): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
  }

  close(code: number, reason: string): void {
    this.#ws.close(code, reason.slice(0, 120));
  }

  terminate(): void {
    this.#ws.terminate();
  }
}

/** Who takes what a socket brings. */
interface Receiver {
  received(data: Buffer): void;
  alive(): void;
  gone(code: number, reason: string): void;
}

/** Feeds what the socket brings into the connection. `onGone` is told last. */
export function attach(ws: WebSocket, connection: Receiver, onGone: () => void): void {
  ws.on('message', (data: Buffer | ArrayBuffer | Buffer[]) => connection.received(asBuffer(data)));
  ws.on('pong', () => connection.alive());
  ws.on('ping', () => connection.alive());
  // `ws` closes the socket itself after an error (oversized or broken frames), so `close` follows.
  ws.on('error', () => undefined);
  ws.on('close', (code, reason) => {
    connection.gone(code, reason.toString('utf8'));
    onGone();
  });
}

/** With the default `binaryType` it always is one. */
function asBuffer(data: Buffer | ArrayBuffer | Buffer[]): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}
