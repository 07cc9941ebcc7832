/**
 * One setpoint of a flexibility operator over MQTT to many stations, through the product as users start it, beside a bare `ws`
 * fan-out of as many frames (performance 3: P4, P11; fo 2.4 class T1):
 *   node bench/e2e.ts [rounds] [stations]
 * Time runs from the frame that leaves the operator to the arrival of the last station's command. Operator, gateway,
 * stations and both sides of the yardstick are processes of their own; rounds of both alternate.
 */
import { availableParallelism } from 'node:os';
import { Operator } from './e2e/operator.ts';
import { cpuMs, Stations, startGateway, Yardstick } from './e2e/processes.ts';

const ROUNDS = Number(process.argv[2] ?? 40);
const STATIONS = Number(process.argv[3] ?? 500);
const WAIT_MS = 1_600;
const SETTLE_MS = 15_000;
const GOAL_MS = 250;

interface Sample {
  readonly productMs: number;
  readonly yardstickMs: number;
  readonly reached: number;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function quantile(xs: readonly number[], q: number): number {
  const sorted = [...xs].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

/** Targets that every station has to change for: a third and two thirds of what they can draw. */
const targetOf = (round: number): number => STATIONS * (round % 2 === 0 ? 4_000 : 8_000);

async function measure(operator: Operator, stations: Stations, yardstick: Yardstick): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    stations.mark();
    await sleep(50);
    const { sentAtMs } = await operator.setpoint(targetOf(i));
    await sleep(WAIT_MS);
    const seen = await stations.report();
    const bare = await yardstick.round(300);
    if (bare.receipts !== STATIONS) throw new Error(`the yardstick reached ${bare.receipts} of ${STATIONS}`);
    samples.push({
      productMs: seen.lastAtMs - sentAtMs,
      yardstickMs: bare.lastAtMs - bare.sentAtMs,
      reached: seen.stations,
    });
  }
  return samples;
}

function show(samples: readonly Sample[], cpuPerRoundMs: number): void {
  const product = samples.map((s) => s.productMs);
  const ratios = samples.map((s) => s.productMs / s.yardstickMs);
  const [p50, p95, max] = [0.5, 0.95, 1].map((q) => quantile(product, q).toFixed(1));
  const bare = [0.5, 0.95].map((q) =>
    quantile(
      samples.map((s) => s.yardstickMs),
      q,
    ).toFixed(1),
  );
  const least = Math.min(...samples.map((s) => s.reached));
  console.log(`${STATIONS} stations, ${samples.length} rounds, ${availableParallelism()} cores`);
  console.log(`frame → last station command: p50 ${p50} ms, p95 ${p95} ms, max ${max} ms (goal p95 ≤ ${GOAL_MS} ms)`);
  console.log(`bare ws fan-out:              p50 ${bare[0]} ms, p95 ${bare[1]} ms`);
  console.log(
    `ratio: median ${quantile(ratios, 0.5).toFixed(2)} (${quantile(ratios, 0.05).toFixed(2)}–${quantile(ratios, 0.95).toFixed(2)})`,
  );
  console.log(
    `stations reached within ${WAIT_MS} ms: at least ${least} of ${STATIONS}; gateway CPU per round ${cpuPerRoundMs.toFixed(0)} ms`,
  );
}

const gateway = await startGateway(STATIONS, {});
const yardstick = await Yardstick.start(STATIONS);
let stations: Stations | undefined;
let operator: Operator | undefined;
try {
  stations = await Stations.start(await gateway.link('stations'), STATIONS);
  await sleep(SETTLE_MS);
  operator = await Operator.start(await gateway.link('operators'), STATIONS);
  await operator.setpoint(targetOf(1));
  await sleep(5_000);
  const pid = gateway.child.pid ?? 0;
  const before = await cpuMs(pid);
  const samples = await measure(operator, stations, yardstick);
  show(samples, ((await cpuMs(pid)) - before) / ROUNDS);
} finally {
  await operator?.stop();
  await stations?.stop();
  yardstick.stop();
  await gateway.stop();
}
