import type { KeyPoint } from '../../core/signing.ts';
import { EventPage, RecordPage, ResourcePage, type ResultBody } from '../../model/index.ts';
import type { FoInbound } from '../../protocols/fo/index.ts';
import { chainBreak, documentComplaints } from './evidence.ts';
import type { Asked, OperatorEvent } from './types.ts';

/** What the operator says of the answer to one of its requests; with `keys` it judges signatures. */
export function told(of: Asked, result: ResultBody, keys?: readonly KeyPoint[]): OperatorEvent {
  const { status, code, state, message, data } = result;
  if (status !== 'ok' && status !== 'pending') return { event: 'refused', of, status, code, state, message };
  switch (of) {
    case 'UpdateSetpoint':
      return { event: 'applied', ...data, code };
    case 'QueryEvents':
      return eventsOf(data);
    case 'QueryRecords':
      return recordsOf(data, keys);
    case 'QueryResources':
      return resourcesOf(data);
    default:
      return { event: 'answered', of, status, code, state, ...(of === 'ActivateService' ? { data } : {}) };
  }
}

const INVALID = 'answerInvalid';

function eventsOf(data: unknown): OperatorEvent {
  const [issue] = EventPage.check(data);
  if (issue) return { event: INVALID, of: 'QueryEvents', path: issue.path, message: issue.message };
  const { entries, headHash, nextPage } = EventPage.parse(data);
  const brokenAt = chainBreak(entries);
  const kinds = entries.map((e) => e.kind);
  return { event: 'events', count: entries.length, kinds, headHash, more: nextPage !== undefined, brokenAt };
}

function recordsOf(data: unknown, keys: readonly KeyPoint[] | undefined): OperatorEvent {
  const [issue] = RecordPage.check(data);
  if (issue) return { event: INVALID, of: 'QueryRecords', path: issue.path, message: issue.message };
  const { records, proofs, nextPage } = RecordPage.parse(data);
  const complaints = [...records, ...proofs].flatMap((d) => documentComplaints(d, keys));
  const counts = { records: records.length, proofs: proofs.length };
  return { event: 'records', ...counts, complaints, more: nextPage !== undefined };
}

function resourcesOf(data: unknown): OperatorEvent {
  const [issue] = ResourcePage.check(data);
  if (issue) return { event: INVALID, of: 'QueryResources', path: issue.path, message: issue.message };
  const { revision, evcs, states, nextPage } = ResourcePage.parse(data);
  return { event: 'resources', revision, evcs: evcs.length, states: states.length, more: nextPage !== undefined };
}

/** What the operator says of a message of the gateway; records and proofs are said by who judges them. */
export function heard(m: FoInbound): OperatorEvent[] {
  switch (m.type) {
    case 'ServiceDecision': {
      const { fsrId, decision, code, offered, accepted, refused } = m.body;
      const counts = { accepted: accepted?.length, refused: refused?.length };
      return [{ event: 'decision', fsrId, decision, code, offered, ...counts }];
    }
    case 'Telemetry':
      return m.body.samples.map(({ fsrId, at, powerW, setpointW, quality, resourceId, groupId }) => ({
        event: 'measured',
        ...(fsrId === undefined ? {} : { fsrId }),
        subject: groupId ?? resourceId,
        measuredAt: at,
        powerW,
        setpointW,
        quality,
      }));
    case 'ExecutionNotice': {
      const { fsrId, phase, powerW, shortfallW, cause, resources } = m.body;
      return [{ event: 'notice', fsrId, phase, powerW, shortfallW, cause, resources }];
    }
    case 'CancelService':
      return [{ event: 'cancelledByGateway', fsrId: m.body.fsrId, reason: m.body.reason }];
    case 'Opt': {
      const { choice, actor, scope, reason } = m.body;
      const service = scope.fsrId === undefined ? {} : { fsrId: scope.fsrId };
      return [{ event: 'opt', ...service, choice, actor, resources: scope.resources, reason }];
    }
    case 'ServiceRecord':
    case 'Proof':
      return [];
    default:
      return [{ event: 'received', type: m.type }];
  }
}
