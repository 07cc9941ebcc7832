import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../core/clock.ts';
import { createOcppServer, dispatch, type OcppServer, type Station } from '../../protocols/ocpp/index.ts';
import type { ForeignStation } from './support/foreign.ts';
import { pythonStation, pythonWithPackages, type Script } from './support/python.ts';

type Order = readonly [action: string, payload: object];

interface Orders {
  readonly script: Script;
  readonly remoteStart: Order;
  readonly remoteStop: (transactionId: unknown) => Order;
  readonly availability: (to: 'Operative' | 'Inoperative') => Order;
  readonly reset: Order;
}

const orders2 = (script: Script): Orders => ({
  script,
  remoteStart: ['RequestStartTransaction', { remoteStartId: 1, evseId: 1, idToken: { idToken: 'T', type: 'Central' } }],
  remoteStop: (transactionId) => ['RequestStopTransaction', { transactionId }],
  availability: (operationalStatus) => ['ChangeAvailability', { operationalStatus, evse: { id: 1 } }],
  reset: ['Reset', { type: 'Immediate' }],
});

/** What a server may order, in the words of each version (ocpp 7). */
const ORDERS: readonly Orders[] = [
  {
    script: 'station16.py',
    remoteStart: ['RemoteStartTransaction', { idTag: 'T', connectorId: 1 }],
    remoteStop: (transactionId) => ['RemoteStopTransaction', { transactionId }],
    availability: (type) => ['ChangeAvailability', { connectorId: 1, type }],
    reset: ['Reset', { type: 'Hard' }],
  },
  orders2('station201.py'),
  orders2('station21.py'),
];

const identityOf = (script: Script): string => `PY-${script.replaceAll(/\D/g, '')}`;

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

  function start(script: Script, o: { readonly maxExportW?: number; readonly idle?: boolean } = {}): ForeignStation {
    const station = pythonStation(python, script, { url: server.url, identity: identityOf(script), ...o });
    running.push(station);
    return station;
  }

  function serve(station: Station): void {
    connected.push(station);
    const now = (): string => new Date().toISOString();
    const boot = () => ({ status: 'Accepted' as const, currentTime: now(), interval: 60 });
    const heartbeat = () => ({ currentTime: now() });
    if (station.version === 'ocpp1.6') {
      station.handle(
        dispatch('ocpp1.6', {
          BootNotification: boot,
          Heartbeat: heartbeat,
          StatusNotification: () => ({}),
          Authorize: () => ({ idTagInfo: { status: 'Accepted' } }),
          StartTransaction: () => ({ transactionId: 7, idTagInfo: { status: 'Accepted' } }),
          MeterValues: () => ({}),
          StopTransaction: () => ({}),
        }),
      );
      return;
    }
    const handlers = {
      BootNotification: boot,
      Heartbeat: heartbeat,
      StatusNotification: () => ({}),
      Authorize: () => ({ idTokenInfo: { status: 'Accepted' as const } }),
      NotifyEVChargingNeeds: () => ({ status: 'Processing' as const }),
      NotifyReport: () => ({}),
      MeterValues: () => ({}),
      TransactionEvent: () => ({}),
    };
    if (station.version === 'ocpp2.0.1') station.handle(dispatch('ocpp2.0.1', handlers));
    else station.handle(dispatch('ocpp2.1', handlers));
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
    const foreign = start('station21.py', { maxExportW: 11_000 });
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

  it.each(ORDERS)('$script: does what its control channel and its server tell it', async (orders) => {
    const foreign = start(orders.script, { idle: true });
    await foreign.next('boot', (e) => e.status === 'Accepted');
    const station = () => connected.findLast((s) => s.identity === identityOf(orders.script));
    const order = async ([action, payload]: Order) =>
      String(Reflect.get(Object(await station()?.callAny(action, payload)), 'status'));
    const id = async (from: number) => (await foreign.next('started', () => true, 5_000, from)).transactionId;

    await foreign.tell('plug');
    await foreign.tell('present');
    const first = await id(0);
    await foreign.tell('present');
    await foreign.next('stopped', (e) => e.reason === 'Local');
    expect(await order(orders.remoteStop(first))).toBe('Rejected');

    let from = foreign.mark;
    expect(await order(orders.remoteStart)).toBe('Accepted');
    const second = await id(from);
    expect(await order(orders.availability('Inoperative'))).toBe('Scheduled');
    expect(await order(orders.remoteStop(second))).toBe('Accepted');
    await foreign.next('stopped', (e) => e.reason === 'Remote');
    expect(await order(orders.remoteStart)).toBe('Rejected');
    expect(await order(orders.availability('Operative'))).toBe('Accepted');

    await foreign.tell('answer', { action: orders.remoteStart[0], payload: { status: 'Rejected' }, times: 1 });
    expect(await order(orders.remoteStart)).toBe('Rejected');
    from = foreign.mark;
    await foreign.tell('drop', { forS: 0.5 });
    await foreign.next('connected', () => true, 5_000, from);
    await foreign.tell('unplug');
    from = foreign.mark;
    expect(await order(orders.reset)).toBe('Accepted');
    await foreign.next('boot', (e) => e.status === 'Accepted', 10_000, from);
    expect(await foreign.call('Heartbeat')).toMatchObject({ currentTime: expect.any(String) });
    const unknown = station()?.callAny('DataTransfer', { vendorId: 'nobody' });
    await expect(unknown).rejects.toMatchObject({ code: 'ocpp.notImplemented' });
  });
});
