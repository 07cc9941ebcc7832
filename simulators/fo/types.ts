import type { KeyPoint } from '../../core/signing.ts';
import type { ResultBody } from '../../model/index.ts';
import type { FoBodies, FoInbound } from '../../protocols/fo/index.ts';
import type { AwaitedEvidence } from './evidence.ts';
import type { Act, Scenario } from './scenario-file.ts';

/** The requests of an operator. */
export type Asked =
  | 'RequestService'
  | 'AmendService'
  | 'ActivateService'
  | 'UpdateSetpoint'
  | 'SubscribeTelemetry'
  | 'CancelService'
  | 'Opt'
  | 'QueryEvents'
  | 'QueryRecords'
  | 'QueryResources';

/** What happens to the operator. Results carry the fsrId of the service they belong to. */
export type Input =
  | { readonly kind: 'tick' }
  | { readonly kind: 'up' }
  | { readonly kind: 'down' }
  | { readonly kind: 'result'; readonly of: Asked; readonly fsrId: string; readonly result: ResultBody }
  /** No Result at all: expired, superseded, invalid. */
  | { readonly kind: 'failed'; readonly of: Asked; readonly fsrId: string; readonly code: string }
  | { readonly kind: 'message'; readonly message: FoInbound }
  /** Somebody wants it done now; `atS` of the act does not count. */
  | { readonly kind: 'order'; readonly act: Act };

/** One line of the program's output. */
export interface OperatorEvent {
  readonly event: string;
  readonly fsrId?: string;
  readonly [field: string]: unknown;
}

/** What the operator does. */
export type Action =
  | {
      [T in Asked]: {
        readonly do: 'request';
        readonly type: T;
        readonly fsrId: string;
        readonly body: FoBodies[T];
        /** Epoch ms until which it is repeated; default by its body. */
        readonly expiresAt?: number;
      };
    }[Asked]
  | { readonly do: 'answer'; readonly replyTo: string; readonly result: ResultBody }
  /** From now on the link says nothing of its own, heartbeats included, until it is loud again. */
  | { readonly do: 'mute'; readonly on: boolean }
  /** Closes the link, and opens a new one after this time. */
  | { readonly do: 'drop'; readonly forMs: number }
  | ({ readonly do: 'tell' } & OperatorEvent);

/** One service from its request to its end. All times in epoch ms. */
export interface Running {
  readonly fsrId: string;
  readonly index: number;
  readonly phase: 'requested' | 'accepted' | 'ending';
  readonly startAt: number;
  readonly endAt: number;
  /** When the present phase ends by itself. */
  readonly until: number;
  readonly seq: number;
  readonly nextUpdateAt: number;
  readonly lastTargetW?: number;
  /** Setpoints refused in a row. */
  readonly refused: number;
  /** The revision in force, and the amendment that is being decided on. */
  readonly revision: number;
  readonly amending?: { readonly revision: number; readonly endAt: number };
}

/** Something that a scenario does at a time. */
export interface PlannedAct {
  readonly at: number;
  readonly fsrId: string;
  readonly index: number;
  readonly startAt: number;
  readonly act: Act;
}

/** The whole state of the operator: plain data. */
export interface OperatorState {
  readonly up: boolean;
  /** Services begun so far. */
  readonly begun: number;
  readonly nextAt: number;
  readonly running?: Running;
  readonly done: boolean;
  /** Services of an earlier run of the program that were cancelled, the newest last. */
  readonly orphans?: readonly string[];
  /** In order of time. */
  readonly acts?: readonly PlannedAct[];
  /** This target holds against the steps until then, epoch ms. */
  readonly held?: { readonly targetW: number; readonly until: number };
  /** No setpoints before this, epoch ms. */
  readonly pausedUntil?: number;
  /** The link is mute until this, epoch ms. */
  readonly mutedUntil?: number;
  readonly evidence?: readonly AwaitedEvidence[];
  readonly toldDone?: boolean;
}

export interface ScenarioOptions {
  readonly scenario: Scenario;
  /** Used where a service names none. */
  readonly contractId: string;
  readonly groupId: string;
  /** Begins every fsrId; unique per run of the program. */
  readonly prefix: string;
  /** Public keys of the gateway; without them no signature is judged. */
  readonly keys?: () => readonly KeyPoint[];
}

export interface Step {
  readonly state: OperatorState;
  readonly actions: readonly Action[];
  /** Epoch ms at which a `tick` is due; absent while only messages matter. */
  readonly wakeAt?: number;
}
