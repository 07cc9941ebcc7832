import { extname, join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { parseJson } from '../core/json.ts';
import type { Log } from '../core/log.ts';
import type { ProgramPort, SimulatorProgram } from '../hub/ports.ts';
import { Processes, type Program } from './processes.ts';

/** Lines of a simulator are small; its arrival reports of thousands of stations are not for flows. */
const LINE = { maxBytes: 65_536, maxDepth: 8, duplicateKeys: 'reject' } as const;
/** From so many stations on only what concerns all of them is told. */
const QUIET_FROM = 50;
/** The simulators say this often how all their stations are, s. */
const SUMMARY_S = 2;

export interface ProgramsOptions {
  /** Folder that holds `simulators/`. */
  readonly root: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Address that takes meter values. */
  readonly gateway: () => string;
  /** What meters outside of this machine say to be let in. */
  readonly meterToken?: string | undefined;
  /** Certificate file that the programs have to trust. */
  readonly certificate?: string | undefined;
}

/** The simulators of this folder as child processes. `stop` ends them all. */
export function createPrograms(o: ProgramsOptions): ProgramPort & { stop(): Promise<void> } {
  const processes = new Processes({ clock: o.clock, log: o.log });
  return {
    start(program, hears) {
      const running = processes.start({
        ...commandOf(o, program),
        onLine(line) {
          const event = eventOf(line);
          if (event) hears.line(event);
        },
        onState: (state, text) => hears.state(state, text),
      });
      return { tell: (order) => running.write(JSON.stringify(order)), stop: () => running.stop() };
    },
    stop: () => processes.stop(),
  };
}

function eventOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const event: unknown = parseJson(line, LINE);
    return typeof event === 'object' && event !== null ? Object.fromEntries(Object.entries(event)) : undefined;
  } catch {
    return undefined;
  }
}

/** What is started for a simulator: sources in development, what was built from them in a package. */
export function commandOf(o: ProgramsOptions, program: SimulatorProgram): Program {
  const script = (name: string): string => join(o.root, 'simulators', name, `main${extname(import.meta.filename)}`);
  const scenario = (name: string): string => join(o.root, 'simulators', 'scenarios', name);
  const trust = o.certificate === undefined ? {} : { NODE_EXTRA_CA_CERTS: o.certificate };
  if (program.kind === 'operator') {
    const env = { ...trust, ...secret('FO_SIMULATOR_TOKEN', program.token) };
    return { name: program.partyId, script: script('fo'), args: operatorArgs(program, scenario), env };
  }
  const env = {
    ...trust,
    ...secret('SIMULATOR_PASSWORD', program.password),
    ...secret('SITE_SIMULATOR_TOKEN', o.meterToken),
  };
  const stations = ['--url', program.url, '--summary', String(SUMMARY_S), ...fleetArgs(program)];
  if (program.scenario !== 'depot') return { name: 'stations', script: script('stations'), args: stations, env };
  const site = ['--gateway', o.gateway(), '--scenario', scenario('uc-2.7-site.json'), '--', ...stations];
  return { name: 'site', script: script('site'), args: site, env };
}

const secret = (name: string, value: string | undefined): Readonly<Record<string, string>> =>
  value === undefined ? {} : { [name]: value };

function fleetArgs(p: Extract<SimulatorProgram, { kind: 'fleet' }>): string[] {
  if (p.scenario === 'file') return ['--fleet', p.file ?? ''];
  if (p.scenario !== 'many') return [];
  const { count = 10, versions = 'all' } = p;
  const quiet = count >= QUIET_FROM ? ['--quiet'] : [];
  return ['--count', String(count), '--meter', '2', ...(versions === 'all' ? [] : ['--versions', versions]), ...quiet];
}

/** Scenarios of operators that ship, by name. `setpoints` is what the simulator does by itself. */
const OPERATORS: Readonly<Record<string, string>> = {
  congestion: 'uc-2.7-congestion.json',
  north: 'two-fos-north.json',
  south: 'two-fos-south.json',
  rough: 'rough-operator.json',
};

function operatorArgs(
  p: Extract<SimulatorProgram, { kind: 'operator' }>,
  scenario: (name: string) => string,
): string[] {
  const shipped = OPERATORS[p.scenario];
  const file = p.scenario === 'file' ? p.file : shipped === undefined ? undefined : scenario(shipped);
  return [
    ...['--url', p.url, '--party', p.partyId, '--to', p.to, '--contract', p.contractId, '--group', p.groupId],
    ...(file === undefined ? [] : ['--scenario', file]),
  ];
}
