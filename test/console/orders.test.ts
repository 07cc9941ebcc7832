import { describe, expect, it } from 'vitest';
import { orderId, ordersFor, outcomeOf, outcomeSentence, settingLines } from '../../gateway/console/orders.js';
import { capabilitiesOf, ladderOf, notesOf } from '../../gateway/console/station-facts.js';
import { StationCapabilities, StationOrder, StationOrderOutcome } from '../../model/index.ts';
import { entry } from './site.ts';

const ALL = { engineer: true };

describe('orders to a station', () => {
  it('that change settings are for engineers; everybody who gives orders may look at them', () => {
    const actions = (engineer: boolean) => ordersFor(entry(), { engineer }).map((o) => o.action);
    expect(actions(true)).toEqual(expect.arrayContaining(['getConfiguration', 'setConfiguration']));
    expect(actions(false)).toContain('getConfiguration');
    expect(actions(false)).not.toContain('setConfiguration');
  });

  it('ask for all settings where none is named, and show what the station told', () => {
    const [show] = ordersFor(entry(), ALL).filter((o) => o.action === 'getConfiguration');
    expect(show?.body({ key: '' })).toEqual({});
    expect(show?.body({ key: 'A' })).toEqual({ key: 'A' });
    const settings = [
      { key: 'B', readonly: true, value: '1' },
      { key: 'A', evse: 2 },
    ];
    expect(settingLines({ settings })).toEqual([
      { name: 'A (EVSE 2)', value: 'not told' },
      { name: 'B', value: '1 (read-only)' },
    ]);
  });

  it('fit what it does: a session is stopped, a free outlet started', () => {
    const { sessionId: _, ...free } = entry({ sessionId: 's' });
    expect(ordersFor(free, ALL).map((o) => o.action)).toContain('start');
    expect(ordersFor(entry({ sessionId: 's' }), ALL).map((o) => o.action)).toContain('stop');
    expect(ordersFor(entry({ online: false }), ALL)).toEqual([]);
  });

  it('are valid whatever is answered to their question', () => {
    for (const e of [entry(), entry({ sessionId: 's' })])
      for (const { action, question, body } of ordersFor(e, ALL)) {
        const answers = (question.fields ?? []).map((f) => [f.name, f.options?.at(-1)?.[0] ?? 'RFID-1']);
        for (const given of [Object.fromEntries(answers), {}]) {
          const order = { orderId: orderId(), identity: e.identity, action, ...body(given) };
          expect(() => StationOrder.parse(order), action).not.toThrow();
        }
      }
  });

  it('tell the truth about sessions that they end', () => {
    const [reset] = ordersFor(entry({ sessionId: 's' }), ALL).filter((o) => o.action === 'reset');
    expect(reset?.question.text).toContain('Somebody is charging');
  });

  it('end in a sentence of what the station said', () => {
    const outcome = outcomeOf({ outcome: { ...StationOrderOutcome.example, state: 'rejected', reason: 'Occupied' } });
    expect(outcomeSentence(outcome, 'Stop …')).toBe('Stop: The station refuses it (Occupied).');
    expect(outcomeSentence(outcomeOf(undefined), 'Stop …')).toBe('Stop: no word of the station.');
  });

  it('have ids of their own', () => {
    expect(new Set(Array.from({ length: 100 }, orderId)).size).toBe(100);
  });
});

describe('how a station is commanded', () => {
  const seen = (reasons: StationCapabilities['reasons'], form = 'limitA') => ({
    ...StationCapabilities.example,
    form,
    reasons,
  });

  it('is a ladder from the best form to the one in use, with what stands in the way', () => {
    const c = seen([
      { step: 'dynamic setpoint', why: 'it has no dynamic profiles' },
      { step: 'MeterValueSampleInterval', why: 'it is read-only' },
    ]);
    expect(ladderOf(c)).toEqual([
      { name: 'dynamic setpoint', why: 'it has no dynamic profiles', used: false },
      { name: 'as limit in A', why: 'in use', used: true },
    ]);
    expect(notesOf(entry(), c)).toEqual(['MeterValueSampleInterval: it is read-only']);
  });

  it('has one step where nothing stands in the way, and none before anything was seen', () => {
    expect(ladderOf(seen([]))).toEqual([{ name: 'as limit in A', why: 'the best form of its protocol', used: true }]);
    expect(ladderOf(undefined)).toEqual([]);
    expect(notesOf(entry({ steppedDown: 'limit in A, because of …' }), undefined)).toHaveLength(1);
    expect(capabilitiesOf(undefined)).toBeUndefined();
  });
});
