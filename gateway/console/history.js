/**
 * What happened at a site: the newest entries of its event log, and the services that are over.
 * @import { EventEntry } from '../../model/index.ts'
 * @import { ApiResult } from './api.js'
 * @import { Past } from './gantt.js'
 */
import { entriesOf } from './chain.js';
import { pastOf } from './gantt.js';

const EVENTS = 400;
const RECORDS = 12;
const EVERY_MS = 5000;

/** @typedef {ReturnType<typeof siteHistory>} History */

/**
 * Events and records of the site, asked for now and then.
 * @param {{ urlOf: (siteId: string, path: string) => URL, ask: (url: URL) => Promise<ApiResult>, read: (url: URL) => Promise<AsyncIterable<string>> }} o
 */
export function siteHistory({ urlOf, ask, read }) {
  /** @type {{ site: string, events: readonly EventEntry[], past: readonly Past[] }} */
  let known = { site: '', events: [], past: [] };
  let askedAt = Number.NEGATIVE_INFINITY;
  /** @param {string} site */
  const load = async (site) => {
    const url = urlOf(site, 'events');
    url.searchParams.set('last', String(EVENTS));
    const events = [];
    for await (const e of entriesOf(await read(url))) if (events.length < EVENTS) events.push(e);
    const records = urlOf(site, 'records');
    records.searchParams.set('limit', String(RECORDS));
    const result = await ask(records);
    known = { site, events, past: result.ok ? pastOf(result.body) : known.past };
  };
  return {
    /** @param {string} site @param {number} mono */
    poll(site, mono) {
      if (site === known.site && mono - askedAt < EVERY_MS) return;
      if (site !== known.site) known = { site, events: [], past: [] };
      askedAt = mono;
      // What does not come this time comes the next.
      load(site).catch(() => {});
    },
    events: () => known.events,
    past: () => known.past,
  };
}
