import { describe, expect, it } from 'vitest';
import { bounded } from '../../gateway/site-feed.ts';
import { FleetSnapshot } from '../../model/index.ts';
import { service } from '../console/site.ts';

const START = Date.parse(FleetSnapshot.example.at);
const at = (s: number) => new Date(START + s * 1000).toISOString();

describe('what every console gets each second', () => {
  it('holds of a long limit series what the plot shows and what comes next, not more than a page shows', () => {
    const points = Array.from({ length: 900 }, (_, i) => ({ offsetS: i * 10, importLimitW: 20_000 + i }));
    const services = [service({ limits: { start: at(0), end: at(9000), points } })];
    const shown = (s: number) => {
      const found = bounded({ ...FleetSnapshot.example, at: at(s), services }).services[0]?.limits?.points ?? [];
      return [found.length, found[0]?.offsetS, found.at(-1)?.offsetS];
    };
    expect(shown(0)).toEqual([200, 0, 1990]);
    expect(shown(1205)).toEqual([200, 300, 2290]);
    expect(shown(9000)).toEqual([90, 8100, 8990]);
  });

  it('holds the newest choices of a service', () => {
    const optEvents = Array.from({ length: 1000 }, (_, i) => ({ at: at(i), actor: 'evu', choice: 'out' as const }));
    const [first] = bounded({ ...FleetSnapshot.example, services: [service({ optEvents })] }).services;
    expect(first?.optEvents).toHaveLength(20);
    expect(first?.optEvents?.at(-1)?.at).toBe(at(999));
  });
});
