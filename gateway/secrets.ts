import type { Clock } from '../core/clock.ts';
import { codeOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import type { Environment } from './settings.ts';
import { watchFile } from './watched-file.ts';

/** Finds the secret behind a name that a site file mentions. */
export type SecretSource = (ref: string) => string | undefined;

/** Beginning of environment variables that hold one secret each. */
export const SECRET_PREFIX = 'V2GATE_SECRET_';

/** Settings that are secrets themselves. */
const OWN_SECRETS: readonly string[] = ['V2GATE_CREDENTIAL_SECRET', 'V2GATE_HTTP_PASSWORD', 'V2GATE_BACKUP_PASSPHRASE'];

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

/** The secrets of a gateway. */
export interface Secrets {
  readonly secret: SecretSource;
  close(): void;
}

/**
 * Follows the secrets file (a JSON object of texts; it may be missing). A variable of the environment wins over the file;
 * a broken file is reported while it runs, and the last good one stays in force. Rejects with `secrets.broken`; warns when
 * others than the owner may read the file.
 */
export async function watchSecrets(
  file: string,
  env: Environment,
  around: { readonly clock?: Clock; readonly log: Log; readonly onReload?: (error?: unknown) => void },
): Promise<Secrets> {
  const broken = (why: string): Error => GATEWAY_ERRORS.fail('secrets.broken', `The secrets file ${file} ${why}.`);
  const parsed = (text: string | undefined): Readonly<Record<string, string | undefined>> => {
    const content = text === undefined ? {} : parse(text);
    if (content === undefined) throw broken('is not a JSON object of texts');
    return content;
  };
  try {
    const kept = await watchFile({ ...around, file, parse: parsed });
    return { secret: (ref) => env[secretVariable(ref)] || kept.content[ref], close: () => kept.close() };
  } catch (e) {
    throw codeOf(e) === 'file.unreadable' ? broken('cannot be read') : e;
  }
}

/** The same, read once. */
export async function readSecrets(file: string, env: Environment, log: Log): Promise<SecretSource> {
  return (await watchSecrets(file, env, { log })).secret;
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
