import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { codeOf, describeError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import type { VerifyKey } from '../../core/signing.ts';
import { GATEWAY_ERRORS } from '../errors.ts';
import type { Command, Terminal } from './command.ts';
import { checkDocument, type DocumentInput, type ReadDocument } from './verify-document.ts';
import { type Finding, lineOf, no, open, yes } from './verify-findings.ts';
import { localJwks, readKeys } from './verify-keys.ts';
import { checkLog, type ReadLog } from './verify-log.ts';

const USAGE = `Usage: npx v2gate verify <file>… [--jwks <file or URL>] [--head <hash>] [--reformatted]

Checks service records, proofs and event logs as the gateway lets them download, without a gateway. Files that belong
together are checked against each other: a proof with its record, a record with the log of its operator.

  --jwks         public keys; default: those of a gateway that runs on this machine
  --head         hash with which a log has to end
  --reformatted  accept documents whose layout was changed; the content still counts to the last digit`;

const LIMITS = { maxBytes: 64 * 1_048_576, maxDepth: 64, duplicateKeys: 'reject' } as const;
const MAX_FILE = 512 * 1_048_576;

interface Options {
  readonly jwks: string | undefined;
  readonly head: string | undefined;
  readonly reformatted: boolean;
}

/** `npx v2gate verify`: 0 everything holds, 1 something does not, 2 called wrongly. */
export const verify: Command = async (args, terminal) => {
  const { files, options } = optionsOf(args);
  if (files.length === 0) {
    terminal.err(USAGE);
    return 2;
  }
  const documents: DocumentInput[] = [];
  const logs: ReadLog[] = [];
  const unread: { name: string; finding: Finding }[] = [];
  for (const name of files) {
    const text = await textOf(name);
    if (text === undefined) unread.push({ name, finding: no('the file is not UTF-8 text') });
    else if (isLog(text)) logs.push(checkLog(name, text, options.reformatted));
    else {
      const found = documentsOf(name, text, options.reformatted);
      if ('ok' in found) unread.push({ name, finding: found });
      else documents.push(...found);
    }
  }
  const keys = documents.length > 0 ? await keysOf(options.jwks, terminal) : undefined;
  const read = documents.map((d) => checkDocument(d, keys));
  const together = [...pairs(read), ...anchors(read, logs), ...heads(logs, options.head)];
  for (const { name, finding } of unread) show(terminal, name, [finding]);
  for (const { name, findings } of [...read, ...logs]) show(terminal, name, findings);
  if (together.length > 0) show(terminal, 'Together', together);
  const all = [
    ...unread.map((u) => u.finding),
    ...read.flatMap((d) => d.findings),
    ...logs.flatMap((l) => l.findings),
    ...together,
  ];
  const wrong = all.filter((f) => f.ok === false).length;
  terminal.out(wrong === 0 ? '\nEverything that was checked holds.' : `\n${wrong} of ${all.length} checks failed.`);
  return wrong === 0 ? 0 : 1;
};

function optionsOf(args: readonly string[]): { files: string[]; options: Options } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { jwks: { type: 'string' }, head: { type: 'string' }, reformatted: { type: 'boolean' } },
    });
    return {
      files: positionals,
      options: { jwks: values.jwks, head: values.head, reformatted: values.reformatted ?? false },
    };
  } catch (e) {
    throw GATEWAY_ERRORS.fail('verify.usage', e instanceof Error ? e.message : 'The options cannot be read.');
  }
}

async function textOf(name: string): Promise<string | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(name);
  } catch (e) {
    throw GATEWAY_ERRORS.fail('verify.noFile', `${name} cannot be read (${codeOf(e) ?? 'unknown'}).`);
  }
  if (bytes.length > MAX_FILE) throw GATEWAY_ERRORS.fail('verify.noFile', `${name} is larger than 512 MiB.`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Lines of entries, rather than one document. */
const isLog = (text: string): boolean => text === '' || /^[^\n]*"(logSeq|prevHash)"/.test(text);

/** One document, or those of an answer to QueryRecords. */
function documentsOf(name: string, text: string, reformatted: boolean): DocumentInput[] | Finding {
  let value: unknown;
  try {
    value = parseJson(text, LIMITS);
  } catch (e) {
    return no(describeError(e).what);
  }
  const of = (key: string): unknown =>
    typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  const lists = [of('records'), of('proofs')].filter(Array.isArray).flat();
  if (lists.length > 0)
    return lists.map((v: unknown, i) => ({ name: `${name} [${i + 1}]`, text: undefined, value: v }));
  return [{ name, text: reformatted ? undefined : text, value }];
}

async function keysOf(jwks: string | undefined, terminal: Terminal): Promise<VerifyKey[] | undefined> {
  const place = jwks ?? localJwks(process.env.V2GATE_HTTP_PORT);
  try {
    const keys = await readKeys(place);
    terminal.out(
      `${keys.length} public key${keys.length === 1 ? '' : 's'} from ${place}${jwks ? '' : ', the gateway of this machine'}`,
    );
    return keys;
  } catch (e) {
    if (jwks !== undefined) throw e;
    terminal.out(`No gateway answers at ${place}; give its public keys with --jwks.`);
    return undefined;
  }
}

/** A proof and its record name each other. */
function pairs(read: readonly ReadDocument[]): Finding[] {
  const records = read.flatMap((d) => (d.record ? [d.record] : []));
  return read.flatMap(({ proof }) => {
    if (!proof || records.length === 0) return [];
    const record = records.find((r) => r.recordId === proof.recordId && r.foId === proof.foId);
    if (!record)
      return [no(`the proof ${proof.proofId} belongs to the record ${proof.recordId}, which is not among the files`)];
    return record.fsrId === proof.fsrId
      ? [yes(`the proof ${proof.proofId} belongs to the record ${record.recordId}`)]
      : [no(`the proof ${proof.proofId} and its record are about different services`)];
  });
}

/** The head that a record was signed with is the hash of an entry of its log. */
function anchors(read: readonly ReadDocument[], logs: readonly ReadLog[]): Finding[] {
  return read.flatMap(({ record }) => {
    if (!record || logs.length === 0) return [];
    const { headHash, eventRange, recordId } = record;
    const log = logs.find((l) => l.hashes.get(eventRange.to) === headHash);
    if (log) return [yes(`the record ${recordId} confirms the log ${log.name} up to entry ${eventRange.to}`)];
    const reaches = logs.some((l) => l.hashes.has(eventRange.to));
    const what = reaches
      ? `entry ${eventRange.to} of the log is another one`
      : `no log here has entry ${eventRange.to}`;
    return [no(`the record ${recordId} was signed with the head ${headHash.slice(0, 12)}…, but ${what}`)];
  });
}

function heads(logs: readonly ReadLog[], wanted: string | undefined): Finding[] {
  if (wanted === undefined) return [];
  if (logs.length === 0) return [open('--head is for event logs, and there is none')];
  return logs.map(({ name, head }) =>
    head?.hash === wanted.toLowerCase()
      ? yes(`${name} ends with the given head`)
      : no(`${name} does not end with the given head: entries are missing at its end, or it is another log`),
  );
}

function show(terminal: Terminal, name: string, findings: readonly Finding[]): void {
  terminal.out(`\n${name}`);
  for (const f of findings) terminal.out(lineOf(f));
}
