import { afterEach, describe, expect, it } from 'vitest';
import type { SiteWorld } from '../../support/site-world.ts';
import { fleet, fsr, measured, type Patch, power, quick, request, service, setpoint, told } from '../kit.ts';

let w: SiteWorld;
afterEach(() => w.close());

async function led(targetW: number, patch: Patch = {}): Promise<void> {
  w = await fleet(quick());
  await request(w, fsr(w, patch));
  await w.clock.advance(100);
  await setpoint(w, 'N-1', 1, targetW, 'fo:test', 170);
  await w.clock.advance(3000);
}
const lastCommand = (id: string) => w.batches.flatMap((b) => b.commands).findLast((c) => c.resourceId === id);

describe('fo 6.4 station link lost', () => {
  it('its worst case is reserved in the limits, the rest is led on, and the FO is told', async () => {
    await led(12_000);
    await w.site.setLimit({ nodeId: 'poc', source: 'operator', importLimitW: 20_000 });
    await w.clock.advance(2000);
    w.say('hub/StationStatus', { resourceId: 'AC-2.1', state: 'offline' });
    w.power.delete('AC-2.1');
    await w.clock.advance(5000);
    expect(told(w, 'resourceLost')).toMatchObject([{ resources: ['AC-2.1'] }]);
    // It may draw all that its profile below lets it.
    const others = power(w, 'V2G-1.1', 'AC-1.1');
    expect(others).toBeLessThanOrEqual(20_000 - w.site.safeImportW('AC-2.1') + 1);
    expect(w.site.snapshot().resources.find((r) => r.resourceId === 'AC-2.1')?.quality).toBe('missing');
    w.plug('AC-2.1');
    await w.clock.advance(3000);
    expect(told(w, 'resourceJoined')).toMatchObject([{ resources: ['AC-2.1'] }]);
  });

  it('a vehicle that is unplugged and the next one are told; the service goes on with the others', async () => {
    await led(12_000);
    w.say('hub/SessionEvent', { resourceId: 'AC-2.1', sessionId: 'tx-AC-2.1', kind: 'ended' });
    w.say('hub/StationStatus', { resourceId: 'AC-2.1', state: 'available' });
    w.power.delete('AC-2.1');
    await w.clock.advance(3000);
    expect(told(w, 'resourceLost')).toMatchObject([{ resources: ['AC-2.1'], cause: 'departed' }]);
    expect(measured(w)).toBeCloseTo(12_000, -3);
    for (const r of ['V2G-1.1', 'AC-1.1', 'AC-2.1']) w.say('hub/StationStatus', { resourceId: r, state: 'available' });
    await w.clock.advance(60_000);
    expect(service(w)).toMatchObject({ state: 'active' });
    w.say('hub/StationStatus', { resourceId: 'AC-2.1', state: 'connected' });
    w.say('hub/SessionEvent', { resourceId: 'AC-2.1', sessionId: 'tx-2', kind: 'started', state: 'charging' });
    await w.clock.advance(3000);
    expect(told(w, 'resourceJoined')).toMatchObject([{ resources: ['AC-2.1'] }]);
    expect(told(w, 'resourceLost')).toHaveLength(2);
  });

  it('when all are lost for longer than two intervals the service has failed', async () => {
    await led(9000);
    for (const resourceId of ['V2G-1.1', 'AC-1.1', 'AC-2.1'])
      w.say('hub/StationStatus', { resourceId, state: 'offline' });
    await w.clock.advance(25_000);
    expect(told(w, 'failed')).toEqual([]);
    await w.clock.advance(7000);
    expect(told(w, 'failed')).toMatchObject([{ cause: 'resources.lost' }]);
  });

  it('a faulted station is lost too, and all faulted is a failure', async () => {
    await led(9000);
    w.say('hub/StationStatus', { resourceId: 'AC-2.1', state: 'faulted' });
    await w.clock.advance(2000);
    expect(told(w, 'resourceLost')).toMatchObject([{ resources: ['AC-2.1'] }]);
    for (const resourceId of ['V2G-1.1', 'AC-1.1']) w.say('hub/StationStatus', { resourceId, state: 'faulted' });
    await w.clock.advance(35_000);
    expect(told(w, 'failed')).toMatchObject([{ cause: 'resources.faulted' }]);
    const back = w.notices.filter((n) => n.topic === 'hub/CancelService').map((n) => n.payload);
    expect(back).toMatchObject([{ fsrId: 'N-1', reason: 'fault' }]);
  });
});

describe('fo 6.4 station refuses or ignores a command', () => {
  it('what its link has given up is excluded until the end; others take over; the FO hears which', async () => {
    await led(15_000);
    expect(power(w, 'AC-2.1')).toBeGreaterThan(1000);
    const { commandId = '' } = lastCommand('AC-2.1') ?? {};
    w.stubborn.add('AC-2.1');
    w.power.set('AC-2.1', 0);
    w.say('hub/CommandOutcome', {
      commandId,
      resourceId: 'AC-2.1',
      state: 'notEffective',
      measuredW: 0,
      code: 'resource.excluded',
    });
    await w.clock.advance(3000);
    expect(told(w, 'deviation')).toMatchObject([{ cause: 'resource.excluded', resources: ['AC-2.1'] }]);
    expect(power(w, 'V2G-1.1', 'AC-1.1')).toBeCloseTo(15_000, -3);
    await w.clock.advance(60_000);
    expect(told(w, 'deviation')).toHaveLength(1);
    expect(lastCommand('AC-2.1')?.kind).toBe('limit');
  });

  it('what is excluded leaves the target: the power that is told and judged is that of those that remain', async () => {
    await led(15_000);
    const { commandId = '' } = lastCommand('AC-2.1') ?? {};
    w.stubborn.add('AC-2.1');
    w.power.set('AC-2.1', 5700);
    await w.clock.advance(1000);
    const outcome = { commandId, resourceId: 'AC-2.1', state: 'notEffective', measuredW: 5700 };
    w.say('hub/CommandOutcome', { ...outcome, code: 'resource.excluded' });
    await w.clock.advance(3000);
    expect(told(w, 'deviation')).toMatchObject([{ resources: ['AC-2.1'], shortfallW: 5700 }]);
    const { appliedW, measuredW } = service(w) ?? {};
    expect(appliedW).toBe(15_000);
    expect(measuredW).toBeCloseTo(power(w, 'V2G-1.1', 'AC-1.1'), 0);
    expect(await setpoint(w, 'N-1', 2, 16_000, 'fo:test', 170)).toMatchObject({ data: { appliedW: 16_000 } });
  });

  it('what refuses again after it was left alone is excluded too', async () => {
    await led(15_000);
    w.refusing = 'AC-2.1';
    await setpoint(w, 'N-1', 2, 9000, 'fo:test', 170);
    await w.clock.advance(20_000);
    expect(told(w, 'deviation').filter((n) => n.cause === 'resource.excluded')).toEqual([]);
    await w.clock.advance(15_000);
    expect(told(w, 'deviation').filter((n) => n.cause === 'resource.excluded')).toMatchObject([
      { resources: ['AC-2.1'] },
    ]);
  });

  it('it stays excluded after a restart, and is led again by the next service', async () => {
    await led(15_000);
    w.say('hub/CommandOutcome', {
      commandId: lastCommand('AC-2.1')?.commandId,
      resourceId: 'AC-2.1',
      state: 'refused',
      code: 'resource.excluded',
    });
    await w.clock.advance(1000);
    await w.reopen();
    for (const r of ['V2G-1.1', 'AC-1.1', 'AC-2.1']) w.plug(r);
    await w.clock.advance(5000);
    expect(lastCommand('AC-2.1')?.kind).toBe('limit');
    await w.clock.advance(180_000);
    await request(w, fsr(w, { fsrId: 'N-2' }));
    await w.clock.advance(100);
    await setpoint(w, 'N-2', 1, 9000);
    await w.clock.advance(40_000);
    expect(lastCommand('AC-2.1')?.kind).toBe('setpoint');
    expect(service(w, 'N-2')?.state).toBe('active');
    expect(measured(w)).toBeCloseTo(9000, -3);
  });
});
