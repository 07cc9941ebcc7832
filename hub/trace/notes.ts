import type { CommandBatch, CommandOutcome, EnvelopeUpdate, WireMessage } from '../../model/index.ts';
import type { Decision } from '../site/types.ts';
import { innerOf } from './inner.ts';
import type { TraceNote, TraceStage } from './types.ts';

/** More elements of a list are not written down; the commands follow one by one. */
const MAX_LISTED = 100;

/** The series that a meter value belongs to, and what waits for it. */
export function seriesOf({ topic, payload }: WireMessage): string | undefined {
  if (topic !== 'hub/MeterReading') return undefined;
  return `meter ${textField(payload, 'resourceId') ?? textField(payload, 'meterId')}`;
}

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
  if (topic === 'hub/MeterReading') return { ...note, stage: 'meter', direction: 'in', series: `meter ${resourceId}` };
  if (topic === 'hub/CommandOutcome')
    return {
      ...note,
      stage: 'command',
      direction: 'in',
      cause: (payload as CommandOutcome).commandId,
      awaits: (payload as CommandOutcome).state === 'accepted',
    };
  if (topic === 'hub/SessionEvent' && textField(payload, 'kind') === 'updated')
    return { ...note, stage: 'ocpp', direction: 'inside', series: `session ${resourceId}` };
  return { ...note, stage: topic === 'hub/OptChoice' ? 'service' : 'ocpp', direction: 'inside' };
}

/** What the site decided about a request, and the target that came of it. */
export function decisionNotes({ topic, payload, v2gate }: WireMessage, decision: Decision): TraceNote[] {
  const about = {
    stage: 'service',
    direction: 'inside',
    cause: v2gate.id,
    peer: v2gate.peer,
    fsrIds: fsrIdsOf(payload),
  } as const;
  const name = topic.slice(topic.indexOf('/') + 1);
  const result: TraceNote = { ...about, topic: 'hub/ResultBody', payload: { about: name, ...decision.result } };
  const { target } = decision;
  if (target === undefined) return [result];
  return [result, { ...about, topic: 'hub/ServiceTarget', payload: target, fsrIds: [target.fsrId] }];
}

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
