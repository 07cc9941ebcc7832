import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../core/clock.ts';
import { createOcppServer, dispatch, type OcppServer, type Station } from '../../protocols/ocpp/index.ts';
import { ForeignStation, pythonWithPackages } from './support/python.ts';

/** Stations of the Python package `ocpp` against our OCPP stack alone: a failure here is not one of the gateway. */
describe('a foreign station and protocols/ocpp', () => {
  let python: string;
  let server: OcppServer;
  const connected: Station[] = [];
  const running: ForeignStation[] = [];

  beforeAll(async () => {
    python = pythonWithPackages();
    server = await createOcppServer({ clock: realClock(), onStation: serve });
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((s) => s.stop()));
    connected.length = 0;
  });
  afterAll(() => server.close());

  function start(script: 'station16.py' | 'station21.py', maxExportW = 0): ForeignStation {
    const identity = `PY-${script.slice(7, 9)}`;
    const station = new ForeignStation(python, script, { url: server.url, identity, maxExportW, meterS: 0.5 });
    running.push(station);
    return station;
  }

  function serve(station: Station): void {
    connected.push(station);
    const now = (): string => new Date().toISOString();
    if (station.version === 'ocpp1.6') {
      station.handle(
        dispatch('ocpp1.6', {
          BootNotification: () => ({ status: 'Accepted', currentTime: now(), interval: 60 }),
          StatusNotification: () => ({}),
          Authorize: () => ({ idTagInfo: { status: 'Accepted' } }),
          StartTransaction: () => ({ transactionId: 7, idTagInfo: { status: 'Accepted' } }),
          MeterValues: () => ({}),
          StopTransaction: () => ({}),
        }),
      );
    } else if (station.version === 'ocpp2.1') {
      station.handle(
        dispatch('ocpp2.1', {
          BootNotification: () => ({ status: 'Accepted', currentTime: now(), interval: 60 }),
          StatusNotification: () => ({}),
          Authorize: () => ({ idTokenInfo: { status: 'Accepted' } }),
          NotifyEVChargingNeeds: () => ({ status: 'Processing' }),
          TransactionEvent: () => ({}),
        }),
      );
    }
  }

  it('1.6: charges, obeys an ampere limit and falls back when it ends', async () => {
    const foreign = start('station16.py');
    await foreign.next('meter', (e) => (e.powerW ?? 0) > 10_900);
    const [station] = connected;
    if (station?.version !== 'ocpp1.6') throw new Error('no 1.6 station');
    const schedule = {
      duration: 3,
      startSchedule: new Date().toISOString(),
      chargingRateUnit: 'A' as const,
      chargingSchedulePeriod: [{ startPeriod: 0, limit: 8, numberPhases: 3 }],
    };
    const profile = {
      chargingProfileId: 1,
      transactionId: 7,
      stackLevel: 1,
      chargingProfilePurpose: 'TxProfile' as const,
    };
    const answer = await station.call('SetChargingProfile', {
      connectorId: 1,
      csChargingProfiles: { ...profile, chargingProfileKind: 'Absolute', chargingSchedule: schedule },
    });
    expect(answer.status).toBe('Accepted');
    const from = foreign.mark;
    await foreign.next('meter', (e) => Math.abs((e.powerW ?? 0) - 8 * 230 * 3) < 1, 5_000, from);
    await foreign.next('meter', (e) => (e.powerW ?? 0) > 10_900, 8_000, foreign.mark);
    const energy = foreign.events.filter((e) => e.event === 'meter').map((e) => e.importWh ?? 0);
    expect(energy.at(-1)).toBeGreaterThan(energy[0] ?? 0);
    await foreign.stop();
    expect(foreign.events.at(-1)).toMatchObject({ event: 'stopped' });
  });

  it('2.1: follows a dynamic setpoint through zero, and the watchdog of its profile', async () => {
    const foreign = start('station21.py', 11_000);
    await foreign.next('needs', (e) => e.status === 'Processing');
    const { transactionId } = await foreign.next('started');
    const station = connected.at(-1);
    if (station?.version !== 'ocpp2.1') throw new Error('no 2.1 station');
    const set = await station.call('SetChargingProfile', {
      evseId: 1,
      chargingProfile: {
        id: 5,
        transactionId: String(transactionId),
        stackLevel: 1,
        chargingProfilePurpose: 'TxProfile',
        chargingProfileKind: 'Dynamic',
        chargingSchedule: [
          {
            id: 1,
            duration: 3,
            chargingRateUnit: 'W',
            chargingSchedulePeriod: [{ startPeriod: 0, operationMode: 'CentralSetpoint', setpoint: 4_000 }],
          },
        ],
      },
    });
    expect(set.status).toBe('Accepted');
    await foreign.next('meter', (e) => e.powerW === 4_000);
    const update = await station.call('UpdateDynamicSchedule', {
      chargingProfileId: 5,
      scheduleUpdate: { setpoint: -6_000 },
    });
    expect(update.status).toBe('Accepted');
    const discharging = await foreign.next('meter', (e) => e.powerW === -6_000);
    await foreign.next('meter', (e) => (e.exportWh ?? 0) > (discharging.exportWh ?? 0));
    await foreign.next('meter', (e) => e.powerW === 11_000, 8_000, foreign.mark);
    const unknown = await station.call('UpdateDynamicSchedule', {
      chargingProfileId: 99,
      scheduleUpdate: { setpoint: 0 },
    });
    expect(unknown.status).toBe('Rejected');
  });
});
