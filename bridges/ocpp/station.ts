import { iso } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { MappingLibrary } from '../../core/mapping/library.ts';
import type { Message } from '../../core/schema.ts';
import type { GatewayRuntime } from '../../hub/ports.ts';
import type { Site } from '../../hub/site/types.ts';
import { HUB_MESSAGES, type MappingContext, type WireMessage } from '../../model/index.ts';
import { type Handler, ocppTime, type Station, type Version } from '../../protocols/ocpp/index.ts';
import { type Channel, contextOf } from './channel.ts';
import { addressee } from './effective.ts';
import { BRIDGE_ERRORS } from './errors.ts';
import { ExternalControl } from './external.ts';
import { handler21, handler201 } from './inbound2.ts';
import { handler16 } from './inbound16.ts';
import type { CommandTarget } from './profile-calls.ts';
import { Readiness } from './readiness.ts';
import { Reports } from './reports.ts';
import { type SessionHost, StationSessions, type TokenStatus } from './sessions.ts';
import type { TransactionBook } from './transactions.ts';
import { type WireSource, wireMessage } from './wire.ts';

/** What a connected station needs of the link it came in by. */
export interface StationHost extends SessionHost {
  readonly linkId: string;
  readonly runtime: GatewayRuntime;
  readonly site: Site;
  readonly library: MappingLibrary;
  /** Makes its messages. */
  readonly wire: WireSource;
  readonly transactions: TransactionBook;
  /** Channels of a station, made where they are missing. */
  channels(identity: string): readonly Channel[];
  /** Hands an observation to site and listeners. */
  observe(message: WireMessage): void;
  /**
   * Shows a call as it came, to listeners of a native link; the answer of a flow, where flows answer this action. The
   * message is made only for those.
   */
  tap(message: () => WireMessage, action: string | undefined): Promise<unknown> | undefined;
  /** Whether an order has sent this token here. */
  expects(channel: Channel, idToken: string, remoteStartId: number | undefined): boolean;
  /** The driver has chosen to charge with priority, or no longer does. */
  priority(channel: Channel): void;
  /** The station is up: it may be given its default profile and commands now. */
  ready(bridge: StationBridge): void;
  /** The station has restarted. */
  rebooted(channel: Channel): void;
}

export interface BootFacts {
  readonly vendor: string;
  readonly model: string;
  readonly serial?: string | undefined;
  /** False when it only tells again who it is. */
  readonly restarted: boolean;
}

/** One connected station: answers its calls and turns what it reports into observations of the hub. */
export class StationBridge implements CommandTarget {
  readonly station: Station;
  readonly identity: string;
  readonly version: Version;
  readonly log: Log;
  readonly sessions: StationSessions;
  readonly readiness: Readiness;
  readonly external: ExternalControl;
  readonly reports: Reports;
  readonly #host: StationHost;
  #channels: readonly Channel[] | undefined;
  #vendor: string | undefined;
  #model: string | undefined;

  constructor(station: Station, host: StationHost) {
    this.station = station;
    this.identity = station.identity;
    this.version = station.version;
    this.#host = host;
    this.log = host.runtime.log.child({ station: station.identity, link: host.linkId });
    this.sessions = new StationSessions(this, host.transactions, host);
    this.external = new ExternalControl(this, {
      setLimit: (limit) => host.site.setLimit(limit),
      onPriority: (channel) => host.priority(channel),
      hasPriority: (resourceId, sessionId) => host.site.hasPriority(resourceId, sessionId),
    });
    this.reports = new Reports(host.runtime.clock);
    this.readiness = new Readiness({
      clock: host.runtime.clock,
      ask: () => this.askStatus(this.channels.slice(0, 1)),
      onReady: () => host.ready(this),
    });
    if (station.version === 'ocpp1.6') station.handle(this.#guarded(handler16(this)));
    else if (station.version === 'ocpp2.0.1') station.handle(this.#guarded(handler201(this)));
    else station.handle(this.#guarded(handler21(this)));
    if (this.known) this.readiness.connected();
  }

  get known(): boolean {
    return this.#host.site.stations.verdict(this.identity) === 'known';
  }

  get ready(): boolean {
    return this.readiness.ready;
  }

  get vendor(): string | undefined {
    return this.#vendor;
  }

  get model(): string | undefined {
    return this.#model;
  }

  get channels(): readonly Channel[] {
    this.#channels ??= this.#host.channels(this.identity);
    return this.#channels;
  }

  get single(): boolean {
    return this.channels.length === 1;
  }

  /** The site file has changed: the channels are looked up again. */
  refresh(): void {
    this.#channels = undefined;
  }

  now(): string {
    return this.#host.wire.stamp();
  }

  /** A time as a station writes it, in our form; unreadable times become now. */
  time(text: string): string {
    const parsed = ocppTime(text);
    return parsed ? iso(parsed.at) : this.now();
  }

  /** Calls back after `ms`. */
  soon(ms: number, then: () => void): void {
    this.#host.runtime.clock.after(ms, then);
  }

  clockMs(): number {
    return this.#host.runtime.clock.now();
  }

  /** What is said about a token, at one of the EVSEs where that is known (ocpp 5). */
  tokenStatus(idToken: string, channel?: Channel, remoteStartId?: number): TokenStatus {
    const { stations } = this.#host.site;
    if (channel?.off !== undefined && channel.off.until > this.clockMs()) return 'Blocked';
    // A station may ask before it starts what it was ordered to (AuthorizeRemoteTxRequests).
    const asked = channel === undefined ? this.channels : [channel];
    const ordered = asked.some((c) => this.#host.expects(c, idToken, remoteStartId));
    return ordered || stations.mayCharge(idToken) ? 'Accepted' : 'Invalid';
  }

  channel(evse: number): Channel | undefined {
    return this.channels.find((c) => c.resource.evse === evse);
  }

  /** The channel of a station that has only one. */
  only(): Channel | undefined {
    return this.single ? this.channels[0] : undefined;
  }

  async boot(facts: BootFacts): Promise<'Accepted' | 'Pending' | 'Rejected'> {
    this.#vendor = facts.vendor;
    this.#model = facts.model;
    this.readiness.booting();
    let known = false;
    try {
      const verdict = await this.#host.site.stations.report(this.identity, {
        protocol: this.version,
        vendor: facts.vendor,
        model: facts.model,
        remote: this.station.remote,
        ...(facts.serial === undefined ? {} : { serial: facts.serial }),
      });
      this.log.info('station.boot', { verdict, vendor: facts.vendor, model: facts.model, version: this.version });
      known = verdict === 'known';
      if (known && facts.restarted) {
        for (const channel of this.channels) {
          this.external.rebooted(channel);
          this.#host.rebooted(channel);
        }
      }
      return known ? 'Accepted' : verdict === 'pending' ? 'Pending' : 'Rejected';
    } finally {
      this.readiness.booted(known);
    }
  }

  /** Asks for the state of these EVSEs; resolves to whether one of them will be told. Never rejects. */
  async askStatus(channels: readonly Channel[]): Promise<boolean> {
    let willSay = false;
    for (const { resource } of channels) {
      const where =
        this.version === 'ocpp1.6' ? { connectorId: resource.evse } : { evse: { id: resource.evse, connectorId: 1 } };
      try {
        const payload = { requestedMessage: 'StatusNotification', ...where };
        const answer = await this.station.callAny('TriggerMessage', payload);
        if (typeof answer === 'object' && answer !== null && Reflect.get(answer, 'status') === 'Accepted')
          willSay = true;
      } catch (e) {
        this.log.debug('station.noTrigger', { ...describeError(e) });
      }
    }
    return willSay;
  }

  /** Translates what the station said with the mapping of its language and feeds the result to the hub. Never throws. */
  translate(message: string, payload: unknown, evse: number, ids: MappingContext['ids'] = {}): void {
    const channel = this.channel(evse);
    if (!channel) {
      if (evse > 0) this.log.debug('station.unknownEvse', { message, evse });
      return;
    }
    try {
      const ctx = contextOf(channel, {
        at: this.now(),
        version: this.version,
        identity: this.identity,
        ids,
        vendor: this.#vendor,
        model: this.#model,
      });
      const entry = this.#host.library.choose(`${this.version}/${message}`, this.version, 'to-hub', payload, ctx);
      for (const m of mapped(entry.mapping.run(payload, ctx), entry.to[0] ?? '')) this.emit(evse, m.topic, m.payload);
    } catch (e) {
      this.log.warn('station.untranslated', { message, ...describeError(e) });
    }
  }

  /** Settles when what the hub must keep of it is stored; rejects when that has failed. Undefined: it is. */
  kept(): Promise<void> | undefined {
    return this.#host.site.kept();
  }

  /** Hands a hub message to site and listeners, if it is valid. */
  emit(evse: number, topic: string, payload: unknown): void {
    const whole = topic.startsWith('hub/') ? topic : `hub/${topic}`;
    const issues = BY_TOPIC.get(whole)?.check(payload) ?? [
      { path: '', code: 'schema.invalid', message: `${topic} is no hub message` },
    ];
    if (issues.length > 0) {
      this.log.warn('station.invalidObservation', { topic, evse, issues: issues.slice(0, 3) });
      return;
    }
    this.#host.observe(this.#message(whole, payload));
  }

  /**
   * The gateway answers; a native link shows the call as well (design 2). A station that is not accepted may only boot
   * (ocpp 1.3); what it says of its connectors still tells its size.
   */
  #guarded<V extends Version>(inner: Handler<V>): Handler<V> {
    return (action, payload, ctx) => {
      const { known } = this;
      const answer = this.#host.tap(
        () => this.#message(`${this.version}/${action}Request`, payload),
        known ? action : undefined,
      );
      if (action === 'BootNotification') return inner(action, payload, ctx);
      if (!known) {
        if (action === 'StatusNotification') this.#seen(addressee(payload));
        throw BRIDGE_ERRORS.fail('station.notAccepted');
      }
      this.readiness.called();
      if (answer === undefined) return inner(action, payload, ctx);
      // What it says counts all the same; only the answer is the flow's.
      Promise.resolve()
        .then(() => inner(action, payload, ctx))
        .catch((e: unknown) => this.log.debug('station.flowAnswers', { action, ...describeError(e) }));
      return answer;
    };
  }

  #seen(evses: unknown): void {
    if (typeof evses !== 'number' || evses < 1) return;
    this.#host.site.stations
      .report(this.identity, { protocol: this.version, evses })
      .catch((e: unknown) => this.log.warn('station.notReported', { ...describeError(e) }));
  }

  #message(topic: string, payload: unknown): WireMessage {
    return wireMessage(this.#host.wire, topic, payload, this.identity);
  }
}

/** bounded by: the messages of the hub */
const BY_TOPIC: ReadonlyMap<string, Message<unknown>> = new Map(
  Object.values(HUB_MESSAGES).map((m) => [`hub/${m.name}`, m]),
);

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
