import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { bootStation, greetOperator, type Raw } from './peers.ts';
import { speakTcp, upgradeRequest } from './tcp.ts';
import { useWorld } from './world.ts';

const world = useWorld();

interface Side {
  readonly side: string;
  readonly url: () => string;
  /** A path that upgrades would be taken at. */
  readonly path: string;
  readonly protocol: string;
  /** A peer that has introduced itself. */
  readonly open: (o?: { autoPong?: boolean }) => Promise<Raw & { works(): Promise<void> }>;
  /** A small frame that gets an answer. */
  readonly small: (n: number) => string;
  /** Close code for a binary frame; undefined: its content is read like text. */
  readonly binary: number | undefined;
}

const SIDES: readonly Side[] = [
  {
    side: 'OCPP',
    url: () => world().ocpp,
    path: '/ocpp/DEMO-AC-2',
    protocol: 'ocpp1.6',
    async open(o) {
      const station = await bootStation(world().ocpp, 'DEMO-AC-2', 'ocpp1.6', o);
      return { ...station, works: async () => void (await station.call('Heartbeat', {})) };
    },
    small: (n) => JSON.stringify([2, `b${n}`.padEnd(200, '-'), 'Heartbeat', {}]),
    binary: undefined,
  },
  {
    side: 'FO',
    url: () => world().fo,
    path: '/fo',
    protocol: 'v2gate-fo.v1.json',
    async open(o) {
      const operator = await greetOperator(world().fo, 'fo:rival', world().clock.now, o);
      const works = async (): Promise<void> => void (await operator.request('Nothing', {}));
      return { ...operator, works };
    },
    small: (n) => `{"n":${n}}`,
    binary: 1003,
  },
];

const portOf = (url: string): number => Number(new URL(url).port);

describe.each(SIDES)('$side: a peer that breaks the rules of WebSocket', (side) => {
  it('by a binary frame loses its connection, or is understood where stations do so', async () => {
    const peer = await side.open();
    peer.ws.send(Buffer.from(side.small(1)), { binary: true });
    if (side.binary === undefined) await peer.works();
    else expect(await peer.closed()).toBe(side.binary);
    await world().unharmed();
  });

  it('by text that is not UTF-8 loses its connection', async () => {
    const peer = await side.open();
    peer.send(Buffer.from([0x22, 0xc3, 0x28, 0xff, 0x22]));
    expect(await peer.closed()).toBe(1007);
    await world().unharmed();
  });

  it.each([
    ['an unmasked frame', Buffer.from([0x81, 0x01, 0x30])],
    ['a reserved opcode', Buffer.from([0x83, 0x80, 0, 0, 0, 0])],
    ['a reserved bit', Buffer.from([0xf1, 0x80, 0, 0, 0, 0])],
    ['a continuation of nothing', Buffer.from([0x80, 0x80, 0, 0, 0, 0])],
    ['a ping that is too long', Buffer.from([0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0])],
    ['a length of 2^63', Buffer.from([0x81, 0xff, 0x7f, ...Array(7).fill(0xff), 0, 0, 0, 0])],
    ['no WebSocket at all', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('by %s loses its connection', async (_, bytes) => {
    const handshake = upgradeRequest(side.path, [`Sec-WebSocket-Protocol: ${side.protocol}`]);
    const heard = await speakTcp(portOf(side.url()), Buffer.concat([Buffer.from(handshake), bytes]));
    expect(heard).toMatch(/^HTTP\/1\.1 101 /);
    await world().unharmed();
  });

  it('not at all, by fragments of one byte, is understood', async () => {
    const peer = await side.open();
    const before = peer.got.length;
    const text = side.small(1);
    for (const [i, c] of [...text].entries()) peer.ws.send(c, { binary: false, fin: i === text.length - 1 });
    await peer.take('answer', (t) => peer.got.length > before && /b1|Result/.test(t));
    await peer.works();
    await world().unharmed();
  });
});

describe.each(SIDES)('$side: a request that is no proper handshake', (side) => {
  it.each([
    ['of another method', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n', /^HTTP\/1\.1 426 /],
    ['without upgrade', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 426 /],
    ['that is not HTTP', '\u0016\u0003\u0001\u0000\u00a5\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['to another path', upgradeRequest('/elsewhere/X'), /^HTTP\/1\.1 404 /],
    ['without key', upgradeRequest(side.path).replace(/Sec-WebSocket-Key.*\r\n/, ''), /^HTTP\/1\.1 400 /],
    ['of another version', upgradeRequest(side.path).replace('Version: 13', 'Version: 7'), /^HTTP\/1\.1 4(00|26) /],
    ['with endless headers', `GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
  ])('%s is refused and its socket ended', async (_, request, answer) => {
    expect(await speakTcp(portOf(side.url()), request)).toMatch(answer);
    await world().unharmed();
  });

  it('with no common subprotocol is opened and closed', async () => {
    const ws = new WebSocket(`${side.url().replace(/\/\w+$/, '')}${side.path}`, ['ocpp9.9']);
    ws.on('error', () => undefined);
    const gone = new Promise<void>((done) => ws.on('close', () => done()));
    await gone;
    await world().unharmed();
  });
});

describe.each(SIDES)('$side: a peer that is a burden', (side) => {
  it('by 10 000 small frames at once costs nobody else anything', async () => {
    const before = await world().settled();
    const peer = await side.open();
    for (let n = 0; n < 10_000; n++) peer.send(side.small(n));
    await world().unharmed();
    await peer.read();
    await world().unharmed();
    peer.drop();
    await world().nothingGrew(before);
  });

  it('by never reading is dropped', async () => {
    const before = await world().settled();
    const peer = await side.open();
    // A client that does not read never sees the end of its connection either.
    const socket: unknown = Reflect.get(peer.ws, '_socket');
    if (!(socket instanceof Socket)) throw new Error('The client has no socket.');
    socket.pause();
    const gone = async (): Promise<boolean> => Object.keys(await world().grownSince(before)).length === 0;
    for (let n = 0; n < 400 && !(await gone()); n++) {
      for (let i = 0; i < 1_000 && socket.writableLength < 1_000_000; i++) peer.send(side.small(i));
    }
    await world().unharmed();
    await world().nothingGrew(before);
  });

  it('by never answering pings is dropped after two of them', async () => {
    const before = await world().settled();
    const peer = await side.open({ autoPong: false });
    await world().pass(130);
    expect([1001, 1006]).toContain(await peer.closed());
    await world().nothingGrew(before);
    await world().unharmed();
  });
});
