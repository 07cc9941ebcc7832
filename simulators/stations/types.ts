import type { PeerOf, Version } from '../../protocols/ocpp/index.ts';
import type { ArrivalSpec, OperationMode, Profile } from '../core/index.ts';

/**
 * What a station can be made to do wrong. `refuse`: rejects every command. `ignore`: accepts commands and does not
 * act. `silent`: connected, sends and answers nothing. `disconnect`: drops the socket and stays away. `late`: answers
 * and acts `lateMs` later.
 */
export const FAULTS = ['none', 'refuse', 'ignore', 'silent', 'disconnect', 'late'] as const;
export type Fault = (typeof FAULTS)[number];

/** Something worth a line of output. */
export interface StationEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly station: string;
  /** Stable name: `booted`, `arrived`, `txStarted`, `profile`, `request`… */
  readonly event: string;
  readonly [detail: string]: unknown;
}

export type Emit = (event: string, details?: Readonly<Record<string, unknown>>) => void;

/** What a simulated station is and how its cars come. All times in ms unless the name says otherwise. */
export interface StationSpec {
  readonly identity: string;
  readonly version: 'ocpp1.6' | 'ocpp2.1';
  /** Number of EVSEs (1.6: connectors), ≥ 1. */
  readonly evses: number;
  /** AC phases, 0 = DC. */
  readonly phases: number;
  readonly maxImportW: number;
  readonly maxExportW: number;
  readonly responseDelayMs: number;
  readonly rampWPerS: number;
  /** Absent: cars come only when a test plugs them. */
  readonly arrivals?: ArrivalSpec;
  /** What drivers identify with. */
  readonly idTags: readonly string[];
  /** Seconds between meter values in a transaction. */
  readonly meterIntervalS: number;
  /** How a 2.1 station tells that it is available, occupied or out of service. */
  readonly statusAs: 'StatusNotification' | 'NotifyEvent';
  readonly fault: Fault;
  /** Delay of the fault `late`. */
  readonly lateMs: number;
}

/** Why a station boots, in the words of 2.x. */
export type BootReason = 'PowerUp' | 'RemoteReset' | 'ScheduledReset' | 'Triggered';

export interface Boot {
  readonly status: 'Accepted' | 'Pending' | 'Rejected';
  readonly intervalS: number;
}

/** A charging transaction, from the authorisation to the end. */
export interface Transaction {
  /** Chosen by the station; the transaction id of 2.x. */
  readonly id: string;
  readonly idTag: string;
  readonly startedMs: number;
  readonly meterStartWh: number;
  readonly remoteStartId?: number;
  /** Chosen by the CSMS (1.6), known once StartTransaction was answered. */
  wireId?: number;
  /** Next `seqNo` (2.x). */
  seqNo: number;
  /** False when the CSMS allowed no bidirectional transfer. */
  v2xAllowed: boolean;
  /** What the CSMS was told last. */
  shownState: string;
  shownMode: OperationMode;
  meterDueMs: number;
}

/** Why a transaction ended: 1.6 `reason`, 2.x `stoppedReason` and `triggerReason`. */
export interface EndReason {
  readonly reason: 'Local' | 'Remote' | 'EVDisconnected' | 'DeAuthorized' | 'SoftReset' | 'HardReset' | 'UnlockCommand';
  /** The car refused or was refused its energy transfer (2.7). */
  readonly transferRejected?: boolean;
}

/** A start that the CSMS asked for and that waits for a car. */
export interface RemoteStart {
  readonly idTag: string;
  readonly untilMs: number;
  readonly remoteStartId?: number;
  readonly profile?: Omit<Profile, 'transactionId'>;
}

/** One message that waits for its turn; `send` builds it when the turn comes. */
export interface Outgoing<V extends Version> {
  readonly name: string;
  /** True for transaction messages: kept while offline and repeated after failures. */
  readonly keep: boolean;
  /** True for periodic readings, the first to go when the queue is full. */
  readonly periodic?: boolean;
  send(peer: PeerOf<V>): Promise<unknown>;
}
