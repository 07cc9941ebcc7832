import { createPrivateKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { APPLICATION_ID, MIGRATIONS } from '../store/migrations.ts';
import { BACKUP_ERRORS } from './errors.ts';
import type { BackupList } from './list.ts';

/** Looks whether what was unpacked into `folder` can be used by this v2gate. Rejects with `backup.damaged` or `backup.newer`. */
export async function checkUnpacked(folder: string, { schema, entries }: BackupList): Promise<void> {
  const last = MIGRATIONS.at(-1)?.to ?? 0;
  if (schema > last) {
    const what = `Its store has schema version ${schema}; this v2gate knows up to ${last}.`;
    throw BACKUP_ERRORS.fail('backup.newer', what);
  }
  const store = join(folder, 'store.sqlite');
  if (existsSync(store)) checkStore(store);
  for (const { path } of entries) {
    if (path.endsWith('.json')) await checkJson(join(folder, path), path);
    if (path === 'signing-key.pem') await checkKey(join(folder, path), path);
  }
}

function checkStore(file: string): void {
  const db = new DatabaseSync(file);
  try {
    const ours = Number(db.prepare('PRAGMA application_id').get()?.application_id) === APPLICATION_ID;
    const verdict = db.prepare('PRAGMA integrity_check(1)').get()?.integrity_check;
    if (!ours || verdict !== 'ok') throw damaged('store.sqlite', ours ? String(verdict) : 'it is no store of v2gate');
  } finally {
    db.close();
  }
}

async function checkJson(file: string, path: string): Promise<void> {
  try {
    JSON.parse(await readFile(file, 'utf8'));
  } catch {
    throw damaged(path, 'it is not JSON');
  }
}

async function checkKey(file: string, path: string): Promise<void> {
  try {
    createPrivateKey(await readFile(file, 'utf8'));
  } catch {
    throw damaged(path, 'it holds no private key');
  }
}

const damaged = (path: string, why: string): Error =>
  BACKUP_ERRORS.fail('backup.damaged', `${path} cannot be used: ${why}; nothing was restored.`);
