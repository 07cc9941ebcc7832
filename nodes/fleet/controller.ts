import type { NodeMessage } from 'node-red';
import type { Site } from '../../hub/site/types.ts';
import { type FleetEntry, FleetSnapshot } from '../../model/index.ts';
import { textOf } from '../base/config.ts';
import { NODE_ERRORS } from '../base/errors.ts';
import type { NodeController, NodeHost } from '../base/host.ts';
import type { SavedConfig } from '../base/migrate.ts';
import { siteOf } from '../base/site-holder.ts';
import { useSite } from '../base/site-nodes.ts';
import { following, fromWire, metaOf } from '../base/wire.ts';

/** A message with this topic, or without topic (an inject button), asks for the fleet. */
const QUERY = 'hub/QueryFleet';

/**
 * The fleet as the site knows it. Telemetry that is due for a subscription leaves the first output, the answer to a query
 * the second: of a group or single resources where message or dialog name them, with their sums. Observations on its
 * input need no action: links feed the twin themselves, so that no wire can cut it off.
 */
export function createFleet(host: NodeHost, config: SavedConfig): NodeController {
  const holder = siteOf(host, config.site);
  const { clock } = host.runtime;
  const usual = chosen(textOf(config, 'group'), textOf(config, 'resource'));
  const close = useSite(host, holder, (site) => [site.on('telemetry', (due) => host.send([fromWire(due), null]))]);
  return {
    input(message, send) {
      if (message.topic !== undefined && message.topic !== '' && message.topic !== QUERY) return;
      const site = holder.require();
      const snapshot = site.snapshot();
      const ids = membersOf(site, askedFor(message) ?? usual);
      const resources = ids ? snapshot.resources.filter((r) => ids.includes(r.resourceId)) : snapshot.resources;
      const payload: FleetSnapshot = { ...snapshot, resources, selection: sumsOf(resources) };
      const v2gate = following(metaOf(message, clock), clock, site.siteId);
      send([null, fromWire({ topic: `hub/${FleetSnapshot.name}`, payload, v2gate }, message)]);
      host.status('good', `${resources.filter((r) => r.online).length} of ${resources.length} online`);
    },
    close,
  };
}

interface Choice {
  readonly groupId?: string;
  readonly resourceIds?: readonly string[];
}

function chosen(groupId: string | undefined, resourceId: string | undefined): Choice {
  if (resourceId !== undefined) return { resourceIds: [resourceId] };
  return groupId === undefined ? {} : { groupId };
}

/** Whom the payload of a query names; an inject button sends a number or an empty text, which names nobody. */
function askedFor({ payload }: NodeMessage): Choice | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const groupId: unknown = Reflect.get(payload, 'groupId');
  const resourceIds: unknown = Reflect.get(payload, 'resourceIds');
  if (groupId === undefined && resourceIds === undefined) return undefined;
  if (typeof groupId === 'string' && resourceIds === undefined) return { groupId };
  if (groupId === undefined && Array.isArray(resourceIds) && resourceIds.every((r) => typeof r === 'string'))
    return { resourceIds };
  throw NODE_ERRORS.fail('nodes.message', 'A query names groupId (a text), or resourceIds (a list of texts).');
}

/** The resources that are meant; undefined: all. Throws `nodes.message` for what the site does not have. */
function membersOf(site: Site, { groupId, resourceIds }: Choice): readonly string[] | undefined {
  if (groupId !== undefined) {
    const group = site.file().groups?.find((g) => g.groupId === groupId);
    if (group) return group.members;
    throw NODE_ERRORS.fail('nodes.message', `The site file has no group “${groupId}”.`);
  }
  const known = resourceIds && site.snapshot().resources.map((r) => r.resourceId);
  const strange = resourceIds?.find((r) => !known?.includes(r));
  if (strange !== undefined) throw NODE_ERRORS.fail('nodes.message', `The site has no charge point “${strange}”.`);
  return resourceIds;
}

/** What the chosen ones do together, and what they could do more or less right now (fo 8.1: lo and hi). */
function sumsOf(resources: readonly FleetEntry[]): NonNullable<FleetSnapshot['selection']> {
  const sum = (of: (r: FleetEntry) => number): number => resources.reduce((total, r) => total + of(r), 0);
  return {
    online: resources.filter((r) => r.online).length,
    measuredW: sum((r) => r.measuredW ?? 0),
    neededW: sum((r) => r.neededW),
    upW: sum((r) =>
      moves(r) ? Math.max(0, Math.min(r.wishedW, r.importLimitW ?? r.wishedW) - (r.measuredW ?? 0)) : 0,
    ),
    downW: sum((r) =>
      moves(r) ? Math.max(0, (r.measuredW ?? 0) - Math.max(r.lowestW, -(r.exportLimitW ?? -r.lowestW))) : 0,
    ),
  };
}

const moves = (r: FleetEntry): boolean => r.online && r.optState === 'in' && r.quality !== 'missing';
