import { describe, expect, it } from 'vitest';
import {
  codeSentence,
  markOf,
  optCount,
  outcomeWords,
  reasons,
  serviceWords,
  setLimitWords,
  stateOf,
  stateWords,
} from '../../gateway/console/words.js';
import { SERVICE_STATES } from '../../hub/services/machine.ts';
import type { FleetEntry } from '../../model/index.ts';
import { entry, service } from './site.ts';

const kW = (w: number): string => `${w / 1000} kW`;

describe('words', () => {
  it('accepted is not effective: a reader and a screen reader can tell them apart', () => {
    const accepted = outcomeWords(entry({ outcome: 'accepted' }));
    const effective = outcomeWords(entry({ outcome: 'effective' }));
    expect(accepted).toMatchObject({ tone: 'warn', more: 'not confirmed by the meter yet' });
    expect(effective).toMatchObject({ tone: 'good', more: 'confirmed by the meter' });
    expect(accepted.icon).not.toBe(effective.icon);
  });

  it('there are some for every state, outcome and service state of the model', () => {
    const states: Readonly<Record<FleetEntry['state'], true>> = {
      offline: true,
      available: true,
      connected: true,
      charging: true,
      discharging: true,
      suspended: true,
      faulted: true,
      reserved: true,
    };
    for (const state of Object.keys(states) as FleetEntry['state'][]) expect(stateWords(state).text).not.toBe(state);
    for (const state of SERVICE_STATES) expect(serviceWords(state).text).not.toBe(state);
  });

  it('an outlet that is out of service has no fault, and one with a fault says which', () => {
    expect(stateOf(entry({ state: 'faulted', errorCode: 'Unavailable' }))).toMatchObject({ text: 'Out of service' });
    expect(stateOf(entry({ state: 'faulted', errorCode: 'GroundFailure' })).text).toBe('Fault: GroundFailure');
    expect(stateOf(entry({ state: 'faulted', errorCode: 'Faulted' })).text).toBe('Fault');
    expect(stateOf(entry({ state: 'charging' })).text).toBe('Charging');
  });

  it('an outcome that is not known yet is shown as it came', () => {
    expect(serviceWords('brandNew')).toMatchObject({ text: 'brandNew' });
    expect(codeSentence('brand.new')).toBe('brand.new');
  });

  it('a refusal says why, with the code to look it up by', () => {
    expect(codeSentence('station.refusedCommand')).toBe('The station refused the command (station.refusedCommand)');
    expect(codeSentence(undefined)).toBe('');
  });

  it('how a command was put to the station is said', () => {
    expect(outcomeWords(entry({ outcome: 'effective', shape: 'limitA' })).more).toContain('as limit in A');
    expect(outcomeWords(entry({ outcome: 'expired' })).text).toBe('Expired');
  });
});

describe('reasons for less than the car wishes', () => {
  const base = { wishedW: 11_000, online: true, measuredW: 4000 } as const;

  it('name the envelope where that decides', () => {
    const row = entry({ ...base, grantedW: 4140, importLimitW: 4140 });
    expect(reasons(row, { service: 'fo:north' }, kW)).toEqual(['Stepped down from 11 kW for its envelope.']);
  });

  it('name who has set the limit behind the envelope', () => {
    const row = entry({ ...base, grantedW: 4140, importLimitW: 4140 });
    const poc = { nodeId: 'poc', importLimitW: 9_000, exportLimitW: 0, measuredW: 0 };
    expect(setLimitWords([poc])).toBeUndefined();
    const limit = setLimitWords([{ ...poc, source: 'scada' }]);
    expect(reasons(row, { limit }, kW)).toEqual([
      'Stepped down from 11 kW for its envelope (limit at the connection point, set by scada).',
    ]);
    expect(
      setLimitWords([
        { ...poc, source: 'a' },
        { ...poc, nodeId: 'ac', source: 'b' },
      ]),
    ).toBe('2 limits are set');
  });

  it('name the service otherwise', () => {
    const row = entry({ ...base, grantedW: 4140, importLimitW: 11_000 });
    expect(reasons(row, { service: 'fo:north' }, kW)).toEqual(['Stepped down from 11 kW for fo:north.']);
    expect(reasons(row, {}, kW)).toEqual(['Stepped down from 11 kW.']);
  });

  it('say when a car gives instead, and when its export envelope is reached', () => {
    const row = entry({ ...base, grantedW: -11_000, importLimitW: 11_000, exportLimitW: 11_000 });
    expect(reasons(row, { service: 'fo:north' }, kW)).toEqual([
      'Gives instead of taking 11 kW for fo:north, as far as its envelope goes.',
    ]);
  });

  it('are absent where a car gets what it wishes', () => {
    expect(reasons(entry({ ...base, grantedW: 10_900 }), {}, kW)).toEqual([]);
  });

  it('tell of opt-out and of a station that is away', () => {
    expect(reasons(entry({ ...base, online: false, optState: 'out' }), {}, kW)).toEqual([
      'Opted out of services.',
      'Counted with its worst case while it is offline.',
    ]);
  });
});

describe('marks that an operator should see at once', () => {
  const mark = (change: Partial<FleetEntry>) =>
    markOf(entry({ measuredW: 4000, importLimitW: 11_000, ...change }))?.text;

  it('tell an excluded resource, a limit that is not held, an opt-out, and who leads', () => {
    expect(mark({})).toBeUndefined();
    expect(mark({ outcomeCode: 'resource.excluded', optState: 'out' })).toBe('Excluded');
    expect(mark({ measuredW: 11_300 })).toBe('Limit not held');
    expect(mark({ measuredW: 11_300, outcome: 'accepted' })).toBeUndefined();
    expect(mark({ measuredW: 11_300, outcome: 'notEffective' })).toBe('Limit not held');
    expect(mark({ measuredW: 11_200 })).toBeUndefined();
    expect(mark({ measuredW: 11_300, online: false })).toBeUndefined();
    expect(mark({ optState: 'out' })).toBe('Opted out');
    expect(mark({ shape: 'native' })).toBe('Led by a flow');
  });

  it('tell of a service who chose last', () => {
    const at = '2026-03-02T17:00:00Z';
    expect(optCount(service({}))).toBe('');
    const optEvents = [
      { at, actor: 'evu', choice: 'out' as const },
      { at, actor: 'cso', choice: 'in' as const },
    ];
    expect(optCount(service({ optEvents }))).toBe('opt in by the site operator, chosen 2 times');
  });
});
