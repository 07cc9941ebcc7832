import type { TracePort } from '../../hub/ports.ts';
import { fsrIdsOf } from '../../hub/trace/notes.ts';
import type { ResultBody, WireMessage } from '../../model/index.ts';
import type { FoInbound, FoType } from '../../protocols/fo/index.ts';

/** Puts what passes between the gateway and operators into the wire timeline. */
export class FoTap {
  readonly #trace: TracePort | undefined;
  readonly #link: string;

  constructor(trace: TracePort | undefined, link: string) {
    this.#trace = trace;
    this.#link = link;
  }

  received(m: FoInbound): void {
    this.#trace?.note({
      stage: 'fo',
      direction: 'in',
      topic: `fo1/${m.type}`,
      payload: m.body,
      id: m.messageId,
      link: this.#link,
      peer: m.peer,
      fsrIds: fsrIdsOf(m.body),
    });
  }

  /** `replyTo`: the party and the message that is answered. */
  answered(replyTo: string, result: ResultBody): void {
    const at = replyTo.indexOf('/');
    const cause = replyTo.slice(at + 1);
    this.#trace?.note({
      stage: 'fo',
      direction: 'out',
      topic: 'fo1/Result',
      payload: result,
      id: `${cause}/result`,
      cause,
      link: this.#link,
      peer: replyTo.slice(0, Math.max(0, at)),
    });
  }

  sent(type: FoType, { payload, v2gate }: WireMessage): void {
    this.#trace?.note({
      stage: 'fo',
      direction: 'out',
      topic: `fo1/${type}`,
      payload,
      id: `${v2gate.id}/sent`,
      cause: v2gate.id,
      link: this.#link,
      peer: v2gate.peer,
      fsrIds: fsrIdsOf(payload),
      ...(type === 'Telemetry' ? { series: `telemetry ${v2gate.peer}` } : {}),
    });
  }
}
