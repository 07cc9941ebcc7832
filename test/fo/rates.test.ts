import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { TokenBucket } from '../../protocols/fo/session/rates.ts';
import { cancel, envelope, type Pair, pair, setpoint } from './pair.ts';

const id = (i: number): string => `0197f2c0-5b1e-7c34-9a51-${i.toString(16).padStart(12, '0')}`;
const codes = (p: Pair): unknown[] =>
  p
    .of('Result')
    .slice(1)
    .map((f) => f.body.code ?? f.body.status);

describe('a token bucket', () => {
  it('gives its burst at once, then its rate, and says how long to wait', async () => {
    const clock = manualClock();
    const bucket = new TokenBucket(clock, { perS: 0.5, burst: 3 });
    expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([0, 0, 0, 2]);
    await clock.advance(2_000);
    expect([bucket.take(), bucket.take()]).toEqual([0, 2]);
    await clock.advance(3_600_000);
    expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([0, 0, 0, 2]);
  });

  it('neither gains nor loses by a clock that is set back', () => {
    const clock = manualClock();
    const bucket = new TokenBucket(clock, { perS: 1, burst: 2 });
    bucket.take();
    clock.set(clock.now() - 86_400_000);
    expect([bucket.take(), bucket.take()]).toEqual([0, 1]);
  });
});

describe('an operator that asks too often', () => {
  const rates = { requests: { perS: 0.5, burst: 1 }, setpoints: { perS: 10, burst: 3 } };

  it('is told when to ask again, and then served', async () => {
    const p = pair({ gw: { rates } });
    await p.connect();
    const ask = (i: number) =>
      p.inject('gw', envelope(p.clock, { messageId: id(i), type: 'CancelService', body: cancel(p.clock, `N-${i}`) }));
    await ask(1);
    await ask(2);
    expect(codes(p)).toEqual(['ok', 'rate.tooOften']);
    expect(p.of('Result').at(-1)?.body).toMatchObject({ status: 'error', retryAfterS: 2 });
    await p.clock.advance(2_000);
    await ask(2);
    expect(codes(p)).toEqual(['ok', 'rate.tooOften', 'ok']);
    expect(p.gw.seen.messages).toHaveLength(2);
  });

  it('has another measure for setpoints', async () => {
    const p = pair({ gw: { rates } });
    await p.connect();
    for (let i = 1; i <= 4; i++)
      await p.inject('gw', envelope(p.clock, { messageId: id(i), body: setpoint(p.clock, i) }));
    expect(codes(p)).toEqual(['ok', 'ok', 'ok', 'rate.tooOften']);
    await p.inject('gw', envelope(p.clock, { messageId: id(5), type: 'CancelService', body: cancel(p.clock) }));
    expect(codes(p).at(-1)).toBe('ok');
    const body = { ...setpoint(p.clock, 6), noReply: true };
    const before = p.frames.length;
    await p.inject('gw', envelope(p.clock, { messageId: id(6), body }));
    expect(p.frames).toHaveLength(before);
    expect(p.gw.seen.messages).toHaveLength(4);
  });

  it('waits by itself when it is our own', async () => {
    const p = pair({ gw: { rates } });
    await p.connect();
    const answers = [1, 2, 3].map((i) => p.fo.session.request('CancelService', cancel(p.clock, `N-${i}`)));
    await p.clock.advance(20_000);
    expect(await Promise.all(answers)).toEqual([{ status: 'ok' }, { status: 'ok' }, { status: 'ok' }]);
  });

  it('does not limit the gateway', async () => {
    const p = pair({ fo: { rates: { requests: { perS: 1, burst: 1 } } } });
    await p.connect();
    for (let i = 0; i < 40; i++) {
      void p.gw.session.publish('ExecutionNotice', { fsrId: 'N-1', phase: 'active', at: '2026-01-01T00:00:00Z' });
    }
    await p.clock.advance(0);
    expect(p.fo.seen.messages).toHaveLength(40);
  });
});
