import type { Request, Response } from 'express';
import { BoundedSet } from '../core/bounded.ts';
import { type Clock, every, type TimerHandle } from '../core/clock.ts';
import type { Metrics } from '../core/metrics.ts';
import { GATEWAY_ERRORS } from './errors.ts';

/** A comment goes out this often, so that proxies and browsers keep the stream open. */
const KEEP_ALIVE_MS = 15_000;
/** A client that took nothing for this long is cut off. */
const STUCK_MS = 30_000;

interface Client {
  readonly req: Request;
  readonly res: Response;
  /** Who looks, where people log in. */
  readonly name: string | undefined;
  /** When its socket buffer was first found full, epoch ms; undefined while it takes everything. */
  blockedSince?: number | undefined;
}

/** Server-sent events to a bounded number of consoles. A slow one misses events; it never slows anybody else. */
export class EventStreams {
  readonly #clients: BoundedSet<Client>;
  readonly #max: number;
  readonly #clock: Clock;
  readonly #dropped: { add(n?: number): void };
  readonly #keepAlive: TimerHandle;
  readonly #greet: () => readonly string[];

  /** `greet` gives the frames that a new client gets first. */
  constructor(o: { clock: Clock; metrics: Metrics; max: number; greet: () => readonly string[] }) {
    this.#clients = new BoundedSet({ name: 'gateway.eventClients', max: o.max, overflow: 'refuse' });
    this.#max = o.max;
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
    const client: Client = { req, res, name };
    if (hasHalf(this.#clients, name, this.#max) || !this.#clients.add(client))
      throw GATEWAY_ERRORS.fail('api.tooManyClients');
    res.on('drain', () => {
      client.blockedSince = undefined;
    });
    res.on('error', () => this.#clients.delete(client));
    req.on('close', () => this.#clients.delete(client));
    res.on('close', () => this.#clients.delete(client));
    res.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    res.write('retry: 2000\n\n');
    for (const frame of this.#greet()) res.write(frame);
  }

  /** Sends an event to every client that can take it. */
  broadcast(event: string, data: unknown): void {
    if (this.#clients.size > 0) this.#write(eventFrame(event, data));
  }

  /** Ends the streams of those who may not have them any more. */
  recheck(may: (req: Request) => boolean): void {
    for (const { req, res } of [...this.#clients]) if (!may(req)) res.end();
  }

  /** Ends all streams; clients connect again and are asked anew who they are. */
  disconnect(): void {
    for (const client of [...this.#clients]) client.res.end();
    this.#clients.clear();
  }

  close(): void {
    this.#keepAlive.cancel();
    this.disconnect();
  }

  #write(frame: string): void {
    const now = this.#clock.now();
    for (const client of [...this.#clients]) {
      if (client.blockedSince !== undefined) {
        this.#dropped.add();
        if (now - client.blockedSince > STUCK_MS) client.res.destroy();
      } else if (!client.res.write(frame)) {
        client.blockedSince = now;
      }
    }
  }
}

/** Whether one user has taken half of the places already. */
export function hasHalf(
  clients: Iterable<{ readonly name: string | undefined }>,
  name: string | undefined,
  max: number,
): boolean {
  if (name === undefined) return false;
  const own = [...clients].filter((c) => c.name === name).length;
  return own >= Math.ceil(max / 2);
}

/** One frame of a server-sent event stream. */
export function eventFrame(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
