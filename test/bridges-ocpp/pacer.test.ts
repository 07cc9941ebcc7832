import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pacer } from '../../bridges/ocpp/pacer.ts';
import { manualClock } from '../../core/clock.ts';

function rig(max = 10_000) {
  const clock = manualClock();
  const begun: { readonly n: number; readonly atMs: number }[] = [];
  const from = clock.now();
  const pacer = new Pacer<number>({
    name: 'test',
    clock,
    max,
    begin: (n) => void begun.push({ n, atMs: clock.now() - from }),
  });
  return { clock, pacer, begun };
}

describe('work of stations that come back', () => {
  it('begins at once where few come', () => {
    const { pacer, begun } = rig();
    for (let n = 0; n < 50; n++) pacer.add(n);
    expect(begun.map((b) => b.n)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(pacer.stats().size).toBe(0);
  });

  async function rush(seconds: number) {
    const { clock, pacer, begun } = rig();
    let next = 0;
    for (let ms = 0; ms < seconds * 1_000; ms += 10) {
      for (let i = 0; i < 5; i++) pacer.add(next++);
      await clock.advance(10);
    }
    return { clock, begun, came: next };
  }

  it('waits while many come, and goes on when they are there', async () => {
    const { clock, begun, came } = await rush(5);
    expect(came).toBe(2_500);
    // What began before it was clear that this is a rush.
    expect(begun.length).toBeLessThan(120);
    await clock.advance(10_000);
    expect(begun.map((b) => b.n)).toEqual(Array.from({ length: came }, (_, n) => n));
    expect(clock.pending).toBe(0);
  });

  it('waits at most ten seconds for the end of a rush', async () => {
    const { begun } = await rush(14);
    const late = begun.filter((b) => b.atMs > 9_000).map((b) => b.atMs);
    expect(Math.min(...late)).toBeLessThan(10_500);
    expect(late.length).toBeGreaterThan(300);
  });

  it('is not begun twice, nor for a station that has left', async () => {
    const { clock, pacer, begun } = rig();
    for (let n = 0; n < 60; n++) pacer.add(n);
    pacer.add(55);
    expect(pacer.waits(55)).toBe(true);
    pacer.remove(57);
    await clock.advance(1_500);
    expect(begun.map((b) => b.n)).toEqual(Array.from({ length: 60 }, (_, n) => n).filter((n) => n !== 57));
    expect(pacer.waits(55)).toBe(false);
  });

  it('begins at once when no more may wait', () => {
    const { pacer, begun } = rig(5);
    for (let n = 0; n < 60; n++) pacer.add(n);
    expect(begun).toHaveLength(55);
    expect(pacer.stats()).toMatchObject({ size: 5, dropped: 5 });
  });

  it('ends with the link', async () => {
    const { clock, pacer, begun } = rig();
    for (let n = 0; n < 60; n++) pacer.add(n);
    pacer.close();
    await clock.advance(1_000);
    expect(begun).toHaveLength(50);
    expect(clock.pending).toBe(0);
  });

  it('is done for each one in the end, however they come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(120), fc.nat(2_000)), { maxLength: 30 }), async (waves) => {
        const { clock, pacer, begun } = rig();
        let next = 0;
        for (const [many, thenMs] of waves) {
          for (let i = 0; i < many; i++) pacer.add(next++);
          await clock.advance(thenMs);
        }
        await clock.advance(next * 20 + 1_000);
        expect(begun.map((b) => b.n)).toEqual(Array.from({ length: next }, (_, n) => n));
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 30 },
    );
  });
});
