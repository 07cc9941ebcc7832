import { BoundedMap } from '../../../core/bounded.ts';
import { parseTime } from '../../../core/clock.ts';
import type { FoBodies, FoType } from '../catalogue.ts';
import { FO_ERRORS } from '../errors.ts';

/** A body with its type: narrow on `type`. */
export type TypedBody = { [T in FoType]: { readonly type: T; readonly body: FoBodies[T] } }[FoType];

/** How far both clocks may differ (fo 4.1). */
export const MAX_SKEW_MS = 120_000;

/** When a body loses its meaning, epoch ms; undefined where it has no such time. */
export function expiryOf(message: TypedBody): number | undefined {
  switch (message.type) {
    case 'UpdateSetpoint':
      return parseTime(message.body.setpoint.validUntil);
    case 'RequestService':
      return parseTime(message.body.fsr.decisionBy);
    case 'AvailabilityReport':
      return message.body.validUntil === undefined ? undefined : parseTime(message.body.validUntil);
    default:
      return undefined;
  }
}

/** The end of the time span that a body asks for, epoch ms. */
function spanEndOf(message: TypedBody): number | undefined {
  switch (message.type) {
    case 'RequestService':
      return parseTime(message.body.fsr.window.end);
    case 'AmendService':
      return message.body.window && parseTime(message.body.window.end);
    case 'SubscribeTelemetry':
      return parseTime(message.body.until);
    case 'Opt':
      return message.body.scope.window && parseTime(message.body.scope.window.end);
    default:
      return undefined;
  }
}

/** Throws `time.past` or `time.expired` for what comes too late (fo 4.2, expiry). */
export function checkTimes(message: TypedBody, now: number): void {
  const end = spanEndOf(message);
  if (end !== undefined && end <= now) throw FO_ERRORS.fail('time.past');
  const expiry = expiryOf(message);
  if (expiry !== undefined && expiry <= now) throw FO_ERRORS.fail('time.expired');
}

interface Newest {
  readonly seq: number;
  readonly messageId: string;
}

/** Per service, the highest setpoint number and revision seen (fo 4.2, ordering). */
export class OrderGuard {
  readonly #seqs = new BoundedMap<string, Newest>({ name: 'fo.setpointSeqs', max: 1024, overflow: 'dropOldest' });
  readonly #revisions = new BoundedMap<string, number>({ name: 'fo.revisions', max: 1024, overflow: 'dropOldest' });

  /**
   * Throws `seq.stale`. The number of a setpoint is noted at once; an equal one is stale too, except in a repetition of
   * the message that brought it. A revision counts once it was {@link accepted}.
   */
  check(message: TypedBody, messageId: string): void {
    if (message.type === 'UpdateSetpoint') {
      const { fsrId, seq } = message.body.setpoint;
      const newest = this.#seqs.get(fsrId);
      if (newest && (seq < newest.seq || (seq === newest.seq && messageId !== newest.messageId))) {
        throw stale(`Setpoint ${seq} of ${fsrId}`, newest.seq);
      }
      this.#seqs.set(fsrId, { seq, messageId });
      return;
    }
    const named = revisionOf(message);
    if (named === undefined) return;
    const newest = this.#revisions.get(named.fsrId);
    if (newest !== undefined && named.revision < newest) {
      throw stale(`Revision ${named.revision} of ${named.fsrId}`, newest);
    }
  }

  /** The message was not refused: lower revisions are stale from now on. A refused amendment leaves the old one in force. */
  accepted(message: TypedBody): void {
    const named = revisionOf(message);
    if (named) this.#revisions.set(named.fsrId, Math.max(named.revision, this.#revisions.get(named.fsrId) ?? 0));
  }

  stats() {
    return [this.#seqs.stats(), this.#revisions.stats()];
  }
}

function revisionOf(message: TypedBody): { readonly fsrId: string; readonly revision: number } | undefined {
  switch (message.type) {
    case 'RequestService':
      return message.body.fsr;
    case 'AmendService':
    case 'ServiceDecision':
      return message.body;
    default:
      return undefined;
  }
}

const stale = (what: string, newest: number): Error =>
  FO_ERRORS.fail('seq.stale', `${what} is not newer than ${newest}, which came before.`);
