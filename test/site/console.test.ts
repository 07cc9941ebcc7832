import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { WarningBook } from '../../hub/site/warnings.ts';
import { fsrIdsOf, observedNote, resultNote, targetNote } from '../../hub/trace/notes.ts';
import { type SiteWorld, siteWorld } from '../support/site-world.ts';

describe('warnings of a site', () => {
  it('stay as long as what they tell of, with when it began', async () => {
    const clock = manualClock();
    const book = new WarningBook(clock);
    const list = () => book.list(() => true).map((w) => [w.subject, w.text]);
    book.take({ code: 'limit.notHeld', subject: 'A', text: 'first' });
    const since = book.list(() => true)[0]?.since;
    await clock.advance(5_000);
    book.take({ code: 'limit.notHeld', subject: 'B', text: 'other' });
    book.take({ code: 'limit.notHeld', subject: 'A', text: 'changed' });
    expect(list()).toEqual([
      ['A', 'changed'],
      ['B', 'other'],
    ]);
    expect(book.list(() => true)[0]?.since).toBe(since);
    book.take({ code: 'limit.notHeld', subject: 'A' });
    expect(list()).toEqual([['B', 'other']]);
    expect(book.list((id) => id !== 'B')).toEqual([]);
  });

  it('are bounded, and their text is cut', () => {
    const book = new WarningBook(manualClock());
    for (let i = 0; i < 2_000; i++) book.take({ code: 'x', subject: `${i}`, text: 'y'.repeat(1_000) });
    const all = book.list(() => true);
    expect([all.length, all[0]?.text.length]).toEqual([1_000, 256]);
  });
});

describe('the plot of a group', () => {
  let w: SiteWorld;
  beforeEach(async () => {
    w = await siteWorld();
    for (const r of ['V2G-1.1', 'AC-1.1', 'AC-2.1']) w.plug(r);
    await w.clock.advance(3_000);
  });
  afterEach(() => w.close());

  it('shows what was asked of it, what it got and what it measures', async () => {
    expect(w.site.groups()).toContain('g:all');
    await w.service({ initialW: 9_000 });
    await w.setpoint(1, 9_000);
    await w.clock.advance(5_000);
    const point = w.site.plot('g:all').at(-1);
    const whole = w.site.plot().at(-1);
    expect(point).toMatchObject({ at: whole?.at, requestedW: 9_000, grantedW: whole?.grantedW });
    expect(point?.measuredW).toBe(whole?.measuredW);
    expect(point?.importLimitW).toBeLessThanOrEqual(whole?.importLimitW ?? 0);
    expect(w.site.plot('g:none')).toEqual([]);
    await w.clock.advance(1_000_000);
    expect(w.site.plot('g:all')).toHaveLength(900);
  });

  it('follows a limit at the connection', async () => {
    await w.site.setLimit({ nodeId: 'poc', source: 'operator', importLimitW: 6_000 });
    await w.clock.advance(2_000);
    expect(w.site.plot('g:all').at(-1)).toMatchObject({ importLimitW: 6_000 });
  });
});

describe('what the hub notes for the timeline', () => {
  const wire = (topic: string, payload: object) => ({
    topic,
    payload,
    v2gate: { id: 'm:1', at: '2026-03-02T17:00:00Z', link: 'l', peer: 'CS-1' },
  });

  it('outcomes belong to their command, values to their resource or meter', () => {
    const outcome = { commandId: 'cmd:1', resourceId: 'A.1', state: 'accepted', at: '' };
    expect(observedNote(wire('hub/CommandOutcome', outcome))).toMatchObject({
      cause: 'cmd:1',
      awaits: true,
      stage: 'command',
    });
    expect(observedNote(wire('hub/CommandOutcome', { ...outcome, state: 'sent' })).awaits).toBe(false);
    expect(observedNote(wire('hub/MeterReading', { meterId: 'm:poc' }))).toMatchObject({
      stage: 'meter',
      resourceIds: ['m:poc'],
      series: 'meter m:poc',
    });
    expect(observedNote(wire('hub/SessionEvent', { resourceId: 'A.1', kind: 'started' })).series).toBeUndefined();
  });

  it('services are found wherever a message names them', () => {
    expect(fsrIdsOf({ fsrId: 'a' })).toEqual(['a']);
    expect(fsrIdsOf({ setpoint: { fsrId: 'b' }, noReply: true })).toEqual(['b']);
    expect(fsrIdsOf({ fsr: { fsrId: 'c' } })).toEqual(['c']);
    for (const none of [{}, null, 'fsrId', { fsr: { fsrId: 7 } }]) expect(fsrIdsOf(none)).toEqual([]);
  });

  it('a decision and its target come from the request', () => {
    const request = wire('hub/UpdateSetpoint', { setpoint: { fsrId: 'N-1' } });
    const target = { fsrId: 'N-1', targetW: 1, validUntil: '2026-03-02T17:11:00Z' };
    const notes = [resultNote(request, { status: 'ok' }), targetNote(request, target)];
    expect(notes.map((n) => [n.topic, n.cause, n.fsrIds])).toEqual([
      ['hub/ResultBody', 'm:1', ['N-1']],
      ['hub/ServiceTarget', 'm:1', ['N-1']],
    ]);
  });
});
