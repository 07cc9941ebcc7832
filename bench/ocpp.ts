/**
 * The RPC layer against its yardsticks (performance 3: P1 "RPC layer alone", P4), on loopback:
 *   node bench/ocpp.ts [rounds] [stations]
 * A server process per kind, one load generator; rounds A B C C B A; CPU as the operating system accounts for it.
 * Per round the ratio product ÷ yardstick; reported are the median and the spread.
 */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { FromLoad, FromServer, Kind, ToLoad, ToServer, Version } from './ocpp/messages.ts';

const ROUNDS = Number(process.argv[2] ?? 6);
const STATIONS = Number(process.argv[3] ?? 500);
const WINDOW_MS = 1500;
const KINDS: readonly Kind[] = ['echo', 'hand', 'v2gate'];

function start(file: string, args: readonly string[]): ChildProcess {
  return fork(join(import.meta.dirname, 'ocpp', file), args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

function ask<T>(child: ChildProcess, m: ToServer | ToLoad | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const failed = (code: number | null): void => reject(new Error(`a child process ended with ${code}`));
    child.once('exit', failed);
    child.once('message', (answer) => {
      child.off('exit', failed);
      resolve(answer as T);
    });
    if (m !== undefined) child.send(m);
  });
}

type Usage = Extract<FromServer, { cpuUs: number }>;
type Fanout = Extract<FromServer, { fanoutMs: number }>;

interface Numbers {
  readonly upstreamUs: number;
  readonly fanoutMs: number;
  readonly fanoutCpuUs: number;
}

async function round(version: Version, server: ChildProcess, load: ChildProcess, port: number): Promise<Numbers> {
  await ask<FromLoad>(load, { do: 'connect', port, stations: STATIONS, version });
  await ask<FromLoad>(load, { do: 'run', ms: 300, check: true });
  const before = await ask<Usage>(server, { do: 'usage' });
  const { wrong, answers } = await ask<FromLoad>(load, { do: 'run', ms: WINDOW_MS, check: false });
  const after = await ask<Usage>(server, { do: 'usage' });
  if (wrong > 0 || answers !== after.messages - before.messages) {
    throw new Error(`${wrong} wrong of ${answers} answers, ${after.messages - before.messages} messages`);
  }
  const fanouts: Fanout[] = [];
  if (version === 'ocpp1.6') for (let i = 0; i < 5; i++) fanouts.push(await ask<Fanout>(server, { do: 'fanout' }));
  if (fanouts.some((f) => f.answers !== STATIONS)) throw new Error('lost answers in a fan-out');
  await ask<FromLoad>(load, { do: 'close' });
  return {
    upstreamUs: (after.cpuUs - before.cpuUs) / answers,
    fanoutMs: median(fanouts.map((f) => f.fanoutMs)),
    fanoutCpuUs: median(fanouts.map((f) => f.fanoutCpuUs)) / STATIONS,
  };
}

function median(xs: readonly number[]): number {
  const sorted = [...xs].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function ratio(rounds: readonly Record<Kind, Numbers>[], of: keyof Numbers, to: Kind): string {
  const ratios = rounds.map((r) => r.v2gate[of] / r[to][of]).sort((a, b) => a - b);
  const [low = Number.NaN, high = Number.NaN] = [ratios[0], ratios.at(-1)];
  return `${median(ratios).toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}

async function measure(version: Version): Promise<void> {
  const load = start('load.ts', []);
  const servers: Record<Kind, ChildProcess> = {
    echo: start('child.ts', ['echo', version]),
    hand: start('child.ts', ['hand', version]),
    v2gate: start('child.ts', ['v2gate', version]),
  };
  const ports: Record<Kind, number> = { echo: 0, hand: 0, v2gate: 0 };
  for (const kind of KINDS) ports[kind] = (await ask<{ port: number }>(servers[kind], undefined)).port;
  const rounds: Record<Kind, Numbers>[] = [];
  for (let i = 0; i < ROUNDS + 1; i++) {
    const one: Partial<Record<Kind, Numbers>> = {};
    for (const kind of i % 2 === 0 ? KINDS : [...KINDS].reverse()) {
      one[kind] = await round(version, servers[kind], load, ports[kind]);
    }
    // The first round warms up.
    const { echo, hand, v2gate } = one;
    if (i > 0 && echo && hand && v2gate) rounds.push({ echo, hand, v2gate });
  }
  for (const child of [load, ...Object.values(servers)]) child.disconnect();
  const us = (kind: Kind, of: keyof Numbers): string => median(rounds.map((r) => r[kind][of])).toFixed(1);
  console.log(`${version}, ${STATIONS} stations, ${rounds.length} rounds; median (lowest–highest)`);
  console.log(
    `  upstream CPU per message, µs: echo ${us('echo', 'upstreamUs')}, hand ${us('hand', 'upstreamUs')}, v2gate ${us('v2gate', 'upstreamUs')}`,
  );
  console.log(
    `  v2gate ÷ hand ${ratio(rounds, 'upstreamUs', 'hand')} (goal ≤ 1.15), ÷ echo ${ratio(rounds, 'upstreamUs', 'echo')}`,
  );
  if (version === 'ocpp2.1') return;
  console.log(
    `  fan-out, ms: ws ${us('echo', 'fanoutMs')}, hand ${us('hand', 'fanoutMs')}, v2gate ${us('v2gate', 'fanoutMs')}`,
  );
  console.log(
    `  v2gate ÷ ws: time ${ratio(rounds, 'fanoutMs', 'echo')} (goal ≤ 2.0), CPU ${ratio(rounds, 'fanoutCpuUs', 'echo')}`,
  );
}

await measure('ocpp1.6');
await measure('ocpp2.1');
