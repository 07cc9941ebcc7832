import { errorTable } from '../../core/errors.ts';

/** What can go wrong with the store (design 5). */
export const STORE_ERRORS = errorTable('store', {
  'store.failed': {
    what: 'The store could not take or give this right now.',
    remedy:
      'Send it again after a short pause; if it persists, look at the free disk space and the log of the gateway.',
    retry: 'yes',
    protocol: 'internal.temporary',
  },
  'store.closed': {
    what: 'The store is closed, because the gateway is stopping.',
    remedy: 'Send it again when the gateway is up.',
    retry: 'later',
    protocol: 'internal.temporary',
  },
  'store.keyExists': {
    what: 'There is already a record with this key, and records of this kind are only appended.',
    remedy: 'Take a new key, or read the record that is there: the same thing was probably sent twice.',
    retry: 'no',
    protocol: 'internal.permanent',
  },
  'store.invalid': {
    what: 'This cannot be stored.',
    remedy: 'Correct the operation as the sentence says.',
    retry: 'no',
    protocol: 'internal.permanent',
  },
  'store.unreachable': {
    what: 'The store file cannot be opened.',
    remedy:
      'See that its folder exists on a disk with free space and that this user may write there, or set another path.',
    retry: 'afterFix',
  },
  'store.locked': {
    what: 'Another process uses the store file.',
    remedy: 'Stop the other gateway, or give this one a data folder of its own.',
    retry: 'afterFix',
  },
  'store.corrupt': {
    what: 'The store file is damaged or not a database.',
    remedy:
      'Move it and its -wal file aside and restore a backup, or start with an empty store; the damaged file is left untouched.',
    retry: 'afterFix',
  },
  'store.foreign': {
    what: 'The file is a database of another program.',
    remedy: 'Set the path of the store to a file of its own; this one is left untouched.',
    retry: 'afterFix',
  },
  'store.newer': {
    what: 'The store file was written by a newer version of the gateway.',
    remedy: 'Run that version or a newer one, or restore the backup made before the update.',
    retry: 'afterFix',
  },
  'store.migration': {
    what: 'The store file could not be brought to the present version; it is as it was before.',
    remedy: 'Look at the free disk space and try again, or run the version that wrote it.',
    retry: 'afterFix',
  },
});
