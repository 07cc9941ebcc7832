import { parseTime } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import { toId } from '../../core/ids.ts';
import type { CallContext, Request } from '../../protocols/ocpp/index.ts';
import type { Channel } from './channel.ts';
import { forgetSteps } from './ladder.ts';
import type { StationBridge } from './station.ts';
import type { TransactionBook } from './transactions.ts';

/** States of a connector in which a transaction of 1.6 runs. */
const IN_SESSION = ['Charging', 'SuspendedEV', 'SuspendedEVSE'];

/** Time that a station gets to take in the id of its transaction, ms. */
const LEARN_MS = 100;

/** Who is told of transactions. */
export interface SessionHost {
  /** A transaction of the channel begins, as far as the station is concerned. */
  sessionBegins(channel: Channel): void;
  /** Its transaction, if it had one, has ended. */
  sessionEnds(channel: Channel): void;
  /** Another form is in use, or for another reason. */
  stepped(channel: Channel): void;
  /** The station has told of the running transaction. */
  sessionSeen(channel: Channel, seen: SessionSeen): void;
}

/** How a transaction can be matched with the order that started it (ocpp 5). */
export interface SessionSeen {
  readonly remoteStartId?: number | undefined;
  readonly idToken?: string | undefined;
  readonly isNew: boolean;
}

/** What is said about a token; `Blocked` where the EVSE is told to stay off. */
export type TokenStatus = 'Accepted' | 'Invalid' | 'Blocked';

/** The parts of a TransactionEvent of 2.0.1 and 2.1 that a session is made of. */
export interface Event2 {
  readonly eventType: 'Started' | 'Updated' | 'Ended';
  readonly timestamp: string;
  readonly seqNo: number;
  readonly offline?: boolean;
  readonly evse?: { readonly id: number };
  readonly idToken?: { readonly idToken: string; readonly type: string };
  readonly transactionInfo: { readonly transactionId: string; readonly remoteStartId?: number };
}

/**
 * The charging sessions of one station: starts and ends are stored before they are told (class A), repeated messages
 * are answered but not taken twice, and a transaction that runs already is adopted (ocpp 1.3, ocpp 5).
 */
export class StationSessions {
  readonly #bridge: StationBridge;
  readonly #book: TransactionBook;
  readonly #host: SessionHost;
  /** Events of a station are taken one after the other; so many are not over yet. */
  #tail: Promise<unknown> = Promise.resolve();
  #open = 0;

  constructor(bridge: StationBridge, book: TransactionBook, host: SessionHost) {
    this.#bridge = bridge;
    this.#book = book;
    this.#host = host;
  }

  /** Waits for its turn: a station may repeat a message while the first one is still being stored. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#open++;
    const mine = this.#tail.then(work, work).finally(() => this.#open--);
    this.#tail = mine.catch(() => undefined);
    return mine;
  }

  /** True when a meter value belongs to the transaction of 1.6 that runs: then nothing has to be looked up or waited for. */
  isOfRunning16(connector: number, transactionId: number): boolean {
    const channel = this.#bridge.channel(connector);
    return this.#open === 0 && channel?.transactionId === transactionId && channel.over === undefined;
  }

  /**
   * Takes an event of 2.x that only tells more of the transaction that runs, at once: nothing has to be looked up or
   * waited for. False: it has to be taken in turn, by {@link event2}.
   */
  goesOn2(p: Event2): boolean {
    const { transactionId, remoteStartId } = p.transactionInfo;
    if (this.#open > 0 || p.eventType !== 'Updated' || p.idToken !== undefined) return false;
    const { channels } = this.#bridge;
    const channel = p.evse ? this.#bridge.channel(p.evse.id) : channels.find((c) => c.transactionId === transactionId);
    const last = channel?.events;
    if (channel?.transactionId !== transactionId || last?.transactionId !== transactionId) return false;
    if (!this.#isLater(last, p.seqNo)) return true;
    if (p.offline !== true) delete channel.over;
    channel.events = { transactionId, seqNo: p.seqNo, ended: false };
    this.#bridge.translate('TransactionEventRequest', p, channel.resource.evse);
    this.#host.sessionSeen(channel, { remoteStartId, isNew: false });
    return true;
  }

  async start16(
    p: Request<'ocpp1.6', 'StartTransaction'>,
    ctx: Pick<CallContext, 'answered'>,
  ): Promise<{ transactionId: number; status: TokenStatus }> {
    const s = this.#bridge;
    const channel = s.channel(p.connectorId);
    const key = channel?.resource.resourceId ?? toId(`${s.identity}/${p.connectorId}`);
    const { transactionId, ended } = await this.#book.start(key, s.time(p.timestamp), p.meterStart);
    if (!channel) {
      s.log.warn('station.unknownConnector', { connector: p.connectorId });
      return { transactionId, status: 'Invalid' };
    }
    const status = s.tokenStatus(p.idTag, channel);
    const accepted = status === 'Accepted';
    if (accepted) channel.idToken = { idToken: p.idTag, type: 'Central' };
    if (!ended && channel.transactionId !== transactionId) {
      // The station learns the id by our answer: nothing may speak of it before.
      const answering = new Promise<void>((resolve) => ctx.answered(() => s.soon(LEARN_MS, resolve)));
      channel.answering = answering;
      void answering.then(() => (channel.answering === answering ? delete channel.answering : undefined));
      this.#begin(channel, transactionId);
      if (accepted) s.translate('StartTransactionRequest', p, p.connectorId, { transactionId });
      else channel.unwanted = transactionId;
      this.#host.sessionSeen(channel, { idToken: p.idTag, isNew: true });
    }
    return { transactionId, status };
  }

  async stop16(p: Request<'ocpp1.6', 'StopTransaction'>): Promise<void> {
    const s = this.#bridge;
    const channel = await this.#locate(p.transactionId);
    if (!channel) {
      s.log.info('station.unknownTransaction', { transactionId: p.transactionId });
      return;
    }
    const fresh = await this.#book.end(channel.resource.resourceId, p.transactionId);
    if (fresh && channel.unwanted !== p.transactionId) s.translate('StopTransactionRequest', p, channel.resource.evse);
    this.#end(channel, p.transactionId);
  }

  /** Adopts the transaction that a meter value of 1.6 belongs to, if it is new to us. */
  async metered16(connector: number, transactionId: number): Promise<void> {
    const channel = this.#bridge.channel(connector);
    if (channel?.over === transactionId) delete channel.over;
    if (!channel || transactionId <= 0 || channel.transactionId === transactionId) return;
    // Ids rise: a smaller one is a message that was queued for long.
    if (channel.ended === transactionId || Number(channel.transactionId) > transactionId) return;
    // Its connector is known: this number is wrong.
    const elsewhere = this.#bridge.channels.some(
      (c) => c !== channel && (c.transactionId === transactionId || c.ended === transactionId),
    );
    if (elsewhere) return;
    const stored = await this.#book.last(channel.resource.resourceId);
    const known = stored?.transactionId === transactionId;
    if (known && stored.ended) return;
    await this.#adopt16(channel, transactionId, known ? stored.startedAt : this.#bridge.now(), known);
  }

  /** A connector tells its state: the transaction from before our restart goes on, or one has ended without a word. */
  async status16(connector: number, status: string): Promise<void> {
    const channel = this.#bridge.channel(connector);
    if (!channel) return;
    if (status === 'Available' && channel.transactionId !== undefined) this.#end(channel, channel.transactionId);
    if (!IN_SESSION.includes(status) || channel.transactionId !== undefined) return;
    const stored = await this.#book.last(channel.resource.resourceId);
    if (typeof stored?.transactionId !== 'number' || stored.ended || channel.ended === stored.transactionId) return;
    await this.#adopt16(channel, stored.transactionId, stored.startedAt, true);
  }

  /**
   * A transaction from before our restart goes on without a word until its next event: a station of 2.x is asked for one,
   * as limits are bound to the transaction (ocpp 2.3, ocpp 5). Never rejects.
   */
  async recall2(channel: Channel): Promise<void> {
    const { station, log } = this.#bridge;
    const { resourceId, evse } = channel.resource;
    if (channel.transactionId !== undefined) return;
    try {
      const stored = await this.#book.last(resourceId);
      if (stored === undefined || stored.ended) return;
      await station.callAny('TriggerMessage', { requestedMessage: 'TransactionEvent', evse: { id: evse } });
    } catch (e) {
      log.debug('station.noTrigger', { ...describeError(e) });
    }
  }

  /**
   * One event of 2.x: in the order of `seqNo`, each once, also without `evse` (ocpp 5). Resolves to what is said about
   * its token, if it has one.
   */
  async event2(p: Event2): Promise<TokenStatus | undefined> {
    const s = this.#bridge;
    const { transactionId, remoteStartId } = p.transactionInfo;
    const channel = p.evse ? s.channel(p.evse.id) : ((await this.#locate(transactionId)) ?? s.only());
    const token = p.idToken?.idToken;
    if (!channel) {
      s.log.info('station.unknownTransaction', { transactionId, evse: p.evse?.id });
      return token === undefined ? undefined : s.tokenStatus(token);
    }
    const status = token === undefined ? undefined : s.tokenStatus(token, channel, remoteStartId);
    if (token !== undefined && status === 'Accepted')
      channel.idToken = { idToken: token, type: p.idToken?.type ?? 'Central' };
    if (!(await this.#isNext(channel, transactionId, p.seqNo))) return status;
    const { resourceId, evse } = channel.resource;
    const ended = p.eventType === 'Ended';
    const isNew = channel.transactionId !== transactionId;
    if (isNew && !ended && p.offline === true && (await this.#isBefore(channel, s.time(p.timestamp)))) {
      s.log.info('station.outOfOrder', { transactionId, running: channel.transactionId });
      return status;
    }
    if (ended) await this.#book.end(resourceId, transactionId);
    else if (isNew) {
      await this.#book.note(resourceId, transactionId, s.time(p.timestamp));
      this.#begin(channel, transactionId);
    }
    // The station still speaks of it: it is not over, whatever it said before.
    if (!ended && p.offline !== true) delete channel.over;
    channel.events = { transactionId, seqNo: p.seqNo, ended };
    s.translate('TransactionEventRequest', p, evse);
    if (ended) this.#end(channel, transactionId);
    else this.#host.sessionSeen(channel, { remoteStartId, idToken: token, isNew });
    return status;
  }

  async #isNext(channel: Channel, transactionId: string, seqNo: number): Promise<boolean> {
    const last = channel.events;
    if (last?.transactionId === transactionId) return this.#isLater(last, seqNo);
    // An event from before the transaction that runs now, or from one that had ended before our restart.
    if (channel.ended === transactionId) return false;
    const stored = await this.#book.last(channel.resource.resourceId);
    return stored?.transactionId !== transactionId || !stored.ended;
  }

  #isLater({ transactionId, seqNo, ended }: NonNullable<Channel['events']>, next: number): boolean {
    if (ended || next <= seqNo) return false;
    if (next > seqNo + 1) this.#bridge.log.info('station.lostEvents', { transactionId, from: seqNo + 1, to: next - 1 });
    return true;
  }

  /** Whether a time lies before the start of the transaction that runs: what was queued then did not replace it. */
  async #isBefore(channel: Channel, at: string): Promise<boolean> {
    if (channel.transactionId === undefined) return false;
    const stored = await this.#book.last(channel.resource.resourceId);
    return stored?.transactionId === channel.transactionId && parseTime(at) < parseTime(stored.startedAt);
  }

  async #adopt16(channel: Channel, transactionId: number, startedAt: string, stored: boolean): Promise<void> {
    const { resourceId, evse } = channel.resource;
    if (!stored) await this.#book.note(resourceId, transactionId, startedAt);
    this.#begin(channel, transactionId);
    this.#bridge.log.info('station.adopted', { resource: resourceId, transactionId });
    this.#bridge.emit(evse, 'SessionEvent', {
      resourceId,
      sessionId: String(transactionId),
      kind: 'started',
      at: startedAt,
      state: 'connected',
    });
  }

  async #locate(transactionId: string | number): Promise<Channel | undefined> {
    const { channels } = this.#bridge;
    const running = channels.find((c) => c.transactionId === transactionId);
    if (running) return running;
    for (const channel of channels) {
      const stored = await this.#book.last(channel.resource.resourceId);
      if (stored?.transactionId === transactionId) return channel;
    }
    return undefined;
  }

  #begin(channel: Channel, transactionId: string | number): void {
    if (channel.transactionId !== undefined) channel.ended = channel.transactionId;
    this.#host.sessionEnds(channel);
    channel.transactionId = transactionId;
    delete channel.unwanted;
    delete channel.over;
    delete channel.left;
    // A refusal may have been about the session and not about the form: each session tries the best one again.
    if (forgetSteps(channel, 'session')) this.#host.stepped(channel);
    this.#bridge.external.resumed(channel, toId(String(transactionId)));
    this.#host.sessionBegins(channel);
  }

  #end(channel: Channel, transactionId: string | number): void {
    if (channel.transactionId !== transactionId) return;
    channel.ended = transactionId;
    delete channel.transactionId;
    delete channel.unwanted;
    delete channel.over;
    this.#host.sessionEnds(channel);
  }
}
