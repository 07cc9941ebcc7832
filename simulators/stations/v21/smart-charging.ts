import type { Handlers, Request } from '../../../protocols/ocpp/index.ts';
import { clear, type Profile, updateDynamic } from '../../core/index.ts';
import { contextOf } from '../regulator.ts';
import type { Station } from '../station.ts';
import { compositeAnswer, fromWire, toWire, type Values, type WireProfile } from './profile.ts';
import { type Objection, objection, updateObjection } from './rules.ts';

type V = 'ocpp2.1';
type Refusal = { status: 'Rejected'; statusInfo: Objection };

export const rejected = (reasonCode: string, additionalInfo: string): Refusal => ({
  status: 'Rejected',
  statusInfo: { reasonCode, additionalInfo },
});

/** Block K of a 2.1 station, with the dynamic setpoints of Q03 and Q04. */
export function smartCharging(s: Station<V>): Handlers<V> {
  return {
    SetChargingProfile: ({ evseId, chargingProfile: p }) => {
      const why = installObjection(s, evseId, p);
      if (!why) {
        const result = s.installProfile(fromWire(evseId, p, s.clock.now()));
        return result.ok ? { status: 'Accepted' } : rejected(result.reasonCode, 'see the installed profiles');
      }
      s.emit('profileRefused', { id: p.id, ...why });
      return { status: 'Rejected', statusInfo: why };
    },
    UpdateDynamicSchedule: ({ chargingProfileId, scheduleUpdate }) => {
      const why = applyUpdate(s, chargingProfileId, scheduleUpdate);
      return why ? { status: 'Rejected', statusInfo: why } : { status: 'Accepted' };
    },
    ClearChargingProfile: ({ chargingProfileId, chargingProfileCriteria: c }) => {
      const { profiles, removed } = clear(s.profiles, {
        ...(chargingProfileId === undefined ? {} : { id: chargingProfileId }),
        ...(c?.evseId === undefined ? {} : { evseId: c.evseId }),
        ...(c?.chargingProfilePurpose === undefined ? {} : { purpose: c.chargingProfilePurpose }),
        ...(c?.stackLevel === undefined ? {} : { stackLevel: c.stackLevel }),
      });
      s.profiles = profiles;
      s.emit('profilesCleared', { removed });
      s.obey();
      return { status: removed > 0 ? 'Accepted' : 'Unknown' };
    },
    GetCompositeSchedule: ({ evseId, duration, chargingRateUnit }) => {
      const unit = evseId === 0 ? s.units[0] : s.unit(evseId);
      if (!unit) return rejected('UnknownEvse', String(evseId));
      if (chargingRateUnit === 'A') return rejected('UnsupportedRateUnit', 'only W');
      const ctx = { ...contextOf(unit, s.line.offlineSinceMs), evseId };
      const unlimitedW = s.spec.maxImportW * (evseId === 0 ? s.units.length : 1);
      return compositeAnswer(s.profiles, ctx, { nowMs: s.clock.now(), durationS: duration, unlimitedW });
    },
    GetChargingProfiles: ({ requestId, evseId, chargingProfile: c }) => {
      const found = s.profiles.filter(
        (p) =>
          (evseId === undefined || p.evseId === evseId) &&
          (c.chargingProfilePurpose === undefined || p.purpose === c.chargingProfilePurpose) &&
          (c.stackLevel === undefined || p.stackLevel === c.stackLevel) &&
          (c.chargingProfileId === undefined || c.chargingProfileId.includes(p.id)),
      );
      report(s, requestId, found);
      return { status: found.length > 0 ? 'Accepted' : 'NoProfiles' };
    },
  };
}

/** Takes new values for a Dynamic profile, pushed or pulled; gives the reason when it cannot. */
export function applyUpdate(s: Station<V>, id: number, values: Values): Objection | undefined {
  const old = s.profiles.find((p) => p.id === id);
  const why = updateObjection(old, values);
  const { limit, dischargeLimit, setpoint } = values;
  const given = {
    ...(limit === undefined ? {} : { limit }),
    ...(dischargeLimit === undefined ? {} : { dischargeLimit }),
    ...(setpoint === undefined ? {} : { setpoint }),
  };
  const updated = why ? undefined : updateDynamic(s.profiles, id, given, s.clock.now());
  if (!updated) return why ?? { reasonCode: 'InvalidProfile', additionalInfo: 'K28.FR.11' };
  s.profiles = updated;
  s.obey();
  return undefined;
}

function installObjection(s: Station<V>, evseId: number, p: WireProfile): Objection | undefined {
  const unit = s.unit(evseId);
  if (evseId !== 0 && !unit) return { reasonCode: 'UnknownEvse', additionalInfo: String(evseId) };
  const why = objection(evseId, p);
  if (why || p.chargingProfilePurpose !== 'TxProfile') return why;
  // K01.FR.09, K01.FR.33.
  const known = p.transactionId !== undefined && unit?.tx?.id === p.transactionId;
  return known
    ? undefined
    : { reasonCode: 'TxNotFound', additionalInfo: p.transactionId ?? 'transactionId is missing' };
}

/** ReportChargingProfiles, one message per EVSE, `tbc` on all but the last. */
function report(s: Station<V>, requestId: number, found: readonly Profile[]): void {
  const evseIds = [0, ...s.units.map((u) => u.id)].filter((id) => found.some((p) => p.evseId === id));
  evseIds.forEach((evseId, i) => {
    const payload: Request<V, 'ReportChargingProfiles'> = {
      requestId,
      chargingLimitSource: 'CSO',
      evseId,
      tbc: i < evseIds.length - 1,
      chargingProfile: found.filter((p) => p.evseId === evseId).map(toWire),
    };
    const send = { name: 'ReportChargingProfiles', keep: false };
    s.outbox.push({ ...send, send: (peer) => peer.call('ReportChargingProfiles', payload) });
  });
}
