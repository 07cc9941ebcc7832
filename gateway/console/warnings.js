/**
 * What an operator should look at first.
 * @import { KnownSite, ConsoleState } from './state.js'
 */
import { power } from './format.js';
import { isAbove } from './words.js';

/**
 * @typedef {object} Warning
 * @property {string} key
 * @property {'warn' | 'bad'} tone
 * @property {string} text
 * @property {import('./route.js').ViewName} view where more is to be seen
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
  return entries.flatMap(([name, { state, text }]) =>
    state === 'ok'
      ? []
      : [
          {
            key: `health/${name}`,
            tone: state === 'down' ? /** @type {const} */ ('bad') : /** @type {const} */ ('warn'),
            text: `${name} is ${state === 'down' ? 'not working' : 'degraded'}: ${text}`,
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
  const offline = s.resources.filter((r) => !r.online);
  const excluded = s.resources.filter((r) => r.outcomeCode === 'resource.excluded' && !known.has(r.resourceId));
  const faulted = s.resources.filter((r) => r.online && r.state === 'faulted');
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
      view: /** @type {const} */ ('limits'),
    })),
    ...some(above, 'above', 'bad', (names) => `${names} more than the limit allows.`, ['draws', 'draw']),
    ...some(faulted, 'faulted', 'bad', (names) => `${names} a fault.`, ['has', 'have']),
    ...some(offline, 'offline', 'warn', (names) => `${names} offline, and counted with the worst case.`, ['is', 'are']),
    ...some(excluded, 'excluded', 'warn', (names) => `${names} not obey and count for no service.`, ['does', 'do']),
    ...lost.map((m) => ({
      key: `meter/${m.meterId}`,
      tone: /** @type {const} */ ('warn'),
      text: `Meter ${m.meterId} sends nothing any more.`,
      view: /** @type {const} */ ('overview'),
    })),
  ];
}

/**
 * One warning for all that are alike.
 * @param {readonly { resourceId: string }[]} found
 * @param {string} key
 * @param {Warning['tone']} tone
 * @param {(names: string) => string} words
 * @param {readonly [string, string]} verb for one, for several
 * @returns {Warning[]}
 */
function some(found, key, tone, words, [one, several]) {
  const [first] = found;
  if (first === undefined) return [];
  const names =
    found.length === 1
      ? first.resourceId
      : found.length <= 3
        ? found.map((f) => f.resourceId).join(', ')
        : `${found.length} resources`;
  return [{ key, tone, text: words(`${names} ${found.length === 1 ? one : several}`), view: 'stations' }];
}

/** @typedef {NonNullable<KnownSite['view']['snapshot']['warnings']>[number]} ToldWarning */

/** Those that the gateway itself tells with the site. @param {readonly ToldWarning[]} told @returns {Warning[]} */
function toldWarnings(told) {
  return told.map(({ code, subject = '', text }) => ({
    key: `told/${code}/${subject}`,
    tone: BAD.has(code) ? /** @type {const} */ ('bad') : /** @type {const} */ ('warn'),
    text,
    view: STATION.test(code) ? /** @type {const} */ ('stations') : /** @type {const} */ ('evidence'),
  }));
}

/** Codes of what must not be. */
const BAD = new Set(['limit.notHeld', 'limit.unreachable']);
const STATION = /^(limit\.notHeld|resource\.|station\.)/;
