import { parseTime, type TimerHandle } from '../../../core/clock.ts';
import { codeOf, describeError } from '../../../core/errors.ts';
import type { ResultBody } from '../../../model/index.ts';
import type { Envelope } from '../envelope.ts';
import { FO_CLOSE, type FoDown, type FoFrame, type FoHandlers } from '../types.ts';
import type { Context } from './context.ts';
import type { OutgoingEvents } from './events.ts';
import {
  type Agreement,
  acceptHello,
  type EventState,
  helloAnswer,
  helloOf,
  readHelloAnswer,
  type Wishes,
} from './greeting.ts';
import type { EventInbox } from './inbox.ts';
import type { Lane } from './sender.ts';

/** How long a connection may go without Hello, or without its answer. */
export const HELLO_WITHIN_MS = 10_000;

export interface HelloPort {
  readonly handlers: FoHandlers;
  readonly events: OutgoingEvents;
  readonly inbox: EventInbox;
  push(lane: Lane, frame: FoFrame): boolean;
  reply(correlationId: string, body: ResultBody): void;
  drop(code: number, text: string, reason: FoDown): void;
  /** Both sides agree, for the first time on this connection or anew. `missedEvents`: as `fo`, those that follow. */
  onAgreed(agreed: Agreement, clockOffsetMs: number, missedEvents: number): void;
}

/** The greeting of a connection (fo 4.3 no. 1, 9.2): the opener says Hello, either side may say it again later. */
export class HelloExchange {
  readonly #c: Context;
  readonly #wishes: Wishes;
  readonly #port: HelloPort;
  /** Changes with each connection: what was begun on an earlier one is dropped. */
  #connection = 0;
  #helloId: string | undefined;
  #timer: TimerHandle | undefined;
  #busy = false;

  constructor(c: Context, wishes: Wishes, port: HelloPort) {
    this.#c = c;
    this.#wishes = wishes;
    this.#port = port;
  }

  /** True while the outbox is read for our answer: the peer did nothing wrong when it goes on already. */
  get busy(): boolean {
    return this.#busy;
  }

  /** A connection begins. */
  begin(as: 'opener' | 'listener'): void {
    this.#timer = this.#c.clock.after(HELLO_WITHIN_MS, () =>
      this.#port.drop(FO_CLOSE.profile, 'no Hello', 'helloMissing'),
    );
    if (as === 'opener') this.say();
  }

  /** The connection is gone. */
  end(): void {
    this.#connection++;
    this.#helloId = undefined;
    this.#busy = false;
    this.#timer?.cancel();
  }

  say(): void {
    this.#withEvents(undefined, (events) => {
      this.#helloId = this.#c.nextId();
      const body = helloOf(this.#wishes, events);
      this.#port.push('normal', this.#c.frame({ messageId: this.#helloId, type: 'Hello', body }));
    });
  }

  /** Hello of the peer. Throws what {@link acceptHello} does. */
  receive(envelope: Envelope, clockOffsetMs: number): void {
    const agreed = acceptHello(this.#wishes, envelope.body);
    this.#withEvents(agreed.peerLastEventSeq, (events) => {
      const missed = this.#resumeInbox(agreed);
      const ours = this.#c.role === 'fo' ? { last: this.#port.inbox.acked } : events;
      this.#port.reply(envelope.messageId, { status: 'ok', data: { ...helloAnswer(this.#wishes, agreed, ours) } });
      this.#agree(agreed, clockOffsetMs, missed);
    });
  }

  /** True when the Result was that of our Hello. */
  onResult(envelope: Envelope, result: ResultBody): boolean {
    if (envelope.correlationId === undefined || envelope.correlationId !== this.#helloId) return false;
    this.#helloId = undefined;
    if (result.status !== 'ok') {
      this.#c.log.warn('fo.helloRefused', { code: result.code, what: result.message });
      this.#port.drop(FO_CLOSE.profile, 'Hello was refused', 'refused');
      return true;
    }
    try {
      const agreed = readHelloAnswer(this.#wishes, result.data);
      this.#agree(agreed, parseTime(envelope.sentAt) - this.#c.clock.now(), this.#resumeInbox(agreed));
    } catch (e) {
      this.#c.log.warn('fo.helloRefused', { code: codeOf(e), what: describeError(e).what });
      this.#port.drop(FO_CLOSE.profile, 'the answer to Hello is invalid', 'refused');
    }
    return true;
  }

  #agree(agreed: Agreement, clockOffsetMs: number, missedEvents: number): void {
    this.#timer?.cancel();
    this.#port.onAgreed(agreed, clockOffsetMs, missedEvents);
  }

  /** Where our events stand. */
  #withEvents(peerLast: number | undefined, then: (events: EventState) => void): void {
    if (this.#c.role === 'fo') {
      then({ last: this.#port.inbox.acked });
      return;
    }
    const connection = this.#connection;
    this.#busy = true;
    const here = (fn: () => void): void => {
      if (connection !== this.#connection) return;
      this.#busy = false;
      fn();
    };
    this.#port.events.state(peerLast).then(
      (events) => here(() => then(events)),
      () => here(() => this.#port.drop(FO_CLOSE.internal, 'internal', 'closed')),
    );
  }

  /** As `fo`: takes over where the gateway stands. Answers how many events follow. */
  #resumeInbox({ peerLastEventSeq, peerFirstEventSeq }: Agreement): number {
    if (this.#c.role !== 'fo') return 0;
    const { inbox, handlers } = this.#port;
    const { restarted, gap } = inbox.resume(peerLastEventSeq, peerFirstEventSeq);
    if (restarted) this.#c.log.warn('fo.eventsRestarted', { last: peerLastEventSeq });
    if (gap) {
      this.#c.log.warn('fo.eventGap', { from: gap.from, to: gap.to });
      this.#c.guard('onGap', () => handlers.onGap?.(this.#c.peer, gap));
    }
    return Math.max(0, peerLastEventSeq - inbox.acked);
  }
}
