import type { StationSpec } from '../types.ts';
import { rateUnitsOf } from '../types.ts';
import { no, type Objection } from '../v2/ask.ts';
import { kindObjection, periodsObjection, purposeObjection } from '../v2/frame-rules.ts';
import type { WireProfile } from '../v2/profile.ts';

/** The rules of ocpp 2.2–2.4 for a station of 2.0.1 that concern the profile alone; undefined = no objection. */
export const rules201 =
  (spec: StationSpec) =>
  (evseId: number, p: WireProfile): Objection | undefined =>
    purposeObjection(evseId, p) ?? kindObjection(p) ?? scheduleObjection(spec, p);

function scheduleObjection(spec: StationSpec, p: WireProfile): Objection | undefined {
  for (const s of p.chargingSchedule) {
    const wrong = periodsObjection(s, rateUnitsOf(spec));
    if (wrong) return wrong;
    for (const { limit = 0, numberPhases, phaseToUse } of s.chargingSchedulePeriod) {
      if (limit < 0) return no('InvalidSchedule', 'limit is below 0');
      if (spec.phases === 0 && numberPhases !== undefined) return no('NoPhaseForDC', 'K01.FR.44');
      // K01.FR.20, K01.FR.44: only with phase switching, which the simulation does not have.
      if (phaseToUse !== undefined) return no('InvalidSchedule', 'phaseToUse is not supported');
    }
  }
  return undefined;
}
