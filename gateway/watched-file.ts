import { type FileHandle, open } from 'node:fs/promises';
import { BoundedSet } from '../core/bounded.ts';
import type { Clock } from '../core/clock.ts';
import { codeOf, describeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import { siteFiles } from './site-files.ts';

/** A file as it was read last. */
export interface WatchedFile<T> {
  readonly content: T;
  /** Hears when other content is in force. */
  onChange(listener: () => void): () => void;
  /** Reads it now if it has changed; what is broken is reported and the last good content stays. Never rejects. */
  reload(): Promise<void>;
  close(): void;
}

export interface WatchedFileOptions<T> {
  readonly file: string;
  /** The machine's clock; absent: the file is read once. */
  readonly clock?: Clock;
  readonly log: Log;
  /** What is read from its text; undefined text: there is no file. Throws a coded error. */
  readonly parse: (text: string | undefined) => T;
  /** Told after each reading while it runs: without an error the new content is in force. */
  readonly onReload?: (error?: unknown) => void;
}

const MAX_BYTES = 4 * 1024 * 1024;

/** Follows a file with secrets. Warns when others than its owner may read it. Rejects with what `parse` throws, or `file.unreadable`. */
export async function watchFile<T>(o: WatchedFileOptions<T>): Promise<WatchedFile<T>> {
  const { file, log } = o;
  const listeners = new BoundedSet<() => void>({ name: 'gateway.fileListeners', max: 16, overflow: 'refuse' });
  let warned = false;
  const read = async (): Promise<string | undefined> => {
    let handle: FileHandle | undefined;
    try {
      handle = await open(file, 'r');
      const { mode, size } = await handle.stat();
      if (size > MAX_BYTES) throw GATEWAY_ERRORS.fail('file.unreadable', `${file} is larger than ${MAX_BYTES} bytes.`);
      if ((mode & 0o077) !== 0 && !warned) {
        warned = true;
        log.warn('secrets.readable', { file, text: 'others may read this file; run chmod 600 on it' });
      }
      return await handle.readFile('utf8');
    } catch (e) {
      const code = codeOf(e);
      if (code === 'ENOENT') return undefined;
      if (code?.startsWith('file.')) throw e;
      throw GATEWAY_ERRORS.fail('file.unreadable', `${file} cannot be read (${code ?? 'unknown'}).`);
    } finally {
      await handle?.close();
    }
  };
  let known = await read();
  let content = o.parse(known);
  const reload = async (): Promise<void> => {
    try {
      const text = await read();
      if (text === known) return;
      known = text;
      content = o.parse(text);
      log.info('file.reloaded', { file });
      o.onReload?.();
      for (const listener of [...listeners]) listener();
    } catch (e) {
      const { code, what, remedy } = describeError(e);
      log.error('file.kept', { file, code, what: `${what} What was read before stays in force.`, remedy });
      o.onReload?.(e);
    }
  };
  const stop = o.clock === undefined ? undefined : siteFiles(o.clock).watch(file, () => void reload());
  return {
    get content() {
      return content;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    reload,
    close: () => stop?.(),
  };
}
