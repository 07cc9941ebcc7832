import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { Trace, type TraceNote } from '../../hub/trace/index.ts';
import { Ring, sizeOf } from '../../hub/trace/ring.ts';

const limit = 2_000;

function world() {
  const clock = manualClock();
  const trace = new Trace(clock);
  const note = (n: Partial<TraceNote>): void =>
    trace.note({ stage: 'fo', direction: 'in', topic: 'fo1/Hello', payload: {}, ...n });
  const ids = (filter: Parameters<Trace['page']>[0] = {}, after?: number): string[] =>
    trace.page(filter, { after, limit }).entries.map((e) => e.id);
  return { clock, trace, note, ids };
}

/** A setpoint on its way to two stations, one of which measures it twice; and other messages in between. */
function story(w: ReturnType<typeof world>): void {
  const { note, clock } = w;
  const station = (n: number) => ({ peer: `CS-${n}`, resourceIds: [`CS-${n}.1`] });
  note({ topic: 'fo1/UpdateSetpoint', id: 'req', peer: 'fo:north', fsrIds: ['S-1'] });
  note({ topic: 'fo1/UpdateSetpoint', id: 'other', peer: 'fo:north', fsrIds: ['S-2'] });
  note({ stage: 'service', direction: 'inside', topic: 'hub/ServiceTarget', id: 'target', cause: 'req' });
  note({ stage: 'allocate', direction: 'inside', topic: 'hub/CommandBatch', id: 'batch', cause: 'target' });
  for (const n of [1, 2]) {
    note({
      stage: 'command',
      direction: 'out',
      topic: 'hub/PowerCommand',
      id: `cmd-${n}`,
      cause: 'batch',
      ...station(n),
      awaits: true,
    });
    note({
      stage: 'ocpp',
      direction: 'out',
      topic: 'ocpp2.1/X',
      id: `call-${n}`,
      cause: `cmd-${n}`,
      ...station(n),
      awaits: true,
    });
    note({
      stage: 'ocpp',
      direction: 'in',
      topic: 'ocpp2.1/XResponse',
      id: `call-${n}/answer`,
      cause: `call-${n}`,
      ...station(n),
    });
    note({
      stage: 'command',
      direction: 'in',
      topic: 'hub/CommandOutcome',
      id: `out-${n}`,
      cause: `cmd-${n}`,
      ...station(n),
      awaits: true,
    });
  }
  for (const value of [1, 2]) {
    const periodic = { series: 'values of CS-1', ...station(1) };
    note({ stage: 'ocpp', direction: 'in', topic: 'ocpp2.1/MeterValues', id: `mv-${value}`, ...periodic });
    note({
      stage: 'meter',
      direction: 'in',
      topic: 'hub/MeterReading',
      id: `value-${value}`,
      ...station(1),
      series: 'meter CS-1.1',
    });
    void clock.advance(11_000);
  }
}

describe('following', () => {
  const ONE = (n: number) => [`cmd-${n}`, `call-${n}`, `call-${n}/answer`, `out-${n}`];

  it('a request leads through commands and stations to the first value that shows it', () => {
    const w = world();
    story(w);
    expect(w.ids({ follow: 'req' })).toEqual(['req', 'target', 'batch', ...ONE(1), ...ONE(2), 'mv-1', 'value-1']);
    expect(w.ids({ follow: 'S-1' })).toEqual(w.ids({ follow: 'req' }));
    expect(w.ids({ follow: 'S-2' })).toEqual(['other']);
    expect(w.ids({ follow: 'nothing' })).toEqual([]);
  });

  it('a command leads back to its request, and not to its neighbours', () => {
    const w = world();
    story(w);
    expect(w.ids({ follow: 'cmd-2' })).toEqual(['req', 'target', 'batch', ...ONE(2)]);
    expect(w.ids({ follow: 'call-1' })).toEqual([
      'req',
      'target',
      'batch',
      'cmd-1',
      'call-1',
      'call-1/answer',
      'mv-1',
      'value-1',
    ]);
    expect(w.ids({ follow: 'batch' })).toEqual(w.ids({ follow: 'req' }));
  });

  it('can be filtered, and gone on with', () => {
    const w = world();
    story(w);
    expect(w.ids({ follow: 'req', stages: ['command', 'meter'], peer: 'CS-1' })).toEqual(['cmd-1', 'out-1', 'value-1']);
    expect(w.ids({ follow: 'req' }, 10)).toEqual(['call-2/answer', 'out-2', 'mv-1', 'value-1']);
  });

  it('a circle of causes ends', () => {
    const w = world();
    w.note({ id: 'a', cause: 'b' });
    w.note({ id: 'b', cause: 'a' });
    w.note({ id: 'c', cause: 'c' });
    expect(w.ids({ follow: 'a' })).toEqual(['a', 'b']);
    expect(w.ids({ follow: 'c' })).toEqual(['c']);
  });
});

describe('filters', () => {
  it('choose by stage, peer, resource and a part of the topic; all must hold', () => {
    const w = world();
    story(w);
    expect(w.ids({ peer: 'CS-2' })).toEqual(['cmd-2', 'call-2', 'call-2/answer', 'out-2']);
    expect(w.ids({ resource: 'CS-2.1', stages: ['ocpp'] })).toEqual(['call-2', 'call-2/answer']);
    expect(w.ids({ topic: 'setpoint' })).toEqual(['req', 'other']);
    expect(w.ids({ topic: 'setpoint', peer: 'CS-1' })).toEqual([]);
  });

  it('without a place to begin the newest come, else what follows', () => {
    const w = world();
    for (let i = 1; i <= 9; i++) w.note({ id: `n${i}` });
    const page = (after?: number) => w.trace.page({}, { after, limit: 3 }).entries.map((e) => e.seq);
    expect([page(), page(0), page(4), page(9)]).toEqual([[7, 8, 9], [1, 2, 3], [5, 6, 7], []]);
  });
});

describe('samples', () => {
  const value = {
    stage: 'meter',
    topic: 'hub/MeterReading',
    series: 'meter A',
    resourceIds: ['A'],
    peer: 'CS',
  } as const;

  it('one of a series in ten seconds is enough', async () => {
    const { clock, trace, note } = world();
    for (let s = 0; s < 30; s++) {
      note(value);
      await clock.advance(1_000);
    }
    const { entries, sampled } = trace.page({}, { limit });
    expect([entries.length, sampled]).toEqual([3, 27]);
  });

  it('asking beforehand leaves out the same ones', async () => {
    const [asked, told] = [world(), world()];
    for (let s = 0; s < 30; s++) {
      if (s === 7)
        for (const w of [asked, told]) w.note({ stage: 'command', resourceIds: ['A'], peer: 'CS', awaits: true });
      for (let i = 0; i < 3; i++)
        for (const id of ['A', ...Array.from({ length: 30 }, (_, n) => `${n}`)]) {
          const sample = { ...value, series: `meter ${id}`, resourceIds: [id], id: `${id}/${s}/${i}` };
          told.note(sample);
          const { trace } = asked;
          if (!(i > 0 && trace.leavesOutAny()) && !trace.leavesOut(sample.series, sample.series)) asked.note(sample);
        }
      for (const w of [asked, told]) await w.clock.advance(1_000);
    }
    const [a, b] = [asked, told].map((w) => w.trace.page({}, { limit: 2_000 }));
    expect(a).toEqual(b);
    expect(a?.sampled).toBeGreaterThan(1_000);
  });

  it('the first after a command is kept, whenever it comes', () => {
    const { trace, note } = world();
    note(value);
    note(value);
    note({ stage: 'command', resourceIds: ['A'], peer: 'CS', awaits: true, id: 'cmd' });
    // A heartbeat of the station says nothing about it.
    note({ stage: 'ocpp', topic: 'x/Heartbeat', series: 'beats', peer: 'CS' });
    note({ ...value, id: 'shows' });
    note(value);
    expect(trace.page({ stages: ['meter'] }, { limit }).entries.map((e) => e.id)).toEqual(['t:1', 'shows']);
  });

  it('a large fleet does not push out what matters', async () => {
    const { clock, trace, note } = world();
    note({ id: 'request' });
    for (let s = 0; s < 20; s++) {
      for (let i = 0; i < 500; i++) note({ ...value, series: `meter ${i}`, resourceIds: [`${i}`] });
      await clock.advance(1_000);
    }
    const { entries, dropped } = trace.page({}, { limit });
    expect([entries.length, dropped]).toEqual([1 + 20 * 20, 0]);
  });
});

describe('bounds', () => {
  it('the newest 10 000 stay, requests apart from what stations say', () => {
    const { trace, note } = world();
    note({ id: 'request' });
    for (let i = 0; i < 20_000; i++) note({ stage: 'ocpp', topic: 'x/Y' });
    const { oldestSeq, newestSeq, dropped } = trace.page({}, { limit });
    expect({ oldestSeq, newestSeq, dropped }).toEqual({ oldestSeq: 1, newestSeq: 20_001, dropped: 12_500 });
    expect([...trace.export({})]).toHaveLength(7_501);
    expect(trace.gapAfter(1)).toBe(12_500);
    expect(trace.gapAfter(20_000)).toBe(0);
  });

  it('memory is bounded too, however large messages are', () => {
    const { trace, note } = world();
    const large = { text: 'x'.repeat(100_000) };
    for (let i = 0; i < 500; i++) {
      note({ payload: large });
      note({ stage: 'ocpp', payload: large });
    }
    expect(trace.bytes).toBeLessThanOrEqual(16 * 1024 * 1024);
    expect(trace.bytes).toBeGreaterThan(12 * 1024 * 1024);
    expect(JSON.stringify(trace.page({}, { limit: 1 })).length).toBeLessThan(40_000);
  });

  it('what is too large is kept by its beginning, without the secrets in it', () => {
    const { trace, note } = world();
    const secret = 'hunter2-and-more';
    note({ payload: { key: 'AuthorizationKey', value: secret, vpn: { server: 'v', key: secret }, idTag: secret } });
    note({
      payload: { key: 'AuthorizationKey', value: secret, vpn: { server: 'v', key: secret }, x: 'x'.repeat(2e6) },
    });
    const text = JSON.stringify(trace.page({}, { limit }));
    expect(text).toContain('beginning');
    expect(text).not.toContain('hunter2');
    expect(text.length).toBeLessThan(40_000);
  });

  it('a ring keeps the newest within both bounds, in order', () => {
    const bytes = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 60 });
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 70 }), (sizes, max, from) => {
        const ring = new Ring({ name: 'test', max, maxBytes: 100 });
        const note: TraceNote = { stage: 'fo', direction: 'in', topic: 'x/Y', payload: {} };
        const all = sizes.map((size, i) => ({
          seq: 2 * i,
          at: 0,
          note,
          id: `${i}`,
          resourceIds: [],
          text: '',
          bytes: size,
        }));
        for (const kept of all) ring.push(kept);
        const newest = all.toReversed().slice(0, max);
        const sum = (n: number): number => newest.slice(0, n).reduce((bytes, k) => bytes + k.bytes, 0);
        const fits = newest.filter((_, i) => sum(i + 1) <= 100).toReversed();
        expect([...ring.from(0)]).toEqual(fits);
        expect([...ring.from(from)]).toEqual(fits.filter((k) => k.seq >= from));
        expect(ring.stats().dropped).toBe(all.length - fits.length);
      }),
    );
  });

  it('the size of anything can be told, also where it is deep', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => sizeOf(value) > 0));
    let deep: unknown = 1;
    for (let i = 0; i < 10_000; i++) deep = { deep };
    expect(sizeOf(deep)).toBeLessThan(1_000);
  });
});

describe('what a flow gets', () => {
  it('may be changed there without that the timeline lies', () => {
    const { trace, note } = world();
    const batch = { commands: [{ powerW: 1 }] };
    const call = { limit: 1 };
    note({ stage: 'allocate', topic: 'hub/CommandBatch', payload: batch });
    note({ stage: 'ocpp', topic: 'x/Y', payload: call, passedOn: true });
    batch.commands[0] = { powerW: 2 };
    call.limit = 2;
    const shown = trace.page({}, { limit }).entries.map((e) => e.payload);
    expect(shown).toEqual([{ commands: [{ powerW: 1 }] }, { limit: 1 }]);
  });

  it('never throws, whatever it is', () => {
    const { trace, note } = world();
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    for (const payload of [circle, undefined, null, 1n, Symbol('x'), () => 1, [circle]])
      for (const stage of ['fo', 'ocpp'] as const) expect(() => note({ stage, payload })).not.toThrow();
    expect(() => JSON.stringify(trace.page({}, { limit }).entries.map((e) => e.summary))).not.toThrow();
  });
});
