import { describe, expect, it } from 'vitest';
import { createFeed, KEPT, queryText, withQuery } from '../../gateway/console/wire-feed.js';
import { entry } from './wire.ts';

const URL_OF = new URL('http://gateway/v2gate/api/timeline');

/** A gateway whose trace grows by hand. */
function gateway(o: { grows: boolean }) {
  const asked: string[] = [];
  let answer: (url: URL) => unknown = () => ({ entries: [], newestSeq: 0, dropped: 0 });
  let changes = 0;
  const feed = createFeed({
    ask: async (url) => {
      asked.push(url.search);
      const body = answer(url);
      return body === undefined
        ? { ok: false, error: { code: 'console.noAnswer', what: 'No.', remedy: '' } }
        : { ok: true, body };
    },
    url: URL_OF,
    grows: o.grows,
    changed: () => changes++,
  });
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    feed,
    asked,
    changes: () => changes,
    says: (fn: (url: URL) => unknown) => {
      answer = fn;
    },
    async poll(query: Record<string, string>, mono: number) {
      feed.poll(query, mono);
      await settle();
    },
  };
}

const upTo = (n: number) => (url: URL) => {
  const after = Number(url.searchParams.get('after') ?? 0);
  const all = Array.from({ length: n }, (_, i) => entry({ seq: i + 1 }));
  return { entries: all.filter((e) => e.seq > after), newestSeq: n, dropped: 3 };
};

describe('the feed of the wire timeline', () => {
  it('asks for the newest, then once a second for what is newer', async () => {
    const g = gateway({ grows: true });
    g.says(upTo(3));
    await g.poll({ stage: 'fo' }, 0);
    await g.poll({ stage: 'fo' }, 500);
    g.says(upTo(5));
    await g.poll({ stage: 'fo' }, 1000);
    expect(g.asked).toEqual(['?stage=fo&limit=500', '?stage=fo&limit=500&after=3']);
    expect(g.feed.entries.map((e) => e.seq)).toEqual([1, 2, 3, 4, 5]);
    expect(g.feed.dropped).toBe(3);
    expect(g.changes()).toBe(2);
  });

  it('keeps the newest thousand', async () => {
    const g = gateway({ grows: true });
    g.says(upTo(KEPT + 10));
    await g.poll({}, 0);
    expect(g.feed.entries).toHaveLength(KEPT);
    expect(g.feed.entries[0]?.seq).toBe(11);
  });

  it('asks for a story from its beginning, and seldom where it is long', async () => {
    const g = gateway({ grows: false });
    g.says(upTo(1200));
    await g.poll({ follow: 'fsr-1' }, 0);
    await g.poll({ follow: 'fsr-1' }, 5000);
    await g.poll({ follow: 'fsr-1' }, 6000);
    expect(g.asked).toEqual(['?follow=fsr-1&limit=2000&after=0', '?follow=fsr-1&limit=2000&after=0']);
    expect(g.feed.entries[0]?.seq).toBe(1);
  });

  it('asks another question at once, and lets a late answer to the old one go', async () => {
    const g = gateway({ grows: false });
    g.says((url) => ({ entries: [entry({ id: url.searchParams.get('follow') ?? '' })] }));
    g.feed.poll({ follow: 'a' }, 0);
    await g.poll({ follow: 'b' }, 1);
    expect(g.asked).toHaveLength(2);
    expect(g.feed.entries.map((e) => e.id)).toEqual(['b']);
  });

  it('keeps what is known when the gateway does not answer, and tells why', async () => {
    const g = gateway({ grows: true });
    g.says(upTo(2));
    await g.poll({}, 0);
    g.says(() => undefined);
    await g.poll({}, 1000);
    expect(g.feed.entries).toHaveLength(2);
    expect(g.feed.error?.code).toBe('console.noAnswer');
  });

  it('asks nothing where there is no question', async () => {
    const g = gateway({ grows: true });
    g.feed.poll(undefined, 0);
    expect(g.asked).toEqual([]);
  });
});

describe('the query', () => {
  it('leaves out what is empty', () => {
    expect(queryText({ peer: '', topic: 'Set', stage: 'fo,ocpp' })).toBe('topic=Set&stage=fo%2Cocpp');
    expect(withQuery(URL_OF, 'peer=a%26b', { format: 'jsonl' }).search).toBe('?peer=a%26b&format=jsonl');
  });
});
