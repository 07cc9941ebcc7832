import { type KeyPoint, signingInput, type VerifyKey, verifyKey } from '../../../core/signing.ts';
import { FO_CATALOGUE, isFoType } from '../catalogue.ts';
import type { Envelope } from '../envelope.ts';
import { FO_ERRORS } from '../errors.ts';
import type { FoSignatures } from '../types.ts';

/** Checks the signatures of one peer (fo 9.4): required ones, and every one that is there. */
export class SignatureCheck {
  readonly #o: FoSignatures;
  #points: readonly KeyPoint[] = [];
  #keys: readonly VerifyKey[] = [];

  constructor(o: FoSignatures | undefined) {
    this.#o = o ?? {};
  }

  /** Throws `auth.signature` for one that is missing or wrong. The body must be as it was received. */
  check({ type, messageId, body, signature }: Envelope): void {
    if (signature === undefined) {
      if (this.#required(type)) throw FO_ERRORS.fail('auth.signature', `${type} must be signed.`);
      return;
    }
    const points = this.#o.keys?.();
    if (points === undefined) return;
    const { alg, keyId, value } = signature;
    const key = this.#prepared(points).find(({ jwk }) => jwk.kid === keyId);
    if (!key) {
      throw FO_ERRORS.fail('auth.signature', 'The key that signed is not known here.', {
        path: '/signature/keyId',
        remedy:
          'Tell the gateway your public key (publicKeys of the party in the site file), or sign with a known one.',
      });
    }
    const known = alg === 'EdDSA' || alg === 'ES256' ? alg : undefined;
    if (known === undefined || !key.verify(signingInput(type, messageId, body), { alg: known, keyId, value })) {
      throw FO_ERRORS.fail('auth.signature', 'The signature does not belong to this message.', { path: '/signature' });
    }
  }

  #required(type: string): boolean {
    return this.#o.require === 'always' || (isFoType(type) && FO_CATALOGUE[type].signed);
  }

  /** Keys are prepared once per list: making them costs more than checking with them. Those that are none count for nothing. */
  #prepared(points: readonly KeyPoint[]): readonly VerifyKey[] {
    if (points === this.#points) return this.#keys;
    this.#points = points;
    this.#keys = points.flatMap((point) => {
      try {
        return [verifyKey(point)];
      } catch {
        return [];
      }
    });
    return this.#keys;
  }
}
