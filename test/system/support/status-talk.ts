import type { ForeignEvent, ForeignProgram, Payload } from './foreign.ts';

/** A CALL as it was on the wire. */
export interface Call {
  readonly action: string;
  readonly id: string;
  readonly payload: Payload;
  /** Epoch ms. */
  readonly at: number;
  readonly by: Speaker;
}

export type Speaker = 'station' | 'csms';

export interface Where {
  /** Only what comes after this {@link Talk.mark}. */
  readonly from?: number;
  readonly holds?: (payload: Payload) => boolean;
  readonly ms?: number;
}

const always = (): boolean => true;

/** What one station and its CSMS say to each other, as the foreign one of the two has it on the wire. */
export class Talk {
  readonly #program: ForeignProgram;
  readonly #peer: string;
  readonly #foreign: Speaker;

  constructor(program: ForeignProgram, peer: string, foreign: Speaker) {
    this.#program = program;
    this.#peer = peer;
    this.#foreign = foreign;
  }

  get mark(): number {
    return this.#program.mark;
  }

  /** The mark behind a CALL: what comes after it. */
  after({ id }: Pick<Call, 'id'>): number {
    const quoted = JSON.stringify(id);
    return this.#program.child.lines.findIndex((line) => line.includes(quoted)) + 1;
  }

  /** Any event of the foreign program that belongs to the station. */
  next(event: string, { from = 0, ms = 20_000 }: Where = {}): Promise<ForeignEvent> {
    return this.#program.next(event, (e) => e.peer === undefined || e.peer === this.#peer, ms, from);
  }

  /** The next CALL of this action. */
  async call(by: Speaker, action: string, { from = 0, holds = always, ms = 20_000 }: Where = {}): Promise<Call> {
    const event = by === this.#foreign ? 'sent' : 'received';
    const fits = (e: ForeignEvent): boolean => {
      const call = e.peer === this.#peer ? callOf(e, by) : undefined;
      return call?.action === action && holds(call.payload);
    };
    const found = callOf(await this.#program.next(event, fits, ms, from), by);
    if (found === undefined) throw new Error(`${action} is no CALL.`);
    return found;
  }

  /** What was answered; throws for a CALLERROR. */
  async answer(call: Pick<Call, 'action' | 'id' | 'at' | 'by'>, ms = 20_000): Promise<Payload> {
    const event = call.by === this.#foreign ? 'received' : 'sent';
    const fits = (e: ForeignEvent): boolean =>
      e.peer === this.#peer && e.at >= call.at && isAnswer(e.frame) && e.frame[1] === call.id;
    const { frame } = await this.#program.next(event, fits, ms);
    if (isAnswer(frame) && frame[0] === 3) return payloadOf(frame[2]);
    throw new Error(`${call.action} was answered with ${JSON.stringify(frame)}.`);
  }

  /** All CALLs of this action so far, after `from`. */
  calls(by: Speaker, action: string, from = 0): readonly Call[] {
    const event = by === this.#foreign ? 'sent' : 'received';
    return this.#program.child.lines
      .slice(from)
      .map(eventOf)
      .filter((e) => e?.event === event && e.peer === this.#peer)
      .flatMap((e) => (e === undefined ? [] : (callOf(e, by) ?? [])))
      .filter((c) => c.action === action);
  }
}

function eventOf(line: string): ForeignEvent | undefined {
  return line.startsWith('{') ? (JSON.parse(line) as ForeignEvent) : undefined;
}

function callOf({ frame, at }: ForeignEvent, by: Speaker): Call | undefined {
  if (!Array.isArray(frame) || frame[0] !== 2) return undefined;
  return { id: String(frame[1]), action: String(frame[2]), payload: payloadOf(frame[3]), at, by };
}

const isAnswer = (frame: unknown): frame is readonly unknown[] =>
  Array.isArray(frame) && (frame[0] === 3 || frame[0] === 4);

const payloadOf = (value: unknown): Payload => (typeof value === 'object' && value !== null ? { ...value } : {});
