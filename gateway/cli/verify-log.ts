import { canonical, parseJson } from '../../core/json.ts';
import { type ChainHead, chainFault } from '../../hub/evidence/chain.ts';
import { EventEntry } from '../../model/index.ts';
import { type Finding, no, open, yes } from './verify-findings.ts';

const LINE_LIMITS = { maxBytes: 65_536, maxDepth: 8, duplicateKeys: 'reject' } as const;

/** An exported event log as far as it could be read. */
export interface ReadLog {
  readonly name: string;
  readonly findings: readonly Finding[];
  /** Hash of each entry by its number; only of logs that hold. */
  readonly hashes: ReadonlyMap<number, string>;
  readonly head: ChainHead | undefined;
}

/** Checks the lines of an export: form, hashes, order, gaps (fo 9.4). Stops at the first line that is wrong. */
export function checkLog(name: string, text: string, reformatted: boolean): ReadLog {
  const hashes = new Map<number, string>(); // bounded by: the file
  const bad = (what: string): ReadLog => ({ name, findings: [no(what)], hashes: new Map(), head: undefined });
  const lines = text.split('\n');
  if (lines.pop() !== '') return bad(`line ${lines.length + 1} does not end: the file was cut or changed there`);
  let head: ChainHead | undefined;
  let first: EventEntry | undefined;
  for (const [i, line] of lines.entries()) {
    const entry = entryOf(line, reformatted);
    if (typeof entry === 'string') return bad(`line ${i + 1} ${entry}`);
    const fault = chainFault(head, entry);
    if (fault) return bad(`line ${i + 1}, entry ${fault.logSeq}: ${fault.what}`);
    first ??= entry;
    head = { logSeq: entry.logSeq, hash: entry.hash };
    hashes.set(entry.logSeq, entry.hash);
  }
  if (!first || !head) return { name, findings: [open('the log is empty')], hashes, head };
  return {
    name,
    hashes,
    head,
    findings: [
      yes(`entries ${first.logSeq}–${head.logSeq} are complete, in order and each follows from the one before`),
      first.logSeq === 1
        ? yes('it begins with the first entry')
        : open(`it begins with entry ${first.logSeq}; what was before is not in the file`),
      open(`it ends with ${head.hash}; give the record of a service, or --head, to see that nothing is cut off`),
    ],
  };
}

/** The entry of a line, or what is wrong with it. */
function entryOf(line: string, reformatted: boolean): EventEntry | string {
  let value: unknown;
  try {
    value = parseJson(line, LINE_LIMITS);
  } catch {
    return 'is not JSON';
  }
  const [issue] = EventEntry.check(value);
  if (issue) return `is no entry: ${issue.path || '/'} ${issue.message}`;
  if (!reformatted && canonical(value) !== line)
    return 'is not as it was exported (--reformatted accepts another layout)';
  return value as EventEntry;
}
