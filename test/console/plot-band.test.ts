import { describe, expect, it } from 'vitest';
import { AHEAD_MS, aheadOf, limitSteps } from '../../gateway/console/plot-band.js';
import { service } from './site.ts';

const START = Date.parse('2026-03-02T17:00:00Z');
const limits = {
  start: '2026-03-02T17:00:00Z',
  end: '2026-03-02T17:10:00Z',
  points: [
    { offsetS: 0, importLimitW: 40_000 },
    { offsetS: 60, importLimitW: 20_000, exportLimitW: 0 },
    { offsetS: 300 },
  ],
};

describe('the band of a congestion service', () => {
  it('has a step for each point, until the next one or the end', () => {
    expect(limitSteps([service({ limits, state: 'active' })])).toEqual([
      { from: START, to: START + 60_000, importW: 40_000 },
      { from: START + 60_000, to: START + 300_000, importW: 20_000, exportW: 0 },
    ]);
  });

  it('is not drawn for what was refused or taken back', () => {
    for (const state of ['rejected', 'aborted', 'failed']) expect(limitSteps([service({ limits, state })])).toEqual([]);
    expect(limitSteps([service({})])).toEqual([]);
  });

  it('lets the time axis reach ahead only while something holds or comes', () => {
    const steps = limitSteps([service({ limits, state: 'scheduled' })]);
    expect(aheadOf(steps, START - 2 * AHEAD_MS)).toBe(0);
    expect(aheadOf(steps, START)).toBe(AHEAD_MS);
    expect(aheadOf(steps, START + 290_000)).toBe(10_000);
    expect(aheadOf(steps, START + 300_000)).toBe(0);
  });
});
