import { afterEach, describe, expect, it } from 'vitest';
import type { OptChoice } from '../../model/index.ts';
import { type Operator, useDepot } from './depot.ts';
import { type Patch, setpointBody } from './requests.ts';

const depot = useDepot({ folder: 'two-fos-one-depot' });

const AC = { groupId: 'g:ac', referencePoint: 'group' } as const;
const DC = { groupId: 'g:dc', referencePoint: 'group' } as const;
const TWO_OF_DC: Patch['target'] & object = {
  resourceIds: ['DEMO-V2G-1.1', 'DEMO-V2G-2.1'],
  referencePoint: 'group',
};

interface Side {
  readonly fo: Operator;
  /** The service it asked for last. */
  fsrId: string;
}
let north: Side;
let south: Side;
let asked = 0;

const ask = (side: Side, patch: Patch) => {
  side.fsrId = `${side === north ? 'N' : 'S'}-${++asked}`;
  const contractId = side === north ? 'C-9' : 'C-10';
  return side.fo.request('RequestService', setpointBody(depot(), { fsrId: side.fsrId, contractId, ...patch }));
};
const begin = async (side: Side, patch: Patch): Promise<void> => {
  expect(await ask(side, patch)).toMatchObject({ status: 'ok' });
  await depot().run(1);
  expect(side.fo.decision(side.fsrId)).toMatchObject({ decision: 'accepted' });
};
const lead = (side: Side, seq: number, targetW: number) =>
  side.fo.request('UpdateSetpoint', {
    setpoint: { fsrId: side.fsrId, seq, targetW, validUntil: depot().at(100) },
  });
const near = (targetW: number, ...of: string[]) => Math.abs(depot().power(...of) - targetW) <= 500;

async function sides(): Promise<void> {
  north ??= { fo: await depot().operator('fo:north'), fsrId: 'N-0' };
  south ??= { fo: await depot().operator('fo:south'), fsrId: 'S-0' };
}

afterEach(async () => {
  for (const { fo, fsrId } of [north, south])
    await fo.request('CancelService', { fsrId, reason: 'the test is over', at: depot().at(), rampS: 0 });
  await depot().run(3);
});

describe('Two FOs, one depot, as it is shipped', () => {
  it('services on other vehicles run side by side, and each operator gets its own record and proof', async () => {
    const d = depot();
    await sides();
    await begin(north, { target: DC, lastsS: 30 });
    await begin(south, { target: AC, lastsS: 30, parameters: { minW: 0, maxW: 30_000 } });
    await lead(north, 1, -12_000);
    await lead(south, 1, 18_000);
    await d.until('both follow', () => near(-12_000, 'DEMO-V2G') && near(18_000, 'DEMO-AC'), 15);
    await d.until('both are over', () => d.snapshot().services.every((s) => s.state === 'completed'), 40);
    const proofs = () => [north, south].map((s) => s.fo.bodies<{ proof: object }>('Proof', s.fsrId).length);
    await d.until('both are proven', () => proofs().join() === '1,1', 130);
    for (const [mine, other] of [
      [north, south],
      [south, north],
    ] as const) {
      expect(mine.fo.bodies('ServiceRecord', mine.fsrId)).toHaveLength(1);
      expect(JSON.stringify(mine.fo.heard)).not.toContain(`"${other.fsrId}"`);
      expect(mine.fo.heard.find((m) => m.type === 'Proof')?.signature).toBeDefined();
    }
  });

  it('a request for vehicles that are held is refused with conflict.overlap, and does not say by whom', async () => {
    await sides();
    await begin(north, { target: DC });
    const refused = await ask(south, { target: TWO_OF_DC });
    expect(refused).toMatchObject({ status: 'rejected', code: 'conflict.overlap' });
    expect(refused.message).toContain('DEMO-V2G-1.1 is held by another service');
    expect(JSON.stringify(refused)).not.toMatch(/north|N-/);
    expect(await ask(south, { target: AC, parameters: { minW: 0, maxW: 30_000 } })).toMatchObject({ status: 'ok' });
  });

  it('where both contracts allow it the higher priority leads, and the lower one is answered honestly', async () => {
    const d = depot();
    await sides();
    await begin(north, { target: DC, contractId: 'C-11', priority: 5 });
    await lead(north, 1, 12_000);
    await d.until('north leads', () => near(12_000, 'DEMO-V2G'));
    await begin(south, { target: TWO_OF_DC, contractId: 'C-12', priority: 2, parameters: { minW: -20_000, maxW: 0 } });
    await lead(south, 1, -8000);
    const theirs = ['DEMO-V2G-1', 'DEMO-V2G-2'];
    await d.until('south leads its two', () => near(-8000, ...theirs));
    await d.until('north has the rest', () => near(12_000, 'DEMO-V2G'));
    const answer = await lead(north, 2, 30_000);
    expect(answer).toMatchObject({ status: 'ok', code: 'limit.clipped', data: { cause: 'priority' } });
  });

  it('a mandatory request stands above: it takes its vehicles, and both operators are told', async () => {
    const d = depot();
    await sides();
    await begin(north, { target: DC });
    await lead(north, 1, 24_000);
    await d.until('north leads', () => near(24_000, 'DEMO-V2G'));
    const mandate = { target: TWO_OF_DC, mandatory: true, parameters: { minW: 0, maxW: 20_000 } };
    expect(await ask(south, { ...mandate, mandateRef: 'X-1' })).toMatchObject({ code: 'mandatory.unproven' });
    await begin(south, { ...mandate, mandateRef: 'DSO-2026-17' });
    await lead(south, 1, 0);
    await d.until('its vehicles stand still', () => near(0, 'DEMO-V2G-1', 'DEMO-V2G-2'));
    await d.until('north is told', () => north.fo.notices(north.fsrId, 'deviation').length > 0);
    expect(north.fo.notices(north.fsrId, 'deviation')).toMatchObject([
      { cause: 'priority', resources: TWO_OF_DC.resourceIds },
    ]);
    expect(south.fo.notices(south.fsrId, 'active')).toHaveLength(1);
    expect(south.fo.notices(south.fsrId, 'deviation')).toEqual([]);
    const out: OptChoice = { choice: 'out', actor: 'fleet', scope: { resources: ['DEMO-V2G-1.1'] } };
    expect(await south.fo.request('Opt', out)).toMatchObject({ status: 'rejected', code: 'mandatory.noOptOut' });
  });

  it('a driver who opts out leaves the service within seconds; the operator hears of it, the other one does not', async () => {
    const d = depot();
    await sides();
    await begin(north, { target: DC });
    await begin(south, { target: AC, parameters: { minW: 0, maxW: 30_000 } });
    await lead(north, 1, -12_000);
    await lead(south, 1, 14_000);
    await d.until('both follow', () => near(-12_000, 'DEMO-V2G') && near(14_000, 'DEMO-AC'), 15);
    d.fleet.control({ station: 'DEMO-V2G-3', press: 'priorityOn' });
    const opts = (side: Side) => side.fo.heard.filter((m) => m.type === 'Opt').map((m) => m.body as OptChoice);
    await d.until('north hears of it', () => opts(north).length > 0, 5);
    expect(opts(north)).toMatchObject([{ choice: 'out', scope: { resources: ['DEMO-V2G-3.1'] } }]);
    await d.until('it is free', () => d.power('DEMO-V2G-3') >= 0, 8);
    await d.until('the others give all of it', () => near(-12_000, 'DEMO-V2G-1', 'DEMO-V2G-2', 'DEMO-V2G-4'), 15);
    expect(opts(south)).toEqual([]);
    expect(near(14_000, 'DEMO-AC')).toBe(true);
    d.fleet.control({ station: 'DEMO-V2G-3', press: 'priorityOff' });
  });

  it('the house rule of the flow answers before anything else is asked', async () => {
    await sides();
    const refused = await ask(north, { target: DC, lastsS: 7200 });
    expect(refused).toMatchObject({ status: 'rejected', code: 'contract.limit', message: /booked by the hour/ });
    expect(
      depot()
        .snapshot()
        .services.map((s) => s.fsrId),
    ).not.toContain(north.fsrId);
  });
});
