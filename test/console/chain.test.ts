import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonical as ours } from '../../core/json.ts';
import { canonical, checkChain, entriesOf } from '../../gateway/console/chain.js';
import { checkWords } from '../../gateway/console/views/events.js';
import { EMPTY_CHAIN, nextEntry } from '../../hub/evidence/chain.ts';
import type { EventEntry } from '../../model/index.ts';

function chain(n: number): EventEntry[] {
  const entries: EventEntry[] = [];
  for (let i = 0; i < n; i++) {
    const facts = {
      at: '2026-03-02T17:00:00Z',
      kind: 'x',
      severity: 'info' as const,
      subject: [`ü${i}`],
      text: '✓ "a"',
    };
    entries.push(nextEntry(entries.at(-1) ?? EMPTY_CHAIN, facts));
  }
  return entries;
}

describe('the check of an event log in the browser', () => {
  it('writes values as the gateway does before it hashes them', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 4 }), (v) => canonical(v) === ours(v)));
  });

  it('verifies what the gateway chained, whole or from a number on', async () => {
    const entries = chain(5);
    expect(await checkChain(entries)).toEqual({ count: 5, whole: true, from: 1, to: 5 });
    expect(await checkChain(entries.slice(2))).toEqual({ count: 3, whole: false, from: 3, to: 5 });
    expect(await checkChain([])).toEqual({ count: 0, whole: true });
  });

  it('finds a changed, a missing, a moved and a forged entry, and names it', async () => {
    const entries = chain(5);
    const changed = entries.map((e) => (e.logSeq === 3 ? { ...e, text: 'nothing happened' } : e));
    expect((await checkChain(changed)).fault).toMatchObject({ logSeq: 3, what: 'its content was changed' });
    expect((await checkChain(entries.filter((e) => e.logSeq !== 3))).fault?.logSeq).toBe(4);
    expect((await checkChain([...entries].reverse())).fault?.logSeq).toBe(4);
    const other = nextEntry({ logSeq: 3, hash: 'f'.repeat(64) }, { at: 'x', kind: 'x', severity: 'info', subject: [] });
    const forged = [...entries.slice(0, 3), other];
    expect((await checkChain(forged)).fault).toMatchObject({
      logSeq: 4,
      what: 'it does not follow from the entry before',
    });
  });

  it('reads lines however they are cut', async () => {
    const entries = chain(3);
    const text = entries.map((e) => `${JSON.stringify(e)}\n`).join('');
    async function* cut(): AsyncGenerator<string> {
      for (let i = 0; i < text.length; i += 7) yield text.slice(i, i + 7);
    }
    const read: EventEntry[] = [];
    for await (const e of entriesOf(cut())) read.push(e);
    expect(read).toEqual(entries);
  });

  it('is told in words that claim no more than was seen', async () => {
    expect(checkWords(await checkChain(chain(2)))).toMatchObject({ text: 'Verified', tone: 'good' });
    expect(checkWords(await checkChain(chain(3).slice(1))).more).toContain('a part of the log');
    expect(checkWords({ count: 1, whole: false, fault: { logSeq: 2, what: 'its content was changed' } })).toMatchObject(
      {
        text: 'Broken',
        tone: 'bad',
        more: 'at entry 2: its content was changed',
      },
    );
  });
});
