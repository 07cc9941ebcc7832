import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedMap, BoundedQueue, BoundedSet } from '../../core/bounded.ts';

describe('a bounded queue', () => {
  it('behaves like a list with a bound, for any sequence of calls', () => {
    const call = fc.oneof(
      { weight: 4, arbitrary: fc.record({ op: fc.constant('push' as const), x: fc.nat(9) }) },
      { weight: 3, arbitrary: fc.record({ op: fc.constant('shift' as const), x: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('remove' as const), x: fc.nat(9) }) },
    );
    const overflow = fc.constantFrom('dropOldest' as const, 'dropNewest' as const, 'refuse' as const);
    fc.assert(
      fc.property(fc.array(call, { maxLength: 300 }), overflow, fc.integer({ min: 1, max: 80 }), (calls, rule, max) => {
        const lost: number[] = [];
        const queue = new BoundedQueue<number>({ name: 'q', max, overflow: rule, onDrop: (x) => lost.push(x) });
        let model: number[] = [];
        let dropped = 0;
        for (const { op, x } of calls) {
          if (op === 'push') {
            const full = model.length >= max;
            expect(queue.push(x)).toBe(!full || rule === 'dropOldest');
            if (full) dropped++;
            if (full && rule === 'dropOldest') model.shift();
            if (!full || rule === 'dropOldest') model.push(x);
          } else if (op === 'shift') expect(queue.shift()).toBe(model.shift());
          else {
            expect(queue.removeWhere((y) => y === x)).toEqual(model.filter((y) => y === x));
            model = model.filter((y) => y !== x);
          }
          expect(queue.peek()).toBe(model[0]);
        }
        expect([...queue]).toEqual(model);
        expect(queue.stats()).toEqual({ name: 'q', size: model.length, max, dropped });
        expect(lost).toHaveLength(dropped);
      }),
    );
  });

  it('tells the owner what is lost: the oldest or the newest', () => {
    const lost: string[] = [];
    const oldest = new BoundedQueue<string>({ name: 'a', max: 1, overflow: 'dropOldest', onDrop: (x) => lost.push(x) });
    oldest.push('first');
    oldest.push('second');
    const newest = new BoundedQueue<string>({ name: 'b', max: 1, overflow: 'refuse', onDrop: (x) => lost.push(x) });
    newest.push('third');
    newest.push('fourth');
    expect(lost).toEqual(['first', 'fourth']);
  });

  it('keeps working when the drop callback throws', () => {
    const queue = new BoundedQueue<number>({
      name: 'q',
      max: 1,
      overflow: 'dropOldest',
      onDrop: () => {
        throw new Error('boom');
      },
    });
    queue.push(1);
    expect(queue.push(2)).toBe(true);
    expect([...queue]).toEqual([2]);
  });

  it('may be changed while it is walked', () => {
    const queue = new BoundedQueue<number>({ name: 'q', max: 10, overflow: 'refuse' });
    for (const x of [1, 2, 3]) queue.push(x);
    const seen: number[] = [];
    for (const x of queue) {
      seen.push(x);
      queue.shift();
    }
    expect(seen).toEqual([1, 2, 3]);
    expect(queue.size).toBe(0);
  });

  it('holds no more than its size after long use', () => {
    const queue = new BoundedQueue<number>({ name: 'q', max: 100_000, overflow: 'refuse' });
    const start = performance.now();
    for (let i = 0; i < 100_000; i++) queue.push(i);
    for (let i = 0; i < 300_000; i++) {
      queue.push(queue.shift() ?? -1);
    }
    expect(performance.now() - start).toBeLessThan(1000);
    expect(queue.size).toBe(100_000);
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses the bound %s', (max) => {
    expect(() => new BoundedQueue({ name: 'q', max, overflow: 'refuse' })).toThrow(/whole number/);
  });
});

describe('a bounded map', () => {
  it('behaves like a map that forgets the least recently set key, for any sequence of calls', () => {
    const call = fc.record({
      op: fc.constantFrom('set' as const, 'set' as const, 'delete' as const),
      k: fc.nat(30),
      v: fc.nat(5),
    });
    fc.assert(
      fc.property(
        fc.array(call, { maxLength: 400 }),
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
        (calls, max, evict) => {
          const map = new BoundedMap<number, number>({ name: 'm', max, overflow: evict ? 'dropOldest' : 'refuse' });
          const model: [number, number][] = [];
          let dropped = 0;
          for (const { op, k, v } of calls) {
            const at = model.findIndex(([key]) => key === k);
            if (op === 'delete') {
              expect(map.delete(k)).toBe(at >= 0);
              if (at >= 0) model.splice(at, 1);
              continue;
            }
            const full = at < 0 && model.length >= max;
            expect(map.set(k, v)).toBe(evict || !full);
            if (at >= 0) model.splice(at, 1);
            if (full) dropped++;
            if (full && evict) model.shift();
            if (!full || evict) model.push([k, v]);
          }
          expect([...map]).toEqual(model);
          expect(map.stats()).toEqual({ name: 'm', size: model.length, max, dropped });
        },
      ),
    );
  });

  it('evicts in constant time, also with 100 000 entries', () => {
    const map = new BoundedMap<number, number>({ name: 'm', max: 100_000, overflow: 'dropOldest' });
    for (let i = 0; i < 100_000; i++) map.set(i, i);
    const start = performance.now();
    for (let i = 100_000; i < 300_000; i++) map.set(i, i);
    expect(performance.now() - start).toBeLessThan(1000);
    expect(map.has(199_999)).toBe(false);
    expect(map.get(200_000)).toBe(200_000);
    expect(map.keys().next().value).toBe(200_000);
  });

  it('can be used again after clear', () => {
    const map = new BoundedMap<string, number>({ name: 'm', max: 2, overflow: 'dropOldest' });
    for (const k of ['a', 'b', 'c']) map.set(k, 1);
    map.clear();
    for (const k of ['d', 'e', 'f']) map.set(k, 2);
    expect([...map.keys()]).toEqual(['e', 'f']);
    expect([...map.values()]).toEqual([2, 2]);
  });

  it('tells the owner which entry it forgot', () => {
    const lost: unknown[] = [];
    const map = new BoundedMap<string, number>({
      name: 'm',
      max: 1,
      overflow: 'dropOldest',
      onDrop: (e) => lost.push(e),
    });
    map.set('a', 1);
    map.set('a', 2);
    map.set('b', 3);
    expect(lost).toEqual([['a', 2]]);
  });
});

describe('a bounded set', () => {
  it('forgets the oldest value or refuses the newest', () => {
    const lost: string[] = [];
    const evicting = new BoundedSet<string>({ name: 's', max: 2, overflow: 'dropOldest', onDrop: (x) => lost.push(x) });
    for (const x of ['a', 'b', 'a', 'c']) expect(evicting.add(x)).toBe(true);
    expect([...evicting]).toEqual(['a', 'c']);
    expect(lost).toEqual(['b']);
    const refusing = new BoundedSet<string>({ name: 's', max: 1, overflow: 'refuse' });
    expect(refusing.add('a')).toBe(true);
    expect(refusing.add('a')).toBe(true);
    expect(refusing.add('b')).toBe(false);
    expect(refusing.stats()).toEqual({ name: 's', size: 1, max: 1, dropped: 1 });
  });
});
