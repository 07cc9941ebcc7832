import { toId } from '../../core/ids.ts';
import type { Request } from '../../protocols/ocpp/index.ts';
import type { Channel } from './channel.ts';
import type { StationBridge } from './station.ts';
import type { TransactionBook } from './transactions.ts';

/** States of a connector in which a transaction of 1.6 runs. */
const IN_SESSION = ['Charging', 'SuspendedEV', 'SuspendedEVSE'];

/** Who is told of transactions. */
export interface SessionHost {
  /** A transaction of the channel begins, as far as the station is concerned. */
  sessionBegins(channel: Channel): void;
  /** Its transaction, if it had one, has ended. */
  sessionEnds(channel: Channel): void;
}

/**
 * The charging sessions of one station: starts and ends are stored before they are told (class A), repeated messages
 * are answered but not taken twice, and a transaction that runs already is adopted (ocpp 1.3, ocpp 5).
 */
export class StationSessions {
  readonly #bridge: StationBridge;
  readonly #book: TransactionBook;
  readonly #host: SessionHost;
  /** Events of a station are taken one after the other. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(bridge: StationBridge, book: TransactionBook, host: SessionHost) {
    this.#bridge = bridge;
    this.#book = book;
    this.#host = host;
  }

  /** Waits for its turn: a station may repeat a message while the first one is still being stored. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#tail.then(work, work);
    this.#tail = mine.catch(() => undefined);
    return mine;
  }

  async start16(p: Request<'ocpp1.6', 'StartTransaction'>): Promise<{ transactionId: number; accepted: boolean }> {
    const s = this.#bridge;
    const channel = s.channel(p.connectorId);
    const key = channel?.resource.resourceId ?? toId(`${s.identity}/${p.connectorId}`);
    const { transactionId, ended } = await this.#book.start(key, s.time(p.timestamp), p.meterStart);
    if (!channel) {
      s.log.warn('station.unknownConnector', { connector: p.connectorId });
      return { transactionId, accepted: false };
    }
    const accepted = s.mayCharge(p.idTag);
    if (!ended && channel.transactionId !== transactionId) {
      this.#begin(channel, transactionId);
      if (accepted) s.translate('StartTransactionRequest', p, p.connectorId, { transactionId });
      else channel.unwanted = transactionId;
    }
    return { transactionId, accepted };
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
    if (!channel || transactionId <= 0 || channel.transactionId === transactionId) return;
    // Ids rise: a smaller one is a message that was queued for long.
    if (channel.ended === transactionId || Number(channel.transactionId) > transactionId) return;
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

  /** One event of 2.x: in the order of `seqNo`, each once, also without `evse` (ocpp 5). */
  async event21(p: Request<'ocpp2.1', 'TransactionEvent'>): Promise<void> {
    const s = this.#bridge;
    const { transactionId } = p.transactionInfo;
    const channel = p.evse ? s.channel(p.evse.id) : ((await this.#locate(transactionId)) ?? s.only());
    if (!channel) {
      s.log.info('station.unknownTransaction', { transactionId, evse: p.evse?.id });
      return;
    }
    if (!(await this.#isNext(channel, transactionId, p.seqNo))) return;
    const { resourceId, evse } = channel.resource;
    const ended = p.eventType === 'Ended';
    if (ended) await this.#book.end(resourceId, transactionId);
    else if (channel.transactionId !== transactionId) {
      await this.#book.note(resourceId, transactionId, s.time(p.timestamp));
      this.#begin(channel, transactionId);
    }
    channel.events = { transactionId, seqNo: p.seqNo, ended };
    s.translate('TransactionEventRequest', p, evse);
    if (ended) this.#end(channel, transactionId);
  }

  async #isNext(channel: Channel, transactionId: string, seqNo: number): Promise<boolean> {
    const { log } = this.#bridge;
    const last = channel.events;
    if (last?.transactionId === transactionId) {
      if (last.ended || seqNo <= last.seqNo) return false;
      if (seqNo > last.seqNo + 1)
        log.info('station.lostEvents', { transactionId, from: last.seqNo + 1, to: seqNo - 1 });
      return true;
    }
    // An event from before the transaction that runs now, or from one that had ended before our restart.
    if (channel.ended === transactionId) return false;
    const stored = await this.#book.last(channel.resource.resourceId);
    return stored?.transactionId !== transactionId || !stored.ended;
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
    // A refusal may have been about the session and not about the form: each session tries the best one again.
    channel.refused.length = 0;
    this.#host.sessionBegins(channel);
  }

  #end(channel: Channel, transactionId: string | number): void {
    if (channel.transactionId !== transactionId) return;
    channel.ended = transactionId;
    delete channel.transactionId;
    delete channel.unwanted;
    this.#host.sessionEnds(channel);
  }
}
