/**
 * The operator console: follows the gateway's event stream and shows one site.
 * @import { ApiResult } from './api.js'
 * @import { ConsoleMessage } from './state.js'
 * @import { Go } from './views/frame.js'
 */
import { ask as askGateway, readText } from './api.js';
import { siteHistory } from './history.js';
import { followEvents } from './live.js';
import { hashOf, parseRoute } from './route.js';
import { meOf, NOBODY } from './session.js';
import { gatewayTime, initialState, reduce, shownSite } from './state.js';
import { contractsView } from './views/contracts.js';
import { documentsView } from './views/documents.js';
import { eventsView } from './views/events.js';
import { fleetView } from './views/fleet.js';
import { ganttView } from './views/gantt.js';
import { headerView } from './views/header.js';
import { healthView } from './views/health.js';
import { limitsView } from './views/limits.js';
import { loginView } from './views/login.js';
import { navView } from './views/nav.js';
import { pendingView } from './views/pending.js';
import { plotView } from './views/plot.js';
import { serviceDetail } from './views/service-detail.js';
import { servicesView } from './views/services.js';
import { siteFactsView } from './views/site-facts.js';
import { stationDetail } from './views/station-detail.js';
import { stationsView } from './views/stations.js';
import { tilesView } from './views/tiles.js';
import { warningsView } from './views/warnings.js';
import { wireView } from './views/wire.js';

const API = new URL('../v2gate/api/', document.baseURI);
/** Ages and remaining times move on although nothing comes. */
const TICK_MS = 1000;

function start() {
  let state = initialState(new URLSearchParams(location.search).get('site') ?? undefined);
  let route = parseRoute(location.hash) ?? { view: /** @type {const} */ ('overview'), params: {} };
  let me = NOBODY;
  let due = false;
  const frame = () => {
    const mono = performance.now();
    const site = shownSite(state);
    return { state, site, mono, now: site === undefined ? Number.NaN : gatewayTime(site, mono), route, me };
  };
  /** Browsers draw no frames of hidden pages: those cost nothing. */
  const refresh = () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      const current = frame();
      for (const view of [...everywhere, ...(views[current.route.view] ?? [])]) view.show(current);
    });
  };
  /** @param {ConsoleMessage} message */
  const take = (message) => {
    state = reduce(state, message, performance.now());
    refresh();
    if (message.type === 'lost') void lookWhoIsIn();
  };
  /** @type {Go} */
  const go = (view, params = {}, replace = false) => {
    const hash = hashOf(view, params);
    if (replace) window.history.replaceState(undefined, '', hash);
    else location.hash = hash;
    look();
  };
  const look = () => {
    route = parseRoute(location.hash) ?? route;
    refresh();
  };
  const lookWhoIsIn = async () => {
    me = meOf(await askGateway(new URL('me', API))) ?? me;
    refresh();
  };
  /** Who is no longer logged in is told at the first refusal. @type {typeof askGateway} */
  const ask = async (url, o) => {
    const result = await askGateway(url, o);
    if (!result.ok && result.error.code === 'api.unauthorised') void lookWhoIsIn();
    return result;
  };
  /** Below the path of a site. @param {string} siteId @param {string} path */
  const siteUrl = (siteId, path) => new URL(`sites/${encodeURIComponent(siteId)}/${path}`, API);
  /** @param {string} path */
  const shownUrl = (path) => siteUrl(shownSite(state)?.view.siteId ?? '', path);
  /** @param {string} path */
  const endpoint = (path) => {
    const url = new URL(path, API);
    const siteId = shownSite(state)?.view.siteId;
    if (siteId !== undefined) url.searchParams.set('site', siteId);
    return url;
  };
  /** @param {string} path @param {unknown} body @returns {Promise<ApiResult>} */
  const post = (path, body) => ask(endpoint(path), { body });
  /** @param {string} identity @param {string} rest */
  const ofStation = (identity, rest) => `stations/${encodeURIComponent(identity)}/${rest}`;

  const history = siteHistory({ urlOf: siteUrl, ask, read: readText });
  const station = stationDetail({
    load: (resourceId) => ask(shownUrl(`resources/${encodeURIComponent(resourceId)}`)),
    opt: (body) => ask(shownUrl('opt'), { body }),
    remove: (identity) => ask(shownUrl(ofStation(identity, 'remove')), { body: {} }),
    order: (identity, body) => post(ofStation(identity, 'orders'), body),
    refresh,
    go,
  });
  const service = serviceDetail({
    withdraw: (body) => ask(shownUrl('withdraw'), { body }),
    history,
    refresh,
    go,
  });
  const everywhere = [
    loginView({
      login: (body) => askGateway(new URL('login', API), { body }),
      logout: () => askGateway(new URL('logout', API), { body: {} }),
      changed: () => location.reload(),
    }),
    headerView({ choose: (siteId) => take({ type: 'choose', siteId }) }),
    navView(),
    warningsView(),
    pendingView({ accept: (identity) => post(ofStation(identity, 'accept'), {}) }),
    station,
    service,
  ];
  /** Views that are not open are not kept up to date. @type {Readonly<Record<string, readonly import('./views/frame.js').View[]>>} */
  const views = {
    overview: [
      tilesView(),
      siteFactsView(),
      plotView({ ask, url: new URL('plot', API), refresh }),
      fleetView({ open: station.open }),
    ],
    stations: [stationsView({ refresh, open: station.open })],
    services: [
      ganttView({ open: service.open, history }),
      servicesView({ open: service.open }),
      contractsView({ ask, url: new URL('contracts', API) }),
    ],
    limits: [limitsView({ setLimit: (limit) => post('limit', limit), now: () => frame().now })],
    wire: [wireView({ ask, url: new URL('timeline', API), refresh, go })],
    evidence: [
      documentsView({ urlOf: siteUrl, jwks: new URL('jwks.json', API), ask }),
      eventsView({ urlOf: siteUrl, ask, read: readText }),
    ],
    health: [healthView({ ask, url: new URL('health', API) })],
  };
  addEventListener('hashchange', look);
  void lookWhoIsIn();
  followEvents({
    open: () => new EventSource(new URL('events', API)),
    after: (ms, fn) => {
      const timer = setTimeout(fn, ms);
      return () => clearTimeout(timer);
    },
    on: take,
  });
  setInterval(refresh, TICK_MS);
}

start();
