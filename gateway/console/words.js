/**
 * Codes of the hub language in words.
 * @import { FleetEntry, FleetSnapshot } from '../../model/index.ts'
 */

/**
 * Words with a symbol of icons.svg and a tone of the style sheet.
 * @typedef {object} Words
 * @property {string} text
 * @property {string} icon
 * @property {'' | 'good' | 'warn' | 'bad' | 'quiet'} tone
 * @property {string} [more] the same at length
 */

/** @typedef {FleetSnapshot['services'][number]} ServiceRow */

/** @type {Readonly<Record<FleetEntry['state'], Words>>} */
const STATES = {
  offline: { text: 'Offline', icon: 'offline', tone: 'bad' },
  available: { text: 'Free', icon: 'available', tone: 'quiet' },
  connected: { text: 'Plugged in', icon: 'connected', tone: '' },
  charging: { text: 'Charging', icon: 'charging', tone: 'good' },
  discharging: { text: 'Discharging', icon: 'discharging', tone: 'good' },
  suspended: { text: 'Paused', icon: 'suspended', tone: '' },
  faulted: { text: 'Fault', icon: 'faulted', tone: 'bad' },
  reserved: { text: 'Reserved', icon: 'reserved', tone: '' },
};

/** Accepted is not effective (design 2.1): only the meter says that a command does what it should. */
/** @type {Readonly<Record<NonNullable<FleetEntry['outcome']>, Words>>} */
const OUTCOMES = {
  sent: { text: 'Sent', icon: 'waiting', tone: '', more: 'no answer from the station yet' },
  accepted: { text: 'Accepted', icon: 'half', tone: 'warn', more: 'not confirmed by the meter yet' },
  effective: { text: 'Effective', icon: 'check', tone: 'good', more: 'confirmed by the meter' },
  notEffective: { text: 'Not effective', icon: 'faulted', tone: 'bad', more: 'the meter shows something else' },
  refused: { text: 'Refused', icon: 'cross', tone: 'bad', more: 'not carried out' },
  superseded: { text: 'Replaced', icon: 'newer', tone: 'quiet', more: 'a newer command took its place' },
  expired: { text: 'Expired', icon: 'waiting', tone: 'quiet', more: 'it has ended by itself' },
  unknown: { text: 'Unknown', icon: 'unknown', tone: 'warn', more: 'no answer or no meter value in time' },
};

/** @type {Readonly<Record<string, string>>} */
const CODES = {
  'station.notConnected': 'The station is not connected',
  'station.refusedCommand': 'The station refused the command',
  'resource.excluded': 'The station does not do it, also in simpler forms',
  'resource.takesLess': 'The vehicle takes less than it may',
  'station.notAccepted': 'The station is not accepted yet',
  'command.lapsed': 'It was no longer valid when its turn came',
  'command.unsupported': 'The station cannot express this command',
  'mapping.widens': 'A mapping would have sent more than was granted, so nothing was sent',
  'ocpp.timeout': 'The station did not answer in time',
  'ocpp.closed': 'The connection broke before the answer came',
  'ocpp.replaced': 'The station reconnected before the answer came',
  'ocpp.expired': 'It ended while it waited in the queue',
};

/** How a command is put to a station (bridges/ocpp), in words. */
/** @type {Readonly<Record<string, string>>} */
const SHAPES = {
  dynamic: 'as setpoint',
  setpoint: 'as scheduled setpoint',
  limitW: 'as limit in W',
  limitA: 'as limit in A',
  schedule: 'as schedule',
  onOff: 'by on and off',
  native: 'by a flow itself',
};

/** @type {Readonly<Record<FleetEntry['quality'], Words>>} */
const QUALITIES = {
  good: { text: 'good', icon: '', tone: 'quiet', more: 'fresh meter values' },
  estimated: { text: 'estimated', icon: '', tone: 'warn', more: 'the last meter value is late' },
  substituted: { text: 'substituted', icon: '', tone: 'warn', more: 'a stand-in for a meter value' },
  missing: { text: 'missing', icon: '', tone: 'bad', more: 'no usable meter value' },
};

/** @type {Readonly<Record<string, Words>>} */
const SERVICE_STATES = {
  received: { text: 'Received', icon: 'waiting', tone: '' },
  validated: { text: 'Being checked', icon: 'waiting', tone: '' },
  credentialChecked: { text: 'Being checked', icon: 'waiting', tone: '' },
  accepted: { text: 'Accepted', icon: 'half', tone: '' },
  scheduled: { text: 'Scheduled', icon: 'waiting', tone: '' },
  active: { text: 'Active', icon: 'charging', tone: 'good' },
  completed: { text: 'Completed', icon: 'check', tone: 'quiet' },
  settled: { text: 'Settled', icon: 'check', tone: 'quiet' },
  aborted: { text: 'Aborted', icon: 'cross', tone: 'warn' },
  failed: { text: 'Failed', icon: 'faulted', tone: 'bad' },
  rejected: { text: 'Rejected', icon: 'cross', tone: 'warn' },
  optedOut: { text: 'Opted out', icon: 'suspended', tone: 'warn' },
};

/** @type {Readonly<Record<NonNullable<ServiceRow['limitedBy']>, string>>} */
const LIMITED_BY = {
  needed: 'what drivers need',
  wished: 'what cars can take',
  fuse: 'a fuse or circuit limit',
  poc: 'the connection point',
  minimum: 'what a car takes at least',
};

/** @type {Readonly<Record<string, string>>} */
const PROTOCOLS = { 'ocpp1.6': 'OCPP 1.6', 'ocpp2.0.1': 'OCPP 2.0.1', 'ocpp2.1': 'OCPP 2.1' };

/** @type {Readonly<Record<string, string>>} */
const SERVICE_TYPES = { setpoint: 'Setpoint following', congestion: 'Congestion limit' };

/** @type {Readonly<Record<string, string>>} */
const DECISIONS = { accepted: 'accepted', partial: 'accepted in part', rejected: 'rejected', optedOut: 'opted out' };

/** @type {Readonly<Record<string, string>>} */
const ACTORS = { evu: 'the driver', cso: 'the site operator', csp: 'the service provider', fleet: 'the fleet' };

/** @type {Readonly<Record<string, string>>} */
const FUNCTIONS = {
  smartCharging: 'smart charging',
  dynamic: 'dynamic setpoints',
  setpoint: 'scheduled setpoints',
  composite: 'shows its schedule',
};

/** Why the gateway may take a service back (fo 4.3 no. 17). @type {readonly (readonly [string, string])[]} */
export const WITHDRAW_REASONS = [
  ['safety', 'Safety'],
  ['fault', 'Fault of the site or its stations'],
  ['mandate', 'Mandate of the grid operator'],
];

/** @param {string} code @returns {Words} */
const asIs = (code) => ({ text: code, icon: 'unknown', tone: '' });

/** @param {FleetEntry['state']} state @returns {Words} */
export const stateWords = (state) => STATES[state] ?? asIs(state);

/** Somebody has put it out of service, which is no fault. @param {FleetEntry} entry */
export const isOutOfService = ({ state, errorCode }) => state === 'faulted' && errorCode === 'Unavailable';

/** What an outlet does, with what it said of its fault. @param {FleetEntry} entry @returns {Words} */
export function stateOf(entry) {
  if (isOutOfService(entry)) return { text: 'Out of service', icon: 'suspended', tone: 'warn' };
  const words = stateWords(entry.state);
  const tells = entry.state === 'faulted' && entry.errorCode !== undefined && entry.errorCode !== 'Faulted';
  return tells ? { ...words, text: `${words.text}: ${entry.errorCode}` } : words;
}

/** @param {FleetEntry['quality']} quality @returns {Words} */
export const qualityWords = (quality) => QUALITIES[quality] ?? asIs(quality);

/** @param {string} state @returns {Words} */
export const serviceWords = (state) => SERVICE_STATES[state] ?? asIs(state);

/** @param {ServiceRow['limitedBy']} by */
export const limitedByWords = (by) => (by === undefined ? 'nothing' : (LIMITED_BY[by] ?? by));

/** @param {string} protocol */
export const protocolWords = (protocol) => PROTOCOLS[protocol] ?? (protocol || '–');

/** A circuit or the connection point. @param {string} nodeId */
export const nodeWords = (nodeId) => (nodeId === 'poc' ? 'Connection point' : `Circuit ${nodeId}`);

/**
 * What became of the last command.
 * @param {FleetEntry} entry
 * @returns {Words}
 */
export function outcomeWords(entry) {
  if (entry.outcome === undefined) return { text: 'No command', icon: '', tone: 'quiet' };
  const words = OUTCOMES[entry.outcome] ?? asIs(entry.outcome);
  const shape = entry.shape === undefined ? undefined : SHAPES[entry.shape];
  const more = [words.more, shape].filter(Boolean).join(' · ');
  return more === '' ? words : { ...words, more };
}

/** Less than this below the wish is rounding, W. */
const NOTABLE_W = 150;

/** Why a command failed. @param {string | undefined} code */
export function codeSentence(code) {
  if (code === undefined) return '';
  const words = CODES[code];
  return words === undefined ? code : `${words} (${code})`;
}

/**
 * Why a resource does not get what its car wishes, one sentence each.
 * @param {FleetEntry} entry
 * @param {{ service?: string | undefined, limit?: string | undefined }} o who asks for a service now; the limits that
 *   somebody has set
 * @param {(w: number) => string} power
 * @returns {string[]}
 */
export function reasons(entry, { service, limit }, power) {
  const { grantedW, wishedW, importLimitW, exportLimitW } = entry;
  const found = [];
  if (entry.optState === 'out') found.push('Opted out of services.');
  if (isAbove(entry)) found.push(`Draws more than its envelope of ${power(importLimitW ?? 0)}.`);
  if (!entry.online) found.push('Counted with its worst case while it is offline.');
  else if (grantedW !== undefined && wishedW - grantedW > NOTABLE_W) {
    const atImport = importLimitW !== undefined && grantedW >= importLimitW - NOTABLE_W;
    const atExport = exportLimitW !== undefined && exportLimitW > 0 && grantedW <= -exportLimitW + NOTABLE_W;
    const by = atImport ? `its envelope${limit === undefined ? '' : ` (${limit})`}` : service;
    const what = grantedW < -NOTABLE_W ? 'Gives instead of taking' : 'Stepped down from';
    const why = `${by === undefined ? '' : ` for ${by}`}${atExport ? ', as far as its envelope goes' : ''}`;
    found.push(`${what} ${power(wishedW)}${why}.`);
  }
  return found;
}

/**
 * Limits that somebody has set, beside those of the site file; undefined: none.
 * @param {readonly import('../../model/index.ts').FleetSnapshot['limits'][number][]} limits
 */
export function setLimitWords(limits) {
  const set = limits.filter((l) => l.source !== undefined);
  const [first] = set;
  if (first === undefined) return undefined;
  if (set.length > 1) return `${set.length} limits are set`;
  const where = first.nodeId === 'poc' ? 'the connection point' : `circuit ${first.nodeId}`;
  return `limit at ${where}, set by ${first.source}`;
}

/** The link has tried every form of command in vain. @param {FleetEntry} entry */
export const isExcluded = ({ outcomeCode }) => outcomeCode === 'resource.excluded';

/**
 * More than its envelope by what meters tell apart (design 2.1). While it is being told, it has not had its chance yet.
 * @param {FleetEntry} entry
 */
export function isAbove({ online, measuredW, importLimitW, outcome }) {
  if (!online || outcome === 'sent' || outcome === 'accepted' || measuredW === undefined || importLimitW === undefined)
    return false;
  return measuredW > importLimitW + Math.max(NOTABLE_W, importLimitW * 0.02);
}

/** A fact about how a station is led that an operator should see at once. @param {FleetEntry} entry @returns {Words | undefined} */
export function markOf(entry) {
  if (isExcluded(entry))
    return { text: 'Excluded', icon: 'cross', tone: 'bad', more: 'counts for no service until it obeys again' };
  if (isAbove(entry)) return { text: 'Limit not held', icon: 'faulted', tone: 'bad' };
  if (entry.optState === 'out') return { text: 'Opted out', icon: 'suspended', tone: 'warn' };
  if (entry.shape === 'native') return { text: 'Led by a flow', icon: 'newer', tone: 'warn' };
  return undefined;
}

/** One FO may use the ids of another. @param {ServiceRow} s */
export const serviceKeyOf = (s) => `${s.foId}/${s.fsrId}`;

/** @param {string} type */
export const serviceTypeWords = (type) => SERVICE_TYPES[type] ?? type;

/** @param {ServiceRow['decision']} decision */
export const decisionWords = (decision) => (decision === undefined ? 'not yet' : (DECISIONS[decision] ?? decision));

/** @param {string} actor */
export const actorWords = (actor) => ACTORS[actor] ?? actor;

/** @param {string} name */
export const functionWords = (name) => FUNCTIONS[name] ?? name;

/** @param {string} form */
export const shapeWords = (form) => SHAPES[form] ?? form;

/** @param {string} resourceId @param {'in' | 'out'} choice */
export const optSentence = (resourceId, choice) =>
  choice === 'out' ? `${resourceId} is opted out of services.` : `${resourceId} takes part in services again.`;

/** @param {ServiceRow} s */
export function optCount({ optEvents = [] }) {
  const last = optEvents.at(-1);
  if (last === undefined) return '';
  const times = optEvents.length === 1 ? 'once' : `${optEvents.length} times`;
  return `opt ${last.choice} by ${actorWords(last.actor)}, chosen ${times}`;
}
