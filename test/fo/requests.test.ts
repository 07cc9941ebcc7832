import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/errors.ts';
import type { ResultBody } from '../../model/index.ts';
import { cancel, envelope, pair, service, setpoint } from './pair.ts';

const codes = async (p: Promise<unknown>): Promise<string | undefined> => p.then(() => undefined, codeOf);
/** Seconds between the frames of one type. */
const gaps = (frames: readonly { readonly at: number }[]) =>
  frames.slice(1).map((f, i) => (f.at - (frames[i]?.at ?? 0)) / 1000);

describe('requests', () => {
  it('get exactly the Result that the application gives', async () => {
    const p = pair({
      gw: { onMessage: (m, s) => void s.answer(m.replyTo ?? '', { status: 'pending', state: 'received' }) },
    });
    await p.connect();
    const result = p.fo.session.request('RequestService', service(p.clock));
    await p.clock.advance(0);
    expect(await result).toEqual({ status: 'pending', state: 'received' });
    expect(p.gw.seen.messages[0]).toMatchObject({ type: 'RequestService', peer: 'fo:north' });
    expect(p.of('Result').filter((f) => f.correlationId === p.of('RequestService')[0]?.messageId)).toHaveLength(1);
  });

  it('may be answered later', async () => {
    const p = pair({ gw: { onMessage: () => undefined } });
    await p.connect();
    const result = p.fo.session.request('CancelService', cancel(p.clock));
    await p.clock.advance(1_400);
    expect(p.gw.session.answer(p.gw.seen.messages[0]?.replyTo ?? '', { status: 'ok', state: 'aborted' })).toBe(true);
    await p.clock.advance(0);
    expect(await result).toEqual({ status: 'ok', state: 'aborted' });
  });

  it('that nobody answers within 1.5 s are answered "try again", and the late answer is dropped and logged', async () => {
    const p = pair({ gw: { onMessage: () => undefined } });
    await p.connect();
    void p.fo.session.request('CancelService', cancel(p.clock)).catch(() => undefined);
    await p.clock.advance(1_500);
    expect(p.of('Result').at(-1)?.body).toMatchObject({ status: 'error', code: 'internal.temporary' });
    expect(p.gw.seen.logs.some((l) => l.includes('reply.missing'))).toBe(true);
    expect(p.gw.session.answer(p.gw.seen.messages[0]?.replyTo ?? '', { status: 'ok' })).toBe(false);
    expect(p.gw.seen.logs.some((l) => l.includes('fo.lateAnswer'))).toBe(true);
    // The same message comes again and is processed again.
    await p.clock.advance(1_000);
    expect(p.gw.seen.messages).toHaveLength(2);
    expect(p.gw.seen.messages[1]?.messageId).toBe(p.gw.seen.messages[0]?.messageId);
  });

  it('cannot be answered twice', async () => {
    const p = pair({ gw: { onMessage: () => undefined } });
    await p.connect();
    void p.fo.session.request('CancelService', cancel(p.clock));
    await p.clock.advance(0);
    const replyTo = p.gw.seen.messages[0]?.replyTo ?? '';
    expect(p.gw.session.answer(replyTo, { status: 'ok' })).toBe(true);
    expect(p.gw.session.answer(replyTo, { status: 'ok' })).toBe(false);
    await p.clock.advance(0);
    expect(p.of('Result').filter((f) => f.from === 'gw')).toHaveLength(2); // Hello and this one
  });

  it('are answered internal.permanent when the handler throws', async () => {
    const p = pair({
      gw: {
        onMessage: () => {
          throw new Error('secret detail');
        },
      },
    });
    await p.connect();
    const result = p.fo.session.request('CancelService', cancel(p.clock));
    await p.clock.advance(0);
    expect(await result).toMatchObject({ status: 'error', code: 'internal.permanent' });
    expect((await result).message).not.toContain('secret');
  });

  it('are repeated with the same messageId after 10 s, then after 1, 2, 4 … 60 s until they expire', async () => {
    const p = pair();
    await p.connect();
    p.lose = (f) => f.type === 'CancelService';
    const result = codes(
      p.fo.session.request('CancelService', cancel(p.clock), { expiresAt: p.clock.now() + 300_000 }),
    );
    await p.clock.advance(299_999);
    const sent = p.of('CancelService');
    expect(gaps(sent)).toEqual([11, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(new Set(sent.map((f) => f.messageId)).size).toBe(1);
    await p.clock.advance(1);
    expect(await result).toBe('time.expired');
    const before = p.of('CancelService').length;
    await p.clock.advance(200_000);
    expect(p.of('CancelService')).toHaveLength(before);
  });

  it('spread their repetitions by ±20 %', async () => {
    for (const [random, first] of [
      [0, 10.8],
      [0.999999999, 11.2],
    ] as const) {
      const p = pair({ fo: { random: () => random } });
      await p.connect();
      p.lose = (f) => f.type === 'CancelService';
      void codes(p.fo.session.request('CancelService', cancel(p.clock)));
      await p.clock.advance(12_000);
      expect(gaps(p.of('CancelService'))[0]).toBe(first);
    }
  });

  it('are sent again at once after a reconnect', async () => {
    const p = pair();
    await p.connect();
    p.lose = (f) => f.type === 'Result' && f.correlationId !== p.of('Hello').at(-1)?.messageId;
    const result = p.fo.session.request('CancelService', cancel(p.clock));
    await p.clock.advance(100);
    await p.cut();
    p.lose = () => false;
    await p.clock.advance(500);
    await p.connect();
    expect(await result).toEqual({ status: 'ok' });
    expect(p.gw.seen.messages).toHaveLength(1);
  });

  it('wait for the link when it is down, and expire there', async () => {
    const p = pair();
    const early = p.fo.session.request('CancelService', cancel(p.clock));
    const short = codes(p.fo.session.request('CancelService', cancel(p.clock), { expiresAt: p.clock.now() + 1000 }));
    await p.clock.advance(1_000);
    expect(await short).toBe('time.expired');
    await p.connect();
    expect(await early).toEqual({ status: 'ok' });
    expect(p.of('CancelService')).toHaveLength(1);
  });

  it('go out 16 at a time; the 17th waits for a free place', async () => {
    const p = pair({ gw: { onMessage: () => undefined } });
    await p.connect();
    const all = Array.from({ length: 20 }, (_, i) => p.fo.session.request('CancelService', cancel(p.clock, `N-${i}`)));
    await p.clock.advance(0);
    expect(p.gw.seen.messages).toHaveLength(16);
    p.gw.session.answer(p.gw.seen.messages[3]?.replyTo ?? '', { status: 'ok' });
    await p.clock.advance(0);
    expect(p.gw.seen.messages).toHaveLength(17);
    for (const promise of all) promise.catch(() => undefined);
  });

  it('beyond 256 that wait are refused with rate.tooOften', async () => {
    const p = pair();
    const all = Array.from({ length: 257 }, () => codes(p.fo.session.request('CancelService', cancel(p.clock))));
    expect(await all[256]).toBe('rate.tooOften');
    p.fo.session.close();
    expect(await all[0]).toBe('fo.closed');
  });

  it('with an invalid body or in the wrong direction never leave', async () => {
    const p = pair();
    await p.connect();
    const bad = { ...cancel(p.clock), fsrId: 'not an id' };
    expect(await codes(p.fo.session.request('CancelService', bad))).toBe('schema.invalid');
    expect(await codes(p.gw.session.request('RequestService', service(p.clock)))).toBe('auth.forbidden');
    expect(await codes(p.fo.session.publish('CancelService', cancel(p.clock)))).toBe('auth.forbidden');
    expect(p.frames.filter((f) => f.type !== 'Hello' && f.type !== 'Result')).toEqual([]);
  });

  it('are held back as long as the peer says in retryAfterS', async () => {
    const answers: ResultBody[] = [{ status: 'error', code: 'rate.tooOften', retryAfterS: 7 }, { status: 'ok' }];
    const p = pair({
      gw: { onMessage: (m, s) => void s.answer(m.replyTo ?? '', answers.shift() ?? { status: 'ok' }) },
    });
    await p.connect();
    const result = p.fo.session.request('CancelService', cancel(p.clock));
    await p.clock.advance(6_999);
    expect(p.of('CancelService')).toHaveLength(1);
    await p.clock.advance(1);
    expect(await result).toEqual({ status: 'ok' });
  });
});

describe('setpoints', () => {
  it('are repeated after 2 s already', async () => {
    const p = pair();
    await p.connect();
    p.lose = (f) => f.type === 'UpdateSetpoint';
    void codes(p.fo.session.request('UpdateSetpoint', setpoint(p.clock, 1)));
    await p.clock.advance(10_000);
    expect(gaps(p.of('UpdateSetpoint'))).toEqual([3, 2, 4]);
  });

  it('give up the older one of the same service', async () => {
    const p = pair();
    await p.connect();
    p.lose = (f) => f.type === 'UpdateSetpoint';
    const first = codes(p.fo.session.request('UpdateSetpoint', setpoint(p.clock, 1)));
    const other = codes(p.fo.session.request('UpdateSetpoint', setpoint(p.clock, 1, 5, 'N-2')));
    const second = p.fo.session.request('UpdateSetpoint', setpoint(p.clock, 2));
    expect(await first).toBe('seq.stale');
    p.lose = () => false;
    await p.clock.advance(3_000);
    expect(await second).toEqual({ status: 'ok' });
    expect(await other).toBeUndefined();
    expect(p.gw.seen.messages.map((m) => m.type === 'UpdateSetpoint' && m.body.setpoint.seq)).toEqual([1, 2]);
  });

  it('pass 16 requests in flight', async () => {
    const p = pair({
      gw: { onMessage: (m, s) => void (m.type === 'UpdateSetpoint' && s.answer(m.replyTo ?? '', { status: 'ok' })) },
    });
    await p.connect();
    for (let i = 0; i < 20; i++)
      p.fo.session.request('CancelService', cancel(p.clock, `N-${i}`)).catch(() => undefined);
    const fast = p.fo.session.request('UpdateSetpoint', setpoint(p.clock, 1));
    await p.clock.advance(0);
    expect(await fast).toEqual({ status: 'ok' });
  });

  it('with noReply get no Result, neither for success nor for a stale number', async () => {
    const p = pair();
    await p.connect();
    expect(p.fo.session.stream('UpdateSetpoint', { ...setpoint(p.clock, 2), noReply: true })).toBe(true);
    expect(p.fo.session.stream('UpdateSetpoint', { ...setpoint(p.clock, 1), noReply: true })).toBe(true);
    await p.clock.advance(0);
    expect(p.gw.seen.messages).toHaveLength(1);
    expect(p.gw.seen.messages[0]?.replyTo).toBeUndefined();
    expect(p.of('Result')).toHaveLength(1);
    expect(await codes(p.fo.session.request('UpdateSetpoint', { ...setpoint(p.clock, 3), noReply: true }))).toBe(
      'schema.semantic',
    );
  });

  it('that arrive beyond 16 unanswered ones are throttled', async () => {
    const p = pair({ gw: { onMessage: () => undefined } });
    await p.connect();
    for (let i = 0; i < 17; i++) {
      await p.inject('gw', envelope(p.clock, { messageId: id(i), body: setpoint(p.clock, i + 1) }));
    }
    expect(p.gw.seen.messages).toHaveLength(16);
    expect(p.of('Result').at(-1)?.body).toMatchObject({ code: 'rate.tooOften', retryAfterS: 1 });
  });
});

const id = (i: number): string => `0197f2c0-5b1e-7c34-9a51-${i.toString(16).padStart(12, '0')}`;
