import { iso } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { MappingLibrary } from '../../core/mapping/library.ts';
import type { GatewayRuntime } from '../../hub/ports.ts';
import type { Site } from '../../hub/site/types.ts';
import { HUB_MESSAGES, type HubMessageName, type MappingContext, type WireMessage } from '../../model/index.ts';
import { type Handler, ocppTime, type Station, type Version } from '../../protocols/ocpp/index.ts';
import { type Channel, contextOf } from './channel.ts';
import { BRIDGE_ERRORS } from './errors.ts';
import { handler16 } from './inbound16.ts';
import { handler21 } from './inbound21.ts';
import type { TransactionBook } from './transactions.ts';

/** What a connected station needs of the link it came in by. */
export interface StationHost {
  readonly linkId: string;
  readonly runtime: GatewayRuntime;
  readonly site: Site;
  readonly library: MappingLibrary;
  readonly transactions: TransactionBook;
  /** Channels of a station, made where they are missing. */
  channels(identity: string): readonly Channel[];
  /** Hands an observation to site and listeners. */
  observe(message: WireMessage): void;
  /** Shows a call as it came, to listeners of a native link. */
  tap(message: WireMessage): void;
  /** The station may be given its default profile and commands now. */
  ready(bridge: StationBridge): void;
}

export interface BootFacts {
  readonly vendor: string;
  readonly model: string;
  readonly serial?: string | undefined;
}

/** One connected station: answers its calls and turns what it reports into observations of the hub. */
export class StationBridge {
  readonly station: Station;
  readonly identity: string;
  readonly log: Log;
  readonly #host: StationHost;
  #vendor: string | undefined;
  #model: string | undefined;

  constructor(station: Station, host: StationHost) {
    this.station = station;
    this.identity = station.identity;
    this.#host = host;
    this.log = host.runtime.log.child({ station: station.identity, link: host.linkId });
    if (station.version === 'ocpp1.6') station.handle(this.#tapped(handler16(this)));
    else if (station.version === 'ocpp2.1') station.handle(this.#tapped(handler21(this)));
  }

  get channels(): readonly Channel[] {
    return this.#host.channels(this.identity);
  }

  clockNow(): number {
    return this.#host.runtime.clock.now();
  }

  now(): string {
    return iso(this.clockNow());
  }

  /** A time as a station writes it, in our form; unreadable times become now. */
  time(text: string): string {
    const parsed = ocppTime(text);
    return parsed ? iso(parsed.at) : this.now();
  }

  /** Throws `station.notAccepted` (SecurityError on the wire) unless the site knows the station (ocpp 1.3). */
  requireKnown(): void {
    if (this.#host.site.stations.verdict(this.identity) !== 'known') throw BRIDGE_ERRORS.fail('station.notAccepted');
  }

  mayCharge(idToken: string): boolean {
    return this.#host.site.stations.mayCharge(idToken);
  }

  async boot(facts: BootFacts): Promise<'Accepted' | 'Pending' | 'Rejected'> {
    this.#vendor = facts.vendor;
    this.#model = facts.model;
    for (const c of this.channels) {
      c.refused.length = 0;
      delete c.dynamicFor;
      delete c.defaultW;
    }
    const verdict = await this.#host.site.stations.report(this.identity, {
      protocol: this.station.version,
      vendor: facts.vendor,
      model: facts.model,
      remote: this.station.remote,
      ...(facts.serial === undefined ? {} : { serial: facts.serial }),
    });
    this.log.info('station.boot', { verdict, vendor: facts.vendor, model: facts.model, version: this.station.version });
    if (verdict === 'known') this.#host.ready(this);
    return verdict === 'known' ? 'Accepted' : verdict === 'pending' ? 'Pending' : 'Rejected';
  }

  /** An EVSE or connector number was seen; tells an unknown station's size. */
  async seen(evse: number): Promise<void> {
    if (this.#host.site.stations.verdict(this.identity) === 'known') return;
    await this.#host.site.stations.report(this.identity, { protocol: this.station.version, evses: evse });
  }

  channel(evse: number): Channel | undefined {
    return this.channels.find((c) => c.resource.evse === evse);
  }

  evseOf(transactionId: string | number): number | undefined {
    return this.channels.find((c) => String(c.transactionId) === String(transactionId))?.resource.evse;
  }

  async start16(connector: number, startedAt: string, meterStart: number): Promise<number> {
    const channel = this.channel(connector);
    if (!channel) throw BRIDGE_ERRORS.fail('station.notAccepted', `Connector ${connector} is not in the site file.`);
    const id = await this.#host.transactions.start(channel.resource.resourceId, startedAt, meterStart);
    begin(channel, id);
    return id;
  }

  /** Takes over a transaction that is new to us, also one that ran before we (re)started. */
  async adopt(evse: number, transactionId: string | number, at: string): Promise<void> {
    const channel = this.channel(evse);
    if (!channel || String(channel.transactionId) === String(transactionId)) return;
    begin(channel, transactionId);
    if (typeof transactionId === 'string') {
      await this.#host.transactions.note(channel.resource.resourceId, transactionId, this.time(at));
    } else {
      // 1.6: running since before we were there; 2.x tells the start by itself.
      this.#emit(evse, 'SessionEvent', {
        resourceId: channel.resource.resourceId,
        sessionId: String(transactionId),
        kind: 'started',
        at: this.time(at),
        state: 'connected',
      });
    }
  }

  async ended(evse: number, transactionId: string | number): Promise<void> {
    const channel = this.channel(evse);
    if (!channel) return;
    if (String(channel.transactionId) === String(transactionId)) {
      delete channel.transactionId;
      delete channel.dynamicFor;
    }
    await this.#host.transactions.end(channel.resource.resourceId, transactionId);
  }

  /** Events of a transaction in the order of `seqNo`; a repetition is answered but not taken twice (ocpp 1.3). */
  inOrder(evse: number, transactionId: string, seqNo: number): boolean {
    const channel = this.channel(evse);
    if (!channel) return false;
    if (String(channel.transactionId) !== transactionId) channel.seqNo = -1;
    if (seqNo <= channel.seqNo) return false;
    channel.seqNo = seqNo;
    return true;
  }

  /** Translates what the station said with the mapping of its language and feeds the result to the hub. Never throws. */
  translate(message: string, payload: unknown, evse: number, ids: MappingContext['ids'] = {}): void {
    const channel = this.channel(evse);
    if (!channel) return;
    try {
      const ctx = contextOf(channel, {
        at: this.now(),
        version: this.station.version,
        identity: this.identity,
        ids,
        ...(this.#vendor === undefined ? {} : { vendor: this.#vendor }),
        ...(this.#model === undefined ? {} : { model: this.#model }),
      });
      const language = this.station.version;
      const entry = this.#host.library.choose(`${language}/${message}`, language, 'to-hub', payload, ctx);
      for (const m of mapped(entry.mapping.run(payload, ctx), entry.to[0] ?? '')) this.#emit(evse, m.topic, m.payload);
    } catch (e) {
      this.log.warn('station.untranslated', { message, ...describeError(e) });
    }
  }

  /** The gateway answers; a native link shows the call as well (design 2). */
  #tapped<V extends Version>(inner: Handler<V>): Handler<V> {
    return (action, payload, ctx) => {
      this.#host.tap({
        topic: `${this.station.version}/${action}Request`,
        payload,
        v2gate: { id: uuidv7(this.#host.runtime.clock), at: this.now(), link: this.#host.linkId, peer: this.identity },
      });
      return inner(action, payload, ctx);
    };
  }

  #emit(evse: number, topic: string, payload: unknown): void {
    const name = topic.replace(/^hub\//, '');
    const issues = isHubMessage(name)
      ? HUB_MESSAGES[name].check(payload)
      : [{ path: '', code: 'schema.invalid', message: `${topic} is no hub message` }];
    if (issues.length > 0) {
      this.log.warn('station.invalidObservation', { topic, evse, issues: issues.slice(0, 3) });
      return;
    }
    this.#host.observe({
      topic: `hub/${name}`,
      payload,
      v2gate: { id: uuidv7(this.#host.runtime.clock), at: this.now(), link: this.#host.linkId, peer: this.identity },
    });
  }

  get vendor(): string | undefined {
    return this.#vendor;
  }

  get model(): string | undefined {
    return this.#model;
  }
}

function begin(channel: Channel, transactionId: string | number): void {
  channel.transactionId = transactionId;
  delete channel.dynamicFor;
  delete channel.current;
}

const isHubMessage = (name: string): name is HubMessageName => Object.hasOwn(HUB_MESSAGES, name);

/** The messages that a mapping made: a list where it names several targets, else the one payload (design 3). */
function mapped(result: unknown, to: string): { readonly topic: string; readonly payload: unknown }[] {
  if (typeof result === 'object' && result !== null && 'messages' in result) {
    const { messages } = result;
    return (Array.isArray(messages) ? messages : [messages]).filter(
      (m): m is { topic: string; payload: unknown } =>
        typeof m === 'object' && m !== null && typeof Reflect.get(m, 'topic') === 'string',
    );
  }
  return result === undefined ? [] : [{ topic: to, payload: result }];
}
