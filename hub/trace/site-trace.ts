import type {
  CommandBatch,
  EnvelopeUpdate,
  OptChoice,
  ResultBody,
  ServiceTarget,
  SetLimit,
  WireMessage,
} from '../../model/index.ts';
import {
  batchNote,
  envelopeId,
  envelopeNote,
  isSampled,
  noticeNote,
  observedNote,
  resultNote,
  seriesOf,
  subjectOf,
  targetNote,
} from './notes.ts';
import type { TracePort } from './types.ts';

/** What a site puts into the wire timeline; does nothing where there is none. */
export class SiteTrace {
  readonly #port: TracePort | undefined;
  #limits = 0;
  /** The limit that is being set: envelopes that move now follow from it. */
  #setting: string | undefined;

  constructor(port: TracePort | undefined) {
    this.#port = port;
  }

  get port(): TracePort | undefined {
    return this.#port;
  }

  observed(message: WireMessage): void {
    const port = this.#port;
    if (port === undefined) return;
    if (isSampled(message)) {
      if (port.leavesOutAny() || port.leavesOut(seriesOf(message), subjectOf(message))) return;
    }
    port.note(observedNote(message));
  }

  /** A request led to a new target. */
  target(request: WireMessage, target: ServiceTarget): void {
    this.#port?.note(targetNote(request, target));
  }

  /** A request has its answer. */
  answered(request: WireMessage, result: ResultBody): void {
    this.#port?.note(resultNote(request, result));
  }

  allocated(batch: CommandBatch, fsrIds: Iterable<string>, cause: string | undefined): void {
    this.#port?.note(batchNote(batch, [...new Set(fsrIds)], cause));
  }

  notice(message: WireMessage): void {
    this.#port?.note(noticeNote(message));
  }

  opted(choice: OptChoice, by: string): void {
    this.#port?.note({ stage: 'service', direction: 'in', topic: 'hub/OptChoice', payload: choice, peer: by });
  }

  /** Sets a limit with `set`, and remembers which while that goes on. */
  async limit(limit: SetLimit, siteId: string, set: () => Promise<void>): Promise<void> {
    const id = `limit:${siteId}:${++this.#limits}`;
    this.#port?.note({
      stage: 'limit',
      direction: 'in',
      topic: 'hub/SetLimit',
      payload: limit,
      id,
      peer: limit.source,
    });
    this.#setting = id;
    try {
      await set();
    } finally {
      if (this.#setting === id) this.#setting = undefined;
    }
  }

  envelope(update: EnvelopeUpdate): void {
    const { series, ...note } = envelopeNote(update);
    const id = envelopeId(update);
    if (this.#setting === undefined) this.#port?.note({ ...note, id, series });
    else this.#port?.note({ ...note, id, cause: this.#setting });
  }
}
