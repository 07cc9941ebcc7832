import type { PeerOf, Version } from '../../protocols/ocpp/index.ts';
import type { ArrivalSpec, OperationMode, Profile } from '../core/index.ts';

/**
 * What a station can be made to do wrong. `refuse`: rejects every command. `ignore`: accepts commands and does not
 * act. `lie`: accepts commands, shows them as in force, and takes (or gives) half as much again and 1 kW more.
 * `silent`: connected, sends and answers nothing. `disconnect`: drops the socket and stays away. `late`: answers and
 * acts `lateMs` later.
 */
export const FAULTS = ['none', 'refuse', 'ignore', 'lie', 'silent', 'disconnect', 'late'] as const;
export type Fault = (typeof FAULTS)[number];

/**
 * What the meters of a station show. `wrong`: half of the power. `frozen`: for ever what they showed at the switch,
 * with fresh timestamps. `missing`: no readings at all.
 */
export const METERS = ['right', 'wrong', 'frozen', 'missing'] as const;
export type MeterState = (typeof METERS)[number];

/**
 * What a person does at the station. `priorityOn`: presses priority charging, which takes the car out of
 * flexibility. `stop`: ends the transaction with the card, the car stays. `plug`: the next car comes, if none is
 * there. `fault`, `repair`: an EVSE breaks and is mended. `powerCycle`: the station loses power for a moment.
 */
export const PRESSES = [
  'priorityOn',
  'priorityOff',
  'plug',
  'unplug',
  'stop',
  'fault',
  'repair',
  'powerCycle',
] as const;
export type Press = (typeof PRESSES)[number];

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
  readonly version: Version;
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
  /** False: it knows no charging profiles, only starting and stopping. Default true. */
  readonly smartCharging?: boolean;
  /** Units of a charging rate that it takes. Default W and A; 2.1 on DC: W. */
  readonly rateUnits?: readonly RateUnit[];
  /** The measurands that it can sample, of those the simulation knows; a list with any other is refused. */
  readonly measurands?: readonly string[];
  /** Keys or variables that one message may ask for or set; more is a CALLERROR. Default 50. */
  readonly itemsPerMessage?: number;
}

export type RateUnit = 'A' | 'W';

/** Vendor of all simulated stations, in BootNotification and DataTransfer. */
export const VENDOR = 'v2gate';

/** The units of a charging rate that a station takes. */
export const rateUnitsOf = ({ rateUnits, version, phases }: StationSpec): readonly RateUnit[] =>
  rateUnits ?? (version === 'ocpp2.1' && phases === 0 ? ['W'] : ['A', 'W']);

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
  /** The driver wants to charge now, whatever the profiles say (ocpp 2.5 step 2). */
  priority: boolean;
  /** What the CSMS was told last. */
  shownState: string;
  shownMode: OperationMode;
  meterDueMs: number;
}

/** Why a transaction ended: 1.6 `reason`, 2.x `stoppedReason` and `triggerReason`. */
export interface EndReason {
  readonly reason:
    | 'Local'
    | 'Remote'
    | 'EVDisconnected'
    | 'DeAuthorized'
    | 'SoftReset'
    | 'HardReset'
    | 'UnlockCommand'
    | 'PowerLoss'
    | 'Other';
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
