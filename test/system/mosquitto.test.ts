import { connect, type IPublishPacket, type MqttClient } from 'mqtt';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { iso, realClock } from '../../core/clock.ts';
import { createLog } from '../../core/log.ts';
import { PublishResources } from '../../model/index.ts';
import {
  createFoMqttClient,
  createFoMqttGateway,
  type FoClient,
  type FoInbound,
  type FoMqttClientOptions,
  type FoMqttGateway,
  type FoMqttGatewayOptions,
} from '../../protocols/fo/index.ts';
import { MOSQUITTO, Mosquitto } from './support/mosquitto.ts';

const clock = realClock();
const FO = 'fo:north';
const GW = 'cso:harbour';
const root = `v2gfo/1/${FO}/${GW}`;
const ID = '0197f2c0-5b1e-7c34-9a51-2f6f0a4be001';
const open: { close(): Promise<unknown> | unknown }[] = [];

async function until(what: () => boolean, ms = 5_000): Promise<void> {
  const end = Date.now() + ms;
  while (!what()) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function serve(url: string, o: Partial<FoMqttGatewayOptions> = {}) {
  const messages: FoInbound[] = [];
  const logs: string[] = [];
  const ups: string[] = [];
  const downs: string[] = [];
  const gw: FoMqttGateway = createFoMqttGateway({
    url,
    self: GW,
    parties: [FO],
    clock,
    log: createLog({ clock, level: 'debug', format: 'json', write: (line) => logs.push(line) }),
    handlers: {
      onMessage(m) {
        messages.push(m);
        if (m.replyTo) gw.answer(m.replyTo, { status: 'ok' });
      },
      onUp: (up) => ups.push(up.peer),
      onDown: (_, reason) => downs.push(reason),
    },
    ...o,
  });
  open.push(gw);
  return { gw, messages, logs, ups, downs };
}

function join(url: string, o: Partial<FoMqttClientOptions> = {}) {
  const messages: FoInbound[] = [];
  const client: FoClient = createFoMqttClient({
    url,
    partyId: FO,
    to: GW,
    clock,
    log: createLog({ clock, level: 'off', format: 'json', write: () => undefined }),
    handlers: {
      onMessage(m) {
        messages.push(m);
        if (m.replyTo) client.answer(m.replyTo, { status: 'ok' });
      },
    },
    ...o,
  });
  open.push(client);
  return { client, messages };
}

interface Heard {
  readonly topic: string;
  readonly body: Record<string, unknown>;
  readonly packet: IPublishPacket;
}

/** Somebody who reads everything and may write anything. */
async function spy(url: string): Promise<{ client: MqttClient; heard: Heard[]; of(part: string): Heard[] }> {
  const heard: Heard[] = [];
  const client = connect(url, { protocolVersion: 5, clientId: 'spy', reconnectPeriod: 0 });
  client.on('message', (topic, payload, packet) => {
    heard.push({ topic, body: payload.length === 0 ? {} : JSON.parse(payload.toString()), packet });
  });
  open.push({ close: () => client.endAsync(true) });
  await until(() => client.connected);
  await client.subscribeAsync({ 'v2gfo/#': { qos: 1, rap: true } });
  return { client, heard, of: (part) => heard.filter((h) => h.topic.startsWith(`${root}/${part}`)) };
}

const setpoint = (seq: number) => ({
  setpoint: { fsrId: 'N-1', seq, targetW: 1000, validUntil: iso(clock.now() + 20_000) },
});
const envelope = (type: string, body: unknown, messageId = ID): string =>
  JSON.stringify({ profile: 'v2gate-fo/1', messageId, type, from: FO, to: GW, sentAt: iso(clock.now()), body });
const bytes = (id: string): Buffer => Buffer.from(id.replaceAll('-', ''), 'hex');
const hello = { role: 'fo', profiles: ['v2gate-fo/1'], encodings: ['json'], heartbeatS: 30, lastEventSeq: 0 };

describe('mosquitto with MQTT 5', () => {
  let url: string;
  let broker: Mosquitto;
  beforeAll(async () => {
    if (MOSQUITTO === undefined) throw new Error('mosquitto is not installed: apt-get install mosquitto');
    broker = await Mosquitto.start();
    url = broker.url;
    return () => broker.close();
  });
  afterEach(async () => {
    for (const x of open.splice(0).reverse()) await x.close();
    const c = connect(url, { protocolVersion: 5, clientId: 'sweeper', reconnectPeriod: 0 });
    await until(() => c.connected);
    for (const topic of ['up/link', 'dn/link', 'dn/fast', 'dn/ctl', 'up/res/DEMO']) {
      await c.publishAsync(`${root}/${topic}`, '', { retain: true, qos: 1 });
    }
    await c.endAsync();
  });

  it('carries every kind of message, each on its topic with the properties of fo 9.1', async () => {
    const s = await spy(url);
    const { gw, messages } = serve(url);
    const { client, messages: up } = join(url);
    expect(await client.request('UpdateSetpoint', setpoint(1))).toEqual({ status: 'ok' });
    expect(client.stream('UpdateSetpoint', { ...setpoint(2), noReply: true })).toBe(true);
    expect(await client.request('CancelService', { fsrId: 'N-1', reason: 'x', at: iso(clock.now()) })).toEqual({
      status: 'ok',
    });
    const publication = structuredClone(PublishResources.example);
    await gw.session(FO).publish('PublishResources', publication);
    gw.session(FO).stream('Telemetry', {
      samples: [{ groupId: 'g', at: iso(clock.now()), powerW: 5, quality: 'good' }],
    });
    await until(() => up.length === 2 && messages.length === 3 && s.of('dn/rsp').length === 1);
    const [hello1] = s.of('dn/ctl');
    const [first, noReply] = s.of('dn/fast');
    const row = (h: Heard | undefined) => ({
      type: h?.packet.properties?.userProperties?.type,
      qos: h?.packet.qos,
      retain: h?.packet.retain,
      expiry: h?.packet.properties?.messageExpiryInterval,
      answered: h?.packet.properties?.responseTopic !== undefined,
    });
    const rows = ['dn/ctl', 'dn/fast', 'dn/rsp', 'up/ctl', 'up/tel', 'up/rsp'].map((t) => row(s.of(t).at(-1)));
    const near = (n: number) => expect.toSatisfy((x: number) => x <= n && x >= n - 2);
    expect(rows).toEqual([
      { type: 'CancelService', qos: 1, retain: false, expiry: near(120), answered: true },
      { type: 'UpdateSetpoint', qos: 1, retain: false, expiry: near(20), answered: false },
      { type: 'Result', qos: 1, retain: false, expiry: near(60), answered: false },
      { type: 'PublishResources', qos: 1, retain: false, expiry: undefined, answered: true },
      { type: 'Telemetry', qos: 0, retain: false, expiry: near(60), answered: false },
      { type: 'Result', qos: 1, retain: false, expiry: near(60), answered: false },
    ]);
    expect(hello1?.body.type).toBe('Hello');
    for (const h of s.heard) {
      if (h.topic.endsWith('/link')) continue;
      const p = h.packet.properties;
      expect([h.topic, p?.contentType, p?.payloadFormatIndicator]).toEqual([
        h.topic,
        'application/vnd.v2gate.fo+json;v=1',
        true,
      ]);
      if (h.topic.includes('/res/')) continue;
      expect(p?.userProperties?.type).toBe(h.body.type);
      const id = h.body.type === 'Result' ? h.body.correlationId : h.body.messageId;
      expect(p?.correlationData).toEqual(bytes(String(id)));
    }
    expect(first?.packet.properties?.responseTopic).toMatch(new RegExp(`^${root}/up/rsp/[a-z0-9]+$`));
    expect(first?.packet.properties?.responseTopic).toBe(s.of('up/rsp')[0]?.topic);
    expect(noReply?.body.body).toMatchObject({ noReply: true });
    const [res] = s.of('up/res');
    expect(res).toMatchObject({ body: publication.evcs[0], packet: { retain: true, qos: 1 } });
    for (const side of ['up', 'dn']) {
      expect(s.of(`${side}/link`)[0]).toMatchObject({ body: { state: 'up' }, packet: { retain: true, qos: 1 } });
    }
  });

  it('gives no answer outside of the answerer’s branch', async () => {
    const { messages, logs, ups } = serve(url);
    const s = await spy(url);
    const say = (topic: string, text: string, responseTopic: string, correlationData = bytes(ID)) =>
      s.client.publishAsync(`${root}/dn/${topic}`, text, { qos: 1, properties: { responseTopic, correlationData } });
    await say('ctl', envelope('Hello', hello), `${root}/up/rsp/t`);
    await until(() => ups.length === 1);
    const bad = [
      `${root}/dn/rsp/t`,
      `${root}/up/ctl`,
      'v2gfo/1/fo:other/cso:harbour/up/rsp/t',
      `${root}/up/rsp/a/b`,
      'x',
    ];
    for (const topic of bad) await say('fast', envelope('UpdateSetpoint', setpoint(1)), topic);
    await say(
      'fast',
      envelope('UpdateSetpoint', setpoint(2)),
      `${root}/up/rsp/good`,
      bytes(ID.replace('0197', '0198')),
    );
    await say('fast', envelope('UpdateSetpoint', setpoint(3)), `${root}/up/rsp/good`);
    await until(() => s.of('up/rsp/good').length >= 1);
    expect(messages.map((m) => m.body)).toEqual([
      expect.objectContaining({ setpoint: expect.objectContaining({ seq: 3 }) }),
    ]);
    expect(logs.filter((l) => l.includes('fo.responseTopic'))).toHaveLength(bad.length);
    expect(s.heard.filter((h) => h.body.type === 'Result' && !h.topic.startsWith(`${root}/up/rsp/`))).toEqual([]);
  });

  it('does not let a retained command act, neither one that lies there nor one that comes live', async () => {
    const s = await spy(url);
    await s.client.publishAsync(`${root}/dn/fast`, envelope('UpdateSetpoint', setpoint(1)), { qos: 1, retain: true });
    const { messages, logs, ups } = serve(url);
    await s.client.publishAsync(`${root}/dn/ctl`, envelope('Hello', hello), { qos: 1 });
    const ignored = (): number => logs.filter((l) => l.includes('fo.retainedCommand')).length;
    await until(() => ups.length === 1 && ignored() > 0);
    const before = ignored();
    await s.client.publishAsync(`${root}/dn/fast`, envelope('UpdateSetpoint', setpoint(2)), { qos: 1, retain: true });
    await until(() => ignored() > before);
    expect(messages).toEqual([]);
  });

  it('serves an operator that speaks MQTT 3.1.1 beside the gateway’s MQTT 5', async () => {
    const s = await spy(url);
    serve(url);
    const { client } = join(url, { version: 4 });
    expect(await client.request('UpdateSetpoint', setpoint(1))).toEqual({ status: 'ok' });
    expect(s.of('up/rsp').map((h) => h.topic)).toContain(`${root}/up/rsp/0`);
  });

  it('survives a broker that is killed, and loses no event', async () => {
    const { gw, ups } = serve(url);
    const { client, messages } = join(url);
    await until(() => ups.length === 1);
    await gw.session(FO).publish('ExecutionNotice', { fsrId: 'N-1', phase: 'active', at: iso(clock.now()) });
    await until(() => messages.length === 1);
    await broker.kill();
    await until(() => client.state === 'down' && gw.peers().length === 0);
    for (let i = 0; i < 30; i++) {
      await gw.session(FO).publish('ExecutionNotice', { fsrId: `N-${i}`, phase: 'active', at: iso(clock.now()) });
    }
    await broker.run();
    await until(() => messages.length === 31, 20_000);
    expect(messages.map((m) => m.eventSeq)).toEqual(Array.from({ length: 31 }, (_, i) => i + 1));
  });

  it('publishes the will 10 s after a connection broke, not when it came back before', async () => {
    const s = await spy(url);
    const { downs, ups } = serve(url);
    const socketOf = (id: string) => connect(url, { protocolVersion: 5, clientId: id, reconnectPeriod: 0 });
    const { client } = join(url);
    await until(() => ups.length === 1);
    // Somebody with the same client id throws the operator out; the operator comes back within the delay.
    const thief = socketOf(`${FO}/${GW}`);
    await until(() => thief.connected);
    await until(() => client.state === 'up' && ups.length >= 2, 10_000);
    await new Promise((r) => setTimeout(r, 11_000));
    expect(s.of('dn/link').filter((h) => h.body.state === 'lost')).toEqual([]);
    expect(downs.filter((d) => d === 'closed')).toEqual([]);
    await client.close();
    const doomed = connect(url, {
      protocolVersion: 5,
      clientId: `${FO}/${GW}`,
      clean: false,
      reconnectPeriod: 0,
      properties: { sessionExpiryInterval: 3600 },
      will: {
        topic: `${root}/dn/link`,
        payload: Buffer.from('{"state":"lost"}'),
        qos: 1,
        retain: true,
        properties: { willDelayInterval: 10 },
      },
    });
    await until(() => doomed.connected);
    doomed.stream.destroy();
    const at = Date.now();
    await until(() => s.of('dn/link').some((h) => h.body.state === 'lost'), 15_000);
    expect(Date.now() - at).toBeGreaterThan(8_000);
  });
});
