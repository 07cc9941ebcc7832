import { afterEach, describe, expect, it, vi } from 'vitest';
import { openFoLink } from '../../bridges/fo/index.ts';
import { iso } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createFoBroker, createFoMqttClient, type FoClient, type FoInbound } from '../../protocols/fo/index.ts';
import { linkConfig, SECRETS, until, type World, world } from './world.ts';

let w: World;
const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const x of open.splice(0).reverse()) await x.close();
  await w.close();
});

function operator(o: { url?: string; partyId?: string; token?: string } = {}) {
  const messages: FoInbound[] = [];
  const client: FoClient = createFoMqttClient({
    url: o.url ?? w.link.url,
    partyId: o.partyId ?? 'fo:test',
    to: 'cso:test',
    clock: w.clock,
    log: silentLog,
    ...(o.token === undefined ? {} : { token: o.token }),
    handlers: {
      onMessage: (m) => {
        messages.push(m);
        if (m.replyTo !== undefined) client.answer(m.replyTo, { status: 'ok' });
      },
    },
  });
  open.push(client);
  return { client, messages };
}

const now = () => iso(w.clock.now());

describe('FO link over MQTT', () => {
  it('with its own broker carries requests to the wires, answers and notices back', async () => {
    w = await world({ link: { transport: 'mqtt' } });
    expect(w.link.url).toMatch(/^mqtt:\/\/127\.0\.0\.1:\d+$/);
    const up = vi.spyOn(w.site, 'partyUp');
    const down = vi.spyOn(w.site, 'partyDown');
    const { client, messages } = operator();
    const body = { setpoint: { fsrId: 'N-9', seq: 1, targetW: 0, validUntil: iso(w.clock.now() + 60_000) } };
    const answer = client.request('UpdateSetpoint', body);
    await until(() => w.received.length === 1);
    const [m] = w.received;
    expect(m).toMatchObject({ topic: 'hub/UpdateSetpoint', payload: body, v2gate: { peer: 'fo:test', link: 'fo:1' } });
    expect(w.site.reply(m?.v2gate.replyTo ?? '', { status: 'ok', data: { appliedW: 0 } })).toBe(true);
    expect(await answer).toEqual({ status: 'ok', data: { appliedW: 0 } });
    const payload = { fsrId: 'N-1', phase: 'active', at: now() };
    const meta = { id: 'n-1', at: now(), link: 'l', peer: 'fo:test' };
    await w.link.send({ topic: 'hub/ExecutionNotice', payload, v2gate: meta });
    await until(() => messages.some((x) => x.type === 'ExecutionNotice'));
    expect(w.link.status()).toEqual({ state: 'up', text: `fo:test · own broker ${w.link.url}`, peers: 1 });
    expect(up.mock.calls).toEqual([['fo:test', { clockOffsetMs: 0 }]]);
    await client.close();
    await until(() => down.mock.calls.length === 1);
    expect(down.mock.calls).toEqual([['fo:test', 'closed']]);
  });

  it('lets a party with a token in only with it', async () => {
    w = await world({ link: { transport: 'mqtt' } });
    const wrong = operator({ partyId: 'fo:secured', token: 'wrong' });
    const none = operator({ partyId: 'fo:secured' });
    const stranger = operator({ partyId: 'fo:stranger' });
    const right = operator({ partyId: 'fo:secured', token: SECRETS['fo-secret'] ?? '' });
    await until(() => right.client.state === 'up');
    expect([wrong, none, stranger].map((o) => o.client.state)).toEqual(['down', 'down', 'down']);
    expect(w.link.status().peers).toBe(1);
  });

  it('at a broker of somebody else logs in with its secret, and says so while that is not reached', async () => {
    const gateway = { side: 'up', gwId: 'cso:test' } as const;
    const broker = await createFoBroker({
      host: '127.0.0.1',
      port: 0,
      log: silentLog,
      authenticate: ({ user, password }) =>
        user === 'gate' ? (password === SECRETS['broker-secret'] ? gateway : undefined) : { side: 'dn', foId: user },
    });
    const at = { url: broker.url, user: 'gate', passwordRef: 'broker-secret' };
    w = await world({ link: { transport: 'mqtt', broker: at } });
    const { client } = operator({ url: broker.url });
    await until(() => client.state === 'up' && w.link.status().state === 'up');
    expect(w.link.url).toBe(broker.url);
    const heard: string[] = [];
    w.link.on('status', ({ state, text }) => heard.push(`${state}: ${text}`));
    await broker.close();
    await until(() => heard.length > 0 && w.link.status().state === 'degraded');
    expect(heard.at(-1)).toBe(`degraded: broker ${broker.url} is not reached`);
  });

  it('serves parties that a new site file brings, and those it takes away no more', async () => {
    w = await world({ link: { transport: 'mqtt' } });
    const test = operator();
    await until(() => test.client.state === 'up');
    const file = w.site.file();
    const parties = [
      ...(file.parties ?? []).filter((p) => p.partyId !== 'fo:test'),
      { partyId: 'fo:new', role: 'fo' as const },
    ];
    await w.site.reload({ ...file, parties, contracts: [] });
    const fresh = operator({ partyId: 'fo:new' });
    await until(() => fresh.client.state === 'up' && test.client.state === 'down');
    expect(w.link.status().text).toContain('fo:new');
  });

  it('moves to the next port when its own is taken and it may', async () => {
    w = await world({ link: { transport: 'mqtt' } });
    const port = Number(new URL(w.link.url).port);
    await expect(openFoLink(linkConfig({ transport: 'mqtt', port }), w.runtime)).rejects.toMatchObject({
      code: 'port.taken',
    });
    const moved = await openFoLink(
      linkConfig({ transport: 'mqtt', port, portSearch: true, linkId: 'fo:2' }),
      w.runtime,
    );
    open.push(moved);
    expect(Number(new URL(moved.url).port)).toBeGreaterThan(port);
  });
});
