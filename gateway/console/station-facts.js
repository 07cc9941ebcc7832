/**
 * What is known of one station and its outlet, in words.
 * @import { FleetEntry, StationCapabilities } from '../../model/index.ts'
 * @import { LadderStep } from './views/detail.js'
 */
import { age, percent, power, span } from './format.js';
import { codeSentence, functionWords, isExcluded, outcomeWords, protocolWords, shapeWords, stateOf } from './words.js';

/** @param {unknown} body @returns {StationCapabilities | undefined} */
export function capabilitiesOf(body) {
  return typeof body === 'object' && body !== null ? Reflect.get(body, 'capabilities') : undefined;
}

/** @param {FleetEntry} e @param {number} now @returns {[string, string][]} */
export function stateFacts(e, now) {
  const outcome = outcomeWords(e);
  return [
    ['Station', `${e.identity ?? '–'} · ${protocolWords(e.protocol)}`],
    ['State', `${stateOf(e).text}${e.socPct === undefined ? '' : `, ${percent(e.socPct)}`}`],
    ['Takes part in services', partWords(e)],
    ['Measured', `${power(e.measuredW)} (${age(e.measuredAt, now)} ago)`],
    ['Granted', power(e.grantedW)],
    ['Car needs … wishes', `${power(e.neededW)} … ${power(e.wishedW)}`],
    ['Envelope', span(e.importLimitW, e.exportLimitW)],
    ['Last command', [outcome.text, outcome.more, codeSentence(e.outcomeCode)].filter(Boolean).join(' · ')],
  ];
}

/** @param {FleetEntry} e */
function partWords(e) {
  if (e.optState === 'out') return 'no, opted out';
  return isExcluded(e) ? 'no: it does not obey. It is tried again by itself after a while' : 'yes';
}

/** @param {StationCapabilities | undefined} c @param {boolean} asked @returns {[string, string][]} */
export function capabilityFacts(c, asked) {
  if (c === undefined) return [['Capabilities', asked ? 'nothing was seen of it yet' : '…']];
  const functions = c.functions.map(functionWords).join(', ') || 'none';
  return [
    ['Commanded', shapeWords(c.form)],
    [
      'Seen by',
      { probed: 'asking the station', declared: 'the site file', assumed: 'assumption' }[c.source] ?? c.source,
    ],
    ['Functions', functions],
    ...pair('Limits in', c.rateUnits?.join(', ')),
    ...pair('Profile stack', c.maxStackLevel?.toString()),
    ...pair('Steps per schedule', c.maxPeriods?.toString()),
    ...pair('Meter values every', c.meterIntervalS === undefined ? undefined : `${c.meterIntervalS} s`),
    ...pair('Measures', c.measurands?.join(', ')),
    ...pair('Shows as own limit', c.shownImportW === undefined ? undefined : power(c.shownImportW)),
  ];
}

/** @param {string} label @param {string | undefined} value @returns {[string, string][]} */
const pair = (label, value) => (value === undefined || value === '' ? [] : [[label, value]]);

/** Forms of commands, as a station's capabilities name those that are left out. */
const FORM = /setpoint$|^limit in |^on and off$/;

/**
 * The forms of commands from the best down to the one in use, with what stands in the way of the better ones.
 * @param {StationCapabilities | undefined} c
 * @returns {LadderStep[]}
 */
export function ladderOf(c) {
  if (c === undefined) return [];
  const above = c.reasons.filter((r) => FORM.test(r.step));
  const steps = above.map(({ step, why }) => ({ name: step, why, used: false }));
  return [
    ...steps,
    { name: shapeWords(c.form), why: steps.length === 0 ? 'the best form of its protocol' : 'in use', used: true },
  ];
}

/** What could not be seen or set, beside the forms of commands. @param {FleetEntry} e @param {StationCapabilities | undefined} c */
export function notesOf(e, c) {
  const lines = (c?.reasons ?? []).filter((r) => !FORM.test(r.step)).map((r) => `${r.step}: ${r.why}`);
  if (c === undefined && e.steppedDown !== undefined) lines.push(e.steppedDown);
  return lines;
}
