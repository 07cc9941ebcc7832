import { describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { ceilingAt, nodesOf, stepTimes, tightestW } from '../../hub/services/congestion.ts';
import type { Service } from '../../hub/services/service.ts';
import { Congestion, type Contract, ServiceRequest } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';

const T = Date.UTC(2026, 0, 1);
const at = (s: number): number => T + s * 1000;

function service(parameters: Partial<Congestion> = {}, patch: Partial<Service> = {}): Service {
  const limits = {
    start: iso(T),
    end: iso(at(60)),
    points: [
      { offsetS: 0, importLimitW: 20_000 },
      { offsetS: 30, importLimitW: 8000, exportLimitW: 1000 },
      { offsetS: 45, exportLimitW: 2000 },
    ],
  };
  const fsr = {
    ...ServiceRequest.example,
    contractId: 'C-1',
    serviceType: 'congestion',
    window: { start: iso(T), end: iso(at(120)) },
    parameters: { ...Congestion.example, limits, ...parameters },
  } as Service['fsr'];
  return { foId: 'fo:test', fsr, digest: '', state: 'active', members: [], outgoing: [], ...patch };
}

const file = (patch: Partial<Contract> = {}) => {
  const f = siteFile();
  return { ...f, contracts: f.contracts?.map((c) => ({ ...c, ...patch })) ?? [] };
};

describe('the limit of a congestion service', () => {
  it.each([
    [0, { importLimitW: 20_000 }],
    [29.999, { importLimitW: 20_000 }],
    [30, { importLimitW: 8000, exportLimitW: 1000 }],
    [45, { exportLimitW: 2000 }],
  ])('at %d s is the step that holds then', (s, ceiling) => {
    expect(ceilingAt(service(), at(s), file())).toEqual(ceiling);
  });

  it('after the series is the safe limit of the contract, without one the last that the series named in each direction, and nothing after the window', () => {
    expect(ceilingAt(service(), at(60), file({ safeImportLimitW: 5000 }))).toEqual({
      importLimitW: 5000,
      exportLimitW: 2000,
    });
    expect(ceilingAt(service(), at(119), file())).toEqual({ importLimitW: 8000, exportLimitW: 2000 });
    expect(ceilingAt(service(), at(120), file({ safeImportLimitW: 5000 }))).toBeUndefined();
  });

  it('is none before it begins, when it has ended, and while it waits for its activation', () => {
    expect(ceilingAt(service({}, { state: 'scheduled' }), at(1), file())).toBeUndefined();
    expect(ceilingAt(service({}, { state: 'aborted' }), at(1), file())).toBeUndefined();
    expect(ceilingAt(service({}, { activation: { state: 'armed' } }), at(1), file())).toBeUndefined();
    expect(ceilingAt(service({}, { activation: { state: 'off' } }), at(1), file())).toBeUndefined();
  });

  it('of a reduction counts from the power at the begin, never below 0, and the smaller one wins', () => {
    expect(ceilingAt(service({ reduceByW: 4000 }, { reduceFromW: 15_000 }), at(1), file())?.importLimitW).toBe(11_000);
    expect(ceilingAt(service({ reduceByW: 4000 }, { reduceFromW: 3000 }), at(1), file())?.importLimitW).toBe(0);
    expect(ceilingAt(service({ reduceByW: 4000 }, { reduceFromW: 15_000 }), at(30), file())?.importLimitW).toBe(8000);
    expect(ceilingAt(service({ reduceByW: 4000 }), at(1), file())?.importLimitW).toBe(20_000);
  });

  it('may become another one at each step, at the end of the series and at both ends of the window', () => {
    expect(stepTimes(service())).toEqual([0, 0, 30, 45, 60, 120].map(at));
    expect(tightestW(service())).toBe(8000);
  });
});

describe('where a limit is enforced', () => {
  const circuits = [
    { circuitId: 'k1', importLimitW: 1, exportLimitW: 1 },
    { circuitId: 'k2', parentId: 'k1', importLimitW: 1, exportLimitW: 1 },
  ];
  const places: Record<string, string | undefined> = { a: 'k1', b: 'k2', c: undefined };
  const nodes = (referencePoint: 'evse' | 'group' | 'site', members: string[]) => {
    const { fsr } = service();
    const target = { groupId: 'g', referencePoint };
    return nodesOf({ ...fsr, target }, members, { ...file(), circuits }, (id) => places[id], ['a', 'b', 'c']);
  };

  it('is the POC, each EVSE, or the circuit that has just these members below it', () => {
    expect(nodes('site', ['a'])).toEqual(['poc']);
    expect(nodes('evse', ['a', 'c'])).toEqual(['a', 'c']);
    expect(nodes('group', ['b', 'a'])).toEqual(['k1']);
    expect(nodes('group', ['b'])).toEqual(['k2']);
    expect(nodes('group', ['a'])).toBeUndefined();
    expect(nodes('group', ['a', 'b', 'c'])).toBeUndefined();
  });
});
