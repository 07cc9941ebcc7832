import type { CommandBatch, EnvelopeUpdate, OptChoice, SetLimit, WireMessage } from '../../model/index.ts';
import type { Decision } from '../site/types.ts';
import { batchNote, decisionNotes, envelopeId, envelopeNote, noticeNote, observedNote, seriesOf } from './notes.ts';
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
    const series = seriesOf(message);
    if (series === undefined || !port.leavesOut(series, series)) port.note(observedNote(message));
  }

  decided(message: WireMessage, decision: Decision): void {
    if (this.#port) for (const note of decisionNotes(message, decision)) this.#port.note(note);
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
