import { createHash } from 'node:crypto';
import { canonical } from '../../core/json.ts';
import type { EvcsConfiguration, FlexGroup } from '../../model/index.ts';

/** What was published to one party, as it is stored. */
export interface Published {
  readonly revision: number;
  /** The revision that has reached the outbox of its link. */
  readonly got: number;
  readonly items: readonly PublishedItem[];
  /** Ids that are gone, and since which revision. */
  readonly removed: readonly { readonly id: string; readonly revision: number }[];
}

interface PublishedItem {
  readonly id: string;
  readonly hash: string;
  readonly revision: number;
}

/** An EVCS or a group as a party sees it. */
export type Item = { readonly id: string } & (
  | { readonly evcs: Omit<EvcsConfiguration, 'revision'> }
  | { readonly group: FlexGroup }
);

export const NOTHING_PUBLISHED: Published = { revision: 0, got: 0, items: [], removed: [] };

/** Removals that are remembered; who missed more gets everything anew. */
const MAX_REMOVED = 1_000;

/** The record after a look at what there is now; the same object when nothing has changed (fo 3: +1 per change, never reused). */
export function published(before: Published, now: readonly Item[]): Published {
  const known = new Map(before.items.map((i) => [i.id, i])); // bounded by: the record
  const revision = before.revision + 1;
  let changed = false;
  const items = now.map((item): PublishedItem => {
    const hash = hashOf(item);
    const old = known.get(item.id);
    known.delete(item.id);
    if (old?.hash === hash) return old;
    changed = true;
    return { id: item.id, hash, revision };
  });
  if (!changed && known.size === 0) return before;
  const back = new Set(items.map((i) => i.id)); // bounded by: the record
  const removed = [
    ...before.removed.filter((r) => !back.has(r.id)),
    ...[...known.keys()].map((id) => ({ id, revision })),
  ].slice(-MAX_REMOVED);
  return { revision, got: before.got, items, removed };
}

export function revisionOf(p: Published, id: string): number {
  return p.items.find((i) => i.id === id)?.revision ?? p.revision;
}

const hashOf = ({ id: _, ...content }: Item): string =>
  createHash('sha256').update(canonical(content)).digest('base64url').slice(0, 22);
