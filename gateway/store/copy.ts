import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as sqlite from 'node:sqlite';
import { type Clock, every, type TimerHandle } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';

/** Pages that are copied before the store may write again: a few milliseconds. */
const PAGES = 64;
const LOOK_MS = 1_000;
/** Name of a wish for a copy, and of what becomes of it. */
const WANTED = /^store-copy-[0-9a-f]{16}\.wanted$/;
const ANY = /^store-copy-[0-9a-f]{16}\.(wanted|part|sqlite|failed)$/;

/** A consistent copy of an open database, while it is written to; `to` must not exist. */
export async function copyDatabase(db: sqlite.DatabaseSync, to: string): Promise<void> {
  // Node 22 has it since 22.16; without it the copy is made in one go.
  if (typeof sqlite.backup === 'function') await sqlite.backup(db, to, { rate: PAGES });
  else db.prepare('VACUUM INTO ?').run(to);
}

/** Where a wish for a copy is put, and where its answer appears. */
export function copyFiles(folder: string, id: string) {
  const file = (ending: string): string => join(folder, `store-copy-${id}.${ending}`);
  return { wanted: file('wanted'), part: file('part'), done: file('sqlite'), failed: file('failed') };
}

/**
 * Gives copies of the store to programs beside the gateway, which cannot open it: whoever may write into the data folder
 * puts a wish there. One copy at a time. What an earlier process left is removed first.
 */
export function serveCopies(o: {
  readonly folder: string;
  readonly copy: (to: string) => Promise<void>;
  /** The machine's. */
  readonly clock: Clock;
  readonly log: Log;
}): TimerHandle {
  let busy = true;
  const clean = removeCopies(o.folder).finally(() => {
    busy = false;
  });
  clean.catch(() => undefined);
  const look = async (): Promise<void> => {
    const names = await readdir(o.folder);
    const wanted = names.find((name) => WANTED.test(name));
    if (wanted !== undefined) await answer(o, wanted.slice('store-copy-'.length, -'.wanted'.length));
  };
  return every(o.clock, LOOK_MS, () => {
    if (busy) return;
    busy = true;
    look()
      .catch((e: unknown) => o.log.warn('store.copyFailed', describeError(e)))
      .finally(() => {
        busy = false;
      });
  });
}

async function answer({ folder, copy, log }: Parameters<typeof serveCopies>[0], id: string): Promise<void> {
  const files = copyFiles(folder, id);
  await rm(files.wanted);
  try {
    await copy(files.part);
    await rename(files.part, files.done);
    log.info('store.copied', { id });
  } catch (e) {
    await rm(files.part, { force: true });
    const { what } = describeError(e);
    log.error('store.copyFailed', { id, what });
    await writeFile(files.failed, what, { mode: 0o600 });
  }
}

async function removeCopies(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (ANY.test(name)) await rm(join(folder, name), { force: true });
}
