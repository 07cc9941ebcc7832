/** @import { View } from './frame.js' */
import { badge, byId, h, keyed, setAttr, setText } from '../dom.js';
import { duration, timeOfDay } from '../format.js';

/** @typedef {{ name: string, state: string, text: string }} Component */

const HEALTH = {
  ok: { text: 'Healthy', icon: 'check', tone: 'good' },
  degraded: { text: 'Degraded', icon: 'faulted', tone: 'warn' },
  down: { text: 'Not ready', icon: 'faulted', tone: 'bad' },
  unknown: { text: 'Health unknown', icon: 'unknown', tone: 'quiet' },
};
const CONNECTION = {
  connecting: { text: 'Connecting', icon: 'waiting', tone: 'quiet' },
  live: { text: 'Live', icon: 'charging', tone: 'good' },
  lost: { text: 'Connection lost', icon: 'offline', tone: 'bad' },
};
/** Links of flows report their health under this name. */
const LINK = /^link /;
/** A broken connection is shown as lost at once in the corner, and in words above everything after this long. */
const BANNER_MS = 1500;
/** Without word of a site for this long, there is none. */
const NO_SITE_MS = 3000;

/**
 * Site, health, links and connection.
 * @param {{ choose: (siteId: string) => void }} o
 * @returns {View}
 */
export function headerView({ choose }) {
  const name = byId('site-name', HTMLElement);
  const note = byId('site-note', HTMLElement);
  const banner = byId('banner', HTMLElement);
  const notice = byId('notice', HTMLElement);
  const connection = badge();
  byId('connection', HTMLElement).append(connection.node);
  const showSites = siteChoice(choose);
  const showHealth = healthChip();
  return {
    show({ state, site, now, mono, route }) {
      const view = site?.view;
      const title = view === undefined ? 'v2gate' : (view.name ?? view.siteId);
      setText(name, title);
      setText(note, view === undefined ? 'operator console' : `${view.siteId} · ${timeOfDay(now)}`);
      setAttr(note, 'title', zoneText());
      setText(
        document.querySelector('title') ?? name,
        `${route.view.charAt(0).toUpperCase()}${route.view.slice(1)} · ${title} · v2gate console`,
      );
      connection.show(CONNECTION[state.connection]);
      setAttr(document.body, 'data-connection', state.connection);
      showSites(Object.keys(state.sites), view?.siteId);
      showHealth(state.health, state.connection === 'live');
      const lostFor = mono - state.since;
      say(banner, state.connection === 'lost' && lostFor > BANNER_MS ? lostText(lostFor) : undefined);
      const missing = view === undefined && state.connection === 'live' && lostFor > NO_SITE_MS;
      setAttr(document.body, 'data-site', missing ? 'none' : undefined);
      say(notice, missing ? NO_SITE : noticeText(state.reloaded, view));
    },
  };
}

const NO_SITE =
  'No site is running. Deploy a flow with a v2gate-site node, or look under health for what keeps it from starting.';

/** Control room and site may lie in two time zones. */
const zoneText = () =>
  `Times are those of this browser (${Intl.DateTimeFormat().resolvedOptions().timeZone}); downloads are in UTC.`;

/** @param {number} ms Seconds would make a screen reader repeat itself. */
function lostText(ms) {
  const span = ms < 60_000 ? '' : ` for ${duration(Math.floor(ms / 60_000) * 60_000)}`;
  return `Connection to the gateway lost${span}. What you see is old; the console reconnects by itself.`;
}

/**
 * @param {{ siteId: string, ok: boolean, text: string } | undefined} reloaded
 * @param {{ siteId: string, ready: boolean } | undefined} view
 */
function noticeText(reloaded, view) {
  if (view !== undefined && !view.ready) return 'The site is still reading what was in force before the restart.';
  if (reloaded === undefined || reloaded.ok || reloaded.siteId !== view?.siteId) return undefined;
  return `The changed site file was refused, the last good one stays in force: ${reloaded.text}`;
}

/** @param {HTMLElement} place @param {string | undefined} text */
function say(place, text) {
  place.hidden = text === undefined;
  setText(place, text ?? '');
}

/** @param {(siteId: string) => void} choose */
function siteChoice(choose) {
  const label = byId('site-choice', HTMLElement);
  const select = byId('site-select', HTMLSelectElement);
  select.addEventListener('change', () => choose(select.value));
  /** @param {readonly string[]} ids @param {string | undefined} shown */
  return (ids, shown) => {
    label.hidden = ids.length < 2;
    if ([...select.options].map((o) => o.value).join('\n') !== ids.join('\n')) {
      select.replaceChildren(...ids.map((id) => h('option', { value: id }, id)));
    }
    if (shown !== undefined && select.value !== shown) select.value = shown;
  };
}

function healthChip() {
  const chip = badge();
  byId('health-chip', HTMLElement).append(chip.node);
  const showLinks = keyed(byId('links', HTMLElement), { key: keyOf, make: () => componentItem('chip') });
  /** @param {import('../state.js').ConsoleState['health']} health @param {boolean} live */
  return (health, live) => {
    const components = componentsOf(live ? health : undefined);
    const worst = ['down', 'degraded'].find((s) => components.some((c) => c.state === s)) ?? 'ok';
    chip.show(health === undefined || !live ? HEALTH.unknown : healthWords(worst));
    showLinks(components.filter((c) => LINK.test(c.name)));
  };
}

/** @param {import('../state.js').ConsoleState['health']} health @returns {Component[]} */
export function componentsOf(health) {
  return Object.entries(health?.components ?? {}).map(([name, c]) => ({ ...c, name }));
}

/** @param {string} state */
const healthWords = (state) => (state === 'ok' ? HEALTH.ok : state === 'degraded' ? HEALTH.degraded : HEALTH.down);

/** @param {Component} c */
export const keyOf = (c) => c.name;

/** @param {string} className */
export function componentItem(className) {
  const words = badge();
  const text = h('span', { class: 'muted' });
  const node = h('li', { class: className }, words.node, ' ', text);
  return {
    node,
    /** @param {Component} c */
    show(c) {
      const look = healthWords(c.state);
      words.show({ ...look, text: c.name.replace(LINK, '') });
      setText(text, `${c.state === 'ok' ? '' : `${look.text.toLowerCase()}: `}${c.text}`);
    },
  };
}
