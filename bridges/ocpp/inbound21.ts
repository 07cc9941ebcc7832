import { dispatch, type Handler } from '../../protocols/ocpp/index.ts';
import { HEARTBEAT_S, PENDING_RETRY_S } from './inbound16.ts';
import type { StationBridge } from './station.ts';

/** What the gateway answers to a charging station of OCPP 2.1 (ocpp 5, ocpp 2.7). */
export function handler21(s: StationBridge): Handler<'ocpp2.1'> {
  return dispatch('ocpp2.1', {
    async BootNotification({ chargingStation: c }) {
      const status = await s.boot({ vendor: c.vendorName, model: c.model, serial: c.serialNumber });
      return { currentTime: s.now(), interval: status === 'Accepted' ? HEARTBEAT_S : PENDING_RETRY_S, status };
    },
    Heartbeat: () => ({ currentTime: s.now() }),
    async StatusNotification(p) {
      await s.seen(p.evseId);
      s.translate('StatusNotificationRequest', p, p.evseId);
      return {};
    },
    Authorize(p) {
      s.requireKnown();
      return { idTokenInfo: { status: s.mayCharge(p.idToken.idToken) ? 'Accepted' : 'Invalid' } };
    },
    async TransactionEvent(p) {
      s.requireKnown();
      const { transactionId } = p.transactionInfo;
      const evse = p.evse?.id ?? s.evseOf(transactionId);
      const answer = p.idToken
        ? { idTokenInfo: { status: s.mayCharge(p.idToken.idToken) ? 'Accepted' : 'Invalid' } as const }
        : {};
      if (evse === undefined || !s.inOrder(evse, transactionId, p.seqNo)) return answer;
      if (p.eventType !== 'Ended') await s.adopt(evse, transactionId, p.timestamp);
      s.translate('TransactionEventRequest', p, evse);
      if (p.eventType === 'Ended') await s.ended(evse, transactionId);
      return answer;
    },
    MeterValues(p) {
      s.requireKnown();
      s.translate('MeterValuesRequest', p, p.evseId);
      return {};
    },
    NotifyEVChargingNeeds(p) {
      s.requireKnown();
      s.translate('NotifyEVChargingNeedsRequest', p, p.evseId);
      // A profile follows as soon as the allocation has an answer (K15, K18).
      return { status: 'Processing' };
    },
    NotifyEVChargingSchedule: () => ({ status: 'Accepted' }),
    NotifyChargingLimit: () => ({}),
    ClearedChargingLimit: () => ({}),
    NotifyEvent: () => ({}),
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
