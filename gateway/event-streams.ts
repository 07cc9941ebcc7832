import type { Request, Response } from 'express';
import { type Clock, every, type TimerHandle } from '../core/clock.ts';
import type { Metrics } from '../core/metrics.ts';
import { type SseClient, SseClients } from './sse-clients.ts';

/** A comment goes out this often, so that proxies and browsers keep the stream open. */
const KEEP_ALIVE_MS = 15_000;

/** Server-sent events to a bounded number of consoles. A slow one misses events; it never slows anybody else. */
export class EventStreams {
  readonly #clients: SseClients<SseClient>;
  readonly #clock: Clock;
  readonly #dropped: { add(n?: number): void };
  readonly #keepAlive: TimerHandle;
  readonly #greet: () => readonly string[];

  /** `greet` gives the frames that a new client gets first. */
  constructor(o: { clock: Clock; metrics: Metrics; max: number; greet: () => readonly string[] }) {
    this.#clients = new SseClients('gateway.eventClients', o.max);
    this.#clock = o.clock;
    this.#greet = o.greet;
    this.#dropped = o.metrics.counter('v2gate_event_frames_dropped_total', 'Event frames that slow consoles missed');
    this.#keepAlive = every(o.clock, KEEP_ALIVE_MS, () => this.#write(': keep-alive\n\n'));
    o.metrics.collect('v2gate_bound', () => [this.#clients.stats()]);
  }

  get size(): number {
    return this.#clients.size;
  }

  /** Takes over a request as a stream. Half of all is the most for one `name`. Throws `api.tooManyClients`. */
  open(req: Request, res: Response, name?: string): void {
    this.#clients.open({ req, res, name });
    for (const frame of this.#greet()) res.write(frame);
  }

  /** Sends an event to every client that can take it. */
  broadcast(event: string, data: unknown): void {
    if (this.#clients.size > 0) this.#write(eventFrame(event, data));
  }

  /** Ends the streams of those who may not have them any more. */
  recheck(may: (req: Request) => boolean): void {
    this.#clients.recheck(may);
  }

  /** Ends all streams; clients connect again and are asked anew who they are. */
  disconnect(): void {
    this.#clients.disconnect();
  }

  close(): void {
    this.#keepAlive.cancel();
    this.disconnect();
  }

  #write(frame: string): void {
    const now = this.#clock.now();
    for (const client of this.#clients) {
      if (this.#clients.isBlocked(client, now)) this.#dropped.add();
      else this.#clients.write(client, frame, now);
    }
  }
}

/** One frame of a server-sent event stream. */
export function eventFrame(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
