import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import { isPasswordHash } from './passwords.ts';
import { isRole, ROLES, type Role } from './roles.ts';
import { type WatchedFile, watchFile } from './watched-file.ts';

/** Somebody who may use console, API or editor. */
export interface User {
  readonly name: string;
  readonly role: Role;
  /** See {@link hashPassword}. */
  readonly hash: string;
}

const VERSION = 1;
const MAX_USERS = 1_000;
const NAME = /^[A-Za-z0-9._@-]{1,64}$/;

/** What a name of a user looks like, in words that complete "must be …". */
export const USER_NAME = '1 to 64 characters of A–Z a–z 0–9 . _ @ -';
export const isUserName = (name: string): boolean => NAME.test(name);

/** Where the users are kept. */
export const usersFile = (dataDir: string): string => join(dataDir, 'users.json');

/** Whether somebody may log in; false where the file cannot be used, which is told at the start. */
export function hasUsers(dataDir: string): boolean {
  try {
    return parseUsers(readFileSync(usersFile(dataDir), 'utf8'), '').length > 0;
  } catch {
    return false;
  }
}

/** Follows the users file. A broken one is reported, and the last good one stays in force. Rejects with `users.broken`. */
export function watchUsers(
  dataDir: string,
  around: { readonly clock?: Clock; readonly log: Log; readonly onReload?: (error?: unknown) => void },
): Promise<WatchedFile<readonly User[]>> {
  const file = usersFile(dataDir);
  return watchFile({ ...around, file, parse: (text) => parseUsers(text, file) });
}

/** The users of a file; nobody where there is none. Throws `users.broken`, without a word of what stands there. */
export function parseUsers(text: string | undefined, file: string): readonly User[] {
  if (text === undefined) return [];
  const users = contentOf(text);
  const names = new Set(users?.map((u) => u.name));
  if (users !== undefined && names.size === users.length && users.length <= MAX_USERS) return users;
  throw GATEWAY_ERRORS.fail('users.broken', `The users file ${file} cannot be used.`);
}

function contentOf(text: string): readonly User[] | undefined {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof content !== 'object' || content === null || Reflect.get(content, 'version') !== VERSION) return undefined;
  const rows: unknown = Reflect.get(content, 'users');
  if (!Array.isArray(rows)) return undefined;
  const users = rows.map(userOf);
  return users.every((u) => u !== undefined) ? users : undefined;
}

function userOf(row: unknown): User | undefined {
  if (typeof row !== 'object' || row === null) return undefined;
  const field = (name: string): unknown => Reflect.get(row, name);
  const [name, role, hash] = [field('name'), field('role'), field('hash')];
  if (typeof name !== 'string' || !isUserName(name) || !isRole(role)) return undefined;
  return typeof hash === 'string' && isPasswordHash(hash) ? { name, role, hash } : undefined;
}

/** Writes the users file at once or not at all, readable by its owner only. */
export async function writeUsers(dataDir: string, users: readonly User[]): Promise<void> {
  const file = usersFile(dataDir);
  const rows = [...users].sort((a, b) => ROLES.indexOf(b.role) - ROLES.indexOf(a.role) || (a.name < b.name ? -1 : 1));
  const text = `${JSON.stringify({ version: VERSION, users: rows }, null, 2)}\n`;
  const fresh = `${file}.${randomBytes(6).toString('hex')}`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(fresh, text, { mode: 0o600, flag: 'wx' });
  await chmod(fresh, 0o600);
  await rename(fresh, file);
}
