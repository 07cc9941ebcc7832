import { iso } from '../../../core/clock.ts';
import type { Action, Request } from '../../../protocols/ocpp/index.ts';
import { changeAvailability } from '../availability.ts';
import { dataTransfer } from '../data-transfer.ts';
import type { Station } from '../station.ts';
import type { Unit } from '../unit.ts';
import { ACCEPTED, ask, rejected, type V2 } from './ask.ts';
import { fromWire } from './profile.ts';
import type { ProfileRules } from './smart-charging.ts';
import type { Variables } from './variables.ts';

/** The requests of 2.1 contain those of 2.0.1; the answers here fit both. */
type Asked<A extends Action<'ocpp2.1'>> = Request<'ocpp2.1', A>;

/** The messages that TriggerMessage may ask for, sent by the dialect. */
export interface Triggers {
  transactionEvent(unit: Unit): void;
  meterValues(unit: Unit): void;
}

const NOT_IMPLEMENTED = { status: 'NotImplemented' } as const;
const REFUSED = rejected('InternalError', 'the station refuses everything');

/** Answers of the fault `refuse`. */
export const REFUSALS = {
  SetChargingProfile: REFUSED,
  UpdateDynamicSchedule: REFUSED,
  UsePriorityCharging: REFUSED,
  GetCompositeSchedule: REFUSED,
  ClearChargingProfile: { status: 'Unknown' },
  RequestStartTransaction: REFUSED,
  RequestStopTransaction: REFUSED,
  ChangeAvailability: REFUSED,
  TriggerMessage: REFUSED,
  Reset: REFUSED,
  GetBaseReport: REFUSED,
  UnlockConnector: { status: 'UnlockFailed' },
} as const;

/** Blocks E and F: remote start and stop, transactions. */
export function transactions<V extends V2>(s: Station<V>, variables: Variables, rules: ProfileRules) {
  return {
    RequestStartTransaction: (request: Asked<'RequestStartTransaction'>) =>
      requestStart(s, variables.number('TxCtrlr.EVConnectionTimeOut'), rules, request),
    RequestStopTransaction: ({ transactionId }: Asked<'RequestStopTransaction'>) => {
      const unit = s.units.find((u) => u.tx?.id === transactionId);
      if (!unit) return rejected('TxNotFound', transactionId);
      s.clock.after(0, () => s.sessions.end(unit, { reason: 'Remote' }));
      return ACCEPTED;
    },
    GetTransactionStatus: ({ transactionId }: Asked<'GetTransactionStatus'>) => ({
      messagesInQueue: s.outbox.waiting > 0,
      ...(transactionId === undefined ? {} : { ongoingIndicator: s.units.some((u) => u.tx?.id === transactionId) }),
    }),
    UnlockConnector: ({ evseId, connectorId }: Asked<'UnlockConnector'>) => {
      const unit = s.unit(evseId);
      if (!unit || connectorId !== 1) return { status: 'UnknownConnector' } as const;
      return { status: unit.tx ? 'OngoingAuthorizedTransaction' : 'Unlocked' } as const;
    },
  };
}

function requestStart<V extends V2>(
  s: Station<V>,
  timeoutS: number,
  rules: ProfileRules,
  { remoteStartId, idToken, evseId, chargingProfile }: Asked<'RequestStartTransaction'>,
) {
  const candidates = s.units.filter((u) => u.free && (evseId === undefined || u.id === evseId));
  const unit = candidates.find((u) => u.ev) ?? candidates[0];
  if (!unit) return rejected(evseId === undefined || s.unit(evseId) ? 'TxInProgress' : 'UnknownEvse', 'no free EVSE');
  // A station without smart charging ignores the profile.
  const p = s.spec.smartCharging === false ? undefined : chargingProfile;
  if (p) {
    const wrong = p.chargingProfilePurpose !== 'TxProfile' || p.transactionId !== undefined;
    if (wrong) return rejected('InvalidProfile', 'a TxProfile without transactionId is needed');
    const why = rules(unit.id, p);
    if (why) return { status: 'Rejected', statusInfo: why } as const;
  }
  const nowMs = s.clock.now();
  const profile = p && fromWire(unit.id, p, nowMs);
  const untilMs = nowMs + timeoutS * 1000;
  unit.remoteStart = { idTag: idToken.idToken, untilMs, remoteStartId, ...(profile ? { profile } : {}) };
  return ACCEPTED;
}

/** Block B: variables and reports. */
export function deviceModel<V extends V2>(s: Station<V>, variables: Variables) {
  return {
    GetVariables: ({ getVariableData }: Asked<'GetVariables'>) => ({
      getVariableResult: variables.getAll(getVariableData),
    }),
    SetVariables: ({ setVariableData }: Asked<'SetVariables'>) => ({
      setVariableResult: variables.setAll(setVariableData),
    }),
    GetBaseReport: ({ requestId, reportBase }: Asked<'GetBaseReport'>) => {
      for (const report of variables.reports(requestId, reportBase, iso(s.clock.now()))) {
        s.outbox.push({ name: 'NotifyReport', keep: false, send: (peer) => ask(peer, 'NotifyReport', report) });
      }
      return ACCEPTED;
    },
  };
}

/** Availability, reset and what is left. */
export function maintenance<V extends V2>(s: Station<V>) {
  return {
    ChangeAvailability: ({ evse, operationalStatus }: Asked<'ChangeAvailability'>) => {
      const units = evse ? s.units.filter((u) => u.id === evse.id) : s.units;
      if (units.length === 0) return rejected('UnknownEvse', String(evse?.id));
      s.clock.after(0, () => s.announce(units));
      return { status: changeAvailability(units, operationalStatus === 'Operative') };
    },
    Reset: ({ type, evseId }: Asked<'Reset'>) => {
      if (type === 'ImmediateAndResume') return rejected('UnsupportedParam', type);
      if (evseId !== undefined) return rejected('UnsupportedParam', 'only the whole station');
      if (type === 'OnIdle' && s.units.some((u) => u.tx)) {
        s.resetWhenIdle('ScheduledReset');
        return { status: 'Scheduled' } as const;
      }
      s.clock.after(0, () => s.reset({ reason: 'HardReset' }, 'RemoteReset'));
      return ACCEPTED;
    },
    ClearCache: () => ACCEPTED,
    DataTransfer: (request: Asked<'DataTransfer'>) => dataTransfer(request),
  };
}

/** TriggerMessage. */
export function triggered<V extends V2>(s: Station<V>, triggers: Triggers) {
  return {
    TriggerMessage: ({ requestedMessage, evse }: Asked<'TriggerMessage'>) => {
      const units = evse ? s.units.filter((u) => u.id === evse.id) : s.units;
      if (units.length === 0) return rejected('UnknownEvse', String(evse?.id));
      switch (requestedMessage) {
        case 'BootNotification':
          s.clock.after(0, () => s.line.triggerBoot());
          return ACCEPTED;
        case 'Heartbeat':
          s.outbox.push({ name: 'Heartbeat', keep: false, send: (peer) => ask(peer, 'Heartbeat', {}) });
          return ACCEPTED;
        case 'StatusNotification':
          s.clock.after(0, () => s.announce(units));
          return ACCEPTED;
        case 'MeterValues':
          for (const unit of units) triggers.meterValues(unit);
          return ACCEPTED;
        case 'TransactionEvent':
          if (!units.some((u) => u.tx)) return rejected('TxNotFound', 'no transaction');
          for (const unit of units) triggers.transactionEvent(unit);
          return ACCEPTED;
        default:
          return NOT_IMPLEMENTED;
      }
    },
  };
}
