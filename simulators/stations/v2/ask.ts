import type { Action, PeerOf, Request, Response, Version } from '../../../protocols/ocpp/index.ts';

/** The versions with a device model; what they share is written once, in the messages of 2.0.1, which 2.1 extends. */
export type V2 = Exclude<Version, 'ocpp1.6'>;
type Base = 'ocpp2.0.1';

/** A CALL that both versions know. The session checks request and answer against the schema of its own version. */
export function ask<V extends V2, A extends Action<Base>>(
  peer: PeerOf<V>,
  action: A,
  payload: Request<Base, A>,
): Promise<Response<Base, A>> {
  return peer.callAny(action, payload) as Promise<Response<Base, A>>;
}

/** Why something is refused: `statusInfo` of the answer. */
export interface Objection {
  readonly reasonCode: string;
  readonly additionalInfo: string;
}

export const no = (reasonCode: string, additionalInfo: string): Objection => ({ reasonCode, additionalInfo });

export const rejected = (reasonCode: string, info: string): { status: 'Rejected'; statusInfo: Objection } => ({
  status: 'Rejected',
  statusInfo: { reasonCode, additionalInfo: info },
});

export const ACCEPTED = { status: 'Accepted' } as const;
