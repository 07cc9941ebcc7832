/**
 * @import { PlotPoint } from '../../hub/site/types.ts'
 * @import { HealthReport } from '../health.ts'
 * @import { SiteView } from '../site-feed.ts'
 */
import { addPoint, inWindow } from './plot-points.js';

/**
 * What is known of one site.
 * @typedef {object} KnownSite
 * @property {SiteView} view
 * @property {readonly PlotPoint[]} points the plot's window, oldest first
 * @property {number} heardAt when `view` came, ms of the browser's monotonic clock
 */

/**
 * Everything the console knows; replaced, never changed.
 * @typedef {object} ConsoleState
 * @property {'connecting' | 'live' | 'lost'} connection
 * @property {number} since when `connection` began, monotonic ms
 * @property {string | undefined} wanted the site that somebody chose
 * @property {Readonly<Record<string, KnownSite>>} sites by siteId
 * @property {HealthReport | undefined} health
 * @property {{ siteId: string, ok: boolean, text: string } | undefined} reloaded the last reload of a site file
 */

/**
 * What can happen to it. All but the first three and `choose` are named and shaped as the gateway sends them.
 * @typedef {{ type: 'connecting' }
 *   | { type: 'open' }
 *   | { type: 'lost' }
 *   | { type: 'choose', siteId: string }
 *   | { type: 'site', data: SiteView }
 *   | { type: 'plots', data: { siteId: string, points: readonly PlotPoint[] } }
 *   | { type: 'plot', data: { siteId: string, point: PlotPoint } }
 *   | { type: 'reloaded', data: { siteId: string, ok: boolean, text: string } }
 *   | { type: 'health', data: HealthReport }} ConsoleMessage
 */

/** A gateway runs fewer sites than this; what goes beyond is not shown. */
const MAX_SITES = 64;
/** A site that was not heard of for this long while others are is gone. */
const GONE_MS = 10_000;

/** @param {string} [wanted] siteId @returns {ConsoleState} */
export function initialState(wanted) {
  return { connection: 'connecting', since: 0, wanted, sites: {}, health: undefined, reloaded: undefined };
}

/**
 * The next state.
 * @param {ConsoleState} state
 * @param {ConsoleMessage} message
 * @param {number} now monotonic ms
 * @returns {ConsoleState}
 */
export function reduce(state, message, now) {
  switch (message.type) {
    case 'connecting':
      return connection(state, state.connection === 'live' ? 'lost' : state.connection, now);
    case 'open':
      return connection(state, 'live', now);
    case 'lost':
      return connection(state, 'lost', now);
    case 'choose':
      return { ...state, wanted: message.siteId };
    case 'site':
      return { ...state, sites: withSite(state.sites, message.data, now) };
    case 'plots':
      return withPoints(state, message.data.siteId, () => inWindow(message.data.points));
    case 'plot':
      return withPoints(state, message.data.siteId, (points) => addPoint(points, message.data.point));
    case 'reloaded':
      return { ...state, reloaded: message.data };
    case 'health':
      return { ...state, health: message.data };
  }
}

/**
 * The site to show: the chosen one, else the first.
 * @param {ConsoleState} state
 * @returns {KnownSite | undefined}
 */
export function shownSite(state) {
  const chosen = state.wanted === undefined ? undefined : state.sites[state.wanted];
  return chosen ?? Object.values(state.sites)[0];
}

/**
 * The gateway's clock now, epoch ms: its last word plus the time since.
 * @param {KnownSite} site
 * @param {number} now monotonic ms
 */
export function gatewayTime(site, now) {
  return Date.parse(site.view.snapshot.at) + (now - site.heardAt);
}

/** @param {ConsoleState} state @param {ConsoleState['connection']} next @param {number} now @returns {ConsoleState} */
function connection(state, next, now) {
  return state.connection === next ? state : { ...state, connection: next, since: now };
}

/**
 * @param {ConsoleState['sites']} sites
 * @param {KnownSite['view']} view
 * @param {number} now
 * @returns {ConsoleState['sites']}
 */
function withSite(sites, view, now) {
  const fresh = Object.entries(sites).filter(([id, s]) => id === view.siteId || now - s.heardAt <= GONE_MS);
  const known = Object.fromEntries(fresh);
  if (known[view.siteId] === undefined && fresh.length >= MAX_SITES) return known;
  return { ...known, [view.siteId]: { view, points: known[view.siteId]?.points ?? [], heardAt: now } };
}

/**
 * @param {ConsoleState} state
 * @param {string} siteId
 * @param {(points: readonly PlotPoint[]) => readonly PlotPoint[]} change
 * @returns {ConsoleState}
 */
function withPoints(state, siteId, change) {
  const site = state.sites[siteId];
  if (site === undefined) return state;
  return { ...state, sites: { ...state.sites, [siteId]: { ...site, points: change(site.points) } } };
}
