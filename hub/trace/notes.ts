import type {
  CommandBatch,
  CommandOutcome,
  EnvelopeUpdate,
  ResultBody,
  ServiceTarget,
  WireMessage,
} from '../../model/index.ts';
import { innerOf } from './inner.ts';
import type { TraceNote, TraceStage } from './types.ts';

/** More elements of a list are not written down; the commands follow one by one. */
const MAX_LISTED = 100;

/** What comes all the time: meter values, and sessions that go on. */
export const isSampled = ({ topic, payload }: WireMessage): boolean =>
  topic === 'hub/MeterReading' || (topic === 'hub/SessionEvent' && textField(payload, 'kind') === 'updated');

/** The series that a sampled message belongs to. */
export function seriesOf({ topic, payload }: WireMessage): string {
  const of = textField(payload, 'resourceId') ?? textField(payload, 'meterId');
  return topic === 'hub/MeterReading' ? `meter ${of}` : `session ${of}`;
}

/** What may be waited for in it: a value of the resource, a word of the station. */
export const subjectOf = (message: WireMessage): string =>
  message.topic === 'hub/MeterReading' ? seriesOf(message) : `ocpp ${message.v2gate.peer}`;

/** What the site observed, as an entry: meter values, outcomes, and what stations tell of themselves. */
export function observedNote({ topic, payload, v2gate }: WireMessage): TraceNote {
  const resourceId = textField(payload, 'resourceId') ?? textField(payload, 'meterId');
  const note = {
    topic,
    payload,
    id: v2gate.id,
    cause: v2gate.cause,
    link: v2gate.link,
    peer: v2gate.peer,
    resourceIds: resourceId === undefined ? [] : [resourceId],
  };
  if (topic === 'hub/MeterReading')
    return { ...note, stage: 'meter', direction: 'in', series: seriesOf({ topic, payload, v2gate }) };
  if (topic === 'hub/CommandOutcome')
    return {
      ...note,
      stage: 'command',
      direction: 'in',
      cause: (payload as CommandOutcome).commandId,
      awaits: (payload as CommandOutcome).state === 'accepted',
    };
  if (topic === 'hub/SessionEvent' && textField(payload, 'kind') === 'updated')
    return { ...note, stage: 'ocpp', direction: 'inside', series: seriesOf({ topic, payload, v2gate }) };
  return { ...note, stage: topic === 'hub/OptChoice' ? 'service' : 'ocpp', direction: 'inside' };
}

/** What a request was answered. */
export function resultNote(request: WireMessage, result: ResultBody): TraceNote {
  const about = request.topic.slice(request.topic.indexOf('/') + 1);
  return { ...followingFrom(request), topic: 'hub/ResultBody', payload: { about, ...result } };
}

/** The target that a request led to. */
export const targetNote = (request: WireMessage, target: ServiceTarget): TraceNote => ({
  ...followingFrom(request),
  topic: 'hub/ServiceTarget',
  payload: target,
});

const followingFrom = ({ payload, v2gate }: WireMessage) =>
  ({ stage: 'service', direction: 'inside', cause: v2gate.id, peer: v2gate.peer, fsrIds: fsrIdsOf(payload) }) as const;

/** The commands of one run, of all services that lead. */
export function batchNote(batch: CommandBatch, fsrIds: readonly string[], cause: string | undefined): TraceNote {
  const { commands } = batch;
  const listed = commands.slice(0, MAX_LISTED);
  return {
    stage: 'allocate',
    direction: 'inside',
    topic: 'hub/CommandBatch',
    payload: commands.length > MAX_LISTED ? { ...batch, commands: listed, more: commands.length - MAX_LISTED } : batch,
    id: batch.batchId,
    cause,
    fsrIds,
    resourceIds: listed.map((c) => c.resourceId),
  };
}

/** A notice to a party: what it is told, or the record of what was done. */
export function noticeNote({ topic, payload, v2gate }: WireMessage): TraceNote {
  const stage: TraceStage = /Record|Proof/.test(topic) ? 'record' : 'service';
  return {
    stage,
    direction: 'inside',
    topic,
    payload,
    id: v2gate.id,
    cause: v2gate.cause,
    peer: v2gate.peer,
    fsrIds: fsrIdsOf(payload),
  };
}

/** What enforced commands name as their cause. */
export const envelopeId = ({ siteId, revision }: EnvelopeUpdate): string => `envelope:${siteId}:${revision}`;

/** The highest permitted power of every EVSE, as links get it: one in a while, it may move with every meter value. */
export function envelopeNote(update: EnvelopeUpdate): TraceNote {
  const { evses } = update;
  const more = evses.length > MAX_LISTED ? { more: evses.length - MAX_LISTED } : {};
  return {
    stage: 'limit',
    direction: 'inside',
    topic: 'hub/EnvelopeUpdate',
    payload: { ...update, evses: evses.slice(0, MAX_LISTED), ...more },
    series: `envelope ${update.siteId}`,
  };
}

/** The service that a message names: by itself, or in the request that it brings. */
export function fsrIdsOf(payload: unknown): readonly string[] {
  const fsrId = textField(innerOf(payload), 'fsrId');
  return fsrId === undefined ? [] : [fsrId];
}

function textField(payload: unknown, name: string): string | undefined {
  const value: unknown = typeof payload === 'object' && payload !== null ? Reflect.get(payload, name) : undefined;
  return typeof value === 'string' ? value : undefined;
}
