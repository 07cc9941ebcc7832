import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FoLinkConfig, openFoLink } from '../../bridges/fo/index.ts';
import { iso, type ManualClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import type { ExecutionNotice, WireMessage } from '../../model/index.ts';
import { createFoClient, type FoClient, type FoInbound } from '../../protocols/fo/index.ts';
import { linkConfig, until, type World, world } from './world.ts';

let clock: ManualClock;
let w: World;
const clients: FoClient[] = [];
const config = (port: number): FoLinkConfig => linkConfig({ port });

function operator(o: { url?: string; partyId?: string; token?: string; lastEventSeq?: number } = {}) {
  const messages: FoInbound[] = [];
  const downs: string[] = [];
  let up: () => void = () => {};
  const connected = new Promise<void>((resolve) => {
    up = resolve;
  });
  const client = createFoClient({
    url: o.url ?? w.link.url,
    partyId: o.partyId ?? 'fo:test',
    to: 'cso:test',
    clock,
    log: silentLog,
    ...(o.token === undefined ? {} : { token: o.token }),
    ...(o.lastEventSeq === undefined ? {} : { lastEventSeq: o.lastEventSeq }),
    handlers: {
      onMessage: (m) => {
        messages.push(m);
        if (m.replyTo !== undefined) client.answer(m.replyTo, { status: 'ok' });
      },
      onUp: () => up(),
      onDown: (_peer, reason) => downs.push(reason),
    },
  });
  clients.push(client);
  return { client, messages, downs, connected };
}

function notice(phase: ExecutionNotice['phase'], id = `n-${phase}`): WireMessage {
  const at = iso(clock.now());
  return {
    topic: 'hub/ExecutionNotice',
    payload: { fsrId: 'N-1', phase, at } satisfies ExecutionNotice,
    v2gate: { id, at, link: 'site:test', peer: 'fo:test' },
  };
}

beforeEach(async () => {
  w = await world();
  clock = w.clock;
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((c) => c.close()));
  await w.close();
});

describe('FO link', () => {
  it('hands requests to the wires and carries the answer of the site back', async () => {
    const { client, connected } = operator();
    await connected;
    const body = { setpoint: { fsrId: 'N-9', seq: 1, targetW: 0, validUntil: iso(clock.now() + 60_000) } };
    const answer = client.request('UpdateSetpoint', body);
    await until(() => w.received.length === 1);
    const [m] = w.received;
    expect(m).toMatchObject({ topic: 'hub/UpdateSetpoint', payload: body, v2gate: { peer: 'fo:test', link: 'fo:1' } });
    const { result } = await w.site.decide(m as WireMessage);
    expect(w.site.reply(m?.v2gate.replyTo ?? '', result)).toBe(true);
    expect(await answer).toMatchObject({ status: 'rejected', code: 'id.unknown' });
    expect(w.site.reply(m?.v2gate.replyTo ?? '', result)).toBe(false);
  });

  it('answers "try again" itself when no flow decides in time, so that the operator asks again', async () => {
    const { client, connected } = operator();
    await connected;
    const answer = client.request('CancelService', { fsrId: 'N-1', reason: 'x', at: iso(clock.now()) });
    await until(() => w.received.length === 1);
    for (let i = 0; i < 40 && w.received.length < 2; i++) {
      await clock.advance(250);
      await new Promise((r) => setTimeout(r, 5));
    }
    const [first, again] = w.received;
    expect(again?.v2gate.id).toBe(first?.v2gate.id);
    expect(w.site.reply(again?.v2gate.replyTo ?? '', { status: 'ok' })).toBe(true);
    expect(await answer).toMatchObject({ status: 'ok' });
  });

  it('delivers notices once and in order, also those made while nobody was connected', async () => {
    await w.link.send(notice('active'));
    await w.link.send(notice('deviation'));
    const first = operator();
    await until(() => first.messages.length === 2);
    await w.link.send(notice('completed'));
    await until(() => first.messages.length === 3);
    expect(first.messages.map((m) => (m.body as ExecutionNotice).phase)).toEqual(['active', 'deviation', 'completed']);
    expect(first.messages.map((m) => m.eventSeq)).toEqual([1, 2, 3]);
  });

  it('keeps what is not acknowledged over a restart of the link, without gap and without repetition', async () => {
    await w.link.send(notice('active'));
    const first = operator();
    await until(() => first.messages.length === 1);
    await first.client.close();
    await w.link.send(notice('deviation'));
    await w.link.close();
    w.link = await openFoLink(config(0), w.runtime);
    await w.link.send(notice('completed'));
    const second = operator({ lastEventSeq: 1 });
    await until(() => second.messages.length === 2);
    expect(second.messages.map((m) => m.eventSeq)).toEqual([2, 3]);
  });

  it('lets a party with a token in only with it, and nobody else in its name', async () => {
    const right = operator({ partyId: 'fo:secured', token: 'correct-horse-battery' });
    await right.connected;
    const wrong = operator({ partyId: 'fo:secured', token: 'wrong' });
    const none = operator({ partyId: 'fo:secured' });
    const open = operator();
    await open.connected;
    await until(() => w.link.status().peers === 2);
    expect([wrong, none].map((o) => o.client.state === 'up')).toEqual([false, false]);
    expect(w.link.status().text).toContain('fo:secured');
  });

  it('refuses to send what is not for operators, naming the message', async () => {
    const at = iso(clock.now());
    const meta = { id: 'x', at, link: 'l', peer: 'fo:test' };
    await expect(w.link.send({ topic: 'hub/CommandBatch', payload: {}, v2gate: meta })).rejects.toMatchObject({
      code: 'type.unknown',
    });
    const { peer: _, ...nobody } = meta;
    await expect(w.link.send({ ...notice('active'), v2gate: nobody })).rejects.toMatchObject({ code: 'id.unknown' });
    await expect(w.link.send({ ...notice('active'), payload: { fsrId: 1 } })).rejects.toMatchObject({
      code: 'schema.invalid',
    });
  });

  it('says that its port is taken, or moves on where it may', async () => {
    const { port } = new URL(w.link.url);
    await expect(openFoLink(config(Number(port)), w.runtime)).rejects.toMatchObject({ code: 'port.taken' });
    const moved = await openFoLink({ ...config(Number(port)), linkId: 'fo:2', portSearch: true }, w.runtime);
    expect(Number(new URL(moved.url).port)).toBeGreaterThan(Number(port));
    await moved.close();
  });
});
