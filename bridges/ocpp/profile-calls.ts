import type { CallOptions, Station } from '../../protocols/ocpp/index.ts';
import { field, profileOf } from './effective.ts';
import type { Addressee, Wording } from './wording.ts';

/** A station as far as commands are concerned. */
export interface CommandTarget extends Addressee {
  readonly station: Pick<Station, 'open' | 'callAny'>;
  /** It has booted, or is known to be up. */
  readonly ready: boolean;
}

/** The answer never came or cannot be read: the station may have acted. */
export const DOUBTFUL: readonly string[] = ['ocpp.timeout', 'ocpp.closed', 'ocpp.replaced', 'ocpp.invalidAnswer'];

/** Says a translated command to a station. */
export const call = (
  { station }: CommandTarget,
  { action, payload }: Wording,
  options: CallOptions,
): Promise<unknown> => station.callAny(action, payload, options);

/** A foreign profile stands in the same place. */
export const isTaken = (answer: unknown): boolean => reasonOf(answer) === 'DuplicateProfile';

/** A refusal for a foreign profile in the same place is answered by clearing that place; resolves to whether it was. */
export async function clearPlace({ station }: CommandTarget, { payload }: Wording, answer: unknown): Promise<boolean> {
  if (!isTaken(answer)) return false;
  const profile = profileOf(payload);
  const chargingProfileCriteria = {
    evseId: field(payload, 'evseId'),
    chargingProfilePurpose: field(profile, 'chargingProfilePurpose'),
    stackLevel: field(profile, 'stackLevel'),
  };
  await station.callAny('ClearChargingProfile', { chargingProfileCriteria }, { priority: 'stop' });
  return true;
}

/** Why a station says no, where it tells (2.x). */
export function reasonOf(answer: unknown): string | undefined {
  const reason = field(field(answer, 'statusInfo'), 'reasonCode');
  return typeof reason === 'string' ? reason : undefined;
}
