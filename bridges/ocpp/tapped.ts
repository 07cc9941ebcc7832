import type { Resource } from '../../hub/fleet/resources.ts';
import type { TracePort } from '../../hub/ports.ts';
import type { PowerCommand } from '../../model/index.ts';
import type { TappedMessage } from '../../protocols/ocpp/index.ts';
import { addressee, field } from './effective.ts';

export interface TapOptions {
  readonly trace: TracePort;
  readonly linkId: string;
  /** Flows get what stations say as it came, and may change it. */
  readonly passedOn: boolean;
  readonly resources: (identity: string) => readonly Resource[];
}

/** What stations say again and again: a sample tells enough. */
const PERIODIC: readonly string[] = ['Heartbeat', 'MeterValues', 'NotifyPeriodicEventStream'];

const ENDING = { call: 'Request', send: '', result: 'Response', error: 'CallError' } as const;

/** Puts a message of a station into the wire timeline. Ids of stations are only unique among their own. */
export function noteTapped(o: TapOptions, m: TappedMessage): void {
  const { identity, version, direction, kind, action, payload, about } = m;
  const isAnswer = kind === 'result' || kind === 'error';
  // The CALL is the other way round.
  const ours = (direction === 'out') !== isAnswer;
  const isSample = !ours && isPeriodic(action, payload, isAnswer);
  if (isSample && o.trace.leavesOutAny()) return;
  const series = isSample ? `${identity} ${action} ${isAnswer}` : undefined;
  if (series !== undefined && o.trace.leavesOut(series, `ocpp ${identity}`)) return;
  const call = ours ? m.id : `${identity}/${m.id}`;
  o.trace.note({
    stage: 'ocpp',
    direction,
    topic: `${version}/${action}${ENDING[kind]}`,
    payload,
    id: isAnswer ? `${call}/answer` : call,
    cause: isAnswer ? call : about?.cause,
    link: o.linkId,
    awaits: kind === 'call' && about !== undefined,
    peer: identity,
    resourceIds:
      about?.resourceId === undefined ? () => resourcesAt(o.resources(identity), action, payload) : [about.resourceId],
    series,
    ...(o.passedOn ? { passedOn: true } : {}),
  });
}

function isPeriodic(action: string, payload: unknown, isAnswer: boolean): boolean {
  if (PERIODIC.includes(action)) return true;
  if (action !== 'TransactionEvent') return false;
  if (isAnswer) return field(payload, 'idTokenInfo') === undefined;
  return field(payload, 'eventType') === 'Updated' && field(payload, 'triggerReason') === 'MeterValuePeriodic';
}

/** The EVSE that a message names; where a station has only one, that one. */
function resourcesAt(resources: readonly Resource[], action: string, payload: unknown): readonly string[] {
  if (action === 'Heartbeat') return [];
  const evse = addressee(payload) ?? field(field(payload, 'evse'), 'id');
  const named = resources.find((r) => r.evse === evse);
  if (named !== undefined) return [named.resourceId];
  const [only, other] = resources;
  return only !== undefined && other === undefined ? [only.resourceId] : [];
}

/** Puts a command on its way to a station into the wire timeline. */
export function noteCommand(
  trace: TracePort | undefined,
  o: {
    readonly command: PowerCommand;
    /** Unknown before the first envelope. */
    readonly cause: string | undefined;
    readonly linkId: string;
    readonly peer: string | undefined;
  },
): void {
  const { command, cause, linkId, peer } = o;
  trace?.note({
    stage: 'command',
    direction: 'out',
    topic: 'hub/PowerCommand',
    payload: command,
    id: command.commandId,
    cause,
    link: linkId,
    peer,
    resourceIds: [command.resourceId],
  });
}
