import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/errors.ts';
import type { FoOutbox, FoOutboxEntry } from '../../protocols/fo/index.ts';
import { envelope, FO, GW, notice, type Pair, pair, type Side, testBytes } from './pair.ts';

const seqs = (s: Side): (number | undefined)[] => s.seen.messages.map((m) => m.eventSeq);
const upTo = (n: number, from = 1): number[] => Array.from({ length: n - from + 1 }, (_, i) => i + from);

async function publish(p: Pair, n: number): Promise<void> {
  const all = upTo(n).map((i) => p.gw.session.publish('ExecutionNotice', notice(p.clock, i)));
  await p.clock.advance(0);
  await Promise.all(all);
}

/** An outbox that outlives a session; it keeps what was acknowledged unless `forget`. */
function outbox(o: { forget?: boolean } = {}) {
  const box = {
    entries: [] as FoOutboxEntry[],
    top: 0,
    acked: 0,
    failing: false,
    last: () => Promise.resolve(box.top),
    append(e: FoOutboxEntry) {
      if (box.failing) return Promise.reject(new Error('disk full'));
      box.entries.push(structuredClone(e));
      box.top = e.seq;
      return Promise.resolve();
    },
    list: (after: number, limit: number) =>
      box.failing
        ? Promise.reject(new Error('disk gone'))
        : Promise.resolve(box.entries.filter((e) => e.seq > after).slice(0, limit)),
    ack(seq: number) {
      box.acked = Math.max(box.acked, seq);
      if (o.forget) box.entries = box.entries.filter((e) => e.seq > seq);
      return Promise.resolve();
    },
  };
  return box satisfies FoOutbox;
}

describe('events', () => {
  it('are numbered without gaps and arrive in order', async () => {
    const p = pair();
    await p.connect();
    await publish(p, 20);
    await p.clock.advance(0);
    expect(seqs(p.fo)).toEqual(upTo(20));
    expect(p.fo.seen.messages.map((m) => m.type === 'ExecutionNotice' && m.body.fsrId)).toEqual(
      upTo(20).map((i) => `N-${i}`),
    );
  });

  it('wait while the FO is away and follow its Hello', async () => {
    const p = pair();
    await publish(p, 30);
    expect(p.frames).toEqual([]);
    await p.connect();
    expect(p.gw.seen.ups[0]?.missedEvents).toBe(30);
    expect(p.fo.seen.ups[0]?.missedEvents).toBe(30);
    expect(seqs(p.fo)).toEqual(upTo(30));
  });

  it('go out 8 at a time', async () => {
    const p = pair({ fo: { onMessage: () => undefined } });
    await p.connect();
    await publish(p, 20);
    expect(p.of('ExecutionNotice')).toHaveLength(8);
    p.fo.session.answer(p.fo.seen.messages[0]?.replyTo ?? '', { status: 'ok' });
    await p.clock.advance(0);
    expect(p.of('ExecutionNotice')).toHaveLength(9);
  });

  it('are repeated, in order and with their messageId, until acknowledged', async () => {
    const p = pair();
    await p.connect();
    p.lose = (f) => f.type === 'ExecutionNotice';
    await publish(p, 3);
    await p.clock.advance(3_600_000);
    const sent = p.of('ExecutionNotice');
    expect(sent.length).toBeGreaterThan(150);
    expect(sent.map((f) => f.eventSeq)).toEqual(sent.map((_, i) => (i % 3) + 1));
    expect(new Set(sent.map((f) => f.messageId)).size).toBe(3);
    const starts = sent.filter((f) => f.eventSeq === 1).map((f) => f.at);
    expect(starts.slice(1, 9).map((at, i) => (at - (starts[i] ?? 0)) / 1000)).toEqual([11, 2, 4, 8, 16, 32, 60, 60]);
    p.lose = () => false;
    await p.clock.advance(60_000);
    expect(seqs(p.fo)).toEqual([1, 2, 3]);
  });

  it('that the FO could not take now come again, without disturbing the order', async () => {
    let first = true;
    const p = pair({
      fo: {
        onMessage: (m, s) => {
          const busy = first && m.eventSeq === 2;
          if (busy) first = false;
          s.answer(m.replyTo ?? '', busy ? { status: 'error', code: 'internal.temporary' } : { status: 'ok' });
        },
      },
    });
    await p.connect();
    await publish(p, 4);
    await p.clock.advance(5_000);
    expect(seqs(p.fo)).toEqual([1, 2, 3, 4, 2]);
    expect(p.fo.session.state).toBe('up');
    await publish(p, 1);
    await p.clock.advance(0);
    expect(seqs(p.fo).at(-1)).toBe(5);
  });

  it('that the FO refuses for good are not repeated', async () => {
    const p = pair({
      fo: { onMessage: (m, s) => void s.answer(m.replyTo ?? '', { status: 'error', code: 'schema.invalid' }) },
    });
    await p.connect();
    await publish(p, 3);
    await p.clock.advance(600_000);
    expect(p.of('ExecutionNotice')).toHaveLength(3);
    expect(p.gw.seen.logs.filter((l) => l.includes('fo.eventRefused'))).toHaveLength(3);
  });

  it('are acknowledged by heartbeats when the Results got lost', async () => {
    const box = outbox();
    const p = pair({ gw: { persistence: { outbox: box } }, fo: { heartbeatS: 5 } });
    await p.connect();
    p.lose = (f) => f.type === 'Result' && f.from === 'fo';
    await publish(p, 3);
    expect(box.acked).toBe(0);
    await p.clock.advance(5_000);
    expect(box.acked).toBe(3);
    await p.clock.advance(60_000);
    expect(p.of('ExecutionNotice')).toHaveLength(3);
  });

  it('acknowledged by the FO that were never sent are ignored', async () => {
    const p = pair();
    await p.connect();
    const body = { at: '2026-01-01T00:00:00Z', seq: 1, ackEventSeq: 99 };
    await p.inject('gw', envelope(p.clock, { type: 'Heartbeat', body }));
    await publish(p, 1);
    await p.clock.advance(0);
    expect(seqs(p.fo)).toEqual([1]);
  });

  it('continue after a restart of the gateway with the next number', async () => {
    const box = outbox();
    const first = pair({ gw: { persistence: { outbox: box } } });
    await publish(first, 3);
    const second = pair({ gw: { persistence: { outbox: box }, randomBytes: testBytes(3) }, clock: first.clock });
    await second.connect();
    await publish(second, 1);
    await second.clock.advance(0);
    expect(seqs(second.fo)).toEqual([1, 2, 3, 4]);
  });

  it('that the gateway no longer has are reported as a gap', async () => {
    const box = outbox({ forget: true });
    const first = pair({ gw: { persistence: { outbox: box } } });
    await first.connect();
    await publish(first, 5);
    await first.clock.advance(0);
    expect(box.acked).toBe(5);
    // The FO starts anew and has forgotten everything.
    const second = pair({ gw: { persistence: { outbox: box } }, clock: first.clock });
    await second.connect();
    await publish(second, 2);
    await second.clock.advance(0);
    expect(second.fo.seen.gaps).toEqual([{ from: 1, to: 5 }]);
    expect(seqs(second.fo)).toEqual([6, 7]);
  });

  it('lost in the middle of the outbox do not stop the ones after them', async () => {
    const box = outbox();
    const p = pair({ gw: { persistence: { outbox: box } } });
    await publish(p, 6);
    box.entries = box.entries.filter((e) => e.seq !== 3 && e.seq !== 4);
    await p.connect();
    await p.clock.advance(30_000);
    expect(seqs(p.fo)).toEqual([1, 2, 5, 6]);
    expect(p.fo.seen.gaps).toEqual([{ from: 3, to: 4 }]);
  });

  it('start over when the gateway lost its numbering', async () => {
    const p = pair({ fo: { lastEventSeq: 40 } });
    await p.connect();
    await publish(p, 2);
    await p.clock.advance(0);
    expect(seqs(p.fo)).toEqual([1, 2]);
    expect(p.fo.seen.logs.some((l) => l.includes('fo.eventsRestarted'))).toBe(true);
  });

  it('begin after what an earlier run of the FO has handled', async () => {
    const box = outbox();
    const p = pair({ fo: { lastEventSeq: 2 }, gw: { persistence: { outbox: box } } });
    await publish(p, 4);
    await p.connect();
    expect(seqs(p.fo)).toEqual([3, 4]);
  });

  it('are not sent unless stored', async () => {
    const box = outbox();
    const p = pair({ gw: { persistence: { outbox: box } } });
    await p.connect();
    box.failing = true;
    const refused = p.gw.session.publish('ExecutionNotice', notice(p.clock)).catch((e: Error) => e.message);
    await p.clock.advance(0);
    expect(await refused).toBe('disk full');
    box.failing = false;
    await publish(p, 2);
    await p.clock.advance(0);
    expect(seqs(p.fo)).toEqual([1, 2]);
  });

  it('go on when the outbox can be read again', async () => {
    const box = outbox();
    const p = pair({ gw: { persistence: { outbox: box } } });
    await publish(p, 2);
    box.failing = true;
    await p.connect();
    expect(seqs(p.fo)).toEqual([]);
    box.failing = false;
    await p.clock.advance(2_000);
    expect(seqs(p.fo)).toEqual([1, 2]);
  });

  it('that nobody takes fill the outbox in memory, and then publish is refused', async () => {
    const p = pair();
    for (let i = 0; i < 10_000; i++) void p.gw.session.publish('ExecutionNotice', notice(p.clock));
    const code = p.gw.session.publish('ExecutionNotice', notice(p.clock)).catch(codeOf);
    await p.clock.advance(0);
    expect(await code).toBe('fo.full');
  });

  it('without a number are refused', async () => {
    const p = pair();
    await p.connect();
    const over = { type: 'ExecutionNotice', from: GW, to: FO, body: notice(p.clock) };
    await p.inject('fo', envelope(p.clock, over));
    expect(p.of('Result').at(-1)?.body).toMatchObject({ code: 'schema.semantic' });
  });

  it('with a body the FO cannot read keep their place in the order', async () => {
    const p = pair();
    await p.connect();
    const id = (i: number): string => `0197f2c0-5b1e-7c34-9a51-00000000000${i}`;
    const event = (eventSeq: number, body: unknown) =>
      envelope(p.clock, { type: 'ExecutionNotice', from: GW, to: FO, eventSeq, messageId: id(eventSeq), body });
    await p.inject('fo', event(1, notice(p.clock)));
    await p.inject('fo', event(2, { phase: 'unheard of' }));
    await p.inject('fo', event(3, notice(p.clock)));
    expect(seqs(p.fo)).toEqual([1, 3]);
    expect(p.fo.seen.gaps).toEqual([]);
  });
});

describe('events that cannot be read or sent', () => {
  it('keep their place in the order when not even their envelope makes sense', async () => {
    const p = pair();
    await p.connect();
    const id = (i: number): string => `0197f2c0-5b1e-7c34-9a51-00000000000${i}`;
    const event = (eventSeq: number, more: object = {}) =>
      envelope(p.clock, {
        type: 'ExecutionNotice',
        from: GW,
        to: FO,
        eventSeq,
        messageId: id(eventSeq),
        body: notice(p.clock),
        ...more,
      });
    await p.inject('fo', event(1, { sentAt: 'yesterday' }));
    await p.inject('fo', event(2));
    expect(seqs(p.fo)).toEqual([2]);
    expect(p.fo.seen.gaps).toEqual([]);
  });

  it('are refused before they get a number when no peer could take them', async () => {
    const p = pair();
    await p.connect();
    const resources = Array.from({ length: 5_000 }, (_, i) => `${'x'.repeat(58)}${i}`);
    const code = await p.gw.session.publish('ExecutionNotice', { ...notice(p.clock), resources }).catch(codeOf);
    expect(code).toBe('schema.tooLarge');
    await publish(p, 1);
    expect(seqs(p.fo)).toEqual([1]);
  });
});

describe('whatever happens to frames and connections', () => {
  it('every event arrives exactly once and in order', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('publish' as const), n: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ do: fc.constant('cut' as const) }),
      fc.record({ do: fc.constant('wait' as const), s: fc.integer({ min: 0, max: 30 }) }),
      fc.record({ do: fc.constant('lose' as const), mask: fc.integer({ min: 0, max: 255 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const box = outbox({ forget: true });
        const p = pair({ gw: { persistence: { outbox: box } } });
        await p.connect();
        let published = 0;
        let n = 0;
        for (const s of steps) {
          if (s.do === 'publish') {
            await publish(p, s.n);
            published += s.n;
          } else if (s.do === 'cut') {
            await p.cut();
            await p.connect();
          } else if (s.do === 'wait') await p.clock.advance(s.s * 1000);
          else p.lose = () => ((s.mask >> (n++ % 8)) & 1) === 1;
        }
        p.lose = () => false;
        await p.cut();
        await p.connect();
        await p.clock.advance(120_000);
        expect(seqs(p.fo)).toEqual(upTo(published));
        expect(box.acked).toBe(published);
      }),
      { numRuns: 60 },
    );
  });
});
