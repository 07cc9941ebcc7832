import { type Action, OCPP_ERRORS, type Request } from '../../../protocols/ocpp/index.ts';
import { clear, type Profile, type ProfileContext } from '../../core/index.ts';
import { contextOf } from '../regulator.ts';
import type { Station } from '../station.ts';
import { rateUnitsOf } from '../types.ts';
import { no, type Objection, rejected, type V2 } from './ask.ts';
import { fromWire, toWire, type WireProfile } from './profile.ts';

type Asked<A extends Action<'ocpp2.1'>> = Request<'ocpp2.1', A>;

/** What stands in the way of a profile by its content alone; undefined = nothing. */
export type ProfileRules = (evseId: number, p: WireProfile) => Objection | undefined;

/** What the answer to GetCompositeSchedule is made of. */
export interface CompositeQuestion {
  readonly profiles: readonly Profile[];
  readonly ctx: ProfileContext;
  readonly nowMs: number;
  readonly durationS: number;
  readonly unit: 'A' | 'W';
  /** What stands where no profile limits, W. */
  readonly unlimitedW: number;
}

/** The part of block K that 2.0.1 and 2.1 share. */
export function smartCharging<V extends V2, C>(
  s: Station<V>,
  rules: ProfileRules,
  compositeAnswer: (question: CompositeQuestion) => C,
) {
  if (s.spec.smartCharging === false) return { ...NO_SMART_CHARGING, GetCompositeSchedule: unsupported };
  return {
    SetChargingProfile: ({ evseId, chargingProfile: p }: Asked<'SetChargingProfile'>) => {
      const why = installObjection(s, rules, evseId, p);
      if (!why) {
        const result = s.installProfile(fromWire(evseId, p, s.clock.now()));
        if (result.ok) return { status: 'Accepted' } as const;
        return rejected(result.reasonCode, 'see the installed profiles');
      }
      s.emit('profileRefused', { id: p.id, ...why });
      return { status: 'Rejected', statusInfo: why } as const;
    },
    ClearChargingProfile: ({ chargingProfileId, chargingProfileCriteria: c }: Asked<'ClearChargingProfile'>) => {
      const { profiles, removed } = clear(s.profiles, {
        ...(chargingProfileId === undefined ? {} : { id: chargingProfileId }),
        ...(c?.evseId === undefined ? {} : { evseId: c.evseId }),
        ...(c?.chargingProfilePurpose === undefined ? {} : { purpose: c.chargingProfilePurpose }),
        ...(c?.stackLevel === undefined ? {} : { stackLevel: c.stackLevel }),
      });
      s.profiles = profiles;
      s.emit('profilesCleared', { removed });
      s.obey();
      return { status: removed > 0 ? 'Accepted' : 'Unknown' } as const;
    },
    GetCompositeSchedule: ({ evseId, duration, chargingRateUnit }: Asked<'GetCompositeSchedule'>) => {
      const subject = evseId === 0 ? s.units[0] : s.unit(evseId);
      if (!subject) return rejected('UnknownEvse', String(evseId));
      const units = rateUnitsOf(s.spec);
      const unit = chargingRateUnit ?? units.at(-1) ?? 'W';
      if (!units.includes(unit)) return rejected('UnsupportedRateUnit', `only ${units.join()}`);
      return compositeAnswer({
        profiles: s.profiles,
        ctx: { ...contextOf(subject, s.line.offlineSinceMs), evseId },
        nowMs: s.clock.now(),
        durationS: duration,
        unit,
        unlimitedW: s.spec.maxImportW * (evseId === 0 ? s.units.length : 1),
      });
    },
    GetChargingProfiles: ({ requestId, evseId, chargingProfile: c }: Asked<'GetChargingProfiles'>) => {
      const found = s.profiles.filter(
        (p) =>
          (evseId === undefined || p.evseId === evseId) &&
          (c.chargingProfilePurpose === undefined || p.purpose === c.chargingProfilePurpose) &&
          (c.stackLevel === undefined || p.stackLevel === c.stackLevel) &&
          (c.chargingProfileId === undefined || c.chargingProfileId.includes(p.id)),
      );
      report(s, requestId, found);
      return { status: found.length > 0 ? 'Accepted' : 'NoProfiles' } as const;
    },
  };
}

const unsupported = (): never => {
  throw OCPP_ERRORS.fail('ocpp.notSupported', 'This station has no smart charging.');
};

const NO_SMART_CHARGING = {
  SetChargingProfile: unsupported,
  ClearChargingProfile: unsupported,
  GetChargingProfiles: unsupported,
};

function installObjection<V extends V2>(
  s: Station<V>,
  rules: ProfileRules,
  evseId: number,
  p: WireProfile,
): Objection | undefined {
  const unit = s.unit(evseId);
  if (evseId !== 0 && !unit) return no('UnknownEvse', String(evseId));
  const why = rules(evseId, p);
  if (why || p.chargingProfilePurpose !== 'TxProfile') return why;
  // K01.FR.09, K01.FR.33.
  const known = p.transactionId !== undefined && unit?.tx?.id === p.transactionId;
  return known ? undefined : no('TxNotFound', p.transactionId ?? 'transactionId is missing');
}

/** ReportChargingProfiles, one message per EVSE, `tbc` on all but the last. */
function report<V extends V2>(s: Station<V>, requestId: number, found: readonly Profile[]): void {
  const evseIds = [0, ...s.units.map((u) => u.id)].filter((id) => found.some((p) => p.evseId === id));
  evseIds.forEach((evseId, i) => {
    const payload: Request<'ocpp2.1', 'ReportChargingProfiles'> = {
      requestId,
      chargingLimitSource: 'CSO',
      evseId,
      tbc: i < evseIds.length - 1,
      chargingProfile: found.filter((p) => p.evseId === evseId).map(toWire),
    };
    // What came in as 2.0.1 has no field of 2.1.
    const send = { name: 'ReportChargingProfiles', keep: false };
    s.outbox.push({ ...send, send: (peer) => peer.callAny('ReportChargingProfiles', payload) });
  });
}
