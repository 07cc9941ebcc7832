import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { Delivery } from '../../hub/evidence/delivery.ts';
import { Minutes } from '../../hub/evidence/minutes.ts';
import type { Proof } from '../../model/index.ts';
import { type Rig, rig } from './rig.ts';
import { accepted, ended } from './services.ts';

let r: Rig;
beforeEach(async () => {
  r = await rig();
});
afterEach(() => r.close());

const T0 = Date.UTC(2026, 0, 1);
const group = { members: ['V2G-1.1', 'AC-1.1'], referencePoint: 'group' } as const;

/** Registers of steady power, read every 10 s. */
async function steady(seconds: number, ids: readonly string[], powerW = 3600): Promise<void> {
  for (let s = 0; s < seconds; s += 10) {
    const wh = ((r.clock.now() - T0) / 3_600_000) * powerW;
    for (const id of ids) r.read(id, { powerW, importWh: wh, exportWh: 0 });
    await r.advance(10);
  }
}

async function proofOf(): Promise<Proof> {
  await r.evidence.flush();
  const [doc] = await r.evidence.reader.documents('Proof');
  return JSON.parse(doc?.text ?? '{}').body?.proof;
}

describe('the mean power of a span', () => {
  it('is the energy over the time, of all members together', async () => {
    await steady(600, group.members);
    expect(r.evidence.mean(group, T0 + 60_000, T0 + 480_000)).toEqual({
      powerW: expect.closeTo(7200, 1),
      quality: 'good',
    });
    expect(r.evidence.mean(group, T0 + 65_000, T0 + 140_000).powerW).toBeCloseTo(7200, 1);
  });

  it('is missing when one member said nothing, or the span lies before the first value', async () => {
    await steady(300, ['V2G-1.1']);
    expect(r.evidence.mean(group, T0 + 60_000, T0 + 240_000)).toEqual({ quality: 'missing' });
    const one = { ...group, members: ['V2G-1.1'] };
    expect(r.evidence.mean(one, T0 - 60_000, T0 + 60_000)).toEqual({ quality: 'missing' });
    expect(r.evidence.mean(one, T0 + 60_000, T0 + 240_000).powerW).toBeCloseTo(3600, 1);
    expect(r.evidence.mean({ ...group, members: [] }, T0, T0 + 1)).toEqual({ quality: 'missing' });
  });

  it('counts power that waits for registers, as estimated', async () => {
    r.read('V2G-1.1', { powerW: 3600, importWh: 0 });
    for (let s = 0; s < 300; s += 10) {
      await r.advance(10);
      r.read('V2G-1.1', { powerW: 3600 });
    }
    const one = { ...group, members: ['V2G-1.1'] };
    expect(r.evidence.mean(one, T0 + 60_000, T0 + 240_000)).toEqual({ powerW: 3600, quality: 'estimated' });
  });

  it('reaches back a day, and is still there after a restart', async () => {
    await steady(600, group.members);
    const [from, to] = [T0 + 60_000, T0 + 480_000];
    await r.reopen();
    expect(r.evidence.mean(group, from, to).powerW).toBeCloseTo(7200, 1);
    await r.clock.advance(25 * 3_600_000);
    await steady(60, group.members);
    expect(r.evidence.mean(group, from, to).powerW).toBeCloseTo(7200, 1);
    await r.clock.advance(2 * 3_600_000);
    await steady(60, group.members);
    expect(r.evidence.mean(group, from, to)).toEqual({ quality: 'missing' });
  });

  it('at the POC is that of its meter, else of all EVSEs and the declared load', async () => {
    await steady(300, ['V2G-1.1', 'AC-1.1', 'AC-2.1'], 1000);
    const site = { members: ['V2G-1.1'], referencePoint: 'site' } as const;
    const span = [T0 + 60_000, T0 + 240_000] as const;
    expect(r.evidence.mean(site, ...span).powerW).toBeCloseTo(3000, 1);
    await r.close();
    r = await rig({ file: { baseLoadW: 500 } });
    await steady(300, ['V2G-1.1', 'AC-1.1', 'AC-2.1'], 1000);
    expect(r.evidence.mean(site, ...span)).toEqual({ powerW: expect.closeTo(3500, 1), quality: 'estimated' });
    await r.close();
    const meters = [{ meterId: 'm:poc', at: 'poc' as const, signedValues: false, intervalS: 10 }];
    r = await rig({ file: { meters } });
    for (let s = 0; s < 300; s += 10) {
      r.evidence.measured({ meterId: 'm:poc', at: iso(r.clock.now()), powerW: 9000, quality: 'good' });
      await r.advance(10);
    }
    expect(r.evidence.mean(site, ...span)).toEqual({ powerW: expect.closeTo(9000, 1), quality: 'estimated' });
  });
});

describe('a proof that spans a restart', () => {
  async function serve(downS: number): Promise<Proof> {
    const service = accepted(r, { start: '2026-01-01T00:10:00Z', end: '2026-01-01T00:20:00Z' });
    await steady(600, group.members);
    r.change({ fsr: service.fsr, state: 'active', startedAt: r.clock.now() });
    r.evidence.applied('fo:test/N-1', { at: r.clock.now(), requestedW: 7200, appliedW: 7200 });
    await steady(250, group.members);
    // The last piece before the kill lies only in the readings and the curve of the store.
    await r.clock.advance(4000);
    r.evidence.applied('fo:test/N-1', { at: r.clock.now(), requestedW: 6000, appliedW: 6000 });
    await r.clock.advance(downS * 1000 - 4000);
    await r.reopen();
    await steady(600 - 250 - downS, group.members);
    ended(r, service);
    await steady(20, group.members);
    return proofOf();
  }

  it('has a gap only where nothing was measured', async () => {
    const proof = await serve(60);
    expect(proof.intervals.map((i) => i.quality)).toEqual([
      ...Array(4).fill('good'),
      // Down from 14:10 to 15:10, and the last value is of 14:00.
      'missing',
      'missing',
      ...Array(4).fill('good'),
    ]);
    for (const i of proof.intervals.filter((x) => x.quality === 'good')) expect(i.importWh).toBeCloseTo(120, 3);
    // 254 s at 7.2 kW, 346 s at 6 kW.
    const target = proof.intervals.reduce((sum, i) => sum + (i.targetWh ?? 0), 0);
    expect(target).toBeCloseTo((7200 * 254 + 6000 * 346) / 3600, 2);
  });

  it('has none where the restart was shorter than three intervals of the meters', async () => {
    const proof = await serve(20);
    expect(proof.intervals.map((i) => i.quality)).toEqual(Array(10).fill('good'));
    const sum = proof.intervals.reduce((all, i) => all + (i.importWh ?? 0), 0);
    expect(sum).toBeCloseTo(1200, 2);
  });
});

describe('minutes', () => {
  it('hold what was added, each in its place, whatever the segments', () => {
    const segment = fc.record({
      from: fc.nat(3_000_000),
      length: fc.integer({ min: 1, max: 500_000 }),
      wh: fc.nat(1000),
    });
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 20 }), (segments) => {
        const ring = new Minutes(120);
        const touched = new Set<number>();
        let sum = 0;
        for (const { from, length, wh } of segments) {
          ring.add({ fromMs: from, toMs: from + length, importWh: wh, exportWh: 0, quality: 'good' }, touched);
          sum += wh;
        }
        expect(ring.over(0, 3_600_000).netWh).toBeCloseTo(sum, 0);
        for (let minute = 0; minute < 60; minute++) expect(touched.has(minute)).toBe(ring.get(minute) !== undefined);
      }),
    );
  });

  it('leave out what is older than the ring', () => {
    const ring = new Minutes(10);
    const touched = new Set<number>();
    ring.add({ fromMs: 0, toMs: 60_000, importWh: 5, exportWh: 0, quality: 'good' }, touched);
    ring.add({ fromMs: 0, toMs: 1_200_000, importWh: 20, exportWh: 0, quality: 'good' }, touched);
    expect(ring.get(0)).toBeUndefined();
    expect(ring.over(0, 1_200_000)).toMatchObject({ netWh: 10, knownMs: 600_000 });
    ring.add({ fromMs: 0, toMs: 60_000, importWh: 5, exportWh: 0, quality: 'good' }, touched);
    expect(ring.over(0, 1_200_000).netWh).toBe(10);
  });
});

describe('what a service delivers', () => {
  const plan = { startMs: 1000, endMs: 61_000, stepMs: 7000, meters: ['a', 'b'], members: ['a', 'b'] };
  const HOUR = 3_600_000;

  it('is the energy inside its window, in its intervals, and the integral of its curve', () => {
    const segment = fc.record({
      meter: fc.constantFrom('a', 'b', 'c'),
      from: fc.nat(70_000),
      length: fc.integer({ min: 1, max: 30_000 }),
      importWh: fc.nat(500),
      exportWh: fc.nat(500),
    });
    const point = fc.record({ at: fc.nat(70_000), w: fc.integer({ min: -9000, max: 9000 }) });
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 20 }), fc.array(point, { maxLength: 8 }), (segments, points) => {
        const d = new Delivery(plan);
        for (const s of segments) d.add(s.meter, { ...s, fromMs: s.from, toMs: s.from + s.length, quality: 'good' });
        const curve = points.sort((x, y) => x.at - y.at);
        for (const p of curve) d.applied({ at: p.at, appliedW: p.w });
        d.advance(80_000);
        // Millisecond by millisecond would be literal; the overlap of two spans is as plain.
        const inside = (a: number, b: number) => Math.max(0, Math.min(b, 61_000) - Math.max(a, 1000));
        const net = segments
          .filter((s) => s.meter !== 'c')
          .reduce((sum, s) => sum + ((s.importWh - s.exportWh) * inside(s.from, s.from + s.length)) / s.length, 0);
        const target = curve.reduce((sum, p, i) => sum + (p.w * inside(p.at, curve[i + 1]?.at ?? 80_000)) / HOUR, 0);
        const cells = d.cells();
        expect(cells).toHaveLength(9);
        expect(cells.reduce((sum, c) => sum + c.importWh - c.exportWh, 0)).toBeCloseTo(net, 6);
        expect(cells.reduce((sum, c) => sum + c.targetWh, 0)).toBeCloseTo(target, 6);
        const again = new Delivery(plan, JSON.parse(JSON.stringify(d.state)));
        expect(again.cells()).toEqual(cells);
      }),
    );
  });
});
