/**
 * @import { EventEntry } from '../../../model/index.ts'
 * @import { ApiResult } from '../api.js'
 * @import { ChainCheck } from '../chain.js'
 * @import { View } from './frame.js'
 */
import { canHash, checkChain, entriesOf } from '../chain.js';
import { badge, byId, h, keyed, setAttr, setText } from '../dom.js';
import { eventWords } from '../event-words.js';
import { timeOfDay } from '../format.js';
import { hashOf } from '../route.js';

/** Entries that the page shows. */
const SHOWN = 50;
const EVERY_MS = 5_000;
const LOCAL = 'local';
/** @type {Readonly<Record<string, { text: string, icon: string, tone: 'quiet' | 'warn' | 'bad' }>>} */
const SEVERITIES = {
  info: { text: 'info', icon: '', tone: 'quiet' },
  warning: { text: 'warning', icon: 'faulted', tone: 'warn' },
  alarm: { text: 'alarm', icon: 'faulted', tone: 'bad' },
};

/**
 * The newest entries of an event log of the site, and a check of its whole chain by this browser.
 * @param {object} o
 * @param {(siteId: string, path: string) => URL} o.urlOf
 * @param {(url: URL) => Promise<ApiResult>} o.ask
 * @param {(url: URL) => Promise<AsyncIterable<string>>} o.read rejects when nothing comes
 * @returns {View}
 */
export function eventsView({ urlOf, ask, read }) {
  const select = byId('events-chain', HTMLSelectElement);
  const check = byId('events-check', HTMLButtonElement);
  const result = byId('events-result', HTMLElement);
  const link = byId('events-download', HTMLAnchorElement);
  const only = byId('events-only', HTMLInputElement);
  const empty = byId('events-empty', HTMLElement);
  const showRows = keyed(byId('events', HTMLElement), {
    key: (/** @type {EventEntry} */ e) => `${e.logSeq}/${e.hash}`,
    make: eventItem,
  });
  const verdict = badge();
  /** @type {{ site: string | undefined, at: number, entries: readonly EventEntry[] }} */
  let known = { site: undefined, at: Number.NEGATIVE_INFINITY, entries: [] };
  let busy = false;

  /** @param {string} site */
  const logUrl = (site) => {
    const url = urlOf(site, 'events');
    if (select.value !== '' && select.value !== LOCAL) url.searchParams.set('fo', select.value);
    return url;
  };
  /** @param {string} site @param {number} mono */
  const load = async (site, mono) => {
    busy = true;
    known = { ...known, site, at: mono };
    const chains = await ask(urlOf(site, 'chains'));
    if (chains.ok) showChains(select, chainsOf(chains.body));
    const url = logUrl(site);
    setAttr(link, 'href', url.href);
    url.searchParams.set('last', String(SHOWN));
    const entries = await collect(read, url).catch(() => undefined);
    busy = false;
    if (known.site === site && entries !== undefined) known = { ...known, entries: entries.reverse() };
  };
  select.addEventListener('change', () => {
    known = { ...known, at: Number.NEGATIVE_INFINITY, entries: [] };
    result.replaceChildren();
  });
  check.addEventListener('click', async () => {
    const { site } = known;
    if (site === undefined) return;
    check.disabled = true;
    result.replaceChildren('Reading and hashing the log …');
    const words = await checked(() => read(logUrl(site)));
    check.disabled = false;
    verdict.show(words);
    result.replaceChildren(verdict.node, ` ${words.more ?? ''}`);
  });
  return {
    show({ state, site, mono }) {
      const siteId = site?.view.siteId;
      if (siteId !== known.site) {
        known = { site: undefined, at: Number.NEGATIVE_INFINITY, entries: [] };
        result.replaceChildren();
      }
      if (siteId !== undefined && state.connection === 'live' && !busy && mono - known.at >= EVERY_MS)
        void load(siteId, mono);
      const shown = only.checked ? known.entries.filter((e) => e.severity !== 'info') : known.entries;
      showRows(shown);
      empty.hidden = shown.length > 0;
      setText(
        empty,
        only.checked && known.entries.length > 0 ? 'No warning among the newest entries.' : 'No entry yet.',
      );
    },
  };
}

/**
 * The words for a whole log after a check by this browser.
 * @param {() => Promise<AsyncIterable<string>>} read
 * @returns {Promise<import('../words.js').Words>}
 */
async function checked(read) {
  if (!canHash())
    return {
      text: 'Not checked',
      icon: 'unknown',
      tone: 'warn',
      more: 'this browser hashes only over HTTPS; download the log and run npx v2gate verify',
    };
  try {
    return checkWords(await checkChain(entriesOf(await read())));
  } catch {
    return { text: 'Not checked', icon: 'unknown', tone: 'warn', more: 'the log did not come through; try again' };
  }
}

/** @param {ChainCheck} c @returns {import('../words.js').Words} */
export function checkWords({ count, whole, from, to, fault }) {
  if (fault !== undefined)
    return { text: 'Broken', icon: 'cross', tone: 'bad', more: `at entry ${fault.logSeq}: ${fault.what}` };
  if (count === 0) return { text: 'Empty', icon: '', tone: 'quiet', more: 'there is nothing to check yet' };
  const span = `${count} ${count === 1 ? 'entry' : 'entries'}, number ${from} to ${to}`;
  const part = whole ? 'none changed, none missing in between' : 'a part of the log, unbroken in itself';
  return { text: 'Verified', icon: 'check', tone: 'good', more: `${span}: ${part}; hashed by this browser` };
}

/** @param {(url: URL) => Promise<AsyncIterable<string>>} read @param {URL} url */
async function collect(read, url) {
  const entries = [];
  for await (const entry of entriesOf(await read(url))) if (entries.length < SHOWN) entries.push(entry);
  return entries;
}

/** @param {unknown} body @returns {string[]} */
function chainsOf(body) {
  const chains = typeof body === 'object' && body !== null ? Reflect.get(body, 'chains') : undefined;
  const names = Array.isArray(chains) ? chains.filter((c) => typeof c === 'string' && c !== LOCAL) : [];
  return [LOCAL, ...names.sort()];
}

/** @param {HTMLSelectElement} select @param {readonly string[]} names */
function showChains(select, names) {
  if ([...select.options].map((o) => o.value).join('\n') === names.join('\n')) return;
  const chosen = select.value;
  select.replaceChildren(
    ...names.map((n) => h('option', { value: n }, n === LOCAL ? 'Whole site' : `As ${n} sees it`)),
  );
  if (names.includes(chosen)) select.value = chosen;
}

/** @param {EventEntry} e */
function eventItem(e) {
  const severity = badge();
  severity.show(SEVERITIES[e.severity] ?? { text: e.severity, icon: '', tone: 'quiet' });
  const at = h('time', { datetime: e.at, title: e.at }, timeOfDay(Date.parse(e.at)));
  const about = [e.subject.join(', '), e.text, e.cause].filter(Boolean).join(' · ');
  const node = h(
    'li',
    { 'data-severity': e.severity },
    at,
    h('span', { class: 'seq muted', title: `hash ${e.hash}` }, `#${e.logSeq}`),
    severity.node,
    h('span', { class: 'kind', title: e.kind }, ...kindNodes(e.kind)),
    h('span', { class: 'muted about' }, about),
    ...wireLink(e),
  );
  return { node, show() {} };
}

/** What happened in words, with the kind by which machines know it. @param {string} kind */
function kindNodes(kind) {
  const words = eventWords(kind);
  return words === undefined ? [kind] : [words, ' ', h('code', { class: 'muted' }, kind)];
}

const ABOUT_SERVICE = /^(service|setpoint|opt|flow|record|proof)\./;
const DOCUMENT = /^(rec|prf):/;

/** The way to what passed on the wire for a service. @param {EventEntry} e */
function wireLink({ kind, subject }) {
  const follow = ABOUT_SERVICE.test(kind) ? subject.find((s) => !DOCUMENT.test(s)) : undefined;
  if (follow === undefined) return [];
  return [h('a', { href: hashOf('wire', { follow }), 'aria-label': `Follow ${follow} on the wire` }, 'Wire')];
}
