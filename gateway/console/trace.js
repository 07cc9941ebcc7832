/**
 * The wire timeline: from entries of the gateway's trace to rows, lanes and links of a picture. Pure functions.
 */

/**
 * What passed, as `GET /v2gate/api/timeline` tells it.
 * @typedef {object} WireEntry
 * @property {number} seq
 * @property {number | string} at epoch ms, or ISO 8601
 * @property {string} stage one of {@link STAGES}
 * @property {string} direction `in`, `out` or `inside`, seen from the gateway
 * @property {string} [link]
 * @property {string} [peer]
 * @property {string} topic
 * @property {string} id
 * @property {string} [cause] id of what led to it
 * @property {string} [fsrId]
 * @property {readonly string[]} [resourceIds]
 * @property {string} [summary]
 * @property {unknown} [payload]
 */

/** Lanes in the order in which a request passes them; the last two only where something is in them. */
export const STAGES = /** @type {const} */ ([
  { id: 'fo', label: 'Operator', doc: 'Messages from and to flexibility operators' },
  { id: 'service', label: 'Service', doc: 'What the gateway decides about requests' },
  { id: 'allocate', label: 'Allocate', doc: 'How a target is split over the vehicles' },
  { id: 'command', label: 'Command', doc: 'What each vehicle is told, and what became of it' },
  { id: 'ocpp', label: 'Station', doc: 'OCPP messages to and from stations' },
  { id: 'meter', label: 'Meter', doc: 'What meters show' },
  { id: 'limit', label: 'Limit', doc: 'Limits that are set, released and pushed' },
  { id: 'record', label: 'Record', doc: 'What is written down' },
]);

/** @typedef {(typeof STAGES)[number]['id']} StageId */

/** Entries alike that follow each other within this time are one row, ms. */
const BURST_MS = 1500;

/**
 * One row of the picture: one entry, or several alike (one command to each of eight stations).
 * @typedef {object} Row
 * @property {string} key stays the same while entries are added
 * @property {readonly WireEntry[]} entries oldest first
 * @property {WireEntry} first
 * @property {number} lane index in the lanes shown
 * @property {string | undefined} parent key of the row that led to it
 * @property {string | undefined} burst key of those that it was shown as one with, before it was opened
 * @property {number} fromMs offsets from the beginning
 * @property {number} toMs
 */

/** @param {Pick<WireEntry, 'at'>} entry epoch ms */
export const timeOf = ({ at }) => (typeof at === 'number' ? at : Date.parse(at));

/** `ocpp2.1/SetChargingProfileRequest` → `SetChargingProfileRequest`. @param {string} topic */
export const nameOf = (topic) => topic.slice(topic.lastIndexOf('/') + 1);

/** The lanes that a picture of these entries has. @param {readonly WireEntry[]} entries */
export function lanesOf(entries) {
  const present = new Set(entries.map((e) => e.stage));
  return STAGES.filter((s, i) => i < 6 || present.has(s.id));
}

/**
 * Rows in the order of time; what is alike and close together is one row unless it was opened.
 * @param {readonly WireEntry[]} entries in the order of their seq
 * @param {{ origin: number, isOpen?: (key: string) => boolean }} o origin: epoch ms that offsets count from
 * @returns {Row[]}
 */
export function rowsOf(entries, { origin, isOpen = () => false }) {
  const lanes = lanesOf(entries);
  const groups = burstsOf(entries).flatMap((burst) => {
    const key = keyOf(burst);
    return burst.length > 1 && isOpen(key)
      ? burst.map((e) => ({ burst: /** @type {string | undefined} */ (key), entries: [e] }))
      : [{ burst: undefined, entries: burst }];
  });
  const ordered = groups.toSorted((a, b) => seqOf(a.entries) - seqOf(b.entries));
  const rowById = new Map(ordered.flatMap(({ entries: all }) => all.map((e) => [e.id, keyOf(all)])));
  return ordered.flatMap(({ entries: all, burst }) => {
    const [first] = all;
    const last = all.at(-1);
    if (first === undefined || last === undefined) return [];
    const key = keyOf(all);
    return {
      key,
      entries: all,
      first,
      lane: Math.max(
        0,
        lanes.findIndex((s) => s.id === first.stage),
      ),
      parent:
        all.map((e) => rowById.get(e.cause ?? '')).find((k) => k !== undefined && k !== key) ??
        (first.stage === 'meter' ? answerBefore(first, ordered) : undefined),
      burst,
      fromMs: timeOf(first) - origin,
      toMs: timeOf(last) - origin,
    };
  });
}

/**
 * Nothing causes a meter value; it shows what came of what the station answered before.
 * @param {WireEntry} value
 * @param {readonly { entries: readonly WireEntry[] }[]} groups
 */
function answerBefore(value, groups) {
  const found = groups.findLast(({ entries }) =>
    entries.some(
      (e) =>
        e.stage === 'ocpp' &&
        e.direction === 'in' &&
        e.cause !== undefined &&
        e.seq < value.seq &&
        e.resourceIds?.some((id) => value.resourceIds?.includes(id)) === true,
    ),
  );
  return found === undefined ? undefined : keyOf(found.entries);
}

/** @param {readonly WireEntry[]} entries */
const keyOf = (entries) => String(entries[0]?.seq ?? '');

/** @param {readonly WireEntry[]} entries */
const seqOf = (entries) => entries[0]?.seq ?? 0;

/** @param {readonly WireEntry[]} entries @returns {WireEntry[][]} */
function burstsOf(entries) {
  /** @type {Map<string, WireEntry[]>} */
  const open = new Map();
  /** @type {WireEntry[][]} */
  const all = [];
  for (const e of entries) {
    const alike = [e.stage, e.direction, nameOf(e.topic), e.fsrId, stateOf(e)].join('|');
    const burst = e.stage === 'fo' ? undefined : open.get(alike);
    const last = burst?.at(-1);
    if (burst !== undefined && last !== undefined && timeOf(e) - timeOf(last) <= BURST_MS) burst.push(e);
    else {
      const fresh = [e];
      open.set(alike, fresh);
      all.push(fresh);
    }
  }
  return all;
}

/** What an outcome, a decision or an answer of a station says, where it says something. @param {WireEntry} e */
export function stateOf({ payload }) {
  if (typeof payload !== 'object' || payload === null) return undefined;
  for (const key of ['state', 'status', 'decision']) {
    const value = Reflect.get(payload, key);
    if (typeof value === 'string') return value;
  }
  return undefined;
}

const GOOD = /^(accepted|effective|ok|done|active|completed)$/i;
const BAD = /^(rejected|refused|noteffective|error|faulted|failed|notsupported|unknown|expired)$/i;

/** The service that an entry is about; messages of operators name it inside. @param {WireEntry} e */
export function serviceOf({ fsrId, payload }) {
  if (fsrId !== undefined) return fsrId;
  const inner = Object.values(Object(payload)).find((v) => typeof v === 'object' && v !== null && 'fsrId' in v);
  const found = /** @type {unknown} */ (Reflect.get(Object(inner ?? payload), 'fsrId'));
  return typeof found === 'string' ? found : undefined;
}

/** The tone of what an entry says. @param {WireEntry} e @returns {'good' | 'bad' | ''} */
export function toneOf(e) {
  const state = stateOf(e) ?? '';
  return GOOD.test(state) ? 'good' : BAD.test(state) || /CallError$/i.test(nameOf(e.topic)) ? 'bad' : '';
}

/**
 * What a request came to, stage by stage.
 * @typedef {object} Milestone
 * @property {StageId} stage
 * @property {string} text
 * @property {number | undefined} fromMs undefined: not yet
 * @property {number | undefined} toMs
 * @property {'' | 'good' | 'bad' | 'waiting'} tone
 */

/** When nothing was commanded by then, nothing will be, ms. */
const SETTLED_MS = 3000;

/**
 * @param {readonly WireEntry[]} entries of one request, in the order of their seq
 * @param {number} [now] epoch ms, to tell what is still to come from what was not needed
 * @returns {Milestone[]}
 */
export function milestonesOf(entries, now = Number.NaN) {
  const [first] = entries;
  if (first === undefined) return [];
  const origin = timeOf(first);
  const needless = now - origin > SETTLED_MS && !entries.some((e) => e.stage === 'command');
  /** @param {StageId} stage @param {readonly WireEntry[]} found @param {string} text @param {Milestone['tone']} [tone] @returns {Milestone} */
  const stone = (stage, found, text, tone = '') => {
    const times = found.map((e) => timeOf(e) - origin);
    if (times.length === 0)
      return {
        stage,
        text: needless ? 'not needed' : 'nothing yet',
        fromMs: undefined,
        toMs: undefined,
        tone: 'waiting',
      };
    return { stage, text, fromMs: Math.min(...times), toMs: Math.max(...times), tone };
  };
  /** @param {StageId} stage */
  const at = (stage) => entries.filter((e) => e.stage === stage);
  const outcomes = entries.filter((e) => nameOf(e.topic) === 'CommandOutcome');
  const effective = outcomes.filter((e) => stateOf(e) === 'effective');
  const failed = outcomes.filter((e) => toneOf(e) === 'bad');
  const commands = at('command').filter((e) => !outcomes.includes(e));
  const sent = at('ocpp').filter((e) => e.direction === 'out');
  const asked = new Set(sent.map((e) => e.id));
  const answers = at('ocpp').filter((e) => e.direction === 'in' && asked.has(e.cause ?? ''));
  const stations = new Set(sent.map((e) => e.peer)).size;
  const refused = answers.filter((e) => toneOf(e) === 'bad').length;
  return [
    stone('fo', at('fo').slice(0, 1), first.peer ?? 'operator'),
    stone('service', at('service'), 'decided'),
    stone('allocate', at('allocate'), commands.length === 0 ? 'target taken' : 'split over vehicles'),
    stone('command', commands, `${commands.length} ${commands.length === 1 ? 'command' : 'commands'}`),
    stone(
      'ocpp',
      answers,
      refused > 0 ? `${refused} refused` : `${stations} ${stations === 1 ? 'station' : 'stations'} answered`,
      refused > 0 ? 'bad' : 'good',
    ),
    failed.length > 0
      ? stone('meter', failed, `${failed.length} not effective`, 'bad')
      : stone(
          'meter',
          effective.length > 0 ? effective : at('meter'),
          effective.length > 0 ? 'effective' : 'measured',
          'good',
        ),
  ];
}

/** An offset as people compare them: `+0.8 ms`, `+12 ms`, `+1.94 s`, `+2 min 3 s`. @param {number} ms */
export function offsetText(ms) {
  const size = Math.abs(ms);
  const sign = ms < 0 ? '\u2212' : '+';
  if (size < 9.95) return `${sign}${size.toFixed(Number.isInteger(size) ? 0 : 1)}\u202fms`;
  if (size < 999.5) return `${sign}${size.toFixed(0)}\u202fms`;
  if (size < 99_950) return `${sign}${(size / 1000).toFixed(2)}\u202fs`;
  return `${sign}${Math.floor(size / 60_000)}\u202fmin ${Math.round((size % 60_000) / 1000)}\u202fs`;
}

/** Several offsets, in one unit where both are below 100 s: `+4…12 ms`, `+0.90…2.30 s`. @param {number} from @param {number} to */
export function rangeText(from, to) {
  const [a, b] = [offsetText(from), offsetText(to)];
  if (a === b) return a;
  const mixed = Math.abs(from) < 999.5 && Math.abs(to) >= 999.5;
  const [low = '', unit] = mixed ? `+${(from / 1000).toFixed(2)}\u202fs`.split('\u202f') : a.split('\u202f');
  const [high = '', other] = b.split('\u202f');
  return unit === other && !b.includes(' ') ? `${low}…${high.slice(1)}\u202f${unit}` : `${a} … ${b}`;
}

/** A path of the picture from one dot to a later one: down its lane, then over. @param {{ x: number, y: number }} a @param {{ x: number, y: number }} b */
export function linkPath(a, b) {
  if (a.x === b.x) return `M${a.x} ${a.y}V${b.y}`;
  const r = Math.min(10, Math.abs(b.x - a.x), Math.abs(b.y - a.y));
  const [sx, sy] = [Math.sign(b.x - a.x), Math.sign(b.y - a.y)];
  return `M${a.x} ${a.y}V${b.y - sy * r}Q${a.x} ${b.y} ${a.x + sx * r} ${b.y}H${b.x}`;
}

/**
 * Requests and limits that somebody may want to follow: where a chain begins. The newest first.
 * @param {readonly WireEntry[]} entries
 */
export function beginnings(entries) {
  const begins = entries.filter(({ stage, direction, topic }) =>
    stage === 'limit'
      ? nameOf(topic) === 'SetLimit'
      : stage === 'fo' && direction === 'in' && !QUIET.test(nameOf(topic)),
  );
  return begins.toReversed();
}

/** Messages of operators that lead to nothing. */
const QUIET = /^(Hello|Heartbeat|Result|SubscribeTelemetry|PublishResources)$/;

/**
 * To how many commands each message has led, by its id.
 * @param {readonly WireEntry[]} entries with those of the stage `allocate`
 * @returns {Readonly<Record<string, number>>}
 */
export function effectsOf(entries) {
  const causes = new Map(entries.map((e) => [e.id, e.cause]));
  /** @type {Record<string, number>} */
  const counts = {};
  for (const e of entries) {
    if (nameOf(e.topic) !== 'CommandBatch') continue;
    const commands = /** @type {unknown} */ (Reflect.get(Object(e.payload), 'commands'));
    const count = Array.isArray(commands) ? commands.length : 1;
    for (let id = e.cause; id !== undefined && counts[id] === undefined; id = causes.get(id)) counts[id] = count;
  }
  return counts;
}
