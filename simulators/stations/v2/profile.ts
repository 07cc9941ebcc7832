import { iso } from '../../../core/clock.ts';
import type { Request } from '../../../protocols/ocpp/index.ts';
import type { Period, Profile } from '../../core/index.ts';
import { timeMs } from '../times.ts';

type V = 'ocpp2.1';
/** A profile of 2.1, of which one of 2.0.1 is a special case (ocpp 2.2). */
export type WireProfile = Request<V, 'SetChargingProfile'>['chargingProfile'];
type WireSchedule = WireProfile['chargingSchedule'][number];
type WirePeriod = WireSchedule['chargingSchedulePeriod'][number];

const WEEK_S = 604_800;
const DAY_S = 86_400;

/** The profile in the common form. Of several schedules the first counts: the EV is not asked (K01.FR.34). */
export function fromWire(evseId: number, p: WireProfile, nowMs: number): Profile {
  const [schedule] = p.chargingSchedule;
  return {
    id: p.id,
    evseId,
    purpose: p.chargingProfilePurpose,
    kind: p.chargingProfileKind,
    stackLevel: p.stackLevel,
    ...(p.recurrencyKind ? { recurrenceS: p.recurrencyKind === 'Weekly' ? WEEK_S : DAY_S } : {}),
    ...(p.transactionId === undefined ? {} : { transactionId: p.transactionId }),
    ...(p.validFrom === undefined ? {} : { validFromMs: timeMs(p.validFrom) }),
    ...(p.validTo === undefined ? {} : { validToMs: timeMs(p.validTo) }),
    ...(p.maxOfflineDuration === undefined ? {} : { maxOfflineS: p.maxOfflineDuration }),
    ...(p.invalidAfterOfflineDuration === undefined ? {} : { invalidAfterOffline: p.invalidAfterOfflineDuration }),
    ...(p.dynUpdateInterval === undefined ? {} : { dynUpdateIntervalS: p.dynUpdateInterval }),
    // K28.FR.05.
    ...(p.chargingProfileKind === 'Dynamic' ? { dynUpdateMs: p.dynUpdateTime ? timeMs(p.dynUpdateTime) : nowMs } : {}),
    schedule: schedule ? scheduleOf(schedule) : { unit: 'W', periods: [] },
  };
}

function scheduleOf(s: WireSchedule): Profile['schedule'] {
  return {
    unit: s.chargingRateUnit,
    ...(s.startSchedule === undefined ? {} : { startMs: timeMs(s.startSchedule) }),
    ...(s.duration === undefined ? {} : { durationS: s.duration }),
    ...(s.minChargingRate === undefined ? {} : { minRate: s.minChargingRate }),
    ...(s.limitAtSoC ? { limitAtSoC: { socPct: s.limitAtSoC.soc, limit: s.limitAtSoC.limit } } : {}),
    periods: s.chargingSchedulePeriod.map(periodOf),
  };
}

const periodOf = (x: WirePeriod): Period => ({
  startS: x.startPeriod,
  ...(x.limit === undefined ? {} : { limit: x.limit }),
  ...(x.dischargeLimit === undefined ? {} : { dischargeLimit: x.dischargeLimit }),
  ...(x.setpoint === undefined ? {} : { setpoint: x.setpoint }),
  ...(x.numberPhases === undefined ? {} : { numberPhases: x.numberPhases }),
  ...(x.operationMode === undefined ? {} : { mode: x.operationMode }),
});

/** A stored profile as ReportChargingProfiles shows it. */
export function toWire(p: Profile): WireProfile {
  const { schedule: s } = p;
  return {
    id: p.id,
    stackLevel: p.stackLevel,
    chargingProfilePurpose: p.purpose,
    chargingProfileKind: p.kind,
    ...(p.recurrenceS === undefined ? {} : { recurrencyKind: p.recurrenceS === WEEK_S ? 'Weekly' : 'Daily' }),
    ...(p.transactionId === undefined ? {} : { transactionId: p.transactionId }),
    ...(p.validFromMs === undefined ? {} : { validFrom: iso(p.validFromMs) }),
    ...(p.validToMs === undefined ? {} : { validTo: iso(p.validToMs) }),
    ...(p.maxOfflineS === undefined ? {} : { maxOfflineDuration: p.maxOfflineS }),
    ...(p.invalidAfterOffline === undefined ? {} : { invalidAfterOfflineDuration: p.invalidAfterOffline }),
    ...(p.dynUpdateIntervalS === undefined ? {} : { dynUpdateInterval: p.dynUpdateIntervalS }),
    ...(p.dynUpdateMs === undefined ? {} : { dynUpdateTime: iso(p.dynUpdateMs) }),
    chargingSchedule: [
      {
        id: 1,
        chargingRateUnit: s.unit,
        ...(s.startMs === undefined ? {} : { startSchedule: iso(s.startMs) }),
        ...(s.durationS === undefined ? {} : { duration: s.durationS }),
        ...(s.minRate === undefined ? {} : { minChargingRate: s.minRate }),
        ...(s.limitAtSoC ? { limitAtSoC: { soc: s.limitAtSoC.socPct, limit: s.limitAtSoC.limit } } : {}),
        chargingSchedulePeriod: s.periods.map(({ startS, mode, ...values }) => ({
          startPeriod: startS,
          ...values,
          ...(mode === undefined ? {} : { operationMode: mode }),
        })),
      },
    ],
  };
}
