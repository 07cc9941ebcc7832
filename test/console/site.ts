import type { SiteView } from '../../gateway/site-feed.ts';
import { FleetEntry, FleetSnapshot } from '../../model/index.ts';

/** A row of the fleet as the model's example shows it, with changes. */
export function entry(change: Partial<FleetEntry> = {}): FleetEntry {
  return { ...FleetEntry.example, ...change };
}

/** What the gateway sends of a site. */
export function siteView(siteId = 'site:harbour', change: Partial<SiteView> = {}): SiteView {
  return { siteId, ready: true, pending: [], accepted: [], snapshot: { ...FleetSnapshot.example, siteId }, ...change };
}

/** A service as a snapshot shows it. */
export function service(change: Partial<FleetSnapshot['services'][number]> = {}): FleetSnapshot['services'][number] {
  return {
    fsrId: 'fsr-1',
    foId: 'fo:north',
    serviceType: 'setpoint',
    state: 'active',
    start: '2026-03-02T17:00:00Z',
    end: '2026-03-02T17:10:00Z',
    ...change,
  };
}
