/** P13: from the start of the process to the first station that is accepted, and the memory it takes then. */
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../../test/system/support/child.ts';
import { ROOT } from '../../test/system/support/gateway.ts';
import { monotonicMs, rssOf } from '../harness/accounting.ts';
import { pin } from '../harness/children.ts';
import { compared, interleaved, type Scenario, typical } from '../harness/run.ts';
import type { Window } from '../harness/stats.ts';
import { call } from '../load/group.ts';
import { bootCall } from '../load/messages.ts';
import { RawStation } from '../load/station.ts';
import { rawStations, siteOf } from '../product/site.ts';
import { waiting } from './load.ts';

/** Memory is read so long after the start. */
const SETTLE_MS = 5_000;
const DEMO_MS = 20_000;
const WITHIN_MS = 60_000;
const MB = 1e6;

const RED = createRequire(import.meta.url).resolve('node-red/red.js');

/** How long a start took, and the memory some time later. */
interface Started {
  readonly time: Window;
  readonly rss: Window;
}

export const start: Scenario = async (o) => {
  const rounds = o.quick ? 2 : Math.max(5, Math.ceil(o.rounds / 4));
  const settleMs = o.quick ? SETTLE_MS / 2 : SETTLE_MS;
  o.say(`start: ${rounds} rounds`);
  const starts = { empty: () => emptyNodeRed(0), stations: () => firstBoot(0) };
  const times = await interleaved(['empty', 'stations'], rounds, async (kind) => (await starts[kind]()).time);
  // Memory does not depend on who has the core: they run beside each other.
  const kinds = {
    empty: () => emptyNodeRed(settleMs),
    bare: () => gatewayAlone(settleMs, '[]'),
    stations: () => firstBoot(settleMs),
    demo: () => demo(o.quick ? DEMO_MS / 2 : DEMO_MS),
  };
  const memory: Record<keyof typeof kinds, Window[]> = { empty: [], bare: [], stations: [], demo: [] };
  for (let round = 0; round < rounds; round++) {
    const grown = await Promise.all(
      Object.entries(kinds).map(async ([kind, run]) => [kind, (await run()).rss] as const),
    );
    for (const [kind, window] of grown) memory[kind as keyof typeof kinds].push(window);
  }
  const mb = Object.fromEntries(Object.entries(memory).map(([kind, list]) => [`${kind} MB`, typical(list)]));
  return [
    compared('start.time', times.stations, times.empty, {
      'empty ms': typical(times.empty),
      'first boot ms': typical(times.stations),
    }),
    compared('start.rss', memory.bare, memory.empty, mb),
    compared('start.demo', memory.demo, memory.empty, mb),
  ];
};

/** Starts a process, waits until `up`, and for the memory `settleMs` longer. */
async function measured(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  up: (child: Child) => Promise<unknown>,
  settleMs: number,
): Promise<Started> {
  const from = monotonicMs();
  const child = new Child({
    name: args[0] ?? '',
    command: process.execPath,
    args,
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  const pid = child.pid ?? 0;
  pin(pid, 'server');
  try {
    const waited = waiting(pid);
    await up(child);
    const value = monotonicMs() - from;
    const window = waited();
    await sleep(settleMs);
    return { time: { ...window, value }, rss: { value: rssOf(pid) / MB, lengthMs: 1, waitedMs: 0 } };
  } finally {
    await child.stop();
  }
}

async function inFolder<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'v2gate-bench-'));
  try {
    return await act(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const emptyNodeRed = (settleMs: number): Promise<Started> =>
  inFolder(async (folder) => {
    const args = [RED, '--userDir', folder, '--port', String(await freePort())];
    const flowsRun = (child: Child) =>
      child.find('flows', (l) => (l.includes('Started flows') ? l : undefined), WITHIN_MS);
    return measured(args, {}, flowsRun, settleMs);
  });

const PORTS = { V2GATE_HTTP_PORT: '0', V2GATE_FO_PORT: '0', V2GATE_MQTT_PORT: '0', V2GATE_LOG_LEVEL: 'warn' };
/**
 * The command of `npm start`, read from package.json so that both stay the same; the round before the first that counts
 * fills the store of compiled code, as a first start does.
 */
const START: readonly string[] = startArguments(readFileSync(join(ROOT, 'package.json'), 'utf8'));

function startArguments(manifest: string): string[] {
  const { scripts } = JSON.parse(manifest) as { readonly scripts: { readonly start: string } };
  const [, ...args] = scripts.start.split(' ');
  return args.map((arg) => (arg.startsWith('-') ? arg : join(ROOT, arg)));
}

/** A gateway that is installed: its flow is there, and a station keeps trying to boot. */
const firstBoot = (settleMs: number): Promise<Started> =>
  inFolder(async (folder) => {
    const site = join(folder, 'site.json');
    await writeFile(
      site,
      JSON.stringify(siteOf({ stations: rawStations('B', 1, 'ac'), circuits: 1, now: Date.now() })),
    );
    const port = await freePort();
    const env = { ...PORTS, V2GATE_DATA: folder, V2GATE_SITE: site, V2GATE_OCPP_PORT: String(port) };
    return measured(START, env, () => booted(port), settleMs);
  });

/** A gateway with another flow. */
const gatewayAlone = (settleMs: number, flow: string): Promise<Started> =>
  inFolder(async (folder) => {
    await mkdir(join(folder, 'node-red'));
    await writeFile(join(folder, 'node-red', 'flows.json'), flow);
    const site = join(folder, 'site.json');
    await writeFile(
      site,
      JSON.stringify(siteOf({ stations: rawStations('B', 1, 'ac'), circuits: 1, now: Date.now() })),
    );
    const env = { ...PORTS, V2GATE_OCPP_PORT: '0', V2GATE_DATA: folder, V2GATE_SITE: site };
    return measured(START, env, consoleLine, settleMs);
  });

const demo = (settleMs: number): Promise<Started> =>
  inFolder((folder) => {
    const env = { ...PORTS, V2GATE_OCPP_PORT: '0', V2GATE_DATA: folder, V2GATE_DEMO: '1' };
    return measured(START, env, consoleLine, settleMs);
  });

const consoleLine = (child: Child): Promise<unknown> =>
  child.find('the line of the console', (l) => (/^\s+console\s/.test(l) ? l : undefined), WITHIN_MS);

/** A station that tries every 20 ms until it is accepted. */
async function booted(port: number): Promise<void> {
  const place = { host: '127.0.0.1', port, path: '/ocpp', tls: false };
  for (const end = monotonicMs() + WITHIN_MS; monotonicMs() < end; await sleep(20)) {
    const station = await RawStation.connect(place, 'B-1', 'ocpp1.6', false).catch(() => undefined);
    if (station === undefined) continue;
    const answer = await call(station, bootCall('ocpp1.6'));
    station.close();
    if (answer.includes('"Accepted"')) return;
  }
  throw new Error('no station was accepted');
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
