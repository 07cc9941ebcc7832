import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { Contract, ExecutionNotice, ServiceDecision, SiteFile } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';
import { type SiteWorld, siteWorld, sum } from '../support/site-world.ts';

const V2G_NEEDS = {
  bidirectional: true,
  importMaxW: 11_000,
  exportMaxW: 11_000,
  exportableWh: 20_000,
  energyToMaxWh: 20_000,
};
/** Fast stations: what is told is done within a second, and may be told each second. */
const quick = (patch: Partial<SiteFile> = {}): SiteFile => {
  const file = siteFile(patch);
  const evses = (e: SiteFile['stations'][number]) =>
    e.evses.map((x) => ({ ...x, responseTimeS: 0, minCommandIntervalS: 0 }));
  return { ...file, stations: file.stations.map((s) => ({ ...s, evses: evses(s) })) };
};

let w: SiteWorld;
async function begin(file = quick()): Promise<void> {
  w = await siteWorld(file);
  for (const r of ['V2G-1.1', 'AC-1.1', 'AC-2.1']) w.plug(r, r.startsWith('V2G') ? V2G_NEEDS : undefined);
  await w.clock.advance(3000);
}
beforeEach(() => begin());
afterEach(() => w.close());

const measured = () => sum(w.power.values());
const last = () => w.notices.at(-1)?.payload as ExecutionNotice;
const told = (phase: string) => w.notices.map((n) => n.payload as ExecutionNotice).filter((n) => n.phase === phase);
const setpoint = (seq: number, targetW: number, patch: object = {}) =>
  w.ask('hub/UpdateSetpoint', {
    setpoint: { fsrId: 'N-1', seq, targetW, validUntil: iso(w.clock.now() + 60_000), ...patch },
  });
const cancel = (at: number, more: object = {}) =>
  w.ask('hub/CancelService', { fsrId: 'N-1', reason: 'market closed', at: iso(at), ...more });

describe('a setpoint with a later effectiveAt (fo 3.7)', () => {
  it('takes effect when its time has come, not before, and not a tick later', async () => {
    await w.service();
    await setpoint(1, 6000);
    await w.clock.advance(3000);
    await setpoint(2, 12_000, { effectiveAt: iso(w.clock.now() + 5300) });
    await w.clock.advance(5200);
    expect(w.site.snapshot().requestedW).toBe(6000);
    await w.clock.advance(110);
    expect(w.site.snapshot().requestedW).toBe(12_000);
    await w.clock.advance(2000);
    expect(measured()).toBeCloseTo(12_000, -3);
  });

  it('that is replaced before its time never takes effect', async () => {
    await w.service();
    await setpoint(1, 12_000, { effectiveAt: iso(w.clock.now() + 5000) });
    await setpoint(2, 6000);
    await w.clock.advance(8000);
    expect(w.site.snapshot().requestedW).toBe(6000);
  });
});

describe('an expired setpoint (fo 6.4)', () => {
  it('is held for maxHoldS, then ramped to the baseline', async () => {
    await w.service({}, { onExpiry: 'hold', maxHoldS: 20, rampS: 10 });
    await setpoint(1, 9000, { validUntil: iso(w.clock.now() + 10_000) });
    await w.clock.advance(12_000);
    expect(w.phases().at(-1)).toBe('fallback');
    expect(last()).toMatchObject({ cause: 'setpoint.expired' });
    await w.clock.advance(17_000);
    expect(measured()).toBeCloseTo(9000, -3);
    await w.clock.advance(6000);
    expect(measured()).toBeLessThan(7000);
    expect(measured()).toBeGreaterThan(2000);
    await w.clock.advance(10_000);
    expect(measured()).toBeLessThan(200);
  });

  it('expires at its time and not at the next tick', async () => {
    await w.service();
    await setpoint(1, 9000, { validUntil: iso(w.clock.now() + 5400) });
    await w.clock.advance(5410);
    expect(w.phases().at(-1)).toBe('fallback');
  });

  it('that never came is told as missing after two intervals', async () => {
    await w.service({ updateIntervalS: 4 });
    await w.clock.advance(5000);
    expect(told('fallback')).toEqual([]);
    await w.clock.advance(4000);
    expect(told('fallback')).toMatchObject([{ cause: 'setpoint.missing' }]);
    await setpoint(1, 3000);
    await w.clock.advance(1000);
    expect(w.phases().at(-1)).toBe('resumed');
  });
});

describe('the ramp of a request (fo 3.6)', () => {
  it('lets the applied target move no faster than rampWPerS', async () => {
    await w.service({ rampWPerS: 500, initialW: 10_000, validityS: 120 });
    await w.clock.advance(60_000);
    await setpoint(1, 0);
    const seen: number[] = [];
    for (let i = 0; i < 20; i++) {
      await w.clock.advance(1000);
      seen.push(w.site.snapshot().services[0]?.appliedW ?? Number.NaN);
    }
    seen.forEach((value, i) => {
      const before = i === 0 ? 10_000 : (seen[i - 1] ?? 0);
      expect(before - value).toBeLessThanOrEqual(501);
    });
    expect(seen[8]).toBeGreaterThan(4000);
    await w.clock.advance(10_000);
    expect(w.site.snapshot().services[0]?.appliedW).toBe(0);
  });
});

describe('relative setpoints (fo 3.6)', () => {
  it('count from the baseline that was frozen at acceptance', async () => {
    await w.close();
    const contracts = siteFile().contracts?.map((c) => ({ ...c, baseline: { method: 'declared' as const } })) ?? [];
    await begin(quick({ contracts }));
    for (const [id] of w.power) w.power.set(id, 6000);
    await w.clock.advance(2000);
    w.wired = false;
    await w.service({ mode: 'relative', minW: -5000, maxW: 5000 });
    const decision = w.notices.find((n) => n.topic === 'hub/ServiceDecision')?.payload as ServiceDecision;
    const baselineW = decision.baseline?.powerW ?? 0;
    // What these vehicles are known to take, and not what they happen to take at this moment.
    expect(baselineW).toBeGreaterThan(18_000);
    w.wired = true;
    const result = await setpoint(1, -2000);
    expect(result).toMatchObject({ status: 'ok', data: { appliedW: -2000 } });
    await w.clock.advance(3000);
    expect(w.site.snapshot().services[0]?.appliedW).toBe(baselineW - 2000);
    expect(measured()).toBeCloseTo(baselineW - 2000, -3);
  });
});

describe('the end of a service before its window (fo 6.1, fo 6.2)', () => {
  it('comes at the time that the FO named, over the ramp that it named', async () => {
    await w.service();
    await setpoint(1, 10_000, { validUntil: iso(w.clock.now() + 100_000) });
    await w.clock.advance(3000);
    expect(await cancel(w.clock.now() + 10_500, { rampS: 20 })).toEqual({ status: 'ok', state: 'active' });
    await w.clock.advance(10_400);
    expect(told('aborted')).toEqual([]);
    await w.clock.advance(110);
    expect(told('aborted')).toMatchObject([{ cause: 'market closed' }]);
    await w.clock.advance(10_000);
    expect(measured()).toBeGreaterThan(3000);
    expect(measured()).toBeLessThan(7000);
    await w.clock.advance(14_000);
    expect(measured()).toBeGreaterThan(25_000);
  });

  it('comes at once when its contract is suspended or removed, with the reason', async () => {
    await w.service();
    await setpoint(1, 5000);
    const contracts = siteFile().contracts?.map((c): Contract => ({ ...c, status: 'suspended' })) ?? [];
    await w.site.reload(quick({ contracts }));
    await w.clock.advance(10);
    expect(last()).toMatchObject({ phase: 'aborted', cause: 'contract.inactive' });
    expect(await setpoint(2, 0)).toMatchObject({ status: 'rejected', code: 'state.invalid' });
  });

  it('comes within a second after the end of its contract', async () => {
    await w.close();
    const contracts = siteFile().contracts?.map((c) => ({ ...c, validTo: '2026-01-01T00:10:00Z' })) ?? [];
    await begin(quick({ contracts }));
    await w.service();
    const earlier = siteFile().contracts?.map((c) => ({ ...c, validTo: iso(w.clock.now() + 5000) })) ?? [];
    await w.site.reload(quick({ contracts: earlier }));
    await w.clock.advance(4000);
    expect(told('aborted')).toEqual([]);
    await w.clock.advance(2000);
    expect(told('aborted')).toMatchObject([{ cause: 'contract.inactive' }]);
  });

  it('comes within 5 s after a credential of its party was revoked', async () => {
    await w.service();
    const credentials = [
      {
        credentialId: 'cr:1',
        kind: 'identity' as const,
        subjectRef: 'fo:test',
        issuer: 'ca',
        validFrom: '2026-01-01T00:00:00Z',
        validTo: '2027-01-01T00:00:00Z',
        form: 'reference' as const,
        status: 'revoked' as const,
      },
    ];
    await w.site.reload(quick({ credentials }));
    await w.clock.advance(5000);
    expect(told('aborted')).toMatchObject([{ cause: 'credential.revoked' }]);
  });

  it('is a failure when all its resources were taken out of the site file', async () => {
    await w.service();
    await w.site.reload(quick({ stations: [], groups: [], circuits: [] }));
    await w.clock.advance(2000);
    expect(w.phases().slice(-2)).toEqual(['resourceLost', 'failed']);
  });
});

describe('a site file that changes while a service runs', () => {
  it('without one of the stations: the others go on, and the link is told to stop it', async () => {
    await w.service();
    await setpoint(1, 9000, { validUntil: iso(w.clock.now() + 170_000) });
    await w.clock.advance(3000);
    const file = quick();
    await w.site.reload({
      ...file,
      stations: file.stations.filter((s) => s.identity !== 'AC-2'),
      groups: [{ groupId: 'g:all', members: ['V2G-1.1', 'AC-1.1'], referencePoint: 'group' }],
    });
    expect(w.envelopes.at(-1)?.evses).toContainEqual({ resourceId: 'AC-2.1', importLimitW: 0, exportLimitW: 0 });
    w.power.delete('AC-2.1');
    await w.clock.advance(5000);
    expect(told('resourceLost')).toMatchObject([{ resources: ['AC-2.1'] }]);
    expect(measured()).toBeCloseTo(9000, -3);
    expect(w.site.snapshot().resources.map((r) => r.resourceId)).toEqual(['V2G-1.1', 'AC-1.1']);
  });

  it('with narrower fuses: they hold at once, and for what stations may draw without us', async () => {
    const before = w.site.safeImportW('V2G-1.1');
    await w.site.reload(quick({ circuits: [{ circuitId: 'k1', importLimitW: 8000, exportLimitW: 8000 }] }));
    const k1 = w.envelopes.at(-1)?.evses.filter((e) => e.resourceId !== 'AC-2.1') ?? [];
    expect(sum(k1.map((e) => e.importLimitW))).toBeLessThanOrEqual(8000.001);
    expect(w.site.safeImportW('V2G-1.1')).toBeLessThan(before);
    await w.clock.advance(5000);
    expect((w.power.get('V2G-1.1') ?? 0) + (w.power.get('AC-1.1') ?? 0)).toBeLessThanOrEqual(8000);
  });

  it('of another site is refused and changes nothing', async () => {
    await expect(w.site.reload(quick({ siteId: 'site:other' }))).rejects.toMatchObject({ code: 'site.invalid' });
    expect(w.site.file().siteId).toBe('site:test');
  });
});

describe('lost and joined resources (fo 6.4)', () => {
  it('are told together, once, and again when they are back', async () => {
    await w.service();
    await setpoint(1, 9000, { validUntil: iso(w.clock.now() + 170_000) });
    for (const resourceId of ['AC-1.1', 'AC-2.1']) w.say('hub/StationStatus', { resourceId, state: 'offline' });
    await w.clock.advance(5000);
    expect(told('resourceLost')).toMatchObject([{ resources: ['AC-1.1', 'AC-2.1'] }]);
    w.say('hub/StationStatus', { resourceId: 'AC-1.1', state: 'charging', protocol: 'ocpp1.6' });
    await w.clock.advance(1000);
    expect(told('resourceJoined')).toMatchObject([{ resources: ['AC-1.1'] }]);
    expect(told('resourceLost')).toHaveLength(1);
  });
});

describe('numbers that leave the site', () => {
  it('have at most 3 digits after the point (fo 2.1)', async () => {
    await w.service({ minW: -10_000.123, maxW: 30_000 });
    const result = await setpoint(1, 10_000 / 3);
    w.say('hub/MeterReading', { resourceId: 'V2G-1.1', powerW: 1234.56789, quality: 'good' });
    await w.clock.advance(30_000);
    const texts = [result, w.site.snapshot(), w.site.plot(), w.batches, w.envelopes, w.notices].map((x) =>
      JSON.stringify(x),
    );
    // What the FO itself said is not touched.
    for (const text of texts) expect(text.replaceAll('3333.3333333333335', '')).not.toMatch(/\d\.\d{4,}/);
  });
});
