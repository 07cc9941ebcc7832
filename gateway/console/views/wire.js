/**
 * @import { ApiResult } from '../api.js'
 * @import { Row } from '../trace.js'
 * @import { Go, View } from './frame.js'
 */
import { badge, byId, h, setAttr, setText } from '../dom.js';
import { beginnings, effectsOf, rowsOf, timeOf } from '../trace.js';
import { createFeed, queryText, withQuery } from '../wire-feed.js';
import { wireDetail } from './wire-detail.js';
import { wireFilters } from './wire-filters.js';
import { lanesView } from './wire-lanes.js';
import { requestsView } from './wire-requests.js';
import { storyView } from './wire-story.js';

/** Rows that the page draws at once. */
const SHOWN = 200;

/**
 * Follows requests from the operator through every protocol to the meter.
 * @param {{ ask: (url: URL) => Promise<ApiResult>, url: URL, refresh: () => void, go: Go }} o url: of the timeline
 * @returns {View}
 */
export function wireView({ ask, url, refresh, go }) {
  const note = byId('wire-note', HTMLElement);
  const empty = byId('wire-empty', HTMLElement);
  const exported = byId('wire-export', HTMLAnchorElement);
  const live = liveButton(refresh);
  const begun = createFeed({ ask, url, grows: true, changed: refresh });
  const all = createFeed({ ask, url, grows: true, changed: refresh });
  const chain = createFeed({ ask, url, grows: false, changed: refresh });
  /** @type {Set<string>} rows that are shown one by one; bounded by: what one page shows, emptied with each new choice */
  const open = new Set();
  /** @type {string | undefined} */
  let selected;
  /** @type {readonly Row[]} */
  let rows = [];
  const filters = wireFilters({
    edited: () => go('wire', filters.query(), true),
    changed() {
      open.clear();
      if (detail.isOpen()) detail.close();
    },
  });
  /** @param {string} id */
  const follow = (id) => go('wire', { ...filters.query(), follow: id });
  const detail = wireDetail({
    follow,
    jump(id) {
      const row = rows.find((r) => r.entries.some((e) => e.id === id));
      const button = document.querySelector(`#wire-lanes [data-key="${CSS.escape(row?.key ?? '')}"] .hop-main`);
      if (row === undefined || !(button instanceof HTMLElement)) return false;
      button.focus();
      button.click();
      return true;
    },
    closed() {
      selected = undefined;
      refresh();
    },
  });
  const requests = requestsView(follow);
  const pages = pager(refresh);
  const story = storyView(byId('wire-story', HTMLElement));
  const lanes = lanesView({
    place: byId('wire-lanes', HTMLElement),
    choose(row, from) {
      selected = row.key;
      detail.open(row, from);
      refresh();
    },
    toggle(key) {
      if (!open.delete(key)) open.add(key);
      refresh();
    },
  });

  return {
    show({ state, site, mono, now, route }) {
      filters.take(route.params, site?.view.snapshot);
      const { follow: followed, ...narrowing } = filters.query();
      const running = state.connection === 'live' && live.on();
      if (running || !begun.loaded) begun.poll({ stage: 'fo,allocate,limit' }, mono);
      if (running || !all.loaded) all.poll(followed === '' ? narrowing : undefined, mono);
      if (running || !chain.loaded) chain.poll(followed === '' ? undefined : { follow: followed }, mono);
      const feed = followed === '' ? all : chain;
      const fit = followed === '' ? all.entries : chain.entries.filter((e) => filters.fits(e));
      const origin = timeOf((followed === '' ? fit : chain.entries)[0] ?? { at: 0 });
      const ordered = rowsOf(fit, { origin, isOpen: (key) => open.has(key) });
      rows = pages.cut(followed === '' ? ordered.toReversed() : ordered, followed);
      requests.show(beginnings(begun.entries), effectsOf(begun.entries), followed);
      filters.learn([...begun.entries, ...feed.entries]);
      story.show(followed === '' ? [] : chain.entries, now);
      lanes.show(rows, { entries: fit, selected, isOpen: (key) => open.has(key), clock: followed === '' });
      setText(note, noteOf(fit.length, feed.entries.length));
      setText(
        empty,
        feed.error !== undefined ? `${feed.error.what} ${feed.error.remedy}` : feed.loaded ? NOTHING : 'Reading …',
      );
      empty.hidden = rows.length > 0;
      setAttr(exported, 'href', withQuery(url, queryText(filters.query()), { format: 'jsonl' }).href);
    },
  };
}

const NOTHING =
  'Nothing has passed that fits. The gateway keeps the newest messages only; take a filter away, or wait for the next.';

/** @param {number} fit @param {number} all */
function noteOf(fit, all) {
  const text = `${fit} ${fit === 1 ? 'message' : 'messages'}`;
  return fit === all ? text : `${text} of ${all}`;
}

/**
 * Long stories are shown page by page.
 * @param {() => void} changed
 */
function pager(changed) {
  const place = byId('wire-pages', HTMLElement);
  const text = h('span', { class: 'muted' });
  const [before, after] = ['Earlier', 'Later'].map((label) => h('button', { type: 'button' }, label));
  if (before === undefined || after === undefined) return { cut: (/** @type {readonly Row[]} */ rows) => rows };
  place.append(before, text, after);
  let first = 0;
  let about = '';
  before.addEventListener('click', () => {
    first = Math.max(0, first - SHOWN);
    changed();
  });
  after.addEventListener('click', () => {
    first += SHOWN;
    changed();
  });
  return {
    /** @param {readonly Row[]} rows @param {string} of what they are about */
    cut(rows, of) {
      if (of !== about) first = 0;
      about = of;
      if (first >= rows.length) first = Math.max(0, rows.length - SHOWN);
      const shown = rows.slice(first, first + SHOWN);
      // What is live grows at its top: there pages would move under the reader.
      place.hidden = of === '' || rows.length <= SHOWN;
      setText(text, `rows ${first + 1} to ${first + shown.length} of ${rows.length}`);
      before.disabled = first === 0;
      after.disabled = first + SHOWN >= rows.length;
      return shown;
    },
  };
}

/** @param {() => void} changed */
function liveButton(changed) {
  const button = byId('wire-live', HTMLButtonElement);
  const words = badge();
  button.append(words.node);
  let on = true;
  const show = () => {
    setAttr(button, 'aria-pressed', String(on));
    words.show(on ? { text: 'Live', icon: 'suspended', tone: 'good' } : { text: 'Paused', icon: 'play', tone: 'warn' });
    setAttr(button, 'title', on ? 'Pause: what is shown stays as it is' : 'Go on');
  };
  button.addEventListener('click', () => {
    on = !on;
    show();
    changed();
  });
  show();
  return { on: () => on };
}
