import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../harness/accounting.ts';
import { call, Group, type GroupOptions, identityOf } from './group.ts';
import { bootCall, heartbeatCall } from './messages.ts';
import { RawStation } from './station.ts';

/** Between two heartbeats of one witness, ms. */
const BETWEEN_MS = 50;
const RETRIES = 20;
const RETRY_MS = 100;

export interface StormOptions extends GroupOptions {
  /** Stations that connect at the same time. */
  readonly atOnce: number;
}

export interface StormResult {
  readonly joined: Group;
  readonly ms: number;
  readonly failed: number;
}

/**
 * All stations connect and boot as fast as they are let. A station that is turned away tries again after 100 ms, at most
 * 20 times.
 */
export async function storm(o: StormOptions): Promise<StormResult> {
  const joined: RawStation[] = [];
  const start = monotonicMs();
  let [next, failed] = [0, 0];
  const one = async (): Promise<void> => {
    for (let n = next++; n < o.count; n = next++) {
      const station = await join(o, n);
      if (station === undefined) failed++;
      else joined.push(station);
    }
  };
  await Promise.all(Array.from({ length: o.atOnce }, one));
  return { joined: new Group(joined), ms: monotonicMs() - start, failed };
}

async function join(o: StormOptions, n: number): Promise<RawStation | undefined> {
  for (let attempt = 0; attempt < RETRIES; attempt++) {
    try {
      const station = await RawStation.connect(o.place, identityOf(o.prefix, n), o.version, false);
      await call(station, bootCall(o.version));
      return station;
    } catch {
      await sleep(RETRY_MS);
    }
  }
  return undefined;
}

/** Each station of a group sends a heartbeat, waits for its answer, rests, and begins again. */
export class Watch {
  readonly #trips: number[] = [];
  readonly #over: Promise<unknown>;
  #ending = false;

  constructor(group: Group) {
    this.#over = Promise.all(group.stations.map((s, n) => this.#one(s, n)));
  }

  /** Round trips until now, ms, once all are answered. */
  async end(): Promise<number[]> {
    this.#ending = true;
    await this.#over;
    return this.#trips;
  }

  async #one(s: RawStation, n: number): Promise<void> {
    // Not all in the same moment.
    await sleep(n % BETWEEN_MS);
    while (!this.#ending) {
      const from = monotonicMs();
      await call(s, heartbeatCall());
      this.#trips.push(monotonicMs() - from);
      await sleep(BETWEEN_MS);
    }
  }
}
