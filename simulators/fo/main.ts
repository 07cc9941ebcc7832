/** The operator simulator as a program: plays a flexibility operator, one JSON line per event on standard output. */
import { fstatSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { realClock } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import { isId } from '../../core/ids.ts';
import { parseJson } from '../../core/json.ts';
import { createLog } from '../../core/log.ts';
import { createFoClient } from '../../protocols/fo/index.ts';
import { SIMULATOR_ERRORS } from '../stations/errors.ts';
import { runOperator } from './run.ts';
import { DEMO_SCENARIO, Scenario } from './scenario-file.ts';

const USAGE = `Usage: node simulators/fo/main.ts [options]
  --url <url>          FO link of the gateway           (FO_SIMULATOR_URL,      ws://127.0.0.1:9221/fo)
  --party <id>         our party id                     (FO_SIMULATOR_PARTY,    fo:north)
  --to <id>            party id of the gateway          (FO_SIMULATOR_TO,       cso:harbour)
  --scenario <demo|f>  demo, or a scenario file         (FO_SIMULATOR_SCENARIO, demo)
  --contract <id>      contract where the scenario names none  (FO_SIMULATOR_CONTRACT, C-9)
  --group <id>         group where the scenario names none     (FO_SIMULATOR_GROUP,    g:depot)
A token for links that ask for one is taken from FO_SIMULATOR_TOKEN.
`;

/** Time for the closing handshake after a signal, ms. */
const GRACE_MS = 1000;
const MAX_SCENARIO_BYTES = 1_000_000;

function settings() {
  const { env } = process;
  const text = (fallback: string) => ({ type: 'string' as const, default: fallback });
  const { values } = parseArgs({
    options: {
      url: text(env.FO_SIMULATOR_URL ?? 'ws://127.0.0.1:9221/fo'),
      party: text(env.FO_SIMULATOR_PARTY ?? 'fo:north'),
      to: text(env.FO_SIMULATOR_TO ?? 'cso:harbour'),
      scenario: text(env.FO_SIMULATOR_SCENARIO ?? 'demo'),
      contract: text(env.FO_SIMULATOR_CONTRACT ?? 'C-9'),
      group: text(env.FO_SIMULATOR_GROUP ?? 'g:depot'),
      help: { type: 'boolean', default: false },
    },
  });
  for (const name of ['party', 'to', 'contract', 'group'] as const) {
    if (!isId(values[name])) throw unusable(name, values[name]);
  }
  if (!/^wss?:$/.test(URL.parse(values.url)?.protocol ?? '')) throw unusable('url', values.url);
  return values;
}

const unusable = (name: string, value: string): Error =>
  SIMULATOR_ERRORS.fail('simulator.settings', `--${name} ${value} is not usable.`);

function scenarioOf(name: string): Scenario {
  if (name === 'demo') return DEMO_SCENARIO;
  const text = readFileSync(name, 'utf8');
  return Scenario.parse(parseJson(text, { maxBytes: MAX_SCENARIO_BYTES, maxDepth: 16, duplicateKeys: 'reject' }));
}

function main(): void {
  const o = settings();
  if (o.help) {
    process.stdout.write(USAGE);
    return;
  }
  const clock = realClock();
  const log = createLog({ clock, level: 'warn', format: 'text', write: (line) => process.stderr.write(`${line}\n`) });
  const token = process.env.FO_SIMULATOR_TOKEN;
  const operator = runOperator({
    clock,
    scenario: scenarioOf(o.scenario),
    contractId: o.contract,
    groupId: o.group,
    prefix: `sim-${clock.now().toString(36)}`,
    connect: (handlers) =>
      createFoClient({
        url: o.url,
        partyId: o.party,
        to: o.to,
        clock,
        log,
        handlers,
        software: 'v2gate operator simulator',
        ...(token === undefined ? {} : { token }),
      }),
    onEvent(event) {
      process.stdout.write(`${JSON.stringify(event)}\n`);
      if (event.event === 'done') end();
    },
  });
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(0), GRACE_MS).unref();
    process.stdin.destroy();
    void operator.stop();
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  // Without a reader there is nobody to simulate for.
  process.stdout.on('error', end);
  endWithParent(end);
}

/** A parent that is gone has closed the pipe; /dev/null and terminals mean nothing. */
function endWithParent(end: () => void): void {
  const stdin = fstatSync(0);
  if (!stdin.isFIFO() && !stdin.isSocket()) return;
  process.stdin.on('close', end).on('end', end).resume();
}

try {
  main();
} catch (e) {
  const { what, remedy } = describeError(e);
  process.stderr.write(`${what} ${remedy}\n${USAGE}`);
  process.exitCode = 2;
}
