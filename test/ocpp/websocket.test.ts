import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { textFrame, WsTransport } from '../../protocols/ocpp/websocket.ts';

describe('text frames', () => {
  it.each([
    [0, [0x81, 0]],
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [65_535, [0x81, 126, 0xff, 0xff]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  ])('carry the length of %i bytes', (length, header) => {
    const frame = textFrame('x'.repeat(length));
    expect([...frame.subarray(0, header.length)]).toEqual(header);
    expect(frame).toHaveLength(header.length + length);
  });

  it('arrive between the frames of ws, in order, with whatever characters they have', async () => {
    const texts = ['a', 'ü€😀'.repeat(40), 'x'.repeat(70_000), '', 'z'];
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    server.on('connection', (ws, req) => {
      const transport = new WsTransport(ws, req.socket);
      for (const text of texts) {
        transport.send(text);
        transport.ping();
      }
      transport.close(1000, 'done');
      transport.send('too late');
    });
    const got: string[] = [];
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    client.on('message', (data) => got.push(data.toString()));
    await once(client, 'close');
    server.close();
    expect(got).toEqual(texts);
  });
});
