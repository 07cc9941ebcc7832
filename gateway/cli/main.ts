import { describeError } from '../../core/errors.ts';
import type { Command, Terminal } from './command.ts';

/** What `npx v2gate` can do. Commands are loaded when they are called: none pays for another one. */
const COMMANDS: Readonly<Record<string, { readonly about: string; readonly load: () => Promise<Command> }>> = {
  backup: {
    about: 'Write one encrypted file with store, keys, site, secrets and flows; the gateway may run',
    load: async () => (await import('./backup.ts')).backup,
  },
  mappings: {
    about: 'List, run and check mappings, or begin a new one',
    load: async () => (await import('./mappings.ts')).mappings,
  },
  restore: {
    about: 'Put a backup back, or check one',
    load: async () => (await import('./restore.ts')).restore,
  },
  site: {
    about: 'Check a site file before a gateway takes it',
    load: async () => (await import('./site-check.ts')).site,
  },
  users: {
    about: 'Add people and programs that may use console, API and editor, with a role each',
    load: async () => (await import('./users.ts')).users,
  },
  verify: {
    about: 'Check service records, proofs and event logs, also where no gateway runs',
    load: async () => (await import('./verify.ts')).verify,
  },
};

const terminal: Terminal = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  stdin: process.stdin,
  ...(process.stdin.isTTY ? { secret: async (question) => (await import('./ask.ts')).ask(question) } : {}),
  ...(process.stdout.isTTY ? { columns: process.stdout.columns } : {}),
  ...(process.stderr.isTTY ? { status: (line: string) => process.stderr.write(`\r\u001b[K${line}`) } : {}),
};

process.exitCode = await main(process.argv.slice(2));

/** Runs a command; answers the exit code: 0 done, 1 the answer is no, 2 called wrongly. */
async function main([name, ...args]: readonly string[]): Promise<number> {
  const command = name === undefined ? undefined : COMMANDS[name];
  if (!command) {
    if (name !== undefined && !['help', '--help', '-h'].includes(name)) terminal.err(`There is no command "${name}".`);
    terminal.err('Usage: npx v2gate <command> …\n');
    for (const [each, { about }] of Object.entries(COMMANDS)) terminal.err(`  ${each.padEnd(10)} ${about}`);
    return 2;
  }
  try {
    return await (await command.load())(args, terminal);
  } catch (e) {
    const { code, what, remedy } = describeError(e);
    terminal.err(`${what} ${remedy} (${code})`);
    return 2;
  }
}
