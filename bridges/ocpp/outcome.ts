import type { CommandOutcome, PowerCommand } from '../../model/index.ts';
import type { Shape } from './channel.ts';

/** A command that a station has accepted. Times are epoch ms. */
export interface TrackedCommand {
  readonly command: PowerCommand;
  /** W after clipping to the envelope, load convention. */
  readonly appliedW: number;
  readonly shape: Shape;
  /** The transaction to which the station bound it; it ends with that one. */
  readonly transactionId?: string | number;
  readonly acceptedAt: number;
  /** `validUntil` of the command. */
  readonly endsAt: number;
  state: CommandOutcome['state'];
  /** The last value after the response time that did not fit, and since when none has fitted. */
  off?: { readonly powerW: number; readonly since: number };
}

/** Assumed response time where none is known (design 2.1). */
export const DEFAULT_RESPONSE_S = 10;

/** Tolerance of design 2.1: the accuracy of the EVSE, 2 % of the power, or 100 W, whichever is most. */
export const tolerance = (appliedW: number, accuracyW: number): number =>
  Math.max(accuracyW, 0.02 * Math.abs(appliedW), 100);

/** Whether a measured power fits the command (design 2.1): a setpoint on both sides, a limit from above. */
export function fits(command: PowerCommand, appliedW: number, measuredW: number, accuracyW: number): boolean {
  const band = tolerance(appliedW, accuracyW);
  if (command.kind === 'setpoint') return Math.abs(measuredW - appliedW) <= band;
  const lowestW = command.exportLimitW === undefined ? Number.NEGATIVE_INFINITY : -command.exportLimitW - band;
  return measuredW <= appliedW + band && measuredW >= lowestW;
}

/**
 * What a meter value says about an accepted command, or nothing yet: it is judged on values later than the response
 * time; after three times that it is `notEffective` (design 2.1). `effective` becomes `notEffective` when no value has
 * fitted for a response time; evidence also corrects `unknown` and `notEffective` while the command is in force.
 */
export function judge(
  t: TrackedCommand,
  meter: { readonly at: number; readonly powerW: number },
  o: { readonly responseTimeS?: number; readonly accuracyW: number },
): 'effective' | 'notEffective' | undefined {
  const responseMs = responseMsOf(o.responseTimeS);
  const since = meter.at - t.acceptedAt;
  if (since < responseMs) return undefined;
  if (fits(t.command, t.appliedW, meter.powerW, o.accuracyW)) {
    delete t.off;
    return t.state === 'effective' ? undefined : 'effective';
  }
  t.off = { powerW: meter.powerW, since: t.off?.since ?? meter.at };
  if (t.state === 'notEffective') return undefined;
  const late = t.state === 'effective' ? meter.at - t.off.since >= responseMs : since >= 3 * responseMs;
  return late ? 'notEffective' : undefined;
}

/** What is to be said when the time for a judgement is over: `unknown` when nobody has measured anything. */
export function overdue(
  t: TrackedCommand,
  now: number,
  responseTimeS: number | undefined,
): 'unknown' | 'notEffective' | undefined {
  if (t.state !== 'accepted' || now < t.acceptedAt + 3 * responseMsOf(responseTimeS)) return undefined;
  return t.off === undefined ? 'unknown' : 'notEffective';
}

const responseMsOf = (responseTimeS: number | undefined): number => (responseTimeS ?? DEFAULT_RESPONSE_S) * 1000;
