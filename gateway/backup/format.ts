/**
 * A backup is one file:
 *
 *     {"format":"v2gate-backup","version":1,"kdf":{…}}      one line
 *     the entries one after another, each compressed and sealed: head, text, tag
 *     {"madeAt":…,"program":…,"schema":…,"entries":[…]}     one line
 *     code over both lines, and where the second begins     one line of fixed length
 *
 * A list at the end lets it be written in one go; a file that was cut off has none, and is known for that.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { codeOf } from '../../core/errors.ts';
import { BACKUP_ERRORS } from './errors.ts';
import { type BackupHeader, type BackupList, headerOf, listOf, VERSION } from './list.ts';
import { type BackupKeys, type Derivation, deriveKeys, HEAD_BYTES, TAG_BYTES } from './sealing.ts';

const MAX_LINE = 16 * 1024 * 1024;
/** 64 hexadecimal digits, a space, 20 digits, a line end. */
const TRAILER = /^([0-9a-f]{64}) (\d{20})\n$/;
const TRAILER_BYTES = 86;

/** A file that goes into a backup. */
export interface BackupSource {
  /** Where it belongs in the data folder, with `/`. */
  readonly path: string;
  readonly file: string;
}

/** Writes a backup, which appears at `to` when it is complete. Rejects with `backup.unwritable` or `backup.unreadable`. */
export async function writeBackup(o: {
  readonly to: string;
  readonly passphrase: string;
  readonly kdf: Derivation;
  readonly files: readonly BackupSource[];
  readonly about: Omit<BackupList, 'entries'>;
}): Promise<BackupList> {
  const part = `${o.to}.part`;
  try {
    const list = await writeAll(part, o);
    await rename(part, o.to);
    return list;
  } catch (e) {
    await rm(part, { force: true });
    if (codeOf(e)?.startsWith('backup.')) throw e;
    throw BACKUP_ERRORS.fail('backup.unwritable', `The backup ${o.to} cannot be written (${codeOf(e) ?? 'unknown'}).`);
  }
}

async function writeAll(part: string, o: Parameters<typeof writeBackup>[0]): Promise<BackupList> {
  const keys = await deriveKeys(o.passphrase, o.kdf);
  const header: BackupHeader = { format: 'v2gate-backup', version: VERSION, kdf: o.kdf };
  const head = Buffer.from(`${JSON.stringify(header)}\n`);
  // What another run left, or somebody else put there, is not written into.
  await rm(part, { force: true });
  const out = await open(part, 'wx', 0o600);
  try {
    await out.write(head);
    let at = head.length;
    const entries = [];
    for (const source of o.files) {
      const entry = await writeEntry(out, keys, source);
      at += entry.bytes;
      entries.push(entry);
    }
    const list: BackupList = { ...o.about, entries };
    const line = Buffer.from(`${JSON.stringify(list)}\n`);
    await out.write(line);
    await out.write(`${keys.mac(Buffer.concat([head, line])).toString('hex')} ${String(at).padStart(20, '0')}\n`);
    await out.sync();
    return list;
  } finally {
    await out.close();
  }
}

async function writeEntry(out: FileHandle, keys: BackupKeys, { path, file }: BackupSource) {
  const { head, cipher } = keys.seal(path);
  const sum = createHash('sha256');
  let bytes = 0;
  const put = async (chunk: Buffer): Promise<void> => {
    sum.update(chunk);
    bytes += chunk.length;
    await out.write(chunk);
  };
  await put(head);
  await pipeline(readable(file), createGzip(), cipher, async (sealed: AsyncIterable<Buffer>) => {
    for await (const chunk of sealed) await put(chunk);
  });
  await put(cipher.getAuthTag());
  return { path, bytes, sha256: sum.digest('hex') };
}

async function* readable(file: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file) as AsyncIterable<Buffer>;
  } catch (e) {
    throw BACKUP_ERRORS.fail('backup.unreadable', `${file} cannot be read (${codeOf(e) ?? 'unknown'}).`);
  }
}

/** A backup that was opened and proved to be what its passphrase made. */
export interface OpenBackup {
  readonly list: BackupList;
  /** Writes each entry to a file of its own. Rejects with `backup.damaged`; what was written until then is of no worth. */
  extract(placeOf: (path: string) => string): Promise<void>;
}

/**
 * Reads what a backup says about itself. Rejects with `backup.unreadable`, `backup.format`, `backup.newer` or
 * `backup.passphrase`.
 */
export async function openBackup(file: string, passphrase: string): Promise<OpenBackup> {
  const { head, header, line, list, mac } = await readFrame(file);
  const keys = await deriveKeys(passphrase, header.kdf);
  if (!keys.fits(Buffer.concat([head, line]), mac)) throw BACKUP_ERRORS.fail('backup.passphrase');
  return {
    list,
    async extract(placeOf) {
      let at = head.length;
      for (const entry of list.entries) {
        try {
          await extractEntry({ file, at, keys, entry, to: placeOf(entry.path) });
        } catch (e) {
          if (codeOf(e) === 'ENOSPC' || codeOf(e) === 'EACCES')
            throw BACKUP_ERRORS.fail('backup.unwritable', `${entry.path} cannot be written (${codeOf(e)}).`);
          throw BACKUP_ERRORS.fail('backup.damaged', `${entry.path} in ${file} is damaged; nothing was restored.`);
        }
        at += entry.bytes;
      }
    },
  };
}

async function extractEntry(o: {
  readonly file: string;
  readonly at: number;
  readonly keys: BackupKeys;
  readonly entry: BackupList['entries'][number];
  readonly to: string;
}): Promise<void> {
  const { path, bytes, sha256 } = o.entry;
  const input = await open(o.file, 'r');
  try {
    const head = await piece(input, o.at, HEAD_BYTES);
    const tag = await piece(input, o.at + bytes - TAG_BYTES, TAG_BYTES);
    const [start, end] = [o.at + HEAD_BYTES, o.at + bytes - TAG_BYTES];
    const sum = createHash('sha256').update(head);
    const sealed = async function* (): AsyncGenerator<Buffer> {
      if (end <= start) return;
      const chunks: AsyncIterable<Buffer> = createReadStream(o.file, { start, end: end - 1 });
      for await (const chunk of chunks) {
        sum.update(chunk);
        yield chunk;
      }
    };
    await mkdir(dirname(o.to), { recursive: true, mode: 0o700 });
    const out = createWriteStream(o.to, { flags: 'wx', mode: 0o600, flush: true });
    await pipeline(sealed, o.keys.open(path, head, tag), createGunzip(), out);
    if (sum.update(tag).digest('hex') !== sha256) throw new Error('another sum');
  } finally {
    await input.close();
  }
}

/** The lines of a backup, and what they say. */
async function readFrame(file: string) {
  const input = await open(file, 'r').catch((e: unknown) => {
    throw BACKUP_ERRORS.fail('backup.unreadable', `${file} cannot be read (${codeOf(e) ?? 'unknown'}).`);
  });
  try {
    const { size } = await input.stat();
    const start = await piece(input, 0, Math.min(size, 4_096));
    const head = start.subarray(0, start.indexOf('\n') + 1);
    const header = headerOf(head.toString('utf8'), file);
    const trailer = TRAILER.exec(
      (await piece(input, Math.max(0, size - TRAILER_BYTES), TRAILER_BYTES)).toString('latin1'),
    );
    const at = Number(trailer?.[2] ?? Number.NaN);
    const length = size - TRAILER_BYTES - at;
    if (trailer === null || !(at >= head.length && length > 0 && length <= MAX_LINE))
      throw BACKUP_ERRORS.fail('backup.format', `${file} is not complete: its end is missing.`);
    const line = await piece(input, at, length);
    const list = listOf(line.toString('utf8'), file, at - head.length);
    return { head, header, line, list, mac: Buffer.from(trailer[1] ?? '', 'hex') };
  } finally {
    await input.close();
  }
}

async function piece(input: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await input.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
