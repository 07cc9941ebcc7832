import { connect as connectTcp } from 'node:net';
import fc from 'fast-check';
import { connect, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { iso, realClock } from '../../core/clock.ts';
import { createLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import {
  createFoBroker,
  createFoMqttClient,
  createFoMqttGateway,
  type FoBroker,
  type FoClient,
  type FoMqttGateway,
} from '../../protocols/fo/index.ts';
import { FO, GW } from '../fo/pair.ts';
import { FUZZ_TIME, INPUTS, inputs, mutants } from './mutate.ts';
import { foBodies } from './templates.ts';

const SOUTH = 'fo:south';
const TOKENS: Readonly<Record<string, string>> = { [GW]: 'gateway', [FO]: 'north', [SOUTH]: 'south' };
/** Packets between two looks at the others. */
const LOOK_EVERY = Math.max(50, INPUTS / 50);

interface World {
  readonly broker: FoBroker;
  readonly gateway: FoMqttGateway;
  /** The operator that must not notice anything. */
  readonly north: FoClient;
  readonly log: string[];
  readonly metrics: ReturnType<typeof createMetrics>;
}

let w: World;

beforeAll(async () => {
  const log: string[] = [];
  const metrics = createMetrics();
  const clock = realClock();
  const common = { clock, log: createLog({ clock, level: 'warn', format: 'text', write: (l) => void log.push(l) }) };
  const broker = await createFoBroker({
    host: '127.0.0.1',
    port: 0,
    log: common.log,
    metrics,
    authenticate({ user, password }) {
      if (password === undefined || TOKENS[user] !== password) return undefined;
      return user === GW ? { side: 'up', gwId: GW } : { side: 'dn', foId: user };
    },
  });
  const gateway: FoMqttGateway = createFoMqttGateway({
    ...common,
    url: broker.url,
    self: GW,
    user: GW,
    password: 'gateway',
    parties: [FO, SOUTH],
    metrics,
    handlers: { onMessage: (m) => void (m.replyTo && gateway.answer(m.replyTo, { status: 'ok' })) },
  });
  const north = createFoMqttClient({
    ...common,
    url: broker.url,
    partyId: FO,
    to: GW,
    token: 'north',
    handlers: { onMessage: () => undefined },
  });
  w = { broker, gateway, north, log, metrics };
  await unharmed();
});

afterAll(async () => {
  await w.north.close();
  await w.gateway.close();
  await w.broker.close();
});

/** The other operator gets its answer, and no handler has failed. */
async function unharmed(): Promise<void> {
  const body = { fsrId: 'N-1', reason: 'look', at: iso(realClock().now()) };
  expect(await w.north.request('CancelService', body)).toEqual({ status: 'ok' });
  expect(w.log.filter((l) => /handlerFailed|listenerFailed|internal\.|TypeError|RangeError/.test(l))).toEqual([]);
}

/** A client of `fo:south`, connected. */
async function south(): Promise<MqttClient> {
  const o = { protocolVersion: 4, reconnectPeriod: 0, clientId: SOUTH, username: SOUTH, password: 'south' } as const;
  const client = connect(w.broker.url, o);
  client.on('error', () => undefined);
  await new Promise<void>((done) => {
    client.once('connect', () => done());
    client.once('close', () => done());
  });
  return client;
}

const root = `v2gfo/1/${SOUTH}/${GW}`;
const segment = fc.constantFrom(
  ...[
    'v2gfo',
    '1',
    SOUTH,
    FO,
    GW,
    'dn',
    'up',
    'ctl',
    'fast',
    'link',
    'tel',
    'res',
    'rsp',
    't-1',
    '',
    ' ',
    '..',
    '$SYS',
  ],
  ...['\u0001', 'ä', 'x'.repeat(300), 'fo:south%2Fdn', '__proto__'],
);
const topics = fc.oneof(
  fc.constantFrom(`${root}/dn/ctl`, `${root}/dn/fast`, `${root}/dn/link`, `${root}/dn/rsp/t-1`),
  fc
    .array(segment, { minLength: 1, maxLength: 10 })
    .map((s) => s.join('/'))
    // The client library sends no empty topic, and says nothing of it.
    .filter((topic) => topic !== ''),
);
const envelope = (type: string, body: () => unknown) => () => ({
  profile: 'v2gate-fo/1',
  messageId: '0197f2c0-5b1e-7c34-9a51-2f6f0a4be001',
  type,
  from: SOUTH,
  to: GW,
  sentAt: iso(Date.now()),
  body: body(),
});
const hello = { role: 'fo', profiles: ['v2gate-fo/1'], encodings: ['json'], heartbeatS: 30, lastEventSeq: 0 };
const said = [['Hello', () => hello] as const, ...foBodies(Date.now)].map(([t, b]) => envelope(t, b));

/** Publishes and resolves once the broker took it or has cut the client off. */
const publish = (client: MqttClient, topic: string, text: string, retain: boolean): Promise<void> =>
  new Promise((done) => {
    if (!client.connected) return done();
    client.once('close', done);
    client.publish(topic, text, { qos: 1, retain }, () => {
      client.off('close', done);
      done();
    });
  });

describe(`${INPUTS} mutants over MQTT`, FUZZ_TIME, () => {
  it('of topics and messages harm nobody else', async () => {
    let client = await south();
    let n = 0;
    for (const [topic, make, retain] of inputs(fc.tuple(topics, mutants(said), fc.boolean()))) {
      if (!client.connected) client = await south();
      await publish(client, topic, make(), retain && topic.endsWith('/link'));
      if (++n % LOOK_EVERY === 0) await unharmed();
    }
    client.end(true);
    await unharmed();
  });

  it('of packets harm nobody else', async () => {
    const connectPacket = Buffer.from([
      ...[0x10, 26, 0, 4, ...Buffer.from('MQTT'), 4, 0xc2, 0, 60],
      ...[0, 2, ...Buffer.from('id'), 0, 2, ...Buffer.from('me'), 0, 4, ...Buffer.from('pass')],
    ]);
    const packet = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((b) => Buffer.from(b)),
      fc.tuple(fc.nat(25), fc.nat(255)).map(([at, by]) => {
        const spoiled = Buffer.from(connectPacket);
        spoiled[at] = by;
        return spoiled;
      }),
      fc
        .tuple(fc.nat(255), fc.uint8Array({ maxLength: 40 }))
        .map(([type, b]) => Buffer.concat([connectPacket, Buffer.from([type, b.length]), b])),
    );
    let n = 0;
    for (const bytes of inputs(packet)) {
      await new Promise<void>((done) => {
        const socket = connectTcp({ host: '127.0.0.1', port: w.broker.port, noDelay: true }, () => socket.end(bytes));
        socket.on('error', () => undefined);
        socket.on('close', () => done());
        socket.resume();
      });
      if (++n % LOOK_EVERY === 0) {
        const t = setTimeout(() => console.log('STALL unharmed', n, w.north.state, w.log.slice(-5)), 3000);
        await unharmed();
        clearTimeout(t);
      }
    }
    await unharmed();
    const clients = /v2gate_fo_bound_size\{name="fo\.brokerClients"\} (\d+)/.exec(w.metrics.render())?.[1];
    expect(Number(clients)).toBeLessThanOrEqual(3);
  });
});
