import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/errors.ts';
import { allocate, availability, type EvseInput, type SiteInput } from '../../hub/allocation/index.ts';
import { evseOf } from './sites.ts';

const evse = (evseId: string, o: Partial<EvseInput> = {}): EvseInput => evseOf(evseId, { exportAllowed: true, ...o });

const site = (evses: readonly EvseInput[], o: Partial<SiteInput> = {}): SiteInput => ({
  poc: { importLimitW: 100_000, exportLimitW: 100_000, netting: 'measured' },
  usedW: 0,
  generationW: 0,
  stepS: 900,
  circuits: [],
  evses,
  ...o,
});

const target = (setpointW: number, members?: readonly string[]) => ({
  target: { setpointW, referencePoint: 'evse' as const, ...(members ? { members } : {}) },
});

const granted = (input: SiteInput) => Object.fromEntries(allocate(input).grants.map((g) => [g.evseId, g.grantedW]));

describe('rounding (fo 8.3.7)', () => {
  it('gives stations that take only amperes whole tenths of an ampere, toward zero', () => {
    const amps = { voltageV: 230, phases: 3 };
    expect(granted(site([evse('a', { amps })], target(7_000)))).toEqual({ a: 6_969 });
    const [grant] = allocate(site([evse('a', { amps })], target(7_000))).grants;
    expect((grant?.grantedW ?? 0) / 690).toBeCloseTo(10.1, 9);
  });

  it('does not lose a step to binary fractions', () => {
    const amps = { voltageV: 230, phases: 1 };
    for (let tenths = 60; tenths <= 320; tenths++) {
      const power = (tenths / 10) * 230;
      const grants = granted(site([evse('a', { amps, minImportW: 1_380 })], target(power)));
      expect(grants.a).toBeCloseTo(Math.min(power, Math.floor(110_000 / 230) * 23), 6);
    }
  });

  it('gives multiples of stepW, and whole watts where there is none', () => {
    expect(granted(site([evse('a', { stepW: 250 }), evse('b')], target(5_001)))).toEqual({ a: 2_500, b: 2_500 });
  });

  it('lowers the largest export when rounding imports down breaks an export limit', () => {
    const poc = { importLimitW: 100_000, exportLimitW: 1_000, netting: 'measured' as const };
    const evses = [
      evse('in', { neededW: 2_999, wishedW: 2_999, stepW: 500 }),
      evse('out1', { loW: -2_500, neededW: -2_500, wishedW: 0, stepW: 100 }),
      evse('out2', { loW: -1_499, neededW: -1_499, wishedW: 0, stepW: 1 }),
    ];
    const result = allocate(site(evses, { poc, ...target(-1_000) }));
    const byId = Object.fromEntries(result.grants.map((g) => [g.evseId, g.grantedW]));
    expect(byId).toEqual({ in: 2_500, out1: -2_000, out2: -1_499 });
    expect(result.alarms).toEqual([]);
  });

  it('lowers the largest import when rounding exports breaks an import limit', () => {
    const poc = { importLimitW: 1_000, exportLimitW: 100_000, netting: 'measured' as const };
    const evses = [
      evse('in1', { neededW: 4_000, wishedW: 4_000 }),
      evse('in2', { neededW: 1_999, wishedW: 1_999 }),
      evse('out', { loW: -4_999, neededW: -4_999, wishedW: -0, stepW: 500 }),
    ];
    const grants = granted(site(evses, { poc, ...target(1) }));
    expect(grants).toEqual({ in1: 3_501, in2: 1_999, out: -4_500 });
  });

  it('gives up who is rounded below its minimum, and others get its power', () => {
    const evses = [evse('a', { minImportW: 1_400, stepW: 1_000 }), evse('b')];
    expect(granted(site(evses, target(3_800)))).toEqual({ a: 0, b: 3_800 });
  });
});

describe('forbidden zones (fo 8.3.6)', () => {
  it('gives up the least urgent first, of equals the last in byte order', () => {
    const evses = ['a', 'b', 'c', 'd'].map((id) => evse(id, { minImportW: 4_140 }));
    expect(granted(site(evses, target(9_000)))).toEqual({ a: 4_500, b: 4_500, c: 0, d: 0 });
    const urgent = evses.map((e) => (e.evseId === 'd' ? { ...e, neededW: 4_140 } : e));
    expect(granted(site(urgent, target(9_000)))).toEqual({ a: 0, b: 0, c: 0, d: 9_000 });
  });

  it('does not leave anybody between 0 and the least export', () => {
    const evses = ['a', 'b', 'c'].map((id) => evse(id, { loW: -10_000, neededW: -10_000, minExportW: 2_000 }));
    const grants = granted(site(evses, target(-3_000)));
    expect(Object.values(grants)).toEqual([-3_000, 0, 0]);
  });
});

describe('who counts how', () => {
  it('leaves opted-out EVSEs out of the target but in the limits', () => {
    const poc = { importLimitW: 12_000, exportLimitW: 0, netting: 'measured' as const };
    const evses = [evse('a'), evse('out', { fixed: { minW: 8_000, maxW: 8_000 }, presentW: 8_000 })];
    const result = allocate(site(evses, { poc, ...target(9_000) }));
    expect(result).toMatchObject({ targetW: 4_000, sumW: 4_000, limitedBy: 'poc' });
  });

  it('counts an offline EVSE with its worst case in each direction', () => {
    const poc = { importLimitW: 12_000, exportLimitW: 3_000, netting: 'measured' as const };
    const offline = evse('off', { fixed: { minW: -2_000, maxW: 7_000 }, presentW: 0 });
    const v2g = evse('a', { loW: -10_000, neededW: -10_000 });
    expect(granted(site([v2g, offline], { poc, ...target(11_000) }))).toMatchObject({ a: 5_000 });
    expect(granted(site([v2g, offline], { poc, ...target(-9_000) }))).toMatchObject({ a: -1_000 });
  });

  it('keeps what runs a command interval as it is, inside the target', () => {
    const evses = [evse('a'), evse('b', { presentW: 4_000, commandRunning: true })];
    const result = allocate(site(evses, target(9_000)));
    expect(result.grants.map((g) => [g.grantedW, g.basis])).toEqual([
      [5_000, 'share'],
      [4_000, 'held'],
    ]);
    expect(result.commands.map((c) => c.evseId)).toEqual(['a']);
  });

  it('reduces what runs a command interval when a limit needs it', () => {
    const poc = { importLimitW: 6_000, exportLimitW: 0, netting: 'measured' as const };
    const evses = [
      evse('a', { neededW: 3_000, presentW: 3_000 }),
      evse('b', { presentW: 7_000, commandRunning: true }),
    ];
    const result = allocate(site(evses, { poc, ...target(20_000) }));
    expect(result.alarms).toEqual([]);
    expect(result.sumW).toBeLessThanOrEqual(6_000);
    expect(result.grants[0]?.grantedW).toBeGreaterThanOrEqual(3_000);
    expect(result.commands).toContainEqual(expect.objectContaining({ evseId: 'b', phase: 'reduction' }));
  });

  it('stops an export at once where it is no longer allowed, interval or not', () => {
    const gone = evse('a', { loW: -5_000, presentW: -5_000, commandRunning: true, exportAllowed: false });
    const result = allocate(site([gone], target(-5_000)));
    expect(result.commands).toEqual([{ evseId: 'a', powerW: 0, phase: 'reduction', waitsFor: [] }]);
  });

  it('stays on its side of the zone during minimum on and off times', () => {
    const evses = [
      evse('on', { minImportW: 4_140, keepSide: 'import', presentW: 5_000 }),
      evse('off', { minImportW: 4_140, keepSide: 'zero' }),
      evse('c'),
    ];
    expect(granted(site(evses, target(6_000)))).toMatchObject({ off: 0 });
    expect(granted(site(evses, target(1_000))).on).toBe(4_140);
  });

  it('gives the target to its members, need to everybody before, wishes to the others after', () => {
    const poc = { importLimitW: 15_000, exportLimitW: 0, netting: 'measured' as const };
    const evses = [evse('m1'), evse('m2'), evse('x', { neededW: 3_000 }), evse('y')];
    const result = allocate(site(evses, { poc, ...target(8_000, ['m1', 'm2']) }));
    expect(result.targetW).toBe(8_000);
    expect(Object.fromEntries(result.grants.map((g) => [g.evseId, Math.round(g.plannedW)]))).toEqual({
      m1: 4_000,
      m2: 4_000,
      x: expect.closeTo(4_684, -1),
      y: expect.closeTo(2_316, -1),
    });
    const tight = allocate(site(evses, { poc, ...target(20_000, ['m1', 'm2']) }));
    expect(tight).toMatchObject({ targetW: 12_000, limitedBy: 'poc', shortfallW: 0 });
  });

  it('never makes anybody export who serves nothing', () => {
    const v2g = { loW: -10_000, neededW: -10_000 };
    const result = allocate(site([evse('m', v2g), evse('x', v2g)], target(-15_000, ['m'])));
    expect(result).toMatchObject({ targetW: -10_000, limitedBy: 'needed' });
    expect(result.grants.map((g) => g.grantedW)).toEqual([-10_000, 11_000]);
    expect(granted(site([evse('x', v2g)]))).toEqual({ x: 11_000 });
  });

  it('counts a target at the POC with base load, generation and ESS', () => {
    const ess = { powerW: -1_000, maxDischargeW: 5_000, availableWh: 10_000, minWh: 0 };
    const asked = { setpointW: 10_000, referencePoint: 'site' as const };
    const result = allocate(site([evse('a')], { usedW: 6_000, generationW: 2_000, ess, target: asked }));
    expect(result.grants[0]?.grantedW).toBe(7_000);
  });

  it('discharges the ESS as far as it must for needs, and no further than it may', () => {
    const poc = { importLimitW: 5_000, exportLimitW: 0, netting: 'measured' as const };
    const ess = { powerW: 0, maxDischargeW: 9_000, availableWh: 3_000, minWh: 1_000 };
    const enough = allocate(site([evse('a', { neededW: 8_000 })], { poc, ess }));
    expect(enough).toMatchObject({ essW: -3_000, shortfallW: 0 });
    const short = allocate(site([evse('a', { neededW: 11_000 }), evse('b', { neededW: 11_000 })], { poc, ess }));
    expect(short).toMatchObject({ essW: -8_000, sumW: 13_000, shortfallW: 9_000 });
  });

  it('raises an alarm for what no cut can bring within a limit', () => {
    const poc = { importLimitW: 5_000, exportLimitW: 0, netting: 'measured' as const };
    const off = evse('off', { fixed: { minW: 0, maxW: 7_000 } });
    expect(allocate(site([off, evse('a')], { poc })).alarms).toEqual([
      { code: 'limit.unreachable', nodeId: 'poc', direction: 'import', limitW: 5_000, valueW: 7_000 },
    ]);
  });
});

describe('commands (fo 8.3.8)', () => {
  it('skips small changes, but not the reduction a limit needs', () => {
    const small = [evse('a', { presentW: 5_050 }), evse('b', { presentW: 4_000 })];
    const loose = allocate(site(small, target(10_000)));
    expect(loose.skipped).toEqual(['a']);
    const poc = { importLimitW: 10_000, exportLimitW: 0, netting: 'measured' as const };
    const tight = allocate(site(small, { poc, ...target(10_000) }));
    expect(tight.skipped).toEqual([]);
  });

  it('lets an increase wait only for the reductions without which a limit could be exceeded', () => {
    const circuits = [
      { circuitId: 'k1', importLimitW: 11_000, exportLimitW: 0, netting: 'none' as const },
      { circuitId: 'k2', importLimitW: 50_000, exportLimitW: 0, netting: 'none' as const },
    ];
    const evses = [
      evse('down', { circuitId: 'k1', presentW: 8_000, wishedW: 3_000 }),
      evse('up', { circuitId: 'k1', presentW: 3_000, wishedW: 8_000 }),
      evse('else', { circuitId: 'k2', presentW: 3_000 }),
    ];
    const { commands, gates } = allocate(site(evses, { circuits }));
    const byId = Object.fromEntries(commands.map((c) => [c.evseId, c]));
    expect(byId.down?.phase).toBe('reduction');
    expect(byId.else).toMatchObject({ phase: 'free', waitsFor: [] });
    expect(byId.up?.phase).toBe('waits');
    const [wait] = byId.up?.waitsFor ?? [];
    expect((gates[wait?.gate ?? -1] ?? []).slice(0, wait?.count).map((i) => commands[i]?.evseId)).toEqual(['down']);
  });

  it('tells an EVSE that crosses 0 twice only where it must wait on the way', () => {
    const circuits = [{ circuitId: 'k', importLimitW: 5_000, exportLimitW: 5_000, netting: 'none' as const }];
    const swap = [
      evse('a', { circuitId: 'k', presentW: -5_000, loW: -5_000, neededW: 5_000, wishedW: 5_000 }),
      evse('b', { circuitId: 'k', presentW: 5_000, loW: -5_000, neededW: -5_000, wishedW: 0 }),
    ];
    const both = allocate(site(swap, { circuits, ...target(0) })).commands;
    expect(both.map((c) => [c.evseId, c.powerW, c.phase])).toEqual(
      expect.arrayContaining([
        ['a', 0, 'reduction'],
        ['b', 0, 'reduction'],
        ['a', 5_000, 'waits'],
        ['b', -5_000, 'waits'],
      ]),
    );
    const alone = allocate(site(swap.slice(0, 1), { circuits, ...target(5_000) })).commands;
    expect(alone).toEqual([{ evseId: 'a', powerW: 5_000, phase: 'free', waitsFor: [] }]);
  });
});

describe('availability (fo 8.6)', () => {
  it('sums needs and wishes within the limits of the tree', () => {
    const circuits = [{ circuitId: 'k', importLimitW: 15_000, exportLimitW: 6_000, netting: 'none' as const }];
    const v2g = evse('a', { circuitId: 'k', loW: -10_000, neededW: -10_000 });
    const { total, circuits: nodes } = availability(
      site([v2g, evse('b', { circuitId: 'k' }), evse('c')], { circuits }),
    );
    expect(nodes).toEqual([{ nodeId: 'k', neededW: -6_000, wishedW: 15_000, importMaxW: 15_000, exportMaxW: 6_000 }]);
    expect(total).toEqual({ nodeId: 'poc', neededW: -6_000, wishedW: 26_000, importMaxW: 26_000, exportMaxW: 6_000 });
  });
});

describe('an inconsistent site', () => {
  const circuit = (circuitId: string, parentId: string) => ({
    circuitId,
    parentId,
    importLimitW: 1,
    exportLimitW: 1,
    netting: 'none' as const,
  });

  it.each([
    ['a doubled EVSE', site([evse('a'), evse('a')])],
    ['an unknown circuit', site([evse('a', { circuitId: 'nowhere' })])],
    ['a circle of circuits', site([], { circuits: [circuit('a', 'b'), circuit('b', 'a')] })],
    ['an unknown parent', site([], { circuits: [circuit('a', 'x')] })],
    ['a doubled circuit', site([], { circuits: [circuit('a', 'poc'), circuit('a', 'poc')] })],
    ['a number that is none', site([evse('a', { wishedW: Number.NaN })])],
    ['a step of 0', site([evse('a', { stepW: 0 })])],
    ['a tree that is too deep', site([], { circuits: chain(80) })],
  ])('is refused: %s', (_, input) => {
    let code: string | undefined;
    try {
      allocate(input);
    } catch (e) {
      code = codeOf(e);
    }
    expect(code).toBe('allocation.input');
  });

  function chain(length: number) {
    return Array.from({ length }, (_, i) => circuit(`c${i}`, i === 0 ? 'poc' : `c${i - 1}`));
  }

  it('is not needed for an empty site', () => {
    expect(allocate(site([]))).toMatchObject({ grants: [], commands: [], targetW: 0, sumW: 0 });
  });
});
