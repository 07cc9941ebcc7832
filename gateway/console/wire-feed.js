/**
 * What the wire timeline shows, asked for again and again: newest entries of the trace by filters, and everything that
 * belongs to one request.
 * @import { ApiError, ApiResult } from './api.js'
 * @import { WireEntry } from './trace.js'
 */

/** Entries that the page keeps of one question; the gateway has more. */
export const KEPT = 1000;
const PAGE = 500;
/** A story is told from its beginning, this far. */
const STORY = 2000;
const EVERY_MS = 1000;
/** Asking for long stories again and again costs both sides. */
const PER_ENTRY_MS = 5;

/** Parameters of `GET /v2gate/api/timeline`; empty ones are left out. @typedef {Readonly<Record<string, string>>} Query */

/**
 * One question to the trace. `grows`: only what is newer than the last answer is asked for; otherwise all of it, for
 * what belongs to a request may be found later.
 * @param {{ ask: (url: URL) => Promise<ApiResult>, url: URL, grows: boolean, changed: () => void }} o
 */
export function createFeed({ ask, url, grows, changed }) {
  let query = '';
  /** @type {{ entries: readonly WireEntry[], newest: number, dropped: number, error: ApiError | undefined, loaded: boolean }} */
  let known = empty();
  let askedAt = Number.NEGATIVE_INFINITY;
  let busy = false;

  /** @param {number} mono */
  const load = async (mono) => {
    busy = true;
    askedAt = mono;
    const about = query;
    const more = grows && known.loaded && known.entries.length > 0;
    const range = grows
      ? { limit: String(PAGE), ...(more ? { after: String(known.newest) } : {}) }
      : { limit: String(STORY), after: '0' };
    const result = await ask(withQuery(url, about, range));
    busy = false;
    if (about !== query) return;
    if (result.ok) {
      const { entries, newestSeq, dropped } = answerOf(result.body);
      const all = more ? [...known.entries, ...entries.filter((e) => e.seq > known.newest)] : entries;
      const newest = all.at(-1)?.seq ?? newestSeq;
      known = {
        entries: grows && all.length > KEPT ? all.slice(-KEPT) : all,
        newest,
        dropped,
        error: undefined,
        loaded: true,
      };
    } else known = { ...known, error: result.error };
    changed();
  };
  return {
    /** Asks when it is time, or at once when the question is another. @param {Query | undefined} next undefined: nothing is asked @param {number} mono ms */
    poll(next, mono) {
      if (next === undefined) return;
      const text = queryText(next);
      if (text !== query) {
        query = text;
        known = empty();
        askedAt = Number.NEGATIVE_INFINITY;
        busy = false;
      }
      const every = grows ? EVERY_MS : Math.max(EVERY_MS, known.entries.length * PER_ENTRY_MS);
      if (!busy && mono - askedAt >= every) void load(mono);
    },
    get entries() {
      return known.entries;
    },
    get dropped() {
      return known.dropped;
    },
    get error() {
      return known.error;
    },
    get loaded() {
      return known.loaded;
    },
  };
}

function empty() {
  return { entries: [], newest: 0, dropped: 0, error: undefined, loaded: false };
}

/** @param {Query} query */
export function queryText(query) {
  return new URLSearchParams(Object.entries(query).filter(([, v]) => v !== '')).toString();
}

/** @param {URL} url @param {string} query @param {Query} [more] */
export function withQuery(url, query, more = {}) {
  const full = new URL(url);
  for (const [key, value] of [...new URLSearchParams(query), ...Object.entries(more)])
    full.searchParams.set(key, value);
  return full;
}

/** @param {unknown} body @returns {{ entries: WireEntry[], newestSeq: number, dropped: number }} */
function answerOf(body) {
  const { entries, newestSeq, dropped } = /** @type {Partial<Record<string, unknown>>} */ (body ?? {});
  return {
    entries: Array.isArray(entries) ? entries.toSorted((a, b) => a.seq - b.seq) : [],
    newestSeq: typeof newestSeq === 'number' ? newestSeq : 0,
    dropped: typeof dropped === 'number' ? dropped : 0,
  };
}
