import { codeOf } from '../../core/errors.ts';
import { silentLog } from '../../core/log.ts';
import { GATEWAY_ERRORS } from '../errors.ts';
import { hashPassword, MIN_PASSWORD, PASSWORD_COST, passwordProblem, type ScryptCost } from '../passwords.ts';
import { isRole, ROLE_MEANINGS, ROLES, type Role } from '../roles.ts';
import type { Environment } from '../settings.ts';
import { isUserName, USER_NAME, type User, usersFile, watchUsers, writeUsers } from '../users.ts';
import type { Command, Terminal } from './command.ts';
import { settingsFor } from './places.ts';
import { table } from './table.ts';

const USAGE = [
  'Usage: npx v2gate users <command> [--data <folder>], with the V2GATE_DATA of the gateway',
  '',
  '  list                           Who may use console, API and editor',
  `  add <name> --role <role>       Adds somebody; asks for a password of at least ${MIN_PASSWORD} characters`,
  '  role <name> --role <role>      Gives another role',
  '  password <name>                Sets another password and ends the sessions of that name',
  '  remove <name> [--last]         Lets somebody in no more',
  '',
  'Passwords are asked for, or read from the standard input. A running gateway takes changes over within a second.',
  'Roles, each may do what those above it may:',
  ...ROLES.map((role) => `  ${role.padEnd(10)} ${ROLE_MEANINGS[role]}`),
];

const MAX_LINE = 4_096;

/** What the command needs from around it; tests give their own. */
export interface UsersAround {
  readonly env: Environment;
  readonly cost?: ScryptCost;
}

export const users: Command = (args, terminal) => runUsers(args, terminal, { env: process.env });

/** `npx v2gate users …`. Rejects with `users.refused`, `users.broken`. */
export async function runUsers(args: readonly string[], terminal: Terminal, around: UsersAround): Promise<number> {
  const given = readArgs(args);
  if (given === undefined) {
    for (const line of USAGE) terminal.err(line);
    return 2;
  }
  const { dataDir } = settingsFor(around.env, given.data);
  const known = await knownUsers(dataDir);
  if (given.command === 'list') return list(known, terminal, dataDir);
  const after = await changed(given, known, terminal, around);
  await writeUsers(dataDir, after).catch((e: unknown) => {
    throw refuse(`${usersFile(dataDir)} cannot be written (${codeOf(e) ?? 'unknown'}).`);
  });
  terminal.out(TOLD[given.command](given.name, after.find((u) => u.name === given.name)?.role));
  if (after.length === 0) terminal.out('There are no users any more; restart the gateway to open it without them.');
  return 0;
}

const TOLD: Readonly<Record<Exclude<Given['command'], 'list'>, (name: string, role: Role | undefined) => string>> = {
  add: (name, role) => `${name} is ${role} now.`,
  role: (name, role) => `${name} is ${role} now.`,
  password: (name) => `${name} has a new password; sessions with the old one have ended.`,
  remove: (name) => `${name} is let in no more.`,
};

interface Given {
  readonly command: 'list' | 'add' | 'role' | 'password' | 'remove';
  readonly name: string;
  readonly role?: Role;
  readonly last: boolean;
  readonly data: string | undefined;
}

function readArgs(args: readonly string[]): Given | undefined {
  const [command, ...rest] = args;
  const words: string[] = [];
  let role: string | undefined;
  let last = false;
  let data: string | undefined;
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i] ?? '';
    if (word === '--role') role = rest[++i] ?? '';
    else if (word.startsWith('--role=')) role = word.slice('--role='.length);
    else if (word === '--last') last = true;
    else if (word === '--data') data = rest[++i] ?? '';
    else if (word.startsWith('-')) return undefined;
    else words.push(word);
  }
  const [name, more] = words;
  if (more !== undefined) return undefined;
  if (command === 'list') return name === undefined ? { command, name: '', last, data } : undefined;
  if (command !== 'add' && command !== 'role' && command !== 'password' && command !== 'remove') return undefined;
  if (name === undefined) return undefined;
  if (!isUserName(name)) throw refuse(`A name must be ${USER_NAME}.`);
  if (command === 'password' || command === 'remove') return { command, name, last, data };
  if (isRole(role)) return { command, name, role, last, data };
  throw refuse(`--role must be one of ${ROLES.join(', ')}.`);
}

async function knownUsers(dataDir: string): Promise<readonly User[]> {
  return (await watchUsers(dataDir, { log: silentLog })).content;
}

async function changed(
  { command, name, role, last }: Given,
  known: readonly User[],
  terminal: Terminal,
  { cost = PASSWORD_COST }: UsersAround,
): Promise<readonly User[]> {
  const user = known.find((u) => u.name === name);
  const others = known.filter((u) => u.name !== name);
  if (command === 'add' && user) throw refuse(`There is a user ${name} already.`);
  if (command !== 'add' && !user) throw refuse(`There is no user ${name}.`);
  const losesEngineer =
    (command === 'remove' || (command === 'role' && role !== 'engineer')) && user?.role === 'engineer';
  if (losesEngineer && !last && !others.some((u) => u.role === 'engineer'))
    throw refuse(`${name} is the last engineer: nobody could use the editor any more. Say --last if that is wanted.`);
  if (command === 'remove') return others;
  if (command === 'role' && user) return [...others, { ...user, role: role ?? user.role }];
  const password = await newPassword(terminal);
  return [...others, { name, role: role ?? user?.role ?? 'viewer', hash: await hashPassword(password, cost) }];
}

async function newPassword(terminal: Terminal): Promise<string> {
  const password = terminal.secret ? await terminal.secret('Password: ') : await firstLine(terminal);
  const problem = passwordProblem(password);
  if (problem !== undefined) throw refuse(`The password ${problem}`);
  if (terminal.secret && (await terminal.secret('Again: ')) !== password) throw refuse('The passwords differ.');
  return password;
}

async function firstLine({ stdin }: Terminal): Promise<string> {
  let text = '';
  for await (const chunk of stdin) {
    text += chunk.toString();
    if (text.includes('\n') || text.length > MAX_LINE) break;
  }
  return text.split('\n', 1)[0]?.replace(/\r$/, '') ?? '';
}

function list(known: readonly User[], terminal: Terminal, dataDir: string): number {
  if (known.length === 0) terminal.out(`There are no users in ${usersFile(dataDir)}.`);
  else {
    const rows = known.map((u) => [u.name, u.role]);
    for (const line of table(['name', 'role'], rows, terminal.columns)) terminal.out(line);
  }
  return 0;
}

const refuse = (what: string): Error => GATEWAY_ERRORS.fail('users.refused', what);
