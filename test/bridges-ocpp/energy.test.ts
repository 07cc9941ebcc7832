import { afterEach, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { Proof, ServiceTarget, SiteFile } from '../../model/index.ts';
import { acCar, v2gCar } from '../simulators/world.ts';
import { siteFile } from '../support/site-file.ts';
import { BridgeWorld } from './world.ts';

let world: BridgeWorld;
afterEach(() => world.close());

const MEMBERS = ['V2G-1.1', 'AC-1.1', 'AC-2.1'];
const TARGETS_W = [24_000, 6_000, 15_000, -6000, 12_000, 28_000];

function site(): SiteFile {
  const file = siteFile();
  const stations = file.stations.map((s) => ({
    ...s,
    evses: s.evses.map((e) => ({ ...e, minCommandIntervalS: 1, offlineImportW: 4600 })),
  }));
  return { ...file, stations, idTokens: { policy: 'any' } };
}

/** Three cars charge, one at a station of each version. */
async function fleet(meterIntervalS: number) {
  world = await BridgeWorld.open(site());
  const spec = { meterIntervalS, rampWPerS: 5000 };
  const v2g = world.station21(spec);
  const old = world.station16(spec);
  const middle = world.station201({ ...spec, identity: 'AC-2' });
  await world.until('all are known', () => MEMBERS.every((id) => world.row(id)?.state === 'available'));
  world.plug(v2g, { ...v2gCar, targetPct: 90 });
  world.plug(old, acCar);
  world.plug(middle, acCar);
  const run = (target?: ServiceTarget): void => {
    const batch = world.site.allocate({ reason: 'test', ...(target ? { target } : {}) });
    if (batch) void world.link.send(world.wire('hub/CommandBatch', batch));
  };
  world.site.on('changed', () => world.clock.after(0, run));
  await world.until('all charge', () => MEMBERS.every((id) => world.row(id)?.state === 'charging'));
  const ask = async (topic: string, payload: object): Promise<void> => {
    const { result, target } = await world.site.decide(world.wire(topic, payload, 'fo:test'));
    if (target) run(target);
    expect(result).toMatchObject({ status: 'ok' });
  };
  /** What the meters of the stations show at this moment, Wh. */
  const registersWh = (): number => {
    let sum = 0;
    for (const unit of [...v2g.units, ...old.units, ...middle.units]) {
      unit.catchUp(world.clock.now());
      sum += unit.evse.importWh - unit.evse.exportWh;
    }
    return sum;
  };
  return { ask, registersWh };
}

it.each([1, 5, 10])(
  'a proof tells within 1 percent what flowed in each minute, with a value every %i s and setpoints that begin with it',
  async (meterIntervalS) => {
    const { ask, registersWh } = await fleet(meterIntervalS);
    const proofs: Proof[] = [];
    world.site.on('notice', ({ topic, payload }) => {
      if (topic === 'hub/ProofEvent') proofs.push((payload as { readonly proof: Proof }).proof);
    });
    // Between two values of the meters.
    await world.run(10_300);
    const startMs = world.clock.now() + 3000;
    const fsr = {
      fsrId: 'E-1',
      revision: 1,
      contractId: 'C-1',
      serviceType: 'setpoint',
      target: { groupId: 'g:all', referencePoint: 'group' },
      window: { start: iso(startMs), end: iso(startMs + 180_000) },
      decisionBy: iso(startMs),
      mandatory: false,
      priority: 5,
      parameters: { mode: 'absolute', minW: -10_000, maxW: 30_000, toleranceW: 500, updateIntervalS: 10 },
      fallback: { onExpiry: 'zero' },
    };
    await ask('hub/RequestService', { fsr });
    await world.run(3000);
    const marks = [registersWh()];
    for (const [i, targetW] of TARGETS_W.entries()) {
      const validUntil = iso(world.clock.now() + 60_000);
      await ask('hub/UpdateSetpoint', { setpoint: { fsrId: 'E-1', seq: i + 1, targetW, validUntil } });
      await world.run(30_000);
      if (i % 2 === 1) marks.push(registersWh());
    }
    await world.until('the proof is made', () => proofs.length > 0, 140_000);
    const told = proofs[0]?.intervals ?? [];
    expect(told.map((x) => x.quality)).toEqual(['good', 'good', 'good']);
    for (const [i, { importWh = 0, exportWh = 0 }] of told.entries()) {
      const flowedWh = (marks[i + 1] ?? 0) - (marks[i] ?? 0);
      expect(Math.abs(importWh - exportWh - flowedWh), `minute ${i + 1}`).toBeLessThan(0.01 * flowedWh);
    }
  },
);
