/** The operator simulator as a program: plays a flexibility operator, one JSON line per event on standard output. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { iso, realClock } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import { isId } from '../../core/ids.ts';
import { createLog } from '../../core/log.ts';
import { endable, GRACE_MS, listen, printLine, readOption, run } from '../program.ts';
import { SIMULATOR_ERRORS } from '../stations/errors.ts';
import { DEMO_SCENARIO } from './demo-scenario.ts';
import { type KeyRing, keyRing } from './keys.ts';
import { isLinkUrl, openLink } from './link.ts';
import { type RunningOperator, runOperator } from './run.ts';
import { Scenario } from './scenario-file.ts';

const USAGE = `Usage: node simulators/fo/main.ts [options]
  --url <url>          FO link of the gateway, ws(s): or mqtt(s):  (FO_SIMULATOR_URL, ws://127.0.0.1:9221/fo)
  --party <id>         our party id                     (FO_SIMULATOR_PARTY,    fo:north)
  --to <id>            party id of the gateway          (FO_SIMULATOR_TO,       cso:harbour)
  --scenario <demo|f>  demo, or a scenario file         (FO_SIMULATOR_SCENARIO, demo)
  --contract <id>      contract where the scenario names none  (FO_SIMULATOR_CONTRACT, C-9)
  --group <id>         group where the scenario names none     (FO_SIMULATOR_GROUP,    g:depot)
  --jwks <url>         key set of the gateway, e.g. http://127.0.0.1:1880/.well-known/jwks.json; judges signatures (FO_SIMULATOR_JWKS)
  --ca <file>          certificate to trust for wss and mqtts
  --heartbeat <s>      seconds between heartbeats that we wish for
  --clock-shift <s>    our clock is ahead by this       (0)
A token for links that ask for one is taken from FO_SIMULATOR_TOKEN.
Standard input takes one JSON object per line, done at once:
  {"do":"setpoint","targetW":-5000,"forS":30}   against the scenario
  {"do":"mute|pause|drop","forS":20}            silent, no setpoints, no link
  {"do":"staleSetpoint|lateSetpoint|cancel|queryRecords"}   and all else that a scenario can do
`;

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
      jwks: text(env.FO_SIMULATOR_JWKS ?? ''),
      ca: { type: 'string' },
      heartbeat: { type: 'string' },
      'clock-shift': text('0'),
      help: { type: 'boolean', default: false },
    },
  });
  for (const name of ['party', 'to', 'contract', 'group'] as const) {
    if (!isId(values[name])) throw unusable(name, values[name]);
  }
  if (!isLinkUrl(values.url)) throw unusable('url', values.url);
  if (values.jwks !== '' && !URL.canParse(values.jwks)) throw unusable('jwks', values.jwks);
  return {
    ...values,
    heartbeatS: values.heartbeat === undefined ? undefined : numberOf('heartbeat', values.heartbeat, 1, 3600),
    clockShiftMs: 1000 * numberOf('clock-shift', values['clock-shift'], -86_400, 86_400),
  };
}

function numberOf(name: string, value: string, min: number, max: number): number {
  const n = Number(value);
  if (value.trim() === '' || !(n >= min && n <= max)) throw unusable(name, value);
  return n;
}

const unusable = (name: string, value: string): Error =>
  SIMULATOR_ERRORS.fail('simulator.settings', `--${name} ${value} is not usable.`);

function scenarioOf(name: string): Scenario {
  if (name === 'demo') return DEMO_SCENARIO;
  return Scenario.parse(readOption('scenario', name));
}

function main(): void {
  const o = settings();
  if (o.help) {
    process.stdout.write(USAGE);
    return;
  }
  const clock = realClock();
  const log = createLog({ clock, level: 'warn', format: 'text', write: (line) => process.stderr.write(`${line}\n`) });
  const scenario = scenarioOf(o.scenario);
  const ca = o.ca === undefined ? undefined : readFileSync(o.ca, 'utf8');
  const tell = (event: string, details: object): void => printLine({ at: iso(clock.now()), event, ...details });
  const ring: KeyRing | undefined = o.jwks === '' ? undefined : keyRing(o.jwks, clock, tell);
  const link = { url: o.url, partyId: o.party, to: o.to, token: process.env.FO_SIMULATOR_TOKEN, ca, log };
  let operator: RunningOperator | undefined;
  let ended = false;
  const begin = (): void => {
    if (ended) return;
    operator = runOperator({
      clock,
      clockShiftMs: o.clockShiftMs,
      scenario,
      contractId: o.contract,
      groupId: o.group,
      ...(ring ? { keys: () => ring.points } : {}),
      prefix: `sim-${clock.now().toString(36)}`,
      connect: (start) =>
        openLink({ ...link, heartbeatS: o.heartbeatS, ...(ring ? { keys: () => ring.points } : {}) }, start),
      onEvent(event) {
        printLine(event);
        if (event.event === 'done') end();
      },
    });
  };
  const end = endable(
    () => {
      ended = true;
      ring?.stop();
      void operator?.stop();
    },
    (exit) => setTimeout(exit, GRACE_MS).unref(),
  );
  listen((input) => {
    try {
      operator?.order(input);
    } catch (e) {
      tell('controlFailed', describeError(e));
    }
  }, end);
  if (ring) void ring.loaded.then(begin);
  else begin();
}

run(main, USAGE);
