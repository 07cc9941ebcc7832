/** The site simulator as a program: stations, load, sun, storage and the meters around them, in one process. */
import { parseArgs } from 'node:util';
import { realClock } from '../../core/clock.ts';
import { parseJson } from '../../core/json.ts';
import { endable, GRACE_MS, listen, printLine, readOption, run } from '../program.ts';
import { SIMULATOR_ERRORS } from '../stations/errors.ts';
import { complaint } from '../stations/run.ts';
import { readSettings, USAGE as STATIONS_USAGE } from '../stations/settings.ts';
import { startFleet } from '../stations/start.ts';
import { httpDelivery } from './deliver.ts';
import { DEMO_SITE, SiteScenario } from './scenario-file.ts';
import { runSite } from './site.ts';
import { fleetPower } from './with-fleet.ts';

const USAGE = `Usage: node simulators/site/main.ts [options] [-- options of the stations]
  --gateway <url>     gateway that takes the meter values  (SITE_SIMULATOR_GATEWAY,  http://127.0.0.1:1880)
  --scenario <demo|f> demo, or a scenario file             (SITE_SIMULATOR_SCENARIO, demo)
The secret meter-token, for gateways on other machines, is taken from SITE_SIMULATOR_TOKEN.
Standard input takes what the stations take, and for the site one JSON object per line:
  {"meter":"m:poc|*","state":"right|lost|frozen|noisy|clockShifted","noiseW":2000,"shiftS":-120}
  {"baseW":40000,"pvW":0}   and   {"resume":true}

Options of the stations, after --:
${STATIONS_USAGE}`;

const CONTROL_LIMITS = { maxBytes: 4096, maxDepth: 4, duplicateKeys: 'reject' } as const;

function scenarioOf(name: string): SiteScenario {
  if (name === 'demo') return DEMO_SITE;
  return SiteScenario.parse(readOption('scenario', name));
}

function main(): void {
  const { env } = process;
  const { values: o, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      gateway: { type: 'string', default: env.SITE_SIMULATOR_GATEWAY ?? 'http://127.0.0.1:1880' },
      scenario: { type: 'string', default: env.SITE_SIMULATOR_SCENARIO ?? 'demo' },
      help: { type: 'boolean', default: false },
    },
  });
  if (o.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (!/^https?:$/.test(URL.parse(o.gateway)?.protocol ?? ''))
    throw SIMULATOR_ERRORS.fail('simulator.settings', `--gateway ${o.gateway} is not usable.`);
  const stations = readSettings(positionals, env);
  const scenario = scenarioOf(o.scenario);
  const clock = realClock();
  const fleet = startFleet(stations, clock, () => performance.timeOrigin + performance.now(), printLine);
  const token = env.SITE_SIMULATOR_TOKEN;
  const site = runSite({
    scenario,
    clock,
    seed: stations.seed,
    stations: () => fleetPower(fleet),
    deliver: httpDelivery({ gateway: o.gateway, clock, ...(token === undefined ? {} : { token }) }),
    onEvent: printLine,
  });
  const end = endable(
    () => {
      site.stop();
      fleet.stop();
    },
    (exit) => setTimeout(exit, GRACE_MS).unref(),
  );
  listen((input) => {
    try {
      const order = typeof input === 'string' ? parseJson(input, CONTROL_LIMITS) : input;
      const forFleet = typeof order === 'object' && order !== null && 'station' in order;
      if (forFleet) fleet.control(order);
      else site.control(order);
    } catch (e) {
      printLine(complaint(clock, '', e));
    }
  }, end);
}

run(main, USAGE);
