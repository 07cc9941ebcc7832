import { iso } from '../../../core/clock.ts';
import type { Request } from '../../../protocols/ocpp/index.ts';
import type { Activity } from '../../core/index.ts';
import type { EndReason, Transaction } from '../types.ts';
import type { Unit } from '../unit.ts';
import type { MeterValue2 } from './meter.ts';

export type TransactionEvent = Request<'ocpp2.0.1', 'TransactionEvent'>;
type ChargingState = NonNullable<TransactionEvent['transactionInfo']['chargingState']>;
type StoppedReason = NonNullable<TransactionEvent['transactionInfo']['stoppedReason']>;
export type Trigger = TransactionEvent['triggerReason'];

const CHARGING_STATES = {
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
  PowerLoss: { trigger: 'AbnormalCondition', stopped: 'PowerLoss' },
  Other: { trigger: 'AbnormalCondition', stopped: 'Other' },
};

interface EventOptions {
  readonly type: TransactionEvent['eventType'];
  readonly trigger: Trigger;
  readonly nowMs: number;
  readonly offline: boolean;
  readonly meter?: MeterValue2 | undefined;
  readonly end?: EndReason;
}

/** One TransactionEvent; takes the next `seqNo` of the transaction. */
export function transactionEvent(unit: Unit, tx: Transaction, o: EventOptions): TransactionEvent {
  const state = o.type === 'Ended' ? 'idle' : unit.activity;
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
      ...(o.end ? { stoppedReason: ENDS[o.end.reason].stopped } : {}),
    },
    ...(o.meter ? { meterValue: [o.meter] } : {}),
  };
}

export const endTrigger = (why: EndReason): Trigger =>
  why.transferRejected ? 'AbnormalCondition' : ENDS[why.reason].trigger;

export const idToken = (idTag: string): { idToken: string; type: 'Central' } => ({ idToken: idTag, type: 'Central' });
