/**
 * One setpoint of an operator over MQTT to many simulated stations of all versions (fo 2.4 class T1), beside a bare `ws`
 * fan-out of as many frames. Time runs from the frame that leaves the operator to the arrival of the last command.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Operator } from '../e2e/operator.ts';
import { Stations, startGateway, Yardstick } from '../e2e/processes.ts';
import { usageOf } from '../harness/accounting.ts';
import { pin } from '../harness/children.ts';
import { rounded, type Scenario, singleOf } from '../harness/run.ts';
import { median, quantile } from '../harness/stats.ts';

const WAIT_MS = 1_600;
const SETTLE_MS = 15_000;
const GOAL_MS = 250;

interface Sample {
  readonly productMs: number;
  readonly yardstickMs: number;
  readonly reached: number;
}

export const e2e: Scenario = async (o) => {
  const count = o.quick ? 100 : 500;
  const rounds = o.quick ? 5 : Math.max(20, o.rounds);
  const gateway = await startGateway(count, {});
  const yardstick = await Yardstick.start(count);
  let stations: Stations | undefined;
  let operator: Operator | undefined;
  try {
    const pid = gateway.child.pid ?? 0;
    pin(pid, 'server');
    stations = await Stations.start(await gateway.link('stations'), count);
    await sleep(SETTLE_MS);
    operator = await Operator.start(await gateway.link('operators'), count);
    await operator.setpoint(targetOf(1, count));
    await sleep(5_000);
    o.say(`e2e: ${count} simulated stations`);
    const before = usageOf(pid);
    const samples: Sample[] = [];
    for (let i = 0; i < rounds; i++) samples.push(await sample(i, count, { operator, stations, yardstick }));
    const cpuMs = (usageOf(pid).onCpuMs - before.onCpuMs) / rounds;
    const product = samples.map((s) => s.productMs);
    const p95 = quantile(product, 0.95);
    const least = Math.min(...samples.map((s) => s.reached));
    const facts = {
      'p50 ms': rounded(median(product)),
      'p95 ms': rounded(p95),
      'bare ws p50 ms': rounded(median(samples.map((s) => s.yardstickMs))),
      'gateway CPU per round ms': rounded(cpuMs),
      'least stations reached': least,
      stations: count,
    };
    return [singleOf('e2e', least < count ? undefined : p95 / GOAL_MS, rounds, facts)];
  } finally {
    await operator?.stop();
    await stations?.stop();
    yardstick.stop();
    await gateway.stop();
  }
};

/** Targets that every station has to change for: a third and two thirds of what they can draw. */
const targetOf = (round: number, count: number): number => count * (round % 2 === 0 ? 4_000 : 8_000);

async function sample(
  round: number,
  count: number,
  w: { readonly operator: Operator; readonly stations: Stations; readonly yardstick: Yardstick },
): Promise<Sample> {
  w.stations.mark();
  await sleep(50);
  const { sentAtMs } = await w.operator.setpoint(targetOf(round, count));
  await sleep(WAIT_MS);
  const seen = await w.stations.report();
  const bare = await w.yardstick.round(300);
  if (bare.receipts !== count) throw new Error(`the yardstick reached ${bare.receipts} of ${count}`);
  return {
    productMs: seen.lastAtMs - sentAtMs,
    yardstickMs: bare.lastAtMs - bare.sentAtMs,
    reached: seen.stations,
  };
}
