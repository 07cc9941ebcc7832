import { dispatch, type Handler, type Request } from '../../protocols/ocpp/index.ts';
import { HEARTBEAT_S, PENDING_RETRY_S } from './inbound16.ts';
import type { StationBridge } from './station.ts';

type Status = Request<'ocpp2.1', 'StatusNotification'>;
const STATUSES: readonly string[] = ['Available', 'Occupied', 'Reserved', 'Unavailable', 'Faulted'];
const isStatus = (text: string): text is Status['connectorStatus'] => STATUSES.includes(text);

/** What the gateway answers to a charging station of OCPP 2.1 (ocpp 5, ocpp 2.7). */
export function handler21(s: StationBridge): Handler<'ocpp2.1'> {
  const tokenInfo = (idToken: string) => ({
    idTokenInfo: { status: s.mayCharge(idToken) ? ('Accepted' as const) : ('Invalid' as const) },
  });
  return dispatch('ocpp2.1', {
    async BootNotification({ chargingStation: c, reason }) {
      const restarted = reason !== 'Triggered';
      const status = await s.boot({ vendor: c.vendorName, model: c.model, serial: c.serialNumber, restarted });
      return { currentTime: s.now(), interval: status === 'Accepted' ? HEARTBEAT_S : PENDING_RETRY_S, status };
    },
    Heartbeat: () => ({ currentTime: s.now() }),
    StatusNotification(p) {
      takeStatus(s, p);
      return {};
    },
    NotifyEvent({ eventData }) {
      // The same as StatusNotification, as a variable of the connector (ocpp 7).
      for (const { component, variable, actualValue, timestamp } of eventData) {
        const { evse } = component;
        if (variable.name !== 'AvailabilityState' || evse === undefined || !isStatus(actualValue)) continue;
        takeStatus(s, {
          evseId: evse.id,
          connectorId: evse.connectorId ?? 1,
          connectorStatus: actualValue,
          timestamp,
        });
      }
      return {};
    },
    Authorize: (p) => tokenInfo(p.idToken.idToken),
    async TransactionEvent(p) {
      await s.sessions.inTurn(() => s.sessions.event21(p));
      return p.idToken ? tokenInfo(p.idToken.idToken) : {};
    },
    MeterValues(p) {
      s.translate('MeterValuesRequest', p, p.evseId);
      return {};
    },
    NotifyEVChargingNeeds(p) {
      s.translate('NotifyEVChargingNeedsRequest', p, p.evseId);
      // A profile follows as soon as the allocation has an answer (K15, K18).
      return { status: 'Processing' };
    },
    NotifyEVChargingSchedule: () => ({ status: 'Accepted' }),
    NotifyChargingLimit: () => ({}),
    ClearedChargingLimit: () => ({}),
    NotifyReport: () => ({}),
    ReportChargingProfiles: () => ({}),
    NotifyMonitoringReport: () => ({}),
    SecurityEventNotification: () => ({}),
    FirmwareStatusNotification: () => ({}),
    LogStatusNotification: () => ({}),
    NotifyPriorityCharging: () => ({}),
    DataTransfer: () => ({ status: 'UnknownVendorId' }),
  });
}

/** A transaction may run before the EV is plugged in (TxStartPoint): then it tells more than a free connector. */
function takeStatus(s: StationBridge, p: Status): void {
  if (p.connectorStatus === 'Available' && s.channel(p.evseId)?.transactionId !== undefined) return;
  s.translate('StatusNotificationRequest', p, p.evseId);
}
