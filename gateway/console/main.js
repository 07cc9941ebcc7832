/**
 * The operator console: follows the gateway's event stream and shows one site.
 * @import { ConsoleMessage } from './state.js'
 */
import { ask, readText } from './api.js';
import { followEvents } from './live.js';
import { gatewayTime, initialState, reduce, shownSite } from './state.js';
import { documentsView } from './views/documents.js';
import { eventsView } from './views/events.js';
import { headerView } from './views/header.js';
import { limitsView } from './views/limits.js';
import { pendingView } from './views/pending.js';
import { plotView } from './views/plot.js';
import { serviceDetail } from './views/service-detail.js';
import { servicesView } from './views/services.js';
import { siteFactsView } from './views/site-facts.js';
import { stationDetail } from './views/station-detail.js';
import { stationsView } from './views/stations.js';
import { tilesView } from './views/tiles.js';

const API = new URL('../v2gate/api/', document.baseURI);
/** Ages and remaining times move on although nothing comes. */
const TICK_MS = 1000;

function start() {
  let state = initialState(new URLSearchParams(location.search).get('site') ?? undefined);
  let due = false;
  const frame = () => {
    const mono = performance.now();
    const site = shownSite(state);
    return { state, site, mono, now: site === undefined ? Number.NaN : gatewayTime(site, mono) };
  };
  /** Browsers draw no frames of hidden pages: those cost nothing. */
  const refresh = () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      const current = frame();
      for (const view of views) view.show(current);
    });
  };
  /** @param {ConsoleMessage} message */
  const take = (message) => {
    state = reduce(state, message, performance.now());
    refresh();
  };
  /** @param {string} path */
  const endpoint = (path) => {
    const url = new URL(path, API);
    const siteId = shownSite(state)?.view.siteId;
    if (siteId !== undefined) url.searchParams.set('site', siteId);
    return url;
  };
  /** Below the path of a site. @param {string} siteId @param {string} path */
  const siteUrl = (siteId, path) => new URL(`sites/${encodeURIComponent(siteId)}/${path}`, API);
  /** @param {string} path */
  const shownUrl = (path) => siteUrl(shownSite(state)?.view.siteId ?? '', path);
  const station = stationDetail({
    load: (resourceId) => ask(shownUrl(`resources/${encodeURIComponent(resourceId)}`)),
    opt: (body) => ask(shownUrl('opt'), { body }),
    remove: (identity) => ask(shownUrl(`stations/${encodeURIComponent(identity)}/remove`), { body: {} }),
    refresh,
  });
  const service = serviceDetail({ withdraw: (body) => ask(shownUrl('withdraw'), { body }), refresh });
  const views = [
    headerView({ choose: (siteId) => take({ type: 'choose', siteId }) }),
    tilesView(),
    siteFactsView(),
    plotView(),
    pendingView({
      accept: (identity) => ask(endpoint(`stations/${encodeURIComponent(identity)}/accept`), { body: {} }),
    }),
    stationsView({ refresh, open: station.open }),
    servicesView({ open: service.open }),
    station,
    service,
    limitsView({ setLimit: (limit) => ask(endpoint('limit'), { body: limit }), now: () => frame().now }),
    documentsView({ urlOf: siteUrl, jwks: new URL('jwks.json', API), ask }),
    eventsView({ urlOf: siteUrl, ask, read: readText }),
  ];
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
