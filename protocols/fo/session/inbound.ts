import { BoundedMap, BoundedQueue, type BoundStats } from '../../../core/bounded.ts';
import { parseTime } from '../../../core/clock.ts';
import { codeOf, describeError } from '../../../core/errors.ts';
import { failPoint } from '../../../core/failpoint.ts';
import type { ResultBody } from '../../../model/index.ts';
import { ResultBody as ResultMessage } from '../../../model/index.ts';
import { FO_CATALOGUE, isFoType } from '../catalogue.ts';
import { hashLater } from '../codec.ts';
import { type Envelope, FO_LIMITS } from '../envelope.ts';
import { asksToRetry, FO_ERRORS, resultOf } from '../errors.ts';
import type { FoFrame, FoHandlers, FoInbound, FoMeta } from '../types.ts';
import type { Context } from './context.ts';
import type { EventInbox } from './inbox.ts';
import type { ResultCache } from './memory.ts';
import { checkDirection, isStream } from './outgoing.ts';
import type { Rates } from './rates.ts';
import { early, type Item, metaOf, type Open, typed } from './received.ts';
import { checkTimes, OrderGuard, type TypedBody } from './rules.ts';
import type { Lane } from './sender.ts';
import type { SignatureCheck } from './signatures.ts';

/** After this the session answers "try again" for an application that does not (design 2.1). */
export const ANSWER_WITHIN_MS = 1_500;

export interface InboundPort {
  push(lane: Lane, frame: FoFrame): boolean;
  readonly handlers: FoHandlers;
  readonly results: ResultCache;
  readonly inbox: EventInbox;
  readonly signatures: SignatureCheck;
  readonly rates: Rates;
  onRefused(code: string): void;
}

/** Messages of the peer: checked, recognised when repeated, handed over once, answered exactly once (fo 4.1, 4.2). */
export class Inbound {
  readonly #c: Context;
  readonly #port: InboundPort;
  readonly #order = new OrderGuard();
  readonly #open = new BoundedMap<string, Open>({
    name: 'fo.owedResults',
    max: 2 * FO_LIMITS.inFlight,
    overflow: 'refuse',
  });
  /** Waits for the look into the durable store, in order. */
  readonly #queue = new BoundedQueue<Item>({ name: 'fo.received', max: FO_LIMITS.inFlight, overflow: 'refuse' });
  #draining = false;
  #closed = false;

  constructor(c: Context, port: InboundPort) {
    this.#c = c;
    this.#port = port;
  }

  /** One envelope of the catalogue from the authenticated peer. Never throws. */
  receive(envelope: Envelope): void {
    const receivedAt = this.#c.clock.now();
    try {
      const { type } = envelope;
      if (!isFoType(type)) throw FO_ERRORS.fail('type.unknown', `The message type ${type} is not spoken here.`);
      checkDirection(type, this.#c.role === 'fo' ? 'fcsbe' : 'fo');
      const retryAfterS = this.#port.rates.take(type);
      if (retryAfterS > 0) {
        this.#throttle(envelope, retryAfterS);
        return;
      }
      this.#port.signatures.check(envelope);
      const message = typed(type, envelope.body);
      if (isStream(message)) {
        this.#stream(envelope, message, receivedAt);
        return;
      }
      const item: Item = { envelope, message, hash: hashLater(envelope.body), receivedAt };
      if (this.#recognise(item, this.#port.results.recent(this.#key(envelope), receivedAt))) return;
      if (type === 'UpdateSetpoint') {
        this.#accept(item);
        return;
      }
      if (this.#ordinaryOpen() + this.#queue.size >= FO_LIMITS.inFlight) {
        this.#throttle(envelope);
        return;
      }
      this.#queue.push(item);
      void this.#drain();
    } catch (e) {
      this.#refuse(envelope, e);
    }
  }

  answer(replyTo: string, result: ResultBody): boolean {
    const prefix = `${this.#c.peer}/`;
    const messageId = replyTo.startsWith(prefix) ? replyTo.slice(prefix.length) : '';
    const open = this.#open.get(messageId);
    if (!open) {
      this.#c.log.warn('fo.lateAnswer', { replyTo, status: result.status, code: result.code });
      return false;
    }
    const issues = ResultMessage.check(result);
    if (issues.length > 0) this.#c.log.error('fo.badAnswer', { type: open.message.type, issues: issues.slice(0, 3) });
    this.#settle(open, issues.length === 0 ? result : resultOf(FO_ERRORS.fail('internal.permanent')));
    return true;
  }

  close(): void {
    this.#closed = true;
    for (const open of this.#open.values()) open.timer?.cancel();
    this.#open.clear();
    this.#queue.clear();
  }

  stats(): BoundStats[] {
    return [this.#open.stats(), this.#queue.stats(), this.#port.results.stats(), ...this.#order.stats()];
  }

  #stream(envelope: Envelope, message: TypedBody, receivedAt: number): void {
    try {
      this.#checkRules(envelope, message, receivedAt);
    } catch (e) {
      this.#c.log.debug('fo.streamDropped', { type: message.type, code: codeOf(e) });
      this.#port.onRefused(codeOf(e) ?? 'internal.permanent');
      return;
    }
    this.#deliver(message, metaOf(this.#c.peer, envelope, receivedAt));
  }

  /** True when it is a repetition, or reuses an id for something else: then it is dealt with. */
  #recognise(item: Item, stored: { readonly hash: string; readonly result: ResultBody } | undefined): boolean {
    const open = this.#open.get(item.envelope.messageId);
    const hash = open?.hash() ?? stored?.hash;
    if (hash === undefined) return false;
    if (hash !== item.hash()) throw FO_ERRORS.fail('id.conflict');
    if (!open && stored) this.#reply(item.envelope.messageId, stored.result);
    return true;
  }

  async #drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    for (let item = this.#queue.peek(); item !== undefined && !this.#closed; item = this.#queue.peek()) {
      try {
        const stored = await this.#port.results.find(this.#key(item.envelope), item.receivedAt);
        if (this.#closed) break;
        if (!this.#recognise(item, stored)) this.#accept(item);
      } catch (e) {
        this.#refuse(item.envelope, codeOf(e) === 'id.conflict' ? e : asTemporary(this.#c, e));
      }
      this.#queue.shift();
    }
    this.#draining = false;
  }

  /** A new message: rules, then the application. */
  #accept(item: Item): void {
    const { envelope, message, receivedAt } = item;
    const fast = message.type === 'UpdateSetpoint';
    const open: Open = { envelope, message, hash: item.hash, fast };
    try {
      if (fast && this.#open.size - this.#ordinaryOpen() >= FO_LIMITS.inFlight) {
        this.#throttle(envelope);
        return;
      }
      if (!this.#inOrder(open)) return;
      this.#checkRules(envelope, message, receivedAt);
    } catch (e) {
      this.#port.onRefused(codeOf(e) ?? 'internal.permanent');
      this.#settle(open, resultOf(e));
      return;
    }
    this.#open.set(envelope.messageId, open);
    open.timer = this.#c.clock.after(ANSWER_WITHIN_MS, () => {
      this.#c.log.warn('reply.missing', { type: message.type, messageId: envelope.messageId });
      this.#settle(open, resultOf(FO_ERRORS.fail('internal.temporary', 'Nobody answered in time.')));
    });
    const replyTo = this.#key(envelope);
    const { thrown } = this.#deliver(message, { ...metaOf(this.#c.peer, envelope, receivedAt), replyTo });
    if (thrown !== undefined && this.#open.has(envelope.messageId)) this.#settle(open, resultOf(thrown));
  }

  /** As `fo`: events in the order of their number. False when it was answered already. */
  #inOrder(open: Open): boolean {
    const { eventSeq, messageId } = open.envelope;
    if (this.#c.role !== 'fo') return true;
    if (eventSeq === undefined) {
      if (FO_CATALOGUE[open.message.type].kind !== 'event') return true;
      throw FO_ERRORS.fail('schema.semantic', 'Events carry eventSeq.', { path: '/eventSeq' });
    }
    const judged = this.#port.inbox.judge(eventSeq);
    if (judged.verdict === 'known') this.#reply(messageId, { status: 'ok' });
    if (judged.verdict === 'early') this.#reply(messageId, resultOf(early()));
    if (judged.verdict === 'deliver' && judged.gap) {
      const { gap } = judged;
      this.#c.log.warn('fo.eventGap', { from: gap.from, to: gap.to });
      this.#c.guard('onGap', () => this.#port.handlers.onGap?.(this.#c.peer, gap));
    }
    return judged.verdict === 'deliver';
  }

  #checkRules(envelope: Envelope, message: TypedBody, now: number): void {
    const expiresAt = envelope.expiresAt === undefined ? undefined : parseTime(envelope.expiresAt);
    if (expiresAt !== undefined && expiresAt <= now) throw FO_ERRORS.fail('time.expired');
    checkTimes(message, now);
    this.#order.check(message, envelope.messageId);
  }

  #deliver(message: TypedBody, meta: FoMeta): { readonly thrown?: unknown } {
    // The pair of type and body was made by typed(); the spread keeps it together.
    const inbound = { ...meta, ...message } satisfies FoInbound as FoInbound;
    return this.#c.guard('onMessage', () => this.#port.handlers.onMessage(inbound));
  }

  #ordinaryOpen(): number {
    let n = 0;
    for (const open of this.#open.values()) if (!open.fast) n++;
    return n;
  }

  #throttle(envelope: Envelope, retryAfterS = 1): void {
    if (envelope.eventSeq !== undefined) this.#port.inbox.postponed(envelope.eventSeq);
    this.#port.onRefused('rate.tooOften');
    if (envelope.body.noReply === true && envelope.type === 'UpdateSetpoint') return;
    this.#reply(envelope.messageId, resultOf(FO_ERRORS.fail('rate.tooOften'), retryAfterS));
  }

  /** Answers what never became an open message; nothing is stored. */
  #refuse(envelope: Envelope, e: unknown): void {
    const result = this.#countRefusedEvent(envelope, resultOf(e));
    this.#port.onRefused(result.code ?? 'internal.permanent');
    this.#c.log.info('fo.refused', { type: envelope.type, messageId: envelope.messageId, code: result.code });
    if (isFoType(envelope.type) && FO_CATALOGUE[envelope.type].kind === 'stream') return;
    this.#reply(envelope.messageId, result);
  }

  /** An event whose frame made no sense was there all the same. */
  unreadable(eventSeq: number): void {
    if (this.#c.role !== 'fo') return;
    if (this.#port.inbox.judge(eventSeq).verdict === 'deliver') this.#port.inbox.settled(eventSeq);
  }

  /** A finally refused event keeps its place in the order, one refused for now comes again. */
  #countRefusedEvent({ eventSeq }: Envelope, result: ResultBody): ResultBody {
    if (this.#c.role !== 'fo' || eventSeq === undefined) return result;
    if (asksToRetry(result)) {
      this.#port.inbox.postponed(eventSeq);
      return result;
    }
    const { verdict } = this.#port.inbox.judge(eventSeq);
    if (verdict === 'deliver') this.#port.inbox.settled(eventSeq);
    return verdict === 'early' ? resultOf(early()) : result;
  }

  /** Stores a final Result, then sends it. A temporary one is not stored: the repetition shall be processed. */
  #settle(open: Open, result: ResultBody): void {
    const { messageId, eventSeq } = open.envelope;
    open.timer?.cancel();
    this.#open.delete(messageId);
    if (asksToRetry(result)) {
      this.#reply(messageId, result);
      return;
    }
    if (result.status === 'ok' || result.status === 'pending') this.#order.accepted(open.message);
    const key = this.#key(open.envelope);
    const entry = { hash: open.hash(), result, at: this.#c.clock.now() };
    this.#port.results.remember(key, entry);
    if (eventSeq !== undefined) this.#port.inbox.settled(eventSeq);
    if (open.fast) {
      this.#reply(messageId, result);
      return;
    }
    this.#port.results
      .persist(key, entry)
      .catch((e: unknown) => this.#c.log.error('fo.resultNotStored', { messageId, what: describeError(e).what }))
      .finally(() => this.#reply(messageId, result));
  }

  #reply(correlationId: string, body: ResultBody): void {
    if (this.#closed) return;
    this.#port.push('normal', this.#c.frame({ messageId: this.#c.nextId(), type: 'Result', body, correlationId }));
    failPoint('result.sent');
  }

  #key(envelope: Envelope): string {
    return `${this.#c.peer}/${envelope.messageId}`;
  }
}

function asTemporary(c: Context, e: unknown): Error {
  c.log.error('fo.resultsFailed', { what: describeError(e).what });
  return FO_ERRORS.fail('internal.temporary');
}
