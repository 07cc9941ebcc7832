import type { Request, Response } from 'express';
import { BoundedSet, type BoundStats } from '../core/bounded.ts';
import { GATEWAY_ERRORS } from './errors.ts';

/** A client that took nothing for this long is cut off. */
const STUCK_MS = 30_000;

/** A console that listens to server-sent events. */
export interface SseClient {
  readonly req: Request;
  readonly res: Response;
  /** Who looks, where people log in. */
  readonly name: string | undefined;
  /** When its socket buffer was first found full, epoch ms; undefined while it takes everything. */
  blockedSince?: number | undefined;
}

/** The clients of one kind of stream: so many, half of them at most for one name, each gone with its connection. */
export class SseClients<C extends SseClient> implements Iterable<C> {
  readonly #clients: BoundedSet<C>;
  readonly #max: number;

  constructor(name: string, max: number) {
    this.#clients = new BoundedSet({ name, max, overflow: 'refuse' });
    this.#max = max;
  }

  get size(): number {
    return this.#clients.size;
  }

  stats(): BoundStats {
    return this.#clients.stats();
  }

  /** A copy: who is cut off while somebody goes through the clients leaves no hole. */
  [Symbol.iterator](): Iterator<C> {
    return [...this.#clients][Symbol.iterator]();
  }

  /** Takes over a request as a stream. Throws `api.tooManyClients`. */
  open(client: C): void {
    const { req, res } = client;
    if (this.#hasHalf(client.name) || !this.#clients.add(client)) throw GATEWAY_ERRORS.fail('api.tooManyClients');
    const gone = (): void => void this.#clients.delete(client);
    res.on('drain', () => {
      client.blockedSince = undefined;
    });
    res.on('error', gone);
    res.on('close', gone);
    req.on('close', gone);
    res.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    res.write('retry: 2000\n\n');
  }

  /** Writes to a client that takes what it gets. */
  write(client: C, frames: string, now: number): void {
    if (!client.res.write(frames)) client.blockedSince = now;
  }

  /** True for a client that cannot take anything now; cuts it off when that has been so for too long. */
  isBlocked(client: C, now: number): boolean {
    if (client.blockedSince === undefined) return false;
    if (now - client.blockedSince > STUCK_MS) client.res.destroy();
    return true;
  }

  /** Ends the streams of those who may not have them any more. */
  recheck(may: (req: Request) => boolean): void {
    for (const { req, res } of this) if (!may(req)) res.end();
  }

  /** Ends all streams; clients connect again and are asked anew who they are. */
  disconnect(): void {
    for (const { res } of this) res.end();
    this.#clients.clear();
  }

  /** Whether one user has taken half of the places already. */
  #hasHalf(name: string | undefined): boolean {
    if (name === undefined) return false;
    return [...this.#clients].filter((c) => c.name === name).length >= Math.ceil(this.#max / 2);
  }
}
