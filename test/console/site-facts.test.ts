import { describe, expect, it } from 'vitest';
import { factsOf } from '../../gateway/console/views/site-facts.js';
import { FleetSnapshot } from '../../model/index.ts';

const NOW = Date.parse(FleetSnapshot.example.at);
const said = (change: Partial<FleetSnapshot>) =>
  factsOf({ ...FleetSnapshot.example, ...change }, NOW).map(({ label, words }) =>
    [label, words.text, words.more, words.tone].join('|').replaceAll('\u202f', ' '),
  );
const meter = (change: object) => ({ meterId: 'm:poc', at: 'poc' as const, state: 'good' as const, ...change });

describe('what is known of the site', () => {
  it('shows a live POC meter with its value, a lost one with its age and cause', () => {
    expect(said({ meters: [meter({ powerW: 12_300, measuredAt: FleetSnapshot.example.at })] })).toEqual([
      'POC meter|live|12.3 kW|good',
    ]);
    const lost = meter({ state: 'lost', measuredAt: '2026-03-02T17:09:50Z', cause: 'silent' });
    expect(said({ meters: [lost] })).toEqual(['POC meter|lost|10 s ago · silent|bad']);
    expect(said({ meters: [meter({ state: 'substituted', powerW: 1000 })] })[0]).toContain('substituted|1.00 kW|warn');
    expect(said({})[0]).toContain('POC meter|none');
  });

  it('names of many meters those that are not well', () => {
    const meters = Array.from({ length: 6 }, (_, i) => ({
      meterId: `m:${i}`,
      at: 'circuit' as const,
      subjectRef: `k${i}`,
      state: i === 4 ? ('lost' as const) : ('good' as const),
    }));
    expect(said({ meters })).toEqual([
      expect.stringContaining('POC meter|none'),
      'Circuit meter k4|lost||bad',
      'Other meters|5 of 6|not shown|quiet',
    ]);
  });

  it('says where base load and PV come from, and when they are not known', () => {
    expect(said({ others: { usedW: 5000, generationW: 3000, source: 'measured' } }).slice(1)).toEqual([
      'Base load|5.00 kW|as measured|',
      'PV|3.00 kW|as measured|',
    ]);
    expect(said({ others: { usedW: 0, generationW: 0, source: 'unknown' } })[1]).toContain('static share|warn');
  });

  it('tells whether our clock is ahead of or behind the operator’s', () => {
    const clock = (offsetMs: number, state: 'good' | 'degraded') =>
      said({ clock: { source: 'fo', state, offsetMs } })[1];
    expect(clock(12, 'good')).toBe('Clock|good|12 ms behind the operator’s|good');
    expect(clock(-1500, 'degraded')).toBe('Clock|off|1500 ms ahead of the operator’s|warn');
  });
});
