import { afterEach, describe, expect, it } from 'vitest';
import { BOOT, BridgeWorld, callError, say } from './world.ts';

let world: BridgeWorld;
afterEach(() => world.close());

const notImplemented = (): never => {
  throw callError('NotImplemented');
};

describe('a station that connects', () => {
  it('is left alone until its boot is accepted; then it gets its default profile and is asked for its state', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'AC-1', { boot: false });
    await world.run(4000);
    expect(s.calls).toEqual([]);
    expect(await s.call('BootNotification', BOOT['ocpp1.6'])).toMatchObject({ status: 'Accepted', interval: 300 });
    expect(s.calls).toEqual([]);
    await world.run(200);
    expect(s.calls.map((c) => c.action)).toEqual(['SetChargingProfile', 'TriggerMessage', 'GetConfiguration']);
    expect(s.of('SetChargingProfile')[0]).toMatchObject({
      connectorId: 1,
      csChargingProfiles: { stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile' },
    });
  });

  it('again without a boot is prepared after its first other call', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp2.1', 'V2G-1', { boot: false });
    await world.run(1000);
    expect(s.calls).toEqual([]);
    await s.call('Heartbeat', {});
    await world.run(200);
    expect(s.of('SetChargingProfile')).toMatchObject([
      { evseId: 1, chargingProfile: { id: 1, stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile' } },
    ]);
  });

  it('again and says nothing is asked after some seconds, and prepared when it cannot be asked', async () => {
    world = await BridgeWorld.open();
    const script = (action: string) => (action === 'TriggerMessage' ? notImplemented() : { status: 'Accepted' });
    const s = await world.scripted('ocpp1.6', 'AC-1', { boot: false, script });
    await world.run(4800);
    expect(s.calls).toEqual([]);
    await world.run(400);
    expect(s.calls).toMatchObject([{ action: 'TriggerMessage', payload: { requestedMessage: 'StatusNotification' } }]);
    await world.run(4400);
    expect(s.of('SetChargingProfile')).toEqual([]);
    await world.run(600);
    expect(s.of('SetChargingProfile')).toHaveLength(1);
  });

  it('and boots while it is being asked is prepared only after that boot', async () => {
    world = await BridgeWorld.open();
    let answer: (x: unknown) => void = () => undefined;
    const script = (action: string) =>
      action === 'TriggerMessage' ? new Promise((resolve) => (answer = resolve)) : { status: 'Accepted' };
    const s = await world.scripted('ocpp1.6', 'AC-1', { boot: false, script });
    await world.run(5200);
    expect(s.calls).toHaveLength(1);
    await s.call('BootNotification', BOOT['ocpp1.6']);
    answer({ status: 'Rejected' });
    await world.run(200);
    expect(s.of('SetChargingProfile')).toHaveLength(1);
    await world.run(30_000);
    expect(s.of('SetChargingProfile')).toHaveLength(1);
  });

  it('refuses commands until it is ready', async () => {
    world = await BridgeWorld.open();
    await world.scripted('ocpp1.6', 'AC-1', { boot: false });
    const early = world.command('AC-1.1', { importLimitW: 7000 });
    const never = world.command('AC-2.1', { importLimitW: 7000 });
    const foreign = world.command('NOBODY.1', { importLimitW: 7000 });
    await world.settle();
    expect([early, never, foreign].map((id) => world.outcome(id))).toMatchObject([
      { state: 'refused', code: 'station.notReady' },
      { state: 'refused', code: 'station.notConnected' },
      { state: 'refused', code: 'station.notConnected' },
    ]);
  });

  it('and does not tell its state when asked counts as free', async () => {
    world = await BridgeWorld.open();
    await world.scripted('ocpp1.6', 'AC-1');
    expect(world.row('AC-1.1')?.state).toBe('offline');
    await world.run(7000);
    expect(world.row('AC-1.1')?.state).toBe('available');
  });

  it('tells its state by NotifyEvent where it knows no StatusNotification', async () => {
    world = await BridgeWorld.open();
    const station = world.station21({ statusAs: 'NotifyEvent' });
    await world.until('it is known', () => world.row('V2G-1.1')?.state === 'available');
    expect(station.profiles).toMatchObject([{ purpose: 'TxDefaultProfile', stackLevel: 0 }]);
  });
});

describe('the profile below all commands', () => {
  it('allows the share of the resource, and no more than the site file gives it offline', async () => {
    const stations = [
      { identity: 'AC-1', evses: [{ evse: 1, current: 'ac' as const, maxImportW: 11_040, offlineImportW: 4600 }] },
    ];
    world = await BridgeWorld.open({ stations, groups: [], contracts: [] });
    const s = await world.scripted('ocpp1.6', 'AC-1');
    const [profile] = s.of('SetChargingProfile');
    expect(JSON.stringify(profile)).toContain('"limit":6.6');
    await s.call('StatusNotification', say.status16('Available'));
    expect(world.told('StationStatus').at(-1)).toMatchObject({ state: 'available' });
  });

  it('is tried in the other unit when the first one is refused', async () => {
    world = await BridgeWorld.open();
    const units: unknown[] = [];
    const script = (action: string, p: Record<string, unknown>) => {
      if (action !== 'SetChargingProfile') return { status: 'Accepted' };
      const unit = JSON.stringify(p).includes('"chargingRateUnit":"A"') ? 'A' : 'W';
      units.push(unit);
      return { status: unit === 'A' ? 'Rejected' : 'Accepted' };
    };
    await world.scripted('ocpp1.6', 'AC-1', { script });
    expect(units).toEqual(['A', 'W']);
    expect(world.logged('station.noDefault')).toBe(0);
  });

  it('that is refused is complained about once, not at every reconnect, and tried again after a boot', async () => {
    world = await BridgeWorld.open();
    const script = (action: string) => ({ status: action === 'SetChargingProfile' ? 'NotSupported' : 'Accepted' });
    const first = await world.scripted('ocpp1.6', 'AC-1', { script });
    expect(first.of('SetChargingProfile')).toHaveLength(2);
    await world.run(120_000, 5000);
    first.close();
    await world.settle();
    const again = await world.scripted('ocpp1.6', 'AC-1', { boot: false, script });
    await again.call('Heartbeat', {});
    await world.run(1000);
    expect(again.of('SetChargingProfile')).toEqual([]);
    expect(world.logged('station.noDefault')).toBe(1);
    await again.call('BootNotification', BOOT['ocpp1.6']);
    await world.run(1000);
    expect(again.of('SetChargingProfile')).toHaveLength(2);
  });

  it('is installed once, and again when the share changes', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp2.1', 'V2G-1');
    await world.run(5000);
    expect(s.of('SetChargingProfile')).toHaveLength(1);
    const { stations } = world.file;
    world.file = {
      ...world.file,
      circuits: [{ circuitId: 'k1', importLimitW: 12_000, exportLimitW: 25_000 }],
      stations: [
        ...stations,
        { identity: 'AC-3', evses: [{ evse: 1, circuitId: 'k1', current: 'ac', maxImportW: 11_040 }] },
      ],
    };
    await world.site.reload(world.file);
    await world.run(70_000, 5000);
    expect(s.of('SetChargingProfile')).toHaveLength(2);
    const limit = world.site.safeImportW('V2G-1.1');
    expect(limit).toBeLessThan(5000);
    expect(JSON.stringify(s.of('SetChargingProfile')[1])).toContain(`"limit":${limit}`);
  });
});
