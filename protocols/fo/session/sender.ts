import { BoundedQueue, type BoundStats } from '../../../core/bounded.ts';
import type { FoFrame, FoTransport } from '../types.ts';

/** Setpoints go first, streams last; the oldest stream frame gives way (fo 4.2, 9.2). */
export type Lane = 'fast' | 'normal' | 'stream';

/** Bytes handed to the connection and not yet gone; beyond it frames wait here, where a setpoint can pass them. */
const HIGH_WATER_BYTES = 64 * 1024;

/** The send queue of one connection. */
export class Sender {
  readonly #lanes: Readonly<Record<Lane, BoundedQueue<FoFrame>>>;
  readonly #onStuck: () => void;
  #transport: FoTransport | undefined;
  #unflushed = 0;
  #unflushedFrames = 0;

  /** `onStuck`: the peer does not read; 512 frames wait that may not be dropped. */
  constructor(o: { readonly onStuck: () => void }) {
    this.#onStuck = o.onStuck;
    this.#lanes = {
      fast: new BoundedQueue({ name: 'fo.sendFast', max: 64, overflow: 'dropOldest' }),
      normal: new BoundedQueue({ name: 'fo.send', max: 512, overflow: 'refuse' }),
      stream: new BoundedQueue({ name: 'fo.sendStream', max: 64, overflow: 'dropOldest' }),
    };
  }

  attach(transport: FoTransport): void {
    this.detach();
    this.#transport = transport;
  }

  /** What still waits is forgotten: requests and events are sent again, Results are asked for again. */
  detach(): void {
    this.#transport = undefined;
    this.#unflushed = this.#unflushedFrames = 0;
    for (const lane of Object.values(this.#lanes)) lane.clear();
  }

  /** False when there is no connection. */
  push(lane: Lane, frame: FoFrame): boolean {
    if (!this.#transport) return false;
    const taken = this.#lanes[lane].push(frame);
    this.#pump();
    if (!taken) this.#onStuck();
    return taken;
  }

  stats(): BoundStats[] {
    return Object.values(this.#lanes).map((lane) => lane.stats());
  }

  #pump(): void {
    const transport = this.#transport;
    while (transport !== undefined && transport === this.#transport && this.#unflushed < HIGH_WATER_BYTES) {
      const frame = this.#lanes.fast.shift() ?? this.#ordinary(transport.maxUnflushed);
      if (frame === undefined) return;
      const { text } = frame;
      this.#unflushed += text.length;
      this.#unflushedFrames++;
      let flushed = false;
      const done = (): void => {
        if (flushed || transport !== this.#transport) return;
        flushed = true;
        this.#unflushed -= text.length;
        this.#unflushedFrames--;
        this.#pump();
      };
      transport.send(text, done, frame);
    }
  }

  #ordinary(maxFrames = Number.POSITIVE_INFINITY): FoFrame | undefined {
    if (this.#unflushedFrames >= maxFrames) return undefined;
    return this.#lanes.normal.shift() ?? this.#lanes.stream.shift();
  }
}
