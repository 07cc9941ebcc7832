import { iso } from '../../../core/clock.ts';
import type { Request } from '../../../protocols/ocpp/index.ts';
import type { Activity } from '../../core/index.ts';
import type { EndReason, Transaction } from '../types.ts';
import type { Unit } from '../unit.ts';
import type { MeterValue21 } from './meter.ts';

type V = 'ocpp2.1';
export type TransactionEvent = Request<V, 'TransactionEvent'>;
type ChargingState = NonNullable<TransactionEvent['transactionInfo']['chargingState']>;
type StoppedReason = NonNullable<TransactionEvent['transactionInfo']['stoppedReason']>;
export type Trigger = TransactionEvent['triggerReason'];

export const CHARGING_STATES = {
  idle: 'EVConnected',
  charging: 'Charging',
  suspendedEV: 'SuspendedEV',
  suspendedEVSE: 'SuspendedEVSE',
} as const satisfies Record<Activity, ChargingState>;

/** What is told about the end, in the words of 2.x (ocpp 5, ocpp 7). */
const ENDS: Readonly<Record<EndReason['reason'], { trigger: Trigger; stopped: StoppedReason }>> = {
  Local: { trigger: 'StopAuthorized', stopped: 'Local' },
  Remote: { trigger: 'RemoteStop', stopped: 'Remote' },
  EVDisconnected: { trigger: 'EVCommunicationLost', stopped: 'EVDisconnected' },
  DeAuthorized: { trigger: 'Deauthorized', stopped: 'DeAuthorized' },
  SoftReset: { trigger: 'ResetCommand', stopped: 'ImmediateReset' },
  HardReset: { trigger: 'ResetCommand', stopped: 'ImmediateReset' },
  UnlockCommand: { trigger: 'UnlockCommand', stopped: 'Other' },
};

interface EventOptions {
  readonly type: TransactionEvent['eventType'];
  readonly trigger: Trigger;
  readonly nowMs: number;
  readonly offline: boolean;
  readonly meter?: MeterValue21 | undefined;
  readonly end?: EndReason;
}

/** One TransactionEvent; takes the next `seqNo` of the transaction. */
export function transactionEvent(unit: Unit, tx: Transaction, o: EventOptions): TransactionEvent {
  const state = o.type === 'Ended' ? 'idle' : unit.activity;
  const stopped = o.end && (o.end.transferRejected ? 'ReqEnergyTransferRejected' : ENDS[o.end.reason].stopped);
  return {
    eventType: o.type,
    timestamp: iso(o.nowMs),
    triggerReason: o.trigger,
    seqNo: tx.seqNo++,
    ...(o.offline ? { offline: true } : {}),
    ...(o.type === 'Started' ? { idToken: idToken(tx.idTag) } : {}),
    evse: { id: unit.id, connectorId: 1 },
    transactionInfo: {
      transactionId: tx.id,
      chargingState: CHARGING_STATES[state],
      ...(tx.remoteStartId === undefined ? {} : { remoteStartId: tx.remoteStartId }),
      ...(o.trigger === 'OperationModeChanged' ? { operationMode: tx.shownMode } : {}),
      ...(stopped ? { stoppedReason: stopped } : {}),
    },
    ...(o.meter ? { meterValue: [o.meter] } : {}),
  };
}

export const endTrigger = (why: EndReason): Trigger =>
  why.transferRejected ? 'AbnormalCondition' : ENDS[why.reason].trigger;

export const idToken = (idTag: string): { idToken: string; type: string } => ({ idToken: idTag, type: 'Central' });

/** What the plugged EV needs and can do, with its V2X limits (ocpp 2.7). Energies are signed Wh from now. */
export function chargingNeeds(
  unit: Unit,
  bidirectional: boolean,
  departureMs?: number,
): Request<V, 'NotifyEVChargingNeeds'> | undefined {
  const { ev, evse } = unit;
  if (!ev) return undefined;
  const { capacityWh, floorPct } = ev.battery;
  const toPct = (pct: number): number => Math.round(((pct - evse.socPct) / 100) * capacityWh);
  return {
    evseId: unit.id,
    timestamp: iso(evse.nowMs),
    chargingNeeds: {
      requestedEnergyTransfer: bidirectional ? 'DC_BPT' : 'DC',
      availableEnergyTransfer: ev.isV2G ? ['DC', 'DC_BPT'] : ['DC'],
      controlMode: 'DynamicControl',
      mobilityNeedsMode: 'EVCC',
      ...(departureMs === undefined ? {} : { departureTime: iso(departureMs) }),
      dcChargingParameters: {
        evMaxCurrent: 50,
        evMaxVoltage: 500,
        evMaxPower: ev.maxImportW,
        evEnergyCapacity: capacityWh,
        energyAmount: Math.max(0, toPct(ev.targetPct)),
        stateOfCharge: Math.round(evse.socPct),
      },
      ...(bidirectional
        ? {
            v2xChargingParameters: {
              minChargePower: 0,
              maxChargePower: ev.maxImportW,
              minDischargePower: 0,
              maxDischargePower: ev.maxExportW,
              evTargetEnergyRequest: toPct(ev.targetPct),
              evMinEnergyRequest: toPct(floorPct),
              evMaxEnergyRequest: toPct(100),
              evMinV2XEnergyRequest: toPct(floorPct),
              evMaxV2XEnergyRequest: toPct(100),
              targetSoC: Math.round(ev.targetPct),
            },
          }
        : {}),
    },
  };
}
