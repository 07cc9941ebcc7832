import { describe, expect, it } from 'vitest';
import { envelope, FO, GW, pair } from './pair.ts';

const hello = (over: Record<string, unknown> = {}) => ({
  type: 'Hello',
  body: { role: 'fo', profiles: ['v2gate-fo/1'], encodings: ['json'], heartbeatS: 30, lastEventSeq: 0, ...over },
});

describe('Hello', () => {
  it('brings both sides up and agrees on the smaller heartbeat', async () => {
    const p = pair({ fo: { heartbeatS: 12, software: 'sim 1' }, gw: { heartbeatS: 20 } });
    await p.connect();
    expect(p.fo.session.state).toBe('up');
    expect(p.gw.session.state).toBe('up');
    expect(p.gw.seen.ups).toEqual([
      { peer: FO, role: 'fcsbe', heartbeatS: 12, missedEvents: 0, clockOffsetMs: 0, software: 'sim 1' },
    ]);
    expect(p.fo.seen.ups[0]).toMatchObject({ peer: GW, heartbeatS: 12 });
    expect(p.of('Result')[0]?.body).toMatchObject({
      status: 'ok',
      data: { profile: 'v2gate-fo/1', encoding: 'json', heartbeatS: 12, lastEventSeq: 0 },
    });
  });

  it('may come from the gateway when that side opened the link', async () => {
    const p = pair();
    await p.connect('gw');
    expect(p.of('Hello').map((f) => f.from)).toEqual(['gw']);
    expect([p.fo.session.state, p.gw.session.state]).toEqual(['up', 'up']);
  });

  it('is the first message: anything before it is state.invalid and costs the connection', async () => {
    const p = pair({ fo: {} });
    await p.connect();
    await p.cut();
    p.lose = (f) => f.type === 'Hello';
    await p.connect();
    await p.inject('gw', envelope(p.clock, {}));
    expect(p.of('Result').at(-1)?.body).toMatchObject({ status: 'error', code: 'state.invalid' });
    expect(p.closes.at(-1)).toEqual({ by: 'gw', code: 4000 });
    expect(p.gw.seen.messages).toHaveLength(0);
  });

  it.each([
    ['an unknown profile', hello({ profiles: ['v2gate-fo/2'] }), 'profile.unsupported', 4000],
    ['an unknown encoding', hello({ encodings: ['xml'] }), 'profile.unsupported', 4000],
    ['the same role', hello({ role: 'fcsbe' }), 'auth.forbidden', 4001],
    ['a wrong sender', { ...hello(), from: 'fo:other' }, 'auth.forbidden', 4001],
    ['a wrong receiver', { ...hello(), to: 'cso:other' }, 'auth.forbidden', 4001],
    ['a clock 121 s off', { ...hello(), sentAt: '2025-12-31T23:57:59.000Z' }, 'time.skew', 4000],
    ['a malformed body', hello({ lastEventSeq: -1 }), 'schema.invalid', 4000],
  ])('refuses %s', async (_, over, code, close) => {
    const p = pair();
    p.lose = (f) => f.type === 'Hello';
    await p.connect();
    await p.inject('gw', envelope(p.clock, over));
    expect(p.of('Result').at(-1)?.body).toMatchObject({ status: 'error', code });
    expect(p.closes).toEqual([{ by: 'gw', code: close }]);
    expect(p.gw.session.state).toBe('down');
  });

  it('accepts a clock that is 119 s off and tells the offset', async () => {
    const p = pair();
    p.lose = (f) => f.type === 'Hello';
    await p.connect();
    await p.inject('gw', envelope(p.clock, { ...hello(), sentAt: new Date(p.clock.now() - 119_000).toISOString() }));
    expect(p.gw.seen.ups[0]?.clockOffsetMs).toBe(-119_000);
  });

  it('must come within 10 s', async () => {
    const p = pair();
    p.lose = () => true;
    await p.connect();
    await p.clock.advance(9_999);
    expect(p.closes).toEqual([]);
    await p.clock.advance(1);
    expect(p.closes[0]?.code).toBe(4000);
    expect(p.gw.seen.downs).toEqual([]);
  });

  it('may be said again while the link is up, without a second onUp', async () => {
    const p = pair();
    await p.connect();
    await p.inject('gw', envelope(p.clock, hello({ heartbeatS: 5 })));
    expect(p.of('Result').at(-1)?.body).toMatchObject({ status: 'ok', data: { heartbeatS: 5 } });
    expect(p.gw.seen.ups).toHaveLength(1);
  });
});

describe('heartbeats', () => {
  it('go out at the agreed interval and keep an idle link up', async () => {
    const p = pair({ fo: { heartbeatS: 10 } });
    await p.connect();
    await p.clock.advance(300_000);
    expect(p.of('Heartbeat').filter((f) => f.from === 'fo')).toHaveLength(30);
    expect(p.of('Heartbeat').at(-1)?.body).toMatchObject({ seq: 30, ackEventSeq: 0 });
    expect(p.closes).toEqual([]);
    expect(p.of('Result')).toHaveLength(1);
  });

  it('that stay away for three intervals lose the link', async () => {
    const p = pair({ fo: { heartbeatS: 10 } });
    await p.connect();
    await p.clock.advance(20_000);
    p.lose = (f) => f.from === 'fo';
    await p.clock.advance(29_999);
    expect(p.gw.session.state).toBe('up');
    await p.clock.advance(1);
    expect(p.gw.session.state).toBe('down');
    expect(p.gw.seen.downs).toEqual(['heartbeatLost']);
  });

  it('are not missed while other messages arrive', async () => {
    const p = pair({ fo: { heartbeatS: 10 } });
    await p.connect();
    p.lose = (f) => f.type === 'Heartbeat';
    for (let i = 1; i <= 10; i++) {
      await p.clock.advance(9_000);
      await p.inject('gw', envelope(p.clock, { body: { bad: i } }));
    }
    expect(p.gw.session.state).toBe('up');
  });

  it('leave no timer behind when the session is closed', async () => {
    const p = pair();
    await p.connect();
    p.fo.session.close();
    p.gw.session.close();
    expect(p.clock.pending).toBe(0);
  });
});
