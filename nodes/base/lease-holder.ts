import type { TimerHandle } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import type { Leasable, Lease } from '../../core/lease.ts';
import type { GatewayRuntime } from '../../hub/ports.ts';

const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 30_000;

export interface LeaseHolderOptions<T extends Leasable> {
  readonly runtime: Pick<GatewayRuntime, 'clock' | 'leases'>;
  /** `<type>:<node id>`: the same for a node that a deploy re-created. */
  readonly leaseId: string;
  /** Of everything that has an effect: an equal one adopts the running resource. */
  readonly hash: string;
  readonly open: () => Promise<T>;
  readonly onReady: (resource: T) => void;
  /** Told about each failed attempt, with a coded error. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * A config node's hold on something that outlives deploys (design 2). A failed opening is tried again after 1, 2, 4 …
 * 30 s, unless its error says that repeating cannot help.
 */
export class LeaseHolder<T extends Leasable> {
  readonly #o: LeaseHolderOptions<T>;
  #lease: Lease<T> | undefined;
  #opening: Promise<void> | undefined;
  #retry: TimerHandle | undefined;
  #retryMs = RETRY_MIN_MS;
  #closed = false;

  constructor(options: LeaseHolderOptions<T>) {
    this.#o = options;
  }

  get resource(): T | undefined {
    return this.#lease?.resource;
  }

  /** Acquires the lease, once. */
  start(): void {
    if (this.#opening === undefined && this.#lease === undefined && !this.#closed) this.#opening = this.#acquire();
  }

  /** Waits for an opening in progress and gives the lease back. */
  async close(removed: boolean): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    await this.#opening;
    const lease = this.#lease;
    this.#lease = undefined;
    await lease?.release({ removed });
  }

  async #acquire(): Promise<void> {
    try {
      this.#lease = await this.#o.runtime.leases.acquire(this.#o.leaseId, this.#o.hash, this.#o.open);
      this.#retryMs = RETRY_MIN_MS;
      if (!this.#closed) this.#o.onReady(this.#lease.resource);
    } catch (e) {
      if (this.#closed) return;
      this.#o.onFailed(e);
      if (describeError(e).retry !== 'no') this.#tryLater();
    } finally {
      this.#opening = undefined;
    }
  }

  #tryLater(): void {
    this.#retry = this.#o.runtime.clock.after(this.#retryMs, () => this.start());
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
  }
}
