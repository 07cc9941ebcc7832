import { BoundedQueue } from '../../core/bounded.ts';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';
import type { PeerOf, Version } from '../../protocols/ocpp/index.ts';
import type { Emit, Outgoing } from './types.ts';

const MAX_WAITING = 2000;
/** Codes that say the connection went away: the message keeps its place and its attempts. */
const CONNECTION_LOST = ['ocpp.closed', 'ocpp.replaced'];

interface OutboxOptions {
  readonly clock: Clock;
  readonly emit: Emit;
  /** `TransactionMessageAttempts`, `TransactionMessageRetryInterval` and their 2.x counterparts (ocpp 1.3). */
  readonly retry: () => { readonly attempts: number; readonly intervalS: number };
}

/**
 * The station's messages in order, one at a time. Transaction messages outlive a lost connection and are repeated
 * after failures; the others are dropped then.
 */
export class Outbox<V extends Version> {
  readonly #o: OutboxOptions;
  readonly #queue: BoundedQueue<Outgoing<V>>;
  #peer: PeerOf<V> | undefined;
  #sending = false;
  #attempts = 0;
  #wait: TimerHandle | undefined;

  constructor(o: OutboxOptions) {
    this.#o = o;
    this.#queue = new BoundedQueue({
      name: 'simulator.outbox',
      max: MAX_WAITING,
      overflow: 'dropOldest',
      onDrop: (m) => o.emit('messageLost', { message: m.name, why: 'queue full' }),
    });
  }

  /** Transaction messages that wait, the one being sent included. */
  get waiting(): number {
    return [...this.#queue].filter((m) => m.keep).length;
  }

  get busy(): boolean {
    return this.#sending || (this.#peer !== undefined && this.#queue.size > 0 && this.#wait === undefined);
  }

  push(message: Outgoing<V>): void {
    if (!message.keep && !this.#peer) return;
    if (this.#queue.size >= MAX_WAITING) this.#dropOldestReading();
    this.#queue.push(message);
    void this.#pump();
  }

  /** The CSMS accepts messages from now on. */
  resume(peer: PeerOf<V>): void {
    this.#peer = peer;
    void this.#pump();
  }

  /** The connection is gone; what need not be kept is dropped. */
  pause(): void {
    this.#peer = undefined;
    this.#wait?.cancel();
    this.#wait = undefined;
    this.#queue.removeWhere((m) => !m.keep);
  }

  /** Forgets everything, as a station without memory does. */
  clear(): void {
    this.#queue.clear();
    this.#attempts = 0;
  }

  async #pump(): Promise<void> {
    if (this.#sending || this.#wait) return;
    this.#sending = true;
    try {
      for (let next = this.#queue.peek(); next && this.#peer && !this.#wait; next = this.#queue.peek()) {
        await this.#deliver(next, this.#peer);
      }
    } finally {
      this.#sending = false;
    }
    // A new connection may have come up while the old one's call was still ending.
    if (this.#peer && this.#queue.size > 0 && !this.#wait) void this.#pump();
  }

  async #deliver(message: Outgoing<V>, peer: PeerOf<V>): Promise<void> {
    try {
      await message.send(peer);
      this.#done(message);
    } catch (e) {
      this.#failed(message, peer, codeOf(e) ?? String(e));
    }
  }

  #done(message: Outgoing<V>): void {
    this.#attempts = 0;
    if (this.#queue.peek() === message) this.#queue.shift();
  }

  #failed(message: Outgoing<V>, peer: PeerOf<V>, code: string): void {
    if (message.keep && (CONNECTION_LOST.includes(code) || !peer.open)) {
      if (this.#peer === peer) this.pause();
      return;
    }
    this.#attempts++;
    const { attempts, intervalS } = this.#o.retry();
    this.#o.emit('messageFailed', { message: message.name, code, attempt: this.#attempts });
    if (!message.keep || this.#attempts >= attempts) {
      this.#done(message);
      return;
    }
    this.#wait = this.#o.clock.after(intervalS * this.#attempts * 1000, () => {
      this.#wait = undefined;
      void this.#pump();
    });
  }

  #dropOldestReading(): void {
    let found = false;
    this.#queue.removeWhere((m) => {
      const drop = !found && m.periodic === true;
      found ||= drop;
      return drop;
    });
  }
}
