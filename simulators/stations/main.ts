/** The station simulator as a program: many stations in one process, one JSON line per notable event. */
import { fstatSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { type Clock, realClock } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import { scaledClock } from '../core/index.ts';
import { SIMULATOR_ERRORS } from './errors.ts';
import { DEMO_FLEET, FleetFile } from './fleet.ts';
import { complaint, type RunningFleet, runFleet } from './run.ts';
import type { StationEvent } from './types.ts';

const USAGE = `Usage: node simulators/stations/main.ts [options]
  --url <url>        OCPP endpoint without identity   (SIMULATOR_URL,   ws://127.0.0.1:9220/ocpp)
  --fleet <demo|f>   demo, or a fleet file            (SIMULATOR_FLEET, demo)
  --seed <n>         whole number                     (SIMULATOR_SEED,  1)
  --speed <x>        time runs x times as fast        (SIMULATOR_SPEED, 1)
  --fault <id>=<f>   start a station with a fault; may be repeated; * = all stations
Standard input takes {"station":"CS1","fault":"refuse|ignore|silent|disconnect|late|none"}, one per line.
`;

/** Time for the closing handshakes after a signal, ms. */
const GRACE_MS = 1000;
const MAX_FLEET_BYTES = 1_000_000;

function settings() {
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: process.env.SIMULATOR_URL ?? 'ws://127.0.0.1:9220/ocpp' },
      fleet: { type: 'string', default: process.env.SIMULATOR_FLEET ?? 'demo' },
      seed: { type: 'string', default: process.env.SIMULATOR_SEED ?? '1' },
      speed: { type: 'string', default: process.env.SIMULATOR_SPEED ?? '1' },
      fault: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  });
  return values;
}

function numberOf(name: string, value: string, ok: (n: number) => boolean): number {
  const n = Number(value);
  if (value.trim() === '' || !ok(n))
    throw SIMULATOR_ERRORS.fail('simulator.settings', `--${name} ${value} is not usable.`);
  return n;
}

function fleetOf(name: string): FleetFile {
  if (name === 'demo') return DEMO_FLEET;
  const text = readFileSync(name, 'utf8');
  return FleetFile.parse(parseJson(text, { maxBytes: MAX_FLEET_BYTES, maxDepth: 16, duplicateKeys: 'reject' }));
}

const print = (event: StationEvent): void => {
  process.stdout.write(`${JSON.stringify(event)}\n`);
};

/** Control messages from standard input and from a parent process. */
function listen(fleet: RunningFleet, clock: Clock, end: () => void): void {
  const take = (input: unknown): void => {
    try {
      fleet.control(input);
    } catch (e) {
      print(complaint(clock, '', e));
    }
  };
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => line.trim() !== '' && take(line));
  // A parent that is gone has closed the pipe; /dev/null and terminals mean nothing.
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket()) lines.on('close', end);
  process.on('message', take);
}

function main(): void {
  const o = settings();
  if (o.help) {
    process.stdout.write(USAGE);
    return;
  }
  const speed = numberOf('speed', o.speed, (n) => n > 0 && n <= 1000);
  const clock = scaledClock(realClock(), speed);
  const fleet = runFleet({
    fleet: fleetOf(o.fleet),
    url: o.url,
    clock,
    seed: numberOf('seed', o.seed, Number.isSafeInteger),
    onEvent: print,
  });
  for (const pair of o.fault) {
    const cut = pair.lastIndexOf('=');
    fleet.control({ station: pair.slice(0, cut), fault: pair.slice(cut + 1) });
  }
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    fleet.stop();
    setTimeout(() => process.exit(0), GRACE_MS).unref();
    process.stdin.destroy();
    if (process.connected) process.disconnect();
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  // Without a reader there is nobody to simulate for.
  process.stdout.on('error', end);
  listen(fleet, clock, end);
}

try {
  main();
} catch (e) {
  const { what, remedy } = describeError(e);
  process.stderr.write(`${what} ${remedy}\n${USAGE}`);
  process.exitCode = 2;
}
