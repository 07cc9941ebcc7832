import { afterEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { acCar, v2gCar } from '../simulators/world.ts';
import { accept, BridgeWorld, type Script, say } from './world.ts';

let world: BridgeWorld;
afterEach(() => world.close());
const now = (): string => iso(world.clock.now());
const row = (id = 'AC-1.1') => world.row(id);

const knows =
  (values: Readonly<Record<string, string>>): Script =>
  (action, payload) => {
    if (action !== 'GetConfiguration') return accept(action, payload);
    const asked = payload.key as string[];
    return {
      configurationKey: asked.filter((k) => k in values).map((key) => ({ key, readonly: true, value: values[key] })),
      unknownKey: asked.filter((k) => !(k in values)),
    };
  };

describe('a station that knows one stack level', () => {
  const script = knows({ SupportedFeatureProfiles: 'Core,SmartCharging', ChargeProfileMaxStackLevel: '0' });

  it('is led by a profile of its transaction at that level, which stands above the default by its purpose', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'AC-1', { script });
    await s.call('StatusNotification', say.status16('Preparing'));
    await s.call('StartTransaction', say.start16());
    const id = world.command('AC-1.1', { powerW: 7000 });
    await world.run(1000);
    const profiles = s.of('SetChargingProfile').map((p) => p.csChargingProfiles);
    expect(profiles.at(-1)).toMatchObject({ chargingProfilePurpose: 'TxProfile', stackLevel: 0 });
    expect(world.states(id)).toContain('accepted');
  });

  it('keeps its default where no transaction runs: nothing is put in its place', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'AC-1', { script });
    await s.call('StatusNotification', say.status16('Available'));
    const before = s.of('SetChargingProfile').length;
    const id = world.command('AC-1.1', { importLimitW: 5000, exportLimitW: 0 });
    await world.run(1000);
    expect(s.of('SetChargingProfile')).toHaveLength(before);
    expect(world.states(id)).not.toContain('accepted');
  });
});

describe('a station that was switched off and on', () => {
  it.each(['16', '201', '21'] as const)('simulated %s, tells what it is now, and not what it was', async (version) => {
    world = await BridgeWorld.open();
    const station = { 16: () => world.station16(), 201: () => world.station201(), 21: () => world.station21() }[
      version
    ]();
    const id = `${station.spec.identity}.1`;
    await world.until('it is known', () => row(id)?.state === 'available');
    world.plug(station, version === '21' ? v2gCar : acCar);
    await world.until('it charges', () => row(id)?.state === 'charging');
    station.press('powerCycle');
    await world.until('it is back', () => station.units[0]?.tx === undefined && row(id)?.online === true);
    await world.run(3000);
    const since = world.told('StationStatus').slice(-2);
    expect(since.map((m) => m.state)).not.toContain('charging');
    expect(row(id)?.state).toBe('connected');
    expect(world.told('SessionEvent').at(-1)).toMatchObject({ kind: 'ended' });
    station.press('unplug');
    await world.until('nobody is there', () => row(id)?.state === 'available');
  });

  it('and does not tell its state is asked; its session then says what is known', async () => {
    world = await BridgeWorld.open();
    await world.ac();
    expect(row()?.state).toBe('charging');
    const s = await world.scripted('ocpp1.6', 'AC-1');
    await world.run(8000);
    expect(s.of('TriggerMessage')).toContainEqual(expect.objectContaining({ requestedMessage: 'StatusNotification' }));
    expect(row()).toMatchObject({ online: true, state: 'connected' });
    await s.call('StatusNotification', say.status16('Available'));
    await world.run(200);
    expect(row()).toMatchObject({ online: true, state: 'available' });
  });
});

describe('a station of 2.x that measures amperes and volts only', () => {
  it('simulated, is asked for them, and counts', async () => {
    world = await BridgeWorld.open();
    const station = world.station201({ measurands: ['Current.Import', 'Voltage'] });
    await world.until('it is known', () => row()?.state === 'available');
    world.plug(station, acCar);
    await world.until('it is metered', () => (row()?.measuredW ?? 0) > 10_000);
    expect(row()?.measuredW).toBeCloseTo(station.units[0]?.evse.powerW ?? 0, -2);
    expect(row()?.quality).toBe('estimated');
  });

  it('is counted with their product, per phase, as estimated', async () => {
    world = await BridgeWorld.open();
    const s = await world.ac201();
    const sample = (measurand: string, phase: string, value: number) => ({ measurand, phase, value });
    const sampledValue = ['L1', 'L2', 'L3'].flatMap((line, i) => [
      sample('Current.Import', line, 10 + i),
      sample('Voltage', `${line}-N`, 230 + i),
    ]);
    const meterValue = [{ timestamp: now(), sampledValue }];
    await s.call('TransactionEvent', say.event21('Updated', 1, now(), { meterValue }));
    await world.settle();
    const powerW = 10 * 230 + 11 * 231 + 12 * 232;
    expect(row()).toMatchObject({ measuredW: powerW, quality: 'estimated', state: 'charging' });
  });
});
