import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Item, NOTHING_PUBLISHED, type Published, published, revisionOf } from '../../hub/publication/ledger.ts';
import { publishMessages } from '../../hub/publication/messages.ts';
import type { FlexGroup } from '../../model/index.ts';

const group = (id: string, members: number): Item => ({
  id,
  group: {
    groupId: id,
    members: Array.from({ length: members }, (_, i) => `r-${i}`),
    referencePoint: 'group',
  },
});

/** What a party holds that takes every message over. */
function receive(held: Map<string, FlexGroup>, messages: ReturnType<typeof publishMessages>): void {
  for (const m of messages) {
    if (m.mode === 'full') held.clear();
    for (const g of m.groups ?? []) held.set(g.groupId, g);
    for (const id of m.removed ?? []) held.delete(id);
  }
}

describe('the record of what was published', () => {
  it('stays itself while nothing changes, and counts on when something does', () => {
    const first = published(NOTHING_PUBLISHED, [group('a', 1), group('b', 1)]);
    expect(first.revision).toBe(1);
    expect(published(first, [group('b', 1), group('a', 1)])).toBe(first);
    const second = published(first, [group('a', 2)]);
    expect(second).toMatchObject({ revision: 2, removed: [{ id: 'b', revision: 2 }] });
    expect([revisionOf(second, 'a'), revisionOf(first, 'b')]).toEqual([2, 1]);
    expect(published(second, [group('a', 2), group('b', 1)])).toMatchObject({ revision: 3, removed: [] });
  });

  it('a party that misses any messages but comes back has what there is (property)', () => {
    const state = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 1, max: 3 }));
    const step = fc.record({ state, connects: fc.boolean(), hears: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const held = new Map<string, FlexGroup>();
        let record: Published = NOTHING_PUBLISHED;
        let got = 0;
        for (const { state: now, connects, hears } of steps) {
          const items = Object.entries(now).map(([id, n]) => group(id, n));
          const next = published(record, items);
          expect(next.revision).toBeGreaterThanOrEqual(record.revision);
          record = next;
          if (!hears || record.revision <= got) continue;
          receive(held, publishMessages(items, record, got, connects));
          got = record.revision;
          expect(Object.fromEntries([...held].map(([id, g]) => [id, g.members.length]))).toEqual(now);
        }
      }),
    );
  });

  it('goes out in messages of bounded size', () => {
    const items = Array.from({ length: 40 }, (_, i) => group(`g-${i}`, 2000));
    const record = published(NOTHING_PUBLISHED, items);
    const messages = publishMessages(items, record, 0, true);
    expect(messages.map((m) => m.mode)).toEqual(['full', ...messages.slice(1).map(() => 'delta')]);
    for (const m of messages) expect(JSON.stringify(m).length).toBeLessThan(200 * 1024);
    expect(messages.flatMap((m) => m.groups ?? [])).toHaveLength(40);
  });
});
