import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { every, iso, manualClock, parseTime, realClock } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';

function thrown(fn: () => unknown): unknown {
  try {
    fn();
  } catch (e) {
    return codeOf(e);
  }
  return 'nothing';
}

describe('the manual clock', () => {
  it('starts at 2026 and stands still', async () => {
    const clock = manualClock();
    expect(iso(clock.now())).toBe('2026-01-01T00:00:00.000Z');
    await new Promise((r) => setImmediate(r));
    expect(iso(clock.now())).toBe('2026-01-01T00:00:00.000Z');
  });

  it('fires timers in due order, ties in the order of arming, each at its own time', async () => {
    const clock = manualClock(0);
    const seen: string[] = [];
    const note = (name: string) => () => seen.push(`${name}@${clock.now()}`);
    clock.after(20, note('c'));
    clock.after(10, note('a'));
    clock.after(10, note('b'));
    clock.after(31, note('late'));
    await clock.advance(30);
    expect(seen).toEqual(['a@10', 'b@10', 'c@20']);
    expect(clock.now()).toBe(30);
    expect(clock.pending).toBe(1);
  });

  it('fires any set of timers in due order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(50), { maxLength: 60 }),
        fc.array(fc.nat(59), { maxLength: 30 }),
        async (delays, cancels) => {
          const clock = manualClock(0);
          const fired: number[] = [];
          const handles = delays.map((d, i) => clock.after(d, () => fired.push(i)));
          for (const c of cancels) handles[c]?.cancel();
          await clock.advance(50);
          const expected = delays
            .map((d, i) => ({ d, i }))
            .filter(({ i }) => !cancels.includes(i))
            .sort((a, b) => a.d - b.d || a.i - b.i)
            .map(({ i }) => i);
          expect(fired).toEqual(expected);
          expect(clock.pending).toBe(0);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('fires timers armed during the advance when they fall inside it', async () => {
    const clock = manualClock(0);
    const seen: number[] = [];
    const again = (): void => {
      seen.push(clock.now());
      clock.after(10, again);
    };
    clock.after(10, again);
    await clock.advance(35);
    expect(seen).toEqual([10, 20, 30]);
    expect(clock.pending).toBe(1);
  });

  it('lets promise chains settle between two timers', async () => {
    const clock = manualClock(0);
    const seen: string[] = [];
    const chain = async (): Promise<void> => {
      for (let i = 0; i < 50; i++) await Promise.resolve();
      await new Promise<void>((r) => setImmediate(r));
      seen.push(`chain@${clock.now()}`);
    };
    clock.after(10, () => void chain());
    clock.after(20, () => seen.push('second'));
    await clock.advance(20);
    expect(seen).toEqual(['chain@10', 'second']);
  });

  it('fires a timer that work pending before the advance arms', async () => {
    const clock = manualClock(0);
    let fired = false;
    void Promise.resolve().then(() => clock.after(5, () => (fired = true)));
    await clock.advance(5);
    expect(fired).toBe(true);
  });

  it('does not fire a timer that an earlier one cancelled', async () => {
    const clock = manualClock(0);
    let fired = false;
    const victim = clock.after(10, () => (fired = true));
    clock.after(10, () => undefined);
    clock.after(5, () => victim.cancel());
    await clock.advance(20);
    expect(fired).toBe(false);
    expect(clock.pending).toBe(0);
    victim.cancel();
    expect(clock.pending).toBe(0);
  });

  it('keeps the remaining delay of timers when the wall clock is set', async () => {
    const clock = manualClock(1000);
    let at = 0;
    clock.after(100, () => (at = clock.now()));
    clock.set(500_000);
    expect(clock.now()).toBe(500_000);
    await clock.advance(99);
    expect(at).toBe(0);
    await clock.advance(1);
    expect(at).toBe(500_100);
  });

  it('runs overlapping advances one after the other', async () => {
    const clock = manualClock(0);
    await Promise.all([clock.advance(10), clock.advance(10)]);
    expect(clock.now()).toBe(20);
  });

  it('rejects the advance in which a timer throws and goes on with the next', async () => {
    const clock = manualClock(0);
    let fired = false;
    clock.after(1, () => {
      throw new Error('boom');
    });
    clock.after(2, () => (fired = true));
    await expect(clock.advance(5)).rejects.toThrow('boom');
    await clock.advance(5);
    expect(fired).toBe(true);
  });

  it('does not keep cancelled timers', async () => {
    const clock = manualClock(0);
    for (let i = 0; i < 50_000; i++) clock.after(1000 + i, () => undefined).cancel();
    expect(clock.pending).toBe(0);
    const start = performance.now();
    await clock.advance(100_000);
    expect(performance.now() - start).toBeLessThan(500);
  });
});

describe('every', () => {
  it('ticks on the grid of its start without drift', async () => {
    const clock = manualClock(0);
    const seen: number[] = [];
    every(clock, 10, () => seen.push(clock.now()));
    await clock.advance(45);
    expect(seen).toEqual([10, 20, 30, 40]);
  });

  it('survives a tick that throws and reports it', async () => {
    const clock = manualClock(0);
    const errors: unknown[] = [];
    let ticks = 0;
    every(
      clock,
      10,
      () => {
        ticks++;
        throw new Error('boom');
      },
      (e) => {
        errors.push(e);
        throw new Error('and the reporter too');
      },
    );
    await clock.advance(30);
    expect(ticks).toBe(3);
    expect(errors).toHaveLength(3);
  });

  it('stops when cancelled, also from inside a tick, and leaves no timer behind', async () => {
    const clock = manualClock(0);
    let ticks = 0;
    const handle = every(clock, 10, () => {
      if (++ticks === 2) handle.cancel();
    });
    await clock.advance(100);
    expect(ticks).toBe(2);
    expect(clock.pending).toBe(0);
  });

  it('skips missed ticks when the clock jumps ahead and goes on at once when it is set back', async () => {
    const clock = manualClock(0);
    const seen: number[] = [];
    every(clock, 10, () => seen.push(clock.now()));
    clock.set(1000);
    await clock.advance(20);
    expect(seen).toEqual([1010, 1020]);
    clock.set(0);
    await clock.advance(40);
    expect(seen.slice(2)).toEqual([10, 20, 30, 40]);
  });

  it('refuses a period of 0', () => {
    expect(thrown(() => every(manualClock(), 0, () => undefined))).toBe('internal.permanent');
  });
});

describe('the real clock', () => {
  it('fires, counts armed timers and cancels', async () => {
    const clock = realClock();
    const cancelled = clock.after(5, () => expect.fail('was cancelled'));
    const fired = new Promise<void>((resolve) => clock.after(1, resolve));
    expect(clock.pending).toBe(2);
    cancelled.cancel();
    cancelled.cancel();
    expect(clock.pending).toBe(1);
    await fired;
    expect(clock.pending).toBe(0);
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1000);
  });

  it('does not fire a timer of 30 days at once, as setTimeout alone would', async () => {
    const clock = realClock();
    let fired = false;
    const timer = clock.after(30 * 86_400_000, () => (fired = true));
    await new Promise((resolve) => setTimeout(resolve, 15));
    expect(fired).toBe(false);
    expect(clock.pending).toBe(1);
    timer.cancel();
    expect(clock.pending).toBe(0);
  });

  it('hands what a callback throws to onError', async () => {
    const error = await new Promise((resolve) => {
      const clock = realClock({ onError: resolve });
      clock.after(0, () => {
        throw new Error('boom');
      });
    });
    expect(error).toEqual(new Error('boom'));
  });
});

describe('times', () => {
  it('are written with milliseconds and Z', () => {
    expect(iso(Date.UTC(2026, 2, 2, 16, 40))).toBe('2026-03-02T16:40:00.000Z');
    expect(thrown(() => iso(Number.NaN))).toBe('time.invalid');
    expect(thrown(() => iso(8.64e15))).toBe('time.invalid');
  });

  it('read back what was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }), (ms) => {
        expect(parseTime(iso(ms))).toBe(ms);
      }),
    );
  });

  it.each([
    ['2026-03-02T16:40:00Z', '2026-03-02T16:40:00.000Z'],
    ['2026-03-02T16:40:00.5Z', '2026-03-02T16:40:00.500Z'],
    ['2026-03-02T16:40:00.123456789Z', '2026-03-02T16:40:00.123Z'],
    ['2026-03-02T17:40:00+01:00', '2026-03-02T16:40:00.000Z'],
    ['2026-03-02T17:40:00+0100', '2026-03-02T16:40:00.000Z'],
    ['2026-03-02T11:10:00-05:30', '2026-03-02T16:40:00.000Z'],
    ['2026-03-02t16:40:00z', '2026-03-02T16:40:00.000Z'],
    ['2028-02-29T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['2016-12-31T23:59:60.7Z', '2017-01-01T00:00:00.000Z'],
  ])('reads %s', (text, expected) => {
    expect(iso(parseTime(text))).toBe(expected);
  });

  it.each([
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-03-02T24:00:00Z',
    '2026-03-02T16:60:00Z',
    '2026-03-02T16:40:00',
    '2026-03-02T16:40Z',
    '2026-03-02',
    '2026-03-02T16:40:00+24:00',
    ' 2026-03-02T16:40:00Z',
    '1772469600',
    '',
    `2026-03-02T16:40:00.${'1'.repeat(1000)}Z`,
  ])('refuses %j', (text) => {
    expect(thrown(() => parseTime(text))).toBe('time.invalid');
  });
});
