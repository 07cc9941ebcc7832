/** WebSocket frames of a client, built once; only what differs from message to message is written into them. */

/** Stands for the time in a text, and is as long as one. */
export const AT = '2000-01-01T00:00:00.000Z';
/** Stands for a number of seven digits: the id of a message, the number of an event. */
export const COUNTER = 7_777_777;

/** Counters have seven digits from here on. */
export const FIRST_COUNTER = 1_000_000;

/** A masked text frame; with the mask 0 the content stands as it is (RFC 6455, section 5.3). At most 65 535 bytes. */
export function clientFrame(text: string): Buffer {
  const body = Buffer.from(text);
  const head = body.length < 126 ? [0x81, 0x80 | body.length] : [0x81, 0xfe, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), body]);
}

/** A frame whose times and counters are overwritten in place before it is sent. */
export class ReusedFrame {
  readonly #frame: Buffer;
  readonly #times: readonly number[];
  readonly #counters: readonly number[];

  /** `text` with {@link AT} and {@link COUNTER} wherever time and counter belong. */
  constructor(text: string) {
    this.#frame = clientFrame(text);
    this.#times = offsets(this.#frame, AT);
    this.#counters = offsets(this.#frame, String(COUNTER));
  }

  /** The frame with this time and this counter (seven digits); it stays as it is until the next call. */
  filled(at: string, counter: number): Buffer {
    const digits = String(counter);
    for (const offset of this.#times) this.#frame.write(at, offset, 'latin1');
    for (const offset of this.#counters) this.#frame.write(digits, offset, 'latin1');
    return this.#frame;
  }
}

function offsets(frame: Buffer, text: string): number[] {
  const found: number[] = [];
  for (let at = frame.indexOf(text); at >= 0; at = frame.indexOf(text, at + 1)) found.push(at);
  return found;
}

const PING = 9;
const PONG = 10;
const CLOSE = 8;

export interface FrameSink {
  text(body: Buffer): void;
  ping(): void;
  pong(): void;
  /** Status code of the server's close frame. */
  closed(code: number): void;
}

/** Takes whole frames of a server out of what has arrived; answers the rest. Frames of 64 KiB and more throw. */
export function takeFrames(data: Buffer, sink: FrameSink): Buffer {
  let rest = data;
  while (rest.length >= 2) {
    const short = (rest[1] ?? 0) & 127;
    if (short === 127) throw new Error('a frame of 64 KiB or more');
    const head = short < 126 ? 2 : 4;
    if (rest.length < head) break;
    const length = short < 126 ? short : rest.readUInt16BE(2);
    if (rest.length < head + length) break;
    const body = rest.subarray(head, head + length);
    const kind = (rest[0] ?? 0) & 15;
    if (kind === PING) sink.ping();
    else if (kind === PONG) sink.pong();
    else if (kind === CLOSE) sink.closed(body.length >= 2 ? body.readUInt16BE(0) : 1005);
    else sink.text(body);
    rest = rest.subarray(head + length);
  }
  return rest;
}

export const PING_FRAME: Buffer = Buffer.from([0x89, 0x80, 0, 0, 0, 0]);
export const PONG_FRAME: Buffer = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
