/** P4: one setpoint of an operator → a profile at every station → all answers back. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { Operator } from '../e2e/operator.ts';
import { monotonicMs, usageOf } from '../harness/accounting.ts';
import { compared, interleaved, type Row, type RunOptions, rounded, type Scenario, typical } from '../harness/run.ts';
import type { Window } from '../harness/stats.ts';
import type { Reached } from '../load/protocol.ts';
import { loopDelayMs, pidOf, placeOf, startBenchGateway } from '../product/gateway.ts';
import { yardstick } from '../product/servers.ts';
import { GROUP_ID, rawStations, siteOf } from '../product/site.ts';
import { TRIGGER_PATH } from '../yardsticks/fan.ts';
import { type Load, prepared, startLoad, waiting } from './load.ts';

/** A fan-out that takes longer has failed. */
const WITHIN_MS = 20_000;
/** The site gives a station at most one command a second. */
const BETWEEN_MS = 1_200;
/** Time for work that follows the last answer. */
const AFTER_MS = 300;
const SETTLE_MS = 3_000;

export const fan: Scenario = async (o) => [
  ...(await fanOfSize(o, o.quick ? 200 : 1_000, o.rounds)),
  ...(o.quick ? [] : await fanOfSize(o, 5_000, Math.ceil(o.rounds / 2))),
];

/** One fan-out: the time from the order to the last answer, and the CPU that it took. */
interface FanOut {
  readonly time: Window;
  readonly cpu: Window;
}

/** The rows of one size of fleet. */
export async function fanOfSize(o: RunOptions, count: number, rounds: number): Promise<Row[]> {
  const load = await startLoad();
  const bare = await yardstick('fan', 'ocpp1.6');
  const trigger = new WebSocket(`ws://127.0.0.1:${bare.place.port}${TRIGGER_PATH}`);
  await once(trigger, 'open');
  const site = siteOf({ stations: rawStations('B', count, 'ac'), now: Date.now() });
  const gateway = await startBenchGateway({ site, flow: 'example' });
  let operator: Operator | undefined;
  try {
    const common = { do: 'connect', count, prefix: 'B', version: 'ocpp1.6' } as const;
    await load.ask({ ...common, set: 'ws', place: bare.place });
    await load.ask({ ...common, set: 'v2gate', place: await placeOf(gateway) });
    await load.ask({ do: 'begin', set: 'v2gate' });
    await load.ask({ do: 'meter', set: 'v2gate' });
    await prepared(load, 'v2gate');
    await sleep(SETTLE_MS);
    const group = { fsrId: 'bench-1', groupId: GROUP_ID, maxW: count * 11_000, minW: 0 };
    const steering = await Operator.over(await gateway.link('operators'), [group]);
    operator = steering;
    o.say(`fan: ${count} stations`);
    const order = {
      ws: async () => {
        const sent = monotonicMs();
        trigger.send('go');
        return sent;
      },
      // Targets that every station has to change for.
      v2gate: async (round: number) => {
        const watts = count * (round % 2 === 0 ? 6_000 : 9_000);
        return (await steering.setpoint(watts)).monotonicMs;
      },
    };
    const pids = { ws: bare.pid, v2gate: pidOf(gateway) };
    const cpu: Record<'ws' | 'v2gate', Window[]> = { ws: [], v2gate: [] };
    const times = await interleaved(['ws', 'v2gate'], rounds, async (kind, round) => {
      const made = await fanOut(load, kind, pids[kind], count, () => order[kind](round));
      if (round >= 0) cpu[kind].push(made.cpu);
      return made.time;
    });
    const facts = {
      'ws ms': typical(times.ws),
      'v2gate ms': typical(times.v2gate),
      'loop delay p99 ms': rounded(await loopDelayMs(gateway)),
    };
    return [
      compared(`fan.time/${count}`, times.v2gate, times.ws, facts),
      compared(`fan.cpu/${count}`, cpu.v2gate, cpu.ws, {
        'ws ms': typical(cpu.ws),
        'v2gate ms': typical(cpu.v2gate),
      }),
    ];
  } finally {
    await operator?.stop();
    trigger.terminate();
    await load.stop();
    await gateway.stop();
    await bare.stop();
  }
}

async function fanOut(
  load: Load,
  set: 'ws' | 'v2gate',
  pid: number,
  count: number,
  order: () => Promise<number>,
): Promise<FanOut> {
  // Meter values that show the last command, so that it counts as carried out.
  if (set === 'v2gate') await load.ask({ do: 'meter', set });
  await sleep(BETWEEN_MS);
  await load.ask({ do: 'mark', set });
  const before = usageOf(pid);
  const waited = waiting(pid, load.pid);
  const [sentAtMs, told] = await Promise.all([order(), load.ask<Reached>({ do: 'reached', set, withinMs: WITHIN_MS })]);
  const window = {
    ...waited(told.backAtMs - sentAtMs),
    ...(told.stations < count ? { failed: `${told.stations} of ${count} stations were reached` } : {}),
  };
  await sleep(AFTER_MS);
  const after = usageOf(pid);
  const spent = {
    ...window,
    lengthMs: after.atMs - before.atMs,
    waitedMs: after.waitedMs - before.waitedMs,
    value: after.onCpuMs - before.onCpuMs,
  };
  return { time: { ...window, value: told.backAtMs - sentAtMs }, cpu: spent };
}
