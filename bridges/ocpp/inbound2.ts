import { failPoint } from '../../core/failpoint.ts';
import { type CallContext, dispatch, type Handler, type Request } from '../../protocols/ocpp/index.ts';
import { commandProfileId } from './channel.ts';
import type { ExternalLimit } from './external.ts';
import { HEARTBEAT_S, PENDING_RETRY_S } from './inbound16.ts';
import type { ReportPart } from './reports.ts';
import type { Event2 } from './sessions.ts';
import type { StationBridge } from './station.ts';
import { clip } from './wording.ts';

type Two = 'ocpp2.0.1' | 'ocpp2.1';
type Status = Request<Two, 'StatusNotification'>;
const STATUSES: readonly string[] = ['Available', 'Occupied', 'Reserved', 'Unavailable', 'Faulted'];
const isStatus = (text: string): text is Status['connectorStatus'] => STATUSES.includes(text);

/** What the gateway answers to a charging station of OCPP 2.0.1; known actions beyond that are NotSupported (ocpp 1.4). */
export const handler201 = (s: StationBridge): Handler<'ocpp2.0.1'> =>
  dispatch('ocpp2.0.1', common(s), 'ocpp.notSupported');

/** What the gateway answers to a charging station of OCPP 2.1 (ocpp 5, ocpp 2.7, ocpp 3.3). */
export function handler21(s: StationBridge): Handler<'ocpp2.1'> {
  return dispatch(
    'ocpp2.1',
    {
      ...common(s),
      NotifyPriorityCharging({ transactionId, activated }) {
        s.external.priority(transactionId, activated);
        return {};
      },
      PullDynamicScheduleUpdate({ chargingProfileId }) {
        const scheduleUpdate = inForce(s, chargingProfileId);
        return scheduleUpdate === undefined ? { status: 'Rejected' } : { status: 'Accepted', scheduleUpdate };
      },
      NotifyDERAlarm: () => ({}),
      NotifyDERStartStop: () => ({}),
      ReportDERControl: () => ({}),
    },
    'ocpp.notSupported',
  );
}

/** What both versions have in common. */
function common(s: StationBridge) {
  const tokenInfo = (idToken: string) => ({ idTokenInfo: { status: s.tokenStatus(idToken) } });
  return {
    async BootNotification(p: Boot) {
      const { chargingStation: c, reason } = p;
      const restarted = reason !== 'Triggered';
      const status = await s.boot({ vendor: c.vendorName, model: c.model, serial: c.serialNumber, restarted });
      return { currentTime: s.now(), interval: status === 'Accepted' ? HEARTBEAT_S : PENDING_RETRY_S, status };
    },
    Heartbeat: () => ({ currentTime: s.now() }),
    StatusNotification(p: Status) {
      takeStatus(s, p);
      return {};
    },
    NotifyEvent({ eventData }: Pick<Request<Two, 'NotifyEvent'>, 'eventData'>) {
      // The same as StatusNotification, as a variable of the connector (ocpp 7).
      for (const { component, variable, actualValue, timestamp } of eventData) {
        const { evse } = component;
        if (variable.name !== 'AvailabilityState' || evse === undefined || !isStatus(actualValue)) continue;
        const connectorId = evse.connectorId ?? 1;
        takeStatus(s, { evseId: evse.id, connectorId, connectorStatus: actualValue, timestamp });
      }
      return {};
    },
    Authorize: (p: Tokened) => tokenInfo(p.idToken.idToken),
    TransactionEvent(p: Event2, ctx: Pick<CallContext, 'answered'>) {
      if (!s.sessions.goesOn2(p)) return eventInTurn(s, p, ctx);
      return s.kept()?.then(() => ({})) ?? {};
    },
    MeterValues(p: { readonly evseId: number }) {
      s.translate('MeterValuesRequest', p, p.evseId);
      return {};
    },
    async NotifyEVChargingNeeds(p: { readonly evseId: number }) {
      s.translate('NotifyEVChargingNeedsRequest', p, p.evseId);
      // It says so once: what is answered must outlive us (design 5).
      await s.kept();
      // A profile follows as soon as the allocation has an answer (K15, K18).
      return { status: 'Processing' as const };
    },
    NotifyEVChargingSchedule: () => ({ status: 'Accepted' as const }),
    NotifyChargingLimit(p: ExternalLimit) {
      s.external.limited(p);
      return {};
    },
    ClearedChargingLimit(p: { readonly chargingLimitSource: string; readonly evseId?: number }) {
      s.external.cleared(p);
      return {};
    },
    NotifyReport(p: ReportPart) {
      s.reports.take(p);
      return {};
    },
    // Reports come in parts that the frame limit bounds; a native link shows them, the hub needs none of them.
    ReportChargingProfiles: () => ({}),
    NotifyMonitoringReport: () => ({}),
    NotifyCustomerInformation: () => ({}),
    NotifyDisplayMessages: () => ({}),
    ReservationStatusUpdate: () => ({}),
    SecurityEventNotification: () => ({}),
    FirmwareStatusNotification: () => ({}),
    PublishFirmwareStatusNotification: () => ({}),
    LogStatusNotification: () => ({}),
    DataTransfer: () => ({ status: 'UnknownVendorId' as const }),
  };
}

async function eventInTurn(s: StationBridge, p: Event2, ctx: Pick<CallContext, 'answered'>) {
  if (p.eventType === 'Started') ctx.answered(() => failPoint('transaction.answered'));
  const status = await s.sessions.inTurn(() => s.sessions.event2(p));
  await s.kept();
  return status === undefined ? {} : { idTokenInfo: { status } };
}

interface Tokened {
  readonly idToken: { readonly idToken: string };
}

interface Boot {
  readonly reason: string;
  readonly chargingStation: { readonly vendorName: string; readonly model: string; readonly serialNumber?: string };
}

/** The values of our dynamic profile, if that is the one and its command still holds (K28). */
function inForce(s: StationBridge, profileId: number): { setpoint: number } | undefined {
  const channel = s.channels.find((c) => commandProfileId(c.resource.evse) === profileId);
  const t = channel?.current;
  if (!channel?.dynamic || t === undefined || t.shape !== 'dynamic' || t.endsAt <= s.clockMs()) return undefined;
  // The envelope may have shrunk since.
  const setpoint = clip(channel, t.command);
  return { setpoint: Math.abs(setpoint) < Math.abs(t.appliedW) ? setpoint : t.appliedW };
}

/** A transaction may run before the EV is plugged in (TxStartPoint): then it tells more than a free connector. */
function takeStatus(s: StationBridge, p: Status): void {
  if (p.connectorStatus === 'Available' && s.channel(p.evseId)?.transactionId !== undefined) return;
  s.translate('StatusNotificationRequest', p, p.evseId);
}
