import type { ExecutionNotice, OptChoice, ServiceDecision } from '../../model/index.ts';
import type { Notice, Service } from '../services/service.ts';
import { severityOf } from './kinds.ts';
import type { EventNote } from './types.ts';

/** What a stored change of a service means for the event log: it was asked for, and whatever its FO is told (fo 3.9). */
export function notesOf(before: Service | undefined, after: Service): EventNote[] {
  const known = new Set(before?.outgoing.map((n) => n.id)); // bounded by: the notices of one service
  const told = after.outgoing.filter((n) => !known.has(n.id)).flatMap((n) => noteOf(n, after));
  const changes: EventNote[] = [];
  if (!before) changes.push(note(after, 'service.requested', { text: wordsOf(after) }));
  else if (after.fsr.revision > before.fsr.revision)
    changes.push(note(after, 'service.amended', { text: `revision ${after.fsr.revision}` }));
  return [...changes, ...told];
}

function noteOf({ topic, payload }: Notice, service: Service): EventNote[] {
  switch (topic) {
    case 'hub/ServiceDecision': {
      const { decision, code } = payload as ServiceDecision;
      return [note(service, `service.${decision}`, code === undefined ? {} : { cause: code })];
    }
    case 'hub/ExecutionNotice':
      return [noteOfExecution(payload as ExecutionNotice, service)];
    case 'hub/CancelService':
      return [note(service, 'service.cancelled', { cause: String((payload as { reason?: unknown }).reason ?? '') })];
    case 'hub/OptChoice': {
      const { choice, actor, reason } = payload as OptChoice;
      return [
        note(service, 'service.opt', {
          text: `${actor}: ${choice}`,
          ...(reason === undefined ? {} : { cause: reason }),
        }),
      ];
    }
    default:
      return [];
  }
}

function noteOfExecution(n: ExecutionNotice, service: Service): EventNote {
  const numbers = [
    n.powerW === undefined ? '' : `power ${n.powerW} W`,
    n.deliverablePct === undefined ? '' : `deliverable ${n.deliverablePct} %`,
    n.shortfallW === undefined ? '' : `short by ${n.shortfallW} W`,
  ].filter((t) => t !== '');
  return note(
    service,
    `service.${n.phase}`,
    {
      ...(n.cause === undefined ? {} : { cause: n.cause }),
      ...(numbers.length === 0 ? {} : { text: numbers.join(', ') }),
    },
    n.resources,
  );
}

function note(
  { fsr, foId }: Service,
  kind: string,
  words: Pick<EventNote, 'cause' | 'text'>,
  resources: readonly string[] = [],
): EventNote {
  return { kind, severity: severityOf(kind), subject: [fsr.fsrId, ...resources], parties: [foId], ...words };
}

const wordsOf = ({ fsr }: Service): string =>
  `${fsr.serviceType} ${fsr.window.start}–${fsr.window.end}, priority ${fsr.priority}${fsr.mandatory ? ', mandatory' : ''}`;
