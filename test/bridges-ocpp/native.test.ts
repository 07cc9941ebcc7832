import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { checkDer, clipPower } from '../../bridges/ocpp/clip.ts';
import { type Circuitry, effectiveRange } from '../../bridges/ocpp/effective.ts';
import { codeOf } from '../../core/errors.ts';
import { accept, BridgeWorld, callError, say } from './world.ts';

type Json = Record<string, unknown>;

const ac: Circuitry = { current: 'ac', voltageV: 230, phases: 3 };
const dc: Circuitry = { current: 'dc', voltageV: 230, phases: 1 };

const periods = (unit: string, list: Json[], x: Json = {}): Json => ({
  chargingProfilePurpose: 'TxProfile',
  chargingProfileKind: 'Absolute',
  stackLevel: 3,
  ...x,
  chargingSchedule: [
    { id: 1, chargingRateUnit: unit, startSchedule: '2026-01-01T00:00:00Z', chargingSchedulePeriod: list },
  ],
});
const set2 = (profile: Json, evseId = 1): Json => ({ evseId, chargingProfile: { id: 77, ...profile } });
const set16 = (unit: string, limit: number, x: Json = {}): Json => ({
  connectorId: 1,
  csChargingProfiles: {
    chargingProfileId: 77,
    stackLevel: 3,
    chargingProfilePurpose: 'TxProfile',
    chargingProfileKind: 'Absolute',
    ...x,
    chargingSchedule: {
      chargingRateUnit: unit,
      startSchedule: '2026-01-01T00:00:00Z',
      chargingSchedulePeriod: [{ startPeriod: 0, limit }],
    },
  },
});

const codeFrom = (run: () => unknown): string | undefined => {
  try {
    run();
    return undefined;
  } catch (e) {
    return codeOf(e);
  }
};

describe('a native profile', () => {
  it('never lets a station do more than the limits, in any version, unit and form', () => {
    const power = fc.double({ min: -60_000, max: 60_000, noNaN: true });
    const period = fc.record(
      {
        limit: power,
        limit_L2: power,
        limit_L3: power,
        setpoint: power,
        setpoint_L2: power,
        dischargeLimit: power.map((w) => -Math.abs(w)),
        numberPhases: fc.constantFrom(1, 2, 3),
        operationMode: fc.constantFrom('ChargingOnly', 'CentralSetpoint', 'CentralFrequency', 'Idle', 'LocalFrequency'),
      },
      { requiredKeys: [] },
    );
    const limit = fc.double({ min: 0, max: 30_000, noNaN: true });
    let clipped = 0;
    const property = fc.property(
      fc.array(period, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('A', 'W'),
      fc.record({ importLimitW: limit, exportLimitW: limit }),
      fc.constantFrom(ac, dc),
      (list, unit, limits, circuitry) => {
        const payload = set2(periods(unit, list));
        const before = JSON.stringify(payload);
        let result: ReturnType<typeof clipPower>;
        try {
          result = clipPower('SetChargingProfile', payload, limits, circuitry);
        } catch (e) {
          expect(codeOf(e)).toBe('native.power');
          return;
        }
        clipped++;
        const range = effectiveRange('SetChargingProfile', result.payload, circuitry);
        expect(range?.maxW).toBeLessThanOrEqual(limits.importLimitW + 0.5);
        expect(range?.minW).toBeGreaterThanOrEqual(-limits.exportLimitW - 0.5);
        expect(JSON.stringify(payload)).toBe(before);
      },
    );
    fc.assert(property, { numRuns: 500 });
    expect(clipped).toBeGreaterThan(50);
  });

  it('inside the limits is left as it is, but for its place below the gateway', () => {
    const limits = { importLimitW: 11_000, exportLimitW: 5000 };
    const { payload, range } = clipPower('SetChargingProfile', set16('W', 6000), limits, ac);
    expect(payload).toEqual(set16('W', 6000, { stackLevel: 0 }));
    expect(range).toEqual({ minW: 0, maxW: 6000 });
    const max = set16('A', 63, { chargingProfilePurpose: 'ChargePointMaxProfile' });
    expect(clipPower('SetChargingProfile', max, limits, ac)).toEqual({
      payload: max,
      range: undefined,
      changed: false,
    });
  });

  it('is cut phase by phase, in the unit of its schedule', () => {
    const limits = { importLimitW: 6900, exportLimitW: 0 };
    const amps = clipPower('SetChargingProfile', set16('A', 32), limits, ac).payload;
    expect(JSON.stringify(amps)).toContain('"limit":10}');
    const three = periods('W', [{ startPeriod: 0, limit: 4000, limit_L2: 6000, limit_L3: 3800 }]);
    const cut = clipPower('SetChargingProfile', set2(three), limits, ac).payload;
    expect(JSON.stringify(cut)).toContain('"limit":2000,"limit_L2":3000,"limit_L3":1900');
  });

  it('that others would decide about is refused', () => {
    const limits = { importLimitW: 11_000, exportLimitW: 0 };
    const refused = (profile: Json, c = ac) =>
      codeFrom(() => clipPower('SetChargingProfile', set2(profile), limits, c));
    for (const chargingProfilePurpose of ['PriorityCharging', 'LocalGeneration', 'ChargingStationExternalConstraints'])
      expect(refused(periods('W', [{ startPeriod: 0, limit: 1 }], { chargingProfilePurpose }))).toBe('native.power');
    for (const operationMode of ['LocalFrequency', 'LocalLoadBalancing', 'ExternalLimits'])
      expect(refused(periods('W', [{ startPeriod: 0, limit: 1, operationMode }]))).toBe('native.power');
    expect(refused(periods('A', [{ startPeriod: 0, limit: 1 }]), dc)).toBe('native.power');
    expect(codeFrom(() => clipPower('SetChargingProfile', {}, limits, ac))).toBe('native.power');
  });

  it('of DER may not touch protection, nor move active power', () => {
    const der = (action: string, controlType?: string) =>
      codeFrom(() => checkDer(action, controlType === undefined ? { isDefault: true } : { controlType }));
    for (const type of [
      'HVMustTrip',
      'LVMustTrip',
      'HFMustTrip',
      'LFMustTrip',
      'EnterService',
      'PowerMonitoringMustTrip',
    ])
      for (const action of ['SetDERControl', 'ClearDERControl']) expect(der(action, type), type).toBe('native.power');
    expect(der('SetDERControl', 'FreqDroop')).toBe('native.power');
    expect(der('ClearDERControl')).toBe('native.power');
    expect(der('SetDERControl', 'VoltVar')).toBeUndefined();
    expect(der('ClearDERControl', 'FixedPFInject')).toBeUndefined();
  });
});

let world: BridgeWorld;

describe('a native power message on a link', () => {
  afterEach(() => world.close());
  const send = (action: string, payload: Json, version = 'ocpp2.1', peer = 'V2G-1') =>
    world.link.send(world.wire(`${version}/${action}Request`, payload, peer));
  const profile = (setpoint: number, x: Json = {}): Json =>
    periods('W', [{ startPeriod: 0, operationMode: 'CentralSetpoint', setpoint }], { transactionId: 'tx-1', ...x });

  it('is clipped to the envelope, logged, answered, and the worst case of the station in the twin', async () => {
    world = await BridgeWorld.open({}, 'native');
    const s = await world.v2g();
    await world.limit('V2G-1.1', 7000);
    await world.settle();
    s.calls.length = 0;
    await send('SetChargingProfile', set2(profile(9000)));
    expect(JSON.stringify(s.of('SetChargingProfile'))).toContain('"setpoint":7000');
    expect(s.of('SetChargingProfile')).toMatchObject([{ chargingProfile: { id: 77, stackLevel: 0 } }]);
    expect(world.logged('native.clipped')).toBe(1);
    expect(world.outcomes.at(-1)).toMatchObject({
      resourceId: 'V2G-1.1',
      state: 'accepted',
      appliedW: 7000,
      shape: 'native',
    });
    expect(world.messages.at(-1)).toMatchObject({
      topic: 'ocpp2.1/SetChargingProfileResponse',
      payload: { status: 'Accepted' },
    });
    // It holds until the transaction ends: the site is told again and again.
    const told = () => world.outcomes.filter((o) => o.shape === 'native').map((o) => o.appliedW);
    await world.run(61_000, 1000);
    expect(told()).toEqual([7000, 7000]);
    await s.call('TransactionEvent', say.event21('Ended', 1, '2026-01-01T00:01:01Z'));
    await world.run(61_000, 1000);
    expect(told()).toEqual([7000, 7000]);
  });

  it('is held when the envelope shrinks later, and counts again when that is over', async () => {
    world = await BridgeWorld.open({}, 'native');
    const s = await world.v2g();
    await send('SetChargingProfile', set2(profile(6000)));
    s.calls.length = 0;
    await world.limit('V2G-1.1', 4000);
    await world.settle();
    expect(s.of('SetChargingProfile')).toMatchObject([{ chargingProfile: { id: 1001, stackLevel: 1 } }]);
    expect(JSON.stringify(s.of('SetChargingProfile'))).toContain('"limit":4000');
    await world.lift('V2G-1.1');
    await world.run(12_000, 1000);
    expect(s.of('ClearChargingProfile')).toEqual([{ chargingProfileId: 1001 }]);
  });

  it('without room for export exports nothing', async () => {
    world = await BridgeWorld.open({}, 'native');
    const s = await world.v2g();
    await world.site.setLimit({ nodeId: 'V2G-1.1', source: 'test', exportLimitW: 2000 });
    await world.settle();
    await send('SetChargingProfile', set2(profile(-9000)));
    const sent = /"setpoint":(-?\d+)/.exec(JSON.stringify(s.of('SetChargingProfile').at(-1)))?.[1];
    expect(Number(sent)).toBeGreaterThanOrEqual(-2000);
  });

  it('as a default allows no more than the default of the gateway', async () => {
    const stations = [
      { identity: 'AC-1', evses: [{ evse: 1, current: 'ac' as const, maxImportW: 11_040, offlineImportW: 4600 }] },
    ];
    world = await BridgeWorld.open({ stations, groups: [], contracts: [] }, 'native');
    const s = await world.ac();
    await send(
      'SetChargingProfile',
      set16('W', 9000, { chargingProfilePurpose: 'TxDefaultProfile' }),
      'ocpp1.6',
      'AC-1',
    );
    expect(JSON.stringify(s.of('SetChargingProfile'))).toContain('"limit":4600');
    expect(s.of('SetChargingProfile')).toMatchObject([{ csChargingProfiles: { stackLevel: 3 } }]);
  });

  it('with a remote start is clipped too, in 1.6 and in 2.0.1', async () => {
    world = await BridgeWorld.open({}, 'native');
    const s = await world.scripted('ocpp1.6', 'AC-1');
    const { csChargingProfiles: chargingProfile } = set16('A', 32);
    await send('RemoteStartTransaction', { idTag: 'RFID-1', connectorId: 1, chargingProfile }, 'ocpp1.6', 'AC-1');
    expect(JSON.stringify(s.of('RemoteStartTransaction'))).toContain('"limit":16}');
    const t = await world.scripted('ocpp2.0.1', 'AC-2');
    const start = { idToken: { idToken: 'RFID-1', type: 'Central' }, remoteStartId: 1, evseId: 1 };
    const p = periods('W', [{ startPeriod: 0, limit: 22_000 }], { id: 77 });
    await send('RequestStartTransaction', { ...start, chargingProfile: p }, 'ocpp2.0.1', 'AC-2');
    expect(JSON.stringify(t.of('RequestStartTransaction'))).toContain('"limit":11040');
  });

  it('that changes a dynamic profile of the flow is clipped; the profiles of the gateway are its own', async () => {
    world = await BridgeWorld.open({}, 'native');
    const s = await world.v2g();
    const dynamic = profile(3000, { chargingProfileKind: 'Dynamic' });
    await send('SetChargingProfile', set2(dynamic));
    await send('UpdateDynamicSchedule', { chargingProfileId: 77, scheduleUpdate: { setpoint: 20_000 } });
    expect(s.of('UpdateDynamicSchedule')).toEqual([{ chargingProfileId: 77, scheduleUpdate: { setpoint: 11_000 } }]);
    for (const chargingProfileId of [1, 1001]) {
      const own = send('UpdateDynamicSchedule', { chargingProfileId, scheduleUpdate: { setpoint: 1 } });
      await expect(own).rejects.toMatchObject({ code: 'native.power' });
    }
  });

  it('that clears profiles passes; default and limits are put back at once', async () => {
    world = await BridgeWorld.open({}, 'native');
    const s = await world.v2g();
    await world.limit('V2G-1.1', 4000);
    await world.settle();
    s.calls.length = 0;
    await send('ClearChargingProfile', { chargingProfileCriteria: { evseId: 1 } });
    await world.run(12_000, 1000);
    const ids = s.of('SetChargingProfile').map((p) => (p.chargingProfile as Json).id);
    expect([...ids].sort()).toEqual([1, 1001]);
    expect(world.outcomes.some((o) => o.shape === 'native' && o.appliedW === 11_000)).toBe(true);
  });

  it('that no limit could hold is refused', async () => {
    world = await BridgeWorld.open({}, 'native');
    const s = await world.v2g();
    for (const [action, payload] of [
      ['UsePriorityCharging', { transactionId: 'tx-1', activate: true }],
      ['AFRRSignal', { timestamp: '2026-01-01T00:00:00Z', signal: 1 }],
      ['SetDERControl', { isDefault: true, controlId: 'c', controlType: 'HVMustTrip' }],
      ['SetChargingProfile', {}],
      ['SetChargingProfile', set2(profile(1000), 7)],
    ] as const) {
      await expect(send(action, payload), action).rejects.toMatchObject({ code: 'native.power' });
    }
    expect(s.calls).toEqual([]);
  });
});

describe('a call that flows answer', () => {
  afterEach(() => world.close());
  const open = async () => {
    world = await BridgeWorld.open({}, 'native', { flowAnswers: ['DataTransfer', 'Authorize', 'BootNotification'] });
    return world.scripted('ocpp1.6', 'AC-1');
  };
  const data = { vendorId: 'acme', data: 'x' };

  it('comes with replyTo, and gets the answer of the flow', async () => {
    const s = await open();
    const answer = s.call('DataTransfer', data);
    await world.settle();
    const asked = world.messages.at(-1);
    expect(asked).toMatchObject({ topic: 'ocpp1.6/DataTransferRequest', payload: data });
    const replyTo = asked?.v2gate.replyTo ?? '';
    const reply = world.wire('ocpp1.6/DataTransferResponse', { status: 'Accepted', data: 'y' });
    await world.link.send({ ...reply, v2gate: { ...reply.v2gate, replyTo } });
    expect(await answer).toEqual({ status: 'Accepted', data: 'y' });
    const again = world.link.send({ ...reply, v2gate: { ...reply.v2gate, replyTo } });
    await expect(again).rejects.toMatchObject({ code: 'native.noReply' });
  });

  it('is answered with an error after 10 s', async () => {
    const s = await open();
    const answer = s.call('DataTransfer', data);
    await world.run(10_500, 500);
    expect(await answer).toEqual({ error: 'InternalError' });
    expect(world.logged('reply.missing')).toBe(1);
  });

  it('of another action is answered by the gateway, and so is every boot', async () => {
    const s = await open();
    expect(world.messages[0]).toMatchObject({ topic: 'ocpp1.6/BootNotificationRequest' });
    expect(world.messages[0]?.v2gate.replyTo).toBeUndefined();
    expect(await s.call('Heartbeat', {})).toHaveProperty('currentTime');
  });

  it('that the station cannot take is an error of the gateway, not of the flow', async () => {
    const s = await open();
    const answer = s.call('Authorize', { idTag: 'RFID-1' });
    await world.settle();
    const replyTo = world.messages.at(-1)?.v2gate.replyTo ?? '';
    const reply = world.wire('ocpp1.6/AuthorizeResponse', { nonsense: 1 });
    await world.link.send({ ...reply, v2gate: { ...reply.v2gate, replyTo } });
    expect(await answer).toEqual({ error: 'InternalError' });
  });

  it('of a hub link is answered by the gateway whatever is set', async () => {
    world = await BridgeWorld.open({}, 'hub', { flowAnswers: ['DataTransfer'] });
    const s = await world.scripted('ocpp1.6', 'AC-1', {
      script: (action, p) => {
        if (action === 'ClearCache') throw callError('NotSupported');
        return accept(action, p);
      },
    });
    expect(await s.call('DataTransfer', data)).toEqual({ status: 'UnknownVendorId' });
  });
});
