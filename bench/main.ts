/**
 * The bench (performance 4): `npm run bench -- [--only up,fan] [--quick] [--rounds n] [--json file] [--write]`, or
 * `npm run bench -- --from file` to write the page of a run that was kept.
 * Each number is a ratio of product and yardstick inside one run of interleaved rounds. Exits with 1 when a scenario
 * could not be run; a missed goal is a result, not an error.
 */
import { parseArgs } from 'node:util';
import { keepRun, readRun, table, writePage } from './harness/report.ts';
import { machine, type Row, type Scenario } from './harness/run.ts';

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
  const rounds = Number(values.rounds ?? (values.quick ? 4 : 20));
  const started = new Date();
  const about = machine();
  const rows: Row[] = [];
  const run = { at: started.toISOString(), quick: values.quick, machine: about, rows };
  for (const name of names) {
    try {
      const scenario = await SCENARIOS[name]?.();
      const made = (await scenario?.({ quick: values.quick, rounds, say })) ?? [];
      rows.push(...made);
      say(table(made));
    } catch (e) {
      process.exitCode = 1;
      say(`${name} could not be run: ${e instanceof Error ? e.stack : String(e)}`);
    }
    // After each, so that a run that is cut off is not lost.
    const path = await keepRun(run, values.json);
    if (name === names.at(-1)) say(`kept in ${path}`);
  }
  if (values.write) say(`written to ${await writePage(run)}`);
}

await main();
