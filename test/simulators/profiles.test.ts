import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterOffline,
  afterReboot,
  clear,
  composite,
  effectiveAt,
  endTransaction,
  install,
  nextChange,
  type Profile,
  type ProfileContext,
  type Purpose,
  rateToW,
  type Schedule,
  updateDynamic,
  wToRate,
} from '../../simulators/core/index.ts';

const T0 = Date.UTC(2026, 0, 1, 12);
const ctx: ProfileContext = { evseId: 1, nominalV: 230, phases: 3, transactionId: '7', energyStartMs: T0 };

let nextId = 1;
type Draft = Partial<Omit<Profile, 'schedule'>> & { limit?: number; schedule?: Partial<Schedule> };

/** An Absolute TxDefault profile of 10 kW from T0 on stack 0, changed as told. */
function profile({ limit, schedule, ...rest }: Draft): Profile {
  return {
    id: nextId++,
    evseId: 1,
    purpose: 'TxDefaultProfile',
    kind: 'Absolute',
    stackLevel: 0,
    ...rest,
    schedule: { unit: 'W', startMs: T0, periods: [{ startS: 0, limit: limit ?? 10_000 }], ...schedule },
  };
}
const limitAt = (profiles: Profile[], seconds: number, c = ctx): number | undefined =>
  effectiveAt(profiles, T0 + seconds * 1000, c).limitW;

describe('which profile counts', () => {
  it('nothing installed means no limit', () => {
    expect(effectiveAt([], T0, ctx)).toEqual({ mode: 'ChargingOnly', from: [] });
  });

  it('the highest stack level that has a period at that time wins', () => {
    const low = profile({ limit: 3000 });
    const high = profile({ limit: 9000, stackLevel: 5, schedule: { durationS: 60 } });
    expect(limitAt([low, high], 59)).toBe(9000);
    expect(limitAt([low, high], 60)).toBe(3000);
  });

  it('without a duration the last period never ends and lower levels wait for ever', () => {
    const profiles = [profile({ limit: 3000 }), profile({ limit: 9000, stackLevel: 1 })];
    expect(limitAt(profiles, 10 * 365 * 86_400)).toBe(9000);
  });

  it('TxProfile replaces TxDefault, even with a higher limit, and only in its transaction', () => {
    const profiles = [
      profile({ limit: 3000, stackLevel: 9 }),
      profile({ limit: 9000, purpose: 'TxProfile', transactionId: '7' }),
    ];
    expect(limitAt(profiles, 1)).toBe(9000);
    expect(limitAt(profiles, 1, { ...ctx, transactionId: '8' })).toBe(3000);
  });

  it('the lowest of station maximum, transaction level and external constraints holds', () => {
    const max = profile({ limit: 8000, purpose: 'ChargingStationMaxProfile', evseId: 0 });
    const tx = profile({ limit: 9000, purpose: 'TxProfile', transactionId: '7' });
    const ems = profile({ limit: 5000, purpose: 'ChargingStationExternalConstraints' });
    expect(limitAt([max, tx], 1)).toBe(8000);
    expect(limitAt([max, tx, ems], 1)).toBe(5000);
  });

  it('priority charging replaces default and transaction profiles only while it is active', () => {
    const profiles = [
      profile({ limit: 3000, purpose: 'TxProfile', transactionId: '7' }),
      profile({ limit: 9000, purpose: 'PriorityCharging' }),
      profile({ limit: 7000, purpose: 'ChargingStationMaxProfile', evseId: 0 }),
    ];
    expect(limitAt(profiles, 1)).toBe(3000);
    expect(limitAt(profiles, 1, { ...ctx, priorityActive: true })).toBe(7000);
  });

  it('local generation comes on top', () => {
    const profiles = [profile({ limit: 3000 }), profile({ limit: 2000, purpose: 'LocalGeneration' })];
    expect(limitAt(profiles, 1)).toBe(5000);
  });

  it('at the same level the profile of the EVSE beats that of the station', () => {
    expect(limitAt([profile({ limit: 3000, evseId: 0 }), profile({ limit: 9000 })], 1)).toBe(9000);
    expect(limitAt([profile({ limit: 3000, evseId: 2 })], 1)).toBeUndefined();
  });
});

describe('when a profile counts', () => {
  it('from validFrom until before validTo', () => {
    const p = profile({ validFromMs: T0 + 10_000, validToMs: T0 + 20_000 });
    expect([9, 10, 19.999, 20].map((s) => limitAt([p], s))).toEqual([undefined, 10_000, 10_000, undefined]);
  });

  it('absolute periods follow one another until the duration is over; later periods are skipped', () => {
    const periods = [
      { startS: 0, limit: 1000 },
      { startS: 60, limit: 2000 },
      { startS: 120, limit: 3000 },
    ];
    const p = profile({ schedule: { durationS: 100, periods } });
    expect([-1, 0, 59, 60, 99, 100, 130].map((s) => limitAt([p], s))).toEqual([
      undefined,
      1000,
      1000,
      2000,
      2000,
      undefined,
      undefined,
    ]);
  });

  it('relative schedules count from the moment energy can flow', () => {
    const { startMs: _none, ...schedule } = profile({}).schedule;
    const p: Profile = { ...profile({ kind: 'Relative' }), schedule: { ...schedule, durationS: 30 } };
    const late = { ...ctx, energyStartMs: T0 + 100_000 };
    expect([99, 100, 129, 130].map((s) => limitAt([p], s, late))).toEqual([undefined, 10_000, 10_000, undefined]);
  });

  it('recurring schedules leave a gap between their duration and the next day', () => {
    const p = profile({ kind: 'Recurring', recurrenceS: 86_400, schedule: { durationS: 3600 } });
    const hours = [-1, 0, 0.99, 1, 23.9, 24, 48.5, 49].map((h) => limitAt([p], h * 3600));
    expect(hours).toEqual([undefined, 10_000, 10_000, undefined, undefined, 10_000, 10_000, undefined]);
  });

  it('offline, a profile is skipped after maxOfflineDuration and may die of it', () => {
    const p = profile({ maxOfflineS: 30 });
    const offline = { ...ctx, offlineSinceMs: T0 };
    expect([30, 31].map((s) => limitAt([p], s, offline))).toEqual([10_000, undefined]);
    expect(limitAt([profile({ maxOfflineS: 0 })], 0, offline)).toBeUndefined();
    expect(limitAt([p], 31)).toBe(10_000);
    const dies = { ...p, invalidAfterOffline: true };
    expect(afterOffline([p, dies], T0 + 31_000, T0)).toEqual([p]);
  });

  it('a dynamic profile falls silent when its watchdog runs out, and an update revives it', () => {
    const fallback = profile({ limit: 0 });
    const dynamic = profile({ kind: 'Dynamic', stackLevel: 3, dynUpdateMs: T0, schedule: { durationS: 20 } });
    expect(limitAt([fallback, dynamic], 20)).toBe(10_000);
    expect(limitAt([fallback, dynamic], 20.001)).toBe(0);
    const updated = updateDynamic([fallback, dynamic], dynamic.id, { limit: 4000 }, T0 + 50_000) ?? [];
    expect(effectiveAt(updated, T0 + 60_000, ctx).limitW).toBe(4000);
    expect(updateDynamic([fallback], fallback.id, { limit: 1 }, T0)).toBeUndefined();
    expect(updateDynamic([fallback], 999, { limit: 1 }, T0)).toBeUndefined();
  });
});

describe('units, phases and V2X values', () => {
  it('amperes are per phase, watts the sum of the planned phases', () => {
    expect(rateToW(16, 'A', undefined, ctx)).toBe(11_040);
    expect(rateToW(16, 'A', 1, ctx)).toBe(3680);
    expect(rateToW(11_040, 'W', 3, { ...ctx, phases: 1 })).toBeCloseTo(3680, 9);
    expect(rateToW(5000, 'W', undefined, { ...ctx, phases: 0 })).toBe(5000);
    expect(wToRate(11_040, 'A', ctx)).toBe(16);
  });

  it('the fewest phases of all profiles count', () => {
    const one = profile({ schedule: { unit: 'A', periods: [{ startS: 0, limit: 16, numberPhases: 1 }] } });
    const max = profile({ purpose: 'ChargingStationMaxProfile', evseId: 0, limit: 9000 });
    expect(effectiveAt([one, max], T0, ctx)).toMatchObject({ limitW: 3680, numberPhases: 1 });
  });

  it('a setpoint is capped to what limits of other profiles leave', () => {
    const setpoint = (w: number): Profile =>
      profile({
        purpose: 'TxProfile',
        transactionId: '7',
        schedule: { periods: [{ startS: 0, setpoint: w, mode: 'CentralSetpoint' }] },
      });
    const max = profile({ purpose: 'ChargingStationMaxProfile', evseId: 0, limit: 3000 });
    const ems = profile({
      purpose: 'ChargingStationExternalConstraints',
      schedule: { periods: [{ startS: 0, limit: 9000, dischargeLimit: -2000, mode: 'ExternalLimits' }] },
    });
    const at = (w: number): number | undefined => effectiveAt([setpoint(w), max, ems], T0, ctx).setpointW;
    expect([10_000, 2000, -1500, -10_000].map(at)).toEqual([3000, 2000, -1500, -2000]);
    expect(effectiveAt([setpoint(1)], T0, ctx).mode).toBe('CentralSetpoint');
  });

  it('idle means zero', () => {
    const p = profile({ schedule: { periods: [{ startS: 0, mode: 'Idle' }] } });
    expect(effectiveAt([p], T0, ctx)).toMatchObject({ mode: 'Idle', setpointW: 0 });
  });

  it('from limitAtSoC on the lower limit holds', () => {
    const p = profile({ limit: 9000, schedule: { limitAtSoC: { socPct: 80, limit: 2000 } } });
    expect(limitAt([p], 1, { ...ctx, socPct: 79 })).toBe(9000);
    expect(limitAt([p], 1, { ...ctx, socPct: 80 })).toBe(2000);
  });
});

describe('the composite schedule', () => {
  it('shows each change of the plan once', () => {
    const max = profile({ purpose: 'ChargingStationMaxProfile', evseId: 0, limit: 9000 });
    const tx = profile({
      purpose: 'TxProfile',
      transactionId: '7',
      schedule: {
        durationS: 120,
        periods: [
          { startS: 0, limit: 4000 },
          { startS: 60, limit: 12_000 },
        ],
      },
    });
    const evening = profile({ limit: 6000, schedule: { startMs: T0 + 300_000 } });
    const plan = composite([max, tx, evening], T0, 600, ctx).map((p) => [p.startS, p.limitW]);
    expect(plan).toEqual([
      [0, 4000],
      [60, 9000],
      [300, 6000],
    ]);
  });

  it('says what is in force at each moment and never exceeds the station maximum', () => {
    fc.assert(
      fc.property(fc.array(aProfile, { maxLength: 8 }), fc.integer({ min: 0, max: 400 }), (profiles, s) => {
        const plan = composite(profiles, T0, 400, ctx);
        const here = plan.findLast((p) => p.startS <= s);
        const now = effectiveAt(profiles, T0 + s * 1000, ctx);
        if (s < 400) expect(here).toMatchObject({ ...now, from: expect.anything() });
        const caps = profiles.filter((p) => p.purpose === 'ChargingStationMaxProfile');
        const cap = effectiveAt(caps, T0 + s * 1000, ctx).limitW;
        if (cap !== undefined) expect(now.limitW ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(cap);
      }),
      { numRuns: 500 },
    );
  });

  it('never changes before the time it names', () => {
    fc.assert(
      fc.property(fc.array(aProfile, { maxLength: 8 }), fc.integer({ min: 0, max: 400_000 }), (profiles, ms) => {
        const now = T0 + ms;
        const until = Math.min(nextChange(profiles, now, ctx), now + 500_000);
        expect(until).toBeGreaterThan(now);
        const probe = now + Math.floor((until - now) * 0.999);
        expect(effectiveAt(profiles, probe, ctx)).toEqual(effectiveAt(profiles, now, ctx));
      }),
      { numRuns: 500 },
    );
  });
});

const aProfile: fc.Arbitrary<Profile> = fc
  .record({
    purpose: fc.constantFrom<Purpose>('ChargingStationMaxProfile', 'TxDefaultProfile', 'TxProfile'),
    kind: fc.constantFrom<Profile['kind']>('Absolute', 'Recurring', 'Dynamic'),
    stackLevel: fc.integer({ min: 0, max: 3 }),
    station: fc.boolean(),
    startS: fc.integer({ min: -300, max: 300 }),
    durationS: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
    limits: fc.array(fc.integer({ min: 0, max: 12_000 }), { minLength: 1, maxLength: 4 }),
    lengthS: fc.integer({ min: 1, max: 120 }),
  })
  .map(({ purpose, kind, stackLevel, station, startS, durationS, limits, lengthS }) => ({
    id: nextId++,
    evseId: purpose === 'ChargingStationMaxProfile' || (station && purpose !== 'TxProfile') ? 0 : 1,
    purpose,
    kind,
    stackLevel,
    ...(purpose === 'TxProfile' ? { transactionId: '7' } : {}),
    ...(kind === 'Recurring' ? { recurrenceS: 350 } : {}),
    ...(kind === 'Dynamic' ? { dynUpdateMs: T0 + startS * 1000 } : {}),
    schedule: {
      unit: 'W' as const,
      startMs: T0 + startS * 1000,
      ...(durationS === undefined ? {} : { durationS }),
      periods: (kind === 'Dynamic' ? limits.slice(0, 1) : limits).map((limit, i) => ({ startS: i * lengthS, limit })),
    },
  }));

describe('the profile store', () => {
  const silent = { rule: 'silent', max: 10, nowMs: T0 } as const;
  const strict = { rule: 'strict', max: 10, nowMs: T0 } as const;

  it('the same id replaces', () => {
    const old = profile({ limit: 1 });
    const result = install([old], { ...profile({ limit: 2, stackLevel: 4 }), id: old.id }, strict);
    expect(result.ok && result.profiles.map((p) => p.stackLevel)).toEqual([4]);
  });

  it('1.6 silently replaces the same purpose and level; 2.x refuses it under another id', () => {
    const old = profile({});
    const other = profile({});
    const replaced = install([old], other, silent);
    expect(replaced.ok && replaced.profiles).toEqual([other]);
    expect(install([old], other, strict)).toEqual({ ok: false, reasonCode: 'DuplicateProfile' });
    const apart = { ...other, validFromMs: T0 + 10_000 };
    expect(install([{ ...old, validToMs: T0 + 10_000 }], apart, strict).ok).toBe(true);
  });

  it('2.x refuses a default of the station beside one of an EVSE at the same level; 1.6 keeps both', () => {
    const station = profile({ evseId: 0 });
    expect(install([station], profile({}), strict)).toEqual({ ok: false, reasonCode: 'DuplicateProfile' });
    expect(install([profile({})], station, strict)).toEqual({ ok: false, reasonCode: 'DuplicateProfile' });
    const both = install([station], profile({}), silent);
    expect(both.ok && both.profiles.length).toBe(2);
  });

  it('is bounded', () => {
    const full = [0, 1, 2].map((stackLevel) => profile({ stackLevel }));
    const next = profile({ stackLevel: 3 });
    expect(install(full, next, { ...strict, max: 3 })).toEqual({ ok: false, reasonCode: 'TooManyProfiles' });
    const spent = full.map((p, i) => (i === 0 ? { ...p, validToMs: T0 } : p));
    expect(install(spent, next, { ...strict, max: 3 }).ok).toBe(true);
  });

  it('clears by id, by criteria, by everything', () => {
    const all = [
      profile({ stackLevel: 0 }),
      profile({ stackLevel: 1 }),
      profile({ purpose: 'TxProfile', transactionId: '7' }),
      profile({ purpose: 'ChargingStationExternalConstraints' }),
    ];
    expect(clear(all, { id: all[0]?.id ?? 0 }).removed).toBe(1);
    expect(clear(all, { purpose: 'TxDefaultProfile' }).removed).toBe(2);
    expect(clear(all, { evseId: 2 }).removed).toBe(0);
    expect(clear(all, {}).profiles).toEqual(all.slice(3));
  });

  it('transaction profiles end with their transaction and with a reboot', () => {
    const all = [profile({}), profile({ purpose: 'TxProfile', transactionId: '7' })];
    expect(endTransaction(all, '7')).toEqual(all.slice(0, 1));
    expect(endTransaction(all, '8')).toEqual(all);
    expect(afterReboot(all)).toEqual(all.slice(0, 1));
  });
});
