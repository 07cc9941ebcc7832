import type { CommandOutcome, PowerCommand } from '../../model/index.ts';

/** A command on its way through a station. Times are epoch ms. */
export interface TrackedCommand {
  readonly command: PowerCommand;
  /** W after clipping to the envelope, load convention. */
  readonly appliedW: number;
  readonly shape: string;
  readonly sentAt: number;
  acceptedAt?: number;
  state: CommandOutcome['state'];
}

/** Assumed response time where none is known (design 2.1). */
export const DEFAULT_RESPONSE_S = 10;

/** Tolerance of design 2.1: the accuracy of the EVSE, 2 % of the power, or 100 W, whichever is most. */
export const tolerance = (appliedW: number, accuracyW: number): number =>
  Math.max(accuracyW, 0.02 * Math.abs(appliedW), 100);

/** Whether a measured power fits the command (design 2.1): a setpoint on both sides, a limit from above. */
export function fits(command: PowerCommand, appliedW: number, measuredW: number, accuracyW: number): boolean {
  const band = tolerance(appliedW, accuracyW);
  if (command.kind !== 'limit') return Math.abs(measuredW - appliedW) <= band;
  const exportLimitW = command.exportLimitW ?? 0;
  return measuredW <= appliedW + band && measuredW >= -exportLimitW - band;
}

/**
 * What a meter value says about an accepted command, or nothing yet: it is judged on values later than the response
 * time; after three times that it is `notEffective` (design 2.1). `effective` may later become `notEffective`.
 */
export function judge(
  t: TrackedCommand,
  meter: { readonly at: number; readonly powerW: number },
  o: { readonly responseTimeS?: number; readonly accuracyW: number },
): 'effective' | 'notEffective' | undefined {
  const responseMs = (o.responseTimeS ?? DEFAULT_RESPONSE_S) * 1000;
  const since = meter.at - (t.acceptedAt ?? t.sentAt);
  if (since < responseMs) return undefined;
  if (fits(t.command, t.appliedW, meter.powerW, o.accuracyW)) return t.state === 'effective' ? undefined : 'effective';
  return since >= 3 * responseMs && t.state !== 'notEffective' ? 'notEffective' : undefined;
}

/** When nobody has measured anything by this time, the outcome is `unknown`. */
export const unknownAt = (t: TrackedCommand, responseTimeS: number | undefined): number =>
  (t.acceptedAt ?? t.sentAt) + 3 * (responseTimeS ?? DEFAULT_RESPONSE_S) * 1000;
