import { connect, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { monotonicMs } from '../harness/accounting.ts';
import { clientFrame, FIRST_COUNTER, PING_FRAME, PONG_FRAME, ReusedFrame, takeFrames } from './frames.ts';
import { answerTo, upstreamCall, type Version } from './messages.ts';

/** Where stations connect to. */
export interface Place {
  readonly host: string;
  readonly port: number;
  /** Before the identity, for example `/ocpp`. */
  readonly path: string;
  readonly tls: boolean;
}

/** Made once, or each connection would read the root certificates again. No session is kept: each handshake is a full one. */
const TLS_CONTEXT = createSecureContext({ ecdhCurve: 'prime256v1' });

const TYPE_AT = 1;
const TYPE_CALL = 0x32;
const TYPE_ERROR = 0x34;
/** `[3,"` comes before the id of an answer. */
const ID_AT = 4;
const ID_LENGTH = 7;

/** Power of a station that nobody limits, W, per version. */
const FREE_W: Readonly<Record<Version, number>> = { 'ocpp1.6': 11_040, 'ocpp2.1': 22_000 };

/**
 * A station on a raw socket: frames are built beforehand, one CALL of its own is open at a time, CALLs of the server
 * are answered at once. It draws what it was limited to.
 */
export class RawStation {
  readonly identity: string;
  readonly version: Version;
  /** The echo server sends our own CALL back as its answer. */
  readonly echoed: boolean;
  /** Arrival of the first profile since the last mark, on the monotonic clock, ms. */
  commandedAtMs: number | undefined;
  /** Profiles since the last mark. */
  commands = 0;
  /** Called with whether an answer fits its CALL. */
  onAnswer: ((fits: boolean, body: Buffer) => void) | undefined;
  onCommand: (() => void) | undefined;
  onPong: (() => void) | undefined;
  onGone: (() => void) | undefined;
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  /** Of its CALL that is or was open: id of the message, and number of the event. */
  #counter = FIRST_COUNTER;
  #upstream: ReusedFrame | undefined;
  #transactionId: number | string;
  #powerW: number;

  private constructor(socket: Socket, identity: string, version: Version, echoed: boolean) {
    this.#socket = socket;
    this.identity = identity;
    this.version = version;
    this.echoed = echoed;
    this.#powerW = FREE_W[version];
    this.#transactionId = version === 'ocpp1.6' ? 1 : `tx-${identity}`;
  }

  /** Resolves when the server has taken the upgrade. */
  static connect(place: Place, identity: string, version: Version, echoed: boolean): Promise<RawStation> {
    return new Promise((resolve, reject) => {
      const { host, port } = place;
      const socket = place.tls
        ? connectTls({
            host,
            port,
            rejectUnauthorized: false,
            servername: 'localhost',
            secureContext: TLS_CONTEXT,
            ecdhCurve: 'prime256v1',
          })
        : connect(port, host);
      socket.setNoDelay(true);
      const station = new RawStation(socket, identity, version, echoed);
      socket.on('error', reject);
      socket.on('close', () => {
        station.onGone?.();
        reject(new Error(`${identity} was disconnected`));
      });
      socket.once('data', (chunk) => {
        const end = chunk.indexOf('\r\n\r\n');
        if (end < 0 || !chunk.toString('latin1').startsWith('HTTP/1.1 101')) {
          reject(new Error(`${identity} was refused: ${chunk.toString('latin1').split('\r\n')[0]}`));
          return;
        }
        socket.on('data', (more) => station.#take(more));
        station.#take(chunk.subarray(end + 4));
        resolve(station);
      });
      socket.write(
        `GET ${place.path}/${identity} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ${version}\r\n\r\n`,
      );
    });
  }

  get powerW(): number {
    return this.#powerW;
  }

  /** The transaction that its meter values belong to. */
  set transactionId(id: number | string) {
    this.#transactionId = id;
    this.#upstream = undefined;
  }

  /** Sends its meter value; `at` is the time in it. */
  meter(at: string): void {
    this.#upstream ??= new ReusedFrame(
      upstreamCall(this.version, { transactionId: this.#transactionId, powerW: this.#powerW }),
    );
    this.say(this.#upstream, at);
  }

  say(frame: ReusedFrame, at: string): void {
    this.#counter++;
    this.#socket.write(frame.filled(at, this.#counter));
  }

  ping(): void {
    this.#socket.write(PING_FRAME);
  }

  mark(): void {
    this.commandedAtMs = undefined;
    this.commands = 0;
  }

  close(): void {
    this.onGone = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#rest = takeFrames(this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]), {
      text: (body) => this.#text(body),
      ping: () => this.#socket.write(PONG_FRAME),
      pong: () => this.onPong?.(),
      closed: () => this.#socket.end(),
    });
  }

  #text(body: Buffer): void {
    const type = body[TYPE_AT];
    const fits = type !== TYPE_ERROR && body.toString('latin1', ID_AT, ID_AT + ID_LENGTH) === String(this.#counter);
    if (type === TYPE_CALL && !(this.echoed && fits)) this.#answer(body.toString());
    else this.onAnswer?.(fits, body);
  }

  /** `[2,"<id>","<action>",<payload>]` */
  #answer(text: string): void {
    const idEnd = text.indexOf('"', ID_AT);
    const actionEnd = text.indexOf('"', idEnd + 3);
    const id = text.slice(ID_AT, idEnd);
    const action = text.slice(idEnd + 3, actionEnd);
    const isProfile = action === 'SetChargingProfile';
    if (isProfile) {
      this.commandedAtMs ??= monotonicMs();
      this.commands++;
    }
    this.#socket.write(clientFrame(`[3,"${id}",${answerTo(action, text.slice(actionEnd + 2, -1))}]`));
    if (action === 'ClearChargingProfile') this.#draw(FREE_W[this.version]);
    if (!isProfile) return;
    this.#follow(text);
    this.onCommand?.();
  }

  /** From now on it draws what the profile of its transaction allows. */
  #follow(text: string): void {
    if (!text.includes('"TxProfile"')) return;
    const [, number] = /"(?:limit|setpoint)":(-?[\d.]+)/.exec(text) ?? [];
    if (number === undefined) return;
    const isAmps = text.includes('"chargingRateUnit":"A"');
    this.#draw(Math.min(FREE_W[this.version], Number(number) * (isAmps ? 690 : 1)));
  }

  #draw(powerW: number): void {
    this.#powerW = powerW;
    this.#upstream = undefined;
  }
}
