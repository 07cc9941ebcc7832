import { readFile, stat } from 'node:fs/promises';
import { codeOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import type { Environment } from './settings.ts';

/** Finds the secret behind a name that a site file mentions. */
export type SecretSource = (ref: string) => string | undefined;

/** Beginning of environment variables that hold one secret each. */
export const SECRET_PREFIX = 'V2GATE_SECRET_';

/** Settings that are secrets themselves. */
const OWN_SECRETS: readonly string[] = ['V2GATE_CREDENTIAL_SECRET', 'V2GATE_HTTP_PASSWORD'];

/** The variable for a secret: `V2GATE_SECRET_` and its name in capitals, other characters as `_`. */
export function secretVariable(ref: string): string {
  return `${SECRET_PREFIX}${ref.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
}

/**
 * A copy of the environment, from which the process itself forgets the secrets: flows can read its variables, and child
 * processes inherit them.
 */
export function takeEnvironment(env: NodeJS.ProcessEnv): Environment {
  const copy = { ...env };
  for (const name of Object.keys(env)) {
    if (name.startsWith(SECRET_PREFIX) || OWN_SECRETS.includes(name)) delete env[name];
  }
  return copy;
}

/**
 * Reads the secrets file (a JSON object of texts; it may be missing) once. A variable of the environment wins over the
 * file. Rejects with `secrets.broken`; warns when others than the owner may read the file.
 */
export async function readSecrets(file: string, env: Environment, log: Log): Promise<SecretSource> {
  const kept = await readFileSecrets(file, log);
  return (ref) => env[secretVariable(ref)] || kept[ref];
}

async function readFileSecrets(file: string, log: Log): Promise<Readonly<Record<string, string | undefined>>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0)
      log.warn('secrets.readable', { file, text: 'others may read this file; run chmod 600 on it' });
  } catch (e) {
    if (codeOf(e) === 'ENOENT') return {};
    throw GATEWAY_ERRORS.fail('secrets.broken', `The secrets file ${file} cannot be read (${codeOf(e) ?? 'unknown'}).`);
  }
  const content = parse(text);
  if (content === undefined)
    throw GATEWAY_ERRORS.fail('secrets.broken', `The secrets file ${file} is not a JSON object of texts.`);
  return content;
}

/** Says nothing of what was wrong in the text, because a message could show a secret. */
function parse(text: string): Record<string, string> | undefined {
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content !== 'object' || content === null || Array.isArray(content)) return undefined;
    const entries = Object.entries(content).filter((e): e is [string, string] => typeof e[1] === 'string');
    return entries.length === Object.keys(content).length
      ? Object.assign(Object.create(null), Object.fromEntries(entries))
      : undefined;
  } catch {
    return undefined;
  }
}
