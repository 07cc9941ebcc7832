import type { NodeMessage } from 'node-red';
import { BoundedQueue } from '../../core/bounded.ts';
import { type Clock, iso } from '../../core/clock.ts';
import { redact } from '../../core/redact.ts';
import { isLargerThan } from './workbench/extent.ts';

/** A message that passed the node, without secrets. */
export interface RecentMessage {
  /** RFC 3339. */
  readonly at: string;
  readonly topic?: string;
  /** Absent when it was too large to be kept. */
  readonly payload?: unknown;
  readonly ctx?: unknown;
  /** Code of the error that the mapping or the node answered with. */
  failed?: string;
}

const MAX_MESSAGES = 5;
/** Copies are not for free: of a burst only the first is kept. */
const GAP_MS = 100;
const MAX_VALUES = 4000;
/** Samples are for running the mapping again, so they are kept whole where the log would shorten them. */
const WHOLE = { depth: 24, keys: 500, items: 500 };

/** The last messages of one node for its workbench: at most 5, redacted, in memory only. */
export class RecentMessages {
  readonly #clock: Clock;
  readonly #kept = new BoundedQueue<RecentMessage>({ name: 'map.recent', max: MAX_MESSAGES, overflow: 'dropOldest' });
  #last = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keeps a copy; the result is told when the message fails. */
  note(message: NodeMessage, ctx: unknown): RecentMessage | undefined {
    const now = this.#clock.now();
    if (now - this.#last < GAP_MS && now >= this.#last) return undefined;
    this.#last = now;
    const topic = typeof message.topic === 'string' ? { topic: message.topic.slice(0, 200) } : {};
    const small = !isLargerThan([message.payload, ctx], MAX_VALUES);
    const copied = small ? { payload: redact(message.payload, '', WHOLE), ctx: redact(ctx, '', WHOLE) } : {};
    const kept: RecentMessage = { at: iso(now), ...topic, ...copied };
    this.#kept.push(kept);
    return kept;
  }

  /** The newest first. */
  list(): readonly RecentMessage[] {
    return [...this.#kept].reverse();
  }
}
