import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filterStations, type Sorting, sortBy, sortServices, sortStations } from '../../gateway/console/fleet.js';
import type { FleetEntry, FleetSnapshot } from '../../model/index.ts';
import { entry } from './site.ts';

const ids = (rows: readonly FleetEntry[]): string[] => rows.map((r) => r.resourceId);

describe('the order of stations', () => {
  it('counts numbers inside names', () => {
    const rows = ['CS-10.1', 'CS-9.1', 'CS-9.2'].map((resourceId) => entry({ resourceId }));
    expect(ids(sortStations(rows, { column: 'resource', descending: false }))).toEqual(['CS-9.1', 'CS-9.2', 'CS-10.1']);
    expect(ids(sortStations(rows, { column: 'resource', descending: true }))).toEqual(['CS-10.1', 'CS-9.2', 'CS-9.1']);
  });

  it('puts what is unknown last either way', () => {
    const { measuredW: _, ...unknown } = entry({ resourceId: 'b' });
    const rows = [unknown, entry({ resourceId: 'a', measuredW: 1 }), entry({ resourceId: 'c', measuredW: -2 })];
    expect(ids(sortStations(rows, { column: 'measured', descending: false }))).toEqual(['c', 'a', 'b']);
    expect(ids(sortStations(rows, { column: 'measured', descending: true }))).toEqual(['a', 'c', 'b']);
  });

  it('brings faults and failed commands to the top', () => {
    const rows = [
      entry({ resourceId: 'a', state: 'charging', outcome: 'effective' }),
      entry({ resourceId: 'b', state: 'faulted', outcome: 'notEffective' }),
    ];
    expect(ids(sortStations(rows, { column: 'state', descending: false }))).toEqual(['b', 'a']);
    expect(ids(sortStations(rows, { column: 'outcome', descending: false }))).toEqual(['b', 'a']);
  });

  it('loses and doubles nobody, in any column', () => {
    const columns = [
      'resource',
      'station',
      'protocol',
      'state',
      'soc',
      'measured',
      'granted',
      'envelope',
      'outcome',
      'age',
    ];
    const rows = fc.array(
      fc.record({
        resourceId: fc.string({ minLength: 1, maxLength: 8 }),
        measuredW: fc.integer({ min: -9, max: 9 }),
        socPct: fc.integer({ min: 0, max: 100 }),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(rows, fc.constantFrom(...columns), fc.boolean(), (changes, column, descending) => {
        const before = changes.map((c) => entry(c));
        const sorted = sortStations(before, { column: column as Sorting['column'], descending });
        expect(ids(sorted).toSorted()).toEqual(ids(before).toSorted());
      }),
    );
  });

  it('a second click on a column turns it round', () => {
    const first = sortBy({ column: 'resource', descending: false }, 'soc');
    expect(first).toEqual({ column: 'soc', descending: false });
    expect(sortBy(first, 'soc')).toEqual({ column: 'soc', descending: true });
  });
});

describe('the filter', () => {
  it('wants every word, wherever it stands, in any case', () => {
    const rows = [
      entry({ resourceId: 'A.1', state: 'charging' }),
      entry({ resourceId: 'B.1', state: 'charging', outcome: 'refused' }),
    ];
    expect(ids(filterStations(rows, 'Charging REFUSED'))).toEqual(['B.1']);
    expect(ids(filterStations(rows, ' '))).toEqual(['A.1', 'B.1']);
    expect(filterStations(rows, 'nothing like this')).toEqual([]);
  });
});

describe('the order of services', () => {
  it('is active, scheduled, then ended ones with the newest first', () => {
    const service = (fsrId: string, state: string, start: string, end: string): FleetSnapshot['services'][number] => ({
      fsrId,
      foId: 'fo:north',
      serviceType: 'setpoint',
      state,
      start: `2026-03-02T${start}:00Z`,
      end: `2026-03-02T${end}:00Z`,
    });
    const services = [
      service('old', 'completed', '10:00', '11:00'),
      service('later', 'scheduled', '19:00', '20:00'),
      service('newer', 'aborted', '11:00', '12:00'),
      service('now', 'active', '16:00', '18:00'),
      service('next', 'scheduled', '18:00', '19:00'),
    ];
    expect(sortServices(services).map((s) => s.fsrId)).toEqual(['now', 'next', 'later', 'newer', 'old']);
  });
});
