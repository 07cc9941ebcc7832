import { errorTable } from '../../core/errors.ts';

/** What can go wrong with `npx v2gate backup` and `npx v2gate restore`. */
export const BACKUP_ERRORS = errorTable('backup', {
  'backup.usage': {
    what: 'The command was called with options that it does not know.',
    remedy: 'Call `npx v2gate backup` or `npx v2gate restore` alone to see how it is used.',
    retry: 'afterFix',
  },
  'backup.nothing': {
    what: 'There is no data folder to back up.',
    remedy: 'Name it with --data or V2GATE_DATA.',
    retry: 'afterFix',
  },
  'backup.exists': {
    what: 'The file is there already.',
    remedy: 'Take another name; a backup never replaces another one.',
    retry: 'no',
  },
  'backup.unwritable': {
    what: 'A file of the backup cannot be written.',
    remedy: 'Check the folder, its free space, and that this user may write there.',
    retry: 'afterFix',
  },
  'backup.unreadable': {
    what: 'A file cannot be read.',
    remedy: 'Run the command as the user of the gateway.',
    retry: 'afterFix',
  },
  'backup.noPassphrase': {
    what: 'A backup needs a passphrase, because keys and secrets are in it.',
    remedy: 'Set V2GATE_BACKUP_PASSPHRASE to at least 12 characters, or run the command in a terminal, where it asks.',
    retry: 'afterFix',
  },
  'backup.noAnswer': {
    what: 'Another process uses the store, and does not give a copy of it.',
    remedy: 'If it is a gateway, look at its log; otherwise stop it and try again.',
    retry: 'later',
  },
  'backup.format': {
    what: 'The file is not a backup of v2gate, or it is damaged.',
    remedy: 'Take another backup.',
    retry: 'no',
  },
  'backup.newer': {
    what: 'The backup was made by a newer version of v2gate.',
    remedy: 'Update v2gate to that version or a newer one, then restore.',
    retry: 'afterFix',
  },
  'backup.passphrase': {
    what: 'The passphrase is another one than that of the backup, or the list of its content was changed.',
    remedy: 'Give the passphrase with which the backup was made.',
    retry: 'afterFix',
  },
  'backup.damaged': {
    what: 'The content of the backup is damaged; nothing was restored.',
    remedy: 'Take another backup.',
    retry: 'no',
  },
  'backup.notEmpty': {
    what: 'The data folder is not empty.',
    remedy: 'Name an empty one with --data, or use --force: what is there is then moved aside, not deleted.',
    retry: 'afterFix',
  },
  'backup.running': {
    what: 'A gateway runs on this data folder.',
    remedy: 'Stop it first.',
    retry: 'afterFix',
  },
});
