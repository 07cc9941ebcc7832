import { BoundedMap, BoundedQueue } from '../../../core/bounded.ts';
import { FO_LINK_ERRORS } from '../errors.ts';
import type { FoOutbox, FoOutboxEntry, FoResultStore, FoStoredResult } from '../types.ts';

/** How long a Result is kept for repetitions (fo 4.2). */
export const RESULT_KEEP_MS = 24 * 3600 * 1000;

/** An outbox that forgets when the process ends. It refuses (`fo.full`) rather than leave a gap. */
export function memoryOutbox(max = 10_000): FoOutbox {
  const entries = new BoundedQueue<FoOutboxEntry>({ name: 'fo.outbox', max, overflow: 'refuse' });
  let last = 0;
  return {
    last: () => Promise.resolve(last),
    append(entry) {
      if (!entries.push(entry))
        return Promise.reject(FO_LINK_ERRORS.fail('fo.full', `${max} events wait to be acknowledged.`));
      last = entry.seq;
      return Promise.resolve();
    },
    list(afterSeq, limit) {
      const out: FoOutboxEntry[] = [];
      for (const entry of entries) {
        if (out.length >= limit) break;
        if (entry.seq > afterSeq) out.push(entry);
      }
      return Promise.resolve(out);
    },
    ack(seq) {
      for (let head = entries.peek(); head !== undefined && head.seq <= seq; head = entries.peek()) entries.shift();
      return Promise.resolve();
    },
  };
}

/** Results of the newest messages, in front of a durable store if there is one. */
export class ResultCache {
  readonly #map: BoundedMap<string, FoStoredResult>;
  readonly #store: FoResultStore | undefined;

  constructor(store: FoResultStore | undefined, max = 4096) {
    this.#map = new BoundedMap({ name: 'fo.results', max, overflow: 'dropOldest' });
    this.#store = store;
  }

  /** From memory; what is older than 24 h does not count. */
  recent(key: string, now: number): FoStoredResult | undefined {
    const entry = this.#map.get(key);
    return entry && now - entry.at < RESULT_KEEP_MS ? entry : undefined;
  }

  async find(key: string, now: number): Promise<FoStoredResult | undefined> {
    const recent = this.recent(key, now);
    if (recent || !this.#store) return recent;
    const stored = await this.#store.get(key);
    return stored && now - stored.at < RESULT_KEEP_MS ? stored : undefined;
  }

  remember(key: string, entry: FoStoredResult): void {
    this.#map.set(key, entry);
  }

  async persist(key: string, entry: FoStoredResult): Promise<void> {
    await this.#store?.put(key, entry);
  }

  stats() {
    return this.#map.stats();
  }
}
