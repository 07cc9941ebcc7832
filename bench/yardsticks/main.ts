/** A yardstick server in a process of its own: `main.ts <echo|hand|fan> <version> [tls]`. Ends with its parent. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { WebSocketServer } from 'ws';
import { makeCertificate } from '../../core/tls-files.ts';
import type { Version } from '../load/messages.ts';
import { serveFan } from './fan.ts';
import { serveByHand, serveEcho } from './hand.ts';

const [, , kind, name, tls] = process.argv;
const version: Version = name === 'ocpp2.1' ? name : 'ocpp1.6';

/** With a certificate as the gateway makes one for development. */
async function secured(): Promise<Server> {
  const { cert, key } = await makeCertificate({ now: Date.now() });
  return createTlsServer({ cert, key });
}

async function serve(): Promise<number> {
  let wss: WebSocketServer;
  if (kind === 'fan') wss = serveFan();
  else {
    const http = tls === 'tls' ? await secured() : createServer();
    wss = kind === 'echo' ? serveEcho(version, http) : serveByHand(version, http);
    http.listen(0, '127.0.0.1');
  }
  await once(wss, 'listening');
  const address = wss.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

process.on('disconnect', () => process.exit());
process.send?.({ port: await serve() });
