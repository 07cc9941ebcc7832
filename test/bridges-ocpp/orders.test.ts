import { afterEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { StationOrder, StationOrderOutcome } from '../../model/index.ts';
import { accept, BridgeWorld, callError, held, say } from './world.ts';

let world: BridgeWorld;
afterEach(() => world.close());
const now = (): string => iso(world.clock.now());

let outcomes: StationOrderOutcome[] = [];
async function open(): Promise<void> {
  world = await BridgeWorld.open();
  outcomes = [];
  world.link.on('outcome', (m) => {
    if (m.topic === 'hub/StationOrderOutcome') outcomes.push(m.payload as StationOrderOutcome);
  });
}
async function order(o: Omit<StationOrder, 'orderId'>): Promise<StationOrderOutcome | undefined> {
  const before = outcomes.length;
  await world.link.send(world.wire('hub/StationOrder', { orderId: `o:${before}`, ...o }));
  await world.settle();
  return outcomes[before];
}

const idToken = { idToken: 'RFID-1', type: 'Central' };

describe('an order to start', () => {
  it('of 1.6 is done when a session with its tag begins, also where the tag is in no list', async () => {
    await open();
    const s = await world.scripted('ocpp1.6', 'AC-1');
    expect(await order({ resourceId: 'AC-1.1', action: 'start', idToken: 'VISITOR' })).toMatchObject({
      state: 'accepted',
      identity: 'AC-1',
    });
    expect(s.of('RemoteStartTransaction')).toEqual([{ idTag: 'VISITOR', connectorId: 1 }]);
    expect(await s.call('Authorize', { idTag: 'VISITOR' })).toEqual({ idTagInfo: { status: 'Accepted' } });
    const start = await s.call('StartTransaction', say.start16({ idTag: 'VISITOR' }));
    expect(start).toMatchObject({ idTagInfo: { status: 'Accepted' } });
    expect(outcomes.at(-1)).toMatchObject({ orderId: 'o:0', state: 'done', sessionId: String(start.transactionId) });
    await s.call('StopTransaction', { transactionId: start.transactionId, meterStop: 200, timestamp: now() });
    const later = await s.call('StartTransaction', say.start16({ idTag: 'VISITOR', timestamp: now() }));
    expect(later).toMatchObject({ idTagInfo: { status: 'Invalid' } });
  });

  it.each(['ocpp2.0.1', 'ocpp2.1'] as const)('of %s is done by its remoteStartId, and by no other', async (version) => {
    await open();
    const s = await world.scripted(version, 'AC-1');
    await order({ resourceId: 'AC-1.1', action: 'start', idToken: 'VISITOR' });
    const [request] = s.of('RequestStartTransaction');
    expect(request).toMatchObject({ evseId: 1, idToken: { idToken: 'VISITOR', type: 'Central' } });
    const remoteStartId = Number(request?.remoteStartId);
    const event = (seqNo: number, id: number) =>
      say.event21(seqNo === 0 ? 'Started' : 'Updated', seqNo, now(), {
        transactionInfo: { transactionId: 'tx-1', chargingState: 'EVConnected', remoteStartId: id },
        ...(seqNo === 0 ? {} : { idToken: { idToken: 'VISITOR', type: 'Central' } }),
      });
    await s.call('TransactionEvent', event(0, remoteStartId + 1));
    expect(outcomes.map((o) => o.state)).toEqual(['accepted']);
    expect(await s.call('TransactionEvent', event(1, remoteStartId))).toEqual({ idTokenInfo: { status: 'Accepted' } });
    expect(outcomes.at(-1)).toMatchObject({ state: 'done', sessionId: 'tx-1' });
  });

  it('without a token takes that of the last session, and is incomplete where there was none', async () => {
    await open();
    const s = await world.scripted('ocpp2.1', 'V2G-1');
    expect(await order({ resourceId: 'V2G-1.1', action: 'start' })).toMatchObject({
      state: 'rejected',
      code: 'order.incomplete',
    });
    await s.call('TransactionEvent', say.event21('Started', 0, now(), { idToken }));
    await s.call('TransactionEvent', say.event21('Ended', 1, now()));
    expect(await order({ resourceId: 'V2G-1.1', action: 'start' })).toMatchObject({ state: 'accepted' });
    expect(s.of('RequestStartTransaction')).toMatchObject([{ idToken }]);
  });
});

describe('an order', () => {
  it.each([
    ['ocpp1.6', 'RemoteStopTransaction', { transactionId: 1 }],
    ['ocpp2.0.1', 'RequestStopTransaction', { transactionId: 'tx-1' }],
  ] as const)('to stop a session of %s', async (version, action, payload) => {
    await open();
    const s = version === 'ocpp1.6' ? await world.ac() : await world.ac201();
    expect(await order({ resourceId: 'AC-1.1', action: 'stop' })).toMatchObject({ state: 'accepted', action: 'stop' });
    expect(s.of(action)).toEqual([payload]);
  });

  it('to stop where nothing runs is rejected without a call', async () => {
    await open();
    const s = await world.scripted('ocpp1.6', 'AC-1');
    s.calls.length = 0;
    expect(await order({ resourceId: 'AC-1.1', action: 'stop' })).toMatchObject({
      state: 'rejected',
      code: 'station.noTransaction',
    });
    expect(s.calls).toEqual([]);
  });

  it('about availability, messages, reset and lock speaks the words of each version', async () => {
    await open();
    const old = await world.scripted('ocpp1.6', 'AC-1', {
      script: (action, p) => {
        if (action === 'ChangeAvailability') return { status: 'Scheduled' };
        return action === 'UnlockConnector' ? { status: 'Unlocked' } : accept(action, p);
      },
    });
    const young = await world.scripted('ocpp2.1', 'V2G-1', {
      script: (action, p) => (action === 'UnlockConnector' ? { status: 'Unlocked' } : accept(action, p)),
    });
    old.calls.length = 0;
    young.calls.length = 0;
    const states: (string | undefined)[] = [];
    for (const where of [{ resourceId: 'AC-1.1' }, { resourceId: 'V2G-1.1' }]) {
      for (const what of [
        { action: 'availability', operative: false },
        { action: 'trigger', message: 'MeterValues' },
        { action: 'reset', hard: true },
        { action: 'reset' },
        { action: 'unlock' },
      ] as const)
        states.push((await order({ ...where, ...what }))?.state);
    }
    expect(states[0]).toBe('scheduled');
    expect(states.slice(1)).toEqual(Array.from({ length: 9 }, () => 'accepted'));
    expect(old.calls.map((c) => [c.action, c.payload])).toEqual([
      ['ChangeAvailability', { connectorId: 1, type: 'Inoperative' }],
      ['TriggerMessage', { requestedMessage: 'MeterValues', connectorId: 1 }],
      ['Reset', { type: 'Hard' }],
      ['Reset', { type: 'Soft' }],
      ['UnlockConnector', { connectorId: 1 }],
    ]);
    expect(young.calls.map((c) => [c.action, c.payload])).toEqual([
      ['ChangeAvailability', { operationalStatus: 'Inoperative', evse: { id: 1 } }],
      ['TriggerMessage', { requestedMessage: 'MeterValues', evse: { id: 1, connectorId: 1 } }],
      ['Reset', { type: 'Immediate' }],
      ['Reset', { type: 'OnIdle' }],
      ['UnlockConnector', { evseId: 1, connectorId: 1 }],
    ]);
  });

  it('to a whole station names none of its EVSEs', async () => {
    await open();
    const s = await world.scripted('ocpp1.6', 'AC-1');
    await order({ identity: 'AC-1', action: 'availability' });
    expect(s.of('ChangeAvailability')).toEqual([{ connectorId: 0, type: 'Operative' }]);
    expect(await order({ identity: 'AC-1', action: 'stop' })).toMatchObject({ code: 'order.incomplete' });
  });

  it('reads and sets configuration in the words of each version', async () => {
    await open();
    const old = await world.scripted('ocpp1.6', 'AC-1');
    const young = await world.scripted('ocpp2.0.1', 'V2G-1');
    const about = { component: { name: 'SampledDataCtrlr' }, variable: { name: 'TxUpdatedInterval' } };
    const key = 'SampledDataCtrlr.TxUpdatedInterval';
    old.script = (action) =>
      action === 'GetConfiguration'
        ? {
            configurationKey: [
              { key: 'HeartbeatInterval', readonly: false, value: '60' },
              { key: 'AuthorizationKey', readonly: false, value: 'hidden' },
            ],
          }
        : { status: 'RebootRequired' };
    young.script = (action) =>
      action === 'GetVariables'
        ? { getVariableResult: [{ attributeStatus: 'Accepted', attributeValue: '10', ...about }] }
        : { setVariableResult: [{ attributeStatus: 'Accepted', ...about }] };
    for (const s of [old, young]) s.calls.length = 0;
    expect(await order({ identity: 'AC-1', action: 'getConfiguration' })).toMatchObject({
      state: 'accepted',
      settings: [
        { key: 'HeartbeatInterval', value: '60', readonly: false },
        { key: 'AuthorizationKey', readonly: false },
      ],
    });
    expect(JSON.stringify(outcomes)).not.toContain('hidden');
    const set = { identity: 'AC-1', action: 'setConfiguration', key: 'HeartbeatInterval', value: '30' } as const;
    expect(await order(set)).toMatchObject({ state: 'accepted' });
    expect(await order({ identity: 'V2G-1', action: 'getConfiguration', key })).toMatchObject({
      settings: [{ key, value: '10' }],
    });
    expect(await order({ identity: 'V2G-1', action: 'setConfiguration', key, value: '5' })).toMatchObject({
      state: 'accepted',
    });
    expect([...old.calls, ...young.calls].map((c) => [c.action, c.payload])).toEqual([
      ['GetConfiguration', {}],
      ['ChangeConfiguration', { key: 'HeartbeatInterval', value: '30' }],
      ['GetVariables', { getVariableData: [about] }],
      ['SetVariables', { setVariableData: [{ ...about, attributeValue: '5' }] }],
    ]);
  });

  it('reads all settings of 2.x from a report, without passwords', async () => {
    await open();
    const s = await world.scripted('ocpp2.1', 'V2G-1');
    s.calls.length = 0;
    const asked = order({ identity: 'V2G-1', action: 'getConfiguration' });
    await world.settle();
    const { requestId, reportBase } = s.of('GetBaseReport')[0] ?? {};
    expect(reportBase).toBe('FullInventory');
    const part = (seqNo: number, tbc: boolean, reportData: readonly object[]) =>
      s.call('NotifyReport', { requestId, generatedAt: now(), seqNo, tbc, reportData });
    await part(0, true, [
      {
        component: { name: 'EVSE', evse: { id: 1 } },
        variable: { name: 'Power' },
        variableAttribute: [
          { type: 'MaxSet', value: '9' },
          { value: '11000', mutability: 'ReadOnly' },
        ],
      },
    ]);
    await part(1, false, [
      {
        component: { name: 'SecurityCtrlr' },
        variable: { name: 'BasicAuthPassword' },
        variableAttribute: [{ value: 'hidden', mutability: 'ReadWrite' }],
      },
    ]);
    await asked;
    await world.settle();
    expect(outcomes.at(-1)).toMatchObject({ state: 'accepted' });
    expect(outcomes.at(-1)?.settings).toEqual([
      { key: 'EVSE.Power', value: '11000', evse: 1, readonly: true },
      { key: 'SecurityCtrlr.BasicAuthPassword', readonly: false },
    ]);
  });

  it.each([
    ['AC-1', { action: 'getConfiguration', key: 'Nobody' }, 'station.refusedOrder', 'unknownKey: Nobody'],
    ['AC-1', { action: 'setConfiguration', key: 'Nobody', value: '1' }, 'station.refusedOrder', 'NotSupported'],
    ['V2G-1', { action: 'getConfiguration', key: 'No.Body' }, 'station.refusedOrder', 'UnknownVariable'],
    ['V2G-1', { action: 'setConfiguration', key: 'No.Body', value: '1' }, 'station.refusedOrder', 'UnknownVariable'],
    ['V2G-1', { action: 'setConfiguration', key: 'NoComponent', value: '1' }, 'order.incomplete', 'Name the '],
    ['AC-1', { action: 'setConfiguration', key: 'Nobody' }, 'order.incomplete', 'Name the '],
    ['AC-1', { action: 'setConfiguration', value: '1' }, 'order.incomplete', 'Name the '],
    ['AC-1', { action: 'setConfiguration', key: 'AuthorizationKey', value: 'x' }, 'order.secret', 'is a password'],
    ['V2G-1', { action: 'getConfiguration', key: 'SecurityCtrlr.BasicAuthPassword' }, 'order.secret', 'is a password'],
  ] as const)('about configuration of %s: %j is rejected with %s', async (identity, what, code, reason) => {
    await open();
    const old = identity === 'AC-1';
    const s = await world.scripted(old ? 'ocpp1.6' : 'ocpp2.1', identity);
    const about = { component: { name: 'No' }, variable: { name: 'Body' } };
    const row = [{ attributeStatus: 'UnknownVariable', ...about }];
    s.script = (action) => {
      if (action === 'GetConfiguration') return { unknownKey: ['Nobody'] };
      if (action === 'ChangeConfiguration') return { status: 'NotSupported' };
      return action === 'GetVariables' ? { getVariableResult: row } : { setVariableResult: row };
    };
    const outcome = await order({ identity, ...what });
    expect(outcome).toMatchObject({ state: 'rejected', code });
    expect(outcome?.reason).toContain(reason);
    expect(JSON.stringify(outcome)).not.toContain('"settings"');
  });

  it('for priority charging is known to 2.1 only', async () => {
    await open();
    const s = await world.v2g();
    expect(await order({ resourceId: 'V2G-1.1', action: 'priorityCharging' })).toMatchObject({ state: 'accepted' });
    expect(s.of('UsePriorityCharging')).toEqual([{ transactionId: 'tx-1', activate: true }]);
    await world.ac201();
    expect(await order({ resourceId: 'AC-1.1', action: 'priorityCharging' })).toMatchObject({
      state: 'rejected',
      code: 'order.unsupported',
    });
  });

  it('that is refused, unknown, or to nobody says why', async () => {
    await open();
    const s = await world.scripted('ocpp2.1', 'V2G-1');
    s.script = () => ({ status: 'Rejected', statusInfo: { reasonCode: 'NotEnabled', additionalInfo: 'later' } });
    expect(await order({ resourceId: 'V2G-1.1', action: 'reset' })).toMatchObject({
      state: 'rejected',
      code: 'station.refusedOrder',
      reason: 'Rejected: NotEnabled, later',
    });
    s.script = () => {
      throw callError('NotSupported');
    };
    expect(await order({ resourceId: 'V2G-1.1', action: 'unlock' })).toMatchObject({
      state: 'rejected',
      code: 'ocpp.notSupported',
    });
    expect(await order({ resourceId: 'NOBODY.1', action: 'reset' })).toMatchObject({ code: 'station.notConnected' });
    expect(await order({ identity: 'AC-2', action: 'reset' })).toMatchObject({ code: 'station.notConnected' });
    const bad = world.link.send(world.wire('hub/StationOrder', { orderId: 'x', action: 'reset' }));
    await expect(bad).rejects.toMatchObject({ code: 'schema.semantic' });
  });

  it('to stop goes out before what waits', async () => {
    await open();
    const h = held();
    const s = await world.v2g(h.script);
    void world.link.send(world.wire('ocpp2.1/ClearCacheRequest', {}, 'V2G-1'));
    void world.link.send(world.wire('ocpp2.1/GetLocalListVersionRequest', {}, 'V2G-1')).catch(() => undefined);
    await world.settle();
    void order({ resourceId: 'V2G-1.1', action: 'stop' });
    await world.settle();
    h.give();
    await world.settle();
    expect(s.calls.map((c) => c.action)).toEqual(['ClearCache', 'RequestStopTransaction']);
    h.give();
    await world.settle();
    h.give({ versionNumber: 1 });
    await world.settle();
  });
});
