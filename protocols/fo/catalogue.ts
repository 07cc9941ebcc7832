import type { Message } from '../../core/schema.ts';
import {
  ActivateService,
  AmendService,
  AvailabilityReport,
  CancelService,
  ExecutionNotice,
  OptChoice,
  ProofEvent,
  PublishResources,
  QueryEvents,
  QueryRecords,
  QueryResources,
  RequestService,
  ServiceDecision,
  ServiceRecordEvent,
  SubscribeTelemetry,
  Telemetry,
  UpdateSetpoint,
} from '../../model/index.ts';

/** Which side sends it: `down` = FO to gateway, `up` = gateway to FO (fo 4.3). */
export type FoDirection = 'up' | 'down' | 'both';
/** Request, event (both get a Result) or stream (does not). */
export type FoKind = 'request' | 'event' | 'stream';

/** One row of fo 4.3. */
export interface FoRow<T> {
  /** The number of the row. */
  readonly no: number;
  readonly direction: FoDirection;
  readonly kind: FoKind;
  readonly message: Message<T>;
  /** A signature is required (S in fo 4.3). */
  readonly signed: boolean;
}

const row = <T>(no: number, direction: FoDirection, kind: FoKind, message: Message<T>, signed = false): FoRow<T> => ({
  no,
  direction,
  kind,
  message,
  signed,
});

/**
 * The messages of fo 4.3 that are spoken, except Hello, Heartbeat and Result, which the session keeps to itself.
 * Everything else is answered `type.unknown`.
 */
export const FO_CATALOGUE = {
  PublishResources: row(6, 'up', 'event', PublishResources),
  QueryResources: row(7, 'down', 'request', QueryResources),
  AvailabilityReport: row(8, 'up', 'event', AvailabilityReport),
  RequestService: row(11, 'down', 'request', RequestService),
  ServiceDecision: row(12, 'up', 'event', ServiceDecision),
  Opt: row(13, 'both', 'request', OptChoice),
  AmendService: row(14, 'down', 'request', AmendService),
  ActivateService: row(15, 'down', 'request', ActivateService),
  UpdateSetpoint: row(16, 'down', 'request', UpdateSetpoint),
  CancelService: row(17, 'both', 'request', CancelService),
  ExecutionNotice: row(18, 'up', 'event', ExecutionNotice),
  SubscribeTelemetry: row(19, 'down', 'request', SubscribeTelemetry),
  Telemetry: row(20, 'up', 'stream', Telemetry),
  QueryEvents: row(22, 'down', 'request', QueryEvents),
  ServiceRecord: row(23, 'up', 'event', ServiceRecordEvent, true),
  Proof: row(24, 'up', 'event', ProofEvent, true),
  QueryRecords: row(25, 'down', 'request', QueryRecords),
};

type Catalogue = typeof FO_CATALOGUE;
export type FoType = keyof Catalogue;
/** Body types by message type. */
export type FoBodies = { [T in FoType]: Catalogue[T] extends FoRow<infer B> ? B : never };

export const isFoType = (type: string): type is FoType => Object.hasOwn(FO_CATALOGUE, type);
