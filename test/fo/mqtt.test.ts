import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { connect } from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';
import { realClock } from '../../core/clock.ts';
import { createLog, silentLog } from '../../core/log.ts';
import { PublishResources } from '../../model/index.ts';
import {
  createFoBroker,
  createFoMqttClient,
  createFoMqttGateway,
  type FoBroker,
  type FoBrokerOptions,
  type FoClient,
  type FoDown,
  type FoInbound,
  type FoMqttClientOptions,
  type FoMqttGateway,
  type FoMqttGatewayOptions,
} from '../../protocols/fo/index.ts';
import { cancel, FO, GW, notice, setpoint } from './pair.ts';

const clock = realClock();
/** A clock whose backoff does not make tests wait. */
const quick = { ...clock, after: (ms: number, fn: () => void) => clock.after(ms >= 500 ? ms / 50 : ms, fn) };
const now = { now: () => clock.now() } as never;
const open: { close(): Promise<void> | void }[] = [];

afterEach(async () => {
  for (const x of open.splice(0).reverse()) await x.close();
});

const TOKENS: Readonly<Record<string, string>> = { [GW]: 'gateway', [FO]: 'north', 'fo:south': 'south' };

async function broker(o: Partial<FoBrokerOptions> = {}): Promise<FoBroker> {
  const b = await createFoBroker({
    host: '127.0.0.1',
    port: 0,
    log: silentLog,
    authenticate: ({ user, password }) =>
      password !== undefined && TOKENS[user] === password
        ? user === GW
          ? { side: 'up', gwId: GW }
          : { side: 'dn', foId: user }
        : undefined,
    ...o,
  });
  open.push(b);
  return b;
}

interface Serving {
  readonly gw: FoMqttGateway;
  readonly messages: FoInbound[];
  readonly ups: string[];
  readonly downs: [string, FoDown][];
}

function serve(url: string, o: Partial<FoMqttGatewayOptions> = {}): Serving {
  const messages: FoInbound[] = [];
  const ups: string[] = [];
  const downs: [string, FoDown][] = [];
  const gw = createFoMqttGateway({
    url,
    self: GW,
    user: GW,
    password: 'gateway',
    parties: [FO, 'fo:south'],
    clock: quick,
    log: silentLog,
    handlers: {
      onMessage(m) {
        messages.push(m);
        if (m.replyTo) gw.answer(m.replyTo, { status: 'ok' });
      },
      onUp: (up) => ups.push(up.peer),
      onDown: (peer, reason) => downs.push([peer, reason]),
    },
    ...o,
  });
  open.push(gw);
  return { gw, messages, ups, downs };
}

function join(url: string, o: Partial<FoMqttClientOptions> = {}) {
  const messages: FoInbound[] = [];
  const ups: number[] = [];
  const downs: FoDown[] = [];
  const resources: [string, unknown][] = [];
  const client: FoClient = createFoMqttClient({
    url,
    partyId: FO,
    to: GW,
    token: 'north',
    clock: quick,
    log: silentLog,
    handlers: {
      onMessage(m) {
        messages.push(m);
        if (m.replyTo) client.answer(m.replyTo, { status: 'ok' });
      },
      onUp: (up) => ups.push(up.missedEvents),
      onDown: (_, reason) => downs.push(reason),
    },
    onResource: (evcsId, item) => resources.push([evcsId, item]),
    ...o,
  });
  open.push(client);
  return { client, messages, ups, downs, resources };
}

/** A broker that lets everybody do everything, as a foreign one might. */
async function openBroker(): Promise<string> {
  const aedes = await Aedes.createBroker();
  const server = createServer({ noDelay: true }, aedes.handle).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  open.push({
    close: async () => {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return `mqtt://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}

/** A client of any make, and what it hears. */
async function anybody(url: string, o: { user?: string; password?: string; id?: string; will?: string } = {}) {
  const heard: { topic: string; text: string; retain: boolean; qos: number }[] = [];
  const ends: unknown[] = [];
  const client = connect(url, {
    protocolVersion: 4,
    reconnectPeriod: 0,
    clientId: o.id ?? 'anybody',
    ...(o.user === undefined ? {} : { username: o.user, password: o.password ?? '' }),
    ...(o.will === undefined ? {} : { will: { topic: o.will, payload: '{}', qos: 1, retain: true } }),
  });
  client.on('message', (topic, payload, { retain, qos }) =>
    heard.push({ topic, text: payload.toString(), retain, qos }),
  );
  client.on('error', (e) => ends.push('code' in e ? e.code : e.message));
  client.on('close', () => ends.push('closed'));
  open.push({ close: () => void client.end(true) });
  await until(() => client.connected || ends.length > 0);
  if ('setNoDelay' in client.stream) (client.stream as Socket).setNoDelay(true);
  const say = (topic: string, text: string, opts: { qos?: 0 | 1; retain?: boolean } = {}) =>
    new Promise<void>((resolve) => client.publish(topic, text, { qos: 1, ...opts }, () => resolve()));
  const hear = (filter: string) =>
    new Promise<boolean>((resolve) =>
      client.subscribe(filter, { qos: 1 }, (e, granted) => resolve(!e && granted?.[0]?.qos !== 128)),
    );
  return { client, heard, ends, say, hear };
}

const root = `v2gfo/1/${FO}/${GW}`;
const frame = (type: string, body: unknown, over: Record<string, unknown> = {}): string =>
  JSON.stringify({
    profile: 'v2gate-fo/1',
    messageId: '0197f2c0-5b1e-7c34-9a51-2f6f0a4be001',
    type,
    from: FO,
    to: GW,
    sentAt: new Date().toISOString(),
    body,
    ...over,
  });
const helloBody = { role: 'fo', profiles: ['v2gate-fo/1'], encodings: ['json'], heartbeatS: 30, lastEventSeq: 0 };

/** Waits for a condition by looking at it in each turn of the event loop. */
async function until(what: () => boolean): Promise<void> {
  const end = Date.now() + 2_500;
  while (!what()) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('an operator and a gateway over the broker in this process', () => {
  it('carry requests, setpoints, events and telemetry, for each party its own', async () => {
    const { url } = await broker();
    const { gw, messages } = serve(url);
    const north = join(url);
    const south = join(url, { partyId: 'fo:south', token: 'south' });
    expect(await north.client.request('UpdateSetpoint', setpoint(now, 1))).toEqual({ status: 'ok' });
    expect(await south.client.request('CancelService', cancel(now))).toEqual({ status: 'ok' });
    expect(messages.map((m) => [m.peer, m.type])).toEqual([
      [FO, 'UpdateSetpoint'],
      ['fo:south', 'CancelService'],
    ]);
    expect([...gw.peers()].sort()).toEqual([FO, 'fo:south']);
    await gw.session(FO).publish('ExecutionNotice', notice(now));
    gw.session('fo:south').stream('Telemetry', {
      samples: [{ groupId: 'g', at: new Date().toISOString(), powerW: 5, quality: 'good' }],
    });
    await until(() => north.messages.length + south.messages.length === 2);
    expect(north.messages[0]).toMatchObject({ type: 'ExecutionNotice', eventSeq: 1 });
    expect(south.messages[0]).toMatchObject({ type: 'Telemetry' });
  });

  it('do not wait for one another to acknowledge TCP segments: a setpoint is answered in less than 20 ms', async () => {
    const { url } = await broker();
    serve(url);
    const { client } = join(url);
    const times: number[] = [];
    for (let i = 1; i <= 15; i++) {
      const at = performance.now();
      await client.request('UpdateSetpoint', setpoint(now, i));
      times.push(performance.now() - at);
    }
    expect(times.slice(1).sort((a, b) => a - b)[7]).toBeLessThan(20);
  });

  it('come back by themselves when the broker was away, and miss no event', async () => {
    const first = await broker();
    const { gw, ups } = serve(first.url);
    const { client, messages, downs } = join(first.url);
    await until(() => ups.length === 1);
    await gw.session(FO).publish('ExecutionNotice', notice(now, 1));
    await until(() => messages.length === 1);
    await first.close();
    await until(() => client.state === 'down' && gw.peers().length === 0);
    const pending = client.request('CancelService', cancel(now));
    for (let i = 2; i <= 20; i++) await gw.session(FO).publish('ExecutionNotice', notice(now, i));
    await broker({ port: first.port });
    expect(await pending).toEqual({ status: 'ok' });
    await until(() => messages.length === 20);
    expect(messages.map((m) => m.eventSeq)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect([ups.length, downs]).toEqual([2, ['closed']]);
  });

  it('notice when the other ends, dies or starts anew', async () => {
    const { url } = await broker();
    const { gw, ups, downs } = serve(url);
    const first = join(url);
    await until(() => ups.length === 1);
    await first.client.close();
    await until(() => downs.length === 1);
    const second = join(url);
    await until(() => ups.length === 2);
    const third = join(url);
    await until(() => ups.length === 3);
    expect(downs.map(([, reason]) => reason)).toEqual(['closed', expect.any(String)]);
    await second.client.close();
    await third.client.close();
    const fourth = join(url);
    await until(() => fourth.client.state === 'up');
    await gw.close();
    await until(() => fourth.client.state === 'down');
    const again = serve(url);
    await until(() => fourth.client.state === 'up');
    expect(again.ups).toEqual([FO]);
  });

  it('keep a description of each EVCS for the operator, and take it back', async () => {
    const { url } = await broker();
    const { gw } = serve(url);
    const evcs = (evcsId: string) => ({ ...PublishResources.example.evcs[0], evcsId });
    const example = PublishResources.example;
    const publish = (body: object) =>
      gw.session(FO).publish('PublishResources', PublishResources.parse({ ...example, ...body }));
    await publish({ evcs: [evcs('A'), evcs('B'), evcs('C')] });
    const north = join(url);
    await until(() => north.resources.length === 3);
    expect(north.resources).toEqual(['A', 'B', 'C'].map((id) => [id, evcs(id)]));
    await publish({ mode: 'delta', revision: 2, evcs: [], removed: ['B', 'nobody'] });
    await publish({ mode: 'full', revision: 3, evcs: [evcs('C')] });
    await until(() => north.resources.length === 6);
    expect(north.resources.slice(3)).toEqual([
      ['B', undefined],
      ['C', evcs('C')],
      ['A', undefined],
    ]);
    await north.client.close();
    await gw.close();
    const after = serve(url);
    const later = join(url);
    await until(() => later.client.state === 'up' && later.resources.length === 1);
    expect(later.resources).toEqual([['C', evcs('C')]]);
    // A gateway that has started anew knows what lies there.
    await after.gw.session(FO).publish('PublishResources', PublishResources.parse({ ...example, evcs: [] }));
    await until(() => later.resources.length === 2);
    expect(later.resources[1]).toEqual(['C', undefined]);
  });
});

describe('the broker in this process', () => {
  const dn = `${root}/dn/ctl`;

  it('lets nobody in without the right token, from another address than it may, or under a foreign client id', async () => {
    const lines: string[] = [];
    const log = createLog({ clock: realClock(), level: 'warn', format: 'json', write: (line) => lines.push(line) });
    const { url } = await broker({ log });
    const refused = async (o: Parameters<typeof anybody>[1]) => (await anybody(url, o)).ends[0];
    expect(await refused({})).toBe(4);
    expect(await refused({ user: FO, password: 'south', id: FO })).toBe(4);
    expect(await refused({ user: 'nobody', password: '', id: 'nobody' })).toBe(4);
    expect(await refused({ user: FO, password: 'north', id: 'fo:south' })).toBe(2);
    expect(await refused({ user: FO, password: 'north', id: `${FO}-2` })).toBe(2);
    // Each is in the log, by name and without what was given.
    expect(lines.filter((l) => l.includes('fo.refusedConnection'))).toHaveLength(5);
    expect(lines.join()).toContain('"user":"nobody"');
    expect(lines.join()).not.toMatch(/"(south|north)"/);
    const right = await anybody(url, { user: FO, password: 'north', id: `${FO}/2` });
    expect(right.client.connected).toBe(true);
  });

  it.each([
    ['the branch of another operator', `v2gfo/1/fo:south/${GW}/dn/ctl`, false],
    ['the branch of the gateway', `${root}/up/ctl`, false],
    ['a retained command', dn, true],
    ['another topic', 'elsewhere', false],
    ['a topic of the broker', '$SYS/x', false],
    ['a topic below', `${dn}/deeper`, false],
    ['a token of two levels', `${root}/dn/rsp/a/b`, false],
  ])('cuts an operator off that writes %s', async (_, topic, retain) => {
    const { url } = await broker();
    const north = await anybody(url, { user: FO, password: 'north', id: FO });
    void north.say(topic, 'x', { retain });
    await until(() => north.ends.includes('closed'));
  });

  it('lets an operator read only what is written for it', async () => {
    const { url } = await broker();
    const north = await anybody(url, { user: FO, password: 'north', id: FO });
    const filters = [`${root}/up/#`, `${root}/up/rsp/+`, '#', '+/+/+/#', `${root}/#`, `v2gfo/1/fo:south/${GW}/up/#`];
    const answers: boolean[] = [];
    for (const filter of [...filters, `v2gfo/1/+/${GW}/up/ctl`, `${root}/dn/ctl`, '$SYS/#'])
      answers.push(await north.hear(filter));
    expect(answers).toEqual([true, true, false, false, false, false, false, false, false]);
  });

  it('publishes no will in a foreign branch', async () => {
    const { url } = await broker();
    const spy = await anybody(url, { user: GW, password: 'gateway', id: GW });
    await spy.hear(`v2gfo/1/fo:south/${GW}/dn/link`);
    const liar = await anybody(url, { user: FO, password: 'north', id: FO, will: `v2gfo/1/fo:south/${GW}/dn/link` });
    liar.client.stream.destroy();
    const south = await anybody(url, {
      user: 'fo:south',
      password: 'south',
      id: 'fo:south',
      will: `v2gfo/1/fo:south/${GW}/dn/link`,
    });
    south.client.stream.destroy();
    await until(() => spy.heard.length === 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(spy.heard).toHaveLength(1);
  });

  it('takes no packet above the limit and no large one before the client is known', async () => {
    const { url } = await broker();
    serve(url);
    const fine = join(url, { partyId: 'fo:south', token: 'south' });
    await until(() => fine.client.state === 'up');
    const north = await anybody(url, { user: FO, password: 'north', id: FO });
    void north.say(dn, 'x'.repeat(300_000));
    await until(() => north.ends.includes('closed'));
    const rude = await anybody(url, { user: FO, password: 'p'.repeat(9_000), id: FO });
    expect(rude.ends).toEqual(['closed']);
    expect(await fine.client.request('CancelService', cancel(now))).toEqual({ status: 'ok' });
  });

  it('drops who speaks no MQTT, and nobody else', async () => {
    const { url, port } = await broker();
    serve(url);
    const fine = join(url);
    await until(() => fine.client.state === 'up');
    const frames = [
      'GET / HTTP/1.1\r\n\r\n',
      '\x10\xff\xff\xff\xff\xff',
      '\x10\x0c\x00\x04MQTT\x09\x02\x00\x3c\x00\x00',
      '\x30\x05\x00\x03abc',
      '\x00\x00',
    ];
    for (const frame of frames) {
      const socket = connectTcp(port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      const ended = new Promise((resolve) => socket.on('close', resolve));
      socket.write(Buffer.from(frame, 'latin1'));
      await ended;
    }
    expect(await fine.client.request('CancelService', cancel(now))).toEqual({ status: 'ok' });
  });

  it('must be allowed in words to listen to others in plain text', async () => {
    await expect(broker({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'fo.insecure' });
    const { port } = await broker();
    await expect(broker({ port })).rejects.toMatchObject({ code: 'port.taken' });
  });
});

describe('on a broker that protects nothing, the gateway', () => {
  const results = (heard: { topic: string; text: string }[]) =>
    heard
      .filter((h) => h.topic.startsWith(`${root}/up/rsp/`))
      .map((h) => ({ topic: h.topic, ...JSON.parse(h.text).body }));

  async function world() {
    const url = await openBroker();
    const serving = serve(url);
    const spy = await anybody(url);
    await spy.hear(`${root}/up/#`);
    await until(() => spy.heard.some((h) => h.topic === `${root}/up/link`));
    const up = async () => {
      await spy.say(`${root}/dn/ctl`, frame('Hello', helloBody));
      await until(() => serving.ups.length === 1 && results(spy.heard).length === 1);
      spy.heard.splice(0);
    };
    return { url, spy, up, ...serving };
  }

  it('tells on its link, retained, that it is up, and that it has closed', async () => {
    const { url, gw } = await world();
    const state = async () => {
      const c = await anybody(url, { id: `late-${Math.random()}` });
      await c.hear(`${root}/up/link`);
      await until(() => c.heard.length === 1);
      const [{ text, retain } = { text: '{}', retain: false }] = c.heard;
      return { ...JSON.parse(text), retain };
    };
    expect(await state()).toEqual({ state: 'up', at: expect.stringMatching(/Z$/), retain: true });
    await gw.close();
    expect(await state()).toMatchObject({ state: 'closed', retain: true });
  });

  it('answers at token 0 with MQTT 3.1.1, with QoS 1 and not retained', async () => {
    const { spy, up } = await world();
    await up();
    await spy.say(`${root}/dn/fast`, frame('UpdateSetpoint', setpoint(now, 1)));
    await until(() => spy.heard.length === 1);
    expect(spy.heard[0]).toMatchObject({ topic: `${root}/up/rsp/0`, qos: 1, retain: false });
    expect(JSON.parse(spy.heard[0]?.text ?? '')).toMatchObject({ type: 'Result', body: { status: 'ok' } });
  });

  it('ignores commands that were retained', async () => {
    const url = await openBroker();
    const spy = await anybody(url);
    await spy.say(`${root}/dn/ctl`, frame('Hello', helloBody), { retain: true });
    await spy.say(`${root}/dn/fast`, frame('UpdateSetpoint', setpoint(now, 1)), { retain: true });
    const { ups, messages } = serve(url);
    await spy.hear(`${root}/up/#`);
    await until(() => spy.heard.some((h) => h.topic === `${root}/up/link`));
    await spy.say(`${root}/dn/ctl`, frame('Hello', helloBody, { messageId: '0197f2c0-5b1e-7c34-9a51-2f6f0a4be002' }));
    await until(() => ups.length === 1);
    expect(messages).toEqual([]);
  });

  it('refuses who is not the party of the topic, and hears nobody whom it does not serve', async () => {
    const { spy, up, messages, gw } = await world();
    await up();
    await spy.say(`${root}/dn/ctl`, frame('CancelService', cancel(now), { from: 'fo:south' }));
    await spy.say(`${root}/dn/ctl`, frame('CancelService', cancel(now), { to: 'cso:other' }));
    await spy.say(`v2gfo/1/fo:west/${GW}/dn/ctl`, frame('Hello', helloBody, { from: 'fo:west' }));
    await until(() => results(spy.heard).length === 2);
    expect(results(spy.heard).map((r) => r.code)).toEqual(['auth.forbidden', 'auth.forbidden']);
    expect([messages, gw.peers()]).toEqual([[], [FO]]);
  });

  it('holds each message to its topic', async () => {
    const { spy, up, messages } = await world();
    await up();
    await spy.say(`${root}/dn/fast`, frame('CancelService', cancel(now)));
    await spy.say(`${root}/dn/ctl`, frame('Result', { status: 'ok' }));
    await spy.say(`${root}/dn/rsp/0`, frame('CancelService', cancel(now)));
    await spy.say(`${root}/dn/ctl`, frame('UpdateSetpoint', setpoint(now, 1)));
    await until(() => results(spy.heard).length === 3);
    expect(messages).toHaveLength(1);
    expect(results(spy.heard).map((r) => r.code ?? r.status)).toEqual(['schema.semantic', 'schema.semantic', 'ok']);
  });

  it('answers messages before Hello a few times, and a bad Hello does not end what runs', async () => {
    const { spy, gw, ups, downs } = await world();
    for (let i = 0; i < 30; i++) await spy.say(`${root}/dn/fast`, frame('UpdateSetpoint', setpoint(now, i)));
    await spy.say(`${root}/dn/ctl`, frame('Hello', helloBody));
    await until(() => ups.length === 1);
    const before = results(spy.heard).filter((r) => r.code === 'state.invalid').length;
    expect(before).toBeGreaterThan(5);
    expect(before).toBeLessThan(15);
    await spy.say(`${root}/dn/ctl`, frame('Hello', { ...helloBody, role: 'fcsbe' }));
    await spy.say(`${root}/dn/ctl`, 'no JSON, but "Hello"');
    await spy.say(`${root}/dn/fast`, frame('UpdateSetpoint', setpoint(now, 99)));
    await until(() => results(spy.heard).some((r) => r.status === 'ok' && r.data === undefined));
    expect([gw.peers(), downs]).toEqual([[FO], []]);
  });

  it('takes a new Hello for a new start, but not a repeated one', async () => {
    const { spy, up, ups, downs } = await world();
    await up();
    await spy.say(`${root}/dn/ctl`, frame('Hello', helloBody));
    await until(() => results(spy.heard).length === 1);
    expect(ups).toHaveLength(1);
    await spy.say(`${root}/dn/ctl`, frame('Hello', helloBody, { messageId: '0197f2c0-5b1e-7c34-9a51-2f6f0a4be009' }));
    await until(() => ups.length === 2);
    expect(downs).toEqual([[FO, 'replaced']]);
  });

  it('takes an operator for lost whose link says so', async () => {
    const { spy, up, downs } = await world();
    await up();
    await spy.say(`${root}/dn/link`, JSON.stringify({ state: 'lost', at: '2026-01-01T00:00:00Z' }), { retain: true });
    await until(() => downs.length === 1);
    expect(downs).toEqual([[FO, 'closed']]);
  });

  it('closes the link for a while to somebody who sends too much that is refused', async () => {
    const { spy, up, downs } = await world();
    await up();
    for (let i = 0; i < 605; i++) void spy.say(`${root}/dn/ctl`, 'x', { qos: 0 });
    await until(() => downs.length === 1);
    expect(downs).toEqual([[FO, 'abuse']]);
    await until(() => spy.heard.filter((h) => h.topic === `${root}/up/link`).length === 2);
    const states = spy.heard.filter((h) => h.topic === `${root}/up/link`).map((h) => JSON.parse(h.text).state);
    expect(states).toEqual(['closed', 'up']);
  });
});
