/**
 * Signatures of records and proofs, checked in the browser (fo 9.4).
 * @import { PublicJwk } from '../../core/signing.ts'
 * @import { SignedDocument } from '../../model/index.ts'
 */
import { canHash, canonical } from './chain.js';

/** @typedef {'valid' | 'invalid' | 'unknownKey' | 'unsigned' | 'unsupported'} Verdict */

/** @type {Readonly<Record<string, { key: AlgorithmIdentifier | EcKeyImportParams, check: AlgorithmIdentifier | EcdsaParams }>>} */
const ALGORITHMS = {
  EdDSA: { key: { name: 'Ed25519' }, check: { name: 'Ed25519' } },
  ES256: { key: { name: 'ECDSA', namedCurve: 'P-256' }, check: { name: 'ECDSA', hash: 'SHA-256' } },
};

/**
 * Whether one of the keys signed exactly this type, message id and body. Never rejects.
 * @param {Partial<SignedDocument>} document
 * @param {readonly PublicJwk[]} keys
 * @returns {Promise<Verdict>}
 */
export async function verifyDocument({ type, messageId, body, signature }, keys) {
  if (signature === undefined) return 'unsigned';
  const jwk = keys.find((k) => k.kid === signature.keyId && k.alg === signature.alg);
  if (jwk === undefined) return 'unknownKey';
  const how = ALGORITHMS[jwk.alg];
  if (how === undefined || !canHash()) return 'unsupported';
  try {
    const { kty, crv, x, y } = jwk;
    const key = await crypto.subtle.importKey(
      'jwk',
      { kty, crv, x, ...(y === undefined ? {} : { y }) },
      how.key,
      false,
      ['verify'],
    );
    const bytes = new TextEncoder().encode(`${type}\n${messageId}\n${canonical(body)}`);
    return (await crypto.subtle.verify(how.check, key, fromBase64url(signature.value), bytes)) ? 'valid' : 'invalid';
  } catch (e) {
    return e instanceof Error && e.name === 'NotSupportedError' ? 'unsupported' : 'invalid';
  }
}

/** @param {string} text */
function fromBase64url(text) {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
}
