import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { Request } from '../../protocols/ocpp/index.ts';
import type { Station16, Station21 } from '../../simulators/stations/index.ts';
import { acCar, v2gCar, World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = new World();
  await world.listen();
});
afterEach(() => world.close());

const unitOf = (station: Pick<Station16, 'units'> | Pick<Station21, 'units'>) => {
  const [unit] = station.units;
  if (!unit) throw new Error('no unit');
  return unit;
};

async function charging16(): Promise<Station16> {
  const station = world.station16();
  await world.until('boot', () => station.everReady);
  station.sessions.plug(unitOf(station), acCar);
  await world.until('transaction', () => unitOf(station).tx?.wireId !== undefined);
  await world.run(2000);
  return station;
}

async function charging21(): Promise<Station21> {
  const station = world.station21();
  await world.until('boot', () => station.everReady);
  station.sessions.plug(unitOf(station), v2gCar);
  await world.until('transaction', () => world.of('NotifyEVChargingNeeds').length === 1);
  return station;
}

const limit = (amps: number): Request<'ocpp1.6', 'SetChargingProfile'> => ({
  connectorId: 1,
  csChargingProfiles: {
    chargingProfileId: 1,
    stackLevel: 0,
    chargingProfilePurpose: 'TxDefaultProfile',
    chargingProfileKind: 'Absolute',
    chargingSchedule: {
      chargingRateUnit: 'A',
      startSchedule: iso(world.clock.now()),
      chargingSchedulePeriod: [{ startPeriod: 0, limit: amps }],
    },
  },
});

const TRANSACTION = ['StartTransaction', 'MeterValues', 'StopTransaction'];

describe('offline', () => {
  it('a 1.6 station keeps charging and delivers its transaction messages in order after the reconnect', async () => {
    const station = await charging16();
    const before = world.received.length;
    await world.goDown();
    await world.run(10_000);
    expect(unitOf(station).evse.powerW).toBeCloseTo(11_040, 0);
    station.sessions.unplug(unitOf(station));
    await world.run(1000);
    station.sessions.plug(unitOf(station), { ...acCar, idTag: 'DEMO-2' });
    await world.run(5000);
    expect(world.received.length).toBe(before);
    await world.listen();
    await world.until('queue empty', () => world.names().length > before && station.outbox.waiting === 0);
    const after = world.received.slice(before);
    expect(after.map((r) => r.action)).not.toContain('BootNotification');
    expect(world.last('StatusNotification')).toMatchObject({ connectorId: 1, status: 'Charging' });
    const tx = after.filter((r) => TRANSACTION.includes(r.action));
    const ids = tx.map((r) => `${r.action} ${r.payload.transactionId ?? r.payload.idTag}`);
    expect(ids.filter((id, i) => id !== ids[i - 1])).toEqual([
      'MeterValues 100',
      'StopTransaction 100',
      'StartTransaction DEMO-2',
      'MeterValues 101',
    ]);
    const times = tx.map((r) => timeOf(r.payload));
    expect(times).toEqual([...times].sort());
    expect(new Set(times.slice(0, 4)).size).toBe(4);
  });

  it('a 2.1 station marks what happened offline and leaves no gap in seqNo', async () => {
    const station = await charging21();
    await world.run(3000);
    await world.goDown();
    await world.run(6000);
    station.sessions.unplug(unitOf(station));
    await world.run(1000);
    await world.listen();
    await world.until('queue empty', () => station.line.peer !== undefined && station.outbox.waiting === 0);
    const events = world.of('TransactionEvent').map((r) => r.payload);
    expect(events.map((e) => e.seqNo)).toEqual(events.map((_e, i) => i));
    expect(events.at(-1)).toMatchObject({ eventType: 'Ended', offline: true });
    expect(events[0]).not.toHaveProperty('offline');
    expect(events.filter((e) => e.offline).length).toBeGreaterThanOrEqual(3);
  });

  it('a message whose answer was lost with the connection is repeated', async () => {
    const station = world.station16();
    await world.until('boot', () => station.everReady);
    world.answers.StartTransaction = () => {
      delete world.answers.StartTransaction;
      world.cs1().close();
      return {};
    };
    station.sessions.plug(unitOf(station), acCar);
    await world.until('transaction', () => unitOf(station).tx?.wireId !== undefined);
    const starts = world.of('StartTransaction').map((r) => r.payload);
    expect(starts.length).toBe(2);
    expect(starts[1]).toEqual(starts[0]);
  });

  it('a message that fails is repeated, and given up after the attempts', async () => {
    const station = await charging16();
    let refusals = 0;
    world.answers.StopTransaction = () => {
      refusals++;
      throw new Error('broken');
    };
    station.sessions.unplug(unitOf(station));
    await world.until('given up', () => station.outbox.waiting === 0);
    expect(refusals).toBe(3);
    expect(world.events.filter((e) => e.event === 'messageFailed').length).toBe(3);
  });

  it('a profile with maxOfflineDuration ends offline, and the station falls back', async () => {
    const station = await charging21();
    const profile = (id: number, stackLevel: number, watts: number) => ({
      id,
      stackLevel,
      chargingProfilePurpose: 'TxDefaultProfile' as const,
      chargingProfileKind: 'Absolute' as const,
      ...(id === 2 ? { maxOfflineDuration: 10 } : {}),
      chargingSchedule: [
        {
          id: 1,
          chargingRateUnit: 'W' as const,
          startSchedule: iso(world.clock.now()),
          chargingSchedulePeriod: [{ startPeriod: 0, limit: watts }],
        },
      ],
    });
    await world.cs2().call('SetChargingProfile', { evseId: 1, chargingProfile: profile(1, 0, 1000) });
    await world.cs2().call('SetChargingProfile', { evseId: 1, chargingProfile: profile(2, 1, 8000) });
    await world.goDown();
    await world.run(9000);
    expect(unitOf(station).evse.powerW).toBe(8000);
    await world.run(4000);
    expect(unitOf(station).evse.powerW).toBe(1000);
    await world.listen();
    await world.until('reconnect', () => station.line.peer !== undefined);
    await world.run(2000);
    expect(unitOf(station).evse.powerW).toBe(8000);
  });

  it('waits longer after each failed attempt to connect', async () => {
    await world.goDown();
    world.station16();
    await world.run(60_000);
    const failed = world.events.filter((e) => e.event === 'connectFailed').map((e) => Date.parse(e.at));
    const waits = failed.slice(1).map((t, i) => t - (failed[i] ?? 0));
    expect(waits.length).toBeGreaterThanOrEqual(4);
    expect(waits.at(-1)).toBeGreaterThan(2 * (waits[0] ?? 0));
    expect(Math.max(...waits)).toBeLessThanOrEqual(18_500);
  });
});

describe('fault switches', () => {
  it('refuse: commands are rejected, and obeyed again afterwards', async () => {
    const station = await charging16();
    station.setFault('refuse');
    expect((await world.cs1().call('SetChargingProfile', limit(8))).status).toBe('Rejected');
    expect((await world.cs1().call('RemoteStopTransaction', { transactionId: 100 })).status).toBe('Rejected');
    station.setFault('none');
    expect((await world.cs1().call('SetChargingProfile', limit(8))).status).toBe('Accepted');
    await world.run(2000);
    expect(unitOf(station).evse.powerW).toBeCloseTo(8 * 690, 0);
  });

  it('ignore: commands are accepted and nothing happens', async () => {
    const station = await charging16();
    station.setFault('ignore');
    expect((await world.cs1().call('SetChargingProfile', limit(8))).status).toBe('Accepted');
    await world.run(5000);
    expect(unitOf(station).evse.powerW).toBeCloseTo(11_040, 0);
    station.setFault('none');
    await world.run(2000);
    expect(unitOf(station).evse.powerW).toBeCloseTo(8 * 690, 0);
  });

  it('silent: connected, but nothing is sent or answered; later the queue is delivered', async () => {
    const station = await charging16();
    station.setFault('silent');
    const before = world.received.length;
    const call = world.cs1().call('SetChargingProfile', limit(8), { timeoutMs: 5000 });
    const outcome = call.then(
      () => 'answered',
      (e: { code?: string }) => e.code,
    );
    await world.run(6000);
    expect(await outcome).toBe('ocpp.timeout');
    expect(world.received.length).toBe(before);
    expect(station.line.connected).toBe(true);
    station.setFault('none');
    await world.until('readings', () => station.outbox.waiting === 0);
    expect(world.of('MeterValues').length).toBeGreaterThanOrEqual(3);
  });

  it('disconnect: the socket goes down and stays down until the fault ends', async () => {
    const station = await charging16();
    station.setFault('disconnect');
    await world.run(60_000);
    expect(() => world.cs1()).toThrow('not connected');
    station.setFault('none');
    await world.until('reconnect', () => station.line.peer !== undefined);
    expect(world.of('BootNotification').length).toBe(1);
  });

  it('late: answers and acts after the delay', async () => {
    const station = world.station16({ lateMs: 4000, fault: 'late' });
    await world.until('boot', () => station.everReady);
    station.sessions.plug(unitOf(station), acCar);
    await world.run(4000);
    let answer = '';
    const call = world.cs1().call('SetChargingProfile', limit(8));
    void call.then(({ status }) => {
      answer = status;
    });
    await world.run(3600);
    expect(answer).toBe('');
    expect(unitOf(station).evse.powerW).toBeCloseTo(11_040, 0);
    await world.run(2000);
    expect(answer).toBe('Accepted');
    expect(unitOf(station).evse.powerW).toBeCloseTo(8 * 690, 0);
  });

  it('a station that is born silent boots once it speaks', async () => {
    const station = world.station16({ fault: 'silent' });
    await world.run(10_000);
    expect(station.line.connected).toBe(true);
    expect(world.received).toEqual([]);
    station.setFault('none');
    await world.until('boot', () => station.everReady);
  });

  it('a station can be born with a fault', async () => {
    const station = world.station16({ fault: 'disconnect' });
    await world.run(10_000);
    expect(world.received).toEqual([]);
    expect(station.fault).toBe('disconnect');
  });
});

function timeOf(payload: Record<string, unknown>): string {
  if (typeof payload.timestamp === 'string') return payload.timestamp;
  const meterValue = payload.meterValue as { timestamp: string }[];
  return meterValue[0]?.timestamp ?? '';
}
