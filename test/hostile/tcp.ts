import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import { patiently } from './peers.ts';

/** Sends bytes over TCP and resolves to everything that comes back until the other side ends, or `enough` is heard. */
export function speakTcp(port: number, bytes: string | Buffer, enough?: RegExp): Promise<string> {
  let text = '';
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  return patiently(
    () => `the connection is still open; heard ${JSON.stringify(text.slice(0, 300))}`,
    new Promise((done) => {
      socket.on('error', () => undefined);
      socket.on('close', () => done(text));
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        if (enough?.test(text)) done(text);
      });
      socket.write(bytes);
    }),
  );
}

/** An HTTP upgrade request as text. */
export const upgradeRequest = (path: string, headers: readonly string[] = []): string =>
  [
    `GET ${path} HTTP/1.1`,
    ...(headers.some((h) => /^host:/i.test(h)) ? [] : ['Host: 127.0.0.1']),
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ...headers,
    '\r\n',
  ].join('\r\n');
