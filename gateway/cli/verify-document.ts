import { describeError } from '../../core/errors.ts';
import { canonical } from '../../core/json.ts';
import { signingInput, type VerifyKey } from '../../core/signing.ts';
import {
  FO_PROFILE,
  type Proof,
  ProofEvent,
  type ServiceRecord,
  ServiceRecordEvent,
  SignedDocument,
} from '../../model/index.ts';
import { type Finding, no, open, verdict, yes } from './verify-findings.ts';
import { checkNumbers } from './verify-proof.ts';

/** A document as far as it could be read. */
export interface ReadDocument {
  readonly name: string;
  readonly findings: readonly Finding[];
  readonly record?: ServiceRecord;
  readonly proof?: Proof;
}

export interface DocumentInput {
  readonly name: string;
  /** The bytes as text; undefined where only the content counts. */
  readonly text: string | undefined;
  readonly value: unknown;
}

/** Fields of an envelope; `eventSeq` is the number of a delivery and no part of the document (fo 4.1). */
const FIELDS = ['profile', 'messageId', 'type', 'from', 'to', 'sentAt', 'body', 'signature', 'eventSeq'];

/** Checks a downloaded record or proof. Without keys everything but the signature. */
export function checkDocument(
  { name, text, value }: DocumentInput,
  keys: readonly VerifyKey[] | undefined,
): ReadDocument {
  const form = formOf(text, value);
  const issues = SignedDocument.check(value).map((i) => `${i.path || '/'} ${i.message}`);
  if (issues.length > 0) return { name, findings: [...form, ...issues.slice(0, 5).map(no)] };
  const doc = value as SignedDocument;
  const body = bodyOf(doc);
  return {
    name,
    ...body,
    findings: [
      ...form,
      ...verdict('all fields are there and have the form of the model', [...strangers(doc), ...body.issues]),
      checkSignature(doc, keys),
      checkTime(doc),
      ...checkParties(doc, body.record ?? body.proof),
      ...(body.proof ? checkNumbers(body.proof) : []),
      ...(body.record ? checkRecord(body.record) : []),
    ],
  };
}

/** A document is sent in its canonical form; so the first byte that differs can be named. */
function formOf(text: string | undefined, value: unknown): Finding[] {
  if (text === undefined) return [];
  let due: string;
  try {
    due = canonical(value);
  } catch (e) {
    return [no(`the content has no canonical form: ${describeError(e).what}`)];
  }
  const given = text.endsWith('\n') && !due.endsWith('\n') ? text.slice(0, -1) : text;
  if (given === due) return [yes('byte for byte in the form in which it was sent')];
  let at = 0;
  while (at < due.length && given[at] === due[at]) at++;
  return [
    no(`byte ${Buffer.byteLength(due.slice(0, at))} is not as it was sent (--reformatted accepts another layout)`),
  ];
}

function strangers(doc: SignedDocument): string[] {
  return Object.keys(doc).flatMap((k) => (FIELDS.includes(k) ? [] : [`/${k} is no field of a signed document`]));
}

function bodyOf(doc: SignedDocument): { issues: string[]; record?: ServiceRecord; proof?: Proof } {
  const event = doc.type === 'Proof' ? ProofEvent : ServiceRecordEvent;
  const issues = event.check(doc.body).map((i) => `/body${i.path} ${i.message}`);
  if (issues.length > 0) return { issues };
  return doc.type === 'Proof'
    ? { issues, proof: (doc.body as { proof: Proof }).proof }
    : { issues, record: (doc.body as { record: ServiceRecord }).record };
}

function checkSignature(
  { type, messageId, body, signature }: SignedDocument,
  keys: readonly VerifyKey[] | undefined,
): Finding {
  if (!keys) return no('the signature cannot be checked without keys');
  const key = keys.find((k) => k.jwk.kid === signature.keyId);
  if (!key) return no(`the key ${signature.keyId} is none of the ${keys.length} that are published`);
  let bytes: Uint8Array;
  try {
    bytes = signingInput(type, messageId, body);
  } catch (e) {
    return no(`the body cannot be signed: ${describeError(e).what}`);
  }
  return key.verify(bytes, signature)
    ? yes(`signed with ${signature.alg} by the key ${signature.keyId}`)
    : no('the signature does not fit: something in type, messageId, body or the signature itself was changed');
}

/** Version 7 ids carry the time in ms; so the signature covers `sentAt` too. */
function checkTime({ messageId, sentAt }: SignedDocument): Finding {
  if (messageId[14] !== '7') return no('/messageId carries no time that sentAt could be compared with');
  const ms = Number.parseInt(messageId.slice(0, 13).replace('-', ''), 16);
  return Date.parse(sentAt) === ms
    ? yes(`sent at ${sentAt}, as the signed message id says`)
    : no(`/sentAt says ${sentAt}, the signed message id ${new Date(ms).toISOString()}`);
}

function checkParties(doc: SignedDocument, body: ServiceRecord | Proof | undefined): Finding[] {
  const findings: Finding[] = [];
  if (doc.profile !== FO_PROFILE) findings.push(no(`/profile is ${doc.profile}, not ${FO_PROFILE}`));
  for (const [field, inside] of [
    ['from', body?.issuerId],
    ['to', body?.foId],
  ] as const) {
    if (body === undefined) continue;
    if (inside === undefined) findings.push(open(`/${field} is not covered by the signature`));
    else if (inside !== doc[field]) findings.push(no(`/${field} is ${doc[field]}, inside the signed body ${inside}`));
    else findings.push(yes(`${field} ${inside}, as the signed body says`));
  }
  return findings;
}

function checkRecord({ requested, fsrId, contractId, eventRange }: ServiceRecord): Finding[] {
  const complaints: string[] = [];
  if (eventRange.from > eventRange.to) complaints.push('eventRange ends before it begins');
  try {
    const request: unknown = JSON.parse(requested);
    const of = (name: string): unknown =>
      typeof request === 'object' && request ? Reflect.get(request, name) : undefined;
    if (of('sha256') === undefined && of('fsrId') !== fsrId)
      complaints.push('/body/record/requested is about another service');
    if (of('sha256') === undefined && of('contractId') !== contractId)
      complaints.push('requested names another contract');
  } catch {
    complaints.push('/body/record/requested is not JSON');
  }
  return verdict(`the request inside is that of service ${fsrId} under contract ${contractId}`, complaints);
}
