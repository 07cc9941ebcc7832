import type { EventEntry } from '../../model/index.ts';

export interface EventKind {
  readonly severity: EventEntry['severity'];
  readonly meaning: string;
}

const row = (severity: EventKind['severity'], meaning: string): EventKind => ({ severity, meaning });

/**
 * The kinds of entries in the event log (fo 3.9). New ones may come (fo 9.5); an entry that weighs more or less than
 * usual says so in its own severity.
 */
export const EVENT_KINDS = {
  'gateway.restart': row('info', 'The gateway has started; services that had not expired go on (fo 6.2).'),
  'log.lost': row('alarm', 'Entries could not be kept while the store failed; the text says how many.'),
  'command.unknown': row(
    'warning',
    'What became of a command was not known when the gateway stopped; it is not sent again.',
  ),
  'service.requested': row('info', 'A service was asked for and stored.'),
  'service.accepted': row('info', 'A service was accepted; its capacity is held.'),
  'service.partial': row('info', 'A service was accepted in part.'),
  'service.rejected': row('info', 'A service was rejected.'),
  'service.optedOut': row('info', 'A service was not accepted because somebody opted out.'),
  'service.amended': row('info', 'Another revision of a service is in force.'),
  'service.scheduled': row('info', 'A service is planned at its stations.'),
  'service.active': row('info', 'A service has begun.'),
  'service.armed': row('info', 'A service waits for its trigger.'),
  'service.triggered': row('info', 'A service was triggered.'),
  'service.delivering': row('info', 'A service delivers.'),
  'service.recovering': row('info', 'A service recovers after a delivery.'),
  'service.deviation': row(
    'warning',
    'What is measured is off by more than the tolerance for more than two intervals.',
  ),
  'service.resourceLost': row('warning', 'A resource no longer takes part.'),
  'service.resourceJoined': row('info', 'A resource takes part again.'),
  'service.fallback': row('warning', 'Data from the FO stopped; the fallback is in force (fo 3.7).'),
  'service.resumed': row('info', 'Data from the FO came again.'),
  'service.completed': row('info', 'A service has ended as planned.'),
  'service.aborted': row('warning', 'A service was ended before its time.'),
  'service.failed': row('alarm', 'A service could not be delivered.'),
  'service.cancelled': row('warning', 'The gateway or the FO takes a service back.'),
  'service.opt': row('info', 'A driver, owner or party has opted in or out.'),
  'opt.refused': row('warning', 'An opt-out was refused; the cause says why.'),
  'flow.targetMissing': row(
    'warning',
    'Setpoints arrive, but no target reaches allocate: a wire or node of the flow is silent.',
  ),
  'setpoint.clipped': row('info', 'A setpoint is applied with a tighter physical limit (fo 8.3); the cause names it.'),
  'record.made': row('info', 'The record of a service is signed and stored.'),
  'record.shortened': row(
    'warning',
    'A record does not list all resources, because it would not fit into one message.',
  ),
  'proof.made': row('info', 'The proof of a service is signed and stored.'),
  'clock.degraded': row('warning', 'The clock is off against the sender by more than the service allows (fo 6.4).'),
  'clock.restored': row('info', 'The clock agrees with the sender again.'),
  'meter.lost': row('warning', 'A meter has sent nothing for three intervals (fo 6.4).'),
  'meter.restored': row('info', 'A lost meter sends values again.'),
  'meter.implausible': row('warning', 'A meter value is beyond what can be, and does not count.'),
  'limit.set': row('info', 'A limit from outside the site file was set.'),
  'limit.released': row('info', 'A limit has ended.'),
  'limit.unreachable': row('alarm', 'A limit cannot be met by what the gateway controls.'),
  'limit.failsafe': row('alarm', 'A failsafe limit is in force, because the link that gave the limit is lost.'),
  'link.up': row('info', 'A party has connected.'),
  'link.down': row('warning', 'A party has gone.'),
  'station.ordered': row(
    'info',
    'Somebody ordered a station to do something beside its power; the text says what it said.',
  ),
  'auth.refused': row('warning', 'Somebody was refused; no secret is told.'),
} as const satisfies Record<string, EventKind>;

export type KnownEventKind = keyof typeof EVENT_KINDS;

/** How much an entry of this kind usually weighs; `info` for kinds that are not in the table. */
export function severityOf(kind: string): EventEntry['severity'] {
  return Object.hasOwn(EVENT_KINDS, kind) ? EVENT_KINDS[kind as KnownEventKind].severity : 'info';
}
