import { describe, expect, it } from 'vitest';
import { type ConsoleMessage, gatewayTime, initialState, reduce, shownSite } from '../../gateway/console/state.js';
import type { PlotPoint } from '../../hub/site/types.ts';
import { siteView } from './site.ts';

const point = (at: number): PlotPoint => ({ at, grantedW: 0, measuredW: 0, importLimitW: 1, exportLimitW: 1 });

/** The state after messages that came at these times. */
function played(...messages: readonly (readonly [number, ConsoleMessage])[]) {
  return messages.reduce((state, [now, message]) => reduce(state, message, now), initialState());
}

describe('the state of the console', () => {
  it('a lost connection is known since when, however often it is reported, and ends when the stream opens again', () => {
    const lost = played(
      [0, { type: 'open' }],
      [500, { type: 'lost' }],
      [2500, { type: 'connecting' }],
      [2600, { type: 'lost' }],
    );
    expect(lost).toMatchObject({ connection: 'lost', since: 500 });
    expect(reduce(lost, { type: 'open' }, 3000)).toMatchObject({ connection: 'live', since: 3000 });
  });

  it('a lost connection takes away nothing that was known', () => {
    const state = played([0, { type: 'open' }], [1, { type: 'site', data: siteView() }], [2, { type: 'lost' }]);
    expect(shownSite(state)?.view.snapshot.resources).toHaveLength(1);
  });

  it('the first site is shown until another one is chosen', () => {
    const state = played([0, { type: 'site', data: siteView('a') }], [0, { type: 'site', data: siteView('b') }]);
    expect(shownSite(state)?.view.siteId).toBe('a');
    expect(shownSite(reduce(state, { type: 'choose', siteId: 'b' }, 1))?.view.siteId).toBe('b');
    expect(shownSite(reduce(state, { type: 'choose', siteId: 'gone' }, 1))?.view.siteId).toBe('a');
  });

  it('a site that is no longer reported disappears', () => {
    const state = played(
      [0, { type: 'site', data: siteView('a') }],
      [0, { type: 'site', data: siteView('b') }],
      [11_000, { type: 'site', data: siteView('b') }],
    );
    expect(Object.keys(state.sites)).toEqual(['b']);
  });

  it('no more than 64 sites are kept', () => {
    const ids = Array.from({ length: 200 }, (_, i) => `site:${i}`);
    const state = played(...ids.map((id) => [0, { type: 'site', data: siteView(id) }] as const));
    expect(Object.keys(state.sites)).toHaveLength(64);
  });

  it('points follow their site, survive its updates, and those of unknown sites are ignored', () => {
    const state = played(
      [0, { type: 'plot', data: { siteId: 'a', point: point(1) } }],
      [0, { type: 'site', data: siteView('a') }],
      [0, { type: 'plots', data: { siteId: 'a', points: [point(1000), point(2000)] } }],
      [1, { type: 'plot', data: { siteId: 'a', point: point(3000) } }],
      [1, { type: 'plot', data: { siteId: 'b', point: point(4000) } }],
      [2, { type: 'site', data: siteView('a') }],
    );
    expect(shownSite(state)?.points.map((p) => p.at)).toEqual([1000, 2000, 3000]);
    expect(Object.keys(state.sites)).toEqual(['a']);
  });

  it("the gateway's clock runs on between its messages", () => {
    const site = shownSite(played([5000, { type: 'site', data: siteView() }]));
    expect(site && gatewayTime(site, 8000) - Date.parse(site.view.snapshot.at)).toBe(3000);
  });

  it('never changes an earlier state', () => {
    const before = played([0, { type: 'site', data: siteView('a') }]);
    const copy = structuredClone(before);
    reduce(before, { type: 'plot', data: { siteId: 'a', point: point(1) } }, 1);
    reduce(before, { type: 'site', data: siteView('b') }, 1);
    expect(before).toEqual(copy);
  });
});
