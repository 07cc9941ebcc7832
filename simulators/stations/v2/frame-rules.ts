import type { RateUnit } from '../types.ts';
import { no, type Objection } from './ask.ts';
import type { WireProfile } from './profile.ts';
import { MAX_PERIODS, MAX_STACK_LEVEL } from './rows.ts';

type WireSchedule = WireProfile['chargingSchedule'][number];

/** The rules of ocpp 2.2–2.4 that 2.0.1 and 2.1 share: purpose, place, stack level. */
export function purposeObjection(evseId: number, p: WireProfile): Objection | undefined {
  if (p.stackLevel < 0 || p.stackLevel > MAX_STACK_LEVEL) return no('InvalidStackLevel', `0 to ${MAX_STACK_LEVEL}`);
  switch (p.chargingProfilePurpose) {
    case 'ChargingStationExternalConstraints':
      return no('InvalidProfile', 'K01.FR.22: never set by the CSMS');
    case 'ChargingStationMaxProfile':
      if (evseId !== 0) return no('InvalidProfile', 'only for EVSE 0');
      return p.chargingProfileKind === 'Relative' ? no('InvalidProfile', 'K01.FR.38: not Relative') : undefined;
    case 'TxProfile':
      return evseId === 0 ? no('InvalidProfile', 'K01.FR.16: needs an EVSE') : undefined;
    default:
      return undefined;
  }
}

/** Start and recurrence of the kinds that both versions have. */
export function kindObjection(p: WireProfile): Objection | undefined {
  const [schedule] = p.chargingSchedule;
  if (p.chargingProfileKind === 'Relative') {
    return schedule?.startSchedule === undefined ? undefined : no('InvalidSchedule', 'K01.FR.41: no startSchedule');
  }
  if (p.chargingProfileKind === 'Recurring' && !p.recurrencyKind)
    return no('InvalidProfile', 'recurrencyKind is missing');
  return schedule?.startSchedule === undefined
    ? no('InvalidSchedule', 'K01.FR.40: startSchedule is missing')
    : undefined;
}

/** Unit, number and order of the periods. */
export function periodsObjection(s: WireSchedule, units: readonly RateUnit[]): Objection | undefined {
  const starts = s.chargingSchedulePeriod.map((x) => x.startPeriod);
  if (!units.includes(s.chargingRateUnit)) return no('UnsupportedRateUnit', `only ${units.join()}`);
  if (starts.length > MAX_PERIODS) return no('InvalidSchedule', `at most ${MAX_PERIODS} periods`);
  if (starts[0] !== 0) return no('InvalidSchedule', 'K01.FR.31: the first period starts at 0');
  const disorder = starts.some((x, i) => i > 0 && x <= (starts[i - 1] ?? 0));
  return disorder ? no('InvalidSchedule', 'K01.FR.35: order') : undefined;
}
