import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../harness/accounting.ts';
import { call, Group, type GroupOptions, identityOf } from './group.ts';
import { bootCall, heartbeatCall } from './messages.ts';
import { RawStation } from './station.ts';

/** Between two heartbeats of one witness, ms. */
const BETWEEN_MS = 20;
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
  readonly roundTrips: readonly number[];
}

/**
 * All stations connect and boot as fast as they are let, while the witnesses go on with their heartbeats. A station that
 * is turned away tries again after 100 ms, at most 20 times.
 */
export async function storm(o: StormOptions, witnesses: Group): Promise<StormResult> {
  const joined: RawStation[] = [];
  const start = monotonicMs();
  let [next, failed, over] = [0, 0, false];
  const watching = watch(witnesses, () => over);
  const one = async (): Promise<void> => {
    for (let n = next++; n < o.count; n = next++) {
      const station = await join(o, n);
      if (station === undefined) failed++;
      else joined.push(station);
    }
  };
  await Promise.all(Array.from({ length: o.atOnce }, one));
  const ms = monotonicMs() - start;
  over = true;
  return { joined: new Group(joined), ms, failed, roundTrips: await watching };
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

/** Round trips of heartbeats for `ms`. */
export async function heartbeats(group: Group, ms: number): Promise<number[]> {
  const until = monotonicMs() + ms;
  return watch(group, () => monotonicMs() >= until);
}

async function watch(group: Group, over: () => boolean): Promise<number[]> {
  const trips: number[] = [];
  const one = async (s: RawStation): Promise<void> => {
    while (!over()) {
      const from = monotonicMs();
      await call(s, heartbeatCall());
      trips.push(monotonicMs() - from);
      await sleep(BETWEEN_MS);
    }
  };
  await Promise.all(group.stations.map(one));
  return trips;
}
