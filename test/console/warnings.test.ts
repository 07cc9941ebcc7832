import { describe, expect, it } from 'vitest';
import type { KnownSite } from '../../gateway/console/state.js';
import { warningsOf } from '../../gateway/console/warnings.js';
import type { FleetSnapshot } from '../../model/index.ts';
import { entry, siteView } from './site.ts';

const plain = (text: string): string => text.replaceAll('\u202f', ' ');

function site(change: Partial<FleetSnapshot>): KnownSite {
  const view = siteView();
  return { view: { ...view, snapshot: { ...view.snapshot, ...change } }, points: [], heardAt: 0 };
}
const texts = (s: KnownSite): string[] => warningsOf(s, undefined).map((w) => plain(w.text));

describe('warnings', () => {
  it('are none where all is well', () => {
    expect(warningsOf(site({}), undefined)).toEqual([]);
    expect(warningsOf(undefined, undefined)).toEqual([]);
  });

  it('tell of stations that are offline, exceed their envelope or have a fault, together where they are alike', () => {
    const away = ['a', 'b', 'c', 'd'].map((resourceId) => entry({ resourceId, online: false }));
    expect(texts(site({ resources: away }))).toEqual(['4 resources are offline, and counted with the worst case.']);
    const above = entry({ resourceId: 'x', measuredW: 9000, importLimitW: 4000 });
    const faulted = entry({ resourceId: 'y', state: 'faulted' });
    expect(texts(site({ resources: [above, faulted] }))).toEqual([
      'x draws more than the limit allows.',
      'y has a fault.',
    ]);
  });

  it('put what is worst first, and say where more is to be seen', () => {
    const limits = [{ nodeId: 'poc', importLimitW: 5000, exportLimitW: 0, measuredW: 7000 }];
    const found = warningsOf(site({ resources: [entry({ online: false })], limits }), undefined);
    expect(found.map((w) => [w.tone, w.view])).toEqual([
      ['bad', 'limits'],
      ['warn', 'stations'],
    ]);
  });

  it('take over what the gateway tells, once', () => {
    const warnings = [
      {
        code: 'limit.notHeld',
        subject: 'DEMO-V2G-1.1',
        text: 'DEMO-V2G-1.1 does not hold its limit.',
        since: '2026-03-02T17:00:00Z',
      },
    ];
    const above = entry({ measuredW: 9000, importLimitW: 4000 });
    expect(texts(site({ warnings, resources: [above] }))).toEqual(['DEMO-V2G-1.1 does not hold its limit.']);
  });

  it('tell of parts of the gateway that are not well', () => {
    const components = { store: { state: 'down', text: 'disk full' }, flows: { state: 'ok', text: 'running' } };
    const found = warningsOf(undefined, { live: true, ready: false, admitsNewControl: false, components });
    expect(found).toEqual([
      { key: 'health/store', tone: 'bad', text: 'store is not working: disk full', view: 'health' },
    ]);
  });
});
