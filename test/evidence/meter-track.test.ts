import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MeterBounds, MeterTrack, type Sample, type Segment } from '../../hub/evidence/meter-track.ts';

const EV: MeterBounds = { importW: 11_000, exportW: 11_000 };
const at = (s: number, sample: Omit<Sample, 'atMs' | 'quality'> & Partial<Sample>): Sample => ({
  atMs: s * 1000,
  quality: 'good',
  ...sample,
});
const net = (segments: readonly Segment[]): number => segments.reduce((sum, s) => sum + s.importWh - s.exportWh, 0);

function run(samples: readonly Sample[], bounds = EV): Segment[] {
  const track = new MeterTrack();
  return [...samples.flatMap((s) => track.take(s, bounds)), ...track.settle()];
}

describe('energy from the values of a meter', () => {
  it('is what the registers counted, where there are registers', () => {
    const out = run([
      at(0, { importWh: 1000, exportWh: 5, powerW: 99 }),
      at(60, { importWh: 1120, exportWh: 15, powerW: 0 }),
    ]);
    expect(out).toMatchObject([{ fromMs: 0, toMs: 60_000, importWh: 120, exportWh: 10, quality: 'good' }]);
  });

  it('is spread over the time between two readings of the registers the way the power says', () => {
    const out = run([
      at(0, { importWh: 0, powerW: 0 }),
      at(10, { powerW: 0 }),
      at(20, { powerW: 7200 }),
      at(30, { powerW: 7200 }),
      at(60, { importWh: 90, powerW: 7200 }),
    ]);
    expect(out.map((s) => [s.fromMs / 1000, s.toMs / 1000])).toEqual([
      [0, 10],
      [10, 20],
      [20, 30],
      [30, 60],
    ]);
    const [none, ramp, ten, thirty] = out.map((s) => s.importWh);
    expect(none).toBe(0);
    // 10 Wh on the ramp, 20 and 60 on the plateau: 90 in all.
    expect([ramp, ten, thirty]).toEqual([10, 20, 60]);
    expect(out.every((s) => s.quality === 'good')).toBe(true);
  });

  it('is the trapezoid of the power where there are none, and estimated', () => {
    const out = run([at(0, { powerW: 1000 }), at(36, { powerW: 3000 })]);
    expect(out).toMatchObject([{ fromMs: 0, toMs: 36_000, importWh: 20, exportWh: 0, quality: 'estimated' }]);
  });

  it('keeps import and export apart where the power crosses zero', () => {
    const [s] = run([at(0, { powerW: 6000 }), at(36, { powerW: -3000 })]);
    expect(s?.importWh).toBeCloseTo(20, 9);
    expect(s?.exportWh).toBeCloseTo(5, 9);
  });

  it.each([
    ['ran back', 900],
    ['jumped', 1_000_000],
  ])('does not count a register that %s; the power says what it can', (_, next) => {
    const out = run([at(0, { importWh: 1000, powerW: 3600 }), at(10, { importWh: next, powerW: 3600 })]);
    expect(out).toMatchObject([{ fromMs: 0, toMs: 10_000, importWh: 10, exportWh: 0, quality: 'estimated' }]);
  });

  it('knows nothing of a register that ran back and has no power beside it', () => {
    const out = run([at(0, { importWh: 1000 }), at(10, { importWh: 5 }), at(20, { importWh: 15 })]);
    expect(out.map((s) => [s.importWh, s.quality])).toEqual([
      [0, 'missing'],
      [10, 'good'],
    ]);
  });

  it('shows a gap of more than three usual intervals, and counts what the registers moved meanwhile', () => {
    const steady = Array.from({ length: 6 }, (_, i) => at(i * 20, { importWh: i * 10 }));
    const out = run([...steady, at(160, { importWh: 60 }), at(300, { importWh: 100 })]);
    expect(out.slice(-2).map((s) => [s.importWh, s.quality])).toEqual([
      [10, 'good'],
      [40, 'missing'],
    ]);
  });

  it('guesses nothing over a gap without registers', () => {
    const steady = Array.from({ length: 6 }, (_, i) => at(i * 10, { powerW: 5000 }));
    const out = run([...steady, at(200, { powerW: 5000 })]);
    expect(out.at(-1)).toMatchObject({ importWh: 0, exportWh: 0, quality: 'missing' });
  });

  it('follows a meter that becomes slower after a few values', () => {
    const fast = Array.from({ length: 10 }, (_, i) => at(i, { powerW: 1000 }));
    const slow = Array.from({ length: 10 }, (_, i) => at(69 + i * 60, { powerW: 1000 }));
    const out = run([...fast, ...slow]);
    expect(out.filter((s) => s.quality === 'missing').length).toBeLessThanOrEqual(3);
    expect(out.at(-1)?.quality).toBe('estimated');
  });

  it('takes the declared interval of a meter for usual', () => {
    const values = [at(0, { importWh: 0 }), at(900, { importWh: 100 }), at(1800, { importWh: 200 })];
    expect(run(values, { ...EV, intervalMs: 900_000 }).every((s) => s.quality === 'good')).toBe(true);
  });

  it('ignores values that are not newer', () => {
    const track = new MeterTrack();
    track.take(at(10, { powerW: 1000 }), EV);
    expect(track.take(at(10, { powerW: 9000 }), EV)).toEqual([]);
    expect(track.take(at(5, { powerW: 9000 }), EV)).toEqual([]);
  });

  it('counts 0 for a place without a vehicle, and the next vehicle from its first register on', () => {
    const track = new MeterTrack();
    track.take(at(0, { importWh: 500, powerW: 0 }), EV);
    const quiet = [10, 20, 30].flatMap((s) => track.quiet(s * 1000, 'good', EV));
    expect(net(quiet)).toBe(0);
    expect(quiet.every((s) => s.quality !== 'missing')).toBe(true);
    const [first] = track.take(at(40, { importWh: 512, powerW: 8000 }), EV);
    expect(first).toMatchObject({ fromMs: 30_000, toMs: 40_000, importWh: 12, exportWh: 0, quality: 'good' });
  });

  it('goes on after a restart as if there had been none', () => {
    const value = fc.record({
      step: fc.integer({ min: 1, max: 90 }),
      powerW: fc.option(fc.integer({ min: -11_000, max: 11_000 }), { nil: undefined }),
      register: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 40 }), fc.nat(39), (values, cut) => {
        let [seconds, wh] = [0, 0];
        const samples = values.map((v) => {
          seconds += v.step;
          wh += v.step;
          return at(seconds, {
            ...(v.powerW === undefined ? {} : { powerW: v.powerW }),
            ...(v.register || v.powerW === undefined ? { importWh: wh, exportWh: 0 } : {}),
          });
        });
        const whole = new MeterTrack();
        const expected = samples.flatMap((s) => whole.take(s, EV));
        let track = new MeterTrack();
        const got = samples.flatMap((s, i) => {
          if (i === cut) track = new MeterTrack(JSON.parse(JSON.stringify(track.state)));
          return track.take(s, EV);
        });
        expect(got).toEqual(expected);
      }),
    );
  });

  it('never loses or invents energy of sound registers, whatever the order of values', () => {
    const value = fc.record({
      step: fc.integer({ min: 1, max: 200 }),
      wh: fc.integer({ min: 0, max: 150 }),
      powerW: fc.option(fc.integer({ min: 0, max: 11_000 }), { nil: undefined }),
      register: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 40 }), (values) => {
        let [seconds, counted] = [0, 0];
        const samples = [at(0, { importWh: 0, exportWh: 0 })];
        for (const v of values) {
          seconds += v.step;
          counted += v.wh;
          const isRegister = v.register || v.powerW === undefined;
          samples.push(
            at(seconds, {
              ...(v.powerW === undefined ? {} : { powerW: v.powerW }),
              ...(isRegister ? { importWh: counted, exportWh: 0 } : {}),
            }),
          );
        }
        samples.push(at(seconds + 1, { importWh: counted, exportWh: 0 }));
        const out = run(samples, { importW: 1e9, exportW: 1e9 });
        if (seconds < 1200) expect(net(out)).toBeCloseTo(counted, 6);
        out.reduce((to, s) => {
          expect(s.fromMs).toBe(to);
          return s.toMs;
        }, 0);
      }),
    );
  });
});
