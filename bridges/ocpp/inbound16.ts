import { failPoint } from '../../core/failpoint.ts';
import { dispatch, type Handler } from '../../protocols/ocpp/index.ts';
import type { StationBridge } from './station.ts';

/** Seconds between heartbeats that the gateway asks for. */
export const HEARTBEAT_S = 300;
/** Seconds after which a station that is not accepted may boot again. */
export const PENDING_RETRY_S = 30;

/** What the gateway answers to a charging station of OCPP 1.6; known actions beyond that are NotSupported (ocpp 1.4, ocpp 5). */
export function handler16(s: StationBridge): Handler<'ocpp1.6'> {
  return dispatch(
    'ocpp1.6',
    {
      async BootNotification(p) {
        const status = await s.boot({
          vendor: p.chargePointVendor,
          model: p.chargePointModel,
          serial: p.chargePointSerialNumber,
          restarted: true,
        });
        return { currentTime: s.now(), interval: status === 'Accepted' ? HEARTBEAT_S : PENDING_RETRY_S, status };
      },
      Heartbeat: () => ({ currentTime: s.now() }),
      async StatusNotification(p) {
        s.translate('StatusNotificationRequest', p, p.connectorId);
        await s.sessions.inTurn(() => s.sessions.status16(p.connectorId, p.status));
        return {};
      },
      Authorize: (p) => ({ idTagInfo: { status: s.tokenStatus(p.idTag) } }),
      async StartTransaction(p, ctx) {
        const { transactionId, status } = await s.sessions.inTurn(() => s.sessions.start16(p, ctx));
        ctx.answered(() => failPoint('transaction.answered'));
        return { transactionId, idTagInfo: { status } };
      },
      async StopTransaction(p) {
        await s.sessions.inTurn(() => s.sessions.stop16(p));
        return p.idTag === undefined ? {} : { idTagInfo: { status: s.tokenStatus(p.idTag) } };
      },
      MeterValues(p) {
        const { connectorId, transactionId } = p;
        const take = () => {
          s.translate('MeterValuesRequest', p, connectorId);
          return {};
        };
        if (transactionId === undefined || s.sessions.isOfRunning16(connectorId, transactionId)) return take();
        return s.sessions.inTurn(() => s.sessions.metered16(connectorId, transactionId)).then(take);
      },
      DataTransfer: () => ({ status: 'UnknownVendorId' }),
      DiagnosticsStatusNotification: () => ({}),
      FirmwareStatusNotification: () => ({}),
      SecurityEventNotification: () => ({}),
      LogStatusNotification: () => ({}),
      SignedFirmwareStatusNotification: () => ({}),
    },
    'ocpp.notSupported',
  );
}
