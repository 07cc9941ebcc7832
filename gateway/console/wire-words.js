/**
 * Messages on the wire in words.
 * @import { Row, WireEntry } from './trace.js'
 */
import { power } from './format.js';
import { nameOf, serviceOf, stateOf } from './trace.js';

/** @type {Readonly<Record<string, string>>} */
const TITLES = {
  Hello: 'Says hello',
  Heartbeat: 'Heartbeat',
  RequestService: 'Asks for a service',
  AmendService: 'Changes a service',
  ConfirmService: 'Confirms a service',
  CancelService: 'Takes a service back',
  UpdateSetpoint: 'New setpoint',
  UpdateLimits: 'New limits',
  Opt: 'Opts in or out',
  OptChoice: 'Opts in or out',
  Result: 'Answer to the operator',
  ResultBody: 'Answer',
  ServiceDecision: 'Decision about the service',
  ExecutionNotice: 'Tells how the service goes',
  AvailabilityReport: 'Tells what is available',
  PublishResources: 'Tells which resources there are',
  SubscribeTelemetry: 'Subscribes to telemetry',
  Telemetry: 'Telemetry',
  TelemetrySample: 'Telemetry',
  ServiceRecord: 'Service record',
  Proof: 'Proof of delivery',
  ServiceTarget: 'Target for the flow',
  'allocate/ServiceTarget': 'Target arrives from the flow',
  ServiceRecordEvent: 'Service record is made',
  ProofEvent: 'Proof is made',
  StationStatus: 'State of the station',
  StationCapabilities: 'What the station can do',
  NotifyEVChargingNeeds: 'Car tells what it needs',
  CommandBatch: 'Split over the vehicles',
  PowerCommand: 'Command',
  ScheduleCommand: 'Command with a schedule',
  CurveCommand: 'Command with a curve',
  CommandOutcome: 'Outcome',
  EnvelopeUpdate: 'Highest permitted power',
  SetLimit: 'Limit',
  MeterReading: 'Meter value',
  ResourceState: 'State of a vehicle’s outlet',
  EvNeeds: 'What the car needs',
  SessionEvent: 'Session',
  StationOrder: 'Order to the station',
  StationOrderOutcome: 'Answer to the order',
  BootNotification: 'Station has started',
  StatusNotification: 'Station tells its state',
  MeterValues: 'Station sends meter values',
  TransactionEvent: 'Station reports the session',
  StartTransaction: 'Session begins',
  StopTransaction: 'Session ends',
  Authorize: 'Driver asks to charge',
  SetChargingProfile: 'Charging profile for the station',
  UpdateDynamicSchedule: 'New value for the station',
  PullDynamicScheduleUpdate: 'Station asks for the value',
  ClearChargingProfile: 'Charging profile removed',
  GetCompositeSchedule: 'Asks for the schedule in force',
  RequestStartTransaction: 'Order to start',
  RequestStopTransaction: 'Order to stop',
  RemoteStartTransaction: 'Order to start',
  RemoteStopTransaction: 'Order to stop',
  ChangeAvailability: 'Order: availability',
  TriggerMessage: 'Asks the station to report',
  Reset: 'Order to restart',
  UnlockConnector: 'Order to unlock',
};

/** What a message is, in words; its own name where there are none. @param {Pick<WireEntry, 'topic' | 'stage'>} entry */
export function titleOf({ topic, stage }) {
  const name = nameOf(topic);
  const found = TITLES[`${stage}/${name}`] ?? TITLES[name];
  if (found !== undefined) return found;
  const action = name.replace(/(Request|Response)$/, '');
  const words = TITLES[action];
  if (words === undefined) return spaced(name);
  return name.endsWith('Response') ? `Answer to “${spaced(action)}”` : words;
}

/** `SetChargingProfile` → `Set charging profile`. @param {string} name */
function spaced(name) {
  const text = name.replace(/([a-z0-9])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @type {Readonly<Record<string, string>>} */
const DIRECTIONS = { in: 'to the gateway', out: 'from the gateway', inside: 'within the gateway' };

/** @param {string} direction */
export const directionWords = (direction) => DIRECTIONS[direction] ?? direction;

/** Names in a list, `DEMO-AC-1, DEMO-AC-2 and 6 more`. @param {readonly string[]} names @param {number} [shown] */
export function listed(names, shown = 2) {
  const all = [...new Set(names)];
  if (all.length <= shown + 1) return all.join(', ');
  return `${all.slice(0, shown).join(', ')} and ${all.length - shown} more`;
}

/** With whom a row speaks, or about what. @param {Pick<Row, 'entries'>} row */
export function whoOf({ entries }) {
  const peers = entries.flatMap((e) => (e.peer === undefined ? [] : [e.peer]));
  if (peers.length > 0) return listed(peers);
  const resources = entries.flatMap((e) => e.resourceIds ?? []);
  return listed(resources.length > 0 ? resources : entries.flatMap((e) => serviceOf(e) ?? []));
}

/** What one row says beyond its title. @param {Pick<Row, 'entries' | 'first'>} row */
export function saysOf({ entries, first }) {
  if (entries.length === 1) return shortSummary(first) || (stateOf(first) ?? '');
  const powers = entries.map(powerOf);
  const sum = powers.every((p) => p !== undefined) ? powers.reduce((a, b) => a + b, 0) : undefined;
  return [stateOf(first), sum === undefined ? undefined : `${power(sum)} together`].filter(Boolean).join(' · ');
}

/** The summary without the station, resource or service that stands beside it anyway. @param {WireEntry} e */
export function shortSummary(e) {
  const { summary = '', peer, resourceIds = [] } = e;
  const service = serviceOf(e);
  let text = summary;
  for (const part of [
    `${peer}: `,
    ...resourceIds.map((id) => `${id} · `),
    ...(service === undefined ? [] : [`${service} · `]),
  ])
    if (text.startsWith(part)) text = text.slice(part.length);
  return text;
}

/** @param {WireEntry} e */
function powerOf({ payload }) {
  const w = /** @type {unknown} */ (
    typeof payload === 'object' && payload !== null ? Reflect.get(payload, 'powerW') : undefined
  );
  return typeof w === 'number' ? w : undefined;
}

/** The message of a row with all its languages. @param {Pick<Row, 'entries' | 'first'>} row */
export function topicsOf({ entries, first }) {
  const languages = [...new Set(entries.map((e) => e.topic.slice(0, e.topic.lastIndexOf('/'))))];
  return `${languages.join(', ')}/${nameOf(first.topic)}`;
}

/** Whom a message is from or to, for the list of requests. @param {WireEntry} e */
export const headlineOf = (e) => [titleOf(e), shortSummary(e)].filter(Boolean).join(': ');
