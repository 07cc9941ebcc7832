import {
  anyObject,
  bool,
  id,
  int,
  list,
  message,
  type Of,
  obj,
  oneOf,
  opt,
  ref,
  semantic,
  text,
  time,
  uuid,
} from '../core/schema.ts';
import { EventEntry, Proof, ServiceRecord } from './evidence.ts';

/** The message profile of the FO interface (fo 4.1). */
export const FO_PROFILE = 'v2gate-fo/1';

export const Signature = message(
  'Signature',
  {
    alg: oneOf('EdDSA', 'ES256'),
    keyId: id({ doc: 'RFC 7638 thumbprint of the public key.' }),
    value: text({ min: 1, max: 512, doc: 'base64url.' }),
  },
  {
    clause: 'fo 9.4',
    doc: 'Detached signature over `type` LF `messageId` LF the RFC 8785 form of the body.',
    example: { alg: 'EdDSA', keyId: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k', value: 'AA' },
  },
);
export type Signature = Of<typeof Signature>;

export const ServiceRecordEvent = message(
  'ServiceRecordEvent',
  { record: ref(ServiceRecord) },
  {
    clause: 'fo 4.3 no. 23',
    doc: 'The record of a service that has ended, signed.',
    example: { record: ServiceRecord.example },
  },
);
export type ServiceRecordEvent = Of<typeof ServiceRecordEvent>;

export const ProofEvent = message(
  'ProofEvent',
  { proof: ref(Proof) },
  { clause: 'fo 4.3 no. 24', doc: 'The proof of what was delivered, signed.', example: { proof: Proof.example } },
);
export type ProofEvent = Of<typeof ProofEvent>;

export const SignedDocument = message(
  'SignedDocument',
  {
    profile: text({ max: 32 }),
    messageId: uuid(),
    type: oneOf('ServiceRecord', 'Proof'),
    from: id(),
    to: id(),
    sentAt: time(),
    body: anyObject(),
    signature: ref(Signature),
  },
  {
    clause: 'fo 3.9, fo 9.4',
    doc: 'A record or proof as it is sent, kept and downloaded: the envelope with its signature.',
    example: {
      profile: 'v2gate-fo/1',
      messageId: '0197f2c0-5b1e-7c34-9a51-2f6f0a4be001',
      type: 'Proof',
      from: 'cso:harbour',
      to: 'fo:north',
      sentAt: '2026-03-02T18:05:00Z',
      body: {},
      signature: Signature.example,
    },
  },
);
export type SignedDocument = Of<typeof SignedDocument>;

const span = () => obj({ start: time(), end: time() });

export const QueryEvents = message(
  'QueryEvents',
  {
    fromLogSeq: opt(int({ min: 1, max: Number.MAX_SAFE_INTEGER })),
    window: opt(span()),
    kinds: opt(list(text({ max: 64 }), { max: 64 })),
    page: opt(text({ max: 128, doc: 'nextPage of the answer before.' })),
  },
  {
    clause: 'fo 4.3 no. 22',
    doc: 'Reads the event log of the asking party.',
    rules: (v) =>
      v.fromLogSeq === undefined && v.window === undefined
        ? [semantic('/fromLogSeq', 'give fromLogSeq or window')]
        : [],
    example: { fromLogSeq: 1 },
  },
);
export type QueryEvents = Of<typeof QueryEvents>;

export const EventPage = message(
  'EventPage',
  {
    entries: list(ref(EventEntry), { max: 1000 }),
    nextPage: opt(text({ max: 128 })),
    headHash: text({ max: 64, doc: 'Hash of the newest entry of the chain.' }),
  },
  {
    clause: 'fo 4.3 no. 22',
    doc: 'The data of the answer to QueryEvents.',
    example: { entries: [EventEntry.example], headHash: 'a'.repeat(64) },
  },
);
export type EventPage = Of<typeof EventPage>;

export const ChainStatus = message(
  'ChainStatus',
  {
    chains: list(
      obj({
        chain: text({ max: 64, doc: '`local`, or the party whose events it has.' }),
        entries: int({ min: 0, max: 9e15, doc: 'Number of its newest entry.' }),
        checked: int({ min: 0, max: 9e15, doc: 'Newest entries whose hashes were computed anew.' }),
        ok: bool(),
        fault: opt(text({ max: 256, doc: 'The first entry that is wrong, and how.' })),
      }),
      { max: 10_000 },
    ),
  },
  {
    clause: 'fo 9.4',
    doc: 'Whether the event logs of a site are unbroken.',
    example: { chains: [{ chain: 'local', entries: 4711, checked: 4711, ok: true }] },
  },
);
export type ChainStatus = Of<typeof ChainStatus>;

export const QueryRecords = message(
  'QueryRecords',
  {
    ids: opt(list(id(), { min: 1, max: 100, doc: 'recordId, proofId or fsrId.' })),
    window: opt(span()),
    page: opt(text({ max: 128, doc: 'nextPage of the answer before.' })),
  },
  {
    clause: 'fo 4.3 no. 25',
    doc: 'Reads records and proofs again: the same bytes and signatures as first sent.',
    rules: (v) => (v.ids === undefined && v.window === undefined ? [semantic('/ids', 'give ids or window')] : []),
    example: { ids: ['rec:N-4711'] },
  },
);
export type QueryRecords = Of<typeof QueryRecords>;

export const RecordPage = message(
  'RecordPage',
  {
    records: list(ref(SignedDocument), { max: 100 }),
    proofs: list(ref(SignedDocument), { max: 100 }),
    nextPage: opt(text({ max: 128 })),
  },
  {
    clause: 'fo 4.3 no. 25',
    doc: 'The data of the answer to QueryRecords.',
    example: { records: [], proofs: [SignedDocument.example] },
  },
);
export type RecordPage = Of<typeof RecordPage>;
