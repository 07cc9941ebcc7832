import { Child, type ChildOptions } from './child.ts';

/** One line of a foreign program; the fields depend on `event`. */
export interface ForeignEvent {
  /** Epoch ms. */
  readonly at: number;
  readonly event: string;
  readonly status?: string;
  readonly powerW?: number;
  readonly importWh?: number;
  readonly exportWh?: number;
  readonly targetW?: number;
  readonly [field: string]: unknown;
}

/** A call, an answer or an error of OCPP-J, as the foreign side had it on the wire. */
export type Frame = readonly [type: number, id: string, ...rest: unknown[]];

export type Holds = (e: ForeignEvent) => boolean;

const always: Holds = () => true;

/** A program that knows nothing of v2gate and speaks the control channel that `python/control.py` describes. */
export class ForeignProgram {
  readonly child: Child;
  readonly #events: ForeignEvent[] = [];
  #read = 0;
  #orders = 0;

  constructor(o: ChildOptions) {
    this.child = new Child(o);
  }

  get events(): readonly ForeignEvent[] {
    const { lines } = this.child;
    for (; this.#read < lines.length; this.#read++) this.#events.push(...parse(lines[this.#read] ?? ''));
    return this.#events;
  }

  /** How many lines there are: pass it to `next` to look only at what comes after now. */
  get mark(): number {
    return this.child.lines.length;
  }

  next(event: string, holds: Holds = always, ms = 15_000, from = 0): Promise<ForeignEvent> {
    const find = (line: string): ForeignEvent | undefined => parse(line).find((e) => e.event === event && holds(e));
    return this.child.find(`the event "${event}"`, find, ms, from);
  }

  /** The newest event of a name. */
  last(event: string): ForeignEvent | undefined {
    return this.events.findLast((e) => e.event === event);
  }

  /** Gives an order and does not wait. */
  say(order: string, fields: object = {}): void {
    this.child.say(JSON.stringify({ do: order, ...fields }));
  }

  /** Gives an order and waits until it is carried out; throws with the reason where it is not. */
  async tell(order: string, fields: object = {}, ms = 15_000): Promise<void> {
    const from = this.mark;
    const n = ++this.#orders;
    this.say(order, { ...fields, n });
    const find = (line: string): ForeignEvent | undefined =>
      parse(line).find((e) => (e.event === 'done' || e.event === 'failed') && e.n === n);
    const end = await this.child.find(`the end of "${order}"`, find, ms, from);
    if (end.event === 'failed') throw new Error(`${order}: ${String(end.why)}`);
  }

  /** Sends a CALL of OCPP from there and answers its payload, or `{ error, description }`. */
  async call(action: string, payload: object = {}, to: object = {}, ms = 20_000): Promise<Record<string, unknown>> {
    const from = this.mark;
    const id = `call-${++this.#orders}`;
    await this.tell('call', { action, payload, id, ...to }, ms);
    const { payload: answer, error, description } = await this.next('answer', (e) => e.id === id, 1_000, from);
    return typeof error === 'string' ? { error, description } : { ...(answer as object) };
  }

  stop(): Promise<string> {
    return this.child.stop();
  }
}

/** Fields of a CALL. */
export type Payload = Readonly<Record<string, unknown>>;

const isCall = (frame: unknown, action: string): frame is readonly [2, string, string, Payload] =>
  Array.isArray(frame) && frame[0] === 2 && frame[2] === action;

/** One station of a foreign CSMS that serves several. */
export class ForeignPeer {
  readonly peer: string;
  readonly #csms: ForeignProgram;

  constructor(csms: ForeignProgram, peer: string) {
    this.#csms = csms;
    this.peer = peer;
  }

  get mark(): number {
    return this.#csms.mark;
  }

  next(event: string, holds: Holds = always, ms = 15_000, from = 0): Promise<ForeignEvent> {
    return this.#csms.next(event, (e) => e.peer === this.peer && holds(e), ms, from);
  }

  call(action: string, payload: object = {}): Promise<Record<string, unknown>> {
    return this.#csms.call(action, payload, { peer: this.peer });
  }

  tell(order: string, fields: object = {}): Promise<void> {
    return this.#csms.tell(order, { ...fields, peer: this.peer });
  }

  /** The payload of the next CALL that this station sends, of what comes after `from`. */
  async received(action: string, from = 0, holds: (payload: Payload) => boolean = () => true): Promise<Payload> {
    const e = await this.next('received', (x) => isCall(x.frame, action) && holds(x.frame[3]), 15_000, from);
    return isCall(e.frame, action) ? e.frame[3] : {};
  }
}

/** A station of another make. Its socket stays open until `stop`. */
export class ForeignStation extends ForeignProgram {
  /** Ends the transaction and closes the socket. */
  override async stop(): Promise<string> {
    if (this.child.running) this.say('stop');
    await this.next('stopped', always, 5_000).catch(() => undefined);
    return this.child.stop();
  }

  /** What its vehicle counted between two moments, epoch ms, in Wh. */
  async energy(start: number, end: number): Promise<{ readonly importWh: number; readonly exportWh: number }> {
    const from = this.mark;
    this.say('energy', { start, end });
    const { importWh, exportWh } = await this.next('energy', always, 5_000, from);
    return { importWh: importWh ?? Number.NaN, exportWh: exportWh ?? Number.NaN };
  }
}

function parse(line: string): readonly ForeignEvent[] {
  if (!line.startsWith('{')) return [];
  const value: unknown = JSON.parse(line);
  return isEvent(value) ? [value] : [];
}

function isEvent(value: unknown): value is ForeignEvent {
  return typeof value === 'object' && value !== null && 'event' in value && 'at' in value;
}
