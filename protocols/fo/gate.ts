import { iso, parseTime } from '../../core/clock.ts';
import { isId } from '../../core/ids.ts';
import type { ResultBody } from '../../model/index.ts';
import { type Decoded, decode, encode } from './codec.ts';
import { FO_ERRORS, resultOf } from './errors.ts';
import { acceptHello } from './session/greeting.ts';
import { MAX_SKEW_MS } from './session/rules.ts';
import { SignatureCheck } from './session/signatures.ts';
import { FO_CLOSE, FO_PROFILE, type FoRole, type FoSignatures } from './types.ts';

export interface GateOptions {
  readonly self: string;
  readonly role: FoRole;
  /** Epoch ms. */
  readonly now: number;
  /** The party that was authenticated, where that is known before Hello. */
  readonly peer?: string | undefined;
  /** Parties that may be believed; default all. */
  readonly allows?: ((partyId: string) => boolean) | undefined;
  signatures?(peer: string): FoSignatures;
}

/** Why a first frame opens nothing. */
export interface RefusedHello {
  readonly refused: unknown;
  readonly decoded: Decoded;
}

/**
 * Judges the first frame of a connection before it may take the place of a running one (fo 9.2): whole, a Hello, from the
 * party that is connected, to us, in time, signed where that is asked for, and of a role and profile that fit.
 */
export function judgeHello(
  text: string,
  o: GateOptions,
): RefusedHello | { readonly peer: string; readonly messageId: string } {
  const decoded = decode(text);
  if (!decoded.ok) return { refused: decoded.error, decoded };
  const { envelope } = decoded;
  const { from, to, type } = envelope;
  try {
    if (type !== 'Hello') throw FO_ERRORS.fail('state.invalid', 'The first message on a link is Hello.');
    if (to !== o.self || (o.peer !== undefined && from !== o.peer)) {
      throw FO_ERRORS.fail(
        'auth.forbidden',
        `from and to must be ${o.peer ?? 'your party'} and ${o.self} on this link.`,
      );
    }
    if (o.allows?.(from) === false) throw FO_ERRORS.fail('auth.failed');
    if (Math.abs(parseTime(envelope.sentAt) - o.now) > MAX_SKEW_MS) throw FO_ERRORS.fail('time.skew');
    new SignatureCheck(o.signatures?.(from)).check(envelope);
    acceptHello({ role: o.role, heartbeatS: 1 }, envelope.body);
    return { peer: from, messageId: envelope.messageId };
  } catch (refused) {
    return { refused, decoded };
  }
}

/** The Result for a first frame that opens nothing: no session can send it. */
export function refusalText(
  { refused, decoded }: RefusedHello,
  o: { readonly self: string; readonly now: number; readonly messageId: string },
): string {
  const told = decoded.ok ? decoded.envelope : decoded;
  return encode({
    profile: FO_PROFILE,
    messageId: o.messageId,
    type: 'Result',
    from: o.self,
    to: told.from !== undefined && isId(told.from) ? told.from : 'unknown',
    sentAt: iso(o.now),
    ...(told.messageId === undefined ? {} : { correlationId: told.messageId }),
    body: resultOf(refused),
  });
}

/** With which code a connection ends after this Result (fo 9.2). */
export const closeCodeOf = (result: ResultBody): number =>
  result.code?.startsWith('auth.') ? FO_CLOSE.authentication : FO_CLOSE.profile;
