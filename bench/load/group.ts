import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../harness/accounting.ts';
import { ReusedFrame } from './frames.ts';
import { openingCalls, type Version } from './messages.ts';
import type { Exchanged, Lowered, Lowering, Reached } from './protocol.ts';
import { type Place, RawStation } from './station.ts';

/** Upgrades that are open at once where nobody is in a hurry. */
const CONNECT_AT_ONCE = 50;
const DRAIN_MS = 5_000;
const CALL_MS = 60_000;
/** A time in a frame may be so old, ms. */
const CLOCK_MS = 50;

export interface GroupOptions {
  readonly place: Place;
  readonly count: number;
  readonly prefix: string;
  readonly version: Version;
  readonly echoed?: boolean;
}

/** Stations that are driven together. */
export class Group {
  readonly stations: readonly RawStation[];
  #pace: NodeJS.Timeout | undefined;
  /** Stations whose paced meter value is not answered yet. */
  readonly #busy = new Set<RawStation>(); // bounded by: the stations of the group

  constructor(stations: readonly RawStation[]) {
    this.stations = stations;
  }

  static async connect({ place, count, prefix, version, echoed = false }: GroupOptions): Promise<Group> {
    const stations: RawStation[] = [];
    for (let i = 0; i < count; i += CONNECT_AT_ONCE) {
      const some = Array.from({ length: Math.min(CONNECT_AT_ONCE, count - i) }, (_, j) =>
        RawStation.connect(place, identityOf(prefix, i + j), version, echoed),
      );
      stations.push(...(await Promise.all(some)));
    }
    return new Group(stations);
  }

  /** Boot, state, transaction: every station up to its first meter value. Rejects when an answer is missing or wrong. */
  async begin(): Promise<void> {
    const queue = [...this.stations];
    const one = async (): Promise<void> => {
      for (let s = queue.shift(); s !== undefined; s = queue.shift()) await begin(s);
    };
    await Promise.all(Array.from({ length: CONNECT_AT_ONCE }, one));
  }

  /** Closed loop: each answer is followed by the next meter value, for `ms`. */
  async up(ms: number): Promise<Exchanged> {
    let [sent, answers, wrong, running] = [0, 0, 0, true];
    let at = new Date().toISOString();
    const clock = setInterval(() => (at = new Date().toISOString()), CLOCK_MS);
    for (const s of this.stations) {
      s.onAnswer = (fits) => {
        answers++;
        if (!fits) wrong++;
        if (!running) return;
        sent++;
        s.meter(at);
      };
      sent++;
      s.meter(at);
    }
    await sleep(ms);
    running = false;
    clearInterval(clock);
    for (let waited = 0; waited < DRAIN_MS && answers < sent; waited += 5) await sleep(5);
    this.#release();
    return { answers, wrong, lost: sent - answers };
  }

  /** One meter value each. */
  meter(): Promise<Exchanged> {
    return this.up(0);
  }

  pace(perSecond: number): void {
    clearInterval(this.#pace);
    this.#busy.clear();
    if (perSecond === 0) {
      this.#release();
      return;
    }
    const from = monotonicMs();
    let [turn, made] = [0, 0];
    this.#pace = setInterval(() => {
      const at = new Date().toISOString();
      for (const due = ((monotonicMs() - from) * perSecond) / 1000; made < due; made++) {
        const s = this.stations[turn++ % this.stations.length];
        // A station whose last value is still on its way keeps this one to itself.
        if (s === undefined || this.#busy.has(s)) continue;
        this.#busy.add(s);
        s.onAnswer = () => this.#busy.delete(s);
        s.meter(at);
      }
    }, 10);
  }

  mark(): void {
    for (const s of this.stations) s.mark();
  }

  /** Waits for a profile at each of these stations since the mark, and for the server to have read all answers. */
  async reached(withinMs: number, only?: readonly string[]): Promise<Reached> {
    const meant = only === undefined ? this.stations : this.stations.filter((s) => only.includes(s.identity));
    const all = new Promise<void>((resolve) => {
      let missing = meant.filter((s) => s.commandedAtMs === undefined).length;
      if (missing === 0) resolve();
      for (const s of meant) {
        if (s.commandedAtMs !== undefined) continue;
        s.onCommand = () => {
          s.onCommand = undefined;
          if (--missing === 0) resolve();
        };
      }
    });
    await Promise.race([all, sleep(withinMs, undefined, { ref: false })]);
    for (const s of meant) s.onCommand = undefined;
    const times = meant.flatMap((s) => (s.commandedAtMs === undefined ? [] : [s.commandedAtMs]));
    const lastAtMs = Math.max(0, ...times);
    const last = meant.find((s) => s.commandedAtMs === lastAtMs);
    return {
      stations: times.length,
      commands: meant.reduce((sum, s) => sum + s.commands, 0),
      firstAtMs: Math.min(...times),
      lastAtMs,
      backAtMs: last === undefined ? Number.NaN : await pong(last),
    };
  }

  /** Waits until some stations together may draw no more than `sumW`. */
  async lowered({ only, sumW, withinMs }: Lowering): Promise<Lowered> {
    const meant = this.stations.filter((s) => only.includes(s.identity));
    const drawn = (): number => meant.reduce((sum, s) => sum + s.powerW, 0);
    const fromW = drawn();
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, withinMs);
      const look = (): void => {
        if (drawn() > sumW) return;
        clearTimeout(late);
        resolve();
      };
      for (const s of meant) s.onCommand = look;
      look();
    });
    const atMs = monotonicMs();
    for (const s of meant) s.onCommand = undefined;
    return { fromW, sumW: drawn(), atMs };
  }

  close(): void {
    clearInterval(this.#pace);
    for (const s of this.stations) s.close();
  }

  #release(): void {
    for (const s of this.stations) s.onAnswer = undefined;
  }
}

export const identityOf = (prefix: string, n: number): string => `${prefix}-${n + 1}`;

/** Sends one CALL; resolves to the text of its answer. */
export function call(s: RawStation, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${s.identity} got no answer to ${text.slice(0, 60)}`)), CALL_MS);
    s.onAnswer = (fits, body) => {
      clearTimeout(late);
      s.onAnswer = undefined;
      if (fits) resolve(body.toString());
      else reject(new Error(`${s.identity} got a wrong answer: ${body.toString().slice(0, 200)}`));
    };
    s.say(new ReusedFrame(text), new Date().toISOString());
  });
}

async function begin(s: RawStation): Promise<void> {
  const transactionId = `tx-${s.identity}`;
  s.transactionId = transactionId;
  for (const text of openingCalls(s.version, transactionId)) {
    const [, id] = /"transactionId":(\d+)/.exec(await call(s, text)) ?? [];
    if (id !== undefined) s.transactionId = Number(id);
  }
}

function pong(s: RawStation): Promise<number> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(Number.NaN), DRAIN_MS);
    s.onPong = () => {
      clearTimeout(late);
      s.onPong = undefined;
      resolve(monotonicMs());
    };
    s.ping();
  });
}
