import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { type PreparedOp, prepareOps } from '../../gateway/store/prepare.ts';
import { type Entry, Writer } from '../../gateway/store/writer.ts';
import type { RecordKind } from '../../hub/ports.ts';

const row = (kind: RecordKind, key: string): PreparedOp => ({ op: 'put', kind, key, at: 1, body: '1' });
const rows = (kind: RecordKind, n: number): PreparedOp[] => Array.from({ length: n }, (_, i) => row(kind, `${i}`));

function rig(maxRows = 10_000) {
  const clock = manualClock();
  const commits: string[][] = [];
  const commit = (slice: readonly Entry[]): void => {
    commits.push(slice.flatMap((e) => e.ops.map((o) => `${o.kind} ${o.key}`)));
    for (const e of slice) e.settle();
  };
  const writer = new Writer({ clock, maxRows, commit });
  const track = (p: Promise<void>): { done: boolean } => {
    const state = { done: false };
    p.then(() => (state.done = true));
    return state;
  };
  return { clock, commits, writer, track };
}

describe('classes of durability', () => {
  it('A is committed without waiting for the clock, and one turn shares a commit', async () => {
    const { commits, writer } = rig();
    await Promise.all([writer.write([row('service', 'a')]), writer.write([row('request', 'b')])]);
    expect(commits).toEqual([['service a', 'request b']]);
  });

  it('B does not wait where the store is idle, and one turn shares a commit', async () => {
    const { clock, commits, writer } = rig();
    await Promise.all([writer.write([row('setpoint', 'a')]), writer.write([row('outcome', 'b')])]);
    await clock.advance(2);
    await writer.write([row('setpoint', 'c')]);
    expect(commits).toEqual([['setpoint a', 'outcome b'], ['setpoint c']]);
    expect(clock.pending).toBe(0);
  });

  it('B does not wait for a clock that was set back', async () => {
    const { clock, writer } = rig();
    for (const before of ['x', 'y']) await writer.write([row('service', before)]);
    await clock.advance(0);
    clock.set(clock.now() - 60_000);
    await writer.write([row('setpoint', 'b')]);
    expect(clock.pending).toBe(0);
  });

  it('B waits until its group closes 2 ms after the last commit but one', async () => {
    const { clock, commits, writer, track } = rig();
    for (const before of ['x', 'y']) await writer.write([row('service', before)]);
    await clock.advance(0);
    commits.length = 0;
    const first = track(writer.write([row('setpoint', 'a')]));
    await clock.advance(1);
    const second = track(writer.write([row('outcome', 'b')]));
    expect([commits, first.done]).toEqual([[], false]);
    await clock.advance(1);
    expect(commits).toEqual([['setpoint a', 'outcome b']]);
    expect([first.done, second.done]).toEqual([true, true]);
    expect(clock.pending).toBe(0);
  });

  it('B closes its group at once with 64 rows', async () => {
    const { clock, commits, writer } = rig();
    const writes = rows('setpoint', 64).map((r) => writer.write([r]));
    await Promise.all(writes);
    expect(commits.flat()).toHaveLength(64);
    expect(clock.pending).toBe(0);
  });

  it('B that waits goes along with the next A', async () => {
    const { clock, commits, writer } = rig();
    await Promise.all([writer.write([row('setpoint', 'b')]), writer.write([row('service', 'a')])]);
    expect(commits).toEqual([['setpoint b', 'service a']]);
    expect(clock.pending).toBe(0);
  });

  it('C is acknowledged at once and written after a second', async () => {
    const { clock, commits, writer } = rig();
    await writer.write([row('telemetry', 'c')]);
    await clock.advance(999);
    expect(commits).toEqual([]);
    await clock.advance(1);
    expect(commits).toEqual([['telemetry c']]);
    expect(clock.pending).toBe(0);
  });

  it('C is written every second also while others write all the time', async () => {
    const { clock, commits, writer } = rig();
    await writer.write([row('telemetry', 'c')]);
    for (let i = 0; i < 10; i++) {
      await writer.write([row('service', `${i}`)]);
      await clock.advance(100);
    }
    expect(commits.flat()).toContain('telemetry c');
  });

  it('C is written sooner when 1 000 rows wait', async () => {
    const { clock, commits, writer } = rig();
    for (const r of rows('telemetry', 1000)) await writer.write([r]);
    await clock.advance(0);
    expect(commits.length).toBeGreaterThan(0);
  });

  it('the strictest class of a write decides', async () => {
    const { commits, writer } = rig();
    await writer.write([row('telemetry', 'c'), row('setpoint', 'b'), row('service', 'a')]);
    expect(commits).toEqual([['telemetry c', 'setpoint b', 'service a']]);
  });

  it('an append of class C waits for its group, because it may be refused', async () => {
    const { clock, commits, writer, track } = rig();
    for (const before of ['x', 'y']) await writer.write([row('service', before)]);
    await clock.advance(0);
    commits.length = 0;
    const done = track(writer.write(prepareOps([{ op: 'append', kind: 'meter', key: 'm', at: 1, body: 1 }])));
    await clock.advance(1);
    expect([done.done, commits]).toEqual([false, []]);
    await clock.advance(1);
    expect(done.done).toBe(true);
  });
});

describe('order', () => {
  it('a write of class A does not wait for what C deferred', async () => {
    const { commits, writer } = rig();
    await writer.write([row('telemetry', 'c')]);
    await writer.write([row('service', 'a')]);
    expect(commits).toEqual([['service a']]);
  });

  it('unless it touches a record of class C: then the earlier one goes first', async () => {
    const { clock, commits, writer } = rig();
    await writer.write([row('telemetry', 'c')]);
    await writer.write([row('service', 'a'), row('telemetry', 'c')]);
    await writer.write([row('telemetry', 'later')]);
    await clock.advance(1000);
    expect(commits).toEqual([['telemetry c', 'service a', 'telemetry c'], ['telemetry later']]);
  });
});

describe('bounds', () => {
  it('commits at most 128 rows at a time and lets the loop run between, but never splits a write', async () => {
    const { commits, writer } = rig();
    const many = rows('service', 300).map((r) => writer.write([r]));
    await Promise.all([...many, writer.write(rows('request', 200)), writer.write([row('limit', 'last')])]);
    expect(commits.map((c) => c.length)).toEqual([128, 128, 44, 200, 1]);
  });

  it('commits a quarter of what waits at a time where a burst has piled up', async () => {
    const { commits, writer } = rig();
    await Promise.all(rows('service', 1_000).map((r) => writer.write([r])));
    expect(commits.map((c) => c.length).slice(0, 4)).toEqual([250, 187, 140, 128]);
    expect(commits.flat()).toEqual(rows('service', 1_000).map((r) => `service ${r.key}`));
  });

  it('refuses what exceeds the queue with a coded error that says to try again, and recovers', async () => {
    const { writer } = rig(10);
    const full = writer.write(rows('service', 10));
    await expect(writer.write([row('telemetry', 'x')])).rejects.toMatchObject({
      code: 'store.failed',
      cause: { retry: 'yes', what: expect.stringContaining('10 rows') },
    });
    await full;
    await writer.write([row('service', 'y')]);
    expect(writer.pendingRows()).toBe(0);
  });

  it('barriers share one place in the lane', async () => {
    const { writer } = rig(1);
    await Promise.all(Array.from({ length: 100 }, () => writer.barrier()));
    const [lane] = writer.stats();
    expect(lane).toMatchObject({ size: 0, dropped: 0 });
  });

  it('a barrier settles after everything accepted before it, of every class', async () => {
    const { clock, commits, writer } = rig();
    void writer.write([row('setpoint', 'b')]);
    await writer.write([row('telemetry', 'c')]);
    await writer.barrier();
    expect(commits.flat()).toEqual(['setpoint b', 'telemetry c']);
    expect([clock.pending, writer.pendingRows()]).toEqual([0, 0]);
  });
});
