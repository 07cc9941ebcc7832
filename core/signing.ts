import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { errorTable } from './errors.ts';
import { canonical } from './json.ts';

/** Signature algorithms of fo 9.4: Ed25519 and ECDSA P-256 with SHA-256. */
export type SignatureAlg = 'EdDSA' | 'ES256';

/** A public key as JWK (RFC 7517); `kid` is its RFC 7638 thumbprint. */
export interface PublicJwk {
  readonly kty: 'OKP' | 'EC';
  readonly crv: 'Ed25519' | 'P-256';
  readonly x: string;
  readonly y?: string;
  readonly kid: string;
  readonly alg: SignatureAlg;
  readonly use: 'sig';
}

/** The coordinates of a public key, base64url; `y` with ES256 only. */
export interface KeyPoint {
  readonly alg: SignatureAlg;
  readonly x: string;
  readonly y?: string | undefined;
}

/** A detached signature as it travels (fo 9.4). */
export interface DetachedSignature {
  readonly alg: SignatureAlg;
  readonly keyId: string;
  /** base64url of 64 bytes; ES256 is raw r‖s. */
  readonly value: string;
}

/** A public key that is ready to check signatures. */
export interface VerifyKey {
  readonly jwk: PublicJwk;
  /** True when the signature names this key and was made with it over exactly these bytes. Never throws. */
  verify(bytes: Uint8Array, signature: DetachedSignature): boolean;
}

export const SIGNING_ERRORS = errorTable('signing', {
  'signing.badKey': {
    what: 'This is not a public key that signatures can be checked with.',
    remedy: 'Give an Ed25519 or P-256 key as JWK with base64url coordinates of 32 bytes.',
    retry: 'no',
  },
});

const RAW_BYTES = 64;
const COORDINATE_BYTES = 32;

/**
 * What is signed: `type` LF `messageId` LF the RFC 8785 form of the body, as UTF-8 (fo 9.4).
 * Throws `json.notCanonical` when the body has no such form.
 */
export function signingInput(type: string, messageId: string, body: unknown): Uint8Array {
  return new TextEncoder().encode(`${type}\n${messageId}\n${canonical(body)}`);
}

/** RFC 7638 thumbprint: base64url SHA-256 of the required members in their canonical order. */
export function thumbprint(point: KeyPoint): string {
  return createHash('sha256')
    .update(canonical(members(point)))
    .digest('base64url');
}

/** The whole JWK of a key of which only the coordinates are known. Throws `signing.badKey`. */
export function publicJwk({ alg, x, y }: KeyPoint): PublicJwk {
  const point = alg === 'EdDSA' ? { alg, x } : { alg, x, y };
  if (!isCoordinate(x) || (alg === 'ES256' && !isCoordinate(y))) throw SIGNING_ERRORS.fail('signing.badKey');
  return { ...members(point), kid: thumbprint(point), alg, use: 'sig' };
}

/** The JWK of the public half of an Ed25519 or P-256 key. Throws `signing.badKey`. */
export function jwkOfKey(key: KeyObject): PublicJwk {
  const { kty, crv, x, y } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  const alg = kty === 'OKP' && crv === 'Ed25519' ? 'EdDSA' : kty === 'EC' && crv === 'P-256' ? 'ES256' : undefined;
  if (alg === undefined || x === undefined) throw SIGNING_ERRORS.fail('signing.badKey');
  return publicJwk({ alg, x, y });
}

/** Prepares a key for checking; keep the answer where many signatures come from one party. Throws `signing.badKey`. */
export function verifyKey(point: KeyPoint): VerifyKey {
  const jwk = publicJwk(point);
  const key = keyObject(jwk);
  return {
    jwk,
    verify(bytes, { alg, keyId, value }) {
      const raw = fromBase64Url(value, RAW_BYTES);
      if (alg !== jwk.alg || keyId !== jwk.kid || raw === undefined) return false;
      try {
        return alg === 'EdDSA'
          ? verify(null, bytes, key, raw)
          : verify('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, raw);
      } catch {
        return false;
      }
    },
  };
}

/** True when one of the keys made the signature over the bytes. Keys that are none count for nothing. Never throws. */
export function verifySignature(keys: readonly KeyPoint[], bytes: Uint8Array, signature: DetachedSignature): boolean {
  return keys.some((point) => {
    try {
      return verifyKey(point).verify(bytes, signature);
    } catch {
      return false;
    }
  });
}

/** The raw signature, 64 bytes, with an Ed25519 or P-256 private key. */
export function signBytes(key: KeyObject, alg: SignatureAlg, bytes: Uint8Array): Uint8Array {
  return alg === 'EdDSA' ? sign(null, bytes, key) : sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' });
}

/** The signature of a document as it travels, made by whoever holds the key. */
export function detached(
  signer: { readonly alg: SignatureAlg; readonly keyId: string; sign(bytes: Uint8Array): Uint8Array },
  type: string,
  messageId: string,
  body: unknown,
): DetachedSignature {
  const raw = signer.sign(signingInput(type, messageId, body));
  return { alg: signer.alg, keyId: signer.keyId, value: Buffer.from(raw).toString('base64url') };
}

function members({ alg, x, y }: KeyPoint): Pick<PublicJwk, 'kty' | 'crv' | 'x' | 'y'> {
  return alg === 'EdDSA'
    ? { crv: 'Ed25519', kty: 'OKP', x }
    : { crv: 'P-256', kty: 'EC', x, ...(y === undefined ? {} : { y }) };
}

function keyObject({ kty, crv, x, y }: PublicJwk): KeyObject {
  try {
    return createPublicKey({ key: { kty, crv, x, ...(y === undefined ? {} : { y }) }, format: 'jwk' });
  } catch {
    throw SIGNING_ERRORS.fail('signing.badKey');
  }
}

const isCoordinate = (text: string | undefined): boolean =>
  text !== undefined && fromBase64Url(text, COORDINATE_BYTES) !== undefined;

/** Only the one spelling that encoding gives: the last character has bits that decoders ignore. */
function fromBase64Url(text: string, bytes: number): Buffer | undefined {
  const raw = Buffer.from(text, 'base64url');
  return raw.length === bytes && raw.toString('base64url') === text ? raw : undefined;
}
