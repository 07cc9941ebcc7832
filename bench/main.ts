/**
 * The bench (performance 4): `npm run bench -- [--only up,fan] [--quick] [--rounds n] [--json file] [--write]`, or
 * `npm run bench -- --from file` to write the page of a run that was kept.
 * Each number is a ratio of product and yardstick inside one run of interleaved rounds. Exits with 1 when a scenario
 * could not be run; a missed goal is a result, not an error.
 */
import { parseArgs } from 'node:util';
import { pin } from './harness/children.ts';
import { keepRun, lastPage, readRun, table, writePage } from './harness/report.ts';
import { commit, machine, type Row, type Scenario } from './harness/run.ts';

/** In the order in which they run; each file is loaded when its turn comes. */
const SCENARIOS: Readonly<Record<string, () => Promise<Scenario>>> = {
  up: async () => (await import('./scenarios/up.ts')).up,
  fan: async () => (await import('./scenarios/fan.ts')).fan,
  storm: async () => (await import('./scenarios/storm.ts')).storm,
  'fan-emergency': async () => (await import('./scenarios/emergency.ts')).emergency,
  mqtt: async () => (await import('./scenarios/mqtt.ts')).mqtt,
  e2e: async () => (await import('./scenarios/e2e.ts')).e2e,
  map: async () => (await import('./scenarios/map.ts')).map,
  alloc: async () => (await import('./scenarios/alloc.ts')).alloc,
  rss: async () => (await import('./scenarios/rss.ts')).rss,
  start: async () => (await import('./scenarios/start.ts')).start,
};

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
    from: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** How long a scenario takes on a quiet machine, s, where no earlier run tells. */
const TAKES_S: Readonly<Record<string, number>> = {
  up: 300,
  fan: 150,
  storm: 130,
  'fan-emergency': 110,
  mqtt: 70,
  e2e: 80,
};
const TAKES_ELSE_S = 60;
const QUICK_S = 30;

async function main(): Promise<void> {
  if (values.from !== undefined) {
    say(`written to ${await writePage(await readRun(values.from))}`);
    return;
  }
  const names = values.only?.split(',') ?? Object.keys(SCENARIOS);
  const unknown = names.filter((name) => !Object.hasOwn(SCENARIOS, name));
  if (values.help || unknown.length > 0) {
    say(
      `${unknown.length > 0 ? `Unknown: ${unknown.join(', ')}. ` : ''}Scenarios: ${Object.keys(SCENARIOS).join(', ')}`,
    );
    return;
  }
  // It has a part in every measurement, on the side of the load.
  pin(process.pid, 'load');
  const before = (await lastPage())?.took ?? {};
  const takes = (name: string): number => (values.quick ? QUICK_S : (before[name] ?? TAKES_S[name] ?? TAKES_ELSE_S));
  const rows: Row[] = [];
  const took: Record<string, number> = {};
  const run = { at: new Date().toISOString(), quick: values.quick, machine: machine(), rows, took };
  for (const [i, name] of names.entries()) {
    const leftS = names.slice(i).reduce((sum, n) => sum + takes(n), 0);
    say(`${name}: ${i + 1} of ${names.length}, about ${Math.ceil(leftS / 60)} min left`);
    const from = performance.now();
    const made = await measured(name);
    if (!values.quick) took[name] = Math.round((performance.now() - from) / 1000);
    rows.push(...made);
    say(table(made));
    // After each, so that a run that is cut off is not lost.
    const path = await keepRun(run, values.json);
    const page = values.write && made.length > 0 ? `, written to ${await writePage(run)}` : '';
    say(`  ${Math.round((performance.now() - from) / 1000)} s, kept in ${path}${page}`);
  }
}

/** The rows of a scenario; none when it could not be run. */
async function measured(name: string): Promise<readonly Row[]> {
  const from = { scenario: name, at: new Date().toISOString(), commit: commit(), quick: values.quick };
  const rounds = Number(values.rounds ?? (values.quick ? 4 : 20));
  try {
    const scenario = await SCENARIOS[name]?.();
    const made = (await scenario?.({ quick: values.quick, rounds, say: (line) => say(`  ${line}`) })) ?? [];
    return made.map((row) => ({ ...row, from }));
  } catch (e) {
    process.exitCode = 1;
    say(`${name} could not be run: ${e instanceof Error ? e.stack : String(e)}`);
    return [];
  }
}

await main();
