import type { Request, Response } from 'express';
import type { BoundStats } from '../core/bounded.ts';
import { type Clock, every, type TimerHandle } from '../core/clock.ts';
import type { Trace, TraceFilter } from '../hub/trace/index.ts';
import { type SseClient, SseClients } from './sse-clients.ts';

const PERIOD_MS = 250;
/** Entries that one client gets at a time; what is more comes the next time. */
const BATCH = 200;
const KEEP_ALIVE_MS = 15_000;
const MAX_CLIENTS = 16;

interface Client extends SseClient {
  readonly filter: TraceFilter;
  /** The newest entry that was looked at for it. */
  seq: number;
  lastSentAt: number;
}

/**
 * The wire timeline as server-sent events. Nothing waits for a slow client: each has a place in the ring, and what has
 * left the ring before it came there is told as a gap.
 */
export class TimelineStreams {
  readonly #clients = new SseClients<Client>('gateway.timelineClients', MAX_CLIENTS);
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
    this.#clients.open({ req, res, name: o.name, filter: o.filter, seq, lastSentAt: now });
  }

  stats(): BoundStats {
    return this.#clients.stats();
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
    this.#timer.cancel();
    this.disconnect();
  }

  #tick(): void {
    const now = this.#clock.now();
    for (const client of this.#clients) if (!this.#clients.isBlocked(client, now)) this.#serve(client, now);
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
    this.#clients.write(client, frames, now);
  }
}
