import { iso } from '../../../core/clock.ts';
import type { Request, Response } from '../../../protocols/ocpp/index.ts';
import { composite, onPhases, type Profile, type ProfileContext, wToRate } from '../../core/index.ts';
import { timeMs } from '../times.ts';
import { rateUnitsOf, type StationSpec } from '../types.ts';
import { MAX_PERIODS, MAX_STACK_LEVEL } from './config.ts';

type Wire = Request<'ocpp1.6', 'SetChargingProfile'>['csChargingProfiles'];
type WirePurpose = Wire['chargingProfilePurpose'];

const PURPOSES = {
  ChargePointMaxProfile: 'ChargingStationMaxProfile',
  TxDefaultProfile: 'TxDefaultProfile',
  TxProfile: 'TxProfile',
} as const satisfies Record<WirePurpose, Profile['purpose']>;

export const purposeOf = (purpose: WirePurpose): (typeof PURPOSES)[WirePurpose] => PURPOSES[purpose];

/** What stands in the way of a profile, as a sentence; undefined when it can be taken (ocpp 2.2–2.4). */
export function objection(spec: StationSpec, connectorId: number, p: Wire): string | undefined {
  const { chargingSchedulePeriod: periods, startSchedule } = p.chargingSchedule;
  const starts = periods.map((x) => x.startPeriod);
  if (!rateUnitsOf(spec).includes(p.chargingSchedule.chargingRateUnit)) return 'the unit is not supported';
  if (p.stackLevel > MAX_STACK_LEVEL) return 'the stack level is too high';
  if (periods.length === 0 || periods.length > MAX_PERIODS) return 'the number of periods is out of range';
  if (starts[0] !== 0) return 'the first period does not start at 0';
  if (starts.some((s, i) => i > 0 && s <= (starts[i - 1] ?? 0))) return 'the periods are not in order';
  if (periods.some((x) => x.limit < 0)) return 'a limit is negative';
  if (p.chargingProfilePurpose === 'TxProfile' && connectorId === 0) return 'TxProfile needs a connector';
  if (p.chargingProfilePurpose === 'ChargePointMaxProfile') {
    if (connectorId !== 0) return 'ChargePointMaxProfile belongs to connector 0';
    if (p.chargingProfileKind === 'Relative') return 'ChargePointMaxProfile cannot be Relative';
  }
  if (p.chargingProfileKind === 'Relative') return startSchedule === undefined ? undefined : 'Relative has no start';
  if (startSchedule === undefined) return `${p.chargingProfileKind} needs startSchedule`;
  if (p.chargingProfileKind === 'Recurring' && !p.recurrencyKind) return 'Recurring needs recurrencyKind';
  return undefined;
}

/** The profile in the common form; `transactionId` is the station's own. */
export function fromWire(connectorId: number, p: Wire, transactionId?: string): Profile {
  const { duration, startSchedule, chargingRateUnit, chargingSchedulePeriod, minChargingRate } = p.chargingSchedule;
  return {
    id: p.chargingProfileId,
    evseId: connectorId,
    purpose: PURPOSES[p.chargingProfilePurpose],
    kind: p.chargingProfileKind,
    stackLevel: p.stackLevel,
    ...(p.recurrencyKind ? { recurrenceS: p.recurrencyKind === 'Weekly' ? 604_800 : 86_400 } : {}),
    ...(transactionId === undefined ? {} : { transactionId }),
    ...(p.validFrom === undefined ? {} : { validFromMs: timeMs(p.validFrom) }),
    ...(p.validTo === undefined ? {} : { validToMs: timeMs(p.validTo) }),
    schedule: {
      unit: chargingRateUnit,
      ...(startSchedule === undefined ? {} : { startMs: timeMs(startSchedule) }),
      ...(duration === undefined ? {} : { durationS: duration }),
      ...(minChargingRate === undefined ? {} : { minRate: minChargingRate }),
      periods: chargingSchedulePeriod.map((x) => ({
        startS: x.startPeriod,
        limit: x.limit,
        ...(x.numberPhases === undefined ? {} : { numberPhases: x.numberPhases }),
      })),
    },
  };
}

/** The answer to GetCompositeSchedule; where nothing limits, `unlimitedW` stands. */
export function compositeAnswer(
  profiles: readonly Profile[],
  ctx: ProfileContext,
  o: { readonly nowMs: number; readonly durationS: number; readonly unit: 'A' | 'W'; readonly unlimitedW: number },
): Response<'ocpp1.6', 'GetCompositeSchedule'> {
  const periods = composite(profiles, o.nowMs, o.durationS, ctx).slice(0, MAX_PERIODS);
  const start = iso(o.nowMs);
  return {
    status: 'Accepted',
    connectorId: ctx.evseId,
    scheduleStart: start,
    chargingSchedule: {
      duration: o.durationS,
      startSchedule: start,
      chargingRateUnit: o.unit,
      chargingSchedulePeriod: periods.map((p) => ({
        startPeriod: p.startS,
        limit: floorTenth(
          wToRate(Math.min(p.limitW ?? o.unlimitedW, o.unlimitedW), o.unit, onPhases(ctx, p.numberPhases)),
        ),
        ...(ctx.phases > 0 ? { numberPhases: onPhases(ctx, p.numberPhases).phases } : {}),
      })),
    },
  };
}

/** Down to one decimal, as 1.6 writes limits; the tiny addend undoes binary rounding of exact tenths. */
const floorTenth = (x: number): number => Math.floor(x * 10 + 1e-6) / 10;
