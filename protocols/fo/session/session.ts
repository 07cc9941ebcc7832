import type { BoundStats } from '../../../core/bounded.ts';
import { parseTime } from '../../../core/clock.ts';
import { codeOf, describeError } from '../../../core/errors.ts';
import type { ResultBody } from '../../../model/index.ts';
import { ResultBody as ResultMessage } from '../../../model/index.ts';
import { FO_CATALOGUE, type FoBodies, type FoType, isFoType } from '../catalogue.ts';
import { decode } from '../codec.ts';
import { type Envelope, Heartbeat } from '../envelope.ts';
import { FO_ERRORS, resultOf } from '../errors.ts';
import { closeCodeOf } from '../gate.ts';
import { type FoMetrics, foMetrics } from '../metrics.ts';
import {
  FO_CLOSE,
  type FoConnection,
  type FoDown,
  type FoFrame,
  type FoSendOptions,
  type FoSession,
  type FoSessionOptions,
  type FoStamp,
  type FoTransport,
  type FoVia,
} from '../types.ts';
import { AbuseCounter } from './abuse.ts';
import { type Context, createContext } from './context.ts';
import { OutgoingEvents } from './events.ts';
import { type Agreement, clampHeartbeatS } from './greeting.ts';
import { HeartbeatWatch } from './heartbeat.ts';
import { HelloExchange } from './hello.ts';
import { Inbound } from './inbound.ts';
import { EventInbox } from './inbox.ts';
import { memoryOutbox, ResultCache } from './memory.ts';
import { checkOutgoing, checkSize, checkStamp, isStream } from './outgoing.ts';
import { Rates } from './rates.ts';
import { OutgoingRequests } from './requests.ts';
import { DEFAULT_EXPIRY_MS } from './retry.ts';
import { expiryOf, MAX_SKEW_MS } from './rules.ts';
import { type Lane, Sender } from './sender.ts';
import { SignatureCheck } from './signatures.ts';
import { checkVia } from './via.ts';

/** The session of one party over all its connections (fo 4.2, 9.2). No sockets: see {@link FoTransport}. */
export function createFoSession(o: FoSessionOptions): FoSession {
  return new Session(o);
}

class Session implements FoSession {
  readonly peer: string;
  readonly #o: FoSessionOptions;
  readonly #c: Context;
  readonly #metrics: FoMetrics;
  readonly #sender: Sender;
  readonly #signatures: SignatureCheck;
  readonly #rates: Rates;
  readonly #requests: OutgoingRequests;
  readonly #events: OutgoingEvents;
  readonly #inbox: EventInbox;
  readonly #inbound: Inbound;
  readonly #heartbeat: HeartbeatWatch;
  readonly #stopCollecting: () => void;
  #state: FoSession['state'] = 'down';
  #transport: FoTransport | undefined;
  readonly #hello: HelloExchange;
  readonly #abuse: AbuseCounter;
  #closed = false;

  constructor(o: FoSessionOptions) {
    this.#o = o;
    this.peer = o.peer;
    this.#c = createContext(o);
    this.#metrics = foMetrics(o.metrics);
    this.#signatures = new SignatureCheck(o.signatures);
    this.#rates = new Rates(o);
    this.#sender = new Sender({ onStuck: () => this.#drop(FO_CLOSE.rate, 'you do not read', 'abuse') });
    const link = {
      ready: () => this.#state === 'up',
      push: (lane: Lane, frame: FoFrame) => this.#sender.push(lane, frame),
    };
    this.#requests = new OutgoingRequests(this.#c, {
      ...link,
      eventsInFlight: () => this.#events.inFlight,
      onFree: () => void this.#events.pump(),
    });
    this.#events = new OutgoingEvents(this.#c, o.persistence?.outbox ?? memoryOutbox(), {
      ...link,
      requestsInFlight: () => this.#requests.inFlight,
      onFree: () => this.#requests.pump(),
      announceGap: () => this.#hello.say(),
    });
    this.#inbox = new EventInbox(o.lastEventSeq ?? 0);
    this.#inbound = new Inbound(this.#c, {
      push: link.push,
      handlers: o.handlers,
      results: new ResultCache(o.persistence?.results),
      inbox: this.#inbox,
      signatures: this.#signatures,
      rates: this.#rates,
      onRefused: (code) => this.#countRefusal(code),
    });
    const wishes = { role: o.role, heartbeatS: clampHeartbeatS(o.heartbeatS), software: o.software };
    this.#hello = new HelloExchange(this.#c, wishes, {
      handlers: o.handlers,
      events: this.#events,
      inbox: this.#inbox,
      push: link.push,
      reply: (id, body) => this.#reply(id, body),
      drop: (code, text, reason) => this.#drop(code, text, reason),
      onAgreed: (agreed, offsetMs, missed) => this.#goUp(agreed, offsetMs, missed),
    });
    this.#heartbeat = new HeartbeatWatch(o.clock);
    this.#abuse = new AbuseCounter(o.clock);
    this.#stopCollecting = o.metrics?.collect('v2gate_fo_bound', () => this.#stats()) ?? (() => undefined);
  }

  get state(): FoSession['state'] {
    return this.#state;
  }

  attach(transport: FoTransport, as: 'opener' | 'listener'): FoConnection {
    const mine = (): boolean => transport === this.#transport;
    const connection: FoConnection = {
      receive: (text, via) => void (mine() && this.#receive(text, via)),
      gone: (reason) => void (mine() && this.#detach(reason)),
    };
    if (this.#closed) {
      transport.close(FO_CLOSE.goingAway, 'closed');
      return connection;
    }
    const earlier = this.#transport;
    this.#detach('replaced');
    earlier?.close(FO_CLOSE.replaced, 'replaced by a newer connection');
    this.#transport = transport;
    this.#sender.attach(transport);
    this.#state = 'greeting';
    this.#hello.begin(as);
    return connection;
  }

  #detach(reason: FoDown): void {
    if (!this.#transport) return;
    const wasUp = this.#state === 'up';
    this.#transport = undefined;
    this.#state = 'down';
    this.#hello.end();
    this.#heartbeat.stop();
    this.#sender.detach();
    this.#requests.pause();
    this.#events.pause();
    this.#c.log.info('fo.down', { reason, wasUp });
    if (wasUp) this.#c.guard('onDown', () => this.#o.handlers.onDown?.(this.peer, reason));
  }

  #receive(text: string, via: FoVia | undefined): void {
    const decoded = decode(text);
    if (!decoded.ok) {
      this.#c.log.warn('fo.badFrame', { code: codeOf(decoded.error), what: describeError(decoded.error).what });
      this.#countRefusal(codeOf(decoded.error) ?? 'schema.invalid');
      // An event that can never be read keeps its place, so that those behind it come through.
      if (decoded.eventSeq !== undefined && this.#state === 'up') this.#inbound.unreadable(decoded.eventSeq);
      // A Result is never answered, whatever is wrong with it: two sides could answer each other for ever.
      if (decoded.type !== 'Result') this.#reply(decoded.messageId, resultOf(decoded.error));
      if (codeOf(decoded.error) === 'profile.unsupported') this.#drop(FO_CLOSE.profile, 'profile', 'refused');
      return;
    }
    const { envelope } = decoded;
    this.#metrics.received(envelope.type);
    try {
      if (via) checkVia(envelope, via);
      this.#dispatch(envelope);
    } catch (e) {
      const result = resultOf(e);
      this.#c.log.warn('fo.refused', { type: envelope.type, messageId: envelope.messageId, code: result.code });
      this.#countRefusal(result.code ?? 'internal.permanent');
      if (wantsResult(envelope)) this.#reply(envelope.messageId, result);
      const fatal = result.code !== 'internal.temporary' && (this.#state === 'greeting' || envelope.type === 'Hello');
      if (fatal) this.#drop(closeCodeOf(result), result.code ?? 'refused', 'refused');
    }
  }

  request<T extends FoType>(type: T, body: FoBodies[T], options: FoSendOptions = {}): Promise<ResultBody> {
    try {
      const message = checkOutgoing(this.#c.role, type, body);
      if (isStream(message)) throw FO_ERRORS.fail('schema.semantic', `${type} gets no Result like this: use stream.`);
      const expiresAt = options.expiresAt ?? expiryOf(message) ?? this.#c.clock.now() + DEFAULT_EXPIRY_MS;
      const stream = message.type === 'UpdateSetpoint' ? { stream: message.body.setpoint } : {};
      this.#metrics.sent(type);
      return this.#requests.send({ type, body, expiresAt, ...stream });
    } catch (e) {
      return Promise.reject(e);
    }
  }

  publish<T extends FoType>(type: T, body: FoBodies[T], stamp?: FoStamp): Promise<number> {
    try {
      checkOutgoing(this.#c.role, type, body);
      if (this.#c.role === 'fo') throw FO_ERRORS.fail('auth.forbidden', 'Only the gateway numbers events (fo 4.1).');
      checkStamp(type, stamp);
      checkSize(type, body);
      this.#metrics.sent(type);
      return this.#events.publish(type, body, stamp);
    } catch (e) {
      return Promise.reject(e);
    }
  }

  stream<T extends FoType>(type: T, body: FoBodies[T]): boolean {
    if (this.#state !== 'up') return false;
    let expiresAt: number | undefined;
    try {
      expiresAt = expiryOf(checkOutgoing(this.#c.role, type, body));
    } catch (e) {
      this.#c.log.error('fo.badStream', { type, code: codeOf(e), what: describeError(e).what });
      return false;
    }
    this.#metrics.sent(type);
    const lane = type === 'UpdateSetpoint' ? 'fast' : 'stream';
    return this.#sender.push(lane, this.#c.frame({ messageId: this.#c.nextId(), type, body, expiresAt }));
  }

  answer(replyTo: string, result: ResultBody): boolean {
    return this.#inbound.answer(replyTo, result);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const transport = this.#transport;
    this.#detach('shutdown');
    transport?.close(FO_CLOSE.goingAway, 'shutting down');
    this.#inbound.close();
    this.#requests.close();
    this.#events.close();
    this.#stopCollecting();
  }

  #dispatch(envelope: Envelope): void {
    if (envelope.from !== this.peer || envelope.to !== this.#c.self) {
      throw FO_ERRORS.fail('auth.forbidden', `from and to must be ${this.peer} and ${this.#c.self} on this link.`);
    }
    const own = !isFoType(envelope.type);
    if (own) this.#signatures.check(envelope);
    this.#heartbeat.heard();
    if (envelope.type === 'Result') {
      this.#onResult(envelope);
      return;
    }
    const offsetMs = parseTime(envelope.sentAt) - this.#c.clock.now();
    if (Math.abs(offsetMs) > MAX_SKEW_MS && !isReplayOfSigned(envelope)) {
      throw FO_ERRORS.fail(
        'time.skew',
        `sentAt differs from the receiver's clock by ${Math.round(offsetMs / 1000)} s.`,
      );
    }
    if (envelope.type === 'Hello') {
      if (this.#rates.take('Hello') > 0) throw FO_ERRORS.fail('rate.tooOften');
      this.#hello.receive(envelope, offsetMs);
      return;
    }
    if (this.#state !== 'up') {
      if (this.#hello.busy) throw FO_ERRORS.fail('internal.temporary', 'Hello is still being answered.');
      throw FO_ERRORS.fail('state.invalid', 'The first message on a link is Hello.');
    }
    if (envelope.type === 'Heartbeat') {
      this.#events.ackTo(Heartbeat.accept(envelope.body).ackEventSeq);
      this.#c.guard('onClock', () => this.#o.handlers.onClock?.(this.peer, offsetMs));
      return;
    }
    this.#inbound.receive(envelope);
  }

  #onResult(envelope: Envelope): void {
    const result = ResultMessage.accept(envelope.body);
    const id = envelope.correlationId;
    if (this.#hello.onResult(envelope, result)) return;
    const known = id !== undefined && (this.#requests.onResult(id, result) || this.#events.onResult(id, result));
    if (!known) this.#c.log.debug('fo.unknownResult', { correlationId: id, status: result.status, code: result.code });
  }

  /** Both sides know each other. A later Hello only agrees anew. */
  #goUp(agreed: Agreement, clockOffsetMs: number, missedAsFo: number): void {
    const first = this.#state !== 'up';
    const { heartbeatS, peerLastEventSeq } = agreed;
    this.#state = 'up';
    this.#heartbeat.start(
      heartbeatS,
      (body) => this.#sender.push('normal', this.#c.frame({ messageId: this.#c.nextId(), type: 'Heartbeat', body })),
      () => (this.#c.role === 'fo' ? this.#inbox.acked : 0),
      () => this.#drop(FO_CLOSE.goingAway, 'heartbeat lost', 'heartbeatLost'),
    );
    const missedEvents = this.#c.role === 'fo' ? missedAsFo : this.#events.resume(peerLastEventSeq);
    if (first) {
      const { software } = agreed;
      this.#c.log.info('fo.up', { heartbeatS, missedEvents, software, clockOffsetMs });
      const up = { peer: this.peer, role: this.#c.role, heartbeatS, missedEvents, clockOffsetMs };
      this.#c.guard('onUp', () => this.#o.handlers.onUp?.({ ...up, ...(software === undefined ? {} : { software }) }));
      this.#requests.resume();
    }
  }

  #reply(correlationId: string | undefined, body: ResultBody): void {
    this.#sender.push('normal', this.#c.frame({ messageId: this.#c.nextId(), type: 'Result', body, correlationId }));
  }

  #countRefusal(code: string): void {
    this.#metrics.refused(code);
    if (this.#abuse.add()) this.#drop(FO_CLOSE.rate, 'too many refused messages', 'abuse');
  }

  /** Ends the connection in use; the session lives on. */
  #drop(code: number, text: string, reason: FoDown): void {
    const transport = this.#transport;
    if (!transport) return;
    this.#detach(reason);
    transport.close(code, text);
  }

  #stats(): BoundStats[] {
    return [...this.#sender.stats(), ...this.#requests.stats(), ...this.#inbound.stats()];
  }
}

/** A signed document keeps its date; its eventSeq and messageId protect against replay (fo 4.2). */
const isReplayOfSigned = (e: Envelope): boolean =>
  e.eventSeq !== undefined && e.signature !== undefined && isFoType(e.type) && FO_CATALOGUE[e.type].signed;

const wantsResult = (e: Envelope): boolean =>
  e.type !== 'Result' && e.type !== 'Heartbeat' && !(isFoType(e.type) && FO_CATALOGUE[e.type].kind === 'stream');
