import type { EvcsConfiguration, FlexGroup, PublishResources } from '../../model/index.ts';
import { type Item, type Published, revisionOf } from './ledger.ts';

/** A message stays well below the limit of 256 KiB (fo 4.2), bytes. */
const MAX_BYTES = 160 * 1024;

/** As it travels, with its revision. */
export function configurationOf(item: Item, p: Published): EvcsConfiguration | undefined {
  return 'evcs' in item ? { ...item.evcs, revision: revisionOf(p, item.id) } : undefined;
}

/**
 * The messages that bring a party from `since` to the present revision (fo 4.3 no. 6). `full` replaces all it knew; what
 * does not fit into one message follows as `delta` of the same revision.
 */
export function publishMessages(
  items: readonly Item[],
  p: Published,
  since: number,
  full: boolean,
): PublishResources[] {
  const wanted = items.filter((i) => full || revisionOf(p, i.id) > since);
  const removed = full ? [] : p.removed.filter((r) => r.revision > since).map((r) => r.id);
  if (!full && wanted.length === 0 && removed.length === 0) return [];
  const parts: { evcs: EvcsConfiguration[]; groups: FlexGroup[] }[] = [{ evcs: [], groups: [] }];
  let bytes = 0;
  for (const item of wanted) {
    const evcs = configurationOf(item, p);
    const size = JSON.stringify(evcs ?? item).length;
    if (bytes > 0 && bytes + size > MAX_BYTES) {
      parts.push({ evcs: [], groups: [] });
      bytes = 0;
    }
    bytes += size;
    const part = parts.at(-1);
    if (evcs) part?.evcs.push(evcs);
    if ('group' in item) part?.groups.push(item.group);
  }
  return parts.map(({ evcs, groups }, i) => ({
    mode: full && i === 0 ? 'full' : 'delta',
    revision: p.revision,
    evcs,
    ...(groups.length === 0 ? {} : { groups }),
    ...(i === 0 && removed.length > 0 ? { removed } : {}),
  }));
}
