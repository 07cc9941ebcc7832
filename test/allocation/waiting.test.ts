import { describe, expect, it } from 'vitest';
import { type AllocationResult, allocate, type EvseInput, type SiteInput } from '../../hub/allocation/index.ts';

const evse = (evseId: string, presentW: number, wishedW: number, o: Partial<EvseInput> = {}): EvseInput => ({
  evseId,
  loW: 0,
  neededW: 0,
  wishedW,
  minImportW: 0,
  minExportW: 0,
  presentW,
  maxW: 11_000,
  commandRunning: false,
  exportAllowed: true,
  ...o,
});

const site = (importLimitW: number, evses: readonly EvseInput[]): SiteInput => ({
  poc: { importLimitW, exportLimitW: 0, netting: 'none' },
  usedW: 0,
  generationW: 0,
  stepS: 900,
  circuits: [],
  evses,
});

/** Who must be confirmed before an EVSE's last command goes. */
function waitsFor(result: AllocationResult, evseId: string): (string | undefined)[] {
  const command = result.commands.findLast((c) => c.evseId === evseId);
  return (command?.waitsFor ?? []).flatMap(({ gate, count }) =>
    (result.gates[gate] ?? []).slice(0, count).map((i) => result.commands[i]?.evseId),
  );
}

describe('an increase', () => {
  it('goes at once where it fits in even if nothing else arrives', () => {
    const result = allocate(site(20_000, [evse('a', 9_000, 4_000), evse('b', 2_000, 9_000)]));
    expect(waitsFor(result, 'b')).toEqual([]);
  });

  it('waits for no more reductions than it takes', () => {
    const downs = ['a', 'b', 'c'].map((id) => evse(id, 6_000, 2_000));
    const result = allocate(site(20_000, [...downs, evse('d', 2_000, 7_000), evse('e', 0, 3_000)]));
    const counts = [waitsFor(result, 'd').length, waitsFor(result, 'e').length];
    expect(Math.max(...counts)).toBe(2);
  });

  it('waits until enough is reduced where the limit is exceeded already', () => {
    const result = allocate(site(10_000, [evse('a', 9_000, 2_000), evse('b', 9_000, 3_000), evse('c', 0, 5_000)]));
    expect(waitsFor(result, 'c').sort()).toEqual(['a', 'b']);
  });

  it('waits for an earlier reduction that is still under way, which is told again for it', () => {
    const inFlight = { minW: 2_000, maxW: 9_000 };
    const result = allocate(site(10_000, [evse('a', 2_000, 2_000, { inFlight }), evse('b', 1_000, 8_000)]));
    expect(result.commands[0]).toEqual({ evseId: 'a', powerW: 2_000, phase: 'reduction', waitsFor: [] });
    expect(waitsFor(result, 'b')).toEqual(['a']);
  });

  it('makes nobody repeat anything where it need not wait', () => {
    const inFlight = { minW: 2_000, maxW: 9_000 };
    const result = allocate(site(20_000, [evse('a', 2_000, 2_000, { inFlight }), evse('b', 1_000, 8_000)]));
    expect(result.commands.map((c) => c.evseId)).toEqual(['b']);
  });

  it('is left to a later run where what it waits for cannot be told again now', () => {
    const held = { inFlight: { minW: 2_000, maxW: 9_000 }, commandRunning: true };
    const result = allocate(site(10_000, [evse('a', 2_000, 2_000, held), evse('b', 1_000, 8_000)]));
    expect(result).toMatchObject({ commands: [], deferred: ['b'], transient: [] });
  });
});

describe('at a node with measured netting', () => {
  it('imports that live on exports wait for them, in whatever order they are listed', () => {
    const poc = { importLimitW: 1_000, exportLimitW: 9_000, netting: 'measured' as const };
    const evses = [evse('in', 0, 6_000, { neededW: 6_000 }), evse('out', 0, 0, { loW: -8_000, neededW: -8_000 })];
    const target = { setpointW: 1_000, referencePoint: 'evse' as const };
    const result = allocate({ ...site(0, evses), poc, target });
    expect(result.commands.map((c) => [c.evseId, c.phase])).toEqual([
      ['out', 'free'],
      ['in', 'waits'],
    ]);
    expect(waitsFor(result, 'in')).toEqual(['out']);
  });

  it('what no order can do goes all the same, and the node is named', () => {
    const poc = { importLimitW: 0, exportLimitW: 0, netting: 'measured' as const };
    const evses = [evse('in', 0, 6_000, { neededW: 6_000 }), evse('out', 0, 0, { loW: -6_000, neededW: -6_000 })];
    const target = { setpointW: 0, referencePoint: 'evse' as const };
    const result = allocate({ ...site(0, evses), poc, target });
    expect(result.transient).toEqual(['poc']);
    expect(result.commands.map((c) => c.evseId).sort()).toEqual(['in', 'out']);
  });
});
