import { BoundedMap, BoundedSet, type BoundStats } from '../core/bounded.ts';

/** Where a link node said its link is. */
export interface LinkPlace {
  readonly nodeId: string;
  /** Node type: `v2gate-ocpp-server`, `v2gate-fo-link`. */
  readonly type: string;
  /** Actual address: `ws://127.0.0.1:9220/ocpp`. */
  readonly url: string;
  /** The port that was asked for, where it may have moved. */
  readonly wantedPort?: number;
}

/** Remembers where the links of this process are. */
export interface LinkBook {
  note(place: LinkPlace): void;
  forget(nodeId: string): void;
  list(): readonly LinkPlace[];
  /** Hears every new or changed place. */
  onChange(listener: (place: LinkPlace) => void): () => void;
  stats(): readonly BoundStats[];
}

export function createLinkBook(): LinkBook {
  const places = new BoundedMap<string, LinkPlace>({ name: 'gateway.links', max: 256, overflow: 'dropOldest' });
  const listeners = new BoundedSet<(place: LinkPlace) => void>({
    name: 'gateway.linkListeners',
    max: 16,
    overflow: 'refuse',
  });
  return {
    note(place) {
      const known = places.get(place.nodeId);
      places.set(place.nodeId, place);
      if (known?.url !== place.url) for (const listener of [...listeners]) listener(place);
    },
    forget: (nodeId) => void places.delete(nodeId),
    list: () => [...places.values()],
    stats: () => [places.stats(), listeners.stats()],
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
