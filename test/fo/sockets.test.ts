import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { manualClock, realClock } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';
import { silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import {
  createFoClient,
  createFoServer,
  type FoClient,
  type FoClientOptions,
  type FoDown,
  type FoInbound,
  type FoServer,
  type FoServerOptions,
} from '../../protocols/fo/index.ts';
import { cancel, FO, GW, notice, setpoint } from './pair.ts';

const clock = realClock();
/** A clock whose backoff does not make tests wait. */
const quick = { ...clock, after: (ms: number, fn: () => void) => clock.after(ms >= 500 ? ms / 50 : ms, fn) };
const open: { close(): Promise<void> | void }[] = [];

afterEach(async () => {
  for (const x of open.splice(0).reverse()) await x.close();
});

interface Listening {
  readonly server: FoServer;
  readonly messages: FoInbound[];
  readonly downs: [string, FoDown][];
  readonly ups: string[];
}

async function serve(o: Partial<FoServerOptions> = {}): Promise<Listening> {
  const messages: FoInbound[] = [];
  const downs: [string, FoDown][] = [];
  const ups: string[] = [];
  const server = await createFoServer({
    host: '127.0.0.1',
    port: 0,
    self: GW,
    clock,
    log: silentLog,
    handlers: {
      onMessage(m) {
        messages.push(m);
        if (m.replyTo) server.answer(m.replyTo, { status: 'ok' });
      },
      onUp: (up) => ups.push(up.peer),
      onDown: (peer, reason) => downs.push([peer, reason]),
    },
    ...o,
  });
  open.push(server);
  return { server, messages, downs, ups };
}

function join(
  url: string,
  o: Partial<FoClientOptions> = {},
): { client: FoClient; messages: FoInbound[]; downs: FoDown[]; ups: number[] } {
  const messages: FoInbound[] = [];
  const downs: FoDown[] = [];
  const ups: number[] = [];
  const client = createFoClient({
    url,
    partyId: FO,
    to: GW,
    clock,
    log: silentLog,
    handlers: {
      onMessage(m) {
        messages.push(m);
        if (m.replyTo) client.answer(m.replyTo, { status: 'ok' });
      },
      onUp: (up) => ups.push(up.missedEvents),
      onDown: (_, reason) => downs.push(reason),
    },
    ...o,
  });
  open.push(client);
  return { client, messages, downs, ups };
}

/** Waits for a condition by looking at it in each turn of the event loop. */
async function until(what: () => boolean): Promise<void> {
  const end = Date.now() + 2_500;
  while (!what()) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A raw WebSocket and how it ended. */
async function raw(url: string, o: { protocol?: string; headers?: Record<string, string> } = {}) {
  const ws = new WebSocket(url, o.protocol ?? 'v2gate-fo.v1.json', { headers: o.headers ?? {} });
  const texts: string[] = [];
  ws.on('message', (d: Buffer) => texts.push(d.toString()));
  const closed = new Promise<number>((resolve) => ws.on('close', (code: number) => resolve(code)));
  const opened = new Promise<void>((resolve, reject) => ws.once('open', resolve).once('error', reject));
  ws.on('error', () => undefined);
  open.push({ close: () => ws.terminate() });
  return { ws, texts, closed, opened };
}

const hello = (from = FO, to = GW): string =>
  JSON.stringify({
    profile: 'v2gate-fo/1',
    messageId: '0197f2c0-5b1e-7c34-9a51-2f6f0a4be001',
    type: 'Hello',
    from,
    to,
    sentAt: new Date().toISOString(),
    body: { role: 'fo', profiles: ['v2gate-fo/1'], encodings: ['json'], heartbeatS: 30, lastEventSeq: 0 },
  });

describe('server and client', () => {
  it('carry requests, events and streams for two parties at a time', async () => {
    const { server, messages } = await serve();
    const north = join(server.url);
    const south = join(server.url, { partyId: 'fo:south' });
    const manual = { now: () => clock.now() } as never;
    expect(await north.client.request('UpdateSetpoint', setpoint(manual, 1))).toEqual({ status: 'ok' });
    expect(await south.client.request('CancelService', cancel(manual))).toEqual({ status: 'ok' });
    expect(messages.map((m) => [m.peer, m.type])).toEqual([
      [FO, 'UpdateSetpoint'],
      ['fo:south', 'CancelService'],
    ]);
    expect([...server.peers()].sort()).toEqual([FO, 'fo:south']);
    await server.session(FO).publish('ExecutionNotice', notice(manual));
    server
      .session('fo:south')
      .stream('Telemetry', { samples: [{ groupId: 'g', at: new Date().toISOString(), powerW: 5, quality: 'good' }] });
    await until(() => north.messages.length + south.messages.length === 2);
    expect(north.messages[0]).toMatchObject({ type: 'ExecutionNotice', eventSeq: 1 });
    expect(south.messages[0]).toMatchObject({ type: 'Telemetry' });
  });

  it('replay missed events after a reconnect, without gap or duplicate', async () => {
    const { server } = await serve();
    const { client, messages, ups } = join(server.url, { clock: quick });
    const manual = { now: () => clock.now() } as never;
    const session = server.session(FO);
    await until(() => session.state === 'up');
    for (let i = 1; i <= 5; i++) await session.publish('ExecutionNotice', notice(manual, i));
    await until(() => messages.length === 5);
    const second = await raw(server.url);
    await second.opened;
    second.ws.send(hello());
    await until(() => second.texts.length > 0);
    await until(() => client.state === 'down');
    for (let i = 6; i <= 40; i++) await session.publish('ExecutionNotice', notice(manual, i));
    second.ws.terminate();
    await until(() => messages.length >= 40);
    expect(messages.map((m) => m.eventSeq)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    expect(ups).toHaveLength(2);
  });

  it('keep pending requests over a reconnect', async () => {
    const { server, messages } = await serve();
    const port = server.port;
    const { client } = join(server.url, { clock: quick });
    await until(() => client.state === 'up');
    await server.close();
    const pending = client.request('CancelService', cancel({ now: () => clock.now() } as never));
    const again = await serve({ port });
    expect(await pending).toEqual({ status: 'ok' });
    expect([messages.length, again.messages.length]).toEqual([0, 1]);
  });

  it('count messages and refusals', async () => {
    const metrics = createMetrics();
    const { server } = await serve({ metrics });
    const { client } = join(server.url);
    await client.request('CancelService', cancel({ now: () => clock.now() } as never));
    expect(metrics.render()).toContain('v2gate_fo_messages_total{direction="in",type="CancelService"} 1');
    expect(metrics.render()).toContain('v2gate_fo_bound_size{name="fo.owedResults"} 0');
  });
});

describe('the newest connection of a party', () => {
  it('replaces the first with close 4003', async () => {
    const { server, downs } = await serve();
    const first = await raw(server.url);
    await first.opened;
    first.ws.send(hello());
    await until(() => first.texts.length === 1);
    const second = await raw(server.url);
    await second.opened;
    second.ws.send(hello());
    expect(await first.closed).toBe(4003);
    await until(() => second.texts.length === 1);
    expect(server.peers()).toEqual([FO]);
    expect(downs).toEqual([[FO, 'replaced']]);
  });
});

describe('a running connection stays when somebody in its name', () => {
  const bad: [string, (m: { from: string; to: string; sentAt: string; body: object }) => object, number][] = [
    ['says an invalid Hello', (m) => ({ ...m, body: { ...m.body, heartbeatS: 'often' } }), 4000],
    ['plays the same role', (m) => ({ ...m, body: { ...m.body, role: 'fcsbe' } }), 4001],
    ['offers no common profile', (m) => ({ ...m, body: { ...m.body, profiles: ['x/1'] } }), 4000],
    ['means another gateway', (m) => ({ ...m, to: 'cso:other' }), 4001],
    ['has a clock that is an hour off', (m) => ({ ...m, sentAt: '2020-01-01T00:00:00Z' }), 4000],
    ['begins with something else', (m) => ({ ...m, type: 'Heartbeat' }), 4000],
  ];
  const token = { authorization: 'Bearer north-token' };
  it.each(bad)('%s', async (_, change, code) => {
    const { server, downs } = await serve({
      authenticate: ({ credentials: c }) =>
        c?.scheme === 'bearer' && c.token === 'north-token' ? { partyId: FO } : { fromHello: true },
    });
    const { client } = join(server.url, { token: 'north-token' });
    await until(() => client.state === 'up');
    for (const headers of [{}, token]) {
      const other = await raw(server.url, { headers });
      await other.opened;
      other.ws.send(JSON.stringify(change(JSON.parse(hello()))));
      expect(await other.closed).toBe(code);
      expect(JSON.parse(other.texts[0] ?? '')).toMatchObject({ type: 'Result', body: { status: 'error' } });
    }
    const silent = await raw(server.url, { headers: token });
    await silent.opened;
    expect([client.state, downs]).toEqual(['up', []]);
  });
});

describe('a bad peer loses its connection, and nobody else anything', () => {
  it.each([
    ['an oversized frame', (ws: WebSocket) => ws.send('x'.repeat(256 * 1024 + 1)), 1009],
    ['a binary frame', (ws: WebSocket) => ws.send(Buffer.from(hello())), 1003],
    ['something before Hello', (ws: WebSocket) => ws.send('{}'), 4000],
    ['a Hello to somebody else', (ws: WebSocket) => ws.send(hello('fo:x', 'cso:other')), 4001],
  ])('for %s', async (_, act, code) => {
    const { server } = await serve();
    const { client } = join(server.url);
    await until(() => client.state === 'up');
    const bad = await raw(server.url);
    await bad.opened;
    act(bad.ws);
    expect(await bad.closed).toBe(code);
    expect(await client.request('CancelService', cancel({ now: () => clock.now() } as never))).toEqual({
      status: 'ok',
    });
  });

  it('for a missing subprotocol, a wrong path, a plain HTTP request', async () => {
    const { server } = await serve();
    const other = new WebSocket(server.url);
    expect(await new Promise((resolve) => other.on('close', resolve))).toBe(4000);
    const wrong = await raw(server.url.replace('/fo', '/ocpp'));
    await expect(wrong.opened).rejects.toThrow('404');
    expect(() => server.session('no id')).toThrow('party id');
    expect((await fetch(server.url.replace('ws:', 'http:'))).status).toBe(426);
  });

  it('when the parties are too many; those that only passed by give way', async () => {
    const { server } = await serve({ maxParties: 2 });
    for (const name of ['fo:a', 'fo:b', 'fo:c']) {
      const c = join(server.url, { partyId: name });
      await until(() => c.client.state === 'up');
      await c.client.close();
      await until(() => !server.peers().includes(name));
    }
    server.session('fo:k1');
    server.session('fo:k2');
    expect(() => server.session('fo:k3')).toThrow('2 parties');
    const late = await raw(server.url);
    await late.opened;
    late.ws.send(hello('fo:late'));
    expect(await late.closed).toBe(4008);
  });

  it('when it no longer answers pings', async () => {
    const manual = manualClock(Date.now());
    const { server, downs } = await serve({ clock: manual });
    const dead = await raw(server.url);
    await dead.opened;
    dead.ws.send(hello());
    await until(() => dead.texts.length === 1);
    let pings = 0;
    dead.ws.on('ping', () => pings++);
    await manual.advance(20_000);
    await until(() => pings === 1);
    dead.ws.pause();
    await manual.advance(40_000);
    expect(server.peers()).toEqual([FO]);
    await manual.advance(20_000);
    await until(() => downs.length === 1);
    expect(downs).toEqual([[FO, 'pongLost']]);
  });
});

describe('authentication', () => {
  const authenticate: NonNullable<FoServerOptions['authenticate']> = ({ credentials: c }) => {
    if (c?.scheme === 'bearer' && c.token === 'north-token') return { partyId: FO };
    if (c?.scheme === 'basic' && c.user === 'south' && c.password === 'p:w') return { partyId: 'fo:south' };
    return { refuse: c ? 'auth.failed' : 'state.invalid' };
  };

  it('binds the connection to the party of its token', async () => {
    const { server, ups } = await serve({ authenticate });
    const { client } = join(server.url, { token: 'north-token' });
    await until(() => client.state === 'up');
    const basic = { authorization: `Basic ${Buffer.from('south:p:w').toString('base64')}` };
    const liar = await raw(server.url, { headers: basic });
    await liar.opened;
    liar.ws.send(hello(FO));
    expect(await liar.closed).toBe(4001);
    expect(JSON.parse(liar.texts[0] ?? '').body.code).toBe('auth.forbidden');
    expect(ups).toEqual([FO]);
    expect(client.state).toBe('up');
  });

  it('refuses with 4001 or 4002', async () => {
    const { server } = await serve({ authenticate });
    expect(await (await raw(server.url, { headers: { authorization: 'Bearer wrong' } })).closed).toBe(4001);
    expect(await (await raw(server.url)).closed).toBe(4002);
  });

  it('that throws refuses', async () => {
    const { server } = await serve({ authenticate: () => Promise.reject(new Error('ldap')) });
    expect(await (await raw(server.url)).closed).toBe(4001);
  });

  it('believes on the loopback only whom it is told to', async () => {
    const { server } = await serve({ authenticate: () => ({ fromHello: true, allows: (peer) => peer === 'fo:open' }) });
    const liar = await raw(server.url);
    await liar.opened;
    liar.ws.send(hello(FO));
    expect(await liar.closed).toBe(4001);
    const { client } = join(server.url, { partyId: 'fo:open' });
    await until(() => client.state === 'up');
  });

  it('lets no web page in through the loopback', async () => {
    const { server } = await serve();
    expect(await (await raw(server.url, { headers: { origin: 'https://evil.example' } })).closed).toBe(4001);
  });
});

describe('listening', () => {
  it('on a taken port fails with port.taken', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => blocker.once('listening', resolve));
    const address = blocker.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    expect(await serve({ port }).catch(codeOf)).toBe('port.taken');
    blocker.close();
  });

  it('in plain text outside the loopback must be allowed in words', async () => {
    expect(await serve({ host: '0.0.0.0' }).catch(codeOf)).toBe('fo.insecure');
    const { server } = await serve({ host: '0.0.0.0', allow: 'plainTextOutsideLoopback' });
    expect(server.url).toBe(`ws://0.0.0.0:${server.port}/fo`);
  });

  it('ends completely on close, with connections open', async () => {
    const { server } = await serve();
    const idle = await raw(server.url);
    await idle.opened;
    const { client } = join(server.url);
    await until(() => client.state === 'up');
    await server.close();
    expect(await idle.closed).toBe(1001);
    await until(() => client.state === 'down');
  });
});
