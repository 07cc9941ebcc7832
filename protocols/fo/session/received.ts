import { parseTime, type TimerHandle } from '../../../core/clock.ts';
import type { DetachedSignature } from '../../../core/signing.ts';
import { FO_CATALOGUE, type FoType } from '../catalogue.ts';
import type { Envelope } from '../envelope.ts';
import { FO_ERRORS } from '../errors.ts';
import type { FoMeta } from '../types.ts';
import type { TypedBody } from './rules.ts';

/** A message whose Result is still owed. */
export interface Open {
  readonly envelope: Envelope;
  readonly message: TypedBody;
  readonly hash: () => string;
  readonly fast: boolean;
  timer?: TimerHandle;
}

/** A message that is not judged yet. */
export interface Item {
  readonly envelope: Envelope;
  readonly message: TypedBody;
  readonly hash: () => string;
  readonly receivedAt: number;
}

/** An event that cannot be taken before the ones before it. */
export const early = (): Error => FO_ERRORS.fail('internal.temporary', 'An event before this one is missing.');

/** Checks the body. Throws `schema.*`. */
export function typed(type: FoType, body: unknown): TypedBody {
  // accept proves that the body is that of the type; the compiler cannot follow the pair through the table.
  return { type, body: FO_CATALOGUE[type].message.accept(body) } as TypedBody;
}

export function metaOf(peer: string, envelope: Envelope, receivedAt: number): FoMeta {
  const signature = signatureOf(envelope);
  return {
    peer,
    messageId: envelope.messageId,
    sentAt: parseTime(envelope.sentAt),
    receivedAt,
    ...(envelope.expiresAt === undefined ? {} : { expiresAt: parseTime(envelope.expiresAt) }),
    ...(envelope.eventSeq === undefined ? {} : { eventSeq: envelope.eventSeq }),
    ...(signature === undefined ? {} : { signature }),
  };
}

function signatureOf({ signature }: Envelope): DetachedSignature | undefined {
  if (signature === undefined) return undefined;
  const { alg, keyId, value } = signature;
  return alg === 'EdDSA' || alg === 'ES256' ? { alg, keyId, value } : undefined;
}
