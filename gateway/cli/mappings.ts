import { parseArgs } from 'node:util';
import type { Command, Terminal } from './command.ts';
import { checkMappings } from './mappings-check.ts';
import { listMappings } from './mappings-list.ts';
import { newMapping } from './mappings-new.ts';
import { runMapping } from './mappings-run.ts';

/** Options of all subcommands; each uses its own. */
const OPTIONS = {
  overrides: { type: 'string' },
  json: { type: 'boolean' },
  ctx: { type: 'string' },
  strict: { type: 'boolean' },
  from: { type: 'string' },
  to: { type: 'string', multiple: true },
  variant: { type: 'string' },
  out: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** What stands behind `npx v2gate mappings <name>`. */
export interface MappingsCall {
  readonly terminal: Terminal;
  /** Files and folders. */
  readonly names: readonly string[];
  /** Folder of overrides: `--overrides`, else V2GATE_MAPPINGS. */
  readonly overrides: string | undefined;
  readonly json: boolean;
  readonly ctx: string | undefined;
  readonly strict: boolean;
  readonly from: string | undefined;
  readonly to: readonly string[];
  readonly variant: string | undefined;
  readonly out: string | undefined;
}

interface Sub {
  readonly usage: string;
  readonly about: string;
  readonly run: (call: MappingsCall) => Promise<number>;
}

const SUBS: Readonly<Record<string, Sub>> = {
  list: {
    usage: 'list [--overrides folder] [--json]',
    about: 'All mappings: source, target, coverage of the target fields, state',
    run: listMappings,
  },
  run: {
    usage: 'run <file> [input.json|-] [--ctx ctx.json]',
    about: 'Runs a mapping on a message, or on its own examples when no message is given',
    run: runMapping,
  },
  check: {
    usage: 'check [folder|file …] [--strict] [--json]',
    about: 'All findings about mappings and their examples; exit code 1 on errors (--strict: on warnings too)',
    run: checkMappings,
  },
  new: {
    usage: 'new --from <topic> --to <topic> [--variant name] [--out file|folder]',
    about: 'A mapping to begin with: every required field of the target, and an example',
    run: newMapping,
  },
};

/** `npx v2gate mappings …` */
export const mappings: Command = async ([name, ...args], terminal) => {
  const sub = name === undefined ? undefined : SUBS[name];
  if (!sub) {
    const asked = name !== undefined && ['help', '--help', '-h'].includes(name);
    if (!asked && name !== undefined) terminal.err(`There is no command "mappings ${name}".`);
    for (const line of help()) (asked ? terminal.out : terminal.err)(line);
    return asked ? 0 : 2;
  }
  const given = readArgs(args);
  if (typeof given === 'string' || given.values.help) {
    if (typeof given === 'string') terminal.err(given);
    const say = typeof given === 'string' ? terminal.err : terminal.out;
    say(`Usage: npx v2gate mappings ${sub.usage}`);
    say(sub.about);
    return typeof given === 'string' ? 2 : 0;
  }
  const { values, positionals } = given;
  const env = process.env.V2GATE_MAPPINGS;
  return sub.run({
    terminal,
    names: positionals,
    overrides: values.overrides ?? (env === '' ? undefined : env),
    json: values.json ?? false,
    ctx: values.ctx,
    strict: values.strict ?? false,
    from: values.from,
    to: (values.to ?? []).flatMap((t) => t.split(',')).filter((t) => t !== ''),
    variant: values.variant,
    out: values.out,
  });
};

function readArgs(args: readonly string[]): ReturnType<typeof parse> | string {
  try {
    return parse(args);
  } catch (e) {
    return e instanceof Error ? e.message : 'The options cannot be read.';
  }
}

const parse = (args: readonly string[]) => parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });

function help(): string[] {
  return [
    'Usage: npx v2gate mappings <command> …',
    '',
    ...Object.values(SUBS).flatMap(({ usage, about }) => [`  ${usage}`, `      ${about}`]),
    '',
    'How to write a mapping: docs/mappings.md',
  ];
}
