import { randomInt } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { IPublishPacket } from 'mqtt';
import { BoundedMap, BoundedSet, type BoundStats } from '../../../core/bounded.ts';
import { type Clock, iso } from '../../../core/clock.ts';
import { describeError } from '../../../core/errors.ts';
import type { RandomBytes } from '../../../core/ids.ts';
import { parseJson } from '../../../core/json.ts';
import type { Log } from '../../../core/log.ts';
import { FO_LIMITS } from '../envelope.ts';
import type { FoFrame, FoTransport, FoVia } from '../types.ts';
import { MqttLine } from './line.ts';
import { publishOptions } from './properties.ts';
import { channelOf, mayAnswerAt, type PairSide, type PairTopics, pairTopics } from './topics.ts';

/** States of one side's end of a pair, retained on its `link` topic (fo 9.1). */
export type LinkState = 'up' | 'lost' | 'closed';

export interface PairOptions {
  readonly side: PairSide;
  readonly foId: string;
  readonly gwId: string;
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly ca?: string | undefined;
  readonly version?: 4 | 5 | undefined;
  readonly connect?: (() => Duplex) | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: (() => number) | undefined;
  readonly randomBytes?: RandomBytes | undefined;
}

/** What happens on a pair. Nothing that these throw leaves it. */
export interface PairEvents {
  /** The broker is reached and everything subscribed. */
  onOpen(): void;
  /** The broker is lost. */
  onLost(): void;
  /** A message of the other side. */
  onText(text: string, via: FoVia): void;
  /** The other side's end of the link; `at` tells one start from another. */
  onPeer(state: LinkState, at: string): void;
  onResource?(evcsId: string, item: unknown): void;
}

/** Result topics that were asked for and not used yet. */
const MAX_OPEN_ANSWERS = 128;
const MAX_EVCS = 1000;
/** QoS 1 messages that the broker has not acknowledged; setpoints do not wait for them. */
const MAX_UNACKNOWLEDGED = 16;

/** The topics of one FO and one gateway on one broker connection, of either side (fo 9.1). */
export class MqttPair {
  readonly #o: PairOptions;
  readonly #events: PairEvents;
  readonly #topics: PairTopics;
  readonly #line: MqttLine;
  readonly #token: string;
  /** Message id (32 hex digits) → where its Result is wanted. */
  readonly #answers = new BoundedMap<string, string>({
    name: 'fo.mqttAnswers',
    max: MAX_OPEN_ANSWERS,
    overflow: 'dropOldest',
  });
  /** EVCS of which this side keeps a retained description. */
  readonly #retained = new BoundedSet<string>({ name: 'fo.mqttRetained', max: MAX_EVCS, overflow: 'refuse' });

  constructor(o: PairOptions, events: PairEvents) {
    const { side, foId, gwId } = o;
    this.#o = o;
    this.#events = events;
    this.#topics = pairTopics(side, foId, gwId);
    const random = o.random ?? (() => randomInt(2 ** 32) / 2 ** 32);
    this.#token = Math.floor(random() * 2 ** 32).toString(36);
    const { own, other } = this.#topics;
    this.#line = new MqttLine({
      ...o,
      random,
      clientId: side === 'up' ? `${gwId}/${foId}` : `${foId}/${gwId}`,
      willTopic: own.link,
      willPayload: () => this.#linkText('lost'),
      filters:
        side === 'up'
          ? [
              ...[other.fast, other.ctl, other.link, `${other.rsp}+`].map((topic) => ({ topic, qos: 1 as const })),
              { topic: `${own.res}+`, qos: 1 },
            ]
          : [
              ...[other.ctl, other.link, `${other.res}+`, `${other.rsp}+`].map((topic) => ({ topic, qos: 1 as const })),
              { topic: other.tel, qos: 0 },
            ],
      onUp: () => {
        this.say('up');
        events.onOpen();
      },
      onDown: () => {
        this.#answers.clear();
        events.onLost();
      },
      onMessage: (topic, payload, packet) => this.#received(topic, payload, packet),
    });
  }

  get connected(): boolean {
    return this.#line.up;
  }

  open(): void {
    this.#line.open();
  }

  stats(): BoundStats[] {
    return [this.#answers.stats(), this.#retained.stats(), this.#line.stats()];
  }

  /** Tells the other side the state of this end. */
  say(state: LinkState, done?: () => void): boolean {
    return this.#line.publish(this.#topics.own.link, this.#linkText(state), { qos: 1, retain: true }, done);
  }

  /** The pair as the transport of a session. */
  transport(close: (code: number, reason: string) => void): FoTransport {
    return {
      maxUnflushed: MAX_UNACKNOWLEDGED,
      send: (_, flushed, frame) => {
        if (!this.#send(frame, flushed)) flushed();
        if (frame.type === 'PublishResources') this.#retain(frame.body);
      },
      close,
    };
  }

  /** Sends a text outside of any session: a Result for somebody who has none. */
  sendText(text: string, frame: Omit<FoFrame, 'text'>): void {
    this.#send({ ...frame, text }, () => undefined);
  }

  /** Says goodbye and ends the connection. */
  async close(): Promise<void> {
    if (this.#line.up) {
      await new Promise<void>((resolve) => {
        const late = this.#o.clock.after(500, resolve);
        const done = (): void => {
          late.cancel();
          resolve();
        };
        if (!this.say('closed', done)) done();
      });
    }
    await this.#line.close();
  }

  #linkText(state: LinkState): string {
    return JSON.stringify({ state, at: iso(this.#o.clock.now()) });
  }

  #send(frame: FoFrame, flushed: () => void): boolean {
    const { own, other } = this.#topics;
    const options = publishOptions(frame, this.#o.clock.now(), other.rsp + this.#token);
    return this.#line.publish(this.#topicOf(frame, own), frame.text, options, flushed);
  }

  #topicOf({ type, correlationId }: FoFrame, own: PairTopics['own']): string {
    switch (type) {
      case 'UpdateSetpoint':
        return own.fast;
      case 'Telemetry':
        return own.tel;
      case 'Result': {
        const key = correlationId?.replaceAll('-', '') ?? '';
        const topic = this.#answers.get(key);
        this.#answers.delete(key);
        // With MQTT 3.1.1 the token is 0 and the correlationId says it all.
        return topic ?? `${own.rsp}0`;
      }
      default:
        return own.ctl;
    }
  }

  /** Keeps the last description of each EVCS on its own topic; those that are gone are removed. */
  #retain(body: unknown): void {
    const { mode, evcs, removed } = readPublication(body);
    const put = (evcsId: string, payload: string): void => {
      const { res } = this.#topics.own;
      const options = publishOptions({ type: 'res' }, this.#o.clock.now(), '');
      this.#line.publish(`${res}${evcsId}`, payload, { ...options, retain: true });
    };
    const present = new Set(evcs.map((e) => e.evcsId)); // local to the call
    for (const item of evcs) {
      this.#retained.add(item.evcsId);
      put(item.evcsId, JSON.stringify(item));
    }
    const gone = mode === 'full' ? [...this.#retained].filter((id) => !present.has(id)) : removed;
    for (const evcsId of gone) if (this.#retained.delete(evcsId)) put(evcsId, '');
  }

  #received(topic: string, payload: Buffer, packet: IPublishPacket): void {
    try {
      if (this.#o.side === 'up' && topic.startsWith(this.#topics.own.res)) {
        // What an earlier run of this gateway left there.
        if (payload.length > 0) this.#retained.add(topic.slice(this.#topics.own.res.length));
        return;
      }
      this.#judge(topic, payload, packet);
    } catch (e) {
      this.#o.log.error('fo.frameFailed', { what: describeError(e).what });
    }
  }

  #judge(topic: string, payload: Buffer, packet: IPublishPacket): void {
    const { own, other } = this.#topics;
    const { log } = this.#o;
    const channel = channelOf(topic, other);
    if (channel === undefined) return;
    if (channel === 'link') {
      this.#peerSaid(payload);
      return;
    }
    if (channel === 'res') {
      const evcsId = topic.slice(other.res.length);
      this.#events.onResource?.(evcsId, payload.length === 0 ? undefined : readJson(payload.toString('utf8')));
      return;
    }
    if (packet.retain) {
      // A stale command must not wake up.
      if (payload.length > 0) log.warn('fo.retainedCommand', { topic });
      return;
    }
    const { responseTopic, correlationData } = packet.properties ?? {};
    if (responseTopic !== undefined && channel !== 'rsp') {
      if (!mayAnswerAt(responseTopic, own)) {
        log.warn('fo.responseTopic', { topic, responseTopic: responseTopic.slice(0, 200) });
        return;
      }
      if (correlationData !== undefined) this.#answers.set(hexOf(correlationData), responseTopic);
    }
    this.#events.onText(payload.toString('utf8'), { channel, correlation: correlationData });
  }

  #peerSaid(payload: Buffer): void {
    const said = payload.length === 0 ? { state: 'closed' } : readJson(payload.toString('utf8'));
    if (typeof said !== 'object' || said === null) return;
    const state: unknown = Reflect.get(said, 'state');
    const at: unknown = Reflect.get(said, 'at');
    if (state === 'up' || state === 'lost' || state === 'closed') {
      this.#events.onPeer(state, typeof at === 'string' ? at : '');
    } else this.#o.log.warn('fo.badLinkState', {});
  }
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function readJson(text: string): unknown {
  try {
    return parseJson(text, { maxBytes: FO_LIMITS.maxBytes, maxDepth: FO_LIMITS.maxDepth, duplicateKeys: 'reject' });
  } catch {
    return undefined;
  }
}

interface Publication {
  readonly mode: unknown;
  readonly evcs: readonly { readonly evcsId: string }[];
  readonly removed: readonly string[];
}

/** The session has checked the body already. */
const readPublication = (body: unknown): Publication => {
  const { mode, evcs, removed } = body as Publication;
  return { mode, evcs, removed: removed ?? [] };
};
