import { describe, expect, it } from 'vitest';
import { allocate, type EvseInput, type SiteInput } from '../../hub/allocation/index.ts';
import { evseOf } from './sites.ts';

const evse = (evseId: string, presentW: number, o: Partial<EvseInput> = {}): EvseInput =>
  evseOf(evseId, { presentW, exportAllowed: false, ...o });

const site = (importLimitW: number, evses: readonly EvseInput[], o: Partial<SiteInput> = {}): SiteInput => ({
  poc: { importLimitW, exportLimitW: 0, netting: 'measured' },
  usedW: 0,
  generationW: 0,
  stepS: 900,
  circuits: [],
  evses,
  ...o,
});

const setpoint = (setpointW: number): Pick<SiteInput, 'target'> => ({
  target: { setpointW, referencePoint: 'evse' },
});
const told = (input: SiteInput): Record<string, number> =>
  Object.fromEntries(allocate(input).commands.map((c) => [c.evseId, c.powerW]));

describe('shares that are nearly right', () => {
  it('are left alone while the sum is what was asked', () => {
    const result = allocate(site(50_000, [evse('a', 4_300), evse('b', 3_700)], setpoint(8_000)));
    expect(result.commands).toEqual([]);
    expect(result.skipped).toEqual(['a', 'b']);
  });

  it('are set where the sum is not, the largest first and no more than that takes', () => {
    const evses = [evse('a', 3_600), evse('b', 3_900), evse('c', 3_900)];
    expect(told(site(50_000, evses, setpoint(12_000)))).toEqual({ a: 4_000, b: 4_000 });
  });

  it('are set where a limit needs it, also for those that get something new', () => {
    const evses = [evse('a', 4_400), evse('b', 4_400), evse('c', 0)];
    expect(Object.keys(told(site(12_000, evses))).sort()).toEqual(['a', 'b', 'c']);
  });

  it('are set when they are far off', () => {
    expect(told(site(50_000, [evse('a', 6_000), evse('b', 2_000)], setpoint(8_000)))).toEqual({ a: 4_000, b: 4_000 });
  });

  it('wait while a command interval of somebody runs, unless the sum needs them', () => {
    const held = evse('c', 9_000, { commandRunning: true });
    const evses = [evse('a', 6_000), evse('b', 2_000), held];
    expect(told(site(50_000, evses, setpoint(17_000)))).toEqual({});
    expect(told(site(50_000, evses, setpoint(21_000)))).toEqual({ b: 6_000 });
  });

  it('wait for increases that cannot be sent now, where the caller plans anew', () => {
    const stale = evse('a', 2_000, { inFlight: { minW: 2_000, maxW: 9_000 }, neededW: 2_000, wishedW: 2_000 });
    const evses = [stale, evse('b', 1_000), evse('c', 8_000, { wishedW: 8_000 })];
    const input = site(18_500, evses, setpoint(11_000));
    expect(Object.keys(told(input))).toContain('c');
    expect(Object.keys(told({ ...input, onlyNow: true }))).not.toContain('c');
  });

  it('are never skipped below a need, above a wish or inside a forbidden zone', () => {
    const evses = [
      evse('a', 3_000, { neededW: 3_300, wishedW: 3_300 }),
      evse('b', 3_000, { wishedW: 2_700 }),
      evse('c', 3_000, { minImportW: 3_200, wishedW: 3_300, neededW: 3_300 }),
    ];
    expect(told(site(50_000, evses))).toEqual({ a: 3_300, b: 2_700, c: 3_300 });
  });
});

describe('an EVSE that is held by its command interval', () => {
  it('comes down no further than a limit needs, whatever others wish', () => {
    const held = evse('a', 6_000, { commandRunning: true });
    const { grants } = allocate(site(5_500, [held, evse('b', 0)]));
    expect(grants.map((g) => g.grantedW)).toEqual([5_500, 0]);
  });

  it('shares what is too much with the other held ones', () => {
    const held = [evse('a', 6_000, { commandRunning: true }), evse('b', 3_000, { commandRunning: true })];
    expect(allocate(site(6_000, held)).grants.map((g) => g.grantedW)).toEqual([4_000, 2_000]);
  });
});

describe('while it is not known what others do', () => {
  const inDoubt = (now: number) => ({
    poc: {
      importLimitW: 12_000,
      exportLimitW: 0,
      netting: 'measured' as const,
      now: { importLimitW: now, exportLimitW: 0 },
    },
  });

  it('shares are made for the room there will be, and increases wait for it', () => {
    const result = allocate(site(0, [evse('a', 6_000), evse('b', 0)], inDoubt(6_000)));
    expect(result.grants.map((g) => g.grantedW)).toEqual([6_000, 6_000]);
    expect(result).toMatchObject({ commands: [], deferred: ['b'] });
  });

  it('increases go that fit even so', () => {
    expect(told(site(0, [evse('a', 6_000), evse('b', 0)], inDoubt(12_000)))).toEqual({ b: 6_000 });
  });
});

describe('of alike EVSEs below their minimum', () => {
  it('those that do nothing are given up before those that charge', () => {
    const min = { minImportW: 4_140 };
    const evses = [evse('a', 0, min), evse('b', 4_500, min), evse('c', 0, min)];
    expect(allocate(site(5_000, evses)).grants.map((g) => g.grantedW)).toEqual([0, 5_000, 0]);
  });
});
