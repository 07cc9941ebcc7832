import type { Request, Response } from 'express';
import { BoundedSet, type BoundStats } from '../core/bounded.ts';
import { type Clock, every, type TimerHandle } from '../core/clock.ts';
import type { Trace, TraceFilter } from '../hub/trace/index.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import { hasHalf } from './event-streams.ts';

const PERIOD_MS = 250;
/** Entries that one client gets at a time; what is more comes the next time. */
const BATCH = 200;
const KEEP_ALIVE_MS = 15_000;
/** A client that took nothing for this long is cut off. */
const STUCK_MS = 30_000;
const MAX_CLIENTS = 16;

interface Client {
  readonly req: Request;
  readonly res: Response;
  /** Who looks, where people log in. */
  readonly name: string | undefined;
  readonly filter: TraceFilter;
  /** The newest entry that was looked at for it. */
  seq: number;
  lastSentAt: number;
  blockedSince?: number | undefined;
}

/**
 * The wire timeline as server-sent events. Nothing waits for a slow client: each has a place in the ring, and what has
 * left the ring before it came there is told as a gap.
 */
export class TimelineStreams {
  readonly #clients = new BoundedSet<Client>({
    name: 'gateway.timelineClients',
    max: MAX_CLIENTS,
    overflow: 'refuse',
  });
  readonly #clock: Clock;
  readonly #trace: Trace;
  readonly #timer: TimerHandle;

  /** `clock` is the machine's. */
  constructor(clock: Clock, trace: Trace) {
    this.#clock = clock;
    this.#trace = trace;
    this.#timer = every(clock, PERIOD_MS, () => this.#tick());
  }

  /** Takes over a request as a stream. Half of all is the most for one `name`. Throws `api.tooManyClients`. */
  open(
    req: Request,
    res: Response,
    o: { readonly filter: TraceFilter; readonly after?: number | undefined; readonly name?: string | undefined },
  ): void {
    const now = this.#clock.now();
    const { newestSeq } = this.#trace;
    // A number of before a restart is ahead of everything.
    const seq = Math.min(o.after ?? newestSeq, newestSeq);
    const client: Client = { req, res, name: o.name, filter: o.filter, seq, lastSentAt: now };
    if (hasHalf(this.#clients, o.name, MAX_CLIENTS) || !this.#clients.add(client))
      throw GATEWAY_ERRORS.fail('api.tooManyClients');
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

  stats(): BoundStats {
    return this.#clients.stats();
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
    this.#timer.cancel();
    this.disconnect();
  }

  #tick(): void {
    const now = this.#clock.now();
    for (const client of [...this.#clients]) {
      if (client.blockedSince === undefined) this.#serve(client, now);
      else if (now - client.blockedSince > STUCK_MS) client.res.destroy();
    }
  }

  #serve(client: Client, now: number): void {
    const { newestSeq } = this.#trace;
    if (newestSeq === client.seq) {
      if (now - client.lastSentAt >= KEEP_ALIVE_MS) this.#write(client, ': keep-alive\n\n', now);
      return;
    }
    const missed = this.#trace.gapAfter(client.seq);
    const { entries } = this.#trace.page(client.filter, { after: client.seq, limit: BATCH });
    const frames = entries.map((e) => `id: ${e.seq}\nevent: entry\ndata: ${JSON.stringify(e)}\n\n`);
    if (missed > 0) frames.unshift(`event: gap\ndata: ${JSON.stringify({ missed })}\n\n`);
    client.seq = entries.length < BATCH ? newestSeq : (entries.at(-1)?.seq ?? newestSeq);
    if (frames.length > 0) this.#write(client, frames.join(''), now);
  }

  #write(client: Client, frames: string, now: number): void {
    client.lastSentAt = now;
    if (!client.res.write(frames)) client.blockedSince = now;
  }
}
