/** Charging profiles in a form that all OCPP versions share (ocpp 2.2); 1.6 names are mapped to those of 2.x. */
export type Purpose =
  | 'ChargingStationMaxProfile'
  | 'TxDefaultProfile'
  | 'TxProfile'
  | 'ChargingStationExternalConstraints'
  | 'PriorityCharging'
  | 'LocalGeneration';

export type Kind = 'Absolute' | 'Recurring' | 'Relative' | 'Dynamic';

export type OperationMode =
  | 'Idle'
  | 'ChargingOnly'
  | 'CentralSetpoint'
  | 'ExternalSetpoint'
  | 'ExternalLimits'
  | 'CentralFrequency'
  | 'LocalFrequency'
  | 'LocalLoadBalancing';

/** One period; values in the unit of its schedule. */
export interface Period {
  /** Seconds from the start of the schedule. */
  readonly startS: number;
  readonly limit?: number;
  /** ≤ 0. */
  readonly dischargeLimit?: number;
  /** + charge, − discharge. */
  readonly setpoint?: number;
  readonly numberPhases?: number;
  readonly mode?: OperationMode;
}

export interface Schedule {
  readonly unit: 'W' | 'A';
  /** Epoch ms; Absolute and Recurring need it. */
  readonly startMs?: number;
  /** s; without it the last period never ends. For Dynamic it is the watchdog after the last update. */
  readonly durationS?: number;
  /** In the unit of the schedule. */
  readonly minRate?: number;
  readonly limitAtSoC?: { readonly socPct: number; readonly limit: number };
  /** First startS is 0, rising. */
  readonly periods: readonly Period[];
}

export interface Profile {
  readonly id: number;
  /** 0 = the whole station. */
  readonly evseId: number;
  readonly purpose: Purpose;
  readonly kind: Kind;
  /** Length of the recurrence, s. */
  readonly recurrenceS?: number;
  readonly stackLevel: number;
  readonly transactionId?: string;
  readonly validFromMs?: number;
  readonly validToMs?: number;
  readonly schedule: Schedule;
  /** Dynamic only: time of the last update, epoch ms. */
  readonly dynUpdateMs?: number;
  readonly dynUpdateIntervalS?: number;
  readonly maxOfflineS?: number;
  readonly invalidAfterOffline?: boolean;
}

/** What the engine has to know of the EVSE that it answers for. */
export interface ProfileContext {
  readonly evseId: number;
  readonly nominalV: number;
  /** Phases in use; 0 on DC, where a rate in A counts at `nominalV`. */
  readonly phases: number;
  readonly transactionId?: string;
  /** When energy could first flow in the transaction (Relative counts from here), epoch ms. */
  readonly energyStartMs?: number;
  /** Since when the station is offline, epoch ms. */
  readonly offlineSinceMs?: number;
  readonly socPct?: number;
  readonly priorityActive?: boolean;
}

/** What all profiles together say at one moment, W in load convention. */
export interface Effective {
  /** Highest charging power; absent = no profile limits it. */
  readonly limitW?: number;
  /** Highest discharging power, ≤ 0; absent = no profile limits it. */
  readonly dischargeLimitW?: number;
  readonly setpointW?: number;
  readonly mode: OperationMode;
  readonly numberPhases?: number;
  /** Ids of the profiles that took part. */
  readonly from: readonly number[];
}
