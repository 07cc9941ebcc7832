import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { codeOf } from '../../core/errors.ts';
import { backOffMs, createOcppServer, DEFAULT_BACKOFF } from '../../protocols/ocpp/index.ts';
import { NOW, VALIDATORS } from './kit.ts';
import { answers, client, finish, serve } from './sockets.ts';

const code = (p: Promise<unknown>): Promise<unknown> => p.then(() => 'no error', codeOf);

describe('the wait before a reconnect (ocpp 1.1)', () => {
  it('doubles with each failure up to the limit, with a new random part each time', () => {
    const o = { waitMinimumS: 10, randomRangeS: 10, repeatTimes: 3 };
    expect([0, 1, 2, 3, 4, 99].map((n) => backOffMs(o, n, () => 0))).toEqual(
      [10, 20, 40, 80, 80, 80].map((s) => s * 1000),
    );
    expect(backOffMs(o, 1, () => 0.5)).toBe(25_000);
  });

  it('stays within its bounds', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.double({ min: 0, max: 0.999, noNaN: true }), (n, r) => {
        const ms = backOffMs(DEFAULT_BACKOFF, n, () => r);
        expect(ms).toBeGreaterThanOrEqual(10_000);
        expect(ms).toBeLessThanOrEqual(330_000);
      }),
    );
  });
});

describe('a station', () => {
  it('connects again after a lost connection and tells so', async () => {
    const s = await serve();
    const seen: string[] = [];
    const c = client(s, {
      versions: ['ocpp1.6'],
      reconnect: true,
      backOff: { waitMinimumS: 1, randomRangeS: 0 },
      onOpen: (peer) => seen.push(`open ${peer.version}`),
      onClose: (why) => seen.push(`close ${why.code}`),
    });
    const first = await c.connect();
    const open = code(c.callAny('Heartbeat', {}));
    const again = s.next();
    c.drop();
    expect(await open).toBe('ocpp.closed');
    expect(await code(c.callAny('Heartbeat', {}))).toBe('ocpp.notConnected');
    expect(first.open).toBe(false);
    await finish(s.clock, again);
    while (c.peer === undefined) await s.clock.advance(1);
    expect(await c.call('Heartbeat', {})).toEqual({ currentTime: NOW });
    expect(seen).toEqual(['open ocpp1.6', 'close 1006', 'open ocpp1.6']);
  });

  it('keeps trying while nobody listens, and stops when closed', async () => {
    const s = await serve();
    const { port } = s.server;
    await finish(s.clock, s.server.close());
    const c = client(s, {
      url: `ws://127.0.0.1:${port}/ocpp`,
      versions: ['ocpp1.6'],
      reconnect: true,
      backOff: { waitMinimumS: 1, randomRangeS: 0, repeatTimes: 0 },
    });
    expect(await code(c.connect())).toBe('ocpp.connectFailed');
    await s.clock.advance(3000);
    const server = await createOcppServer({
      clock: s.clock,
      port,
      validators: VALIDATORS,
      onStation: (x) => x.handle(answers),
    });
    while (c.peer === undefined) await s.clock.advance(50);
    expect(await c.call('Heartbeat', {})).toEqual({ currentTime: NOW });
    await finish(s.clock, c.close());
    await finish(s.clock, server.close());
    expect(s.clock.pending).toBe(0);
  });

  it('closed while connecting it gives up at once', async () => {
    const s = await serve({ authenticate: () => new Promise(() => undefined) });
    const c = client(s, { versions: ['ocpp1.6'], reconnect: true });
    const connecting = code(c.connect());
    await c.close();
    expect(await connecting).toBe('ocpp.closed');
    expect(c.peer).toBeUndefined();
  });

  it('takes in an answer before it handles a call that came in the same packet', async () => {
    const csms = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'ocpp1.6' });
    onTestFinished(() => void csms.close());
    csms.on('connection', (ws, { socket }) => {
      ws.on('message', (data) => {
        const [type, id] = JSON.parse(data.toString());
        if (type !== 2) return;
        socket.cork();
        ws.send(JSON.stringify([3, id, { currentTime: NOW }]));
        ws.send(JSON.stringify([2, 'c-1', 'ClearCache', {}]));
        socket.uncork();
      });
    });
    await once(csms, 'listening');
    const { port } = csms.address() as AddressInfo;
    const s = await serve();
    const c = client(s, { url: `ws://127.0.0.1:${port}/ocpp`, versions: ['ocpp1.6'] });
    const seen: string[] = [];
    const called = new Promise<void>((resolve) => {
      c.handle(() => {
        seen.push('call');
        resolve();
        return { status: 'Accepted' };
      });
    });
    await c.connect();
    // As whoever uses the answer some promises later.
    const answered = c
      .call('Heartbeat', {})
      .then(async (a) => a)
      .then(async () => seen.push('answer'));
    await Promise.all([answered, called]);
    expect(seen).toEqual(['answer', 'call']);
  });

  it('keeps its handler over connections', async () => {
    const s = await serve();
    const c = client(s, { versions: ['ocpp1.6'], reconnect: true, backOff: { waitMinimumS: 0, randomRangeS: 0 } });
    c.handle(() => ({ status: 'Accepted' }));
    await c.connect();
    const again = s.next();
    s.stations[0]?.close(1012, 'restart');
    const station = await finish(s.clock, again);
    expect(await station.callAny('ClearCache', {})).toEqual({ status: 'Accepted' });
  });
});
