/**
 * @import { FleetEntry, StationCapabilities } from '../../../model/index.ts'
 * @import { ApiResult } from '../api.js'
 * @import { View } from './frame.js'
 */
import { age, percent, power, span } from '../format.js';
import {
  codeSentence,
  functionWords,
  optSentence,
  outcomeWords,
  protocolWords,
  shapeWords,
  stateWords,
} from '../words.js';
import { sayDone, sayError } from './answer.js';
import { detailDialog } from './detail.js';
import { askBefore, askFor } from './question.js';

/** What a station can do is asked for again this often. */
const AGAIN_MS = 5_000;

/** What was seen of a station, as it was asked for. @typedef {{ key: string, seen: StationCapabilities | undefined }} Seen */

/**
 * One resource in full: what its station can do, why it is not commanded better, and what an operator can do with it.
 * @param {object} o
 * @param {(resourceId: string) => Promise<ApiResult>} o.load
 * @param {(body: object) => Promise<ApiResult>} o.opt
 * @param {(identity: string) => Promise<ApiResult>} o.remove
 * @param {() => void} o.refresh
 * @returns {View & { open: (resourceId: string, from: HTMLElement) => void }}
 */
export function stationDetail({ load, opt, remove, refresh }) {
  const dialog = detailDialog('station');
  /** @type {Seen | undefined} */
  let seen;
  let askedAt = Number.NEGATIVE_INFINITY;
  /** @type {FleetEntry | undefined} */
  let current;

  /** A station may be probed while somebody looks. @param {string} key @param {number} mono */
  const look = (key, mono) => {
    askedAt = mono;
    void load(key).then((result) => {
      if (result.ok) seen = { key, seen: capabilitiesOf(result.body) };
      refresh();
    });
  };
  /** @param {'in' | 'out'} choice */
  const choose = async (choice) => {
    const entry = current;
    if (entry === undefined) return;
    const { resourceId } = entry;
    const answer = await askFor(optQuestion(resourceId, choice));
    if (answer === undefined) return;
    const { reason = '' } = answer;
    const result = await opt({
      choice,
      actor: 'cso',
      scope: { resources: [resourceId] },
      ...(reason === '' ? {} : { reason }),
    });
    if (result.ok) sayDone(dialog.answer, optSentence(resourceId, choice));
    else sayError(dialog.answer, choice === 'out' ? 'Opting out' : 'Opting in', result.error);
  };
  const drop = async () => {
    const identity = current?.identity;
    if (identity === undefined) return;
    const yes = await askBefore({
      title: `Remove ${identity}?`,
      text: 'It is none of the site any more: it is disconnected, no longer commanded, and not counted in services. When it connects again it has to be accepted again. It may go on drawing what it was last allowed until that ends by itself.',
      yes: 'Remove station',
    });
    if (!yes) return;
    const result = await remove(identity);
    if (result.ok) sayDone(dialog.answer, `${identity} is no station of the site any more.`);
    else sayError(dialog.answer, `Removing ${identity}`, result.error);
  };

  return {
    open(resourceId, from) {
      seen = undefined;
      askedAt = Number.NEGATIVE_INFINITY;
      dialog.open(resourceId, from);
      refresh();
    },
    show({ site, now, mono }) {
      const key = dialog.key();
      if (key === undefined) return;
      if (mono - askedAt >= AGAIN_MS) look(key, mono);
      current = site?.view.snapshot.resources.find((r) => r.resourceId === key);
      if (current === undefined) {
        dialog.show(undefined);
        return;
      }
      const isOut = current.optState === 'out';
      const removable = current.identity !== undefined && (site?.view.accepted ?? []).includes(current.identity);
      const capabilities = seen?.key === key ? seen.seen : undefined;
      dialog.show({
        title: key,
        facts: [...stateFacts(current, now), ...capabilityFacts(capabilities, seen?.key === key)],
        lists: listsOf(current, capabilities),
        actions: [
          {
            name: 'opt',
            label: isOut ? 'Opt in …' : 'Opt out …',
            run: () => void choose(isNowOut(current) ? 'in' : 'out'),
          },
          ...(removable ? [{ name: 'remove', label: 'Remove station …', run: () => void drop() }] : []),
        ],
      });
    },
  };
}

/** @param {FleetEntry | undefined} entry */
const isNowOut = (entry) => entry?.optState === 'out';

/** @param {string} resourceId @param {'in' | 'out'} choice */
function optQuestion(resourceId, choice) {
  const fields = [{ name: 'reason', label: 'Reason, for the event log (optional)' }];
  return choice === 'out'
    ? {
        title: `Opt ${resourceId} out?`,
        text: 'It takes part in no service until it is opted in again; its driver’s plan counts. Limits still hold. A mandatory service refuses this, and a contract may ask for notice.',
        fields,
        yes: 'Opt out',
      }
    : {
        title: `Opt ${resourceId} in?`,
        text: 'It takes part in services again, as far as its driver’s needs allow. What a driver chose at the station stays.',
        fields,
        yes: 'Opt in',
      };
}

/** @param {unknown} body @returns {StationCapabilities | undefined} */
function capabilitiesOf(body) {
  return typeof body === 'object' && body !== null ? Reflect.get(body, 'capabilities') : undefined;
}

/** @param {FleetEntry} e @param {number} now @returns {[string, string][]} */
function stateFacts(e, now) {
  const outcome = outcomeWords(e);
  return [
    ['Station', `${e.identity ?? '–'} · ${protocolWords(e.protocol)}`],
    ['State', `${stateWords(e.state).text}${e.socPct === undefined ? '' : `, ${percent(e.socPct)}`}`],
    ['Takes part in services', e.optState === 'out' ? 'no, opted out' : 'yes'],
    ['Measured', `${power(e.measuredW)} (${age(e.measuredAt, now)} ago)`],
    ['Granted', power(e.grantedW)],
    ['Car needs … wishes', `${power(e.neededW)} … ${power(e.wishedW)}`],
    ['Envelope', span(e.importLimitW, e.exportLimitW)],
    ['Last command', [outcome.text, outcome.more, codeSentence(e.outcomeCode)].filter(Boolean).join(' · ')],
  ];
}

/** @param {StationCapabilities | undefined} c @param {boolean} asked @returns {[string, string][]} */
function capabilityFacts(c, asked) {
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

/** @param {FleetEntry} e @param {StationCapabilities | undefined} c */
function listsOf(e, c) {
  const lines = (c?.reasons ?? []).map((r) => `${r.step}: ${r.why}`);
  const down = c?.steppedDown ?? e.steppedDown;
  if (lines.length === 0 && down !== undefined) lines.push(down);
  return lines.length === 0 ? [] : [{ title: 'Why it is not commanded better', lines }];
}
