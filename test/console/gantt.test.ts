import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ganttRange, ganttRows, marksOf, pastOf, rowSentence, ticksOf } from '../../gateway/console/gantt.js';
import { EventEntry, ServiceRecord } from '../../model/index.ts';
import { service } from './site.ts';

const AT = Date.parse('2026-03-02T17:00:00Z');
const iso = (s: number): string => new Date(AT + s * 1000).toISOString();
const event = (kind: string, s: number, subject = ['fsr-1']): EventEntry => ({
  ...EventEntry.example,
  kind,
  at: iso(s),
  subject,
});

describe('the timeline of services', () => {
  it('marks what was decided, chosen and missed, and leaves out what is about others', () => {
    const events = [
      event('service.accepted', 0),
      event('service.opt', 10),
      event('service.deviation', 20),
      event('service.completed', 30),
      event('service.accepted', 5, ['fsr-2']),
      event('link.up', 6),
    ];
    expect(marksOf('fsr-1', events).map((m) => [m.kind, m.at - AT])).toEqual([
      ['decision', 0],
      ['opt', 10_000],
      ['deviation', 20_000],
      ['end', 30_000],
    ]);
  });

  it('has the steps of a limit series within its time', () => {
    const limits = {
      start: iso(0),
      end: iso(600),
      points: [
        { offsetS: 0, importLimitW: 30_000 },
        { offsetS: 300, importLimitW: 20_000 },
      ],
    };
    const [row] = ganttRows([service({ limits, start: iso(0), end: iso(600) })], []);
    expect(row?.steps.map((s) => [s.from - AT, s.to - AT, s.text.replaceAll('\u202f', ' ')])).toEqual([
      [0, 300_000, '≤ 30.0 kW'],
      [300_000, 600_000, '≤ 20.0 kW'],
    ]);
  });

  it('goes on with what is over, which its record tells, but not twice', () => {
    const record = {
      ...ServiceRecord.example,
      fsrId: 'fsr-0',
      resources: ServiceRecord.example.resources.map((r) => ({ ...r, joinedAt: iso(-300) })),
      deviations: [{ at: iso(-200), shortfallW: 1500, cause: 'departed' }],
    };
    const document = { body: { record } };
    const kept = { id: 'rec:fsr-0', foId: 'fo:north', fsrId: 'fsr-0', endedAt: AT - 60_000, document };
    const past = pastOf({ records: [kept, { ...kept, fsrId: 'fsr-1' }] });
    const rows = ganttRows([service({ state: 'active' })], [], past);
    expect(rows.map((r) => [r.key, r.running])).toEqual([
      ['fo:north/fsr-1', true],
      ['fo:north/fsr-0', false],
    ]);
    expect(rows[1]?.marks.map((m) => m.text.replaceAll('\u202f', ' '))).toEqual(['1.50 kW short: departed']);
    expect(rowSentence(rows[1] ?? never(), (ms) => String(ms - AT))).toContain('Completed, -300000 to -60000');
    expect(pastOf(undefined)).toEqual([]);
  });

  it('reaches over everything that runs, and always over now', () => {
    const time = fc.integer({ min: -3600, max: 3600 });
    fc.assert(
      fc.property(fc.array(fc.record({ start: time, lasts: fc.integer({ min: 1, max: 3600 }) })), (list) => {
        const services = list.map(({ start, lasts }, i) =>
          service({ fsrId: `f${i}`, start: iso(start), end: iso(start + lasts) }),
        );
        const { from, to } = ganttRange(ganttRows(services, []), AT);
        expect(from).toBeLessThan(AT);
        expect(to).toBeGreaterThan(AT);
        expect(to - from).toBeLessThan(60 * 60_000);
        const ticks = ticksOf({ from, to }, 9);
        expect(ticks.length).toBeGreaterThan(1);
        expect(ticks.length).toBeLessThanOrEqual(10);
        for (const t of ticks) expect(t >= from && t <= to).toBe(true);
      }),
    );
  });
});

function never(): never {
  throw new Error('there is no such row');
}
