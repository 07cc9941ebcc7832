import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  beginnings,
  effectsOf,
  lanesOf,
  linkPath,
  milestonesOf,
  offsetText,
  rangeText,
  rowsOf,
} from '../../gateway/console/trace.js';
import { storyOf } from '../../gateway/console/views/wire-story.js';
import { saysOf, titleOf, topicsOf, whoOf } from '../../gateway/console/wire-words.js';
import { chain, entry } from './wire.ts';

const plain = (text: string): string => text.replaceAll('\u202f', ' ');
const rows = (open?: string) => rowsOf(chain(), { origin: 1000, isOpen: (key) => key === open });

describe('the rows of the wire timeline', () => {
  it('are one for what is alike and close together, in the order of time', () => {
    expect(rows().map((r) => [titleOf(r.first), r.entries.length])).toEqual([
      ['New setpoint', 1],
      ['Target for the flow', 1],
      ['Target arrives from the flow', 1],
      ['Split over the vehicles', 1],
      ['Command', 2],
      ['Charging profile for the station', 2],
      ['Answer to “Set charging profile”', 2],
      ['Outcome', 2],
      ['Outcome', 2],
      ['Meter value', 2],
    ]);
  });

  it('are one for each message where somebody asks for it, and keep the order', () => {
    const command = rows().find((r) => r.first.topic === 'hub/PowerCommand');
    const opened = rows(command?.key);
    expect(opened.filter((r) => r.burst === command?.key).map((r) => r.entries.length)).toEqual([1, 1]);
    expect(opened.map((r) => r.first.seq)).toEqual(opened.map((r) => r.first.seq).toSorted((a, b) => a - b));
    expect(opened).toHaveLength(rows().length + 1);
  });

  it('hang on the row that led to them; a meter value on the answer of its station', () => {
    const all = rows();
    const parentOf = (topic: string) => {
      const row = all.find((r) => r.first.topic === topic);
      return all.find((r) => r.key === row?.parent)?.first.topic;
    };
    expect(parentOf('fo1/UpdateSetpoint')).toBeUndefined();
    expect(parentOf('hub/CommandBatch')).toBe('hub/ServiceTarget');
    expect(parentOf('hub/PowerCommand')).toBe('hub/CommandBatch');
    expect(parentOf('ocpp1.6/SetChargingProfileRequest')).toBe('hub/PowerCommand');
    expect(parentOf('hub/MeterReading')).toBe('ocpp1.6/SetChargingProfileResponse');
  });

  it('stand in the lane of their stage, with their offsets', () => {
    const meter = rows().at(-1);
    expect(meter).toMatchObject({ lane: 5, fromMs: 1900, toMs: 2300 });
    expect(lanesOf(chain()).map((l) => l.id)).toEqual(['fo', 'service', 'allocate', 'command', 'ocpp', 'meter']);
    expect(lanesOf([entry({ stage: 'limit' })])).toHaveLength(7);
  });

  it('say together what each says', () => {
    const [command] = rows().filter((r) => r.first.topic === 'hub/PowerCommand');
    const [request] = rows().filter((r) => r.first.topic.endsWith('SetChargingProfileRequest'));
    if (command === undefined || request === undefined) throw new Error('no row');
    expect(plain(saysOf(command))).toBe('9.00 kW together');
    expect(whoOf(command)).toBe('DEMO-1, DEMO-2');
    expect(topicsOf(request)).toBe('ocpp1.6, ocpp2.1/SetChargingProfileRequest');
  });

  it('hold every message once and in order, whatever comes', () => {
    const any = fc.record({
      stage: fc.constantFrom('fo', 'command', 'ocpp', 'meter', 'other'),
      direction: fc.constantFrom('in', 'out', 'inside'),
      topic: fc.constantFrom('hub/A', 'ocpp1.6/B', 'ocpp2.1/B', 'odd'),
      cause: fc.option(fc.integer({ min: 0, max: 40 }).map(String), { nil: undefined }),
      step: fc.integer({ min: 0, max: 2000 }),
      open: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 40 }), (list) => {
        let at = 0;
        const entries = list.map(({ step, open: _, cause, ...e }, i) => {
          at += step;
          return entry({ ...e, seq: i + 1, id: String(i), at, ...(cause === undefined ? {} : { cause }) });
        });
        const found = rowsOf(entries, { origin: 0, isOpen: (key) => list[Number(key) - 1]?.open === true });
        const seqs = found.flatMap((r) => r.entries.map((e) => e.seq));
        expect(seqs.toSorted((a, b) => a - b)).toEqual(entries.map((e) => e.seq));
        expect(found.map((r) => r.first.seq)).toEqual(found.map((r) => r.first.seq).toSorted((a, b) => a - b));
        expect(new Set(found.map((r) => r.key)).size).toBe(found.length);
        for (const r of found) expect(r.parent).not.toBe(r.key);
      }),
    );
  });

  it('of answers that differ are not one', () => {
    const answer = (seq: number, status: string) =>
      entry({
        seq,
        at: 1000 + seq,
        stage: 'ocpp',
        direction: 'in',
        topic: 'ocpp1.6/ResetResponse',
        payload: { status },
      });
    expect(
      rowsOf([answer(1, 'Accepted'), answer(2, 'Rejected'), answer(3, 'Accepted')], { origin: 1000 }),
    ).toHaveLength(2);
  });
});

describe('what a request came to', () => {
  it('is told stage by stage, with the time that each took', () => {
    const stones = milestonesOf(chain());
    expect(stones.map((s) => [s.stage, s.fromMs, s.toMs])).toEqual([
      ['fo', 0, 0],
      ['service', 2, 2],
      ['allocate', 3, 4],
      ['command', 5, 6],
      ['ocpp', 40, 52],
      ['meter', 1900, 2300],
    ]);
    expect(plain(storyOf(chain()[0] ?? entry(), stones))).toMatch(
      /fo:north: New setpoint: 9 kW\. 2 stations answered after 40…52 ms\. Effective after 1\.90…2\.30 s\.$/,
    );
  });

  it('waits for what is still to come, and says when nothing had to be done', () => {
    const begun = chain().slice(0, 3);
    expect(milestonesOf(begun, 1500).map((s) => s.text)).toEqual([
      'fo:north',
      'decided',
      'target taken',
      'nothing yet',
      'nothing yet',
      'nothing yet',
    ]);
    expect(milestonesOf(begun, 60_000).at(-1)).toMatchObject({ text: 'not needed', fromMs: undefined });
    expect(storyOf(begun[0] ?? entry(), milestonesOf(begun, 60_000))).toContain(
      'No station had to be told anything new.',
    );
  });

  it('is bad where a station refuses or a command is not effective', () => {
    const refused = chain().map((e) => (e.seq === 9 ? { ...e, payload: { status: 'Rejected' } } : e));
    expect(milestonesOf(refused).find((s) => s.stage === 'ocpp')).toMatchObject({ text: '1 refused', tone: 'bad' });
    const failed = chain().map((e) => (e.seq === 13 ? { ...e, payload: { state: 'notEffective' } } : e));
    expect(milestonesOf(failed).at(-1)).toMatchObject({ text: '1 not effective', tone: 'bad' });
  });

  it('is counted in commands for the list of requests', () => {
    expect(effectsOf(chain())).toMatchObject({ 'm-1': 2, 'm-3': 2 });
    expect(effectsOf(chain().slice(0, 3))).toEqual({});
  });
});

describe('where a chain begins', () => {
  it('is a request of an operator or a limit, the newest first; not what leads to nothing', () => {
    const found = beginnings([
      entry({ id: 'a', topic: 'fo1/Heartbeat' }),
      entry({ id: 'b', topic: 'fo1/RequestService' }),
      entry({ id: 'c', stage: 'limit', topic: 'hub/SetLimit' }),
      entry({ id: 'd', stage: 'limit', topic: 'hub/EnvelopeUpdate', direction: 'inside' }),
      entry({ id: 'e', topic: 'fo1/Telemetry', direction: 'out' }),
    ]);
    expect(found.map((e) => e.id)).toEqual(['c', 'b']);
  });
});

describe('an offset', () => {
  it.each([
    [0, '+0 ms'],
    [0.84, '+0.8 ms'],
    [12.4, '+12 ms'],
    [1940, '+1.94 s'],
    [123_000, '+2 min 3 s'],
    [-3, '−3 ms'],
  ])('%d is %s', (ms, text) => {
    expect(plain(offsetText(ms))).toBe(text);
  });

  it('of several names its unit once', () => {
    expect(plain(rangeText(4, 12))).toBe('+4…12 ms');
    expect(plain(rangeText(4, 4))).toBe('+4 ms');
    expect(plain(rangeText(900, 2300))).toBe('+0.90…2.30 s');
    expect(plain(rangeText(2000, 130_000))).toBe('+2.00 s … +2 min 10 s');
  });
});

describe('the line between two messages', () => {
  it('goes down and then over, also upwards and to the left', () => {
    expect(linkPath({ x: 10, y: 0 }, { x: 10, y: 90 })).toBe('M10 0V90');
    expect(linkPath({ x: 10, y: 0 }, { x: 70, y: 90 })).toBe('M10 0V80Q10 90 20 90H70');
    expect(linkPath({ x: 70, y: 90 }, { x: 10, y: 0 })).toBe('M70 90V10Q70 0 60 0H10');
  });
});

describe('the title of a message', () => {
  it('is words where there are some, else its name spelled out', () => {
    expect(titleOf({ topic: 'ocpp2.1/SetDisplayMessageRequest', stage: 'ocpp' })).toBe('Set display message request');
    expect(titleOf({ topic: 'ocpp2.1/MeterValuesResponse', stage: 'ocpp' })).toBe('Answer to “Meter values”');
    expect(titleOf({ topic: 'odd', stage: 'ocpp' })).toBe('Odd');
  });
});
