import type { Duplex } from 'node:stream';
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
  readonly #socket: Duplex | undefined;

  /** `socket`: the one below, on the side of the server; then frames that nobody compresses go there in one piece. */
  constructor(ws: WebSocket, socket?: Duplex) {
    this.#ws = ws;
    // A compressed frame may still be in the making when the next one is sent.
    this.#socket = ws.extensions === '' ? socket : undefined;
  }

  get buffered(): number {
    return this.#ws.bufferedAmount;
  }

  send(text: string): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    if (this.#socket === undefined) this.#ws.send(text);
    else if (this.#socket.writable) this.#socket.write(textFrame(text));
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

const FIN_TEXT = 0x81;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/**
 * An unmasked text message in one frame (RFC 6455 5.2). `ws` hands header and text to the socket apart, which costs a
 * fifth more CPU for messages of the usual size.
 */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const start = length < LENGTH_16 ? 2 : length < 2 ** 16 ? 4 : 10;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = FIN_TEXT;
  if (start === 2) frame[1] = length;
  else if (start === 4) {
    frame[1] = LENGTH_16;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = LENGTH_64;
    frame.writeUIntBE(0, 2, 2);
    frame.writeUIntBE(length, 4, 6);
  }
  frame.write(text, start, 'utf8');
  return frame;
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
