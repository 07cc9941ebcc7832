import { createPrivateKey } from 'node:crypto';
import { jwkOfKey, type SignatureAlg, signBytes } from '../../core/signing.ts';
import type { Signer } from '../../hub/ports.ts';

/** Keys of RFC 8037 A.1 and RFC 7515 A.3: known to everybody, so that golden files never change. */
const KEYS = {
  EdDSA: {
    kty: 'OKP',
    crv: 'Ed25519',
    d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  },
  ES256: {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
  },
} as const;

/** A signer with a key that is no secret. */
export function knownSigner(alg: SignatureAlg = 'EdDSA'): Signer {
  const key = createPrivateKey({ key: KEYS[alg], format: 'jwk' });
  const jwk = jwkOfKey(key);
  return { alg, keyId: jwk.kid, sign: (bytes) => signBytes(key, alg, bytes), publicKeys: () => [jwk] };
}
