import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Operator, useDepot, wiresOf, without } from './depot.ts';
import { limitBody, type Patch } from './requests.ts';

const BASE_W = 10_000;
const HALL_W = 24_000;
/** `offlineImportW` of an AC station in the site file. */
const OFFLINE_W = 4600;
/** Beyond the limit by less than this is noise of batteries and voltages, W. */
const NOISE_W = 150;

const depot = useDepot({
  folder: 'uc-2.7-congestion-management',
  scenario: {
    base: { points: [{ atS: 0, powerW: BASE_W }], noisePct: 0 },
    poc: { meterId: 'm:poc' },
    circuits: [
      { meterId: 'm:ac', stations: ['DEMO-AC-*'] },
      { meterId: 'm:dc', stations: ['DEMO-V2G-*'] },
    ],
  },
});

let fo: Operator | undefined;
let fsrId = 'L-0';
let controlRoom: { readonly payloads: unknown[] };

beforeAll(() => {
  controlRoom = depot().listen('uc27-room');
});

const base = (baseW: number) => depot().site?.control({ baseW });
const pocW = (): number => depot().site?.power.pocW ?? Number.NaN;
const limitInForce = () =>
  depot()
    .snapshot()
    .limits.find((l) => l.nodeId === 'poc')?.importLimitW;

/** What the people on site are told when somebody looks; the flow looks by itself, by the clock of the machine. */
async function asked(): Promise<unknown> {
  depot().gateway.inject('uc27-fleet-2', { payload: '' });
  await depot().run(1);
  return controlRoom.payloads.at(-1);
}

/** A limit that was accepted and is held. */
async function limited(
  steps: readonly (readonly [number, number])[],
  patch: Patch & { readonly seriesS?: number } = {},
): Promise<Operator> {
  const d = depot();
  fo ??= await d.operator();
  fsrId = `L-${Number(fsrId.slice(2)) + 1}`;
  expect(await fo.request('RequestService', limitBody(d, steps, { fsrId, ...patch }))).toMatchObject({ status: 'ok' });
  await d.run(1);
  expect(fo.decision(fsrId)).toMatchObject({ decision: 'accepted' });
  const [, limitW = 0] = steps[0] ?? [];
  await d.until(`${limitW} W at the connection`, () => pocW() <= limitW + NOISE_W, 10);
  return fo;
}

afterEach(async () => {
  const d = depot();
  d.fleet.control({ station: '*', fault: 'none' });
  d.site?.control({ meter: '*', state: 'right' });
  base(BASE_W);
  fo ??= await d.operator();
  await fo.request('CancelService', { fsrId, reason: 'the test is over', at: d.at(), rampS: 0 });
  await d.run(5);
});

describe('UC 2.7 Congestion management, as it is shipped', () => {
  it('a firm limit holds when the other loads jump, and the vehicles get the room back when they fall', async () => {
    const d = depot();
    await limited([[0, 40_000]]);
    // Full vehicles are offered a share first; 3 response times show that they take none (fo 8.1).
    await d.run(20);
    await d.until('the vehicles use what is left', () => pocW() > 37_000);
    await d.run(10);
    expect(pocW()).toBeGreaterThan(37_000);
    base(HALL_W);
    await d.run(0.5);
    expect(await d.until('the jump is taken up', () => pocW() <= 40_000 + NOISE_W)).toBeLessThanOrEqual(3);
    // Who has to come down does; the others keep what there is.
    expect(d.power()).toBeGreaterThan(14_000);
    await d.run(5);
    expect(d.power()).toBeGreaterThan(14_000);
    base(BASE_W);
    await d.run(0.5);
    // The meter has to show for 10 s that the other loads are gone.
    expect(await d.until('the room comes back', () => d.power() > 27_000)).toBeLessThanOrEqual(15);
    await d.run(10);
    expect(d.power()).toBeGreaterThan(27_000);
    expect(pocW()).toBeLessThanOrEqual(40_000 + NOISE_W);
  });

  it('each wire may be cut while a limit is in force: it holds, also when the other loads jump', async () => {
    const d = depot();
    const ours = new Set(d.flow.filter((n) => n.type.startsWith('v2gate-')).map((n) => n.id));
    const wires = wiresOf(d.flow).filter((w) => ours.has(w.from));
    expect(wires.length).toBeGreaterThanOrEqual(8);
    await limited([[0, 40_000]], { lastsS: 600 });
    for (const [i, wire] of wires.entries()) {
      await d.gateway.deploy(without(d.flow, wire));
      base(i % 2 === 0 ? HALL_W + i * 100 : BASE_W);
      await d.run(3);
      expect(pocW(), `without ${wire.from} → ${wire.to}`).toBeLessThanOrEqual(40_000 + NOISE_W);
      expect(limitInForce()).toBe(40_000);
    }
    await d.gateway.deploy(d.flow);
  });

  it('when the operator is lost the stored series goes on, then the safe limit of the contract; the people on site are told', async () => {
    const d = depot();
    const steps = [
      [0, 45_000],
      [15, 35_000],
    ] as const;
    const lost = await limited(steps, { lastsS: 120, seriesS: 30 });
    await d.run(4);
    await lost.close();
    fo = undefined;
    await d.run(1);
    expect(controlRoom.payloads).toContain('No operator is connected; accepted limits go on.');
    expect(controlRoom.payloads).toContain(`${fsrId} is active`);
    await d.until('the second step', () => limitInForce() === 35_000, 15);
    await d.run(3);
    expect(pocW()).toBeLessThanOrEqual(35_000 + NOISE_W);
    await d.until('the safe limit', () => limitInForce() === 25_000, 25);
    await d.run(3);
    expect(pocW()).toBeLessThanOrEqual(25_000 + NOISE_W);
    fo = await d.operator();
    await d.run(1);
    expect(controlRoom.payloads.at(-1)).toBe('The operator is there.');
    expect(d.snapshot().services.find((s) => s.fsrId === fsrId)).toMatchObject({ state: 'active' });
  });

  it('what a lost station may be drawing is kept free, and the others share the rest', async () => {
    const d = depot();
    await limited([[0, 40_000]]);
    d.fleet.control({ station: 'DEMO-AC-1', fault: 'disconnect' });
    const lost = () => d.snapshot().resources.find((r) => r.resourceId === 'DEMO-AC-1.1');
    await d.until('it is lost', () => lost()?.online === false);
    await d.run(8);
    const others = d.snapshot().resources.filter((r) => r.online);
    const grantedW = others.reduce((sum, r) => sum + Math.max(0, r.grantedW ?? 0), 0);
    expect(grantedW).toBeLessThanOrEqual(40_000 - BASE_W - OFFLINE_W + NOISE_W);
    expect(grantedW).toBeGreaterThan(20_000);
    expect(pocW()).toBeLessThanOrEqual(40_000 + NOISE_W);
    expect(await asked()).toContain('DEMO-AC-1.1 is offline');
  });

  it('without the meter of the connection the vehicles keep to the static share and feed nothing in', async () => {
    const d = depot();
    await limited([[0, 40_000]]);
    expect(d.power()).toBeGreaterThan(20_000);
    d.site?.control({ meter: 'm:poc', state: 'lost' });
    await d.until('it is told', () => d.snapshot().others?.source === 'unknown', 8);
    await d.until('the static share', () => d.power() <= 15_000 + NOISE_W, 8);
    expect(Math.min(...d.snapshot().resources.map((r) => r.measuredW ?? 0))).toBeGreaterThanOrEqual(0);
    expect(await asked()).toContain('meter m:poc is lost');
    d.site?.control({ meter: 'm:poc', state: 'right' });
    expect(await d.until('more again', () => d.power() > 27_000)).toBeLessThanOrEqual(15);
    expect(pocW()).toBeLessThanOrEqual(40_000 + NOISE_W);
  });

  it('a reading by the button of the flow takes room away at once', async () => {
    const d = depot();
    await limited([[0, 45_000]]);
    await d.until('the vehicles use what is left', () => pocW() > 30_000);
    d.site?.control({ meter: 'm:poc', state: 'lost' });
    await d.run(0.5);
    const leftW = 45_000 - (58_000 - d.power());
    d.gateway.inject('uc27-m-poc', { payload: 58 });
    await d.until('less', () => d.power() <= leftW + NOISE_W, 3);
  });
});
