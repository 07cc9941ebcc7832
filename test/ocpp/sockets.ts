import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { ManualClock } from '../../core/clock.ts';
import { manualClock } from '../../core/clock.ts';
import type {
  OcppClient,
  OcppClientOptions,
  OcppServer,
  OcppServerOptions,
  Station,
  Version,
} from '../../protocols/ocpp/index.ts';
import { createOcppClient, createOcppServer } from '../../protocols/ocpp/index.ts';
import { BOOTED, NOW, VALIDATORS } from './kit.ts';

export interface Served {
  readonly server: OcppServer;
  readonly clock: ManualClock;
  readonly stations: Station[];
  /** Resolves with the next station that connects. */
  next(): Promise<Station>;
}

/** Answers boots and heartbeats, and nothing else. */
export function answers(action: string): unknown {
  if (action === 'BootNotification') return BOOTED;
  if (action === 'Heartbeat') return { currentTime: NOW };
  return {};
}

/** A server on loopback that is closed with the test. */
export async function serve(o: Partial<OcppServerOptions> = {}): Promise<Served> {
  const clock = manualClock();
  const stations: Station[] = [];
  const waiting: ((s: Station) => void)[] = [];
  const server = await createOcppServer({
    clock,
    validators: VALIDATORS,
    onStation(station) {
      station.handle(answers);
      stations.push(station);
      waiting.shift()?.(station);
    },
    ...o,
  });
  onTestFinished(() => finish(clock, server.close(0)));
  return { server, clock, stations, next: () => new Promise((resolve) => waiting.push(resolve)) };
}

/** Awaits `p` while the clock of the test runs on. */
export async function finish<T>(clock: ManualClock, p: Promise<T>): Promise<T> {
  let done = false;
  const ended = p.finally(() => {
    done = true;
  });
  ended.catch(() => undefined);
  while (!done) await clock.advance(100);
  return ended;
}

/** A client that is closed with the test. */
export function client<V extends Version>(
  s: Served,
  o: Partial<OcppClientOptions<V>> & { readonly versions: readonly V[] },
): OcppClient<V> {
  const { clock } = s;
  const c = createOcppClient<V>({
    url: s.server.url,
    identity: 'CP1',
    clock,
    validators: VALIDATORS,
    reconnect: false,
    random: () => 0.5,
    ...o,
  });
  onTestFinished(() => finish(clock, c.close()));
  return c;
}

/** A peer without our stack: what it gets, and how it ends. */
export interface Raw {
  readonly ws: WebSocket;
  readonly protocol: string | undefined;
  next(): Promise<string>;
  readonly closed: Promise<number>;
}

export async function raw(url: string, protocols: string[], headers: Record<string, string> = {}): Promise<Raw> {
  const ws = new WebSocket(url, protocols, { headers, perMessageDeflate: false });
  const got: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  ws.on('message', (data) => {
    const text = data.toString();
    const taker = waiting.shift();
    if (taker) taker(text);
    else got.push(text);
  });
  ws.on('error', () => undefined);
  const closed = new Promise<number>((resolve) => ws.on('close', (code) => resolve(code)));
  onTestFinished(() => ws.terminate());
  await new Promise<void>((resolve, reject) => {
    ws.on('open', () => resolve());
    ws.on('error', reject);
  });
  return {
    ws,
    protocol: ws.protocol,
    closed,
    next() {
      const text = got.shift();
      return text === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(text);
    },
  };
}

/** Sends an upgrade request as it is and gives the whole answer. */
export function upgrade(port: number, path: string, headers: readonly string[] = []): Promise<string> {
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  ];
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
