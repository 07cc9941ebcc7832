import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordKind, StoreOp, StorePort } from '../../hub/ports.ts';

const put = (kind: RecordKind, key: string, body: unknown = {}, at = 1): StoreOp => ({
  op: 'put',
  kind,
  key,
  at,
  body,
});
const append = (kind: RecordKind, key: string, body: unknown = {}, at = 1): StoreOp => ({
  op: 'append',
  kind,
  key,
  at,
  body,
});
const remove = (kind: RecordKind, key: string): StoreOp => ({ op: 'delete', kind, key });
const keys = (rows: readonly { readonly key: string }[]): string[] => rows.map((r) => r.key);

/** What every StorePort owes its callers; run it against each adapter. `open` gives a fresh, empty store. */
export function storeContract(adapter: string, open: () => Promise<StorePort>): void {
  describe(`store contract: ${adapter}`, () => {
    let store: StorePort;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    for (const kind of ['service', 'setpoint', 'telemetry'] as const) {
      describe(kind, () => {
        it('gives back what was put, and the newest after a second put', async () => {
          await store.write([put(kind, 'k', { a: [1, 'ä', null] }, 5)]);
          expect(await store.get(kind, 'k')).toEqual({ key: 'k', at: 5, body: { a: [1, 'ä', null] } });
          await store.write([put(kind, 'k', 'new', 6)]);
          expect(await store.get(kind, 'k')).toEqual({ key: 'k', at: 6, body: 'new' });
        });

        it('shows what is acknowledged to get and list at once', async () => {
          await store.write([put(kind, 'k')]);
          expect(keys(await store.list(kind))).toEqual(['k']);
          await store.write([remove(kind, 'k')]);
          expect(await store.get(kind, 'k')).toBeUndefined();
        });

        it('refuses to append to an existing key and keeps what is there', async () => {
          await store.write([append(kind, 'k', 1)]);
          await expect(store.write([append(kind, 'k', 2)])).rejects.toMatchObject({ code: 'store.keyExists' });
          expect((await store.get(kind, 'k'))?.body).toBe(1);
        });

        it('takes the value of the moment of the call', async () => {
          const body = { v: 1 };
          const done = store.write([put(kind, 'k', body)]);
          body.v = 2;
          await done;
          expect((await store.get(kind, 'k'))?.body).toEqual({ v: 1 });
        });

        it('settles writes that are under way when it is closed', async () => {
          const done = store.write([put(kind, 'k')]);
          await store.close();
          await expect(done).resolves.toBeUndefined();
        });
      });
    }

    it('writes all operations or none', async () => {
      await store.write([put('record', 'taken', 'first')]);
      const mixed = [put('service', 's'), append('record', 'taken'), put('telemetry', 't')];
      await expect(store.write(mixed)).rejects.toMatchObject({ code: 'store.keyExists' });
      expect(await store.get('service', 's')).toBeUndefined();
      expect(await store.get('telemetry', 't')).toBeUndefined();
      await store.write([put('service', 's'), append('record', 'free'), put('telemetry', 't')]);
      expect(await store.get('service', 's')).toBeDefined();
      expect(await store.get('telemetry', 't')).toBeDefined();
    });

    it('lets a refused write harm none of its neighbours', async () => {
      const results = await Promise.allSettled([
        store.write([append('record', 'a', 1)]),
        store.write([append('record', 'a', 2), put('service', 'x')]),
        store.write([append('record', 'b', 3)]),
      ]);
      expect(results.map((r) => r.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(keys(await store.list('record'))).toEqual(['a', 'b']);
      expect(await store.list('service')).toEqual([]);
    });

    it('keeps kinds apart', async () => {
      await store.write([put('service', 'k', 1), put('meter', 'k', 2)]);
      await store.write([remove('service', 'k')]);
      expect((await store.get('meter', 'k'))?.body).toBe(2);
    });

    it('does nothing for an empty write and for the deletion of nothing', async () => {
      await store.write([]);
      await store.write([remove('service', 'nobody')]);
      expect(await store.list('service')).toEqual([]);
    });

    it('lists by key in byte order, within prefix, after and limit', async () => {
      const inOrder = ['Z', 'a', 'a/1', 'a/2', 'a/\u{10ffff}x', 'a0', 'ä', '\ufffd', '😀'];
      for (const k of inOrder.toReversed()) await store.write([put('log', k)]);
      expect(keys(await store.list('log'))).toEqual(inOrder);
      expect(keys(await store.list('log', { prefix: 'a/' }))).toEqual(['a/1', 'a/2', 'a/\u{10ffff}x']);
      expect(keys(await store.list('log', { prefix: 'a/', after: 'a/1', limit: 1 }))).toEqual(['a/2']);
      expect(keys(await store.list('log', { prefix: 'a/\u{10ffff}' }))).toEqual(['a/\u{10ffff}x']);
      expect(keys(await store.list('log', { after: '\ufffd' }))).toEqual(['😀']);
      expect(keys(await store.list('log', { prefix: '', limit: 2 }))).toEqual(['Z', 'a']);
    });

    it('lists the newest first when asked', async () => {
      await store.write([
        put('log', 'a', 0, 30),
        put('log', 'b', 0, 10),
        put('log', 'c', 0, 30),
        put('log', 'd', 0, 20),
      ]);
      expect(keys(await store.list('log', { newestFirst: true }))).toEqual(['c', 'a', 'd', 'b']);
      expect(keys(await store.list('log', { newestFirst: true, limit: 1, after: 'c' }))).toEqual(['d']);
    });

    it('answers up to 1 000 records by default, and pages reach the rest', async () => {
      const all = Array.from({ length: 1003 }, (_, i) => `k${String(i).padStart(5, '0')}`);
      await Promise.all(all.map((k) => store.write([put('telemetry', k)])));
      const first = await store.list('telemetry');
      const rest = await store.list('telemetry', { after: first.at(-1)?.key ?? '' });
      expect([first.length, rest.length]).toEqual([1000, 3]);
      expect(keys([...first, ...rest])).toEqual(all);
    });

    it('prunes what is older, of that kind only, in slices that let others run', async () => {
      const old = Array.from({ length: 500 }, (_, i) => put('telemetry', `old${i}`, {}, 99));
      await store.write([...old, put('telemetry', 'new', {}, 100)]);
      await store.write([put('meter', 'old', {}, 1)]);
      let turns = 0;
      const count = (): void => {
        turns++;
        next = setImmediate(count);
      };
      let next = setImmediate(count);
      expect(await store.prune('telemetry', 100)).toBe(500);
      clearImmediate(next);
      expect(turns).toBeGreaterThanOrEqual(2);
      expect(keys(await store.list('telemetry'))).toEqual(['new']);
      expect(keys(await store.list('meter'))).toEqual(['old']);
      expect(await store.prune('telemetry', 100)).toBe(0);
    });

    it('refuses what cannot be stored, with a reason', async () => {
      const invalid = { code: 'store.invalid' };
      const unknown: StoreOp = { ...put('service', 'k'), kind: JSON.parse('"toString"') };
      await expect(store.write([unknown])).rejects.toMatchObject(invalid);
      await expect(store.write([put('service', '')])).rejects.toMatchObject(invalid);
      await expect(store.write([put('service', 'k\ud800')])).rejects.toMatchObject(invalid);
      await expect(store.write([put('service', 'k', 1n)])).rejects.toMatchObject(invalid);
      await expect(store.write([put('service', 'k', () => 1)])).rejects.toMatchObject(invalid);
      await expect(store.write([put('service', 'k', 1, Number.NaN)])).rejects.toMatchObject(invalid);
      await expect(store.list('service', { limit: 0 })).rejects.toMatchObject(invalid);
      await expect(store.list('service', { limit: 10_001 })).rejects.toMatchObject(invalid);
      expect(await store.list('service')).toEqual([]);
    });

    it('answers store.closed to everything after close, and close again with nothing', async () => {
      await store.close();
      const closed = { code: 'store.closed', cause: { retry: 'later' } };
      await expect(store.write([put('service', 'k')])).rejects.toMatchObject(closed);
      await expect(store.get('service', 'k')).rejects.toMatchObject(closed);
      await expect(store.list('service')).rejects.toMatchObject(closed);
      await expect(store.prune('service', 1)).rejects.toMatchObject(closed);
      await expect(store.flush()).rejects.toMatchObject(closed);
      await expect(store.close()).resolves.toBeUndefined();
    });

    it('ends, whatever the classes and the timing, in the state of the writes done one after the other', async () => {
      let round = 0;
      const op = fc.record({
        op: fc.constantFrom('put', 'append', 'delete'),
        kind: fc.constantFrom<RecordKind>('service', 'setpoint', 'telemetry'),
        key: fc.constantFrom('x', 'y'),
      });
      const writes = fc.array(fc.record({ ops: fc.array(op, { minLength: 1, maxLength: 3 }), wait: fc.boolean() }), {
        maxLength: 12,
      });
      await fc.assert(
        fc.asyncProperty(writes, async (plan) => {
          const prefix = `${round++}/`;
          const oracle = new Map<string, number>();
          const done: Promise<boolean>[] = [];
          const expected: boolean[] = [];
          for (const [n, { ops, wait }] of plan.entries()) {
            const concrete = ops.map(
              (o): StoreOp =>
                o.op === 'delete'
                  ? remove(o.kind, prefix + o.key)
                  : { op: o.op, kind: o.kind, key: prefix + o.key, at: n, body: n },
            );
            expected.push(applyTo(oracle, concrete, n));
            const write = store.write(concrete).then(
              () => true,
              () => false,
            );
            done.push(write);
            if (wait) await write;
          }
          expect(await Promise.all(done)).toEqual(expected);
          const found = new Map<string, unknown>();
          for (const kind of ['service', 'setpoint', 'telemetry'] as const) {
            for (const r of await store.list(kind, { prefix })) found.set(`${kind} ${r.key}`, r.body);
          }
          expect([...found].sort()).toEqual([...oracle].sort());
        }),
        { numRuns: 60 },
      );
    });
  });
}

/** The oracle: one atomic write on a plain map. False when an append met an existing key. */
function applyTo(state: Map<string, number>, ops: readonly StoreOp[], value: number): boolean {
  const next = new Map(state);
  for (const o of ops) {
    const id = `${o.kind} ${o.key}`;
    if (o.op === 'append' && next.has(id)) return false;
    if (o.op === 'delete') next.delete(id);
    else next.set(id, value);
  }
  state.clear();
  for (const [k, v] of next) state.set(k, v);
  return true;
}
