import { channel } from 'node:diagnostics_channel';

interface Row {
  /** Between which two steps. */
  readonly where: string;
  /** What must be true when the gateway runs again. */
  readonly holds: string;
}

const row = (where: string, holds: string): Row => ({ where, holds });

/**
 * Every place at which a test may end the process, between persist, acknowledge, send and confirm (design 5). Points
 * named `….stored` lie between the commit and the moment at which anybody learns of it.
 */
export const FAIL_POINTS = {
  'request.decided': row(
    'A request or setpoint is decided; nothing is stored.',
    'It never came: the repetition is decided anew, once.',
  ),
  'request.stored': row(
    'The record of a service is stored; it is not in force and nobody is told.',
    'The service is there; the repetition is answered by it and accepts nothing twice.',
  ),
  'result.stored': row(
    'The Result is stored; it has not left.',
    'The repetition gets the stored Result, without any effect.',
  ),
  'result.sent': row('The Result has left.', 'What it said is so; a repetition gets the same Result.'),
  'notice.told': row(
    'A notice is owed and on its way to the outbox.',
    'It is told after the restart, with the next number.',
  ),
  'event.stored': row('An event is in the outbox; it was not sent.', 'It is sent, under its number.'),
  'event.sent': row('An event was sent; no acknowledgement has come.', 'It is sent again under the same number.'),
  'event.acked': row(
    'An event is acknowledged; it is still in the outbox.',
    'Hello says that the operator has it: it is not told again, and its number is not used again.',
  ),
  'setpoint.stored': row(
    'A setpoint is stored; it is not in force and not answered.',
    'It is the newest one, and in force while it is valid; the repetition is answered alike.',
  ),
  'batch.made': row(
    'An allocation has made commands; none has left.',
    'None of them is sent; a new allocation decides anew.',
  ),
  'batch.stored': row(
    'The commands of an allocation are stored.',
    'Each ends in a stated outcome; none is sent again.',
  ),
  'command.sent': row(
    'A command is handed to the connection; no answer has come.',
    'Its outcome is stated as unknown, its station counts with the worst case; it is not sent again.',
  ),
  'command.answered': row(
    'The station has accepted a command; the outcome is not stored.',
    'Its outcome is stated as unknown; it is not sent again.',
  ),
  'outcome.stored': row('An outcome is stored.', 'The outcome stands, and its command is not sent again.'),
  'transaction.stored': row(
    'The start or end of a transaction is stored; the station is not answered.',
    'The repetition of the station gets the same transaction.',
  ),
  'transaction.answered': row(
    'The station knows that its transaction has begun.',
    'The transaction is adopted under the same id.',
  ),
  'limit.stored': row('A limit is stored; the links do not know of it.', 'The limit is in force before any command.'),
  'opt.stored': row('A choice is stored; it has no effect yet and is not answered.', 'The choice counts.'),
  'station.stored': row('An unknown station was accepted and stored.', 'It is let in when it comes again.'),
  'log.stored': row('Entries of the event log are stored.', 'The chains go on behind them, without gap and fork.'),
  'record.signed': row(
    'Record and proof of a service are signed; nothing is stored.',
    'They are made anew, from what was measured.',
  ),
  'record.stored': row('Record and proof are stored; nobody is told.', 'They are told, with the same bytes.'),
  'commit.open': row(
    'The rows of a group are written; the transaction is not committed.',
    'Nothing of the group is there, and nothing of it was acknowledged.',
  ),
  'telemetry.flushed': row(
    'Measured values that waited are committed.',
    'They are there; what came later is missing and said to be so.',
  ),
} as const satisfies Record<string, Row>;

export type FailPoint = keyof typeof FAIL_POINTS;

const PREFIX = 'v2gate:fail:';

/** Where hits of a point are heard, also when this file is loaded twice: channels are found by name in the process. */
export const failChannel = (point: FailPoint): ReturnType<typeof channel> => channel(PREFIX + point);

const CHANNELS: Readonly<Record<string, ReturnType<typeof channel>>> = Object.fromEntries(
  (Object.keys(FAIL_POINTS) as FailPoint[]).map((point) => [point, failChannel(point)]),
);

/** Passes a point. Costs two lookups while nobody has armed it, which is always so outside of tests. */
export function failPoint(point: FailPoint): void {
  const armed = CHANNELS[point];
  if (armed?.hasSubscribers) armed.publish(undefined);
}

/** The table for the documentation. */
export function failPointsMarkdown(): string {
  const rows = Object.entries<Row>(FAIL_POINTS).map(([name, p]) => `| \`${name}\` | ${p.where} | ${p.holds} |`);
  return ['| Point | Where | What holds afterwards |', '|---|---|---|', ...rows, ''].join('\n');
}
