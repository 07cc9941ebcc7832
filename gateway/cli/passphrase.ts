import { BACKUP_ERRORS } from '../backup/errors.ts';
import type { Environment } from '../settings.ts';
import type { Terminal } from './command.ts';

const MIN = 12;

/**
 * The passphrase of a backup: V2GATE_BACKUP_PASSPHRASE, else what somebody types at a terminal (`twice` for a new one).
 * Rejects with `backup.noPassphrase`.
 */
export async function passphraseOf(env: Environment, { secret }: Terminal, twice: boolean): Promise<string> {
  const given = env.V2GATE_BACKUP_PASSPHRASE;
  if (given !== undefined && given !== '') return checked(given);
  if (secret === undefined) throw BACKUP_ERRORS.fail('backup.noPassphrase');
  const typed = checked(await secret('Passphrase of the backup: '));
  if (twice && (await secret('The same once more: ')) !== typed)
    throw BACKUP_ERRORS.fail('backup.noPassphrase', 'The two passphrases are not the same.');
  return typed;
}

function checked(passphrase: string): string {
  if ([...passphrase].length >= MIN && passphrase.length <= 1_024) return passphrase;
  throw BACKUP_ERRORS.fail('backup.noPassphrase', `The passphrase needs at least ${MIN} characters.`);
}
