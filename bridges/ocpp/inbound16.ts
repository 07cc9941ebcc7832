import { iso } from '../../core/clock.ts';
import { dispatch, type Handler } from '../../protocols/ocpp/index.ts';
import type { StationBridge } from './station.ts';

/** Seconds between heartbeats that the gateway asks for. */
export const HEARTBEAT_S = 300;
/** Seconds after which a station that is not accepted may boot again. */
export const PENDING_RETRY_S = 30;

/** What the gateway answers to a charging station of OCPP 1.6 (ocpp 5). */
export function handler16(s: StationBridge): Handler<'ocpp1.6'> {
  return dispatch('ocpp1.6', {
    async BootNotification(p) {
      const status = await s.boot({
        vendor: p.chargePointVendor,
        model: p.chargePointModel,
        serial: p.chargePointSerialNumber,
      });
      return { currentTime: s.now(), interval: status === 'Accepted' ? HEARTBEAT_S : PENDING_RETRY_S, status };
    },
    Heartbeat: () => ({ currentTime: s.now() }),
    async StatusNotification(p) {
      if (p.connectorId > 0) await s.seen(p.connectorId);
      s.translate('StatusNotificationRequest', p, p.connectorId);
      return {};
    },
    Authorize(p) {
      s.requireKnown();
      return { idTagInfo: { status: s.mayCharge(p.idTag) ? 'Accepted' : 'Invalid' } };
    },
    async StartTransaction(p) {
      s.requireKnown();
      const accepted = s.mayCharge(p.idTag);
      const startedAt = s.time(p.timestamp);
      const transactionId = await s.start16(p.connectorId, startedAt, p.meterStart);
      if (accepted) s.translate('StartTransactionRequest', p, p.connectorId, { transactionId, at: startedAt });
      return { transactionId, idTagInfo: { status: accepted ? 'Accepted' : 'Invalid' } };
    },
    async StopTransaction(p) {
      s.requireKnown();
      const evse = s.evseOf(p.transactionId);
      if (evse !== undefined) {
        s.translate('StopTransactionRequest', p, evse, { at: s.time(p.timestamp) });
        await s.ended(evse, p.transactionId);
      }
      return p.idTag === undefined ? {} : { idTagInfo: { status: s.mayCharge(p.idTag) ? 'Accepted' : 'Invalid' } };
    },
    async MeterValues(p) {
      s.requireKnown();
      if (p.transactionId !== undefined) await s.adopt(p.connectorId, p.transactionId, iso(s.clockNow()));
      s.translate('MeterValuesRequest', p, p.connectorId);
      return {};
    },
    DataTransfer: () => ({ status: 'UnknownVendorId' }),
    DiagnosticsStatusNotification: () => ({}),
    FirmwareStatusNotification: () => ({}),
    SecurityEventNotification: () => ({}),
    LogStatusNotification: () => ({}),
    SignedFirmwareStatusNotification: () => ({}),
  });
}
