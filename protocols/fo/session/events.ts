import type { TimerHandle } from '../../../core/clock.ts';
import { codeOf, describeError } from '../../../core/errors.ts';
import { failPoint } from '../../../core/failpoint.ts';
import type { ResultBody } from '../../../model/index.ts';
import type { FoType } from '../catalogue.ts';
import { FO_LIMITS } from '../envelope.ts';
import { asksToRetry, FO_LINK_ERRORS } from '../errors.ts';
import type { FoFrame, FoOutbox, FoOutboxEntry, FoStamp } from '../types.ts';
import type { Context } from './context.ts';
import type { EventState } from './greeting.ts';
import { backoffMs, RESULT_WAIT_MS } from './retry.ts';
import type { Lane } from './sender.ts';

/** Events in flight: half of the 16 (fo 4.2), so that a long replay leaves room for requests. */
const WINDOW = FO_LIMITS.inFlight / 2;
/** Entries read from the outbox at a time. */
const PAGE = 64;

/** Refusals that end by themselves or by an operator's hand: the event stays in the outbox. */
const NOT_YET: readonly string[] = ['time.skew', 'state.invalid', 'auth.forbidden'];

export interface EventsPort {
  ready(): boolean;
  push(lane: Lane, frame: FoFrame): boolean;
  requestsInFlight(): number;
  onFree(): void;
  /** Entries are gone from the outbox: say Hello again, so that the peer learns of it. */
  announceGap(): void;
}

/**
 * G→F messages that must arrive once and in order (fo 4.2): stored, numbered, sent with at most 8 unacknowledged, and
 * sent again from the first unacknowledged one on (go-back-N) after a timeout, a temporary refusal or a reconnect.
 */
export class OutgoingEvents {
  readonly #c: Context;
  readonly #port: EventsPort;
  readonly #outbox: FoOutbox;
  /** Sent, no final Result yet: messageId → seq. */
  readonly #inFlight = new Map<string, number>(); // bounded by: WINDOW, in #fill
  /** Acknowledged out of order. */
  readonly #done = new Set<number>(); // bounded by: WINDOW, they were in flight
  /** Signed documents whose own `sentAt` the peer finds too old: no signature covers it, so the present time may take its place. */
  readonly #newlyDated = new Set<number>(); // bounded by: WINDOW, they are in flight
  #page: FoOutboxEntry[] = [];
  #last = 0;
  /** Everything up to here is acknowledged. */
  #acked = 0;
  /** Everything up to here was sent on this connection. */
  #cursor = 0;
  #attempt = 0;
  #timer: TimerHandle | undefined;
  #filling = false;
  #closed = false;
  /** The number that the last Hello named as the first to come. */
  #announced: number | undefined;
  #waitsForHello = false;
  #chain: Promise<unknown> = Promise.resolve();
  #opening: Promise<void> | undefined;

  constructor(c: Context, outbox: FoOutbox, port: EventsPort) {
    this.#c = c;
    this.#port = port;
    this.#outbox = outbox;
  }

  /** Asks the outbox for the last number, again after a failure. */
  #ensureOpen(): Promise<void> {
    this.#opening ??= this.#outbox.last().then(
      (last) => {
        this.#last = last;
      },
      (e: unknown) => {
        this.#opening = undefined;
        this.#warn('fo.outboxFailed', e);
        throw e;
      },
    );
    return this.#opening;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /**
   * For Hello: the last event stored, and the first after `peerLast` (default: what is acknowledged) that can still be
   * sent, if that can be read. Rejects when the outbox does not even tell its last number.
   */
  async state(peerLast?: number): Promise<EventState> {
    await this.#ensureOpen();
    try {
      const next = await this.#outbox.list(Math.min(peerLast ?? this.#acked, this.#last), 1);
      this.#announced = next[0]?.seq ?? this.#last + 1;
      return { last: this.#last, first: this.#announced };
    } catch (e) {
      this.#warn('fo.outboxFailed', e);
      this.#announced = undefined;
      return { last: this.#last };
    }
  }

  publish(type: FoType, body: unknown, stamp?: FoStamp): Promise<number> {
    const step = async (): Promise<number> => {
      await this.#ensureOpen();
      if (this.#closed) throw FO_LINK_ERRORS.fail('fo.closed');
      if (stamp && (await this.#outbox.has?.(stamp.messageId)) === true) return 0;
      const seq = this.#last + 1;
      const id = stamp === undefined ? { messageId: this.#c.nextId() } : stamp;
      await this.#outbox.append({ seq, type, body, at: this.#c.clock.now(), ...id });
      this.#last = seq;
      void this.pump();
      return seq;
    };
    const done = this.#chain.then(step);
    this.#chain = done.catch(() => undefined);
    return done;
  }

  /** The link is up; the peer has everything up to `peerLast`. Answers how many events follow. */
  resume(peerLast: number): number {
    if (peerLast > this.#last) {
      this.#c.log.warn('fo.peerAhead', { peerLast, last: this.#last });
    }
    this.#waitsForHello = false;
    this.#acked = Math.min(peerLast, this.#last);
    this.#forget(this.#acked);
    this.#restart();
    return this.#last - this.#acked;
  }

  pause(): void {
    this.#timer?.cancel();
    this.#inFlight.clear();
    this.#page = [];
  }

  close(): void {
    this.#closed = true;
    this.pause();
  }

  /** True when the Result belongs to one of these events. */
  onResult(messageId: string, result: ResultBody): boolean {
    const seq = this.#inFlight.get(messageId);
    if (seq === undefined) return false;
    if (result.code === 'time.skew') this.#newlyDated.add(seq);
    if (asksToRetry(result) || NOT_YET.includes(result.code ?? '')) {
      this.#goBackIn(Math.max((result.retryAfterS ?? 0) * 1000, backoffMs(this.#attempt, this.#c.random)));
      return true;
    }
    if (result.status === 'error' || result.status === 'rejected') {
      this.#c.log.warn('fo.eventRefused', { eventSeq: seq, status: result.status, code: result.code });
    }
    this.#inFlight.delete(messageId);
    this.#done.add(seq);
    this.#advance();
    return true;
  }

  /** A heartbeat of the peer: everything up to `seq` was handled, whether or not its Result got through. */
  ackTo(seq: number): void {
    if (seq <= this.#acked || seq > this.#cursor) return;
    for (const [messageId, sent] of this.#inFlight) {
      if (sent > seq) continue;
      this.#inFlight.delete(messageId);
      this.#done.add(sent);
    }
    this.#advance();
  }

  #advance(): void {
    const before = this.#acked;
    while (this.#done.delete(this.#acked + 1)) this.#acked++;
    if (this.#acked > before) {
      this.#attempt = 0;
      this.#forget(this.#acked);
      this.#arm();
    }
    this.#port.onFree();
    void this.pump();
  }

  #forget(seq: number): void {
    for (const dated of this.#newlyDated) if (dated <= seq) this.#newlyDated.delete(dated);
    this.#outbox.ack(seq).catch((e: unknown) => this.#warn('fo.outboxFailed', e));
  }

  #restart(): void {
    this.#timer?.cancel();
    this.#inFlight.clear();
    this.#done.clear();
    this.#page = [];
    this.#cursor = this.#acked;
    this.#attempt = 0;
    void this.pump();
  }

  #arm(): void {
    this.#timer?.cancel();
    if (this.#inFlight.size === 0) return;
    const pause = backoffMs(this.#attempt, this.#c.random);
    this.#goBackIn(this.#attempt === 0 ? RESULT_WAIT_MS + pause : pause);
  }

  /** Sends everything again that is not acknowledged, in order. */
  #goBackIn(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#c.clock.after(delayMs, () => {
      this.#attempt++;
      this.#inFlight.clear();
      this.#page = [];
      this.#cursor = this.#acked;
      void this.pump();
    });
  }

  /** Sends what the window allows. Never rejects. */
  async pump(): Promise<void> {
    if (this.#filling) return;
    this.#filling = true;
    try {
      await this.#fill();
    } catch (e) {
      this.#warn('fo.outboxFailed', e);
      if (this.#port.ready()) this.#goBackIn(backoffMs(this.#attempt, this.#c.random));
    } finally {
      this.#filling = false;
    }
  }

  async #fill(): Promise<void> {
    while (this.#maySend()) {
      const entry = this.#page.shift();
      if (entry === undefined) {
        const after = this.#cursor;
        const page = await this.#outbox.list(after, PAGE);
        // Meanwhile a reconnect may have moved the cursor: then this page is from another place.
        if (after !== this.#cursor) continue;
        if (page.length === 0) {
          if (!this.#cross(this.#last + 1)) return;
          continue;
        }
        this.#page = [...page];
        continue;
      }
      if (entry.seq > this.#cursor + 1 && !this.#cross(entry.seq)) {
        this.#page.unshift(entry);
        return;
      }
      this.#cursor = entry.seq;
      if (this.#done.has(entry.seq)) continue;
      this.#inFlight.set(entry.messageId, entry.seq);
      const { seq: eventSeq, at: _, sentAt, ...rest } = entry;
      const stamped = this.#newlyDated.has(eventSeq) ? {} : { sentAt };
      this.#port.push('normal', this.#c.frame({ ...rest, ...stamped, eventSeq }));
      failPoint('event.sent');
      if (this.#inFlight.size === 1) this.#arm();
    }
  }

  /** Goes on at `next` though entries before it are gone: once what came before is acknowledged and the peer told. */
  #cross(next: number): boolean {
    if (this.#inFlight.size + this.#done.size > 0) return false;
    if (next !== this.#announced) {
      this.#waitsForHello = true;
      this.#port.announceGap();
      return false;
    }
    this.#c.log.info('fo.eventsGone', { from: this.#cursor + 1, to: next - 1 });
    this.#acked = this.#cursor = next - 1;
    return true;
  }

  #maySend(): boolean {
    const room = Math.min(WINDOW, FO_LIMITS.inFlight - this.#port.requestsInFlight());
    return (
      !this.#closed &&
      !this.#waitsForHello &&
      this.#port.ready() &&
      this.#inFlight.size + this.#done.size < room &&
      this.#cursor < this.#last
    );
  }

  #warn(event: string, e: unknown): void {
    this.#c.log.error(event, { code: codeOf(e), what: describeError(e).what });
  }
}
