import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, parseTime } from '../../core/clock.ts';
import type { SetLimit } from '../../model/index.ts';

/** Limits that can be in force at one time. */
const MAX_LIMITS = 1_000;

/** Services that can hold limits; as many as a site has, and their releases. */
const MAX_HOLDERS = 4_000;

interface Held {
  readonly limit: Partial<NodeLimits> & {
    readonly nodeId: string;
    readonly source: string;
    readonly validUntil?: string;
  };
  /** Epoch ms; Infinity until it is lifted. */
  readonly until: number;
}

export interface NodeLimits {
  readonly importLimitW: number;
  readonly exportLimitW: number;
}

/** A limit that a service holds for as long as it says so; it is kept with the service and not here. */
export interface ServiceLimit extends Partial<NodeLimits> {
  readonly nodeId: string;
  /** Words for people. */
  readonly source: string;
  /** Epoch ms; absent: until the service says otherwise. */
  readonly until?: number;
}

export const limitKey = (l: SetLimit): string => `${l.nodeId}/${l.source}`;

/** Limits from outside the site file, by node and source. Several for one node: the smallest wins (fo 6.3, UC 2.7). */
export class LimitBook {
  readonly #clock: Clock;
  readonly #limits = new BoundedMap<string, Held>({ name: 'hub.limits', max: MAX_LIMITS, overflow: 'refuse' });
  readonly #ofServices = new BoundedMap<string, readonly ServiceLimit[]>({
    name: 'hub.serviceLimits',
    max: MAX_HOLDERS,
    overflow: 'refuse',
  });
  /** Both by node. */
  #byNode: ReadonlyMap<string, readonly Held[]> = new Map(); // bounded by: #limits and #ofServices

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True when the limit can be held: it replaces one, lifts one, or there is room. */
  hasRoom(limit: SetLimit): boolean {
    return limit.lift === true || this.#limits.size < MAX_LIMITS || this.#limits.get(limitKey(limit)) !== undefined;
  }

  /** In force from now on; with `lift` no longer. */
  set(limit: SetLimit): void {
    if (limit.lift === true) this.#limits.delete(limitKey(limit));
    else this.#limits.set(limitKey(limit), { limit, until: untilOf(limit) });
    this.#index();
  }

  /** Until a change is stored, the narrower of before and after holds; a lift changes nothing yet. */
  setNarrower(limit: SetLimit): void {
    if (limit.lift === true) return;
    const before = this.#limits.get(limitKey(limit));
    if (!before || before.until <= this.#clock.now()) {
      this.set(limit);
      return;
    }
    const importLimitW = least(before.limit.importLimitW, limit.importLimitW);
    const exportLimitW = least(before.limit.exportLimitW, limit.exportLimitW);
    const longer = before.until > untilOf(limit) ? before.limit : limit;
    const { validUntil } = longer;
    this.set({
      nodeId: limit.nodeId,
      source: limit.source,
      ...(importLimitW === undefined ? {} : { importLimitW }),
      ...(exportLimitW === undefined ? {} : { exportLimitW }),
      ...(validUntil === undefined ? {} : { validUntil }),
    });
  }

  /** The narrowest of the node's own limits and everything set for it, W. */
  effective(nodeId: string, own: NodeLimits): NodeLimits & { readonly source?: string } {
    const held = this.#byNode.get(nodeId);
    let { importLimitW, exportLimitW } = own;
    if (held === undefined) return { importLimitW, exportLimitW };
    let source: string | undefined;
    const now = this.#clock.now();
    for (const { limit: l, until } of held) {
      if (until <= now) continue;
      if (l.importLimitW !== undefined && l.importLimitW < importLimitW)
        [importLimitW, source] = [l.importLimitW, l.source];
      if (l.exportLimitW !== undefined && l.exportLimitW < exportLimitW)
        [exportLimitW, source] = [l.exportLimitW, l.source];
    }
    return { importLimitW, exportLimitW, ...(source === undefined ? {} : { source }) };
  }

  /** The limits of a service from now on; none: it holds nothing any more. True when something has moved. */
  hold(key: string, limits: readonly ServiceLimit[]): boolean {
    const before = this.#ofServices.get(key) ?? [];
    if (JSON.stringify(before) === JSON.stringify(limits)) return false;
    if (limits.length === 0) this.#ofServices.delete(key);
    else this.#ofServices.set(key, limits);
    this.#index();
    return true;
  }

  /** Forgets limits that ended; answers their keys. */
  expire(): string[] {
    const now = this.#clock.now();
    const gone = [...this.#limits.entries()].filter(([, { until }]) => until <= now).map(([key]) => key);
    for (const key of gone) this.#limits.delete(key);
    if (gone.length > 0) this.#index();
    return gone;
  }

  #index(): void {
    const byNode = new Map<string, Held[]>(); // bounded by: #limits and #ofServices
    const ofServices = [...this.#ofServices.values()]
      .flat()
      .map((limit): Held => ({ limit, until: limit.until ?? Number.POSITIVE_INFINITY }));
    for (const held of [...this.#limits.values(), ...ofServices]) {
      const list = byNode.get(held.limit.nodeId);
      if (list) list.push(held);
      else byNode.set(held.limit.nodeId, [held]);
    }
    this.#byNode = byNode;
  }
}

const untilOf = (l: SetLimit): number =>
  l.validUntil === undefined ? Number.POSITIVE_INFINITY : parseTime(l.validUntil);

const least = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b);
