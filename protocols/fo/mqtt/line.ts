import { connect as connectTcp, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { type IClientOptions, type IClientPublishOptions, type IPublishPacket, MqttClient } from 'mqtt';
import { BoundedQueue, type BoundStats } from '../../../core/bounded.ts';
import type { Clock, TimerHandle } from '../../../core/clock.ts';
import type { Log } from '../../../core/log.ts';
import { FO_LIMITS } from '../envelope.ts';
import { backoffMs } from '../session/retry.ts';

const CONNECT_WITHIN_MS = 10_000;
const KEEPALIVE_S = 20;
/** Clean Start false, and the broker keeps the session this long (fo 9.1: at least 1 h). */
const SESSION_EXPIRY_S = 3600;
const WILL_DELAY_S = 10;
/** A connection that held this long starts the backoff anew. */
const STABLE_MS = 10_000;
/** Room for topic and properties beside the largest message. */
export const MAX_PACKET_BYTES = FO_LIMITS.maxBytes + 8 * 1024;
/** CONNACK: unacceptable protocol version, in 3.1.1 and in 5. */
const WRONG_VERSION: readonly unknown[] = [1, 132];
/** CONNACK: identifier, user or password refused; asking again soon does not help. */
const REFUSED: readonly unknown[] = [2, 4, 5, 133, 134, 135];
const SLOWEST = 6;

export type MqttVersion = 4 | 5;

export interface LineOptions {
  /** `mqtt://host:port` or `mqtts://…`. */
  readonly url: string;
  readonly clientId: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly ca?: string | undefined;
  readonly version?: MqttVersion | undefined;
  /** Instead of a socket. */
  readonly connect?: (() => Duplex) | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly willTopic: string;
  /** Made anew for each connection. */
  willPayload(): string;
  readonly filters: readonly { readonly topic: string; readonly qos: 0 | 1 }[];
  /** Connected and subscribed. */
  onUp(): void;
  onDown(): void;
  onMessage(topic: string, payload: Buffer, packet: IPublishPacket): void;
}

/** One connection to a broker, opened again (1, 2, 4 … 60 s, ±20 %) until `close`. What is on its way when it breaks is the session's to repeat. */
export class MqttLine {
  readonly #o: LineOptions;
  readonly #target: { readonly host: string; readonly port: number; readonly tls: boolean };
  #version: MqttVersion;
  #client: MqttClient | undefined;
  #retry: TimerHandle | undefined;
  #attempt = 0;
  /** What comes before the acknowledgement of the subscription: retained messages, and what waited at the broker. */
  readonly #early = new BoundedQueue<() => void>({ name: 'fo.mqttEarly', max: 256, overflow: 'dropOldest' });
  #up = false;
  #closed = false;

  constructor(o: LineOptions) {
    const { hostname, port, protocol } = new URL(o.url);
    const tls = protocol === 'mqtts:';
    this.#target = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (tls ? 8883 : 1883), tls };
    this.#o = o;
    this.#version = o.version ?? 5;
  }

  stats(): BoundStats {
    return this.#early.stats();
  }

  get up(): boolean {
    return this.#up;
  }

  /** The protocol version in use. */
  get version(): MqttVersion {
    return this.#version;
  }

  open(): void {
    const { clock, log } = this.#o;
    const client = new MqttClient(() => this.#stream(), this.#options());
    const openedAt = clock.now();
    this.#client = client;
    let ended = false;
    let again: 'slow' | 'now' | undefined;
    client.on('connect', () => this.#subscribe(client));
    client.on('message', (topic, payload, packet) => {
      if (client !== this.#client) return;
      if (this.#up) this.#o.onMessage(topic, payload, packet);
      else this.#early.push(() => this.#o.onMessage(topic, payload, packet));
    });
    client.on('error', (e) => {
      const code: unknown = 'code' in e ? e.code : undefined;
      if (WRONG_VERSION.includes(code) && this.#version === 5 && this.#o.version === undefined) {
        this.#version = 4;
        again = 'now';
      } else {
        log.warn('fo.mqttError', { code, what: e.message });
        if (REFUSED.includes(code)) again = 'slow';
      }
      client.stream.destroy();
    });
    client.on('close', () => {
      if (ended) return;
      ended = true;
      const wasUp = this.#up;
      this.#up = false;
      this.#early.clear();
      client.end(true);
      if (wasUp) this.#o.onDown();
      if (this.#closed) return;
      if (again === 'now') return this.open();
      if (again === 'slow') this.#attempt = SLOWEST;
      else if (wasUp && clock.now() - openedAt >= STABLE_MS) this.#attempt = 0;
      const delayMs = backoffMs(this.#attempt++, this.#o.random);
      log.info('fo.reconnect', { delayMs });
      this.#retry = clock.after(delayMs, () => this.open());
    });
  }

  /** False when there is no connection. `done` is called once the broker has it (QoS 1) or it was written (QoS 0). */
  publish(topic: string, payload: string, options: IClientPublishOptions, done: () => void = () => undefined): boolean {
    if (!this.#up || !this.#client) return false;
    const { properties, ...plain } = options;
    this.#client.publish(topic, payload, this.#version === 5 && properties ? { ...plain, properties } : plain, () =>
      done(),
    );
    return true;
  }

  /** Ends for good, in order: the broker does not publish the will. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    const client = this.#client;
    this.#up = false;
    if (!client) return;
    const { clock } = this.#o;
    await new Promise<void>((resolve) => {
      const cut = clock.after(1000, () => client.stream.destroy());
      client.stream.once('close', () => {
        cut.cancel();
        resolve();
      });
      if (client.stream.destroyed) {
        cut.cancel();
        resolve();
      }
      client.end(!client.connected);
    });
  }

  #stream(): Duplex {
    if (this.#o.connect) return this.#o.connect();
    const { host, port, tls } = this.#target;
    // Nagle and delayed acknowledgements together hold a small message back for 40 ms.
    if (!tls) return connectTcp({ host, port, noDelay: true });
    const { ca } = this.#o;
    const name = isIP(host) === 0 ? { servername: host } : {};
    return connectTls({ host, port, ...name, ...(ca === undefined ? {} : { ca }) }).setNoDelay(true);
  }

  #options(): IClientOptions {
    const { clientId, user, password, willTopic } = this.#o;
    const five = this.#version === 5;
    return {
      clientId,
      ...(user === undefined ? {} : { username: user }),
      ...(password === undefined ? {} : { password }),
      protocolVersion: this.#version,
      clean: false,
      keepalive: KEEPALIVE_S,
      connectTimeout: CONNECT_WITHIN_MS,
      reconnectPeriod: 0,
      resubscribe: false,
      will: {
        topic: willTopic,
        payload: Buffer.from(this.#o.willPayload()),
        qos: 1,
        retain: true,
        ...(five ? { properties: { willDelayInterval: WILL_DELAY_S } } : {}),
      },
      ...(five ? { properties: { sessionExpiryInterval: SESSION_EXPIRY_S, maximumPacketSize: MAX_PACKET_BYTES } } : {}),
    };
  }

  #subscribe(client: MqttClient): void {
    // With `rap` a command that somebody retained is seen as such, even when it arrives live.
    const extra = this.#version === 5 ? { rap: true, nl: true } : {};
    const filters = Object.fromEntries(this.#o.filters.map(({ topic, qos }) => [topic, { qos, ...extra }]));
    client.subscribe(filters, (error, granted = []) => {
      if (client !== this.#client || this.#closed || !client.connected) return;
      const refused = granted.filter((g) => g.qos >= 128).map((g) => g.topic);
      if (error || refused.length > 0) {
        this.#o.log.warn('fo.mqttRefused', { topics: refused, what: error?.message });
        client.stream.destroy();
        return;
      }
      this.#up = true;
      this.#o.onUp();
      for (let next = this.#early.shift(); next; next = this.#early.shift()) next();
    });
  }
}
