import type { BoundStats } from '../../../core/bounded.ts';
import type { TimerHandle } from '../../../core/clock.ts';
import { idSource } from '../../../core/ids.ts';
import type { Log } from '../../../core/log.ts';
import { resultOf } from '../errors.ts';
import { judgeHello, type RefusedHello, refusalText } from '../gate.ts';
import { TokenBucket } from '../session/rates.ts';
import { FO_CLOSE, type FoConnection, type FoSession, type FoVia } from '../types.ts';
import { MqttPair, type PairOptions } from './pair.ts';
import type { FoMqttGatewayOptions } from './types.ts';

/** After a connection was ended from here, the link stays `closed` this long. */
const PAUSE_MS = 5_000;
const ABUSE_PAUSE_MS = 60_000;
/** Answers to somebody without a session: a few, so that nobody is used to flood a broker. */
const REFUSALS = { perS: 1, burst: 10 };

export interface GatewayPairOptions {
  readonly broker: Pick<PairOptions, 'url' | 'user' | 'password' | 'ca' | 'version' | 'connect'>;
  readonly foId: string;
  readonly shared: FoMqttGatewayOptions;
  session(): FoSession;
}

/** The gateway's end of the link to one FO: waits for its Hello, and ends the connection when the FO is lost. */
export class GatewayPair {
  readonly #o: GatewayPairOptions;
  readonly #log: Log;
  readonly #pair: MqttPair;
  readonly #refusals: TokenBucket;
  readonly #nextId: () => string;
  #connection: FoConnection | undefined;
  /** A repetition of the Hello that opened the connection opens no other. */
  #hello: string | undefined;
  /** Runs while the link is closed from here: nothing is heard. */
  #pause: TimerHandle | undefined;
  #closed = false;

  constructor(o: GatewayPairOptions) {
    const { clock, log, random, randomBytes, self } = o.shared;
    this.#o = o;
    this.#log = log.child({ peer: o.foId });
    this.#refusals = new TokenBucket(clock, REFUSALS);
    this.#nextId = randomBytes ? idSource(clock, randomBytes) : idSource(clock);
    this.#pair = new MqttPair(
      { ...o.broker, side: 'up', foId: o.foId, gwId: self, clock, log: this.#log, random, randomBytes },
      {
        onOpen: () => {
          this.#pause?.cancel();
          this.#pause = undefined;
          o.shared.onBroker?.();
        },
        onLost: () => {
          this.#gone();
          o.shared.onBroker?.();
        },
        onText: (text, via) => this.#receive(text, via),
        onPeer: (state) => {
          if (state !== 'up') this.#gone();
        },
      },
    );
  }

  get connected(): boolean {
    return this.#pair.connected;
  }

  stats(): BoundStats[] {
    return this.#pair.stats();
  }

  open(): void {
    this.#pair.open();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#pause?.cancel();
    this.#gone();
    await this.#pair.close();
  }

  #gone(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#hello = undefined;
    connection?.gone('closed');
  }

  #receive(text: string, via: FoVia): void {
    if (this.#pause || this.#closed) return;
    // Only a Hello needs a look before the session: it may come from an operator that has started anew.
    const greets = via.channel === 'ctl' && text.includes('"Hello"');
    if (this.#connection && !greets) {
      this.#connection.receive(text, via);
      return;
    }
    const { self, signatures, clock } = this.#o.shared;
    const judged = judgeHello(text, {
      self,
      role: 'fcsbe',
      now: clock.now(),
      peer: this.#o.foId,
      ...(signatures ? { signatures: (peer) => signatures.call(this.#o.shared, peer) } : {}),
    });
    if ('peer' in judged) {
      if (!this.#connection || judged.messageId !== this.#hello) this.#attach(judged.messageId);
      this.#connection?.receive(text, via);
    } else if (this.#connection && typeOf(judged) !== 'Hello') this.#connection.receive(text, via);
    else this.#refuse(judged);
  }

  #attach(helloId: string): void {
    let mine: FoConnection | undefined;
    const transport = this.#pair.transport((code) => {
      if (this.#connection !== mine) return;
      this.#connection = undefined;
      this.#hello = undefined;
      this.#shut(code === FO_CLOSE.rate ? ABUSE_PAUSE_MS : PAUSE_MS);
    });
    this.#connection = undefined;
    mine = this.#o.session().attach(transport, 'listener');
    this.#connection = mine;
    this.#hello = helloId;
  }

  /** What a close frame says on a WebSocket: the link is closed, and after a pause open for another Hello. */
  #shut(pauseMs: number): void {
    if (this.#closed) return;
    this.#pair.say('closed');
    this.#pause?.cancel();
    this.#pause = this.#o.shared.clock.after(pauseMs, () => {
      this.#pause = undefined;
      this.#pair.say('up');
    });
  }

  #refuse(judged: RefusedHello): void {
    const result = resultOf(judged.refused);
    this.#log.warn('fo.refusedHello', { code: result.code, what: result.message });
    const type = typeOf(judged);
    const mute = type === 'Result' || type === 'Heartbeat' || type === 'Telemetry';
    if (mute || this.#refusals.take() > 0) return;
    const { self, clock } = this.#o.shared;
    const { decoded } = judged;
    const messageId = this.#nextId();
    const correlationId = decoded.ok ? decoded.envelope.messageId : decoded.messageId;
    const text = refusalText(judged, { self, now: clock.now(), messageId });
    this.#pair.sendText(text, { type: 'Result', messageId, correlationId, body: result });
  }
}

const typeOf = ({ decoded }: RefusedHello): string | undefined => (decoded.ok ? decoded.envelope.type : decoded.type);
