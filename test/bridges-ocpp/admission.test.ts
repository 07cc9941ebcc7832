import { afterEach, describe, expect, it } from 'vitest';
import { admit, tellAdmission } from '../../bridges/ocpp/admission.ts';
import { BOOT, BridgeWorld, say } from './world.ts';

let world: BridgeWorld;
afterEach(() => world.close());

describe('an unknown station', () => {
  it.each(['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'] as const)(
    'of %s is told to wait, and may do nothing but boot',
    async (version) => {
      world = await BridgeWorld.open();
      const s = await world.scripted(version, 'NEW-1', { boot: false });
      expect(await s.call('BootNotification', BOOT[version])).toMatchObject({ status: 'Pending', interval: 30 });
      const status =
        version === 'ocpp1.6'
          ? say.status16('Available', 2)
          : { evseId: 2, connectorId: 1, connectorStatus: 'Available', timestamp: '2026-01-01T00:00:00Z' };
      expect(await s.call('StatusNotification', status)).toEqual({ error: 'SecurityError' });
      expect(await s.call('Heartbeat', {})).toEqual({ error: 'SecurityError' });
      expect(world.site.pendingStations()).toMatchObject([
        { identity: 'NEW-1', vendor: 'v2gate', model: 'test', evses: 2, protocol: version },
      ]);
      await world.run(60_000, 5000);
      expect(s.calls).toEqual([]);
    },
  );

  it('that is accepted is asked to boot, and can be commanded after that', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'NEW-1', { boot: false });
    await s.call('BootNotification', BOOT['ocpp1.6']);
    await world.site.stations.accept('NEW-1');
    await world.settle();
    expect(s.calls).toMatchObject([{ action: 'TriggerMessage', payload: { requestedMessage: 'BootNotification' } }]);
    expect(await s.call('BootNotification', BOOT['ocpp1.6'])).toMatchObject({ status: 'Accepted' });
    await world.run(200);
    const id = world.command('NEW-1.1', { importLimitW: 7000 });
    await world.settle();
    expect(world.states(id)).toEqual(['sent', 'accepted']);
  });

  it('that leaves is forgotten', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'NEW-1', { boot: false });
    await s.call('BootNotification', BOOT['ocpp1.6']);
    s.close();
    await world.settle();
    expect(world.site.pendingStations()).toEqual([]);
  });

  it('is known at its first boot where everybody may come', async () => {
    world = await BridgeWorld.open({ unknownStations: 'accept' });
    const s = await world.scripted('ocpp1.6', 'NEW-1', { boot: false });
    expect(await s.call('BootNotification', BOOT['ocpp1.6'])).toMatchObject({ status: 'Accepted' });
    await world.run(200);
    expect(s.calls[0]?.action).toBe('SetChargingProfile');
    expect(s.of('TriggerMessage')).toEqual([{ requestedMessage: 'StatusNotification', connectorId: 1 }]);
  });

  it('gets 404 where nobody else may come', async () => {
    world = await BridgeWorld.open({ unknownStations: 'refuse' });
    await expect(world.scripted('ocpp1.6', 'NEW-1')).rejects.toMatchObject({ code: 'ocpp.unknownStation' });
  });

  it('that disappears from the site file is let go when nobody else may come', async () => {
    world = await BridgeWorld.open({ unknownStations: 'refuse' });
    const s = await world.scripted('ocpp1.6', 'AC-2');
    const stations = world.file.stations.filter((x) => x.identity !== 'AC-2');
    await world.site.reload({ ...world.file, stations, groups: [], contracts: [] });
    await world.settle();
    expect(s.peer.open).toBe(false);
  });
});

describe('a station with a password', () => {
  const withPassword = async (): Promise<void> => {
    world = await BridgeWorld.open();
    const stations = world.file.stations.map((s) => (s.identity === 'AC-1' ? { ...s, passwordRef: 'AC1' } : s));
    await world.site.reload({ ...world.file, stations });
  };

  it('comes in with the right one only', async () => {
    await withPassword();
    world.secrets.AC1 = 'correct horse battery';
    await expect(world.scripted('ocpp1.6', 'AC-1')).rejects.toMatchObject({ code: 'ocpp.unauthorized' });
    const wrong = world.scripted('ocpp1.6', 'AC-1', { password: 'wrong horse battery' });
    await expect(wrong).rejects.toMatchObject({ code: 'ocpp.unauthorized' });
    const s = await world.scripted('ocpp1.6', 'AC-1', { password: 'correct horse battery' });
    expect(s.peer.open).toBe(true);
  });

  it('of 1.6 shows the raw bytes of its key, or its hex digits; one of 2.x never the bytes', async () => {
    await withPassword();
    const key = '00ff10203040506070809fa0b0c0d0e0';
    const bytes = Buffer.from(key, 'hex');
    world.secrets.AC1 = key;
    for (const password of [bytes, key]) {
      const s = await world.scripted('ocpp1.6', 'AC-1', { password, boot: false });
      expect(s.peer.open).toBe(true);
    }
    const other = Buffer.from(key.replace('ff', 'fe'), 'hex');
    await expect(world.scripted('ocpp1.6', 'AC-1', { password: other })).rejects.toMatchObject({
      code: 'ocpp.unauthorized',
    });
    for (const version of ['ocpp2.0.1', 'ocpp2.1'] as const) {
      await expect(world.scripted(version, 'AC-1', { password: bytes })).rejects.toMatchObject({
        code: 'ocpp.unauthorized',
      });
      expect((await world.scripted(version, 'AC-1', { password: key, boot: false })).peer.open).toBe(true);
    }
  });

  it('of 2.x may have any letters in it', async () => {
    await withPassword();
    world.secrets.AC1 = 'Straße über 16 Zeichen €';
    const s = await world.scripted('ocpp2.0.1', 'AC-1', { password: 'Straße über 16 Zeichen €', boot: false });
    expect(s.peer.open).toBe(true);
  });

  it('does not come in while its secret is missing or empty', async () => {
    await withPassword();
    const missing = world.scripted('ocpp1.6', 'AC-1', { password: 'anything' });
    await expect(missing).rejects.toMatchObject({ code: 'ocpp.unauthorized' });
    world.secrets.AC1 = '';
    const empty = world.scripted('ocpp1.6', 'AC-1', { password: '' });
    await expect(empty).rejects.toMatchObject({ code: 'ocpp.unauthorized' });
  });
});

describe('who may charge', () => {
  it('is in the list', async () => {
    world = await BridgeWorld.open();
    const a = await world.scripted('ocpp1.6', 'AC-1');
    expect(await a.call('Authorize', { idTag: 'RFID-1' })).toEqual({ idTagInfo: { status: 'Accepted' } });
    expect(await a.call('Authorize', { idTag: 'RFID-2' })).toEqual({ idTagInfo: { status: 'Invalid' } });
    const b = await world.scripted('ocpp2.1', 'V2G-1');
    const token = (idToken: string) => ({ idToken: { idToken, type: 'Central' } });
    expect(await b.call('Authorize', token('RFID-1'))).toEqual({ idTokenInfo: { status: 'Accepted' } });
    expect(await b.call('Authorize', token('RFID-2'))).toEqual({ idTokenInfo: { status: 'Invalid' } });
  });

  it('is anybody where the site says so', async () => {
    world = await BridgeWorld.open({ idTokens: { policy: 'any' } });
    const s = await world.scripted('ocpp1.6', 'AC-1');
    expect(await s.call('Authorize', { idTag: 'WHOEVER' })).toEqual({ idTagInfo: { status: 'Accepted' } });
  });
});

describe('beyond loopback', () => {
  it('a station without a password of its own is refused, an unknown one is not found first', async () => {
    world = await BridgeWorld.open({ unknownStations: 'refuse' });
    const stations = world.file.stations.map((s) => (s.identity === 'AC-1' ? { ...s, passwordRef: 'AC1' } : s));
    await world.site.reload({ ...world.file, stations });
    const knock = (identity: string, o: { readonly mustProve?: boolean }, password = 'right') =>
      admit(world.site, () => 'right', identity, { user: identity, password: Buffer.from(password) }, o);
    const mustProve = true;
    expect(knock('AC-2', { mustProve })).toMatchObject({ accept: false, status: 401 });
    expect(knock('OTHER', { mustProve })).toMatchObject({ accept: false, status: 404 });
    expect(knock('AC-1', { mustProve })).toEqual({ accept: true });
    expect(knock('AC-1', { mustProve }, 'wrong')).toMatchObject({ accept: false, status: 401 });
    expect(knock('AC-2', {})).toEqual({ accept: true });
  });
});

describe('a station that is turned away', () => {
  const warnings = () => (world.site.snapshot().warnings ?? []).map((w) => w.text);

  it('is told to people with the reason, until it is let in', async () => {
    world = await BridgeWorld.open();
    const stations = world.file.stations.map((s) => (s.identity === 'AC-1' ? { ...s, passwordRef: 'AC1' } : s));
    await world.site.reload({ ...world.file, stations });
    await expect(world.scripted('ocpp1.6', 'AC-1', { password: 'x' })).rejects.toThrow();
    expect(warnings()).toEqual([expect.stringMatching(/^AC-1 .*the secret “AC1” is not given to the gateway/)]);
    world.secrets.AC1 = 'right';
    await expect(world.scripted('ocpp1.6', 'AC-1')).rejects.toThrow();
    expect(warnings()).toEqual([expect.stringContaining('it sent no password')]);
    await expect(world.scripted('ocpp1.6', 'AC-1', { password: 'wrong' })).rejects.toThrow();
    expect(warnings()).toEqual([expect.stringContaining('its password is not the secret “AC1”')]);
    expect(warnings().join()).not.toMatch(/right|wrong/);
    await world.scripted('ocpp1.6', 'AC-1', { password: 'right' });
    expect(warnings()).toEqual([]);
  });

  it('is told of no longer when it has stopped to try, and not at all where it is no station of the site', async () => {
    world = await BridgeWorld.open({ unknownStations: 'refuse' });
    const no = { accept: false, status: 401, reason: 'it sent no password' } as const;
    tellAdmission(world.site, 'STRANGER', no);
    expect(warnings()).toEqual([]);
    tellAdmission(world.site, 'AC-1', no);
    await world.clock.advance(590_000);
    expect(warnings()).toHaveLength(1);
    await world.clock.advance(20_000);
    expect(warnings()).toEqual([]);
  });
});
