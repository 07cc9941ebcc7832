import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isVersion, type Version } from '../../protocols/ocpp/index.ts';
import { readOption } from '../program.ts';
import { DEMO_FLEET } from './demo-fleet.ts';
import { SIMULATOR_ERRORS } from './errors.ts';
import { FleetFile } from './fleet.ts';
import { manyFleet } from './many.ts';

export const USAGE = `Usage: node simulators/stations/main.ts [options]
  --url <url>          OCPP endpoint without identity   (SIMULATOR_URL,   ws://127.0.0.1:9220/ocpp)
  --fleet <demo|f>     demo, or a fleet file            (SIMULATOR_FLEET, demo)
  --count <n>          n stations instead of a fleet: SIM16-1 …, SIM201-1 …, SIM21-1 …
  --versions <a,b>     versions of --count, in turn     (ocpp1.6,ocpp2.0.1,ocpp2.1)
  --meter <s>          meter interval of --count        (10)
  --cars <s>           cars of --count come within s    (10; 0 = no cars)
  --connect-within <s> the stations connect one after the other over this time (0; with --count 5)
  --tick <ms>          time step of the simulation      (200; with --count 1000)
  --seed <n>           whole number                     (SIMULATOR_SEED,  1)
  --speed <x>          time runs x times as fast        (SIMULATOR_SPEED, 1)
  --fault <id>=<f>     start a station with a fault; may be repeated; * = all stations
  --ca <file>          certificate to trust for wss
  --summary <s>        print how the whole fleet is every s seconds (0 = never)
  --quiet              print fleet events, answers to control lines and failures only
A Basic password for all stations is taken from SIMULATOR_PASSWORD.
Standard input takes one JSON object per line, answered on standard output:
  {"station":"CS1|*","fault":"refuse|ignore|lie|silent|disconnect|late|none","lateS":15}
  {"station":"CS1|*","meter":"right|wrong|frozen|missing"}
  {"station":"CS1|*","press":"priorityOn|priorityOff|plug|unplug|stop|fault|repair|powerCycle","evse":1}
  {"station":"CS1|*","responseDelayS":5,"rampWPerS":500,"maxImportW":8000}
  {"station":"CS1|*","externalLimitW":5000}   and   {"station":"CS1|*","externalLimit":"none"}
  {"station":"*","mark":true}   and   {"station":"*","report":true}: arrival times of power commands since the mark
`;

const MAX_STATIONS = 5000;

export interface Settings {
  readonly help: boolean;
  readonly url: string;
  readonly fleet: FleetFile;
  readonly seed: number;
  readonly speed: number;
  readonly connectWithinMs: number;
  readonly tickMs: number;
  /** Control messages to start with. */
  readonly faults: readonly { readonly station: string; readonly fault: string }[];
  readonly ca?: string;
  /** Basic password of all stations. */
  readonly password?: string;
  /** Seconds between two summaries; 0: none. */
  readonly summaryS: number;
  readonly quiet: boolean;
}

/** Options and environment of the program. Throws `simulator.settings`, or what is wrong with the fleet file. */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): Settings {
  const { values: o } = parseArgs({
    args: [...args],
    options: {
      url: { type: 'string', default: env.SIMULATOR_URL ?? 'ws://127.0.0.1:9220/ocpp' },
      fleet: { type: 'string', default: env.SIMULATOR_FLEET ?? 'demo' },
      count: { type: 'string' },
      versions: { type: 'string', default: 'ocpp1.6,ocpp2.0.1,ocpp2.1' },
      meter: { type: 'string', default: '10' },
      cars: { type: 'string', default: '10' },
      'connect-within': { type: 'string' },
      tick: { type: 'string' },
      seed: { type: 'string', default: env.SIMULATOR_SEED ?? '1' },
      speed: { type: 'string', default: env.SIMULATOR_SPEED ?? '1' },
      fault: { type: 'string', multiple: true, default: [] },
      ca: { type: 'string' },
      summary: { type: 'string', default: '0' },
      quiet: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const many = o.count !== undefined;
  const notNegative = (n: number): boolean => n >= 0 && n <= 86_400;
  return {
    help: o.help,
    url: o.url,
    fleet: o.count === undefined ? fleetOf(o.fleet) : manyOf(o.count, o),
    seed: numberOf('seed', o.seed, Number.isSafeInteger),
    speed: numberOf('speed', o.speed, (n) => n > 0 && n <= 1000),
    connectWithinMs: 1000 * numberOf('connect-within', o['connect-within'] ?? (many ? '5' : '0'), notNegative),
    tickMs: numberOf('tick', o.tick ?? (many ? '1000' : '200'), (n) => n >= 20 && n <= 10_000),
    faults: o.fault.map((pair) => {
      const cut = pair.lastIndexOf('=');
      return { station: pair.slice(0, cut), fault: pair.slice(cut + 1) };
    }),
    ...(o.ca === undefined ? {} : { ca: readFileSync(o.ca, 'utf8') }),
    ...(env.SIMULATOR_PASSWORD === undefined ? {} : { password: env.SIMULATOR_PASSWORD }),
    summaryS: numberOf('summary', o.summary, notNegative),
    quiet: o.quiet,
  };
}

interface ManyTexts {
  readonly versions: string;
  readonly meter: string;
  readonly cars: string;
}

function manyOf(count: string, o: ManyTexts): FleetFile {
  const seconds = (n: number): boolean => Number.isInteger(n) && n >= 0 && n <= 86_400;
  return manyFleet({
    count: numberOf('count', count, (n) => Number.isInteger(n) && n >= 1 && n <= MAX_STATIONS),
    versions: o.versions.split(',').map(versionOf),
    meterIntervalS: numberOf('meter', o.meter, seconds),
    carsWithinS: numberOf('cars', o.cars, seconds),
  });
}

function versionOf(name: string): Version {
  if (!isVersion(name)) throw SIMULATOR_ERRORS.fail('simulator.settings', `--versions ${name} is not usable.`);
  return name;
}

function numberOf(name: string, value: string, ok: (n: number) => boolean): number {
  const n = Number(value);
  if (value.trim() === '' || !ok(n))
    throw SIMULATOR_ERRORS.fail('simulator.settings', `--${name} ${value} is not usable.`);
  return n;
}

function fleetOf(name: string): FleetFile {
  if (name === 'demo') return DEMO_FLEET;
  return FleetFile.parse(readOption('fleet', name));
}
