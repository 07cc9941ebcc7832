import { expect } from 'vitest';
import { fieldOf, powerOf } from './csms-words.ts';
import type { Payload } from './foreign.ts';
import type { Checks } from './status-run.ts';
import { type StationWorld, TAG } from './status-station.ts';
import { takenAt } from './status-words.ts';

const has = (text: string) => (p: Payload) => JSON.stringify(p).includes(text);

/** So long a station is disconnected that meters each second. */
const AWAY_MS = 3_000;
const TEXT: unknown = expect.stringMatching(/./);

const functions = {
  async boot(w: StationWorld) {
    expect(await w.talk.next('connected')).toMatchObject({ subprotocol: w.words.protocol });
    const { payload } = await w.talk.call('station', 'BootNotification');
    if (w.words.old) expect(payload).toMatchObject({ chargePointVendor: TEXT, chargePointModel: TEXT });
    else {
      expect(payload.reason).toBe('PowerUp');
      expect(fieldOf(payload.chargingStation, 'model')).toMatch(/./);
      expect(fieldOf(payload.chargingStation, 'vendorName')).toMatch(/./);
    }
    if (w.words.old) await w.talk.call('station', 'StatusNotification', { holds: (p) => p.connectorId === 0 });
    await w.state('Available', 0);
  },

  async heartbeat(w: StationWorld) {
    const key = w.words.old ? 'HeartbeatInterval' : 'OCPPCommCtrlr.HeartbeatInterval';
    let from = w.mark;
    expect(await w.set(key, '1')).toBe('Accepted');
    const first = await w.talk.call('station', 'Heartbeat', { from });
    await w.talk.call('station', 'Heartbeat', { from: w.talk.after(first) });
    expect(await w.set(key, '300')).toBe('Accepted');
    from = w.mark;
    expect((await w.csms.call('TriggerMessage', { requestedMessage: 'Heartbeat' })).status).toBe('Accepted');
    await w.talk.answer(await w.talk.call('station', 'Heartbeat', { from }));
  },

  async availability(w: StationWorld) {
    for (const where of ['evse', 'station'] as const) {
      let from = w.mark;
      expect(await w.availability(false, where)).toBe('Accepted');
      await w.state('Unavailable', from);
      from = w.mark;
      expect(await w.availability(true, where)).toBe('Accepted');
      await w.state('Available', from);
    }
    await w.charge();
    let from = w.mark;
    expect(await w.availability(false)).toBe('Scheduled');
    w.press('stop');
    const ended = await w.ended(from);
    await w.state('Unavailable', w.talk.after(ended));
    from = w.mark;
    expect(await w.availability(true)).toBe('Accepted');
    await w.talk.call('station', 'StatusNotification', { from });
  },

  async 'get-configuration'(w: StationWorld) {
    expect(await w.setting(w.words.intervalKey)).toMatchObject({ value: '1' });
    if (w.words.old) {
      expect(await w.setting('NumberOfConnectors')).toEqual({ key: 'NumberOfConnectors', readonly: true, value: '1' });
      const { configurationKey, unknownKey } = await w.csms.call('GetConfiguration');
      expect([configurationKey].flat().length).toBeGreaterThan(20);
      expect(unknownKey).toBeUndefined();
      return;
    }
    const from = w.mark;
    const asked = { requestId: 7, reportBase: 'FullInventory' };
    expect((await w.csms.call('GetBaseReport', asked)).status).toBe('Accepted');
    const last = await w.talk.call('station', 'NotifyReport', { from, holds: (p) => p.tbc !== true });
    const parts = w.talk.calls('station', 'NotifyReport', from).filter((c) => c.payload.requestId === 7);
    expect(parts.map((c) => c.payload.seqNo)).toEqual(parts.map((_, i) => i));
    expect(parts.at(-1)?.id).toBe(last.id);
    expect(parts.some((c) => has('"TxUpdatedInterval"')(c.payload))).toBe(true);
  },

  async 'set-configuration'(w: StationWorld) {
    const key = w.words.intervalKey;
    await w.charge();
    expect(await w.set(key, '3')).toBe('Accepted');
    expect(await w.setting(key)).toMatchObject({ value: '3' });
    const [action, holds] = w.words.meters;
    // The value that was due by the old interval may still come.
    const first = await w.talk.call('station', action, { from: w.mark, holds });
    const second = await w.talk.call('station', action, { from: w.talk.after(first), holds });
    const third = await w.talk.call('station', action, { from: w.talk.after(second), holds });
    expect(Math.abs(third.at - second.at - 3_000)).toBeLessThan(1_000);
    expect(await w.set(key, '1')).toBe('Accepted');
  },

  async 'start-local'(w: StationWorld) {
    const from = w.mark;
    const { start } = await w.charge();
    const plugged = await w.state(w.words.plugged, from);
    const authorize = await w.talk.call('station', 'Authorize', { from });
    expect(plugged.at <= authorize.at && authorize.at <= start.at).toBe(true);
    if (w.words.old) {
      expect(authorize.payload.idTag).toBe(TAG);
      expect(start.payload).toMatchObject({ connectorId: 1, idTag: TAG });
    } else {
      expect(fieldOf(authorize.payload.idToken, 'idToken')).toBe(TAG);
      expect(start.payload).toMatchObject({ triggerReason: 'Authorized', evse: { id: 1 }, seqNo: 0 });
    }
    await w.charging(from);
  },

  async 'start-remote'(w: StationWorld) {
    const from = w.mark;
    expect(await w.remoteStart(1, 77)).toMatchObject({ status: 'Accepted' });
    const { start } = await w.charge();
    if (w.words.old) expect(start.payload).toMatchObject({ connectorId: 1, idTag: TAG });
    else expect(start.payload).toMatchObject({ triggerReason: 'RemoteStart', transactionInfo: { remoteStartId: 77 } });
    expect(w.talk.calls('station', 'Authorize', from)).toEqual([]);
    await w.charging(from);
  },

  async 'stop-local'(w: StationWorld) {
    const { transactionId } = await w.charge();
    let from = w.mark;
    w.press('stop');
    const { payload } = await w.ended(from);
    expect(w.words.reason(payload)).toBe('Local');
    if (w.words.old) {
      expect(payload).toMatchObject({ transactionId, idTag: TAG });
      await w.state('Finishing', from);
    } else expect(payload).toMatchObject({ triggerReason: 'StopAuthorized', transactionInfo: { transactionId } });
    from = w.mark;
    w.press('unplug');
    await w.state('Available', from);
  },

  async 'stop-remote'(w: StationWorld) {
    const { transactionId } = await w.charge();
    const from = w.mark;
    expect((await w.csms.call(w.words.remoteStop, { transactionId })).status).toBe('Accepted');
    const { payload } = await w.ended(from);
    expect(w.words.reason(payload)).toBe('Remote');
    if (w.words.old) expect(payload.transactionId).toBe(transactionId);
    else expect(payload).toMatchObject({ triggerReason: 'RemoteStop', transactionInfo: { transactionId } });
  },

  async meter(w: StationWorld) {
    const { transactionId } = await w.charge();
    const [action, isReading] = w.words.meters;
    const holds = (p: Payload): boolean => isReading(p) && (powerOf(p) ?? 0) > 0;
    const first = await w.talk.call('station', action, { from: w.mark, holds });
    const { payload, at } = await w.talk.call('station', action, { from: w.talk.after(first), holds });
    expect(at - first.at).toBeLessThan(2_500);
    expect(has('Energy.Active.Import.Register')(payload)).toBe(true);
    expect(payload.transactionId ?? fieldOf(payload.transactionInfo, 'transactionId')).toBe(transactionId);
    const from = w.mark;
    const asked = { requestedMessage: 'MeterValues', ...(w.words.old ? { connectorId: 1 } : { evse: { id: 1 } }) };
    expect((await w.csms.call('TriggerMessage', asked)).status).toBe('Accepted');
    const [triggered, isTriggered] = w.words.triggered;
    await w.talk.call('station', triggered, { from, holds: isTriggered });
  },

  async 'reset-soft'(w: StationWorld) {
    await w.charge();
    const from = w.mark;
    const { old } = w.words;
    const { status } = await w.csms.call('Reset', { type: old ? 'Soft' : 'OnIdle' });
    expect(status).toBe(old ? 'Accepted' : 'Scheduled');
    if (!old) w.press('stop');
    expect(w.words.reason((await w.ended(from)).payload)).toBe(old ? 'SoftReset' : 'Local');
    const boot = await w.booted(from);
    if (!old) expect(boot.payload.reason).toBe('ScheduledReset');
  },

  async 'reset-hard'(w: StationWorld) {
    await w.charge();
    const from = w.mark;
    const { old } = w.words;
    expect((await w.csms.call('Reset', { type: old ? 'Hard' : 'Immediate' })).status).toBe('Accepted');
    const { payload } = await w.ended(from);
    expect(w.words.reason(payload)).toBe(old ? 'HardReset' : 'ImmediateReset');
    const boot = await w.booted(from);
    if (!old) expect([payload.triggerReason, boot.payload.reason]).toEqual(['ResetCommand', 'RemoteReset']);
  },
};

const edges = {
  async 'unknown-connector'(w: StationWorld) {
    const { old } = w.words;
    const change = old
      ? { connectorId: 9, type: 'Inoperative' }
      : { operationalStatus: 'Inoperative', evse: { id: 9 } };
    expect((await w.csms.call('ChangeAvailability', change)).status).toBe('Rejected');
    expect((await w.remoteStart(9, 1)).status).toBe('Rejected');
    const trigger = { requestedMessage: 'StatusNotification', ...(old ? { connectorId: 9 } : { evse: { id: 9 } }) };
    expect((await w.csms.call('TriggerMessage', trigger)).status).toBe('Rejected');
  },

  async 'unknown-transaction'(w: StationWorld) {
    await w.charge();
    const from = w.mark;
    const transactionId = w.words.old ? 4_711_000 : 'nobody';
    expect((await w.csms.call(w.words.remoteStop, { transactionId })).status).toBe('Rejected');
    const [action, holds] = w.words.meters;
    await w.talk.call('station', action, { from, holds });
    const [ends, isEnd] = w.words.ends;
    expect(w.talk.calls('station', ends, from).filter((c) => isEnd(c.payload))).toEqual([]);
  },

  async 'start-inoperative'(w: StationWorld) {
    const from = w.mark;
    expect(await w.availability(false)).toBe('Accepted');
    await w.state('Unavailable', from);
    expect((await w.remoteStart(1, 2)).status).toBe('Rejected');
    const back = w.mark;
    expect(await w.availability(true)).toBe('Accepted');
    await w.state('Available', back);
    const [action, isStart] = w.words.starts;
    expect(w.talk.calls('station', action, from).filter((c) => isStart(c.payload))).toEqual([]);
  },

  async 'boot-pending'(w: StationWorld) {
    const first = await w.talk.call('station', 'BootNotification');
    expect((await w.talk.answer(first)).status).toBe('Pending');
    const again = await w.talk.call('station', 'BootNotification', { from: w.talk.after(first) });
    expect((await w.talk.answer(again)).status).toBe('Accepted');
    expect(again.at - first.at).toBeGreaterThan(900);
    const told = await w.talk.call('station', 'StatusNotification');
    expect(told.at).toBeGreaterThanOrEqual(again.at);
  },

  async 'readonly-key'(w: StationWorld) {
    const key = w.words.readonlyKey;
    const before = await w.setting(key);
    expect(before).toBeDefined();
    expect(await w.set(key, before?.value === '1' ? '2' : 'false')).toBe('Rejected');
    expect(await w.setting(key)).toEqual(before);
  },

  async 'unknown-key'(w: StationWorld) {
    const key = w.words.unknownKey;
    expect(await w.set(key, '1')).toBe(w.words.unknown);
    if (w.words.old) expect(await w.csms.call('GetConfiguration', { key: [key] })).toMatchObject({ unknownKey: [key] });
    else expect(await w.setting(key)).toBeUndefined();
  },

  async disconnect(w: StationWorld) {
    const { transactionId } = await w.charge();
    const from = w.mark;
    const [action, isReading] = w.words.meters;
    await w.talk.call('station', action, { from, holds: isReading });
    w.away(true);
    const lost = await w.talk.next('disconnected', { from });
    await new Promise((go) => setTimeout(go, AWAY_MS));
    w.press('stop');
    w.away(false);
    const back = await w.talk.next('connected', { from });
    const end = await w.ended(from);
    expect(end.at).toBeGreaterThanOrEqual(back.at);
    expect(w.words.reason(end.payload)).toBe('Local');
    const { transactionInfo } = end.payload;
    expect(end.payload.transactionId ?? fieldOf(transactionInfo, 'transactionId')).toBe(transactionId);
    const made = Date.parse(String(end.payload.timestamp));
    expect(made >= lost.at && made <= back.at).toBe(true);
    await w.talk.answer(end);
    const later = w.talk.calls('station', action, from).filter((c) => c.at >= back.at && isReading(c.payload));
    const times = later.map((c) => takenAt(c.payload));
    const shown = JSON.stringify({ lost: lost.at, back: back.at, made, times });
    expect(times, shown).toEqual(times.toSorted((x, y) => x - y));
    expect(times.filter((at) => at > lost.at && at <= made).length, shown).toBeGreaterThan(1);
    expect(Math.max(...times), shown).toBeLessThanOrEqual(made);
    expect(Math.max(...later.map((c) => c.at)), shown).toBeLessThanOrEqual(end.at);
    if (w.words.old) return;
    const events = w.talk.calls('station', 'TransactionEvent');
    const mine = events.filter((c) => fieldOf(c.payload.transactionInfo, 'transactionId') === transactionId);
    const seqNos = [...new Set(mine.map((c) => Number(c.payload.seqNo)))];
    expect(seqNos).toEqual(seqNos.map((_, i) => i));
    expect(end.payload.offline).toBe(true);
  },

  async 'lost-answer'(w: StationWorld) {
    const [action, isStart] = w.words.starts;
    await w.csms.tell('answer', { action, lose: true, times: 1 });
    const from = w.mark;
    w.press('plug');
    const first = await w.talk.call('station', action, { from, holds: isStart });
    await w.talk.next('disconnected', { from });
    const again = await w.talk.call('station', action, { from: w.talk.after(first), holds: isStart });
    expect(again.payload).toEqual(first.payload);
    const answer = await w.talk.answer(again);
    const [meters, isReading] = w.words.meters;
    const reading = await w.talk.call('station', meters, { from: w.talk.after(again), holds: isReading });
    if (w.words.old) expect(reading.payload.transactionId).toBe(answer.transactionId);
    else
      expect(reading.payload.transactionInfo).toMatchObject({
        ...Object(first.payload.transactionInfo),
        chargingState: TEXT,
      });
  },
};

export const STATION_CHECKS: Checks<StationWorld> = { ...functions, ...edges };
