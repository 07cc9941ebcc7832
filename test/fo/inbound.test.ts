import { describe, expect, it } from 'vitest';
import type { FoResultStore, FoStoredResult } from '../../protocols/fo/index.ts';
import { cancel, envelope, type Frame, type Pair, pair, service, setpoint } from './pair.ts';

const ID = '0197f2c0-5b1e-7c34-9a51-2f6f0a4be001';
const id = (i: number): string => `0197f2c0-5b1e-7c34-9a51-${i.toString(16).padStart(12, '0')}`;
const last = (p: Pair): Frame | undefined => p.of('Result').at(-1);
const iso = (p: Pair, s: number): string => new Date(p.clock.now() + s * 1000).toISOString();

async function up(o?: Parameters<typeof pair>[0]): Promise<Pair> {
  const p = pair(o);
  await p.connect();
  return p;
}

describe('what the gateway refuses', () => {
  it.each([
    ['from another party', () => ({ from: 'fo:other' }), 'auth.forbidden'],
    ['to another party', () => ({ to: 'cso:other' }), 'auth.forbidden'],
    ['of an unknown type', () => ({ type: 'QueryPlanets' }), 'type.unknown'],
    ['named like an object property', () => ({ type: 'constructor' }), 'type.unknown'],
    [
      'that only a gateway sends',
      (p: Pair) => ({ type: 'ExecutionNotice', body: { fsrId: 'N', phase: 'active', at: iso(p, 0) } }),
      'auth.forbidden',
    ],
    ['with an invalid body', () => ({ body: { setpoint: 1 } }), 'schema.invalid'],
    ['with contradicting fields', (p: Pair) => ({ type: 'RequestService', body: upsideDown(p) }), 'schema.semantic'],
    ['whose clock is 121 s ahead', (p: Pair) => ({ sentAt: iso(p, 121) }), 'time.skew'],
    ['whose clock is 121 s behind', (p: Pair) => ({ sentAt: iso(p, -121) }), 'time.skew'],
    ['past expiresAt', (p: Pair) => ({ expiresAt: iso(p, 0) }), 'time.expired'],
    [
      'past validUntil',
      (p: Pair) => ({ body: { setpoint: { fsrId: 'N', seq: 1, targetW: 1, validUntil: iso(p, 0) } } }),
      'time.expired',
    ],
    [
      'past decisionBy',
      (p: Pair) => ({ type: 'RequestService', body: serviceWith(p, { decisionBy: iso(p, -1) }) }),
      'time.expired',
    ],
    [
      'for a window in the past',
      (p: Pair) => ({
        type: 'RequestService',
        body: serviceWith(p, { window: { start: iso(p, -20), end: iso(p, 0) } }),
      }),
      'time.past',
    ],
    [
      'for telemetry until the past',
      (p: Pair) => ({
        type: 'SubscribeTelemetry',
        body: { subject: { groupId: 'g' }, fields: ['powerW'], intervalS: 1, until: iso(p, -1) },
      }),
      'time.past',
    ],
  ])('a message %s', async (_, over: (p: Pair) => Record<string, unknown>, code) => {
    const p = await up();
    await p.inject('gw', envelope(p.clock, over(p)));
    expect(last(p)).toMatchObject({ from: 'gw', correlationId: ID, body: { code } });
    expect(['error', 'rejected']).toContain(last(p)?.body.status);
    expect(p.gw.seen.messages).toEqual([]);
    expect(p.gw.session.state).toBe('up');
  });

  it('names the wrong fields in details', async () => {
    const p = await up();
    await p.inject('gw', envelope(p.clock, { body: { setpoint: { fsrId: 'N', seq: -1, targetW: 'x' } } }));
    const details = last(p)?.body.details as { path: string }[];
    expect(details.map((d) => d.path).sort()).toEqual(['/setpoint/seq', '/setpoint/targetW', '/setpoint/validUntil']);
  });

  it('a frame that is not JSON is answered without correlationId', async () => {
    const p = await up();
    await p.inject('gw', '{"profile":');
    expect(last(p)?.correlationId).toBeUndefined();
    expect(last(p)?.body).toMatchObject({ status: 'error', code: 'schema.invalid' });
  });

  it('a duplicate key, too much depth, too many bytes', async () => {
    const p = await up();
    await p.inject('gw', envelope(p.clock, {}).replace('"seq":1', '"seq":1,"seq":2'));
    expect(last(p)?.body).toMatchObject({ code: 'schema.invalid' });
    await p.inject('gw', envelope(p.clock, { body: JSON.parse('['.repeat(40) + ']'.repeat(40)) }));
    expect(last(p)?.body).toMatchObject({ code: 'schema.invalid' });
    await p.inject('gw', envelope(p.clock, { body: { x: 'y'.repeat(256 * 1024) } }));
    expect(last(p)?.body).toMatchObject({ code: 'schema.tooLarge' });
    expect(p.gw.seen.messages).toEqual([]);
  });

  it('another profile, with close 4000', async () => {
    const p = await up();
    await p.inject('gw', envelope(p.clock, { profile: 'v2gate-fo/2' }));
    expect(last(p)?.body).toMatchObject({ code: 'profile.unsupported' });
    expect(p.closes).toEqual([{ by: 'gw', code: 4000 }]);
  });

  it('a broken Result is not answered, so that two sides never answer each other for ever', async () => {
    const p = await up();
    const before = p.frames.length;
    await p.inject('gw', envelope(p.clock, { type: 'Result', body: { status: 'maybe' } }));
    await p.inject('gw', envelope(p.clock, { type: 'Result', messageId: 'x' }));
    expect(p.frames).toHaveLength(before);
  });

  it('600 times in a minute costs the connection with 4008', async () => {
    const p = await up();
    for (let i = 0; i < 599; i++) await p.inject('gw', 'x');
    expect(p.closes).toEqual([]);
    await p.inject('gw', 'x');
    expect(p.closes).toEqual([{ by: 'gw', code: 4008 }]);
    expect(p.gw.seen.downs).toEqual(['abuse']);
  });

  it('a 17th request in flight, with retryAfterS, but not its repetition once there is room', async () => {
    const p = await up({ gw: { onMessage: () => undefined } });
    for (let i = 0; i < 17; i++) {
      await p.inject(
        'gw',
        envelope(p.clock, { messageId: id(i), type: 'CancelService', body: cancel(p.clock, `N-${i}`) }),
      );
    }
    expect(p.gw.seen.messages).toHaveLength(16);
    expect(last(p)).toMatchObject({
      correlationId: id(16),
      body: { status: 'error', code: 'rate.tooOften', retryAfterS: 1 },
    });
    p.gw.session.answer(p.gw.seen.messages[0]?.replyTo ?? '', { status: 'ok' });
    await p.inject(
      'gw',
      envelope(p.clock, { messageId: id(16), type: 'CancelService', body: cancel(p.clock, 'N-16') }),
    );
    expect(p.gw.seen.messages).toHaveLength(17);
  });
});

describe('order per service', () => {
  it('drops a setpoint that is not newer', async () => {
    const p = await up();
    for (const [i, seq] of [5, 4, 5, 6].entries()) {
      await p.inject('gw', envelope(p.clock, { messageId: id(i), body: setpoint(p.clock, seq) }));
    }
    await p.inject('gw', envelope(p.clock, { messageId: id(9), body: setpoint(p.clock, 1, 0, 'N-2') }));
    expect(
      p
        .of('Result')
        .slice(1)
        .map((f) => f.body.code ?? f.body.status),
    ).toEqual(['ok', 'seq.stale', 'seq.stale', 'ok', 'ok']);
  });

  it('does not take an expired setpoint as the newest', async () => {
    const p = await up();
    const old = { setpoint: { fsrId: 'N-1', seq: 9, targetW: 1, validUntil: iso(p, -1) } };
    await p.inject('gw', envelope(p.clock, { messageId: id(1), body: old }));
    await p.inject('gw', envelope(p.clock, { messageId: id(2), body: setpoint(p.clock, 8) }));
    expect(p.gw.seen.messages).toHaveLength(1);
  });

  it('processes the repetition of a setpoint that was refused for the moment', async () => {
    let n = 0;
    const p = await up({
      gw: {
        onMessage: (m, s) =>
          void s.answer(
            m.replyTo ?? '',
            n++ === 0 ? { status: 'error', code: 'internal.temporary' } : { status: 'ok' },
          ),
      },
    });
    const body = setpoint(p.clock, 3);
    await p.inject('gw', envelope(p.clock, { body }));
    await p.inject('gw', envelope(p.clock, { body }));
    expect(last(p)?.body).toEqual({ status: 'ok' });
  });

  it('drops a lower revision of a request', async () => {
    const p = await up();
    for (const [i, revision] of [2, 1, 2, 3].entries()) {
      await p.inject(
        'gw',
        envelope(p.clock, { messageId: id(i), type: 'RequestService', body: service(p.clock, 'N-1', revision) }),
      );
    }
    expect(
      p
        .of('Result')
        .slice(1)
        .map((f) => f.body.code ?? 'ok'),
    ).toEqual(['ok', 'seq.stale', 'ok', 'ok']);
  });
});

describe('unknown optional fields', () => {
  it('are ignored and kept, in the envelope and, nested, in the body', async () => {
    const p = await up();
    const body = { ...setpoint(p.clock, 1), extra: 1 };
    await p.inject(
      'gw',
      envelope(p.clock, { future: { a: 1 }, body: { ...body, setpoint: { ...body.setpoint, more: [] } } }),
    );
    expect(last(p)?.body).toEqual({ status: 'ok' });
    expect(p.gw.seen.messages[0]?.body).toEqual({ extra: 1, setpoint: { ...body.setpoint, more: [] } });
  });

  it('of a request are kept where the form depends on the service type', async () => {
    const p = await up();
    const body = service(p.clock);
    const parameters = { ...body.fsr.parameters, novelty: true };
    await p.inject('gw', envelope(p.clock, { type: 'RequestService', body: { fsr: { ...body.fsr, parameters } } }));
    expect(last(p)?.body).toEqual({ status: 'ok' });
    expect(p.gw.seen.messages[0]?.body).toEqual({ fsr: { ...body.fsr, parameters } });
  });
});

/** A durable store in memory. */
function store(): FoResultStore & { readonly map: Map<string, FoStoredResult>; fail: boolean } {
  const map = new Map<string, FoStoredResult>();
  const self = {
    map,
    fail: false,
    get: (key: string) => (self.fail ? Promise.reject(new Error('disk')) : Promise.resolve(map.get(key))),
    put: async (key: string, entry: FoStoredResult) =>
      void (self.fail ? await Promise.reject(new Error('disk')) : map.set(key, entry)),
  };
  return self;
}

describe('idempotency', () => {
  const again = (p: Pair, over: Record<string, unknown> = {}) =>
    p.inject(
      'gw',
      envelope(p.clock, {
        type: 'CancelService',
        body: { fsrId: 'N-1', reason: 'test', at: '2026-01-01T00:00:00Z' },
        ...over,
      }),
    );

  it('replays the stored Result without a second side effect', async () => {
    const p = await up({
      gw: { onMessage: (m, s) => void s.answer(m.replyTo ?? '', { status: 'ok', state: 'aborted' }) },
    });
    await again(p);
    await p.clock.advance(60_000);
    await again(p);
    expect(p.gw.seen.messages).toHaveLength(1);
    const results = p.of('Result').filter((f) => f.correlationId === ID);
    expect(results.map((f) => f.body)).toEqual([
      { status: 'ok', state: 'aborted' },
      { status: 'ok', state: 'aborted' },
    ]);
  });

  it('replays the refusal of a message too, whatever the time has become', async () => {
    const p = await up();
    const body = setpoint(p.clock, 5);
    await p.inject('gw', envelope(p.clock, { body }));
    await p.inject('gw', envelope(p.clock, { messageId: id(1), body: setpoint(p.clock, 4) }));
    await p.clock.advance(61_000);
    await p.inject('gw', envelope(p.clock, { body }));
    expect(last(p)?.body).toEqual({ status: 'ok' });
  });

  it('refuses the same id with other content as id.conflict', async () => {
    const p = await up();
    await again(p);
    await again(p, { body: { fsrId: 'N-2', reason: 'test', at: '2026-01-01T00:00:00Z' } });
    expect(last(p)?.body).toMatchObject({ status: 'error', code: 'id.conflict' });
    expect(p.gw.seen.messages).toHaveLength(1);
  });

  it('takes other spelling of the same content as the same', async () => {
    const p = await up();
    await again(p);
    await again(p, { body: { at: '2026-01-01T00:00:00Z', reason: 'test', fsrId: 'N-1' } });
    expect(last(p)?.body).toEqual({ status: 'ok' });
    expect(p.gw.seen.messages).toHaveLength(1);
  });

  it('gives one Result for repetitions that come while the first is being processed', async () => {
    const p = await up({ gw: { onMessage: () => undefined } });
    await again(p);
    await again(p);
    await again(p, { body: { fsrId: 'N-2', reason: 'test', at: '2026-01-01T00:00:00Z' } });
    expect(last(p)?.body).toMatchObject({ code: 'id.conflict' });
    p.gw.session.answer(p.gw.seen.messages[0]?.replyTo ?? '', { status: 'ok' });
    await p.clock.advance(0);
    expect(p.gw.seen.messages).toHaveLength(1);
    expect(p.of('Result').filter((f) => f.body.status === 'ok' && f.correlationId === ID)).toHaveLength(1);
  });

  it('outlives the process through the store, for 24 h', async () => {
    const results = store();
    const first = await up({
      gw: { persistence: { results }, onMessage: (m, s) => void s.answer(m.replyTo ?? '', { status: 'pending' }) },
    });
    await again(first);
    expect([...results.map.keys()]).toEqual([`fo:north/${ID}`]);
    const second = await up({ gw: { persistence: { results } }, clock: first.clock });
    await again(second);
    expect(last(second)?.body).toEqual({ status: 'pending' });
    expect(second.gw.seen.messages).toHaveLength(0);
    await second.clock.advance(24 * 3600 * 1000);
    const third = await up({ gw: { persistence: { results } }, clock: first.clock });
    await again(third);
    expect(third.gw.seen.messages).toHaveLength(1);
  });

  it('stores the Result before it leaves', async () => {
    const results = store();
    let release = (): void => undefined;
    const put = results.put.bind(results);
    results.put = (k, e) => new Promise((resolve) => (release = () => void put(k, e).then(resolve)));
    const p = await up({ gw: { persistence: { results } } });
    await again(p);
    expect(p.of('Result')).toHaveLength(1);
    release();
    await p.clock.advance(0);
    expect(p.of('Result')).toHaveLength(2);
  });

  it('says "try again" when the store cannot be read', async () => {
    const results = store();
    const p = await up({ gw: { persistence: { results } } });
    results.fail = true;
    await again(p);
    expect(last(p)?.body).toMatchObject({ status: 'error', code: 'internal.temporary' });
    results.fail = false;
    await again(p);
    expect(last(p)?.body).toEqual({ status: 'ok' });
  });

  it('keeps setpoints out of the store', async () => {
    const results = store();
    const p = await up({ gw: { persistence: { results } } });
    await p.inject('gw', envelope(p.clock, {}));
    expect(last(p)?.body).toEqual({ status: 'ok' });
    expect(results.map.size).toBe(0);
  });

  it('replaces a Result that the application built wrongly', async () => {
    const p = await up({
      gw: { onMessage: (m, s) => void s.answer(m.replyTo ?? '', JSON.parse('{"status":"fine"}')) },
    });
    await again(p);
    expect(last(p)?.body).toMatchObject({ status: 'error', code: 'internal.permanent' });
  });
});

function serviceWith(p: Pair, over: Record<string, unknown>) {
  return { fsr: { ...service(p.clock).fsr, ...over } };
}

const upsideDown = (p: Pair) => serviceWith(p, { window: { start: iso(p, 60), end: iso(p, 30) } });
