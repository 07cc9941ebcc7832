/**
 * @import { FleetSnapshot } from '../../../model/index.ts'
 * @import { Words } from '../words.js'
 * @import { View } from './frame.js'
 */
import { badge, byId, h, keyed, setText } from '../dom.js';
import { age, power } from '../format.js';

/** @typedef {{ key: string, label: string, words: Words }} Fact */

/** What the gateway knows of the site beside its vehicles: meters, other loads, clock. @returns {View} */
export function siteFactsView() {
  const root = byId('site-facts', HTMLElement);
  const show = keyed(root, { key: (/** @type {Fact} */ f) => f.key, make: factItem });
  return {
    show({ site, now }) {
      const facts = site === undefined ? [] : factsOf(site.view.snapshot, now);
      root.hidden = facts.length === 0;
      show(facts);
    },
  };
}

function factItem() {
  const label = h('span', { class: 'muted' });
  const words = badge();
  const more = h('span', { class: 'muted' });
  return {
    node: h('li', {}, label, words.node, more),
    /** @param {Fact} fact */
    show(fact) {
      setText(label, fact.label);
      words.show(fact.words);
      setText(more, fact.words.more ?? '');
    },
  };
}

/** @typedef {NonNullable<FleetSnapshot['meters']>[number]} Meter */

/** @type {Readonly<Record<Meter['state'], Pick<Words, 'text' | 'icon' | 'tone'>>>} */
const METERS = {
  waiting: { text: 'waiting', icon: 'waiting', tone: 'warn' },
  good: { text: 'live', icon: 'check', tone: 'good' },
  substituted: { text: 'substituted', icon: 'half', tone: 'warn' },
  lost: { text: 'lost', icon: 'faulted', tone: 'bad' },
};
/** More meters than this are told by those that are not well. */
const MAX_METERS = 3;
/** @type {Readonly<Record<string, string>>} */
const PLACES = {
  poc: 'POC meter',
  circuit: 'Circuit meter',
  evse: 'EVSE meter',
  ess: 'Storage meter',
  gen: 'PV meter',
};

/**
 * @param {FleetSnapshot} s
 * @param {number} now epoch ms
 * @returns {Fact[]}
 */
export function factsOf(s, now) {
  const meters = s.meters ?? [];
  const poc = meters.filter((m) => m.at === 'poc');
  const rest = meters.filter((m) => m.at !== 'poc');
  const named = rest.length <= MAX_METERS ? rest : rest.filter((m) => m.state !== 'good').slice(0, MAX_METERS);
  const hidden = rest.length - named.length;
  return [
    ...(poc.length === 0 ? [NO_POC] : poc.map((m) => meterFact(m, now))),
    ...named.map((m) => meterFact(m, now)),
    ...(hidden > 0 ? [others(hidden, rest.length)] : []),
    ...othersFacts(s.others),
    ...(s.clock === undefined ? [] : [clockFact(s.clock)]),
  ];
}

/** @type {Fact} */
const NO_POC = {
  key: 'poc',
  label: 'POC meter',
  words: { text: 'none', icon: '', tone: 'quiet', more: 'the site file declares what else flows' },
};

/** @param {number} hidden @param {number} all @returns {Fact} */
const others = (hidden, all) => ({
  key: 'meters',
  label: 'Other meters',
  words: { text: `${hidden} of ${all}`, icon: '', tone: 'quiet', more: 'not shown' },
});

/** @param {Meter} m @param {number} now @returns {Fact} */
function meterFact(m, now) {
  const where = m.subjectRef === undefined ? '' : ` ${m.subjectRef}`;
  const look = METERS[m.state] ?? { text: m.state, icon: 'unknown', tone: /** @type {const} */ ('') };
  const value = m.powerW === undefined ? undefined : power(m.powerW);
  const since = m.measuredAt === undefined ? undefined : `${age(m.measuredAt, now)} ago`;
  const more = [value, m.state === 'good' ? undefined : since, m.cause].filter(Boolean).join(' · ');
  return { key: `meter/${m.meterId}`, label: `${PLACES[m.at] ?? m.at}${where}`, words: { ...look, more } };
}

/** @param {FleetSnapshot['others']} o @returns {Fact[]} */
function othersFacts(o) {
  if (o === undefined) return [];
  const sources = {
    declared: 'as declared',
    measured: 'as measured',
    unknown: 'not known: vehicles keep to the static share',
  };
  const tone = o.source === 'unknown' ? /** @type {const} */ ('warn') : /** @type {const} */ ('');
  const more = sources[o.source] ?? o.source;
  return [
    { key: 'used', label: 'Base load', words: { text: power(o.usedW), icon: '', tone, more } },
    ...(o.generationW > 0
      ? [{ key: 'generation', label: 'PV', words: { text: power(o.generationW), icon: '', tone, more } }]
      : []),
  ];
}

/** @param {NonNullable<FleetSnapshot['clock']>} c @returns {Fact} */
function clockFact({ source, state, offsetMs }) {
  const other = source === 'fo' ? 'the operator’s' : 'the other';
  const off =
    offsetMs === undefined
      ? ''
      : `${Math.abs(offsetMs)} ms ${offsetMs === 0 ? 'off' : offsetMs < 0 ? 'ahead of' : 'behind'} ${other}`;
  /** @type {Readonly<Record<string, Pick<Words, 'text' | 'icon' | 'tone'>>>} */
  const looks = {
    good: { text: 'good', icon: 'check', tone: 'good' },
    degraded: { text: 'off', icon: 'faulted', tone: 'warn' },
    unknown: { text: 'not compared yet', icon: 'unknown', tone: 'quiet' },
  };
  const look = looks[state] ?? { text: state, icon: 'unknown', tone: /** @type {const} */ ('') };
  return { key: 'clock', label: 'Clock', words: { ...look, more: state === 'unknown' ? '' : off } };
}
