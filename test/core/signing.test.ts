import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  detached,
  jwkOfKey,
  publicJwk,
  type SignatureAlg,
  signBytes,
  signingInput,
  thumbprint,
  verifyKey,
  verifySignature,
} from '../../core/signing.ts';

function signerOf(alg: SignatureAlg) {
  const { privateKey } =
    alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = jwkOfKey(privateKey);
  return { alg, keyId: jwk.kid, jwk, sign: (bytes: Uint8Array) => signBytes(privateKey, alg, bytes) };
}

describe('signatures of fo 9.4', () => {
  it('are made over type, message id and the canonical body', () => {
    const bytes = signingInput('Proof', 'm-1', { b: 1.0, a: 'ä', c: [true, null] });
    expect(new TextDecoder().decode(bytes)).toBe('Proof\nm-1\n{"a":"ä","b":1,"c":[true,null]}');
  });

  it('the thumbprint of the Ed25519 key of RFC 8037 A.3 is the one printed there', () => {
    const point = { alg: 'EdDSA', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const;
    expect(thumbprint(point)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  it('the signature of RFC 8037 A.4 is accepted', () => {
    const key = verifyKey({ alg: 'EdDSA', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' });
    const value = 'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg';
    const bytes = new TextEncoder().encode('eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc');
    expect(key.verify(bytes, { alg: 'EdDSA', keyId: key.jwk.kid, value })).toBe(true);
  });

  it.each(['EdDSA', 'ES256'] as const)('%s: what one key signed no change of anything survives', (alg) => {
    const signer = signerOf(alg);
    const key = verifyKey(signer.jwk);
    fc.assert(
      fc.property(fc.jsonValue(), fc.uuid(), fc.nat(), (value, id, at) => {
        const body = { value };
        const signature = detached(signer, 'Proof', id, body);
        const bytes = signingInput('Proof', id, body);
        expect(Buffer.from(signature.value, 'base64url')).toHaveLength(64);
        expect(key.verify(bytes, signature)).toBe(true);
        const bent = Uint8Array.from(bytes);
        bent[at % bent.length] = (bent[at % bent.length] ?? 0) ^ 1;
        expect(key.verify(bent, signature)).toBe(false);
        const i = at % signature.value.length;
        const other = signature.value[i] === 'A' ? 'B' : 'A';
        const changed = `${signature.value.slice(0, i)}${other}${signature.value.slice(i + 1)}`;
        expect(key.verify(bytes, { ...signature, value: changed })).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  it('a signature counts only under the algorithm and key id of its key', () => {
    const [ed, ec] = [signerOf('EdDSA'), signerOf('ES256')];
    const bytes = signingInput('Proof', 'm', {});
    const signature = detached(ed, 'Proof', 'm', {});
    expect(verifySignature([ec.jwk, ed.jwk], bytes, signature)).toBe(true);
    expect(verifySignature([ec.jwk], bytes, signature)).toBe(false);
    expect(verifySignature([ed.jwk], bytes, { ...signature, keyId: ec.keyId })).toBe(false);
    expect(verifySignature([ed.jwk], bytes, { ...signature, alg: 'ES256' })).toBe(false);
    expect(verifySignature([{ alg: 'EdDSA', x: 'AA' }], bytes, signature)).toBe(false);
  });

  it('a key of the wrong form is refused', () => {
    const jwk = signerOf('ES256').jwk;
    expect(() => publicJwk({ alg: 'ES256', x: jwk.x })).toThrow(expect.objectContaining({ code: 'signing.badKey' }));
    const offCurve = { alg: 'ES256', x: jwk.x, y: jwk.x } as const;
    expect(() => verifyKey(offCurve)).toThrow(expect.objectContaining({ code: 'signing.badKey' }));
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    expect(() => jwkOfKey(privateKey)).toThrow(expect.objectContaining({ code: 'signing.badKey' }));
  });
});
