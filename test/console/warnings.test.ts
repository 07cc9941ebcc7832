import { describe, expect, it } from 'vitest';
import { filterStations } from '../../gateway/console/fleet.js';
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
    expect(texts(site({ resources: away }))).toEqual(['4 outlets are offline, and counted with the worst case.']);
    const above = entry({ resourceId: 'x', measuredW: 9000, importLimitW: 4000 });
    const faulted = entry({ resourceId: 'y', state: 'faulted' });
    expect(texts(site({ resources: [above, faulted] }))).toEqual([
      'x draws more than the limit allows.',
      'y has a fault.',
    ]);
  });

  it('lead to those that they are about, and say what somebody can do', () => {
    const away = ['a', 'b', 'c', 'd'].map((resourceId) => entry({ resourceId, online: false, state: 'offline' }));
    const excluded = [entry({ resourceId: 'e', outcomeCode: 'resource.excluded' })];
    const others = [entry({ resourceId: 'f', state: 'faulted', errorCode: 'Unavailable' }), entry({ resourceId: 'g' })];
    const resources = [...away, ...excluded, ...others];
    const found = warningsOf(site({ resources }), undefined);
    expect(found.map((w) => w.params)).toEqual([{ filter: 'offline' }, { filter: 'e' }]);
    expect(filterStations(resources, 'offline')).toEqual(away);
    expect(filterStations(resources, 'excluded')).toEqual(excluded);
    for (const w of found) expect(w.remedy).toMatch(/\.$/);
  });

  it('tell of a limit that cannot be held, and of a station that is turned away', () => {
    const since = '2026-03-02T17:00:00Z';
    const warnings = [
      { code: 'station.turnedAway', subject: 'CS-7', text: 'CS-7 is turned away.', since },
      { code: 'limit.unreachable', subject: 'poc import', text: 'The limit cannot be held.', since },
    ];
    const found = warningsOf(site({ warnings }), undefined);
    expect(found.map((w) => [w.tone, w.view, w.params])).toEqual([
      ['bad', 'limits', undefined],
      ['warn', 'stations', { filter: 'CS-7' }],
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

  it('tell of a broken site file once, one line for each problem', () => {
    const text = '/yard/site.json has 2 problems: /poc/importLimitW must be a number · /groups/0 names nobody';
    const components = {
      'site yard': { state: 'down', text },
      'link stations': { state: 'down', text: 'waiting for the site' },
    };
    const found = warningsOf(undefined, { live: true, ready: false, admitsNewControl: false, components });
    expect(found.map((w) => w.text.split('\n'))).toEqual([
      [
        'site yard is not working: /yard/site.json has 2 problems',
        '/poc/importLimitW must be a number',
        '/groups/0 names nobody',
      ],
    ]);
  });
});
