import { afterEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { SiteFile } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';
import { type SiteWorld, siteWorld, sum } from '../support/site-world.ts';

const POC_METER = { meterId: 'm:poc', at: 'poc', signedValues: false, intervalS: 1 } as const;
const EVS = ['V2G-1.1', 'AC-1.1', 'AC-2.1'];
const NEEDS = { energyToMaxWh: 40_000, exportableWh: 20_000, exportMaxW: 11_000 };

interface MeterWorld extends SiteWorld {
  /** What others take at the POC, W; undefined: the meter says nothing. */
  baseW: number | undefined;
  /** What others take at k1, W, where that has a meter. */
  k1W: number | undefined;
  /** The meter hangs at this value. */
  frozenW: number | undefined;
}

let w: MeterWorld;
afterEach(() => w.close());

/** A site whose POC meter shows base load plus EVs every second; station power follows commands. */
async function world(patch: Partial<SiteFile> = {}, baseW = 10_000): Promise<MeterWorld> {
  const stations = siteFile().stations.map((x) => ({
    ...x,
    evses: x.evses.map((e) => ({ ...e, minCommandIntervalS: 0 })),
  }));
  const made = await siteWorld({ stations, meters: [POC_METER], ...patch });
  w = Object.assign(made, { baseW, k1W: undefined, frozenW: undefined }) as MeterWorld;
  meterEverySecond(w);
  return w;
}

/** The same, after the meter was heard. */
async function warm(...args: Parameters<typeof world>): Promise<MeterWorld> {
  await world(...args);
  await w.clock.advance(1500);
  return w;
}

function meterEverySecond(x: MeterWorld): void {
  x.clock.after(999, () => {
    const evsW = sum(x.power.values());
    if (x.baseW !== undefined) reading(x.frozenW ?? x.baseW + evsW);
    const belowK1 = (x.power.get('V2G-1.1') ?? 0) + (x.power.get('AC-1.1') ?? 0);
    if (x.k1W !== undefined) reading(x.k1W + belowK1, { meterId: 'm:k1' });
    x.clock.after(1, () => meterEverySecond(x));
  });
}

const reading = (powerW: number, patch: object = {}) =>
  w.say('hub/MeterReading', { meterId: 'm:poc', powerW, quality: 'good', ...patch });
const plugAll = (needs: object = {}) => {
  for (const r of EVS) w.plug(r, { ...NEEDS, bidirectional: r.startsWith('V2G'), ...needs });
};
const evsW = () => sum(w.power.values());
const grantedW = () => w.site.snapshot().grantedW;
const envelopeW = (direction: 'importLimitW' | 'exportLimitW') =>
  sum((w.envelopes.at(-1)?.evses ?? []).map((e) => e[direction]));
const meter = (id = 'm:poc') => w.site.snapshot().meters?.find((m) => m.meterId === id);

describe('a live POC meter', () => {
  it('leaves the EVs what others do not use (fo 8.2)', async () => {
    await warm({}, 30_000);
    plugAll();
    await w.clock.advance(8000);
    expect(grantedW()).toBeLessThanOrEqual(20_000);
    expect(grantedW()).toBeGreaterThan(19_000);
    expect(w.site.snapshot().others).toMatchObject({ source: 'measured', usedW: 30_000, generationW: 0 });
    expect(w.site.snapshot().limits.find((l) => l.nodeId === 'poc')?.measuredW).toBeCloseTo(30_000 + evsW(), 0);
  });

  it('a jump of the base load is answered within the reading that shows it', async () => {
    await warm({}, 10_000);
    plugAll();
    await w.clock.advance(8000);
    expect(evsW()).toBeGreaterThan(30_000);
    w.baseW = 30_000;
    // One interval of the meter, and the 100 ms that a station takes.
    await w.clock.advance(1200);
    expect(evsW()).toBeLessThanOrEqual(20_000);
    expect(envelopeW('importLimitW')).toBeLessThanOrEqual(20_000);
  });

  it('the envelope shrinks in the same moment, before any wire does something', async () => {
    await warm({}, 10_000);
    plugAll();
    await w.clock.advance(5000);
    w.wired = false;
    const pushed = w.envelopes.length;
    reading(60_000 + evsW());
    expect(w.envelopes.length).toBeGreaterThan(pushed);
    expect(envelopeW('importLimitW')).toBe(0);
  });

  it('room comes back when the base load goes down, but not for a moment of it', async () => {
    await warm({}, 40_000);
    plugAll();
    await w.clock.advance(6000);
    expect(evsW()).toBeLessThanOrEqual(10_000);
    w.baseW = 10_000;
    await w.clock.advance(1100);
    expect(evsW()).toBeLessThan(20_000);
    await w.clock.advance(25_000);
    expect(evsW()).toBeGreaterThan(30_000);
  });

  it('generation of others makes room for imports where netting is measured, and none where it is not', async () => {
    const poc = { ...siteFile().poc, importLimitW: 15_000 };
    await warm({ poc }, -15_000);
    plugAll();
    await w.clock.advance(10_000);
    expect(evsW()).toBeGreaterThan(25_000);
    expect(w.site.snapshot().others).toMatchObject({ generationW: 15_000, usedW: 0 });
    await w.close();
    await warm({ poc: { ...poc, netting: 'none' } }, -15_000);
    plugAll();
    await w.clock.advance(10_000);
    expect(evsW()).toBeLessThanOrEqual(15_000);
    expect(envelopeW('importLimitW')).toBeLessThanOrEqual(15_000);
  });

  it('no more is exported than the connection permits beside other generation', async () => {
    const poc = { ...siteFile().poc, exportLimitW: 12_000 };
    await warm({ poc }, -8000);
    plugAll();
    await w.clock.advance(20_000);
    await w.service();
    await w.setpoint(1, -10_000);
    await w.clock.advance(5000);
    expect(evsW()).toBeGreaterThanOrEqual(-4000);
    expect(evsW()).toBeLessThan(-3000);
    w.baseW = -12_000;
    await w.clock.advance(1500);
    expect(evsW()).toBeGreaterThanOrEqual(0);
  });

  it('EVs that do what they were told are not taken for other loads', async () => {
    await warm({}, 20_000);
    plugAll();
    await w.clock.advance(10_000);
    const least: number[] = [];
    w.site.on('plot', (p) => least.push(p.grantedW));
    await w.clock.advance(30_000);
    expect(Math.min(...least)).toBeGreaterThan(28_000);
  });

  it('a service at the reference point of the site follows the meter of the POC', async () => {
    await warm({}, 12_000);
    plugAll();
    const now = w.clock.now();
    const fsr = {
      fsrId: 'N-1',
      revision: 1,
      contractId: 'C-1',
      serviceType: 'setpoint',
      target: { groupId: 'g:all', referencePoint: 'site' },
      window: { start: iso(now), end: iso(now + 180_000) },
      decisionBy: iso(now + 5000),
      mandatory: false,
      priority: 5,
      parameters: { mode: 'absolute', minW: 0, maxW: 40_000, toleranceW: 300, updateIntervalS: 4 },
      fallback: { onExpiry: 'zero' },
    };
    expect(await w.ask('hub/RequestService', { fsr })).toMatchObject({ status: 'ok' });
    await w.clock.advance(2000);
    await w.setpoint(1, 30_000);
    await w.clock.advance(6000);
    expect(Math.abs(12_000 + evsW() - 30_000)).toBeLessThan(150);
    w.baseW = 18_000;
    await w.clock.advance(4000);
    expect(Math.abs(18_000 + evsW() - 30_000)).toBeLessThan(150);
  });
});

describe('a meter of a circuit', () => {
  const meters = [
    POC_METER,
    { meterId: 'm:k1', at: 'circuit', subjectRef: 'k1', signedValues: false, intervalS: 1 },
  ] as const;

  it('takes what others use below the circuit off its room', async () => {
    await warm({ meters: [...meters] }, 15_000);
    w.k1W = 15_000;
    plugAll();
    await w.clock.advance(8000);
    expect((w.power.get('V2G-1.1') ?? 0) + (w.power.get('AC-1.1') ?? 0)).toBeLessThanOrEqual(10_000);
    expect(w.power.get('AC-2.1')).toBeGreaterThan(10_000);
    w.k1W = 25_000;
    await w.clock.advance(1300);
    expect((w.power.get('V2G-1.1') ?? 0) + (w.power.get('AC-1.1') ?? 0)).toBe(0);
  });

  it('that falls silent counts with the most that others took there', async () => {
    await warm({ meters: [...meters] }, 15_000);
    w.k1W = 20_000;
    plugAll();
    await w.clock.advance(5000);
    w.k1W = 5000;
    await w.clock.advance(30_000);
    expect((w.power.get('V2G-1.1') ?? 0) + (w.power.get('AC-1.1') ?? 0)).toBeGreaterThan(15_000);
    w.k1W = undefined;
    await w.clock.advance(6000);
    expect(meter('m:k1')).toMatchObject({ state: 'lost', cause: 'silent' });
    expect((w.power.get('V2G-1.1') ?? 0) + (w.power.get('AC-1.1') ?? 0)).toBeLessThanOrEqual(5000);
  });
});

describe('a meter that is lost', () => {
  it('leaves the EVs the static share and no export, and is told once (fo 6.4)', async () => {
    await warm({ baseLoadW: 5000, staticShareW: 14_000 }, 10_000);
    plugAll();
    await w.clock.advance(8000);
    expect(evsW()).toBeGreaterThan(30_000);
    w.baseW = undefined;
    await w.clock.advance(5500);
    expect(meter()).toMatchObject({ state: 'lost', cause: 'silent' });
    expect(w.site.snapshot().others?.source).toBe('unknown');
    expect(evsW()).toBeLessThanOrEqual(14_000);
    expect(evsW()).toBeGreaterThan(10_000);
    expect(envelopeW('importLimitW')).toBeLessThanOrEqual(14_000);
    expect(envelopeW('exportLimitW')).toBe(0);
    w.baseW = 10_000;
    await w.clock.advance(20_000);
    expect(meter()).toMatchObject({ state: 'good' });
    expect(evsW()).toBeGreaterThan(30_000);
    await w.clock.advance(1000);
    await expectKinds('meter.lost', 'meter.restored');
  });

  it('without a static share the limit of the POC less the declared base load stands in for it', async () => {
    await warm({ baseLoadW: 35_000 }, 10_000);
    plugAll();
    await w.clock.advance(8000);
    w.baseW = undefined;
    await w.clock.advance(5500);
    expect(evsW()).toBeLessThanOrEqual(15_000);
    expect(evsW()).toBeGreaterThan(10_000);
  });

  it('stations that nobody reaches have a share of the static share, and no more', async () => {
    await warm({ baseLoadW: 5000, staticShareW: 14_000 }, 1000);
    const sharesW = EVS.map((r) => w.site.safeImportW(r));
    expect(sum(sharesW)).toBeLessThanOrEqual(14_000);
    expect(Math.min(...sharesW)).toBeGreaterThan(4000);
  });

  it('stops a service that exports', async () => {
    await warm({ baseLoadW: 5000 }, 10_000);
    plugAll();
    await w.service();
    await w.setpoint(1, -9000);
    await w.clock.advance(10_000);
    expect(evsW()).toBeCloseTo(-9000, -2);
    w.baseW = undefined;
    await w.clock.advance(5500);
    expect(evsW()).toBeGreaterThanOrEqual(0);
  });

  it('drivers get their minimum first', async () => {
    await warm({ staticShareW: 12_000 }, 10_000);
    w.say('hub/StationStatus', { resourceId: 'V2G-1.1', state: 'available', protocol: 'ocpp2.1' });
    w.plug('AC-1.1', { ...NEEDS });
    w.plug('AC-2.1', { ...NEEDS, energyToTargetWh: 40_000, departureAt: iso(w.clock.now() + 1800_000) });
    w.baseW = undefined;
    await w.clock.advance(8000);
    expect(w.power.get('AC-2.1')).toBeGreaterThan(10_900);
    expect(evsW()).toBeLessThanOrEqual(12_000);
  });

  it('before the first value counts the same, without an alarm yet', async () => {
    await world({ meters: [{ ...POC_METER, intervalS: 10 }], staticShareW: 9000 });
    w.baseW = undefined;
    plugAll();
    await w.clock.advance(8000);
    expect(meter()).toMatchObject({ state: 'waiting' });
    expect(evsW()).toBeLessThanOrEqual(9000);
    await expectKinds();
    await w.clock.advance(25_000);
    await expectKinds('meter.lost');
  });

  it('is not noticed by a site that has no meter', async () => {
    await warm({ meters: [], baseLoadW: 20_000 });
    w.baseW = undefined;
    plugAll();
    await w.clock.advance(60_000);
    expect(evsW()).toBeGreaterThan(29_000);
    expect(w.site.snapshot().others).toMatchObject({ source: 'declared', usedW: 20_000 });
    await expectKinds();
  });
});

describe('values that cannot be true', () => {
  it('of the POC do not count, and make the meter lost when no others come', async () => {
    await warm({ staticShareW: 9000 }, 10_000);
    plugAll();
    await w.clock.advance(8000);
    w.frozenW = 5_000_000;
    await w.clock.advance(1500);
    expect(meter()).toMatchObject({ state: 'substituted', cause: 'implausible' });
    expect(evsW()).toBeGreaterThan(30_000);
    await w.clock.advance(4000);
    expect(meter()).toMatchObject({ state: 'lost', cause: 'implausible' });
    expect(evsW()).toBeLessThanOrEqual(9000);
    await expectKinds('meter.implausible', 'meter.lost');
  });

  it('a meter that hangs gives no room, and is lost as soon as EVs move and it does not', async () => {
    await warm({}, 35_000);
    plugAll();
    await w.clock.advance(8000);
    expect(evsW()).toBeLessThanOrEqual(15_000);
    w.frozenW = 35_000 + evsW();
    await w.clock.advance(5000);
    // Two of the cars leave; for a meter that hangs it looks as if others took their power.
    for (const r of ['V2G-1.1', 'AC-1.1']) {
      w.say('hub/SessionEvent', { resourceId: r, sessionId: `tx-${r}`, kind: 'ended' });
      w.power.set(r, 0);
    }
    await w.clock.advance(30_000);
    expect(35_000 + evsW()).toBeLessThanOrEqual(50_000);
    expect(meter()).toMatchObject({ state: 'lost', cause: 'frozen' });
  });

  it('a register that goes back is seen once; what follows counts again', async () => {
    await warm({}, 10_000);
    w.baseW = undefined;
    reading(10_000, { importWh: 5000 });
    await w.clock.advance(1000);
    reading(11_000, { importWh: 10 });
    expect(meter()).toMatchObject({ state: 'substituted', cause: 'register', powerW: 10_000 });
    await w.clock.advance(1000);
    reading(11_000, { importWh: 12 });
    expect(meter()).toMatchObject({ state: 'good', powerW: 11_000 });
  });

  it('of an EVSE are not believed, which is told once', async () => {
    await warm();
    plugAll();
    await w.clock.advance(5000);
    w.power.delete('AC-1.1');
    for (let i = 0; i < 3; i++) {
      w.say('hub/MeterReading', { resourceId: 'AC-1.1', powerW: 900_000, quality: 'good' });
      await w.clock.advance(1000);
    }
    const row = w.site.snapshot().resources.find((r) => r.resourceId === 'AC-1.1');
    expect(row).toMatchObject({ quality: 'substituted' });
    expect(row?.measuredW).toBeLessThan(12_000);
    await expectKinds('meter.implausible');
  });

  it('of a meter that the site does not know change nothing', async () => {
    await warm();
    const before = w.site.snapshot();
    w.say('hub/MeterReading', { meterId: 'm:other', powerW: 1, quality: 'good' });
    expect(w.site.snapshot()).toEqual(before);
  });
});

describe('other meters', () => {
  it('at an EVSE speak for it', async () => {
    await warm({
      meters: [POC_METER, { meterId: 'm:ac2', at: 'evse', subjectRef: 'AC-2.1', signedValues: true, intervalS: 1 }],
    });
    w.plug('AC-2.1');
    w.power.delete('AC-2.1');
    w.say('hub/MeterReading', { meterId: 'm:ac2', powerW: 4321, quality: 'good' });
    expect(w.site.snapshot().resources.find((r) => r.resourceId === 'AC-2.1')).toMatchObject({ measuredW: 4321 });
  });

  it('of storage and generation are shown; without a POC meter they count beside the declared base load', async () => {
    await warm({
      baseLoadW: 30_000,
      ess: [{ essId: 'ess1', capacityWh: 50_000, minWh: 0, maxChargeW: 10_000, maxDischargeW: 10_000 }],
      generation: [{ genId: 'pv1', kind: 'pv', peakW: 20_000, curtailable: false }],
      meters: [
        { meterId: 'm:ess', at: 'ess', subjectRef: 'ess1', signedValues: false, intervalS: 10 },
        { meterId: 'm:pv', at: 'gen', subjectRef: 'pv1', signedValues: false, intervalS: 10 },
      ],
    });
    w.say('hub/MeterReading', { meterId: 'm:ess', powerW: -4000, quality: 'good' });
    w.say('hub/MeterReading', { meterId: 'm:pv', powerW: -6000, quality: 'good' });
    expect(w.site.snapshot().others).toEqual({ source: 'declared', usedW: 30_000, generationW: 10_000 });
    expect(meter('m:pv')).toMatchObject({ at: 'gen', subjectRef: 'pv1', powerW: -6000, state: 'good' });
    plugAll();
    await w.clock.advance(8000);
    expect(evsW()).toBeGreaterThan(28_000);
    // Lost: the storage may charge, and nothing is generated.
    await w.clock.advance(40_000);
    expect(evsW()).toBeLessThanOrEqual(10_000);
  });
});

/** Kinds of entries about meters in the local event log, which is written behind the clock's back. */
async function expectKinds(...kinds: string[]): Promise<void> {
  const noted = async (): Promise<string[]> => {
    await w.store.flush();
    const rows = await w.store.list('log', { limit: 1000 });
    return rows
      .filter((r) => r.key.includes('/local/'))
      .map((r) => r.body as { kind: string; logSeq: number })
      .sort((a, b) => a.logSeq - b.logSeq)
      .map((e) => e.kind)
      .filter((kind) => kind.startsWith('meter.'));
  };
  await expect.poll(noted, { timeout: 2000, interval: 5 }).toEqual(kinds);
}
