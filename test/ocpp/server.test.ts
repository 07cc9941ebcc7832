import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';
import type { Fields, Log } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { sameSecret } from '../../core/secrets.ts';
import type { CloseInfo } from '../../protocols/ocpp/index.ts';
import { callError, createOcppServer, dispatch, OCPP_ERRORS } from '../../protocols/ocpp/index.ts';
import { BOOTED, boot, NOW, VALIDATORS } from './kit.ts';
import { answers, client, finish, raw, serve, statusOf, upgrade } from './sockets.ts';

const code = (p: Promise<unknown>): Promise<unknown> => p.then(() => 'no error', codeOf);

describe('both roles on loopback', () => {
  it('1.6: boot, heartbeat, and calls that cross', async () => {
    const s = await serve();
    const c = client(s, { versions: ['ocpp1.6'] });
    c.handle(
      dispatch('ocpp1.6', { Reset: async ({ type }) => ({ status: type === 'Soft' ? 'Accepted' : 'Rejected' }) }),
    );
    await c.connect();
    const [station] = s.stations;
    expect(station).toMatchObject({ identity: 'CP1', version: 'ocpp1.6', open: true, connectedAt: s.clock.now() });
    const ours = station?.callAny('Reset', { type: 'Soft' });
    expect(await c.call('BootNotification', { chargePointVendor: 'a', chargePointModel: 'b' })).toEqual(BOOTED);
    expect(await ours).toEqual({ status: 'Accepted' });
    expect(await c.call('Heartbeat', {})).toEqual({ currentTime: NOW });
    expect(s.server.station('CP1')).toBe(station);
    expect(s.server.counts).toMatchObject({ framesIn: 3, framesOut: 3 });
  });

  it('2.1: boot, a dynamic update, a stream message, the station picks the version', async () => {
    const s = await serve();
    const c = client(s, { versions: ['ocpp2.1', 'ocpp1.6'] });
    const sent = new Promise((resolve) => {
      s.next().then((station) =>
        station.handle((action, payload, ctx) => (ctx.send ? resolve([action, payload]) : answers(action))),
      );
    });
    c.handle((action) => (action === 'UpdateDynamicSchedule' ? { status: 'Accepted' } : {}));
    const peer = await c.connect();
    expect(await c.callAny('BootNotification', boot('ocpp2.1'))).toEqual(BOOTED);
    const [station] = s.stations;
    if (station?.version !== 'ocpp2.1' || peer.version !== 'ocpp2.1') throw new Error('not 2.1');
    const update = { chargingProfileId: 1, scheduleUpdate: { setpoint: -5000 } };
    expect(await station.call('UpdateDynamicSchedule', update)).toEqual({ status: 'Accepted' });
    const stream = { id: 1, pending: 0, basetime: NOW, data: [{ t: 0, v: '1' }] };
    peer.send('NotifyPeriodicEventStream', stream);
    expect(await sent).toEqual(['NotifyPeriodicEventStream', stream]);
    expect(() => station.sendAny('NotifyPeriodicEventStream', stream)).toThrow(/direction/);
  });

  it('2.0.1 is there, too', async () => {
    const s = await serve();
    const c = client(s, { versions: ['ocpp2.0.1'] });
    await c.connect();
    const request = { reason: 'PowerUp', chargingStation: { model: 'm', vendorName: 'v' } } as const;
    expect(await c.call('BootNotification', request)).toEqual(BOOTED);
  });

  it('200 calls of each side cross without loss', async () => {
    const s = await serve({ limits: { maxQueue: 200 } });
    const c = client(s, { versions: ['ocpp1.6'], limits: { maxQueue: 200 }, handler: () => ({ status: 'Accepted' }) });
    await c.connect();
    const theirs = Array.from({ length: 200 }, () => c.call('Heartbeat', {}));
    const ours = Array.from({ length: 200 }, () => s.stations[0]?.callAny('ClearCache', {}));
    expect(new Set((await Promise.all(theirs)).map((a) => a.currentTime))).toEqual(new Set([NOW]));
    expect(await Promise.all(ours)).toEqual(Array.from({ length: 200 }, () => ({ status: 'Accepted' })));
  });

  it('an error of a handler becomes the CALLERROR it stands for; unknown ones tell nothing', async () => {
    const s = await serve();
    const c = client(s, { versions: ['ocpp2.1'] });
    await c.connect();
    const thrown: unknown[] = [
      callError('SecurityError', 'Not before the boot.'),
      OCPP_ERRORS.fail('ocpp.notSupported'),
      new Error('password=hunter2'),
      undefined,
    ];
    s.stations[0]?.handle(() => Promise.reject(thrown.shift()));
    const messages: string[] = [];
    for (let i = 0; i < 4; i++)
      await c.callAny('Heartbeat', {}).catch((e) => messages.push(`${codeOf(e)} ${e.message}`));
    expect(messages.map((m) => m.split(' ')[0])).toEqual([
      'ocpp.security',
      'ocpp.notSupported',
      'ocpp.internal',
      'ocpp.internal',
    ]);
    expect(messages[0]).toContain('Not before the boot.');
    expect(messages[2]).not.toContain('hunter2');
  });

  it('without a handler, and for actions a table does not have, the answer is NotImplemented', async () => {
    const s = await serve({
      onStation: (station) => station.version === 'ocpp1.6' && station.handle(dispatch('ocpp1.6', {})),
    });
    const a = client(s, { versions: ['ocpp1.6'] });
    const b = client(s, { versions: ['ocpp2.1'], identity: 'CP2' });
    await Promise.all([a.connect(), b.connect()]);
    expect(await code(a.callAny('Heartbeat', {}))).toBe('ocpp.notImplemented');
    expect(await code(b.callAny('Heartbeat', {}))).toBe('ocpp.notImplemented');
  });
});

describe('time', () => {
  it('a call that is not answered times out, and its late answer costs nothing', async () => {
    const s = await serve();
    const peer = await raw(`${s.server.url}/CP1`, ['ocpp1.6']);
    const pending = code(s.stations[0]?.callAny('ClearCache', {}) ?? Promise.resolve());
    const [, id] = JSON.parse(await peer.next());
    await s.clock.advance(10_000);
    expect(await pending).toBe('ocpp.timeout');
    peer.ws.send(JSON.stringify([3, id, { status: 'Accepted' }]));
    peer.ws.send('[2,"h","Heartbeat",{}]');
    expect(await peer.next()).toBe(`[3,"h",{"currentTime":"${NOW}"}]`);
    expect(s.server.counts).toMatchObject({ timeouts: 1, lateAnswers: 1 });
  });

  it('a handler that never answers costs the peer an InternalError after 10 s', async () => {
    const s = await serve({ onStation: (station) => station.handle(() => new Promise(() => undefined)) });
    const peer = await raw(`${s.server.url}/CP1`, ['ocpp2.1']);
    peer.ws.send('[2,"h","Heartbeat",{}]');
    await s.clock.advance(1);
    while (s.server.counts.framesIn === 0) await s.clock.advance(1);
    await s.clock.advance(10_000);
    expect(JSON.parse(await peer.next()).slice(0, 3)).toEqual([4, 'h', 'InternalError']);
  });

  it('one timer per connection, however many calls', async () => {
    const s = await serve();
    const c = client(s, { versions: ['ocpp1.6'], handler: () => ({ status: 'Accepted' }) });
    await c.connect();
    const idle = s.clock.pending;
    for (let i = 0; i < 50; i++) await s.stations[0]?.callAny('ClearCache', {});
    expect(s.clock.pending).toBeLessThanOrEqual(idle + 2);
    await finish(s.clock, c.close());
    await finish(s.clock, s.server.close());
    expect(s.clock.pending).toBe(0);
  });

  it('a station that answers no ping is dropped', async () => {
    const s = await serve({ pingMs: 5000 });
    const c = client(s, { versions: ['ocpp1.6'] });
    await c.connect();
    const dead = await raw(`${s.server.url}/DEAD`, ['ocpp1.6']);
    dead.ws.pause();
    await s.clock.advance(11_000);
    expect(s.stations.map((x) => x.open)).toEqual([true, false]);
    expect(s.server.stationCount).toBe(1);
  });
});

describe('who comes in', () => {
  it('the newest socket wins: the old one is closed and its open call fails with ocpp.replaced', async () => {
    const s = await serve();
    const first = await raw(`${s.server.url}/CP1`, ['ocpp1.6']);
    const [old] = s.stations;
    const order: string[] = [];
    const closes: CloseInfo[] = [];
    old?.onClose((why) => {
      closes.push(why);
      order.push(`closed, ${s.stations.length} seen`);
    });
    const open = code(old?.callAny('ClearCache', {}) ?? Promise.resolve());
    const second = client(s, { versions: ['ocpp1.6'] });
    await second.connect();
    expect(await open).toBe('ocpp.replaced');
    expect(await first.closed).toBe(1000);
    expect(closes).toEqual([{ code: 1000, reason: 'replaced by a newer connection', error: 'ocpp.replaced' }]);
    expect(order).toEqual(['closed, 1 seen']);
    expect(s.server.station('CP1')).toBe(s.stations[1]);
    expect(await second.call('Heartbeat', {})).toEqual({ currentTime: NOW });
    expect(s.server.counts.replaced).toBe(1);
  });

  it('credentials are bytes: a binary key works, a wrong one gets 401, an unknown identity 404', async () => {
    const key = Buffer.from([0, 255, 58, 128, 10, 13, 195, 40, 1, 2, 3, 4, 5, 6, 7, 8]);
    const s = await serve({
      async authenticate(identity, credentials, remote) {
        expect(remote).toMatchObject({ address: '127.0.0.1', encrypted: false });
        if (identity === 'stranger') return { accept: false, status: 404 };
        const ok = sameSecret(key, credentials?.password);
        return ok ? { accept: true } : { accept: false, status: 401 };
      },
    });
    const versions = ['ocpp1.6'] as const;
    expect(await code(client(s, { versions, password: key }).connect())).toBe('no error');
    expect(await code(client(s, { versions, password: 'wrong' }).connect())).toBe('ocpp.unauthorized');
    expect(await code(client(s, { versions }).connect())).toBe('ocpp.unauthorized');
    expect(await code(client(s, { versions, identity: 'stranger' }).connect())).toBe('ocpp.unknownStation');
    const other = Buffer.concat([Buffer.from('CP2:'), key]).toString('base64');
    expect(statusOf(await upgrade(s.server.port, '/ocpp/CP1', [`Authorization: Basic ${other}`]))).toBe(401);
    expect(statusOf(await upgrade(s.server.port, '/ocpp/CP1', ['Authorization: Basic !!!']))).toBe(401);
    expect(s.server.stationCount).toBe(1);
  });

  it('an authenticate that fails or hangs costs only that handshake', async () => {
    const s = await serve({
      authenticate(identity) {
        if (identity === 'throws') throw new Error('no store');
        return identity === 'hangs' ? new Promise(() => undefined) : { accept: true };
      },
    });
    expect(statusOf(await upgrade(s.server.port, '/ocpp/throws'))).toBe(503);
    const hanging = upgrade(s.server.port, '/ocpp/hangs');
    expect(statusOf(await finish(s.clock, hanging))).toBe(503);
    expect(await code(client(s, { versions: ['ocpp1.6'] }).connect())).toBe('no error');
  });

  it('no common version: the handshake is completed without the header and the socket closed at once', async () => {
    const s = await serve({ versions: ['ocpp1.6'] });
    const offer = ['Sec-WebSocket-Protocol: ocpp2.1, ocpp1.5'];
    const answer = await finish(s.clock, upgrade(s.server.port, '/ocpp/CP1', offer));
    expect(statusOf(answer)).toBe(101);
    expect(answer.toLowerCase()).not.toContain('sec-websocket-protocol');
    expect(statusOf(await finish(s.clock, upgrade(s.server.port, '/ocpp/CP1')))).toBe(101);
    expect(await code(client(s, { versions: ['ocpp2.1'] }).connect())).toBe('ocpp.noVersion');
    expect(s.stations).toEqual([]);
  });

  it('the version follows the order of the station', async () => {
    const s = await serve();
    expect((await raw(`${s.server.url}/a`, ['ocpp1.5', 'ocpp1.6', 'ocpp2.1'])).protocol).toBe('ocpp1.6');
    expect((await raw(`${s.server.url}/b`, ['ocpp2.1', 'ocpp1.6'])).protocol).toBe('ocpp2.1');
  });

  it('the identity is percent-decoded', async () => {
    const s = await serve();
    await client(s, { versions: ['ocpp1.6'], identity: 'Säule 7/ä'.replace('/', '-') }).connect();
    expect(s.stations[0]?.identity).toBe('Säule 7-ä');
  });

  it.each([
    '/',
    '/ocpp',
    '/ocpp/',
    '/ocpp/a/b',
    '/other/CP1',
    '/ocppCP1',
    '/ocpp/a%3Ab',
    '/ocpp/%zz',
    '/ocpp/%00',
    '/ocpp/a%2Fb',
    '/ocpp/..',
    '/ocpp/%2e%2e',
    '/ocpp/a%0d%0aX-Injected:1',
    `/ocpp/${'x'.repeat(49)}`,
    `/ocpp/${'x'.repeat(5000)}`,
  ])('hostile path %s gets 404', async (path) => {
    const s = await serve();
    expect(statusOf(await upgrade(s.server.port, path))).toBe(404);
    expect(s.stations).toEqual([]);
  });

  it('more stations than allowed get 503, a known one may come again', async () => {
    const s = await serve({ maxStations: 1 });
    await raw(`${s.server.url}/A`, ['ocpp1.6']);
    expect(statusOf(await upgrade(s.server.port, '/ocpp/B'))).toBe(503);
    await raw(`${s.server.url}/A`, ['ocpp1.6']);
    expect(s.server.stationCount).toBe(1);
  });

  it('a plain HTTP request is told to upgrade', async () => {
    const s = await serve();
    expect((await fetch(`http://127.0.0.1:${s.server.port}/ocpp/CP1`)).status).toBe(426);
  });
});

describe('a bad peer costs nobody else anything', () => {
  it('an oversized frame gets an error, a much larger one closes that socket with 1009', async () => {
    const s = await serve({ limits: { maxFrame: 1000 } });
    const good = client(s, { versions: ['ocpp1.6'], identity: 'GOOD' });
    await good.connect();
    const bad = await raw(`${s.server.url}/BAD`, ['ocpp1.6']);
    bad.ws.send(JSON.stringify([2, 'x', 'DataTransfer', { vendorId: 'v'.repeat(1200) }]));
    expect(JSON.parse(await bad.next()).slice(0, 3)).toEqual([4, 'x', 'GenericError']);
    bad.ws.send('x'.repeat(5000));
    expect(await bad.closed).toBe(1009);
    expect(await good.call('Heartbeat', {})).toEqual({ currentTime: NOW });
    expect(s.server.stationCount).toBe(1);
  });

  it('nonsense, binary or not, is answered and at last closes that socket', async () => {
    const s = await serve();
    const bad = await raw(`${s.server.url}/BAD`, ['ocpp2.1']);
    bad.ws.send(Buffer.from([0xff, 0xfe, 0x00]));
    expect(JSON.parse(await bad.next()).slice(0, 3)).toEqual([4, '-1', 'RpcFrameworkError']);
    for (let i = 0; i < 20; i++) bad.ws.send('{');
    expect(await bad.closed).toBe(1002);
  });

  it('a peer that does not read is dropped when too much waits for it', async () => {
    const s = await serve({ maxBuffered: 200_000 });
    const deaf = await raw(`${s.server.url}/DEAF`, ['ocpp2.1']);
    deaf.ws.pause();
    const [station] = s.stations;
    const big = { vendorId: 'v', data: 'x'.repeat(100_000) };
    const codes: unknown[] = [];
    for (let i = 0; i < 400 && station?.open; i++) {
      const call = code(station.callAny('DataTransfer', big, { timeoutMs: 1 }));
      await s.clock.advance(1);
      codes.push(await call);
    }
    expect(station?.open).toBe(false);
    expect(codes.at(-1)).toMatch(/^ocpp\.(timeout|closed)$/);
  });

  it('an onStation that throws costs that station its connection', async () => {
    const s = await serve({
      onStation(station) {
        if (station.identity === 'BAD') throw new Error('bug');
        station.handle(answers);
      },
    });
    expect(await (await raw(`${s.server.url}/BAD`, ['ocpp1.6'])).closed).toBe(1011);
    const good = client(s, { versions: ['ocpp1.6'] });
    await good.connect();
    expect(await good.call('Heartbeat', {})).toEqual({ currentTime: NOW });
  });

  it('logs stay small under a flood and hold no payload', async () => {
    const lines: string[] = [];
    const keep = (event: string, f?: Fields): void => {
      lines.push(`${event} ${JSON.stringify(f)}`);
    };
    const log: Log = { debug: keep, info: keep, warn: keep, error: keep, child: () => log };
    const s = await serve({ log });
    const peer = await raw(`${s.server.url}/CP1`, ['ocpp1.6']);
    for (let i = 0; i < 300; i++)
      peer.ws.send(JSON.stringify([2, `${i}`, 'Authorize', { idTag: 7, secret: 'hunter2' }]));
    for (let i = 0; i < 300; i++) await peer.next();
    expect(lines.length).toBeLessThan(30);
    expect(lines.join()).not.toContain('hunter2');
  });
});

describe('the server itself', () => {
  it('a taken port is told with its remedy', async () => {
    const s = await serve();
    const second = createOcppServer({ clock: s.clock, port: s.server.port, versions: [], onStation: () => undefined });
    await expect(second).rejects.toMatchObject({
      code: 'port.taken',
      cause: { remedy: expect.stringContaining('another port') },
    });
  });

  it('beyond loopback it wants TLS and credentials, or words that give them up', async () => {
    const base = { clock: manualClock(), host: '0.0.0.0', versions: [], onStation: () => undefined } as const;
    await expect(createOcppServer(base)).rejects.toMatchObject({ code: 'ocpp.insecure' });
    const open = await createOcppServer({ ...base, allowInsecure: true });
    await open.close();
  });

  it('shares an HTTP server and leaves other paths and the server alone', async () => {
    const http = createServer((_req, res) => res.end('page'));
    http.on('upgrade', (req, socket) => {
      if (req.url === '/fo') socket.end('HTTP/1.1 400 Mine\r\n\r\n');
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      http.closeAllConnections();
      http.close();
    });
    const { port } = http.address() as AddressInfo;
    const s = await serve({ attachTo: http });
    expect(await upgrade(port, '/fo')).toContain('400 Mine');
    const peer = await raw(`ws://127.0.0.1:${port}/ocpp/CP1`, ['ocpp1.6']);
    await finish(s.clock, s.server.close());
    expect(await peer.closed).toBe(1001);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('page');
  });

  it('on close open calls get time to end, then everything is closed', async () => {
    const s = await serve();
    const peer = await raw(`${s.server.url}/CP1`, ['ocpp1.6']);
    const open = s.stations[0]?.callAny('ClearCache', {});
    const stuck = await raw(`${s.server.url}/CP2`, ['ocpp1.6']);
    const lost = code(s.stations[1]?.callAny('ClearCache', {}) ?? Promise.resolve());
    const [, id] = JSON.parse(await peer.next());
    const closing = finish(s.clock, s.server.close(1000));
    peer.ws.send(JSON.stringify([3, id, { status: 'Accepted' }]));
    expect(await open).toEqual({ status: 'Accepted' });
    await closing;
    expect(await lost).toBe('ocpp.closed');
    expect(await Promise.all([peer.closed, stuck.closed])).toEqual([1001, 1001]);
    await expect(fetch(`http://127.0.0.1:${s.server.port}/`)).rejects.toThrow();
  });

  it('counts frames, errors by code and stations into the metrics', async () => {
    const metrics = createMetrics();
    const s = await serve({ metrics });
    const c = client(s, { versions: ['ocpp2.1'] });
    await c.connect();
    await c.callAny('Heartbeat', {});
    await code(c.callAny('StatusNotification', {}, { validated: true }));
    await s.clock.advance(1000);
    const text = metrics.render();
    expect(text).toMatch(/v2gate_ocpp_frames_total\{direction="in"\} 2/);
    expect(text).toMatch(/v2gate_ocpp_errors_total\{direction="out",code="OccurrenceConstraintViolation"\} 1/);
    expect(text).toMatch(/v2gate_ocpp_size\{name="ocpp.stations"\} 1/);
  });

  it('compresses for 2.x stations that ask for it, and for no other', async () => {
    const s = await serve();
    const ask = (protocol: string): Promise<string> =>
      finish(
        s.clock,
        upgradeHead(s.server.port, [
          `Sec-WebSocket-Protocol: ${protocol}`,
          'Sec-WebSocket-Extensions: permessage-deflate',
        ]),
      );
    expect(await ask('ocpp2.1')).toMatch(/permessage-deflate/i);
    expect(await ask('ocpp1.6')).not.toMatch(/permessage-deflate/i);
    const c = client(s, { versions: ['ocpp2.1'], compression: true, identity: 'CP9' });
    await c.connect();
    expect(await c.callAny('DataTransfer', { vendorId: 'v', data: 'x'.repeat(20_000) }).catch(codeOf)).toBe(
      'ocpp.internal',
    );
    expect(VALIDATORS['ocpp2.1'].action('DataTransfer')).toBeDefined();
  });
});

/** Only the head of the answer, as the socket stays open. */
async function upgradeHead(port: number, headers: readonly string[]): Promise<string> {
  const { connect } = await import('node:net');
  const lines = [
    'GET /ocpp/CP1 HTTP/1.1',
    'Host: h',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
  ];
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`${[...lines, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', ...headers].join('\r\n')}\r\n\r\n`);
    socket.once('data', (chunk) => {
      resolve(chunk.toString('latin1'));
      socket.destroy();
    });
  });
}
