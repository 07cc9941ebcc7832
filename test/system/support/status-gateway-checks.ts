import { expect } from 'vitest';
import { callApi } from './api.ts';
import { eventually } from './child.ts';
import { fieldOf, powerOf } from './csms-words.ts';
import type { ForeignStation, Payload } from './foreign.ts';
import { type GatewayWorld, TOKEN } from './status-gateway.ts';
import type { Checks } from './status-run.ts';
import { Talk } from './status-talk.ts';
import { takenAt } from './status-words.ts';

const CLOCKS_MS = 10_000;
const NOBODY_16 = 4_711;
const REFUSED = { state: 'rejected', code: 'station.refusedOrder' };

const near = (at: unknown): boolean => Math.abs(Date.parse(String(at)) - Date.now()) < CLOCKS_MS;

/** A start of a transaction by the foreign station at this EVSE. */
function startAt(w: GatewayWorld, evse: number): readonly [action: string, payload: Payload] {
  const timestamp = new Date().toISOString();
  if (w.words.old) return ['StartTransaction', { connectorId: evse, idTag: TOKEN, meterStart: 0, timestamp }];
  const idToken = { idToken: TOKEN, type: 'ISO14443' };
  const common = { eventType: 'Started', timestamp, triggerReason: 'Authorized', seqNo: 0, idToken };
  return ['TransactionEvent', { ...common, transactionInfo: { transactionId: `tx-${evse}` }, evse: { id: evse } }];
}

function endOfNobody(w: GatewayWorld): readonly [action: string, payload: Payload] {
  const timestamp = new Date().toISOString();
  if (w.words.old) return ['StopTransaction', { transactionId: NOBODY_16, meterStop: 1, timestamp }];
  const transactionInfo = { transactionId: 'nobody', stoppedReason: 'Local' };
  return [
    'TransactionEvent',
    { eventType: 'Ended', timestamp, triggerReason: 'StopAuthorized', seqNo: 3, transactionInfo, evse: { id: 1 } },
  ];
}

/** The value of a setting, read by an order. */
async function settingOf(w: GatewayWorld, key: string): Promise<unknown> {
  const { state, settings } = await w.whole({ action: 'getConfiguration', key });
  expect(state).toBe('accepted');
  return fieldOf(
    [settings].flat().find((s) => fieldOf(s, 'key') === key),
    'value',
  );
}

/** Makes the strangers of the row `boot-pending`; each test run has its own. */
export type MakeStranger = (w: GatewayWorld, identity: string) => ForeignStation;

export function gatewayChecks(makeStranger: MakeStranger): Checks<GatewayWorld> {
  return { ...functions, ...edges, 'boot-pending': (w) => bootPending(w, makeStranger) };
}

const functions = {
  async boot(w: GatewayWorld) {
    expect(await w.talk.next('connected')).toMatchObject({ subprotocol: w.words.protocol });
    const boot = await w.talk.call('station', 'BootNotification');
    const answer = await w.talk.answer(boot);
    expect(answer.status).toBe('Accepted');
    expect(near(answer.currentTime)).toBe(true);
    expect(answer.interval).toBeGreaterThan(0);
    await w.state('Available', 0);
    await w.shows('it online', (row) => row.online === true && row.protocol === w.words.protocol);
  },

  async heartbeat(w: GatewayWorld) {
    const from = w.mark;
    expect(await w.whole({ action: 'trigger', message: 'Heartbeat' })).toMatchObject({ state: 'accepted' });
    const beat = await w.talk.call('station', 'Heartbeat', { from });
    expect(near((await w.talk.answer(beat)).currentTime)).toBe(true);
  },

  async availability(w: GatewayWorld) {
    let from = w.mark;
    expect(await w.order({ action: 'availability', operative: false })).toMatchObject({ state: 'accepted' });
    await w.state('Unavailable', from);
    await w.shows('it out of service', (row) => row.state === 'faulted');
    from = w.mark;
    expect(await w.order({ action: 'availability', operative: true })).toMatchObject({ state: 'accepted' });
    await w.state('Available', from);
    await w.charge();
    from = w.mark;
    expect(await w.order({ action: 'availability', operative: false })).toMatchObject({ state: 'scheduled' });
    expect(w.talk.calls('station', w.words.ends[0], from).filter((c) => w.words.ends[1](c.payload))).toEqual([]);
    await w.station.tell('present');
    await w.state('Unavailable', from);
    from = w.mark;
    expect(await w.order({ action: 'availability', operative: true })).toMatchObject({ state: 'accepted' });
    await w.talk.call('station', 'StatusNotification', { from });
  },

  async 'get-configuration'(w: GatewayWorld) {
    expect(await settingOf(w, w.words.intervalKey)).toBe('1');
    const from = w.mark;
    const { state, settings } = await w.whole({ action: 'getConfiguration' });
    expect(state).toBe('accepted');
    expect(settings).toContainEqual({ key: w.words.intervalKey, value: '1', readonly: false });
    const fixed = { key: w.words.readonlyKey, value: w.words.old ? '1' : 'true', readonly: true };
    expect(settings).toContainEqual(fixed);
    if (w.words.old) return;
    const reports = w.talk.calls('station', 'NotifyReport', from);
    expect(reports.length).toBeGreaterThan(1);
    for (const report of reports) await w.talk.answer(report);
  },

  async 'set-configuration'(w: GatewayWorld) {
    const key = w.words.intervalKey;
    for (const value of ['2', '1']) {
      const from = w.mark;
      expect(await w.whole({ action: 'setConfiguration', key, value })).toMatchObject({ state: 'accepted' });
      expect(await w.talk.next('variable', { from })).toMatchObject({ name: key, value });
      expect(await settingOf(w, key)).toBe(value);
    }
  },

  async 'start-local'(w: GatewayWorld) {
    const from = w.mark;
    const { start } = await w.charge();
    const authorize = await w.talk.call('station', 'Authorize', { from });
    const said = [await w.talk.answer(authorize), await w.talk.answer(start)];
    for (const answer of said)
      expect(fieldOf(answer[w.words.old ? 'idTagInfo' : 'idTokenInfo'], 'status')).toBe('Accepted');
    await w.shows('it charging', (row) => row.state === 'charging');
  },

  async 'start-remote'(w: GatewayWorld) {
    const from = w.mark;
    await w.station.tell('plug');
    await w.state(w.words.plugged, from);
    expect(await w.order({ action: 'start', idToken: TOKEN })).toMatchObject({ state: 'accepted' });
    const asked = await w.talk.call('csms', w.words.remoteStart, { from });
    const { start } = await w.started(from);
    if (w.words.old) expect(start.payload).toMatchObject({ connectorId: 1, idTag: TOKEN });
    else {
      const { remoteStartId } = asked.payload;
      expect(start.payload).toMatchObject({ triggerReason: 'RemoteStart', transactionInfo: { remoteStartId } });
    }
  },

  async 'stop-local'(w: GatewayWorld) {
    await w.charge();
    let from = w.mark;
    await w.station.tell('present');
    expect(w.words.reason((await w.ended(from)).payload)).toBe('Local');
    await w.shows('no session', (row) => row.sessionId === undefined);
    from = w.mark;
    await w.station.tell('unplug');
    await w.state('Available', from);
    await w.shows('it available', (row) => row.state === 'available');
  },

  async 'stop-remote'(w: GatewayWorld) {
    const { transactionId } = await w.charge();
    const from = w.mark;
    expect(await w.order({ action: 'stop' })).toMatchObject({ state: 'accepted' });
    const asked = await w.talk.call('csms', w.words.remoteStop, { from });
    expect(asked.payload).toEqual({ transactionId });
    expect(w.words.reason((await w.ended(from)).payload)).toBe('Remote');
    await w.shows('no session', (row) => row.sessionId === undefined);
  },

  async meter(w: GatewayWorld) {
    await w.charge();
    const [action, isReading] = w.words.meters;
    const holds = (p: Payload): boolean => isReading(p) && (powerOf(p) ?? 0) > 0;
    const reading = await w.talk.call('station', action, { from: w.mark, holds });
    await w.talk.answer(reading);
    await w.shows('the power that is metered', ({ measuredW }) => {
      const own = w.station.last('meter')?.powerW ?? 0;
      return own > 0 && Math.abs(Number(measuredW) - own) <= 0.02 * own;
    });
    const from = w.mark;
    expect(await w.order({ action: 'trigger', message: 'MeterValues' })).toMatchObject({ state: 'accepted' });
    const [triggered, isTriggered] = w.words.triggered;
    await w.talk.answer(await w.talk.call('station', triggered, { from, holds: isTriggered }));
  },

  async 'reset-soft'(w: GatewayWorld) {
    await w.charge();
    const from = w.mark;
    const { old } = w.words;
    expect(await w.whole({ action: 'reset' })).toMatchObject({ state: old ? 'accepted' : 'scheduled' });
    expect((await w.talk.call('csms', 'Reset', { from })).payload).toEqual({ type: old ? 'Soft' : 'OnIdle' });
    if (!old) await w.station.tell('present');
    expect(w.words.reason((await w.ended(from)).payload)).toBe(old ? 'SoftReset' : 'Local');
    const boot = await w.booted(from);
    if (!old) expect(boot.payload.reason).toBe('ScheduledReset');
  },

  async 'reset-hard'(w: GatewayWorld) {
    await w.charge();
    const from = w.mark;
    const { old } = w.words;
    expect(await w.whole({ action: 'reset', hard: true })).toMatchObject({ state: 'accepted' });
    expect((await w.talk.call('csms', 'Reset', { from })).payload).toEqual({ type: old ? 'Hard' : 'Immediate' });
    const end = await w.ended(from);
    expect(w.words.reason(end.payload)).toBe(old ? 'HardReset' : 'ImmediateReset');
    const boot = await w.booted(from);
    if (!old) expect([end.payload.triggerReason, boot.payload.reason]).toEqual(['ResetCommand', 'RemoteReset']);
    await w.shows('no session', (row) => row.sessionId === undefined);
  },
};

const edges = {
  async 'unknown-connector'(w: GatewayWorld) {
    const second = `${w.identity}.2`;
    const from = w.mark;
    expect(await w.order({ action: 'availability', operative: false }, second)).toMatchObject(REFUSED);
    expect(await w.order({ action: 'start', idToken: TOKEN }, second)).toMatchObject(REFUSED);
    expect(w.talk.calls('csms', w.words.remoteStart, from).length).toBe(1);
    const { old } = w.words;
    const timestamp = new Date().toISOString();
    const told = old
      ? { connectorId: 9, errorCode: 'NoError', status: 'Charging', timestamp }
      : { evseId: 9, connectorId: 1, connectorStatus: 'Occupied', timestamp };
    expect(await w.station.call('StatusNotification', told)).toEqual({});
    const answer = await w.station.call(...startAt(w, 9));
    expect(answer).not.toHaveProperty('error');
    if (old) expect(fieldOf(answer.idTagInfo, 'status')).toBe('Invalid');
    expect((await w.row()).sessionId).toBeUndefined();
  },

  async 'unknown-transaction'(w: GatewayWorld) {
    let from = w.mark;
    const nothing = { state: 'rejected', code: 'station.noTransaction' };
    expect(await w.order({ action: 'stop' })).toMatchObject(nothing);
    expect(w.talk.calls('csms', w.words.remoteStop, from)).toEqual([]);
    expect(await w.station.call(...endOfNobody(w))).not.toHaveProperty('error');
    const { transactionId } = await w.charge();
    from = w.mark;
    const refusal = { action: w.words.remoteStop, payload: { status: 'Rejected' }, times: 1 };
    await w.station.tell('answer', refusal);
    expect(await w.order({ action: 'stop' })).toMatchObject(REFUSED);
    expect(await w.station.call(...endOfNobody(w))).not.toHaveProperty('error');
    expect((await w.row()).sessionId).toBe(String(transactionId));
  },

  async 'start-inoperative'(w: GatewayWorld) {
    const from = w.mark;
    await w.station.tell('plug');
    expect(await w.order({ action: 'availability', operative: false })).toMatchObject({ state: 'accepted' });
    await w.state('Unavailable', from);
    try {
      expect(await w.order({ action: 'start', idToken: TOKEN })).toMatchObject(REFUSED);
      expect(await w.talk.answer(await w.talk.call('csms', w.words.remoteStart, { from }))).toMatchObject({
        status: 'Rejected',
      });
    } finally {
      const back = w.mark;
      await w.order({ action: 'availability', operative: true });
      await w.state(w.words.plugged, back);
    }
    const [action, isStart] = w.words.starts;
    expect(w.talk.calls('station', action, from).filter((c) => isStart(c.payload))).toEqual([]);
  },

  async 'readonly-key'(w: GatewayWorld) {
    const key = w.words.readonlyKey;
    const before = await settingOf(w, key);
    const set = await w.whole({ action: 'setConfiguration', key, value: before === '1' ? '2' : 'false' });
    expect(set).toMatchObject({ ...REFUSED, reason: 'Rejected' });
    expect(await settingOf(w, key)).toBe(before);
  },

  async 'unknown-key'(w: GatewayWorld) {
    const key = w.words.unknownKey;
    const read = await w.whole({ action: 'getConfiguration', key });
    expect(read).toMatchObject({ ...REFUSED, reason: w.words.old ? `unknownKey: ${key}` : 'UnknownVariable' });
    const set = await w.whole({ action: 'setConfiguration', key, value: '1' });
    expect(set).toMatchObject({ ...REFUSED, reason: w.words.unknown });
  },

  async disconnect(w: GatewayWorld) {
    const { transactionId } = await w.charge();
    const from = w.mark;
    await w.station.tell('drop', { forS: 3 });
    const { at: back } = await w.talk.next('connected', { from });
    const [action, isReading] = w.words.meters;
    const since = (): readonly Payload[] =>
      w.talk
        .calls('station', action, from)
        .filter((c) => c.at >= back && isReading(c.payload))
        .map((c) => c.payload);
    const queued = () => since().filter((p) => takenAt(p) < back - 500);
    await eventually('what was queued is sent, and more', () => since().length > queued().length || undefined, 20_000);
    expect(queued().length).toBeGreaterThan(0);
    const times = since().map(takenAt);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    for (const call of w.talk
      .calls('station', action, from)
      .filter((c) => c.at >= back)
      .slice(0, queued().length))
      await w.talk.answer(call);
    expect((await w.row()).sessionId).toBe(String(transactionId));
  },

  async 'lost-answer'(w: GatewayWorld) {
    const { start, transactionId } = await w.charge();
    const from = w.mark;
    await w.station.tell('drop', { forS: 0.5 });
    await w.talk.next('connected', { from });
    // What a station does that has not got the answer.
    const again = { ...start, id: `again-${w.words.version}` };
    await w.station.tell('frame', { text: JSON.stringify([2, again.id, start.action, start.payload]) });
    expect(await w.talk.answer(again)).toEqual(await w.talk.answer(start));
    expect((await w.row()).sessionId).toBe(String(transactionId));
    const end = w.mark;
    await w.station.tell('present');
    await w.ended(end);
    await w.shows('no session', (row) => row.sessionId === undefined);
  },
};

async function bootPending(w: GatewayWorld, makeStranger: MakeStranger): Promise<void> {
  const identity = `NEW-${w.words.version}`;
  const stranger = makeStranger(w, identity);
  try {
    const talk = new Talk(stranger, identity, 'station');
    const first = await talk.answer(await talk.call('station', 'BootNotification'));
    expect(first.status).toBe('Pending');
    const [action, payload] = startAt(w, 1);
    const refused = await stranger.call(action, payload);
    const { idTagInfo, idTokenInfo, error } = refused;
    expect(error ?? fieldOf(idTagInfo ?? idTokenInfo, 'status'), JSON.stringify(refused)).not.toBe('Accepted');
    const accepted = await callApi(`${w.gateway.url}/v2gate/api/stations/${identity}/accept`, { body: {} });
    expect(accepted.status).toBe(200);
    const from = stranger.mark;
    expect((await talk.answer(await talk.call('station', 'BootNotification', { from }))).status).toBe('Accepted');
    await talk.answer(await talk.call('station', 'StatusNotification', { from }));
  } finally {
    await stranger.child.stop();
  }
}
