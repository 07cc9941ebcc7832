import { BoundedMap, type BoundStats } from './bounded.ts';
import type { Clock, TimerHandle } from './clock.ts';
import { describeError, errorTable } from './errors.ts';
import type { Log } from './log.ts';

/** What can be leased: something with sockets that must outlive a deploy (design 2). */
export interface Leasable {
  close(): Promise<void>;
}

export interface Lease<T> {
  readonly resource: T;
  /** Whether a running resource was taken over instead of opened. */
  readonly adopted: boolean;
  /**
   * Gives the lease back. `removed: true` closes the resource and resolves when it is closed; `removed: false` keeps it
   * running for `holdMs` so that the re-created owner can adopt it. Does nothing when the lease was passed on or given back.
   */
  release(o: { readonly removed: boolean }): Promise<void>;
}

export const LEASE_ERRORS = errorTable('lease', {
  'lease.full': {
    what: 'No more links can run in this gateway.',
    remedy: 'Remove links that are not used, or raise the limit.',
    retry: 'afterFix',
  },
});

export interface LeaseOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** How long a released resource waits for its owner to come back; default 10 000 ms. */
  readonly holdMs?: number;
  /** Most resources at once; default 256. */
  readonly max?: number;
  /** How long a resource may take to close before the registry goes on without it; default 5 000 ms. */
  readonly closeMs?: number;
}

export interface LeaseStats extends BoundStats {
  /** Resources that wait for their owner. */
  readonly held: number;
}

interface Running {
  readonly hash: string;
  readonly resource: Leasable;
}

interface Slot {
  running: Running | undefined;
  /** Counts the leases given out; an older lease has no say any more. */
  generation: number;
  hold: TimerHandle | undefined;
  /** Acquires and closes of one id run one after the other. */
  tail: Promise<void>;
  waiting: number;
}

/** Keeps links running across deploys: leased by the id of the owner and a hash of its configuration. */
export class LeaseRegistry {
  readonly #o: LeaseOptions;
  readonly #slots: BoundedMap<string, Slot>;

  constructor(o: LeaseOptions) {
    this.#o = o;
    this.#slots = new BoundedMap({ name: 'leases', max: o.max ?? 256, overflow: 'refuse' });
  }

  /**
   * Adopts the running resource of `id` when its hash is the same; else closes it first and then calls `open`.
   * The newest acquire owns the resource. Rejects with what `open` threw (nothing is left behind) or with `lease.full`.
   */
  async acquire<T extends Leasable>(id: string, hash: string, open: () => Promise<T>): Promise<Lease<T>> {
    const slot = this.#slots.get(id) ?? this.#newSlot(id);
    const generation = ++slot.generation;
    slot.hold?.cancel();
    slot.hold = undefined;
    return this.#inTurn(id, slot, async () => {
      const old = slot.running;
      // Same id and hash mean the same kind of owner, hence the same T.
      if (old && old.hash === hash) return this.#lease(id, slot, generation, old.resource as T, true);
      await this.#close(id, slot);
      const resource = await open();
      slot.running = { hash, resource };
      return this.#lease(id, slot, generation, resource, false);
    });
  }

  /** Closes everything, also what is being opened now. Never rejects. */
  async closeAll(): Promise<void> {
    const all = [...this.#slots].map(([id, slot]) => {
      slot.generation++;
      slot.hold?.cancel();
      slot.hold = undefined;
      return this.#inTurn(id, slot, () => this.#close(id, slot));
    });
    await Promise.all(all);
  }

  stats(): LeaseStats {
    const slots = [...this.#slots.values()];
    return {
      ...this.#slots.stats(),
      size: slots.filter((s) => s.running !== undefined).length,
      held: slots.filter((s) => s.hold !== undefined).length,
    };
  }

  #newSlot(id: string): Slot {
    const slot: Slot = { running: undefined, generation: 0, hold: undefined, tail: Promise.resolve(), waiting: 0 };
    if (!this.#slots.set(id, slot)) throw LEASE_ERRORS.fail('lease.full');
    return slot;
  }

  #lease<T>(id: string, slot: Slot, generation: number, resource: T, adopted: boolean): Lease<T> {
    return {
      resource,
      adopted,
      release: async ({ removed }) => {
        if (slot.generation !== generation) return;
        if (removed) {
          slot.generation++;
          await this.#inTurn(id, slot, () => this.#close(id, slot));
          return;
        }
        if (slot.hold) return;
        slot.hold = this.#o.clock.after(this.#o.holdMs ?? 10_000, () => this.#expire(id, slot, generation));
      },
    };
  }

  #expire(id: string, slot: Slot, generation: number): void {
    slot.hold = undefined;
    if (slot.generation !== generation) return;
    slot.generation++;
    this.#o.log.info('lease.expired', { id });
    void this.#inTurn(id, slot, () => this.#close(id, slot));
  }

  /** Runs `work` after all earlier work of the id, and forgets the id when nothing runs or waits any more. */
  async #inTurn<R>(id: string, slot: Slot, work: () => Promise<R>): Promise<R> {
    slot.waiting++;
    const mine = slot.tail.then(work);
    slot.tail = mine.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await mine;
    } finally {
      slot.waiting--;
      if (slot.waiting === 0 && !slot.running && this.#slots.get(id) === slot) this.#slots.delete(id);
    }
  }

  async #close(id: string, slot: Slot): Promise<void> {
    const { running } = slot;
    if (!running) return;
    slot.running = undefined;
    let timer: TimerHandle | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = this.#o.clock.after(this.#o.closeMs ?? 5000, () => resolve('late'));
    });
    try {
      const end = await Promise.race([running.resource.close(), late]);
      if (end === 'late') this.#o.log.warn('lease.closeLate', { id });
    } catch (e) {
      this.#o.log.warn('lease.closeFailed', { id, ...describeError(e) });
    } finally {
      timer?.cancel();
    }
  }
}
