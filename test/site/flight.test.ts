import { describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { fsrOf } from '../support/fsr.ts';
import { type Faults, type LateWorld, lateWorld } from './late.ts';

const TOLERANCE_W = 1;
const fail = (): never => {
  throw new Error('no station');
};

/** Something happens: arrivals, departures, lost connections, setpoints, limits. */
async function happen(w: LateWorld, seq: number, several = false): Promise<void> {
  const { d, clock, site } = w;
  const s = w.stations[d.int(0, w.stations.length - 1)] ?? fail();
  const what = d.next();
  if (what < 0.2) w.plug(s);
  else if (what < 0.25) w.unplug(s);
  else if (what < 0.32) w.disconnect(s);
  else if (what < 0.5) for (const x of w.stations) w.connect(x);
  else if (what < 0.65) {
    const nodeId = d.pick(['poc', 'k0', 'k1', 'k2']);
    const limit = { importLimitW: d.int(2, 25) * 1000, exportLimitW: d.int(0, 20) * 1000 };
    w.limits.set(nodeId, limit);
    await site.setLimit({ nodeId, source: 'test', ...limit });
  } else if (what < 0.72) {
    const nodeId = d.pick(['poc', 'k0', 'k1', 'k2']);
    await site.setLimit({ nodeId, source: 'test', lift: true });
    w.limits.delete(nodeId);
  } else {
    const fsrId = d.chance(several ? 0.5 : 0) ? 'M-1' : 'N-1';
    const setpoint = { fsrId, seq, targetW: d.int(-20, 40) * 1000, validUntil: iso(clock.now() + 60_000) };
    const { target } = await w.ask('hub/UpdateSetpoint', { setpoint });
    if (target) w.run(target);
  }
}

async function begin(seed: number, faults: Faults, several = false): Promise<LateWorld> {
  const w = await lateWorld(seed, faults);
  for (const s of w.stations) w.connect(s);
  await service(w, { fsrId: 'N-1' });
  if (!several) return w;
  // A mandatory one takes some of the vehicles away from the other, now and then.
  const resourceIds = w.stations.filter((_, i) => i % 2 === 0).map((s) => s.id);
  const target = { resourceIds, referencePoint: 'group' };
  await service(w, { fsrId: 'M-1', mandatory: true, mandateRef: 'D-1', target });
  return w;
}

async function service(w: LateWorld, patch: object): Promise<void> {
  const parameters = { mode: 'absolute', minW: -60_000, maxW: 90_000, toleranceW: 300, updateIntervalS: 4 };
  const { result } = await w.ask('hub/RequestService', { fsr: fsrOf(w, { parameters, ...patch }) });
  expect(result.status).toBe('ok');
}

describe('commands in flight at a site', () => {
  const faults = { lostCommand: 0.1, lostOutcome: 0.15, lostMeter: 0.3, refuses: 0.1, delayMs: 3000 };

  it.each([
    ['one service', 1, 7, false],
    ['several services', 204, 4, true],
  ])(
    'never let what stations may be doing rise beyond a limit, whatever is late, lost or refused (G1): %s',
    async (_what, from, seeds, several) => {
      let commands = 0;
      let tight = 0;
      for (let seed = from; seed < from + seeds; seed++) {
        const w = await begin(seed, faults, several);
        w.onBatch = (before, after) => {
          after.forEach((use, i) => {
            const allowed = Math.max(use.limitW, before[i]?.usedW ?? 0) + TOLERANCE_W;
            if (use.usedW > 0.9 * use.limitW) tight++;
            expect(
              use.usedW,
              `seed ${seed}: ${use.nodeId} ${use.direction} at ${iso(w.clock.now())}`,
            ).toBeLessThanOrEqual(allowed);
          });
        };
        for (let step = 1; step <= 60; step++) {
          await happen(w, step, several);
          await w.clock.advance(w.d.int(100, 6000));
        }
        commands += w.commands;
        await w.close();
      }
      expect(commands).toBeGreaterThan(seeds * 25);
      expect(tight).toBeGreaterThan(seeds * 5);
    },
  );

  it('bring every node within its limits once stations answer again', async () => {
    for (let seed = 100; seed < 104; seed++) {
      const w = await begin(seed, { ...faults }, seed % 2 === 0);
      for (let step = 1; step <= 20; step++) {
        await happen(w, step);
        await w.clock.advance(w.d.int(100, 6000));
      }
      for (const s of w.stations) w.connect(s);
      Object.assign(w.faults, { lostCommand: 0, lostOutcome: 0, lostMeter: 0, refuses: 0, delayMs: 300 });
      await w.clock.advance(150_000);
      for (const use of w.bound())
        expect(use.usedW, `seed ${seed}: ${use.nodeId} ${use.direction}`).toBeLessThanOrEqual(use.limitW + TOLERANCE_W);
      await w.close();
    }
  });
});
