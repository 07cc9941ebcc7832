import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { AT, COUNTER, clientFrame, ReusedFrame, takeFrames } from '../../bench/load/frames.ts';
import { openingCalls, upstreamCall } from '../../bench/load/messages.ts';
import { createValidators } from '../../protocols/ocpp/index.ts';

/** The text in a client's frame, which has no mask but 0. */
const textOf = (frame: Buffer): string => frame.subarray((frame[1] ?? 0) % 128 === 126 ? 8 : 6).toString();

it('a reused frame carries the new time and the new counter everywhere', () => {
  const frame = new ReusedFrame(`["${COUNTER}","${AT}",{"at":"${AT}","n":${COUNTER}}]`);
  const at = '2026-03-02T17:10:04.123Z';
  expect(JSON.parse(textOf(frame.filled(at, 1_000_001)))).toEqual(['1000001', at, { at, n: 1_000_001 }]);
  expect(JSON.parse(textOf(frame.filled(at, 1_000_002)))).toEqual(['1000002', at, { at, n: 1_000_002 }]);
});

it('a client frame is one that ws reads, short or long', async () => {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'ocpp1.6' });
  await once(wss, 'listening');
  const { port } = wss.address() as AddressInfo;
  const seen: string[] = [];
  wss.on('connection', (ws) => ws.on('message', (data: Buffer) => void seen.push(data.toString())));
  const socket = connect(port, '127.0.0.1');
  socket.write(
    'GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await once(socket, 'data');
  const texts = ['[2]', 'x'.repeat(125), 'y'.repeat(126), 'z'.repeat(60_000)];
  for (const text of texts) socket.write(clientFrame(text));
  socket.end(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
  await once(socket, 'close');
  wss.close();
  expect(seen).toEqual(texts);
});

it('frames that arrive in pieces are taken when they are whole, and the rest is kept', () => {
  const seen: string[] = [];
  const sink = {
    text: (body: Buffer) => void seen.push(body.toString()),
    ping: () => void seen.push('ping'),
    pong: () => void seen.push('pong'),
    closed: (code: number) => void seen.push(`closed ${code}`),
  };
  const stream = Buffer.concat([
    Buffer.from([0x81, 3]),
    Buffer.from('one'),
    Buffer.from([0x89, 0]),
    Buffer.from([0x81, 126, 0, 200]),
    Buffer.alloc(200, 't'),
    Buffer.from([0x88, 2, 0x03, 0xf0]),
  ]);
  let rest: Buffer = Buffer.alloc(0);
  for (const byte of stream) rest = takeFrames(Buffer.concat([rest, Buffer.from([byte])]), sink);
  expect(seen).toEqual(['one', 'ping', 't'.repeat(200), 'closed 1008']);
  expect(rest).toHaveLength(0);
});

it('what the raw stations say is valid OCPP', () => {
  for (const version of ['ocpp1.6', 'ocpp2.1'] as const) {
    const validators = createValidators(version);
    const session = { transactionId: version === 'ocpp1.6' ? 4711 : 'tx-1', powerW: 7_360 };
    for (const text of [...openingCalls(version, 'tx-1'), upstreamCall(version, session)]) {
      const [, , action, payload] = JSON.parse(text);
      expect(validators.action(action)?.check('request', payload), `${version} ${action}`).toBeUndefined();
    }
  }
});
