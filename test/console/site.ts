import type { SiteView } from '../../gateway/site-feed.ts';
import { FleetEntry, FleetSnapshot } from '../../model/index.ts';

/** A row of the fleet as the model's example shows it, with changes. */
export function entry(change: Partial<FleetEntry> = {}): FleetEntry {
  return { ...FleetEntry.example, ...change };
}

/** What the gateway sends of a site. */
export function siteView(siteId = 'site:harbour', change: Partial<SiteView> = {}): SiteView {
  return { siteId, ready: true, pending: [], snapshot: { ...FleetSnapshot.example, siteId }, ...change };
}
