import { once } from 'node:events';
import { createServer } from 'node:http';
import express from 'express';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createMappingLibrary } from '../../core/mapping/library.ts';
import { diffLines } from '../../nodes/map/editor/diff.js';
import { RecentMessages } from '../../nodes/map/recent.ts';
import { isLargerThan } from '../../nodes/map/workbench/extent.ts';
import { libraryOf, mappingOf, samplesOf } from '../../nodes/map/workbench/library.ts';
import { serveWorkbench } from '../../nodes/map/workbench/routes.ts';
import { oneAtATime } from '../../nodes/map/workbench/turns.ts';

describe('the last messages of a map node', () => {
  const deep = { a: [{ b: [{ c: { d: { e: [1, { f: 2 }] } } }] }] };

  it('are at most five, the newest first, whole, without secrets', async () => {
    const clock = manualClock();
    const recent = new RecentMessages(clock);
    for (let n = 1; n <= 7; n++) {
      recent.note({ topic: `hub/M${n}`, payload: { n, deep, idTag: 'ABC' } }, { session: { password: 'x' } });
      await clock.advance(100);
    }
    const list = recent.list();
    expect(list.map((m) => m.topic)).toEqual(['hub/M7', 'hub/M6', 'hub/M5', 'hub/M4', 'hub/M3']);
    expect(list[0]?.payload).toEqual({ n: 7, deep, idTag: '[redacted]' });
    expect(list[0]?.ctx).toEqual({ session: { password: '[redacted]' } });
  });

  it('of a burst only the first is kept; of a huge one only that it came', async () => {
    const clock = manualClock();
    const recent = new RecentMessages(clock);
    expect(recent.note({ topic: 'a', payload: 1 }, {})).toBeDefined();
    await clock.advance(99);
    expect(recent.note({ topic: 'b', payload: 2 }, {})).toBeUndefined();
    await clock.advance(1);
    recent.note({ topic: 'c', payload: Array.from({ length: 9000 }, (_, i) => i) }, {});
    expect(recent.list()).toEqual([
      { at: expect.any(String), topic: 'c' },
      { at: expect.any(String), topic: 'a', payload: 1, ctx: {} },
    ]);
  });

  it('do not change when the message is changed later', () => {
    const recent = new RecentMessages(manualClock());
    const payload = { list: [1] };
    recent.note({ topic: 'a', payload }, {});
    payload.list.push(2);
    expect(recent.list()[0]?.payload).toEqual({ list: [1] });
  });
});

describe('the extent of a value', () => {
  it('counts fields, items and long texts', () => {
    expect(isLargerThan({ a: [1, 2] }, 4)).toBe(false);
    expect(isLargerThan({ a: [1, 2] }, 3)).toBe(true);
    expect(isLargerThan('a'.repeat(640), 10)).toBe(true);
    expect(isLargerThan([], 1)).toBe(false);
  });

  it('finds what is small in memory and huge when written out, and cycles', () => {
    let doubled: unknown = 1;
    for (let i = 0; i < 60; i++) doubled = [doubled, doubled];
    expect(isLargerThan(doubled, 10_000)).toBe(true);
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(isLargerThan(cycle, 1000)).toBe(true);
  });
});

describe('checks take turns', () => {
  it('one after the other, in order; too many are refused; a failure does not stop the others', async () => {
    const running: string[] = [];
    const check = oneAtATime(3, async (name: string) => {
      running.push(`${name} begins`);
      await Promise.resolve();
      running.push(`${name} ends`);
      if (name === 'b') throw new Error('b is broken');
      return name;
    });
    const all = await Promise.allSettled(['a', 'b', 'c', 'd'].map((n) => check(n)));
    expect(all.map((r) => (r.status === 'fulfilled' ? r.value : (r.reason.code ?? r.reason.message)))).toEqual([
      'a',
      'b is broken',
      'c',
      'nodes.busy',
    ]);
    expect(running).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
    expect(await check('e')).toBe('e');
  });
});

describe('the difference of two texts', () => {
  const shown = (a: string, b: string): string[] =>
    diffLines(a, b).map((l) => `${{ same: ' ', added: '+', removed: '-' }[l.kind]}${l.text}`);

  it('names changed, added and removed lines with their numbers', () => {
    expect(shown('a\nb\nc\n', 'a\nx\nc\nd')).toEqual([' a', '-b', '+x', ' c', '+d']);
    expect(diffLines('a\nb', 'b')).toEqual([
      { kind: 'removed', text: 'a', before: 1 },
      { kind: 'same', text: 'b', before: 2, after: 1 },
    ]);
    expect(shown('', 'a')).toEqual(['+a']);
    expect(shown('a\r\nb\r\n', 'a\nb')).toEqual([' a', ' b']);
  });

  it('both texts can be read out of it, and equal lines are no changes', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 }).map((ls) => ls.map((l) => `${l}.`));
    fc.assert(
      fc.property(text, text, (a, b) => {
        const lines = diffLines(a.join('\n'), b.join('\n'));
        expect(lines.filter((l) => l.kind !== 'added').map((l) => l.text)).toEqual(a);
        expect(lines.filter((l) => l.kind !== 'removed').map((l) => l.text)).toEqual(b);
        expect(lines.filter((l) => l.before !== undefined).map((l) => l.before)).toEqual(a.map((_, i) => i + 1));
        expect(lines.filter((l) => l.after !== undefined).map((l) => l.after)).toEqual(b.map((_, i) => i + 1));
        if (a.join() === b.join()) expect(lines.every((l) => l.kind === 'same')).toBe(true);
      }),
    );
  });
});

describe('who may use the workbench', () => {
  it('those that may look get lists and messages, those that may work can try mappings, others get nothing', async () => {
    const app = express();
    app.use(express.json());
    const needsPermission = (permission: string): express.RequestHandler => {
      return (req, res, next) => (req.get('may') === permission ? next() : res.status(401).end());
    };
    serveWorkbench({
      httpAdmin: app,
      auth: { needsPermission },
      nodes: { createNode: () => {}, registerType: () => {}, getNode: () => null },
      settings: {},
    });
    const server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const ask = async (path: string, may: string): Promise<unknown> => {
      const method = path === 'check' ? 'POST' : 'GET';
      const response = await fetch(`http://127.0.0.1:${port}/v2gate/map/${path}`, { method, headers: { may } });
      return response.status === 401 ? 401 : response.json();
    };
    const outside = { code: 'nodes.noGateway', what: expect.any(String), remedy: expect.any(String) };
    for (const path of ['library', 'mapping?path=a', 'skeleton?from=a&to=b', 'samples?from=a&path=b']) {
      expect(await ask(path, 'v2gate-map.read')).toEqual(outside);
      expect(await ask(path, 'flows.read')).toBe(401);
    }
    expect(await ask('messages/x', 'v2gate-map.read')).toEqual({ messages: [] });
    expect(await ask('messages/x', '')).toBe(401);
    expect(await ask('check', 'v2gate-map.write')).toEqual(outside);
    expect(await ask('check', 'v2gate-map.read')).toBe(401);
    server.close();
    server.closeAllConnections();
  });
});

describe('what the lists of the workbench offer', () => {
  const HEAD = '/* from: hub/PowerCommand   to: ocpp1.6/X */';
  const PATH = 'ocpp1.6/from-hub/PowerCommand.jsonata';
  const offered = (own: Readonly<Record<string, string>>) => {
    const files: Record<string, string> = {
      [`/shipped/${PATH}`]: `${HEAD} {"a": 1}`,
      '/shipped/ocpp1.6/from-hub/PowerCommand.examples.json':
        '{"examples": [{"name": "one", "input": 1, "output": 2}]}',
      ...Object.fromEntries(Object.entries(own).map(([path, text]) => [`/own/${path}`, text])),
    };
    const mappings = createMappingLibrary({
      roots: ['/shipped', '/own'],
      files: {
        list: (dir) => Object.keys(files).flatMap((f) => (f.startsWith(`${dir}/`) ? [f.slice(dir.length + 1)] : [])),
        read: (path) => files[path] ?? '',
      },
      log: silentLog,
    });
    return { mappings, settings: { mappings: '/own' } };
  };

  it('an override counts as own, and the shipped text can still be compared with', () => {
    const runtime = offered({ [PATH]: `${HEAD} {"a": 2}` });
    expect(libraryOf(runtime)).toEqual({
      mappings: [{ path: PATH, from: 'hub/PowerCommand', to: ['ocpp1.6/X'], own: true }],
      topics: ['hub/PowerCommand', 'ocpp1.6/X'],
      folder: '/own',
    });
    expect(mappingOf(runtime, PATH)).toEqual({
      path: PATH,
      text: `${HEAD} {"a": 2}`,
      shipped: `${HEAD} {"a": 1}`,
      own: true,
    });
    expect(samplesOf(runtime, 'hub/PowerCommand', PATH)).toEqual([]);
  });

  it('a broken override is said to be broken while the shipped one is in force', () => {
    const runtime = offered({ [PATH]: `${HEAD} {"a": }` });
    expect(mappingOf(runtime, PATH)).toMatchObject({
      text: `${HEAD} {"a": 1}`,
      own: false,
      broken: expect.any(String),
    });
    expect(samplesOf(runtime, 'hub/PowerCommand', PATH)).toEqual([{ name: 'one', path: PATH, input: 1, ctx: {} }]);
  });

  it('a mapping of the own folder alone has nothing shipped to compare with', () => {
    const runtime = offered({ 'ocpp1.6/from-hub/PowerCommand@acme.jsonata': `${HEAD} {"b": 1}` });
    expect(mappingOf(runtime, 'ocpp1.6/from-hub/PowerCommand@acme.jsonata')).toEqual({
      path: 'ocpp1.6/from-hub/PowerCommand@acme.jsonata',
      text: `${HEAD} {"b": 1}`,
      own: true,
    });
    expect(() => mappingOf(runtime, 'none')).toThrow('There is no mapping none');
  });
});
