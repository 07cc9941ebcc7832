import { id, list, message, type Of, obj, oneOf, opt, text, time } from '../core/schema.ts';

export const Party = message(
  'Party',
  {
    partyId: id({ doc: 'Stable; not personal for EV users (fo 9.4).' }),
    role: oneOf('fo', 'cso', 'csp', 'fleet', 'evu', 'ec', 'app'),
    endpoint: opt(list(text({ max: 512 }), { max: 8 })),
    publicKeys: opt(
      list(
        obj({
          alg: oneOf('EdDSA', 'ES256'),
          x: text({ min: 43, max: 43, doc: 'base64url, as in a JWK.' }),
          y: opt(text({ min: 43, max: 43, doc: 'ES256 only.' })),
        }),
        { max: 4 },
      ),
      { doc: 'Keys with which the party signs (fo 9.4); two may overlap during rotation. Never a private key.' },
    ),
    certificate: opt(
      obj({
        fingerprint256: opt(text({ min: 64, max: 95, doc: 'SHA-256 of the certificate in hex, colons allowed.' })),
        commonName: opt(text({ min: 1, max: 64, doc: 'Counts where a trusted issuer has signed it.' })),
      }),
      { doc: 'Client certificate that the party connects with over TLS (fo 9.4).' },
    ),
  },
  {
    clause: 'fo 3.1',
    doc: 'Somebody who asks for, offers or owns flexibility.',
    example: { partyId: 'fo:north', role: 'fo', endpoint: ['wss://fo.example/v2gate'] },
  },
);
export type Party = Of<typeof Party>;

export const CREDENTIAL_STATUS = ['unchecked', 'valid', 'expired', 'revoked', 'unverifiable'] as const;

export const Credential = message(
  'Credential',
  {
    credentialId: id(),
    kind: oneOf('identity', 'authorisation', 'contract', 'conformity'),
    subjectRef: id({ doc: 'Party, EVSE, EV pseudonym or contract that it speaks about.' }),
    issuer: id(),
    validFrom: time(),
    validTo: time(),
    form: oneOf('x509', 'jws', 'reference'),
    material: opt(text({ max: 16384, doc: 'PEM chain or compact JWS; never a private key.' })),
    claims: opt(list(text({ max: 128 }), { max: 64 })),
    status: oneOf(...CREDENTIAL_STATUS),
  },
  {
    clause: 'fo 3.1',
    doc: 'Proof of who a party is, what it may do, that a contract holds or that a device conforms.',
    example: {
      credentialId: 'cred:evse-7',
      kind: 'conformity',
      subjectRef: 'DEMO-V2G-1.1',
      issuer: 'reg:grid',
      validFrom: '2026-01-01T00:00:00Z',
      validTo: '2027-01-01T00:00:00Z',
      form: 'reference',
      claims: ['grid:EN50549-1'],
      status: 'valid',
    },
  },
);
export type Credential = Of<typeof Credential>;
