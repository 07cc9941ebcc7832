import { BoundedMap, BoundedQueue, type BoundStats } from '../../../core/bounded.ts';
import type { TimerHandle } from '../../../core/clock.ts';
import type { ResultBody } from '../../../model/index.ts';
import { FO_LIMITS } from '../envelope.ts';
import { asksToRetry, FO_ERRORS, FO_LINK_ERRORS } from '../errors.ts';
import type { FoFrame } from '../types.ts';
import type { Context } from './context.ts';
import { backoffMs, FAST_RESULT_WAIT_MS, RESULT_WAIT_MS } from './retry.ts';
import type { Lane } from './sender.ts';

const MAX_WAITING = 256;

interface Pending {
  readonly messageId: string;
  readonly type: string;
  readonly body: unknown;
  readonly expiresAt: number;
  /** Setpoints: the service, whose newest setpoint alone counts. */
  readonly stream?: { readonly fsrId: string; readonly seq: number };
  readonly resolve: (result: ResultBody) => void;
  readonly reject: (e: unknown) => void;
  readonly expiry: TimerHandle;
  attempt: number;
  timer?: TimerHandle;
}

export interface RequestsPort {
  /** True while the link is up. */
  ready(): boolean;
  push(lane: Lane, frame: FoFrame): boolean;
  /** Requests that events hold of the common limit of 16. */
  eventsInFlight(): number;
  /** A place became free. */
  onFree(): void;
}

/** Requests that we sent: at most 16 at a time, repeated with the same messageId until a Result or the expiry (fo 4.2). */
export class OutgoingRequests {
  readonly #c: Context;
  readonly #port: RequestsPort;
  readonly #waiting = new BoundedQueue<Pending>({ name: 'fo.requestsWaiting', max: MAX_WAITING, overflow: 'refuse' });
  readonly #active = new BoundedMap<string, Pending>({
    name: 'fo.requestsActive',
    max: 2 * FO_LIMITS.inFlight,
    overflow: 'refuse',
  });
  #ordinary = 0;
  #closed = false;

  constructor(c: Context, port: RequestsPort) {
    this.#c = c;
    this.#port = port;
  }

  /** Requests in flight, setpoints not counted. */
  get inFlight(): number {
    return this.#ordinary;
  }

  send(o: Pick<Pending, 'type' | 'body' | 'expiresAt' | 'stream'>): Promise<ResultBody> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(FO_LINK_ERRORS.fail('fo.closed'));
      const messageId = this.#c.nextId();
      const left = Math.max(0, o.expiresAt - this.#c.clock.now());
      const expiry = this.#c.clock.after(left, () => this.#expire(messageId));
      const pending: Pending = { ...o, messageId, resolve, reject, expiry, attempt: 0 };
      if (pending.stream) return this.#sendFast(pending);
      if (!this.#waiting.push(pending)) {
        expiry.cancel();
        return reject(FO_ERRORS.fail('rate.tooOften', `${MAX_WAITING} requests wait already for answers of the peer.`));
      }
      this.pump();
    });
  }

  /** Setpoints wait for nobody; an older one of the same service is given up. */
  #sendFast(pending: Pending): void {
    for (const other of [...this.#active.values()]) {
      const superseded =
        other.stream?.fsrId === pending.stream?.fsrId && (other.stream?.seq ?? 0) < (pending.stream?.seq ?? 0);
      if (superseded) {
        this.#settle(other).reject(FO_ERRORS.fail('seq.stale', 'A newer setpoint of this service was sent.'));
      }
    }
    if ([...this.#active.values()].filter((p) => p.stream).length >= FO_LIMITS.inFlight) {
      pending.expiry.cancel();
      pending.reject(FO_ERRORS.fail('rate.tooOften', 'Setpoints of 16 services wait already for answers of the peer.'));
      return;
    }
    this.#active.set(pending.messageId, pending);
    if (this.#port.ready()) this.#transmit(pending);
  }

  /** Sends what may be sent. */
  pump(): void {
    while (this.#port.ready() && this.#ordinary + this.#port.eventsInFlight() < FO_LIMITS.inFlight) {
      const pending = this.#waiting.shift();
      if (!pending) return;
      this.#ordinary++;
      this.#active.set(pending.messageId, pending);
      this.#transmit(pending);
    }
  }

  /** The link came up: everything unanswered goes out again at once. */
  resume(): void {
    for (const pending of [...this.#active.values()]) this.#transmit(pending);
    this.pump();
  }

  /** The link went down: nothing is repeated until it is back; expiry goes on. */
  pause(): void {
    for (const pending of this.#active.values()) pending.timer?.cancel();
  }

  /** True when the Result belongs to one of these requests. */
  onResult(messageId: string, result: ResultBody): boolean {
    const pending = this.#active.get(messageId);
    if (!pending) return false;
    if (asksToRetry(result)) {
      const pauseMs = Math.max((result.retryAfterS ?? 0) * 1000, backoffMs(pending.attempt, this.#c.random));
      if (this.#c.clock.now() + pauseMs < pending.expiresAt) {
        this.#repeatIn(pending, pauseMs);
        return true;
      }
    }
    this.#settle(pending).resolve(result);
    return true;
  }

  close(): void {
    this.#closed = true;
    const all = [...this.#active.values(), ...this.#waiting];
    this.#waiting.clear();
    for (const pending of all) this.#settle(pending).reject(FO_LINK_ERRORS.fail('fo.closed'));
  }

  stats(): BoundStats[] {
    return [this.#waiting.stats(), this.#active.stats()];
  }

  #transmit(pending: Pending): void {
    const { messageId, type, body, expiresAt } = pending;
    this.#port.push(pending.stream ? 'fast' : 'normal', this.#c.frame({ messageId, type, body, expiresAt }));
    const waitMs = pending.stream ? FAST_RESULT_WAIT_MS : RESULT_WAIT_MS;
    this.#repeatIn(pending, (pending.attempt === 0 ? waitMs : 0) + backoffMs(pending.attempt, this.#c.random));
  }

  #repeatIn(pending: Pending, delayMs: number): void {
    pending.timer?.cancel();
    pending.timer = this.#c.clock.after(delayMs, () => {
      pending.attempt++;
      if (this.#port.ready()) this.#transmit(pending);
    });
  }

  #expire(messageId: string): void {
    const pending = this.#active.get(messageId) ?? this.#waiting.removeWhere((p) => p.messageId === messageId)[0];
    if (!pending) return;
    const what = `${pending.type} got no answer before it expired.`;
    this.#settle(pending).reject(FO_ERRORS.fail('time.expired', what, { remedy: 'Check the link and send it again.' }));
  }

  #settle(pending: Pending): Pending {
    pending.timer?.cancel();
    pending.expiry.cancel();
    if (this.#active.delete(pending.messageId) && !pending.stream) {
      this.#ordinary--;
      this.#port.onFree();
      this.pump();
    }
    return pending;
  }
}
