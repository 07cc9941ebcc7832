/**
 * @import { ApiResult } from '../api.js'
 * @import { ServiceRow } from '../words.js'
 * @import { History } from '../history.js'
 * @import { Go, View } from './frame.js'
 */
import { isRunning } from '../fleet.js';
import { power, timeOfDay } from '../format.js';
import { marksOf } from '../gantt.js';
import { may } from '../session.js';
import {
  actorWords,
  decisionWords,
  limitedByWords,
  serviceKeyOf,
  serviceTypeWords,
  serviceWords,
  WITHDRAW_REASONS,
} from '../words.js';
import { sayDone, sayError } from './answer.js';
import { detailDialog } from './detail.js';
import { askFor } from './question.js';

const MAX_LINES = 12;

/**
 * One service in full, and the operator's way to take it back.
 * @param {object} o
 * @param {(body: { foId: string, fsrId: string, reason: string }) => Promise<ApiResult>} o.withdraw
 * @param {History} o.history
 * @param {() => void} o.refresh
 * @param {Go} o.go
 * @returns {View & { open: (key: string, from: HTMLElement) => void }}
 */
export function serviceDetail({ withdraw, history, refresh, go }) {
  const dialog = detailDialog('service');
  /** @type {ServiceRow | undefined} */
  let current;
  const takeBack = async () => {
    const service = current;
    if (service === undefined) return;
    const { foId, fsrId } = service;
    const answer = await askFor({
      title: `Take back ${fsrId}?`,
      text: `${foId} is told, the service ends at once with its fallback, and the record keeps the reason. The gateway may do this only for safety, a fault, or a mandate of the grid operator.`,
      fields: [{ name: 'reason', label: 'Reason', options: WITHDRAW_REASONS }],
      yes: 'Take service back',
    });
    if (answer === undefined) return;
    const result = await withdraw({ foId, fsrId, reason: answer.reason ?? '' });
    if (result.ok) sayDone(dialog.answer, `${fsrId} is taken back; ${foId} is told.`);
    else sayError(dialog.answer, 'Taking the service back', result.error);
  };
  const leave = () => {
    const follow = current?.fsrId;
    dialog.close();
    go('wire', { follow });
  };
  return {
    open(key, from) {
      current = undefined;
      dialog.open(key, from);
      refresh();
    },
    show({ site, now, mono, me, state }) {
      const key = dialog.key();
      if (key === undefined) return;
      if (site !== undefined && state.connection === 'live') history.poll(site.view.siteId, mono);
      const found = site?.view.snapshot.services.find((s) => serviceKeyOf(s) === key);
      // What is settled leaves the list; what it was stays readable until the dialog is closed.
      if (found !== undefined) current = found;
      if (current === undefined) return;
      dialog.show({
        title: `${serviceTypeWords(current.serviceType)} ${current.fsrId}`,
        facts: factsOf(current, found !== undefined),
        lists: [...happened(current.fsrId, history), ...listsOf(current, now)],
        actions: [
          { name: 'wire', label: 'Follow on the wire', run: () => leave() },
          ...(found !== undefined && isRunning(found) && may(me, 'operator')
            ? [{ name: 'withdraw', label: 'Take back …', run: () => void takeBack() }]
            : []),
        ],
      });
    },
  };
}

/** @param {string} fsrId @param {History} history */
function happened(fsrId, history) {
  const lines = marksOf(fsrId, history.events()).map((m) => `${timeOfDay(m.at)} ${m.text}`);
  return lines.length === 0 ? [] : [{ title: 'What happened', lines: lines.slice(-MAX_LINES) }];
}

/** @param {ServiceRow} s @param {boolean} kept @returns {[string, string][]} */
function factsOf(s, kept) {
  const clock = (/** @type {string} */ t) => timeOfDay(Date.parse(t));
  return [
    ['Operator', s.foId],
    ['State', kept ? [serviceWords(s.state).text, s.phase].filter(Boolean).join(', ') : 'over; see records and proofs'],
    ['Decision', decisionWords(s.decision)],
    ['Contract', s.contractId ?? '–'],
    ['Revision', String(s.revision ?? '–')],
    ['Priority', s.mandatory === true ? `${s.priority ?? '–'}, mandatory` : String(s.priority ?? '–')],
    ['Window', `${clock(s.start)} – ${clock(s.end)}`],
    ['Requested by the operator', power(s.requestedW)],
    ['Target from the flow', s.flow === 'silent' ? `${power(s.targetW)}, the flow is silent` : power(s.targetW)],
    ['Granted', power(s.appliedW)],
    ['Measured', power(s.measuredW)],
    ['Limited by', limitedByWords(s.limitedBy)],
    ['Setpoint valid until', s.validUntil === undefined ? '–' : clock(s.validUntil)],
    ...(s.limitW === undefined ? [] : [/** @type {[string, string]} */ (['Limit now', power(s.limitW)])]),
    ...(s.firm === undefined
      ? []
      : [/** @type {[string, string]} */ (['Limit holds', s.firm ? 'at every instant' : 'as a mean'])]),
  ];
}

/** @param {ServiceRow} s @param {number} now */
function listsOf(s, now) {
  const opts = (s.optEvents ?? []).map(
    (e) => `${timeOfDay(Date.parse(e.at))} ${actorWords(e.actor)} opted ${e.choice === 'in' ? 'in' : 'out'}`,
  );
  return [
    { title: 'Opt-in and opt-out', lines: opts.slice(-MAX_LINES) },
    { title: 'Limit series', lines: limitLines(s, now) },
  ].filter((l) => l.lines.length > 0);
}

/** @param {ServiceRow} s @param {number} now */
function limitLines({ limits }, now) {
  if (limits === undefined) return [];
  const begin = Date.parse(limits.start);
  const inForce = Math.max(
    0,
    limits.points.findLastIndex((p) => begin + p.offsetS * 1000 <= now),
  );
  const lines = limits.points.slice(inForce).map((p, i) => {
    const parts = [
      ...(p.importLimitW === undefined ? [] : [`import at most ${power(p.importLimitW)}`]),
      ...(p.exportLimitW === undefined ? [] : [`export at most ${power(p.exportLimitW)}`]),
    ];
    const at = begin + p.offsetS * 1000;
    return `${i === 0 && at <= now ? 'now' : `from ${timeOfDay(at)}`}: ${parts.join(', ')}`;
  });
  const more = lines.length - MAX_LINES;
  return more > 0 ? [...lines.slice(0, MAX_LINES), `and ${more} more steps`] : lines;
}
