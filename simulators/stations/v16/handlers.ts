import { dispatch, type Handler, type Handlers, OCPP_ERRORS } from '../../../protocols/ocpp/index.ts';
import { clear, type Profile } from '../../core/index.ts';
import { changeAvailability } from '../availability.ts';
import { dataTransfer } from '../data-transfer.ts';
import { contextOf } from '../regulator.ts';
import type { Station } from '../station.ts';
import { rateUnitsOf } from '../types.ts';
import type { Unit } from '../unit.ts';
import type { Config16 } from './config.ts';
import { compositeAnswer, fromWire, objection, purposeOf } from './profile.ts';

type V = 'ocpp1.6';
/** The messages that TriggerMessage may ask for, sent by the dialect. */
export interface Triggers {
  readings(unit: Unit): void;
}

const REJECTED = { status: 'Rejected' } as const;
const ACCEPTED = { status: 'Accepted' } as const;
const NOT_IMPLEMENTED = { status: 'NotImplemented' } as const;

/** Answers of the fault `refuse`. */
export const REFUSALS = {
  SetChargingProfile: REJECTED,
  ClearChargingProfile: { status: 'Unknown' },
  RemoteStartTransaction: REJECTED,
  RemoteStopTransaction: REJECTED,
  ChangeAvailability: REJECTED,
  ChangeConfiguration: REJECTED,
  GetCompositeSchedule: REJECTED,
  TriggerMessage: REJECTED,
  Reset: REJECTED,
  UnlockConnector: { status: 'UnlockFailed' },
} as const;

/** What a 1.6 station answers to the CALLs of the CSMS; everything else is NotImplemented. */
export function handlers16(s: Station<V>, config: Config16, triggers: Triggers): Handler<V> {
  return dispatch('ocpp1.6', {
    ...(s.spec.smartCharging === false ? NO_SMART_CHARGING : smartCharging(s)),
    ...transactions(s, config),
    ...maintenance(s, config),
    ...triggered(s, triggers),
  });
}

function triggered(s: Station<V>, triggers: Triggers): Handlers<V> {
  return {
    TriggerMessage: ({ requestedMessage, connectorId }) => {
      if (connectorId !== undefined && connectorId !== 0 && !s.unit(connectorId)) return REJECTED;
      const units = connectorId ? s.units.filter((u) => u.id === connectorId) : s.units;
      switch (requestedMessage) {
        case 'BootNotification':
          s.clock.after(0, () => s.line.triggerBoot());
          return ACCEPTED;
        case 'Heartbeat':
          s.outbox.push({ name: 'Heartbeat', keep: false, send: (peer) => peer.call('Heartbeat', {}) });
          return ACCEPTED;
        case 'StatusNotification':
          s.clock.after(0, () => s.announce(connectorId ? units : undefined));
          return ACCEPTED;
        case 'MeterValues':
          for (const unit of units) triggers.readings(unit);
          return ACCEPTED;
        default:
          return NOT_IMPLEMENTED;
      }
    },
  };
}

const unsupported = (): never => {
  throw OCPP_ERRORS.fail('ocpp.notSupported', 'This station has no smart charging.');
};

const NO_SMART_CHARGING: Handlers<V> = {
  SetChargingProfile: () => ({ status: 'NotSupported' }),
  ClearChargingProfile: unsupported,
  GetCompositeSchedule: unsupported,
};

function smartCharging(s: Station<V>): Handlers<V> {
  return {
    SetChargingProfile: ({ connectorId, csChargingProfiles: p }) => {
      const unit = s.unit(connectorId);
      if (connectorId !== 0 && !unit) return REJECTED;
      const why =
        objection(s.spec, connectorId, p) ??
        (p.chargingProfilePurpose === 'TxProfile' ? noTransaction(unit, p) : undefined);
      if (why !== undefined) {
        s.emit('profileRefused', { id: p.chargingProfileId, why });
        return REJECTED;
      }
      const tx = p.chargingProfilePurpose === 'TxProfile' ? unit?.tx?.id : undefined;
      return s.installProfile(fromWire(connectorId, p, tx)).ok ? ACCEPTED : REJECTED;
    },
    ClearChargingProfile: ({ id, connectorId, chargingProfilePurpose, stackLevel }) => {
      const { profiles, removed } = clear(s.profiles, {
        ...(id === undefined ? {} : { id }),
        ...(connectorId === undefined ? {} : { evseId: connectorId }),
        ...(chargingProfilePurpose === undefined ? {} : { purpose: purposeOf(chargingProfilePurpose) }),
        ...(stackLevel === undefined ? {} : { stackLevel }),
      });
      s.profiles = profiles;
      s.emit('profilesCleared', { removed });
      s.obey();
      return { status: removed > 0 ? 'Accepted' : 'Unknown' };
    },
    GetCompositeSchedule: ({ connectorId, duration, chargingRateUnit }) => {
      const unit = connectorId === 0 ? s.units[0] : s.unit(connectorId);
      if (!unit) return REJECTED;
      const ctx = { ...contextOf(unit, s.line.offlineSinceMs), evseId: connectorId };
      const unlimitedW = s.spec.maxImportW * (connectorId === 0 ? s.units.length : 1);
      const rateUnits = rateUnitsOf(s.spec);
      const rateUnit = chargingRateUnit ?? rateUnits[0] ?? 'A';
      if (!rateUnits.includes(rateUnit)) return REJECTED;
      const o = { nowMs: s.clock.now(), durationS: duration, unit: rateUnit, unlimitedW };
      return compositeAnswer(s.profiles, ctx, o);
    },
  };
}

function noTransaction(unit: Unit | undefined, p: { readonly transactionId?: number }): string | undefined {
  if (!unit?.tx) return 'no transaction is running';
  const known = p.transactionId === undefined || p.transactionId === unit.tx.wireId;
  return known ? undefined : 'the transaction is another one';
}

function transactions(s: Station<V>, config: Config16): Handlers<V> {
  return {
    RemoteStartTransaction: ({ connectorId, idTag, chargingProfile }) => {
      // A station without smart charging ignores the profile.
      const p = s.spec.smartCharging === false ? undefined : chargingProfile;
      const candidates = s.units.filter((u) => u.free && (connectorId === undefined || u.id === connectorId));
      const unit = candidates.find((u) => u.ev) ?? candidates[0];
      if (!unit) return REJECTED;
      if (
        p &&
        (p.chargingProfilePurpose !== 'TxProfile' || p.transactionId !== undefined || objection(s.spec, unit.id, p))
      ) {
        return REJECTED;
      }
      const untilMs = s.clock.now() + config.number('ConnectionTimeOut') * 1000;
      const profile: Omit<Profile, 'transactionId'> | undefined = p && fromWire(unit.id, p);
      unit.remoteStart = { idTag, untilMs, ...(profile ? { profile } : {}) };
      return ACCEPTED;
    },
    RemoteStopTransaction: ({ transactionId }) => {
      const unit = s.units.find((u) => u.tx && u.tx.wireId === transactionId);
      if (!unit) return REJECTED;
      s.clock.after(0, () => s.sessions.end(unit, { reason: 'Remote' }));
      return ACCEPTED;
    },
    UnlockConnector: ({ connectorId }) => {
      const unit = s.unit(connectorId);
      if (!unit) return { status: 'NotSupported' };
      s.clock.after(0, () => s.sessions.end(unit, { reason: 'UnlockCommand' }));
      return { status: 'Unlocked' };
    },
  };
}

function maintenance(s: Station<V>, config: Config16): Handlers<V> {
  return {
    ChangeAvailability: ({ connectorId, type }) => {
      if (connectorId !== 0 && !s.unit(connectorId)) return REJECTED;
      const units = connectorId === 0 ? s.units : s.units.filter((u) => u.id === connectorId);
      s.clock.after(0, () => s.announce(connectorId === 0 ? undefined : units));
      return { status: changeAvailability(units, type === 'Operative') };
    },
    GetConfiguration: ({ key }) => config.read(key),
    ChangeConfiguration: ({ key, value }) => {
      const status = config.change(key, value);
      if (status === 'Accepted' && key === 'HeartbeatInterval') s.line.heartbeatS = Number(value);
      return { status };
    },
    Reset: ({ type }) => {
      s.clock.after(0, () => s.reset({ reason: type === 'Hard' ? 'HardReset' : 'SoftReset' }, 'RemoteReset'));
      return ACCEPTED;
    },
    ClearCache: () => ACCEPTED,
    DataTransfer: (request) => dataTransfer(request),
  };
}
