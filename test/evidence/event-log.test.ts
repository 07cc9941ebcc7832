import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { canonical } from '../../core/json.ts';
import { chainFault, nextEntry } from '../../hub/evidence/chain.ts';
import type { EventNote } from '../../hub/evidence/types.ts';
import type { EventEntry, EventPage } from '../../model/index.ts';
import { moodyStore } from '../site/store.ts';
import { memoryStore, type Rig, rig } from './rig.ts';

let r: Rig;
afterEach(() => r.close());

const note = (kind: string, parties?: EventNote['parties']): EventNote => ({
  kind,
  severity: 'info',
  subject: ['N-1'],
  ...(parties ? { parties } : {}),
});

/** fo 9.4 word for word, without our code. */
function isChain(entries: readonly EventEntry[]): boolean {
  let prev = '0'.repeat(64);
  return entries.every((e, i) => {
    const { hash, ...rest } = e;
    const right = createHash('sha256').update(canonical(rest)).digest('hex');
    const ok = e.logSeq === i + 1 && e.prevHash === prev && hash === right;
    prev = hash;
    return ok;
  });
}

describe('the event log', () => {
  it('has a chain per FO and a local one with everything', async () => {
    r = await rig();
    r.evidence.note(note('a', ['fo:test']));
    r.evidence.note(note('b'));
    r.evidence.note(note('c', 'all'));
    r.evidence.note(note('d', ['fo:other']));
    const [local, test, other] = [await r.chain('local'), await r.chain('fo:test'), await r.chain('fo:other')];
    expect(local.map((e) => e.kind)).toEqual(['gateway.restart', 'a', 'b', 'c', 'd']);
    expect(test.map((e) => e.kind)).toEqual(['a', 'c']);
    expect(other.map((e) => e.kind)).toEqual(['d']);
    expect([local, test, other].every(isChain)).toBe(true);
    expect([...r.evidence.reader.chains()].sort()).toEqual(['fo:other', 'fo:test', 'local']);
  });

  it('gives a party that is called local a chain of its own folder', async () => {
    r = await rig();
    r.evidence.note(note('a', ['fo']));
    expect((await r.chain('fo')).map((e) => e.kind)).toEqual(['a']);
  });

  it('goes on after a restart without gap and fork, and says that there was one', async () => {
    r = await rig();
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 7; i++) r.evidence.note(note(`k${round}.${i}`, ['fo:test']));
      await r.evidence.flush();
      await r.reopen();
    }
    const [local, fo] = [await r.chain('local'), await r.chain('fo:test')];
    expect(fo).toHaveLength(28);
    expect(local.filter((e) => e.kind === 'gateway.restart')).toHaveLength(5);
    expect(isChain(local) && isChain(fo)).toBe(true);
  });

  it('keeps what is noted while the store fails, in order, and writes it when it works again', async () => {
    const store = moodyStore();
    r = await rig({ store });
    r.evidence.note(note('before'));
    await r.evidence.flush();
    store.broken = true;
    for (let i = 0; i < 300; i++) r.evidence.note(note(`k${i}`, ['fo:test']));
    await r.advance(3);
    expect((await r.chain('local')).map((e) => e.kind)).toEqual(['gateway.restart', 'before']);
    store.broken = false;
    await r.advance(2);
    const local = await r.chain('local');
    expect(local.slice(2).map((e) => e.kind)).toEqual(Array.from({ length: 300 }, (_, i) => `k${i}`));
    expect(isChain(local) && isChain(await r.chain('fo:test'))).toBe(true);
  });

  it('says how many entries were lost when the store failed too long', async () => {
    const store = moodyStore();
    r = await rig({ store });
    store.broken = true;
    for (let i = 0; i < 10_500; i++) r.evidence.note(note('k'));
    await r.advance(1);
    store.broken = false;
    await r.advance(2);
    const local = await r.chain('local');
    const lost = local.find((e) => e.kind === 'log.lost');
    expect(lost?.severity).toBe('alarm');
    expect(Number(lost?.text?.split(' ')[0]) + local.filter((e) => e.kind === 'k').length).toBe(10_500);
    expect(isChain(local)).toBe(true);
  });

  it('writes entries of class B together with the heads, in one write', async () => {
    const store = moodyStore();
    r = await rig({ store });
    await r.evidence.flush();
    store.written.length = 0;
    r.evidence.note(note('a', ['fo:test']));
    r.evidence.note(note('b'));
    await r.evidence.flush();
    expect(store.written).toEqual(['log', 'log', 'log', 'chain', 'chain']);
  });

  it('takes words of any kind: too long, half a character, foreign ids', async () => {
    r = await rig();
    r.evidence.note({
      kind: 'x'.repeat(99),
      severity: 'info',
      subject: ['straße 7', ''],
      cause: `${'y'.repeat(127)}😀`,
      text: '\ud800',
    });
    const [, entry] = await r.chain('local');
    expect(entry).toMatchObject({ kind: 'x'.repeat(64), subject: ['stra_e_7', '_'] });
    expect(entry?.cause?.isWellFormed() && entry.text?.isWellFormed()).toBe(true);
  });
});

describe('a chain', () => {
  it('shows every kind of manipulation', async () => {
    r = await rig();
    const facts = { at: '2026-03-02T17:00:00Z', kind: 'k', severity: 'info' as const, subject: [] };
    const one = nextEntry({ logSeq: 0, hash: '0'.repeat(64) }, facts);
    const two = nextEntry(one, facts);
    const three = nextEntry(two, facts);
    expect(chainFault(undefined, one) ?? chainFault(one, two) ?? chainFault(two, three)).toBeUndefined();
    expect(chainFault(one, { ...two, kind: 'l' })?.what).toMatch(/hash/);
    expect(chainFault(one, three)?.what).toMatch(/entries 2 to 2 are missing/);
    expect(chainFault(three, two)?.what).toMatch(/out of order/);
    expect(chainFault({ logSeq: 2, hash: one.hash }, three)?.what).toMatch(/does not follow/);
    expect(chainFault(undefined, nextEntry({ logSeq: 0, hash: 'f'.repeat(64) }, facts))?.what).toMatch(/predecessor/);
  });
});

describe('QueryEvents', () => {
  it('pages through the own chain only, whatever is asked for', async () => {
    r = await rig();
    for (let i = 0; i < 1_300; i++) r.evidence.note(note(`k${i % 3}`, [i % 2 ? 'fo:test' : 'fo:other']));
    const all = await r.chain('fo:test');
    const seen: EventEntry[] = [];
    let page: string | undefined;
    do {
      const { data } = await r.evidence.queryEvents('fo:test', { fromLogSeq: 1, ...(page ? { page } : {}) });
      const { entries, nextPage, headHash } = data as EventPage;
      expect(headHash).toBe(all.at(-1)?.hash);
      expect(JSON.stringify(data).length).toBeLessThan(256 * 1024);
      seen.push(...entries);
      page = nextPage;
    } while (page !== undefined);
    expect(seen).toEqual(all);
    expect((await r.evidence.queryEvents('fo:nobody', { fromLogSeq: 1 })).data).toEqual({
      entries: [],
      headHash: '0'.repeat(64),
    });
  });

  it('takes kinds, a first number and a window', async () => {
    r = await rig();
    for (let i = 0; i < 40; i++) {
      r.evidence.note(note(i % 2 ? 'odd' : 'even', ['fo:test']));
      await r.advance(60);
    }
    const ask = async (q: object) =>
      ((await r.evidence.queryEvents('fo:test', q)).data as EventPage).entries.map((e) => e.logSeq);
    expect(await ask({ fromLogSeq: 37 })).toEqual([37, 38, 39, 40]);
    expect(await ask({ fromLogSeq: 35, kinds: ['odd'] })).toEqual([36, 38, 40]);
    const window = { start: '2026-01-01T00:10:00Z', end: '2026-01-01T00:13:00Z' };
    expect(await ask({ window })).toEqual([11, 12, 13]);
    expect(await ask({ window, kinds: ['odd'] })).toEqual([12]);
    const bad = await r.evidence.queryEvents('fo:test', { fromLogSeq: 1, page: 'x' });
    expect(bad).toMatchObject({ status: 'rejected', code: 'param.invalid' });
  });

  it('finds a window in a long chain whose beginning was deleted by its age', async () => {
    const store = await memoryStore();
    r = await rig({ store });
    for (let day = 0; day < 200; day++) {
      r.evidence.note(note(`d${day}`, ['fo:test']));
      await r.evidence.flush();
      await r.clock.advance(86_400_000);
    }
    await store.prune('log', Date.UTC(2026, 0, 51));
    const start = new Date(Date.UTC(2026, 0, 101)).toISOString();
    const end = new Date(Date.UTC(2026, 0, 104)).toISOString();
    const { data } = await r.evidence.queryEvents('fo:test', { window: { start, end } });
    expect((data as EventPage).entries.map((e) => e.kind)).toEqual(['d100', 'd101', 'd102']);
    const early = await r.evidence.queryEvents('fo:test', { fromLogSeq: 1, kinds: ['d50', 'd3'] });
    expect((early.data as EventPage).entries.map((e) => e.kind)).toEqual(['d50']);
  });
});

describe('whatever is noted, in whatever portions', () => {
  it('becomes chains without gap, in the order of noting', async () => {
    r = await rig();
    const portion = fc.array(fc.constantFrom<EventNote['parties']>(undefined, 'all', ['fo:a'], ['fo:a', 'fo:b']), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(portion, { maxLength: 4 }), async (portions) => {
        const before = (await r.chain('local')).length;
        let n = 0;
        for (const p of portions) {
          for (const parties of p) r.evidence.note(note(`n${n++}`, parties));
          await Promise.resolve();
        }
        const local = await r.chain('local');
        expect(local.slice(before).map((e) => e.kind)).toEqual(Array.from({ length: n }, (_, i) => `n${i}`));
        for (const chain of ['local', 'fo:a', 'fo:b', 'fo:test']) expect(isChain(await r.chain(chain))).toBe(true);
      }),
      { numRuns: 8 },
    );
  });
});
