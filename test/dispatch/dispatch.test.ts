import { beforeEach, describe, expect, it } from 'vitest';
import {
  createDispatcher,
  type DispatchCommand,
  type Dispatcher,
  type DispatchOutcome,
} from '../../hub/dispatch/index.ts';

const START = 1_000_000;
const command = (commandId: string, powerW: number, o: Partial<DispatchCommand> = {}): DispatchCommand => ({
  commandId,
  evseId: 'a',
  powerW,
  validUntil: START + 60_000,
  ...o,
});

let dispatcher: Dispatcher;
beforeEach(() => {
  dispatcher = createDispatcher({ max: 10 });
});

const report = (commandId: string, state: DispatchOutcome['state'], o: Partial<DispatchOutcome> = {}) =>
  dispatcher.outcome({ commandId, resourceId: 'a', state, ...o }, START);

describe('the dispatcher', () => {
  it('counts the worst of old and new while a command is under way', () => {
    dispatcher.issue([command('1', 7_000)], START);
    expect(dispatcher.present('a')).toEqual({
      confirmedW: 0,
      pendingW: 7_000,
      worstImportW: 7_000,
      worstExportW: 0,
      minW: 0,
      maxW: 7_000,
    });
    report('1', 'sent');
    report('1', 'accepted');
    report('1', 'effective');
    expect(dispatcher.present('a')).toMatchObject({ confirmedW: 7_000, worstImportW: 7_000, minW: 7_000 });
    dispatcher.issue([command('2', -3_000)], START);
    expect(dispatcher.present('a')).toMatchObject({ pendingW: -3_000, worstImportW: 7_000, worstExportW: 3_000 });
  });

  it('knows by evidence what an EVSE does although younger commands are on the way', () => {
    dispatcher.issue([command('1', 9_000)], START);
    dispatcher.issue([command('2', 5_000)], START);
    dispatcher.issue([command('3', 4_000)], START);
    dispatcher.narrow('a', { minW: 4_000, maxW: 5_200 }, ['3']);
    expect(dispatcher.present('a')).toMatchObject({ pendingW: 4_000, minW: 4_000, maxW: 5_200 });
    report('2', 'effective');
    expect(dispatcher.present('a')).toMatchObject({ minW: 4_000, maxW: 5_200 });
    report('3', 'effective');
    expect(dispatcher.present('a')).toMatchObject({ confirmedW: 4_000, minW: 4_000, maxW: 4_000 });
  });

  it('does not take accepted for effective', () => {
    dispatcher.issue([command('1', 7_000)], START);
    report('1', 'effective');
    dispatcher.issue([command('2', 2_000)], START);
    report('2', 'sent');
    report('2', 'accepted');
    expect(dispatcher.present('a')).toMatchObject({ confirmedW: 7_000, worstImportW: 7_000 });
  });

  it('forgets a refused command, and one that was superseded before it was sent', () => {
    dispatcher.issue([command('1', 7_000)], START);
    report('1', 'refused');
    dispatcher.issue([command('2', 9_000)], START);
    report('2', 'superseded');
    expect(dispatcher.present('a')).toMatchObject({ confirmedW: 0, worstImportW: 0 });
    expect(dispatcher.present('a').pendingW).toBeUndefined();
  });

  it.each(['superseded', 'expired', 'unknown', 'notEffective'] as const)(
    'keeps a command that was sent in the worst case after "%s", until there is evidence',
    (state) => {
      dispatcher.issue([command('1', 7_000)], START);
      report('1', 'sent');
      report('1', state);
      expect(dispatcher.present('a')).toMatchObject({ confirmedW: 0, worstImportW: 7_000 });
      expect(dispatcher.present('a').pendingW).toBeUndefined();
      dispatcher.issue([command('2', 3_000)], START);
      report('2', 'effective');
      expect(dispatcher.present('a')).toMatchObject({ confirmedW: 3_000, worstImportW: 3_000 });
    },
  );

  it('counts what was measured when a command did not become effective', () => {
    dispatcher.issue([command('1', 2_000)], START);
    report('1', 'sent');
    report('1', 'notEffective', { measuredW: 9_500 });
    expect(dispatcher.present('a').worstImportW).toBe(9_500);
  });

  it('keeps a newer command when an older one becomes effective late', () => {
    dispatcher.issue([command('1', 2_000)], START);
    dispatcher.issue([command('2', 5_000)], START);
    report('1', 'effective');
    expect(dispatcher.present('a')).toMatchObject({ confirmedW: 2_000, pendingW: 5_000, minW: 2_000, maxW: 5_000 });
  });

  it('counts a clipped command with what was sent', () => {
    dispatcher.issue([command('1', 7_000)], START);
    report('1', 'sent', { appliedW: 4_000 });
    expect(dispatcher.present('a')).toMatchObject({ pendingW: 4_000, worstImportW: 4_000 });
    report('1', 'effective');
    expect(dispatcher.present('a').confirmedW).toBe(4_000);
  });

  it('takes the claim of a command back that nobody sent within 5 s, but not its worst case', () => {
    dispatcher.issue([command('1', 7_000)], START);
    expect(dispatcher.expire(START + 4_999)).toEqual([]);
    expect(dispatcher.expire(START + 5_000)).toEqual([{ evseId: 'a', commandId: '1', why: 'notSent' }]);
    expect(dispatcher.present('a')).toMatchObject({ worstImportW: 7_000 });
    expect(dispatcher.present('a').pendingW).toBeUndefined();
    expect(dispatcher.expire(START + 6_000)).toEqual([]);
    report('1', 'refused');
    expect(dispatcher.present('a').worstImportW).toBe(0);
  });

  it('takes the claim of a command back when its time is over, and counts what comes after it', () => {
    dispatcher.issue([command('1', 7_000, { afterwards: { minW: 0, maxW: 9_000 } })], START);
    report('1', 'sent');
    expect(dispatcher.expire(START + 59_999)).toEqual([]);
    expect(dispatcher.expire(START + 60_000)).toEqual([{ evseId: 'a', commandId: '1', why: 'ended' }]);
    expect(dispatcher.present('a').worstImportW).toBe(9_000);
  });

  it('counts what follows an effective command once its time is over', () => {
    dispatcher.issue([command('1', 2_000, { afterwards: { minW: 0, maxW: 4_140 } })], START);
    report('1', 'effective');
    dispatcher.expire(START + 59_999);
    expect(dispatcher.present('a').worstImportW).toBe(2_000);
    dispatcher.expire(START + 60_000);
    expect(dispatcher.present('a').worstImportW).toBe(4_140);
  });

  it('reserves everything between the last value and the offline profile when a station is lost', () => {
    dispatcher.issue([command('1', 7_000)], START);
    report('1', 'effective');
    dispatcher.lost('a', { importW: 4_140, exportW: 1_000 }, START);
    expect(dispatcher.present('a')).toMatchObject({ worstImportW: 7_000, worstExportW: 1_000 });
    dispatcher.lost('b', { importW: 4_140, exportW: 0 }, START);
    expect(dispatcher.present('b')).toMatchObject({ worstImportW: 4_140 });
  });

  it('believes evidence from elsewhere', () => {
    dispatcher.issue([command('1', 7_000)], START);
    dispatcher.assume('a', { minW: 0, maxW: 0 }, START);
    expect(dispatcher.present('a')).toEqual({ confirmedW: 0, worstImportW: 0, worstExportW: 0, minW: 0, maxW: 0 });
    report('1', 'effective');
    expect(dispatcher.present('a').worstImportW).toBe(0);
  });

  it('lets an increase go when the reductions it waits for are effective, and only once', () => {
    const up = command('up', 9_000, { evseId: 'b', waitsFor: [{ gate: 0, count: 2 }] });
    dispatcher.issue([command('1', 0), command('2', 0, { evseId: 'c' }), up], START, [['1', '2']]);
    expect(dispatcher.present('b').worstImportW).toBe(0);
    report('1', 'effective');
    expect(dispatcher.due(START)).toEqual([]);
    dispatcher.outcome({ commandId: '2', resourceId: 'c', state: 'accepted' }, START);
    expect(dispatcher.due(START)).toEqual([]);
    dispatcher.outcome({ commandId: '2', resourceId: 'c', state: 'effective' }, START);
    expect(dispatcher.due(START)).toEqual([up]);
    expect(dispatcher.due(START)).toEqual([]);
    expect(dispatcher.present('b').pendingW).toBe(9_000);
  });

  it('drops what waited when a new run has planned anew, or when its time is over', () => {
    const up = command('up', 9_000, { evseId: 'b', waitsFor: [{ gate: 0, count: 1 }] });
    dispatcher.issue([command('1', 0), up], START, [['1']]);
    expect(dispatcher.expire(START + 60_000)).toContainEqual({ evseId: 'b', commandId: 'up', why: 'waited' });
    dispatcher.issue([command('3', 0), up], START, [['3']]);
    dispatcher.issue([], START);
    report('3', 'effective');
    expect(dispatcher.due(START)).toEqual([]);
  });

  it('forgets an EVSE that is gone for good, with what still waits for it', () => {
    const up = command('up', 5_000, { evseId: 'b', waitsFor: [{ gate: 0, count: 1 }] });
    dispatcher.issue([command('1', 3_000), up], START, [['1']]);
    dispatcher.forget('a');
    dispatcher.forget('b');
    expect(dispatcher.snapshot().filter((s) => s.evseId === 'a')).toEqual([]);
    expect(dispatcher.stats().size).toBe(0);
    report('1', 'effective');
    expect(dispatcher.due(START)).toEqual([]);
  });

  it('refuses EVSEs beyond its bound rather than forgetting one', () => {
    const commands = Array.from({ length: 12 }, (_, i) => command(`c${i}`, 1_000, { evseId: `e${i}` }));
    expect(dispatcher.issue(commands, START)).toEqual(['c10', 'c11']);
    expect(dispatcher.stats()).toMatchObject({ size: 10, max: 10 });
    expect(dispatcher.snapshot().map((s) => s.evseId)).toEqual(commands.slice(0, 10).map((c) => c.evseId));
  });

  it('keeps the worst case of many open commands in bounded space', () => {
    for (let i = 0; i < 100; i++) dispatcher.issue([command(`c${i}`, i * 100)], START);
    expect(dispatcher.present('a')).toMatchObject({ pendingW: 9_900, minW: 0, maxW: 9_900 });
    report('c99', 'effective');
    expect(dispatcher.present('a')).toMatchObject({ minW: 9_900, maxW: 9_900 });
  });
});
