import { type FailPoint, failPoint } from '../../core/failpoint.ts';
import type { RecordKind } from '../../hub/ports.ts';
import type { PreparedOp } from './prepare.ts';

/** The fail point behind the commit of a write, by the kind of its first record. */
const POINTS: Partial<Readonly<Record<RecordKind, FailPoint>>> = {
  service: 'request.stored',
  request: 'result.stored',
  outbox: 'event.stored',
  setpoint: 'setpoint.stored',
  batch: 'batch.stored',
  outcome: 'outcome.stored',
  transaction: 'transaction.stored',
  limit: 'limit.stored',
  opt: 'opt.stored',
  station: 'station.stored',
  log: 'log.stored',
  record: 'record.stored',
};

/** A write is committed and nobody has been told so. Deleting what is over is no point. */
export function passStored([first]: readonly PreparedOp[]): void {
  const point = first && first.op !== 'delete' ? POINTS[first.kind] : undefined;
  if (point !== undefined) failPoint(point);
}
