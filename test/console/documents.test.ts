import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { detached, jwkOfKey, type SignatureAlg, signBytes } from '../../core/signing.ts';
import { pairDocuments, proofFigures } from '../../gateway/console/documents.js';
import { verifyDocument } from '../../gateway/console/signature.js';
import { Proof, ServiceRecord, SignedDocument as Signed, type SignedDocument } from '../../model/index.ts';

const plain = (text: string): string => text.replaceAll('\u202f', ' ');

function signed(alg: SignatureAlg, body: SignedDocument['body'] = { proofId: 'prf:ü', a: 1.5 }) {
  const pair = alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = jwkOfKey(pair.privateKey);
  const signer = { alg, keyId: jwk.kid, sign: (bytes: Uint8Array) => signBytes(pair.privateKey, alg, bytes) };
  const { messageId } = Signed.example;
  const document: SignedDocument = { ...Signed.example, body, signature: detached(signer, 'Proof', messageId, body) };
  return { jwk, document };
}

describe('the signature of a document, checked in the browser', () => {
  it.each(['EdDSA', 'ES256'] as const)('%s: is valid as it was made, and wrong after any change', async (alg) => {
    const { jwk, document } = signed(alg);
    expect(await verifyDocument(document, [jwk])).toBe('valid');
    expect(await verifyDocument({ ...document, body: { ...document.body, a: 1.6 } }, [jwk])).toBe('invalid');
    expect(await verifyDocument({ ...document, type: 'ServiceRecord' }, [jwk])).toBe('invalid');
    const value = document.signature.value.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'));
    expect(await verifyDocument({ ...document, signature: { ...document.signature, value } }, [jwk])).toBe('invalid');
  });

  it('is not called valid without a published key or without a signature', async () => {
    const { jwk, document } = signed('EdDSA');
    expect(await verifyDocument(document, [])).toBe('unknownKey');
    expect(await verifyDocument(document, [{ ...jwk, kid: 'other' }])).toBe('unknownKey');
    const { signature: _, ...bare } = document;
    expect(await verifyDocument(bare, [jwk])).toBe('unsigned');
  });
});

describe('records and proofs', () => {
  const kept = (id: string, body: object, endedAt = 1) => ({
    id,
    foId: 'fo:north',
    fsrId: 'N-4711',
    endedAt,
    document: { ...Signed.example, body: { ...body } },
  });

  it('are paired by the record that a proof is about, newest first; what stands alone is shown too', () => {
    const pairs = pairDocuments(
      [kept('rec:N-4711', { record: ServiceRecord.example }), kept('rec:2', { record: { outcome: 'failed' } }, 2)],
      [kept('prf:N-4711', { proof: Proof.example }), kept('prf:9', { proof: { recordId: 'rec:9' } }, 3)],
    );
    expect(pairs.map((p) => [p.record?.id, p.proof?.id, p.outcome])).toEqual([
      [undefined, 'prf:9', ''],
      ['rec:2', undefined, 'failed'],
      ['rec:N-4711', 'prf:N-4711', 'completed'],
    ]);
  });

  it('show totals, performance, and how far they can be trusted', () => {
    const figures = proofFigures(kept('prf:1', { proof: Proof.example }));
    expect(Object.values(figures).map(plain)).toEqual(['100 Wh', '100 Wh', '100 %', 'no baseline']);
    const intervals = [...Proof.example.intervals, { ...Proof.example.intervals[0], quality: 'missing' }];
    const totals = { requestedWh: 2500, deliveredWh: -1234 };
    const doubtful = kept('prf:1', { proof: { ...Proof.example, intervals, totals } });
    expect(plain(proofFigures(doubtful).how)).toBe('no baseline · 1 of 2 intervals not fully measured');
    expect(plain(proofFigures(doubtful).delivered)).toBe('−1.23 kWh');
    expect(proofFigures(undefined).performance).toBe('–');
  });
});
