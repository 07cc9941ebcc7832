import { iso } from '../../../core/clock.ts';
import { dispatch, type Handler, type Handlers, type Request, type Response } from '../../../protocols/ocpp/index.ts';
import { changeAvailability } from '../availability.ts';
import type { Station } from '../station.ts';
import type { Unit } from '../unit.ts';
import { fromWire } from './profile.ts';
import { objection } from './rules.ts';
import { rejected, smartCharging } from './smart-charging.ts';
import type { Variables } from './variables.ts';

type V = 'ocpp2.1';

/** The messages that TriggerMessage may ask for, sent by the dialect. */
export interface Triggers {
  transactionEvent(unit: Unit): void;
  meterValues(unit: Unit): void;
}

const ACCEPTED = { status: 'Accepted' } as const;
const NOT_IMPLEMENTED = { status: 'NotImplemented' } as const;
const REFUSED = rejected('InternalError', 'the station refuses everything');

/** Answers of the fault `refuse`. */
export const REFUSALS = {
  SetChargingProfile: REFUSED,
  UpdateDynamicSchedule: REFUSED,
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

/** What a 2.1 station answers to the CALLs of the CSMS; everything else is NotImplemented. */
export function handlers21(s: Station<V>, variables: Variables, triggers: Triggers): Handler<V> {
  return dispatch('ocpp2.1', {
    ...smartCharging(s),
    ...transactions(s, variables),
    ...deviceModel(s, variables),
    ...maintenance(s),
    ...triggered(s, triggers),
  });
}

function transactions(s: Station<V>, variables: Variables): Handlers<V> {
  return {
    RequestStartTransaction: (request) => requestStart(s, variables.number('TxCtrlr.EVConnectionTimeOut'), request),
    RequestStopTransaction: ({ transactionId }) => {
      const unit = s.units.find((u) => u.tx?.id === transactionId);
      if (!unit) return rejected('TxNotFound', transactionId);
      s.clock.after(0, () => s.sessions.end(unit, { reason: 'Remote' }));
      return ACCEPTED;
    },
    GetTransactionStatus: ({ transactionId }) => ({
      messagesInQueue: s.outbox.waiting > 0,
      ...(transactionId === undefined ? {} : { ongoingIndicator: s.units.some((u) => u.tx?.id === transactionId) }),
    }),
    UnlockConnector: ({ evseId, connectorId }) => {
      const unit = s.unit(evseId);
      if (!unit || connectorId !== 1) return { status: 'UnknownConnector' };
      return { status: unit.tx ? 'OngoingAuthorizedTransaction' : 'Unlocked' };
    },
  };
}

function requestStart(
  s: Station<V>,
  timeoutS: number,
  { remoteStartId, idToken, evseId, chargingProfile: p }: Request<V, 'RequestStartTransaction'>,
): Response<V, 'RequestStartTransaction'> {
  const free = (u: Unit): boolean => u.operative && !u.tx && !u.finished && !u.remoteStart;
  const candidates = s.units.filter((u) => free(u) && (evseId === undefined || u.id === evseId));
  const unit = candidates.find((u) => u.ev) ?? candidates[0];
  if (!unit) return rejected(evseId === undefined || s.unit(evseId) ? 'TxInProgress' : 'UnknownEvse', 'no free EVSE');
  if (p) {
    const wrong = p.chargingProfilePurpose !== 'TxProfile' || p.transactionId !== undefined;
    if (wrong) return rejected('InvalidProfile', 'a TxProfile without transactionId is needed');
    const why = objection(unit.id, p);
    if (why) return { status: 'Rejected', statusInfo: why };
  }
  const nowMs = s.clock.now();
  const profile = p && fromWire(unit.id, p, nowMs);
  const untilMs = nowMs + timeoutS * 1000;
  unit.remoteStart = { idTag: idToken.idToken, untilMs, remoteStartId, ...(profile ? { profile } : {}) };
  return ACCEPTED;
}

function deviceModel(s: Station<V>, variables: Variables): Handlers<V> {
  return {
    GetVariables: ({ getVariableData }) => ({ getVariableResult: getVariableData.map((x) => variables.get(x)) }),
    SetVariables: ({ setVariableData }) => ({ setVariableResult: setVariableData.map((x) => variables.set(x)) }),
    GetBaseReport: ({ requestId, reportBase }) => {
      for (const report of variables.reports(requestId, reportBase, iso(s.clock.now()))) {
        s.outbox.push({ name: 'NotifyReport', keep: false, send: (peer) => peer.call('NotifyReport', report) });
      }
      return ACCEPTED;
    },
  };
}

function maintenance(s: Station<V>): Handlers<V> {
  return {
    ChangeAvailability: ({ evse, operationalStatus }) => {
      const units = evse ? s.units.filter((u) => u.id === evse.id) : s.units;
      if (units.length === 0) return rejected('UnknownEvse', String(evse?.id));
      s.clock.after(0, () => s.announce(units));
      return { status: changeAvailability(units, operationalStatus === 'Operative') };
    },
    Reset: ({ type, evseId }) => {
      if (type === 'ImmediateAndResume') return rejected('UnsupportedParam', type);
      if (evseId !== undefined) return rejected('UnsupportedParam', 'only the whole station');
      if (type === 'OnIdle' && s.units.some((u) => u.tx)) {
        s.resetWhenIdle('ScheduledReset');
        return { status: 'Scheduled' };
      }
      s.clock.after(0, () => s.reset({ reason: 'HardReset' }, 'RemoteReset'));
      return ACCEPTED;
    },
    ClearCache: () => ACCEPTED,
    DataTransfer: () => ({ status: 'UnknownVendorId' }),
  };
}

function triggered(s: Station<V>, triggers: Triggers): Handlers<V> {
  return {
    TriggerMessage: ({ requestedMessage, evse }) => {
      const units = evse ? s.units.filter((u) => u.id === evse.id) : s.units;
      if (units.length === 0) return rejected('UnknownEvse', String(evse?.id));
      switch (requestedMessage) {
        case 'BootNotification':
          s.clock.after(0, () => s.line.triggerBoot());
          return ACCEPTED;
        case 'Heartbeat':
          s.outbox.push({ name: 'Heartbeat', keep: false, send: (peer) => peer.call('Heartbeat', {}) });
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
