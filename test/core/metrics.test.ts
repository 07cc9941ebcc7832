import { describe, expect, it } from 'vitest';
import { BoundedQueue } from '../../core/bounded.ts';
import { createMetrics, MAX_LABEL_SETS } from '../../core/metrics.ts';

describe('metrics', () => {
  it('are written in the Prometheus text format', () => {
    const m = createMetrics();
    m.counter('v2gate_frames_total', 'Frames read.', ['link']).add(2, { link: 'ocpp' });
    m.counter('v2gate_frames_total', 'Frames read.', ['link']).add(1, { link: 'ocpp' });
    m.gauge('v2gate_links', 'Links.').set(3);
    const h = m.histogram('v2gate_latency_seconds', 'Latency.', [0.1, 0.25], ['class']);
    for (const s of [0.05, 0.1, 0.2, 9]) h.observe(s, { class: 'T1' });
    expect(m.render()).toBe(
      [
        '# HELP v2gate_frames_total Frames read.',
        '# TYPE v2gate_frames_total counter',
        'v2gate_frames_total{link="ocpp"} 3',
        '# HELP v2gate_latency_seconds Latency.',
        '# TYPE v2gate_latency_seconds histogram',
        'v2gate_latency_seconds_bucket{class="T1",le="0.1"} 2',
        'v2gate_latency_seconds_bucket{class="T1",le="0.25"} 3',
        'v2gate_latency_seconds_bucket{class="T1",le="+Inf"} 4',
        'v2gate_latency_seconds_sum{class="T1"} 9.35',
        'v2gate_latency_seconds_count{class="T1"} 4',
        '# HELP v2gate_links Links.',
        '# TYPE v2gate_links gauge',
        'v2gate_links 3',
        '',
      ].join('\n'),
    );
  });

  it('escape help texts and label values', () => {
    const m = createMetrics();
    m.counter('x_total', 'Back\\slash\nand line.', ['a']).add(1, { a: 'q"b\\n\nl' });
    expect(m.render()).toContain('# HELP x_total Back\\\\slash\\nand line.\n');
    expect(m.render()).toContain('x_total{a="q\\"b\\\\n\\nl"} 1\n');
  });

  it('count further label combinations under "other", however many peers there are', () => {
    const m = createMetrics();
    const c = m.counter('x_total', 'X.', ['peer', 'kind']);
    for (let i = 0; i < 1000; i++) c.add(1, { peer: `p${i}`, kind: 'k' });
    c.add(5, { peer: 'p0', kind: 'k' });
    const samples = m
      .render()
      .split('\n')
      .filter((l) => l.startsWith('x_total{'));
    expect(samples).toHaveLength(MAX_LABEL_SETS + 1);
    expect(samples).toContain('x_total{peer="p0",kind="k"} 6');
    expect(samples).toContain(`x_total{peer="other",kind="other"} ${1000 - MAX_LABEL_SETS}`);
  });

  it('show a counter without labels from the start, and 0 buckets of a histogram', () => {
    const m = createMetrics();
    m.counter('x_total', 'X.');
    m.histogram('y_seconds', 'Y.', [1]);
    expect(m.render()).toContain('\nx_total 0\n');
    expect(m.render()).toContain('\ny_seconds_bucket{le="+Inf"} 0\n');
  });

  it('keep a counter from falling or turning NaN', () => {
    const m = createMetrics();
    const c = m.counter('x_total', 'X.');
    c.add(2);
    for (const n of [-1, Number.NaN, Number.POSITIVE_INFINITY]) c.add(n);
    m.histogram('y_seconds', 'Y.', [1]).observe(Number.NaN);
    m.gauge('z', 'Z.').set(Number.NEGATIVE_INFINITY);
    expect(m.render()).toContain('\nx_total 2\n');
    expect(m.render()).toContain('\ny_seconds_count 0\n');
    expect(m.render()).toContain('\nz -Inf\n');
  });

  it('refuse a second declaration that differs, bad names and bad buckets', () => {
    const m = createMetrics();
    m.counter('x_total', 'X.', ['a']);
    expect(() => m.gauge('x_total', 'X.', ['a'])).toThrow(/declared twice/);
    expect(() => m.counter('x_total', 'X.', ['b'])).toThrow(/declared twice/);
    expect(() => m.counter('1x', 'X.')).toThrow(/not a metric name/);
    expect(() => m.counter('y', 'X.', ['le'])).toThrow(/not a label name/);
    expect(() => m.histogram('h', 'H.', [1, 1])).toThrow(/ascend/);
  });

  it('show the bounds of queues and maps, equal names added up, until unregistered', () => {
    const m = createMetrics();
    const queue = (): BoundedQueue<number> =>
      new BoundedQueue<number>({ name: 'ocpp.calls', max: 2, overflow: 'refuse' });
    const [a, b] = [queue(), queue()];
    for (const x of [1, 2, 3]) a.push(x);
    b.push(1);
    const stop = m.collect('v2gate_bound', () => [a.stats()]);
    m.collect('v2gate_bound', () => [b.stats()]);
    m.collect('v2gate_bound', () => {
      throw new Error('boom');
    });
    expect(m.render()).toContain('v2gate_bound_size{name="ocpp.calls"} 3\n');
    expect(m.render()).toContain('v2gate_bound_max{name="ocpp.calls"} 4\n');
    expect(m.render()).toContain('v2gate_bound_dropped_total{name="ocpp.calls"} 1\n');
    stop();
    expect(m.render()).toContain('v2gate_bound_size{name="ocpp.calls"} 1\n');
  });

  it('bound the names of collected bounds too', () => {
    const m = createMetrics();
    m.collect('b', () => Array.from({ length: 500 }, (_, i) => ({ name: `q${i}`, size: 1, max: 1, dropped: 0 })));
    const samples = m
      .render()
      .split('\n')
      .filter((l) => l.startsWith('b_size{'));
    expect(samples).toHaveLength(MAX_LABEL_SETS + 1);
    expect(samples).toContain(`b_size{name="other"} ${500 - MAX_LABEL_SETS}`);
  });
});
