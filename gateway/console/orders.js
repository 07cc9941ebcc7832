/**
 * What a person can order a station to do beside its power (hub/StationOrder).
 * @import { FleetEntry, StationOrder, StationOrderOutcome } from '../../model/index.ts'
 * @import { Question } from './views/question.js'
 */

/**
 * @typedef {object} Order
 * @property {StationOrder['action']} action
 * @property {string} label of its button
 * @property {Question} question asked before, for most orders interrupt somebody
 * @property {(answers: Readonly<Record<string, string>>) => Partial<StationOrder>} body
 */

/**
 * Orders that make sense for a resource now.
 * @param {FleetEntry} e
 * @param {{ engineer: boolean }} o whether settings may be changed
 * @returns {Order[]}
 */
export function ordersFor(e, { engineer }) {
  if (!e.online) return [];
  const { resourceId, identity = resourceId } = e;
  const session = e.sessionId !== undefined;
  return [
    ...(session ? [stop(resourceId)] : [start(resourceId)]),
    trigger(identity),
    availability(resourceId, session),
    unlock(resourceId, session),
    reset(identity, session),
    readSettings(identity, e.protocol),
    ...(engineer ? [changeSetting(identity, e.protocol)] : []),
  ];
}

/** @param {string} resourceId @returns {Order} */
const start = (resourceId) => ({
  action: 'start',
  label: 'Start …',
  question: {
    title: `Start a session at ${resourceId}?`,
    text: 'The station begins to charge for this token, as if its driver had shown the card.',
    fields: [{ name: 'idToken', label: 'Token (empty: that of the last session)' }],
    yes: 'Start session',
  },
  body: ({ idToken = '' }) => ({ resourceId, ...(idToken === '' ? {} : { idToken }) }),
});

/** @param {string} resourceId @returns {Order} */
const stop = (resourceId) => ({
  action: 'stop',
  label: 'Stop …',
  question: {
    title: `Stop the session at ${resourceId}?`,
    text: 'The vehicle is charged no further and takes part in no service. Its driver may have to show the card again.',
    yes: 'Stop session',
  },
  body: () => ({ resourceId }),
});

/** @param {string} identity @returns {Order} */
const trigger = (identity) => ({
  action: 'trigger',
  label: 'Ask to report …',
  question: {
    title: `Ask ${identity} to report?`,
    text: 'It interrupts nobody; the station sends the message once more.',
    fields: [
      {
        name: 'message',
        label: 'What',
        options: [
          ['StatusNotification', 'Its state'],
          ['MeterValues', 'Its meter values'],
          ['BootNotification', 'What it is'],
          ['Heartbeat', 'That it is there'],
        ],
      },
    ],
    yes: 'Ask',
  },
  body: ({ message = 'StatusNotification' }) => ({ message }),
});

/** @param {string} resourceId @param {boolean} session @returns {Order} */
const availability = (resourceId, session) => ({
  action: 'availability',
  label: 'Availability …',
  question: {
    title: `Change whether ${resourceId} may be used?`,
    text: session
      ? 'Somebody is charging: most stations go out of service when the session has ended.'
      : 'Out of service, nobody can charge there.',
    fields: [
      {
        name: 'operative',
        label: 'From now on',
        options: [
          ['true', 'in service'],
          ['false', 'out of service'],
        ],
      },
    ],
    yes: 'Change',
  },
  body: ({ operative }) => ({ resourceId, operative: operative !== 'false' }),
});

/** @param {string} resourceId @param {boolean} session @returns {Order} */
const unlock = (resourceId, session) => ({
  action: 'unlock',
  label: 'Unlock …',
  question: {
    title: `Unlock the cable at ${resourceId}?`,
    text: session ? 'Somebody is charging: the session may end by it.' : 'The connector lets the cable go.',
    yes: 'Unlock cable',
  },
  body: () => ({ resourceId }),
});

/** @param {string} identity @param {boolean} session @returns {Order} */
const reset = (identity, session) => ({
  action: 'reset',
  label: 'Restart station …',
  question: {
    title: `Restart ${identity}?`,
    text: session
      ? 'Somebody is charging. At once, every session at this station ends; when idle, it waits for them.'
      : 'The station is gone for a minute or two. Sessions at its other outlets end if it restarts at once.',
    fields: [
      {
        name: 'hard',
        label: 'When',
        options: [
          ['false', 'when idle'],
          ['true', 'at once'],
        ],
      },
    ],
    yes: 'Restart station',
  },
  body: ({ hard }) => ({ hard: hard === 'true' }),
});

/** @param {string} protocol */
const keyLabel = (protocol) =>
  protocol === 'ocpp1.6' ? 'Key, such as HeartbeatInterval' : 'Key, such as OCPPCommCtrlr.HeartbeatInterval';

/** @param {string} identity @param {string} protocol @returns {Order} */
const readSettings = (identity, protocol) => ({
  action: 'getConfiguration',
  label: 'Show settings …',
  question: {
    title: `Show the settings of ${identity}?`,
    text: 'It interrupts nobody. Passwords and keys are left out.',
    fields: [{ name: 'key', label: `${keyLabel(protocol)} (empty: all)` }],
    yes: 'Show',
  },
  body: ({ key = '' }) => ({ ...(key === '' ? {} : { key }) }),
});

/** @param {string} identity @param {string} protocol @returns {Order} */
const changeSetting = (identity, protocol) => ({
  action: 'setConfiguration',
  label: 'Change setting …',
  question: {
    title: `Change a setting of ${identity}?`,
    text: 'It counts for the whole station and stays after a restart. A wrong value can cut the station off.',
    fields: [
      { name: 'key', label: keyLabel(protocol) },
      { name: 'value', label: 'Value, as the station writes it' },
    ],
    yes: 'Change setting',
  },
  body: ({ key = '', value = '' }) => ({ ...(key === '' ? {} : { key }), value }),
});

/** @type {Readonly<Record<string, string>>} */
const DONE = {
  accepted: 'The station accepts it',
  scheduled: 'The station does it later',
  done: 'Done',
  rejected: 'The station refuses it',
};

/** What the station said. @param {Partial<StationOrderOutcome>} outcome @param {string} label */
export function outcomeSentence({ state, reason, code }, label) {
  const what = label.replace(/ …$/, '');
  const said = [reason, code].filter(Boolean).join(', ');
  return `${what}: ${DONE[state ?? ''] ?? state ?? 'no word of the station'}${said === '' ? '' : ` (${said})`}.`;
}

/**
 * The settings that a station has told, by name, one line each.
 * @param {Partial<StationOrderOutcome>} outcome
 * @returns {{ name: string, value: string }[]}
 */
export function settingLines({ settings = [] }) {
  return settings
    .map(({ key, value, evse, readonly }) => ({
      name: evse === undefined ? key : `${key} (EVSE ${evse})`,
      value: `${value ?? 'not told'}${readonly === true ? ' (read-only)' : ''}`,
    }))
    .toSorted((a, b) => a.name.localeCompare(b.name, 'en'));
}

/** The outcome in an answer of the gateway, which may wrap it. @param {unknown} body @returns {Partial<StationOrderOutcome>} */
export function outcomeOf(body) {
  if (typeof body !== 'object' || body === null) return {};
  const inner = /** @type {unknown} */ (Reflect.get(body, 'outcome'));
  return typeof inner === 'object' && inner !== null ? inner : body;
}

/** An id that no other order has. Only pages over HTTPS or from this machine have `randomUUID`. */
export function orderId() {
  const random = crypto.getRandomValues(new Uint8Array(12));
  return `order:${Array.from(random, (b) => b.toString(16).padStart(2, '0')).join('')}`;
}
