import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ExecutionNotice, Telemetry } from '../../model/index.ts';
import { type SiteWorld, siteWorld, sum } from '../support/site-world.ts';

const V2G_NEEDS = {
  bidirectional: true,
  importMaxW: 11_000,
  exportMaxW: 11_000,
  exportableWh: 20_000,
  energyToMaxWh: 20_000,
};

let w: SiteWorld;
beforeEach(async () => {
  w = await siteWorld();
  w.plug('V2G-1.1', V2G_NEEDS);
  w.plug('AC-1.1');
  w.plug('AC-2.1');
  await w.clock.advance(3000);
});
afterEach(() => w.close());

describe('setpoint following at a site', () => {
  it('charges everybody as wished within the limits while no service runs', () => {
    expect(sum(w.power.values())).toBeGreaterThan(30_000);
    expect((w.power.get('V2G-1.1') ?? 0) + (w.power.get('AC-1.1') ?? 0)).toBeLessThanOrEqual(25_000);
  });

  it('follows the operator through zero', async () => {
    await w.service();
    expect(w.phases()).toEqual(['accepted', 'active']);
    await w.setpoint(1, 12_000);
    await w.clock.advance(5000);
    expect(sum(w.power.values())).toBeGreaterThan(11_700);
    expect(sum(w.power.values())).toBeLessThanOrEqual(12_000);
    await w.setpoint(2, -6000, 170);
    await w.clock.advance(65_000);
    expect(sum(w.power.values())).toBeCloseTo(-6000, -2);
    expect(w.power.get('V2G-1.1')).toBeLessThan(0);
  });

  it('says what a setpoint became and what it was limited by', async () => {
    await w.service();
    const result = await w.setpoint(1, 30_000);
    expect(result).toMatchObject({ status: 'ok', data: { appliedW: 30_000 } });
    w.say('hub/StationStatus', { resourceId: 'AC-2.1', state: 'available' });
    await w.clock.advance(1000);
    const clipped = await w.setpoint(2, 30_000);
    expect(clipped).toMatchObject({ status: 'ok', code: 'limit.clipped' });
    expect(clipped.data?.appliedW).toBeCloseTo(22_040, -1);
  });

  it('goes to the fallback when the setpoint expires, and back to the stream with the next one', async () => {
    await w.service();
    await w.setpoint(1, 9000, 10);
    await w.clock.advance(12_000);
    // The AC stations take a new command only once a minute, which the operator is told as well.
    expect(w.phases().filter((p) => p !== 'deviation')).toEqual(['accepted', 'active', 'fallback']);
    await w.clock.advance(65_000);
    expect(Math.abs(sum(w.power.values()))).toBeLessThan(200);
    await w.setpoint(2, 9000);
    await w.clock.advance(1000);
    expect(w.phases().at(-1)).toBe('resumed');
  });

  it('ends with the window and gives the vehicles back to their drivers', async () => {
    await w.service();
    await w.setpoint(1, 3000, 200);
    await w.clock.advance(185_000);
    expect(w.phases().at(-1)).toBe('completed');
    await w.clock.advance(65_000);
    expect(sum(w.power.values())).toBeGreaterThan(30_000);
  });

  it('tells once when it is off by more than the tolerance for more than two intervals', async () => {
    await w.service();
    await w.setpoint(1, 8000, 170);
    await w.clock.advance(3000);
    w.behaviour = 'silent';
    w.power.set('V2G-1.1', 0);
    w.power.set('AC-1.1', 0);
    w.power.set('AC-2.1', 0);
    await w.clock.advance(30_000);
    const deviations = w.notices.filter((n) => (n.payload as ExecutionNotice).phase === 'deviation');
    expect(deviations).toHaveLength(1);
    expect(deviations[0]?.payload).toMatchObject({ cause: 'off.target' });
  });

  it('fails when all its vehicles are out of reach', async () => {
    await w.service();
    for (const resourceId of ['V2G-1.1', 'AC-1.1', 'AC-2.1'])
      w.say('hub/StationStatus', { resourceId, state: 'offline' });
    await w.clock.advance(40_000);
    const lost = w.notices.filter((n) => (n.payload as ExecutionNotice).phase === 'resourceLost');
    expect(lost.map((n) => (n.payload as ExecutionNotice).resources)).toEqual([['V2G-1.1', 'AC-1.1', 'AC-2.1']]);
    expect(w.phases().at(-1)).toBe('failed');
  });

  it('sends telemetry of the group at the interval asked for', async () => {
    await w.service();
    const until = '2026-01-01T01:00:00.000Z';
    const result = await w.ask('hub/SubscribeTelemetry', {
      subject: { groupId: 'g:all' },
      fields: ['powerW'],
      intervalS: 2,
      until,
    });
    expect(result).toMatchObject({ status: 'ok', data: { intervalS: 2 } });
    await w.clock.advance(10_000);
    expect(w.telemetry).toHaveLength(5);
    const last = w.telemetry[4]?.payload as Telemetry | undefined;
    expect(last?.samples[0]).toMatchObject({ groupId: 'g:all', quality: 'good' });
  });

  it('answers a message it does not understand with a code and goes on', async () => {
    expect(await w.ask('hub/RequestService', { fsr: { nonsense: true } })).toMatchObject({
      status: 'error',
      code: 'schema.invalid',
      details: expect.arrayContaining([expect.objectContaining({ path: '/fsr/fsrId', code: 'schema.invalid' })]),
    });
    expect(await w.ask('hub/Unknown', {})).toMatchObject({ status: 'rejected', code: 'type.unknown' });
    w.say('hub/MeterReading', { resourceId: 'V2G-1.1', powerW: 'many' });
    await w.service();
    expect(w.phases()).toContain('active');
  });
});

describe('a restart of the gateway', () => {
  it('resumes a running service with its unexpired setpoint', async () => {
    await w.service();
    await w.setpoint(1, 9000, 120);
    await w.clock.advance(5000);
    await w.reopen();
    w.plug('V2G-1.1', V2G_NEEDS);
    w.plug('AC-1.1');
    w.plug('AC-2.1');
    await w.clock.advance(5000);
    expect(w.site.snapshot().services).toMatchObject([{ fsrId: 'N-1', state: 'active', targetW: 9000 }]);
    expect(sum(w.power.values())).toBeCloseTo(9000, -3);
  });

  it('finds a service whose setpoint has expired meanwhile in its fallback, and an ended one completed', async () => {
    await w.service();
    await w.setpoint(1, 9000, 5);
    await w.site.close();
    await w.clock.advance(20_000);
    await w.reopen();
    await w.clock.advance(2000);
    expect(w.phases().at(-1)).toBe('fallback');
    await w.clock.advance(180_000);
    expect(w.phases().at(-1)).toBe('completed');
  });

  it('accepts nothing twice', async () => {
    await w.service();
    await w.reopen();
    const again = await w.ask('hub/RequestService', { fsr: { nonsense: 1 } });
    expect(again.status).toBe('error');
    expect(w.site.snapshot().services).toHaveLength(1);
    expect(w.phases().filter((p) => p === 'accepted')).toHaveLength(1);
  });
});
