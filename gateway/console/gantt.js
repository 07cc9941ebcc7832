/**
 * Services on an axis of time. Pure functions.
 * @import { EventEntry } from '../../model/index.ts'
 * @import { Kept } from './documents.js'
 * @import { ServiceRow } from './words.js'
 */
import { recordOf } from './documents.js';
import { isRunning, sortServices } from './fleet.js';
import { power } from './format.js';
import { serviceKeyOf, serviceTypeWords, serviceWords } from './words.js';

/** The axis begins this long ago at most, and ends this far ahead. */
const BACK_MS = 15 * 60_000;
const AHEAD_MS = 30 * 60_000;
const LEAST_MS = 4 * 60_000;
/** Rows that are drawn. */
const ROWS = 30;

/** @typedef {{ at: number, kind: MarkKind, text: string }} Mark */

/** @typedef {'decision' | 'opt' | 'deviation' | 'end' | 'note'} MarkKind */

/**
 * A service that is over, as its record tells.
 * @typedef {{ foId: string, fsrId: string, serviceType: string, start: number, end: number, outcome: string, marks: readonly Mark[] }} Past
 */

/**
 * @typedef {object} GanttRow
 * @property {string} key
 * @property {string} label
 * @property {string} sub
 * @property {string} state code of its state
 * @property {boolean} running
 * @property {number} start epoch ms
 * @property {number} end
 * @property {readonly Mark[]} marks
 * @property {readonly { from: number, to: number, text: string }[]} steps of a limit series
 */

/** Signs that the picture has; notes are told in the details only. @type {Readonly<Record<Exclude<MarkKind, 'note'>, { text: string, icon: string }>>} */
export const MARKS = {
  decision: { text: 'Decision', icon: 'check' },
  opt: { text: 'Opt-in or opt-out', icon: 'suspended' },
  deviation: { text: 'Deviation', icon: 'faulted' },
  end: { text: 'End', icon: 'cross' },
};

/** @type {Readonly<Record<string, { kind: MarkKind, text: string }>>} */
const KINDS = {
  'service.accepted': { kind: 'decision', text: 'accepted' },
  'service.partial': { kind: 'decision', text: 'accepted in part' },
  'service.rejected': { kind: 'decision', text: 'rejected' },
  'service.optedOut': { kind: 'decision', text: 'opted out' },
  'service.amended': { kind: 'decision', text: 'changed' },
  'service.opt': { kind: 'opt', text: 'a driver or owner chose' },
  'opt.refused': { kind: 'opt', text: 'an opt-out was refused' },
  'service.deviation': { kind: 'deviation', text: 'measured is off what was granted' },
  'service.fallback': { kind: 'deviation', text: 'no data from the operator, fallback in force' },
  'service.resourceLost': { kind: 'deviation', text: 'a resource no longer takes part' },
  'setpoint.clipped': { kind: 'note', text: 'a setpoint met a tighter limit' },
  'flow.targetMissing': { kind: 'deviation', text: 'the flow is silent' },
  'service.completed': { kind: 'end', text: 'completed' },
  'service.aborted': { kind: 'end', text: 'aborted' },
  'service.cancelled': { kind: 'end', text: 'taken back' },
  'service.failed': { kind: 'end', text: 'failed' },
};

/**
 * Rows in the order of the table, then what is over.
 * @param {readonly ServiceRow[]} services
 * @param {readonly EventEntry[]} events
 * @param {readonly Past[]} [past]
 * @returns {GanttRow[]}
 */
export function ganttRows(services, events, past = []) {
  const now = sortServices(services).map((s) => ({
    key: serviceKeyOf(s),
    label: `${serviceTypeWords(s.serviceType)}`,
    sub: `${s.foId} · ${s.fsrId}`,
    state: s.state,
    running: isRunning(s),
    start: Date.parse(s.start),
    end: Date.parse(s.end),
    marks: marksOf(s.fsrId, events),
    steps: stepsOf(s),
  }));
  const known = new Set(now.map((r) => r.key));
  const over = past
    .filter((p) => !known.has(`${p.foId}/${p.fsrId}`))
    .map((p) => ({
      key: `${p.foId}/${p.fsrId}`,
      label: serviceTypeWords(p.serviceType),
      sub: `${p.foId} · ${p.fsrId}`,
      state: p.outcome,
      running: false,
      start: p.start,
      end: p.end,
      marks: [...marksOf(p.fsrId, events), ...p.marks],
      steps: [],
    }));
  return [...now, ...over].slice(0, ROWS);
}

/**
 * Services that are over, from the list of records.
 * @param {unknown} body
 * @returns {Past[]}
 */
export function pastOf(body) {
  const records = /** @type {unknown} */ (
    typeof body === 'object' && body !== null ? Reflect.get(body, 'records') : []
  );
  if (!Array.isArray(records)) return [];
  return /** @type {readonly Kept[]} */ (records).flatMap((kept) => {
    const { foId, fsrId, endedAt } = kept;
    const record = recordOf(kept);
    if (record === undefined) return [];
    const { serviceType = '', outcome = '' } = record;
    const times = [record.curve?.[0]?.at, ...(record.resources ?? []).map((r) => r.joinedAt)];
    const start = Math.min(...times.flatMap((t) => (t === undefined ? [] : [Date.parse(t)])));
    if (!(endedAt > start)) return [];
    const marks = (record.deviations ?? []).map((d) => ({
      at: Date.parse(d.at),
      kind: /** @type {const} */ ('deviation'),
      text: [`${power(d.shortfallW)} short`, d.cause].filter(Boolean).join(': '),
    }));
    return [{ foId, fsrId, serviceType, start, end: endedAt, outcome, marks }];
  });
}

/** @param {string} fsrId @param {readonly EventEntry[]} events @returns {Mark[]} */
export function marksOf(fsrId, events) {
  return events.flatMap((e) => {
    const known = KINDS[e.kind];
    if (known === undefined || !e.subject.includes(fsrId)) return [];
    return [{ at: Date.parse(e.at), kind: known.kind, text: [known.text, e.text].filter(Boolean).join(': ') }];
  });
}

/** @param {ServiceRow} s */
function stepsOf({ limits }) {
  if (limits === undefined) return [];
  const [begin, over] = [Date.parse(limits.start), Date.parse(limits.end)];
  return limits.points.flatMap((p, i) => {
    const from = begin + p.offsetS * 1000;
    const to = Math.min(over, begin + (limits.points[i + 1]?.offsetS ?? Number.POSITIVE_INFINITY) * 1000);
    const limit = p.importLimitW ?? p.exportLimitW;
    return limit === undefined || to <= from ? [] : [{ from, to, text: `≤ ${power(limit)}` }];
  });
}

/**
 * From when to when the axis reaches: all that runs, and what ended lately.
 * @param {readonly GanttRow[]} rows
 * @param {number} now epoch ms
 * @returns {{ from: number, to: number }}
 */
export function ganttRange(rows, now) {
  const near = rows.filter((r) => r.end > now - BACK_MS && r.start < now + AHEAD_MS);
  const from = Math.max(now - BACK_MS, Math.min(now - LEAST_MS / 2, ...near.map((r) => r.start)));
  const to = Math.min(now + AHEAD_MS, Math.max(now + LEAST_MS / 2, ...near.filter((r) => r.running).map((r) => r.end)));
  const air = (to - from) * 0.03;
  return { from: from - air, to: to + air };
}

const STEPS_MS = [15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000];

/** Round times of the axis, about `count` of them. @param {{ from: number, to: number }} range @param {number} count */
export function ticksOf({ from, to }, count) {
  const step = STEPS_MS.find((s) => (to - from) / s <= count) ?? 3_600_000;
  const first = Math.ceil(from / step) * step;
  // The words of a tick stand right of it and need room.
  const last = to - (to - from) * 0.06;
  return Array.from({ length: Math.max(0, Math.floor((last - first) / step) + 1) }, (_, i) => first + i * step);
}

/** What a row says to those who cannot see its bar. @param {GanttRow} row @param {(ms: number) => string} clock */
export function rowSentence(row, clock) {
  const state = serviceWords(row.state).text;
  const marks = row.marks.slice(-5).map((m) => `${clock(m.at)} ${m.text}`);
  return [`${row.label} of ${row.sub}: ${state}, ${clock(row.start)} to ${clock(row.end)}`, ...marks].join('; ');
}
