import { INTERNAL_ERRORS } from './errors.ts';

/** What a bounded thing tells the metrics. */
export interface BoundStats {
  /** Metric label, e.g. `ocpp.calls`. */
  readonly name: string;
  readonly size: number;
  readonly max: number;
  /** Items lost or refused since the start. */
  readonly dropped: number;
}

export interface QueueOptions<T> {
  readonly name: string;
  readonly max: number;
  readonly overflow: 'dropOldest' | 'dropNewest' | 'refuse';
  /** Told about each item that is dropped or refused; what it throws is swallowed. */
  readonly onDrop?: (x: T) => void;
}

/** First-in-first-out queue with a bound; all but `removeWhere` in O(1) amortised. */
export class BoundedQueue<T> implements Iterable<T> {
  readonly #o: QueueOptions<T>;
  #items: (T | undefined)[] = [];
  #head = 0;
  #dropped = 0;

  constructor(o: QueueOptions<T>) {
    checkMax(o.name, o.max);
    this.#o = o;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** False when `x` was not taken (`refuse`, `dropNewest`). */
  push(x: T): boolean {
    if (this.size >= this.#o.max) {
      this.#dropped++;
      if (this.#o.overflow !== 'dropOldest') {
        tell(this.#o.onDrop, x);
        return false;
      }
      const oldest = this.#take();
      this.#items.push(x);
      tell(this.#o.onDrop, oldest);
      return true;
    }
    this.#items.push(x);
    return true;
  }

  shift(): T | undefined {
    return this.size === 0 ? undefined : this.#take();
  }

  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Takes all items out that match, in order; they do not count as dropped. O(size). */
  removeWhere(p: (x: T) => boolean): T[] {
    const removed: T[] = [];
    const kept: T[] = [];
    for (const x of this) (p(x) ? removed : kept).push(x);
    this.#items = kept;
    this.#head = 0;
    return removed;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }

  stats(): BoundStats {
    return { name: this.#o.name, size: this.size, max: this.#o.max, dropped: this.#dropped };
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (const x of this.#items.slice(this.#head)) yield x as T;
  }

  /** Only called when size > 0. */
  #take(): T {
    const x = this.#items[this.#head] as T;
    this.#items[this.#head++] = undefined;
    if (this.#head >= 32 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return x;
  }
}

export interface MapOptions<K, V> {
  readonly name: string;
  readonly max: number;
  /** `dropOldest` evicts the least recently set key; `refuse` refuses new keys. */
  readonly overflow: 'dropOldest' | 'refuse';
  /** Told about each entry that is evicted or refused; what it throws is swallowed. */
  readonly onDrop?: (entry: readonly [K, V]) => void;
}

/** Map with a bound. Iterates in the order of the last `set`. */
export class BoundedMap<K, V> implements Iterable<[K, V]> {
  readonly #o: MapOptions<K, V>;
  readonly #map = new Map<K, V>(); // bounded by: max, in set()
  #dropped = 0;
  /** Stands at the oldest key: a fresh iterator would have to skip the holes that evictions leave at the front. */
  #oldest: IterableIterator<K> | undefined;
  #sinceOldest = 0;

  constructor(o: MapOptions<K, V>) {
    checkMax(o.name, o.max);
    this.#o = o;
  }

  get size(): number {
    return this.#map.size;
  }

  /** False when a new key was refused. Setting a known key makes it the newest. */
  set(key: K, value: V): boolean {
    this.#touch();
    if (this.#map.delete(key) || this.#map.size < this.#o.max) {
      this.#map.set(key, value);
      return true;
    }
    this.#dropped++;
    if (this.#o.overflow === 'refuse') {
      tell(this.#o.onDrop, [key, value] as const);
      return false;
    }
    const evicted = this.#evict();
    this.#map.set(key, value);
    if (evicted) tell(this.#o.onDrop, evicted);
    return true;
  }

  get(key: K): V | undefined {
    return this.#map.get(key);
  }

  has(key: K): boolean {
    return this.#map.has(key);
  }

  delete(key: K): boolean {
    this.#touch();
    return this.#map.delete(key);
  }

  clear(): void {
    this.#map.clear();
    this.#oldest = undefined;
  }

  keys(): IterableIterator<K> {
    return this.#map.keys();
  }

  values(): IterableIterator<V> {
    return this.#map.values();
  }

  entries(): IterableIterator<[K, V]> {
    return this.#map.entries();
  }

  stats(): BoundStats {
    return { name: this.#o.name, size: this.size, max: this.#o.max, dropped: this.#dropped };
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.#map.entries();
  }

  #evict(): readonly [K, V] | undefined {
    this.#oldest ??= this.#map.keys();
    const next = this.#oldest.next();
    if (next.done) {
      this.#oldest = undefined;
      return undefined;
    }
    const value = this.#map.get(next.value) as V;
    this.#map.delete(next.value);
    return [next.value, value];
  }

  /** A kept iterator holds on to outgrown hash tables, so it is renewed now and then: amortised O(1), no leak. */
  #touch(): void {
    if (++this.#sinceOldest <= this.#o.max + 64) return;
    this.#sinceOldest = 0;
    this.#oldest = undefined;
  }
}

export interface SetOptions<T> {
  readonly name: string;
  readonly max: number;
  readonly overflow: 'dropOldest' | 'refuse';
  readonly onDrop?: (x: T) => void;
}

/** Set with a bound; adding a known value makes it the newest. */
export class BoundedSet<T> implements Iterable<T> {
  readonly #map: BoundedMap<T, true>;

  constructor(o: SetOptions<T>) {
    const { onDrop, ...rest } = o;
    this.#map = new BoundedMap(onDrop ? { ...rest, onDrop: ([x]) => onDrop(x) } : rest);
  }

  get size(): number {
    return this.#map.size;
  }

  /** False when a new value was refused. */
  add(x: T): boolean {
    return this.#map.set(x, true);
  }

  has(x: T): boolean {
    return this.#map.has(x);
  }

  delete(x: T): boolean {
    return this.#map.delete(x);
  }

  clear(): void {
    this.#map.clear();
  }

  keys(): IterableIterator<T> {
    return this.#map.keys();
  }

  values(): IterableIterator<T> {
    return this.#map.keys();
  }

  stats(): BoundStats {
    return this.#map.stats();
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#map.keys();
  }
}

function checkMax(name: string, max: number): void {
  if (Number.isSafeInteger(max) && max >= 1) return;
  throw INTERNAL_ERRORS.fail(
    'internal.permanent',
    `The bound of ${name} must be a whole number of at least 1, got ${max}.`,
  );
}

function tell<X>(onDrop: ((x: X) => void) | undefined, x: X): void {
  try {
    onDrop?.(x);
  } catch {
    // The owner's bookkeeping must not break the queue.
  }
}
