/**
 * The soak (issue Proof): `node bench/soak.ts [--hours 2 | --minutes 3] [--stations 1000] [--note text]`.
 * A gateway with simulated stations that reconnect (three a second), full deploys every minute and setpoints every 4 s;
 * says whether memory, handles, timers, sockets and event-loop delay stay flat after the warm-up. Exits with 1 if not.
 */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { GatewayProcess } from '../test/system/support/gateway.ts';
import { Operator } from './e2e/operator.ts';
import { Stations, startGateway } from './e2e/processes.ts';
import { benchSite } from './e2e/site.ts';
import { flatText, keepSoak, type SoakRun, type SoakSeries } from './harness/report.ts';
import { commit, machine } from './harness/run.ts';
import { loopDelayMs } from './product/gateway.ts';
import { GROUP_ID } from './product/site.ts';
import type { ProbeLine } from './soak/probe.ts';
import { judged, type Point } from './soak/series.ts';
import { type Done, startWork } from './soak/work.ts';

const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '2' },
    minutes: { type: 'string' },
    stations: { type: 'string', default: '1000' },
    note: { type: 'string' },
  },
});
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const lengthMs = values.minutes === undefined ? Number(values.hours) * HOUR_MS : Number(values.minutes) * MINUTE_MS;
const count = Number(values.stations);
/** A sample a minute, and at least twenty. */
const periodMs = Math.min(MINUTE_MS, lengthMs / 20);
/** Of the whole. */
const WARM_UP = 0.25;
const SETTLE_MS = 20_000;

/** What is read from outside, once per period. */
interface Outside {
  readonly at: number;
  readonly loopDelayMs: number;
  readonly storeMB: number;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function run(): Promise<SoakRun> {
  const about = machine();
  const folder = await mkdtemp(join(tmpdir(), 'v2gate-soak-'));
  const file = join(folder, 'probe.jsonl');
  const done: Done = { setpoints: 0, refusedSetpoints: 0, reconnects: 0, deploys: 0 };
  const started = Date.now();
  const gateway = await startGateway(count, { SOAK_FILE: file, SOAK_PERIOD_MS: String(periodMs) }, [
    '--expose-gc',
    '--import',
    join(import.meta.dirname, 'soak/probe.ts'),
  ]);
  let stations: Stations | undefined;
  let operator: Operator | undefined;
  try {
    stations = await Stations.start(await gateway.link('stations'), count);
    await sleep(SETTLE_MS);
    const highW = count * 20_000;
    operator = await Operator.over(await gateway.link('operators'), [
      { fsrId: 'bench-1', groupId: GROUP_ID, maxW: highW, minW: -highW, hours: lengthMs / HOUR_MS + 1 },
    ]);
    const identities = benchSite(count, started).stations.map((s) => s.identity);
    const from = Date.now();
    const stop = startWork({ gateway, stations, operator, identities, done, fail: (e) => say(String(e)) });
    const outside = await watch(gateway, from + lengthMs).finally(stop);
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    const inside = lines.map((line): ProbeLine => JSON.parse(line)).filter(({ at }) => at >= from);
    return {
      at: new Date(started).toISOString(),
      hours: Number((lengthMs / HOUR_MS).toPrecision(2)),
      stations: count,
      machine: about,
      series: seriesOf(from, inside, outside),
      did: { ...done },
      commit: commit(),
      ...(values.note === undefined ? {} : { note: values.note }),
    };
  } finally {
    await operator?.stop();
    await stations?.stop();
    await gateway.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function watch(gateway: GatewayProcess, until: number): Promise<Outside[]> {
  const seen: Outside[] = [];
  while (Date.now() < until) {
    await sleep(Math.min(periodMs, until - Date.now()));
    const [delay, storeMB] = await Promise.all([loopDelayMs(gateway), sizeMB(gateway.dataDir)]);
    seen.push({ at: Date.now(), loopDelayMs: delay, storeMB });
    say(`${new Date().toISOString()} event loop p99 ${delay.toFixed(0)} ms, store ${storeMB.toFixed(1)} MB`);
  }
  return seen;
}

async function sizeMB(folder: string): Promise<number> {
  const files = (await readdir(folder)).filter((f) => f.startsWith('store'));
  const sizes = await Promise.all(files.map(async (f) => (await stat(join(folder, f))).size));
  return sizes.reduce((sum, size) => sum + size, 0) / 1e6;
}

function seriesOf(from: number, inside: readonly ProbeLine[], outside: readonly Outside[]): SoakSeries[] {
  const points = <T extends { readonly at: number }>(list: readonly T[], y: (t: T) => number): Point[] =>
    list.filter(({ at }) => at - from >= WARM_UP * lengthMs).map((t) => ({ x: (t.at - from) / HOUR_MS, y: y(t) }));
  const kind = (name: string) => points(inside, ({ resources }) => resources[name] ?? 0);
  return [
    judged(
      'Heap in use after a collection',
      'MB',
      points(inside, (l) => l.heapUsedBytes / 1e6),
      { share: 0.05, units: 2 },
    ),
    judged(
      'Resident memory',
      'MB',
      points(inside, (l) => l.rssBytes / 1e6),
      { share: 0.05, units: 5 },
    ),
    judged(
      'File descriptors',
      'number',
      points(inside, (l) => l.fileDescriptors),
      { share: 0.01, units: 5 },
    ),
    judged('Sockets', 'number', kind('TCPSocketWrap'), { share: 0.01, units: 5 }),
    judged('Timers', 'number', kind('Timeout'), { share: 0.05, units: 20 }),
    judged(
      'Event-loop delay, p99',
      'ms',
      points(outside, (o) => o.loopDelayMs),
      { share: 0.2, units: 10 },
    ),
    judged(
      'Store',
      'MB',
      points(outside, (o) => o.storeMB),
    ),
  ];
}

const made = await run();
for (const s of made.series) say(`${s.what}, ${s.unit}: ${s.first} → ${s.last}, ${s.perHour} per hour: ${flatText(s)}`);
say(`did ${JSON.stringify(made.did)}; kept in ${await keepSoak(made)}`);
if (made.series.some((s) => s.flat === false)) process.exitCode = 1;
