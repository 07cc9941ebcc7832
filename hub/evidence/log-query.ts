import { parseTime } from '../../core/clock.ts';
import {
  type EventEntry,
  type EventPage,
  type QueryEvents,
  type ResultBody,
  SERVICE_ERRORS,
} from '../../model/index.ts';
import { refused } from '../services/results.ts';
import type { Ledger } from '../site/ledger.ts';
import { type EventLog, entryKey, folderOf } from './event-log.ts';

/** A page stays well below the message limit of 256 KiB (fo 4.2). */
const PAGE_BYTES = 190_000;
const PAGE_ENTRIES = 500;
/** Entries that one query looks at; the next page goes on. */
const SCAN = 5_000;
const READ = 500;
/** Entries after which the beginning of a service is given up. */
const FAR = 50_000;
/** Clocks are corrected now and then: entries are in order of their number, and by time only about. */
const CLOCK_SLACK_MS = 3_600_000;

export interface LogSources {
  readonly ledger: Ledger;
  readonly events: EventLog;
}

/** Entries of a chain in order, from a number on. */
export async function* readChain(ledger: Ledger, chain: string, fromLogSeq = 1): AsyncGenerator<EventEntry> {
  let after = entryKey(chain, Math.max(fromLogSeq, 1) - 1);
  for (;;) {
    const rows = await ledger.page('log', { folder: `${folderOf(chain)}/`, after, limit: READ });
    for (const row of rows) yield row.body as EventEntry;
    const last = rows.at(-1)?.key;
    if (rows.length < READ || last === undefined) return;
    after = last;
  }
}

/** `QueryEvents` of a party: its own chain and nothing else (fo 4.3 no. 22, fo 9.4). */
export async function queryEvents(o: LogSources, foId: string, query: QueryEvents): Promise<ResultBody> {
  const page = query.page === undefined ? undefined : Number(query.page);
  if (page !== undefined && !(Number.isSafeInteger(page) && page >= 1)) {
    const what = 'This page is not one that was offered.';
    return refused(SERVICE_ERRORS.fail('param.invalid', what, { path: '/page', remedy: 'Send nextPage unchanged.' }));
  }
  await o.events.flush();
  const head = o.events.head(foId);
  const window = query.window && { start: parseTime(query.window.start), end: parseTime(query.window.end) };
  const from = page ?? Math.max(query.fromLogSeq ?? 1, window ? await firstAt(o, foId, window.start) : 1);
  const kinds = query.kinds && new Set(query.kinds); // bounded by: the query
  const data = await collect(readChain(o.ledger, foId, from), (e) => matches(e, kinds, window), window?.end);
  return { status: 'ok', data: { ...data, headHash: head.hash } satisfies EventPage };
}

function matches(
  e: EventEntry,
  kinds: ReadonlySet<string> | undefined,
  window: { readonly start: number; readonly end: number } | undefined,
): boolean {
  if (kinds && !kinds.has(e.kind)) return false;
  const at = window ? parseTime(e.at) : 0;
  return window === undefined || (at >= window.start && at < window.end);
}

async function collect(
  chain: AsyncIterable<EventEntry>,
  wanted: (e: EventEntry) => boolean,
  endMs: number | undefined,
): Promise<Omit<EventPage, 'headHash'>> {
  const entries: EventEntry[] = [];
  let bytes = 0;
  let seen = 0;
  for await (const e of chain) {
    if (endMs !== undefined && parseTime(e.at) >= endMs + CLOCK_SLACK_MS) break;
    const size = wanted(e) ? Buffer.byteLength(JSON.stringify(e)) + 1 : 0;
    if (++seen > SCAN || entries.length >= PAGE_ENTRIES || (bytes + size > PAGE_BYTES && entries.length > 0))
      return { entries, nextPage: String(e.logSeq) };
    if (size === 0) continue;
    bytes += size;
    entries.push(e);
  }
  return { entries };
}

/** The number from which on entries may lie in a window: halving, because a chain may be years long. */
async function firstAt({ ledger, events }: LogSources, chain: string, startMs: number): Promise<number> {
  const wantedMs = startMs - CLOCK_SLACK_MS;
  const [oldest] = await ledger.page('log', { folder: `${folderOf(chain)}/`, after: '', limit: 1 });
  let low = oldest === undefined ? 1 : (oldest.body as EventEntry).logSeq;
  let high = events.head(chain).logSeq + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = await ledger.get('log', entryKey(chain, middle));
    // A missing one was deleted by its age.
    if (row === undefined || parseTime((row.body as EventEntry).at) < wantedMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The number of the first entry about a service, which was asked for at about that time or later (epoch ms). */
export async function firstOf(
  o: LogSources,
  chain: string,
  fsrId: string,
  aboutMs: number,
): Promise<number | undefined> {
  const from = await firstAt(o, chain, aboutMs);
  let seen = 0;
  for await (const e of readChain(o.ledger, chain, from)) {
    if (e.subject.includes(fsrId)) return e.logSeq;
    if (++seen > FAR) return undefined;
  }
  return undefined;
}
