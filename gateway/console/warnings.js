/**
 * What an operator should look at first.
 * @import { KnownSite, ConsoleState } from './state.js'
 */
import { power } from './format.js';
import { isAbove, isExcluded, isOutOfService } from './words.js';

/**
 * @typedef {object} Warning
 * @property {string} key
 * @property {'warn' | 'bad'} tone
 * @property {string} text
 * @property {string} [remedy] what somebody can do
 * @property {import('./route.js').ViewName} view where more is to be seen
 * @property {Readonly<Record<string, string>>} [params] of that view
 */

/**
 * Warnings of the gateway and what the fleet shows itself, the worst first.
 * @param {KnownSite | undefined} site
 * @param {ConsoleState['health']} health
 * @returns {Warning[]}
 */
export function warningsOf(site, health) {
  const all = [...healthWarnings(health), ...(site === undefined ? [] : siteWarnings(site.view.snapshot))];
  return all.toSorted((a, b) => Number(b.tone === 'bad') - Number(a.tone === 'bad'));
}

/** @param {ConsoleState['health']} health @returns {Warning[]} */
function healthWarnings(health) {
  const entries = Object.entries(health?.components ?? {});
  const noSite = entries.some(([name, { state }]) => name.startsWith('site ') && state !== 'ok');
  return entries.flatMap(([name, { state, text }]) =>
    // What only waits for the site is told by the site.
    state === 'ok' || (noSite && text === 'waiting for the site')
      ? []
      : [
          {
            key: `health/${name}`,
            tone: state === 'down' ? /** @type {const} */ ('bad') : /** @type {const} */ ('warn'),
            // A site file may have several problems, each with its place: one line each.
            text: `${name === 'site site' ? 'site' : name} is ${state === 'down' ? 'not working' : 'degraded'}: ${text.replaceAll(/(?:: | · )(?=\/\S* )/g, '\n')}`,
            view: /** @type {const} */ ('health'),
          },
        ],
  );
}

/** @param {KnownSite['view']['snapshot']} s @returns {Warning[]} */
function siteWarnings(s) {
  const told = s.warnings ?? [];
  const known = new Set(told.map((w) => w.subject));
  const above = s.resources.filter((r) => isAbove(r) && !known.has(r.resourceId));
  const offline = s.resources.filter((r) => !r.online && !known.has(r.identity ?? ''));
  const excluded = s.resources.filter((r) => isExcluded(r) && !known.has(r.resourceId));
  const faulted = s.resources.filter((r) => r.online && r.state === 'faulted' && !isOutOfService(r));
  const over = s.limits.filter(
    (l) => l.measuredW > l.importLimitW * 1.02 + 150 || -l.measuredW > l.exportLimitW * 1.02 + 150,
  );
  const lost = (s.meters ?? []).filter((m) => m.state === 'lost' && !known.has(m.meterId));
  return [
    ...toldWarnings(told),
    ...over.map((l) => ({
      key: `over/${l.nodeId}`,
      tone: /** @type {const} */ ('bad'),
      text: `${l.nodeId === 'poc' ? 'The connection point' : `Circuit ${l.nodeId}`} is above its limit: ${power(l.measuredW)}.`,
      remedy:
        'Under Stations, look for who draws more than granted. Other loads of the site are not led by the gateway.',
      view: /** @type {const} */ ('limits'),
    })),
    ...ALIKE.above(above),
    ...ALIKE.faulted(faulted),
    ...ALIKE.offline(offline),
    ...ALIKE.excluded(excluded),
    ...lost.map((m) => ({
      key: `meter/${m.meterId}`,
      tone: /** @type {const} */ ('warn'),
      text: `Meter ${m.meterId} sends nothing any more.`,
      remedy: 'Vehicles keep to the share of the site file meanwhile. Check the meter and what sends its values.',
      view: /** @type {const} */ ('overview'),
    })),
  ];
}

/**
 * One warning for all that are alike.
 * @param {object} o
 * @param {string} o.key
 * @param {Warning['tone']} o.tone
 * @param {readonly [string, string]} o.says of one, of several
 * @param {string} o.remedy
 * @param {string} o.filter by which the table of stations shows them
 * @returns {(found: readonly { resourceId: string }[]) => Warning[]}
 */
const some =
  ({ key, tone, says: [one, several], remedy, filter }) =>
  (found) => {
    const [first] = found;
    if (first === undefined) return [];
    const names = found.length <= 3 ? found.map((f) => f.resourceId).join(', ') : `${found.length} outlets`;
    const text = `${names} ${found.length === 1 ? one : several}`;
    const params = { filter: found.length === 1 ? first.resourceId : filter };
    return [{ key, tone, text, remedy, view: 'stations', params }];
  };

/** What several outlets can have in common. */
const ALIKE = {
  above: some({
    key: 'above',
    tone: 'bad',
    says: ['draws more than the limit allows.', 'draw more than the limit allows.'],
    remedy: 'The gateway tries simpler commands by itself. If it goes on: restart the station or switch it off.',
    filter: 'limit not held',
  }),
  faulted: some({
    key: 'faulted',
    tone: 'bad',
    says: ['has a fault.', 'have a fault.'],
    remedy: 'Restart the station, or put it out of service and have it repaired.',
    filter: 'fault',
  }),
  offline: some({
    key: 'offline',
    tone: 'warn',
    says: ['is offline, and counted with the worst case.', 'are offline, and counted with the worst case.'],
    remedy: 'Check power and network of the station. Until it is back, others get less.',
    filter: 'offline',
  }),
  excluded: some({
    key: 'excluded',
    tone: 'warn',
    says: ['does not obey and counts for no service.', 'do not obey and count for no service.'],
    remedy: 'Others take over, and it is tried again after a while. If it stays so: restart the station.',
    filter: 'excluded',
  }),
};

/** @typedef {NonNullable<KnownSite['view']['snapshot']['warnings']>[number]} ToldWarning */

/** Those that the gateway itself tells with the site. @param {readonly ToldWarning[]} told @returns {Warning[]} */
function toldWarnings(told) {
  return told.map(({ code, subject = '', text }) => ({
    key: `told/${code}/${subject}`,
    tone: BAD.has(code) ? /** @type {const} */ ('bad') : /** @type {const} */ ('warn'),
    text,
    ...(STATION.test(code)
      ? { view: /** @type {const} */ ('stations'), params: { filter: subject } }
      : { view: code === 'limit.unreachable' ? /** @type {const} */ ('limits') : /** @type {const} */ ('evidence') }),
  }));
}

/** Codes of what must not be. */
const BAD = new Set(['limit.notHeld', 'limit.unreachable']);
const STATION = /^(limit\.notHeld|resource\.|station\.)/;
