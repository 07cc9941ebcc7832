import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, parseTime } from '../../core/clock.ts';
import type { SetLimit } from '../../model/index.ts';
import type { StoreOp } from '../ports.ts';

const keyOf = (l: SetLimit): string => `${l.nodeId}/${l.source}`;

/** Limits from outside the site file, by node and source. Several for one node: the smallest wins (fo 6.3, UC 2.7). */
export class LimitBook {
  readonly #clock: Clock;
  readonly #limits = new BoundedMap<string, SetLimit>({ name: 'hub.limits', max: 1000, overflow: 'refuse' });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What must be stored before the limit counts as taken; undefined when there is no room for more. */
  set(limit: SetLimit): StoreOp | undefined {
    const key = keyOf(limit);
    if (limit.lift === true) {
      this.#limits.delete(key);
      return { op: 'delete', kind: 'limit', key };
    }
    if (!this.#limits.set(key, limit)) return undefined;
    return { op: 'put', kind: 'limit', key, at: this.#clock.now(), body: limit };
  }

  restore(limit: SetLimit): void {
    if (!this.#lapsed(limit)) this.#limits.set(keyOf(limit), limit);
  }

  /** The narrowest of the node's own limits and everything set for it, W. */
  effective(
    nodeId: string,
    own: { readonly importLimitW: number; readonly exportLimitW: number },
  ): {
    importLimitW: number;
    exportLimitW: number;
    source?: string;
  } {
    let { importLimitW, exportLimitW } = own;
    let source: string | undefined;
    for (const l of this.#limits.values()) {
      if (l.nodeId !== nodeId || this.#lapsed(l)) continue;
      if (l.importLimitW !== undefined && l.importLimitW < importLimitW)
        [importLimitW, source] = [l.importLimitW, l.source];
      if (l.exportLimitW !== undefined && l.exportLimitW < exportLimitW)
        [exportLimitW, source] = [l.exportLimitW, l.source];
    }
    return { importLimitW, exportLimitW, ...(source === undefined ? {} : { source }) };
  }

  /** Forgets limits that ended; true when any did. */
  expire(): boolean {
    const gone = [...this.#limits.entries()].filter(([, l]) => this.#lapsed(l));
    for (const [key] of gone) this.#limits.delete(key);
    return gone.length > 0;
  }

  #lapsed(l: SetLimit): boolean {
    return l.validUntil !== undefined && parseTime(l.validUntil) <= this.#clock.now();
  }
}
