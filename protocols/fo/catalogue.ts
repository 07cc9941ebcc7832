import type { Message } from '../../core/schema.ts';
import {
  CancelService,
  ExecutionNotice,
  OptChoice,
  RequestService,
  ServiceDecision,
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
  readonly direction: FoDirection;
  readonly kind: FoKind;
  readonly message: Message<T>;
}

const row = <T>(direction: FoDirection, kind: FoKind, message: Message<T>): FoRow<T> => ({ direction, kind, message });

/**
 * The messages of fo 4.3 that are spoken, except Hello, Heartbeat and Result, which the session keeps to itself.
 * Everything else is answered `type.unknown`.
 */
export const FO_CATALOGUE = {
  RequestService: row('down', 'request', RequestService),
  ServiceDecision: row('up', 'event', ServiceDecision),
  UpdateSetpoint: row('down', 'request', UpdateSetpoint),
  CancelService: row('both', 'request', CancelService),
  Opt: row('both', 'request', OptChoice),
  ExecutionNotice: row('up', 'event', ExecutionNotice),
  SubscribeTelemetry: row('down', 'request', SubscribeTelemetry),
  Telemetry: row('up', 'stream', Telemetry),
};

type Catalogue = typeof FO_CATALOGUE;
export type FoType = keyof Catalogue;
/** Body types by message type. */
export type FoBodies = { [T in FoType]: Catalogue[T] extends FoRow<infer B> ? B : never };

export const isFoType = (type: string): type is FoType => Object.hasOwn(FO_CATALOGUE, type);
