import { describe, expect, it } from 'vitest';
import { markdown, merged, type Run, type SoakRun, table } from '../../bench/harness/report.ts';
import { compared, goalOf, interleaved, type Row, rowOf, singleOf } from '../../bench/harness/run.ts';
import type { Window } from '../../bench/harness/stats.ts';

const window = (value: number, waitedMs = 0): Window => ({ value, lengthMs: 1_000, waitedMs });

const run = (rows: Run['rows']): Run => ({
  at: '2026-03-02T17:10:04.123Z',
  quick: false,
  machine: { processor: 'Some CPU', cores: 2 },
  rows,
});

describe('rounds', () => {
  it('go A B C C B A, and the first one only warms up', async () => {
    const order: string[] = [];
    const windows = await interleaved(['a', 'b', 'c'], 2, async (kind, round) => {
      order.push(`${kind}${round}`);
      return window(round);
    });
    expect(order.join(' ')).toBe('c-1 b-1 a-1 a0 b0 c0 c1 b1 a1');
    expect(windows.b.map((w) => w.value)).toEqual([0, 1]);
  });
});

describe('enough rounds', () => {
  it('end a scenario early, whatever the values are, and unclean ones do not count', async () => {
    let n = 0;
    const windows = await interleaved(['a', 'b'], 20, async (kind, round) => {
      n++;
      return window(n, kind === 'a' && round % 2 === 0 ? 900 : 0);
    });
    expect(windows.a).toHaveLength(14);
    expect(windows.b).toHaveLength(14);
  });

  it('never come where none is clean: then it is all rounds', async () => {
    const windows = await interleaved(['a', 'b'], 9, async () => window(1, 900));
    expect(windows.a).toHaveLength(9);
  });
});

describe('a row', () => {
  it('has its goal and its ceiling from goals.json, by what stands before the slash', () => {
    expect(goalOf('up.stack/ocpp1.6')).toMatchObject({ goal: 'P1', max: 1.35 });
    expect(goalOf('fan.time/5000')).toMatchObject({ max: 1.8 });
    expect(goalOf('fan.time/200')).not.toHaveProperty('max');
    expect(() => goalOf('nothing')).toThrow('bench/goals.json');
  });

  it('compares round by round, and names what was lost', () => {
    const lost: Window = { ...window(99), failed: '1 lost and 0 wrong of 9 answers' };
    const row = compared('up.rpc/ocpp1.6', [window(11), lost, window(12)], [window(10), window(10), window(10)]);
    expect(row).toMatchObject({ ratio: 1.15, low: 1.1, high: 1.2, clean: 2, rounds: 3, verdict: 'met' });
    expect(row.facts.trouble).toBe('1 lost and 0 wrong of 9 answers');
  });

  it('without a clean round has no ratio and is unmeasured', () => {
    const row = compared('up.rpc/ocpp1.6', [window(11, 900)], [window(10)]);
    expect(row).not.toHaveProperty('ratio');
    expect(row.verdict).toBe('unmeasured');
  });

  it('of one number over all rounds has no spread, and none where something was lost', () => {
    expect(singleOf('e2e', 0.5, 20, {})).toMatchObject({ ratio: 0.5, verdict: 'met' });
    expect(singleOf('e2e', 0.5, 20, {})).not.toHaveProperty('low');
    expect(singleOf('e2e', undefined, 20, {}).verdict).toBe('unmeasured');
  });
});

describe('the rows of a page', () => {
  const of = (scenario: string, id: string, ratio: number, quick = false): Row => ({
    ...rowOf(id, [ratio, ratio, ratio, ratio, ratio], 5),
    from: { scenario, at: '2026-03-02T17:10:04.123Z', commit: 'abc1234', quick },
  });
  const ids = (r: Run): string[] => r.rows.map((row) => `${row.id} ${row.ratio}`);
  const earlier = run([of('up', 'up.rpc/ocpp1.6', 1), of('storm', 'storm.time', 2), of('storm', 'storm.others', 3)]);

  it('that a run has measured take the place of earlier ones; the others stay, in the order of the goals', () => {
    const now = merged(run([of('storm', 'storm.time', 1.4)]), earlier);
    expect(ids(now)).toEqual(['up.rpc/ocpp1.6 1', 'storm.time 1.4']);
    expect(now.quick).toBe(false);
  });

  it('of a quick run do not take the place of full ones, but stand where there are none', () => {
    const quick = { ...run([of('storm', 'storm.time', 9, true), of('fan', 'fan.time/200', 4, true)]), quick: true };
    const now = merged(quick, earlier);
    expect(ids(now)).toEqual(['up.rpc/ocpp1.6 1', 'fan.time/200 4', 'storm.time 2', 'storm.others 3']);
    expect(markdown(now)).toContain('some rows **quick**');
    const full = merged(run([of('fan', 'fan.time/1000', 2)]), now);
    expect(ids(full)).toEqual(['up.rpc/ocpp1.6 1', 'fan.time/1000 2', 'storm.time 2', 'storm.others 3']);
    expect(full.quick).toBe(false);
  });

  it('of another machine are left out', () => {
    const other = { ...earlier, machine: { processor: 'Another CPU', cores: 2 } };
    expect(ids(merged(run([of('storm', 'storm.time', 1.4)]), other))).toEqual(['storm.time 1.4']);
  });

  it('say when and of what they are', () => {
    expect(markdown(earlier)).toContain('| 2026-03-02 17:10, abc1234 |');
  });
});

describe('the page', () => {
  it('shows a missed goal as missed, with its numbers', () => {
    const row = rowOf('up.stack/ocpp2.1', [5.1, 6.2, 7.3], 3, { 'hand µs': 21 });
    const page = markdown(run([row]));
    expect(page).toContain('| P1 |');
    expect(page).toContain('| 6.20 | 5.10–7.30 | ≤ 1.35 | **missed** | 3 of 3 |');
    expect(page).toContain('hand µs: 21');
    expect(page).toContain('processor: Some CPU');
    expect(table([row])).toContain('missed');
  });

  it('says of a quick run that it was one, and how to repeat it', () => {
    const page = markdown({ ...run([]), quick: true });
    expect(page).toContain('no proof of any goal');
    expect(page).toContain('npm run bench -- --write');
  });

  it('shows what did not stay flat in the soak', () => {
    const series = { unit: 'MB', first: 80, last: 120, max: 121, perHour: 20 };
    const soak: SoakRun = {
      at: '2026-03-02T17:10:04.123Z',
      hours: 2,
      stations: 1_000,
      machine: {},
      series: [
        { ...series, what: 'Heap', flat: false },
        { ...series, what: 'Store' },
      ],
      did: { deploys: 120 },
    };
    const page = markdown(run([]), soak);
    expect(page).toContain('| Heap, MB | 80.00 | 120 | 121 | 20.00 | **not flat** |');
    expect(page).toContain('| Store, MB | 80.00 | 120 | 121 | 20.00 | information |');
    expect(page).toContain('2 h with 1000 simulated stations. deploys: 120.');
  });
});
