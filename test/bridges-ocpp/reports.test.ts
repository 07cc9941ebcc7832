import { describe, expect, it } from 'vitest';
import { Reports } from '../../bridges/ocpp/reports.ts';
import { manualClock } from '../../core/clock.ts';

const yes = async (): Promise<boolean> => true;

describe('the report of a station', () => {
  it('is whole when all parts are there, in whatever order they come', async () => {
    const reports = new Reports(manualClock(0));
    const rows = reports.collect(7, async () => {
      reports.take({ requestId: 7, seqNo: 2, tbc: false, reportData: ['e'] });
      reports.take({ requestId: 7, seqNo: 0, tbc: true, reportData: ['a', 'b'] });
      return true;
    });
    reports.take({ requestId: 8, seqNo: 1, tbc: true, reportData: ['of another'] });
    reports.take({ requestId: 7, seqNo: 1, tbc: true, reportData: ['c', 'd'] });
    expect(await rows).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('may be empty, and has one part where `tbc` is missing', async () => {
    const reports = new Reports(manualClock(0));
    const rows = reports.collect(1, yes);
    reports.take({ requestId: 1, seqNo: 0 });
    expect(await rows).toEqual([]);
  });

  it('is not awaited where the station says no, and what fails is told', async () => {
    const reports = new Reports(manualClock(0));
    expect(await reports.collect(1, async () => false)).toBeUndefined();
    await expect(reports.collect(1, () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
  });

  it('that does not come in time is given up', async () => {
    const clock = manualClock(0);
    const reports = new Reports(clock);
    const rows = reports.collect(1, yes);
    reports.take({ requestId: 1, seqNo: 0, tbc: true, reportData: ['a'] });
    reports.take({ requestId: 1, seqNo: 2, tbc: false, reportData: ['c'] });
    await Promise.resolve();
    clock.advance(12_000);
    await expect(rows).rejects.toMatchObject({ code: 'order.noReport' });
  });

  it('is refused while too many are under way, and possible again after them', async () => {
    const clock = manualClock(0);
    const reports = new Reports(clock);
    const all = [1, 2, 3, 4].map((id) => reports.collect(id, yes));
    await expect(reports.collect(5, yes)).rejects.toMatchObject({ code: 'order.noReport' });
    for (const id of [1, 2, 3, 4]) reports.take({ requestId: id, seqNo: 0, reportData: [id] });
    expect(await Promise.all(all)).toEqual([[1], [2], [3], [4]]);
    const again = reports.collect(5, yes);
    reports.take({ requestId: 5, seqNo: 0, reportData: [5] });
    expect(await again).toEqual([5]);
  });
});
