import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallQueue, PRIORITIES } from '../../protocols/ocpp/queue.ts';
import type { Priority } from '../../protocols/ocpp/types.ts';

interface Item {
  readonly n: number;
  readonly priority: Priority;
  readonly replaceKey: string | undefined;
}

const item = (n: number, priority: Priority, replaceKey?: string): Item => ({ n, priority, replaceKey });
const numbers = (q: CallQueue<Item>): number[] => q.drain().map((x) => x.n);

describe('calls wait in the order of design 5', () => {
  it('stops and limits, reductions, other setpoints, requests, reports; ties in order of arrival', () => {
    const q = new CallQueue<Item>(64);
    const arriving: Priority[] = ['report', 'request', 'setpoint', 'reduction', 'stop', 'request', 'stop', 'reduction'];
    arriving.forEach((priority, n) => {
      q.add(item(n, priority));
    });
    expect(numbers(q)).toEqual([4, 6, 3, 7, 2, 1, 5, 0]);
  });

  it('the newest setpoint takes the turn of a queued one with the same key', () => {
    const q = new CallQueue<Item>(64);
    q.add(item(1, 'setpoint', 'evse1'));
    q.add(item(2, 'setpoint', 'evse2'));
    expect(q.add(item(3, 'setpoint', 'evse1'))).toEqual({ superseded: [item(1, 'setpoint', 'evse1')] });
    expect(numbers(q)).toEqual([3, 2]);
  });

  it('a reduction that replaces a setpoint moves forward', () => {
    const q = new CallQueue<Item>(64);
    q.add(item(1, 'setpoint', 'evse2'));
    q.add(item(2, 'setpoint', 'evse1'));
    q.add(item(3, 'reduction', 'evse1'));
    expect(numbers(q)).toEqual([3, 1]);
  });

  it('a stop replaces all that waits under its key, so that nothing older comes after it', () => {
    const q = new CallQueue<Item>(64);
    q.add(item(1, 'stop', 'evse1'));
    q.add(item(2, 'stop', 'evse2'));
    q.add(item(3, 'setpoint', 'evse1'));
    expect(q.add(item(4, 'stop', 'evse1'))).toEqual({
      superseded: [item(1, 'stop', 'evse1'), item(3, 'setpoint', 'evse1')],
    });
    expect(numbers(q)).toEqual([4, 2]);
  });

  it('a queued stop is never replaced by anything less urgent', () => {
    const q = new CallQueue<Item>(64);
    q.add(item(1, 'stop', 'evse1'));
    expect(q.add(item(2, 'setpoint', 'evse1'))).toEqual({});
    expect(numbers(q)).toEqual([1, 2]);
  });

  it('a full queue drops its newest least urgent call for a more urgent one, else the new one', () => {
    const q = new CallQueue<Item>(2);
    q.add(item(1, 'report'));
    q.add(item(2, 'report'));
    expect(q.add(item(3, 'stop'))).toEqual({ dropped: item(2, 'report') });
    expect(q.add(item(4, 'report'))).toEqual({ dropped: item(4, 'report') });
    expect(q.stats()).toMatchObject({ size: 2, max: 2, dropped: 2 });
    expect(numbers(q)).toEqual([3, 1]);
  });

  it('whatever arrives: bounded, sorted, nothing lost unseen', () => {
    const arrival = fc.record({
      priority: fc.constantFrom(...PRIORITIES),
      replaceKey: fc.constantFrom(undefined, undefined, 'a', 'b'),
    });
    fc.assert(
      fc.property(fc.array(arrival, { maxLength: 60 }), fc.integer({ min: 1, max: 12 }), (arrivals, max) => {
        const q = new CallQueue<Item>(max);
        const out: number[] = [];
        arrivals.forEach((a, n) => {
          const { superseded, dropped } = q.add({ ...a, n });
          for (const gone of [...(superseded ?? []), dropped]) if (gone) out.push(gone.n);
          expect(q.size).toBeLessThanOrEqual(max);
        });
        const left = q.drain();
        const ranks = left.map((x) => PRIORITIES.indexOf(x.priority));
        expect(ranks).toEqual([...ranks].sort((x, y) => x - y));
        expect([...out, ...left.map((x) => x.n)].sort((x, y) => x - y)).toEqual(arrivals.map((_, n) => n));
      }),
      { numRuns: 300 },
    );
  });
});
