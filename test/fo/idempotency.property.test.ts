import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cancel, envelope, pair } from './pair.ts';

const id = (i: number): string => `0197f2c0-5b1e-7c34-9a51-${i.toString(16).padStart(12, '0')}`;

describe('under any duplication, reordering and delay', () => {
  it('each message has one side effect and always the same Result', async () => {
    const copies = fc.array(
      fc.record({ message: fc.integer({ min: 0, max: 9 }), waitMs: fc.integer({ min: 0, max: 1200 }) }),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(
        copies,
        fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 10, maxLength: 10 }),
        async (plan, delays) => {
          const p = pair({
            gw: {
              onMessage(m, s) {
                const n = p.gw.seen.messages.length;
                const answer = () => void s.answer(m.replyTo ?? '', { status: 'ok', state: `${n}` });
                p.clock.after(delays[n % 10] ?? 0, answer);
              },
            },
          });
          await p.connect();
          const bodies = delays.map((_, i) => cancel(p.clock, `N-${i}`));
          for (const { message, waitMs } of plan) {
            await p.inject(
              'gw',
              envelope(p.clock, { messageId: id(message), type: 'CancelService', body: bodies[message] }),
            );
            await p.clock.advance(waitMs);
          }
          await p.clock.advance(2_000);
          const asked = new Set(plan.map((x) => id(x.message)));
          expect(p.gw.seen.messages.map((m) => m.messageId).sort()).toEqual([...asked].sort());
          for (const messageId of asked) {
            const results = p.of('Result').filter((f) => f.correlationId === messageId);
            expect(results.length).toBeGreaterThan(0);
            expect(new Set(results.map((f) => JSON.stringify(f.body))).size).toBe(1);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
