import { Duplex } from 'node:stream';

/** The first packet is CONNECT; nobody is known before it. */
const MAX_CONNECT_BYTES = 8 * 1024;

/**
 * A socket on which no packet may be larger than `maxPacket` bytes, and the first none of 8 KiB: the parser behind it would
 * collect up to 256 MB before anybody is asked. Such a peer loses its connection.
 */
export class PacketGuard extends Duplex {
  readonly #socket: Duplex & { readonly remoteAddress?: string | undefined };
  readonly #maxPacket: number;
  /** Bytes of the packet that still belong to it. */
  #left = 0;
  /** -1: the first byte of a header comes next; else which byte of the length. */
  #lengthByte = -1;
  #length = 0;
  #first = true;

  constructor(socket: Duplex & { readonly remoteAddress?: string | undefined }, maxPacket: number) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#maxPacket = maxPacket;
    socket.on('data', (chunk: Buffer) => {
      if (!this.#admit(chunk)) this.destroy();
      else if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', () => this.destroy());
    socket.on('close', () => this.destroy());
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? '';
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#socket.destroyed || this.#socket.write(chunk)) done();
    else this.#socket.once('drain', () => done());
  }

  override _final(done: () => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  /** Walks over the packets of a chunk (MQTT 3.1.1 section 2.2). */
  #admit(chunk: Buffer): boolean {
    for (let i = 0; i < chunk.length; ) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, chunk.length - i);
        this.#left -= step;
        i += step;
      } else if (this.#lengthByte < 0) {
        this.#lengthByte = 0;
        this.#length = 0;
        i++;
      } else {
        const byte = chunk[i++] ?? 0;
        this.#length += (byte & 0x7f) * 128 ** this.#lengthByte;
        if (++this.#lengthByte > 4) return false;
        if ((byte & 0x80) !== 0) continue;
        if (this.#length > (this.#first ? MAX_CONNECT_BYTES : this.#maxPacket)) return false;
        this.#first = false;
        this.#lengthByte = -1;
        this.#left = this.#length;
      }
    }
    return true;
  }
}
