/**
 * The event log's hash chain, checked here and not by whoever sent it (fo 9.4).
 * @import { EventEntry } from '../../model/index.ts'
 */

/** `prevHash` of a first entry. */
const FIRST = '0'.repeat(64);
/** Entries that a page reads of one log; `npx v2gate verify` takes any length. */
export const MAX_CHECKED = 200_000;

/**
 * What came of a check. `fault` names the entry that is wrong; `whole` is false where the log begins later than its
 * first entry, or goes on beyond {@link MAX_CHECKED}.
 * @typedef {{ count: number, whole: boolean, from?: number, to?: number, fault?: { logSeq: number, what: string } }} ChainCheck
 */

/**
 * The RFC 8785 form of a JSON value: names in order of their code units, numbers as ECMAScript writes them.
 * @param {unknown} value
 * @returns {string}
 */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, v]) => v !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`).join(',')}}`;
}

/** Browsers hash only pages that came over HTTPS or from this machine. */
export const canHash = () => globalThis.crypto?.subtle !== undefined;

/** Lower-case hex SHA-256 of an entry without its hash. @param {EventEntry} entry */
export async function entryHash({ hash: _, ...content }) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(canonical(content)));
  return Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, '0')).join('');
}

/**
 * Follows a log from entry to entry.
 * @param {AsyncIterable<EventEntry> | Iterable<EventEntry>} entries
 * @returns {Promise<ChainCheck>}
 */
export async function checkChain(entries) {
  /** @type {EventEntry | undefined} */
  let before;
  /** @type {number | undefined} */
  let from;
  let count = 0;
  for await (const entry of entries) {
    const what = await faultOf(before, entry);
    from ??= entry.logSeq;
    if (what !== undefined) return { count, whole: false, fault: { logSeq: entry.logSeq, what } };
    before = entry;
    count++;
    if (count >= MAX_CHECKED) return { count, whole: false, from, to: entry.logSeq };
  }
  return { count, whole: (from ?? 1) === 1, ...(from === undefined || !before ? {} : { from, to: before.logSeq }) };
}

/** @param {EventEntry | undefined} before @param {EventEntry} entry */
async function faultOf(before, entry) {
  if ((await entryHash(entry)) !== entry.hash) return 'its content was changed';
  if (before === undefined)
    return entry.logSeq === 1 && entry.prevHash !== FIRST ? 'the first entry has a predecessor' : undefined;
  if (entry.logSeq !== before.logSeq + 1) return 'entries before it are missing, or it is out of order';
  return entry.prevHash === before.hash ? undefined : 'it does not follow from the entry before';
}

/**
 * The entries of JSON lines that arrive in pieces.
 * @param {AsyncIterable<string>} pieces
 * @returns {AsyncGenerator<EventEntry>}
 */
export async function* entriesOf(pieces) {
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line);
  }
  if (rest !== '') yield JSON.parse(rest);
}
