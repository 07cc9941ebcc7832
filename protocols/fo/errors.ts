import { codeOf, describeError, errorTable, INTERNAL_ERRORS, type Issue, type Retry } from '../../core/errors.ts';
import { SCHEMA_ERRORS } from '../../core/schema.ts';
import type { ResultBody } from '../../model/index.ts';

const row = (what: string, remedy: string, retry: Retry = 'no') => ({ what, remedy, retry });

/** The codes of fo 4.4, complete. What travels in `Result.code` is one of these keys. */
export const FO_ERRORS = errorTable('fo', {
  ...SCHEMA_ERRORS.kinds,
  'profile.unsupported': row(
    'No common message profile or encoding.',
    'Offer v2gate-fo/1 with the encoding json in Hello.',
  ),
  'type.unknown': row('This message type is not spoken here.', 'Send only the types of the message catalogue.'),
  'auth.failed': row('The peer could not be authenticated.', 'Check certificate, token or password of the link.'),
  'auth.forbidden': row(
    'This party may not do that.',
    'Check from, to, role and the contracts that cover what was asked.',
  ),
  'auth.signature': row('The signature is missing or wrong.', 'Sign type, messageId and canonical body with a known key.'),
  'id.conflict': row('The id was used before with other content.', 'Use a fresh id for new content.'),
  'id.unknown': row('There is no object with this id.', 'Check the id; it may have ended or belong to someone else.'),
  'time.skew': row(
    'The clocks of both sides differ by more than 120 s.',
    'Synchronise the clock of the sender, then send again.',
    'afterFix',
  ),
  'time.past': row('The time span lies completely in the past.', 'Ask for a time span that ends later.', 'afterFix'),
  'time.expired': row('It came or was decided too late.', 'Send it again with a later expiry.', 'afterFix'),
  'time.window': row(
    'The time span lies outside what the contract covers.',
    'Stay within validity, notice and duration of the contract.',
    'afterFix',
  ),
  'seq.stale': row('Something newer is in force already.', 'Continue with a higher seq or revision.'),
  'state.invalid': row('This is not allowed in the current state.', 'Look at the state first; begin a link with Hello.'),
  'contract.unknown': row('There is no such contract.', 'Check contractId or propose the contract first.'),
  'contract.inactive': row('The contract is not active.', 'Resume or renew the contract.'),
  'contract.scope': row('The contract does not cover this.', 'Ask for services and resources inside its scope.'),
  'contract.limit': row('A limit of the contract is exceeded.', 'Stay within power, energy, number and duration agreed.'),
  'credential.missing': row('A required credential is missing.', 'Present the credential.', 'afterFix'),
  'credential.invalid': row('A credential is invalid.', 'Present a valid credential.', 'afterFix'),
  'credential.expired': row('A credential has expired.', 'Renew the credential.', 'afterFix'),
  'credential.revoked': row('A credential was revoked.', 'Obtain a new credential from its issuer.', 'afterFix'),
  'credential.unverifiable': row(
    'A credential cannot be verified now: its issuer cannot be reached.',
    'Try again when the issuer can be reached.',
    'yes',
  ),
  'credential.claims': row('A credential lacks a required claim.', 'Present one with all required claims.', 'afterFix'),
  'capability.unsupported': row('The resource cannot do this.', 'Ask only for functions that it publishes.'),
  'capability.insufficient': row('The resource is too small for this.', 'Ask for less.'),
  'capability.rate': row('The resource is too slow for this.', 'Use the interval offered in the answer.'),
  'resource.unknown': row('There is no such resource.', 'Query the resources and use their ids.', 'later'),
  'resource.offline': row('The resource is not connected.', 'Try again when it is back.', 'later'),
  'resource.faulted': row('The resource reports a fault.', 'Try again when it is repaired.', 'later'),
  'resource.optedOut': row('The driver or operator has opted out.', 'Try again when the opt-out ends.', 'later'),
  'resource.refused': row('The receiver does not want this resource.', 'Leave it out of what is published.', 'later'),
  'param.invalid': row('A service parameter is invalid.', 'Correct the named parameter.'),
  'param.unstable': row('The curve would not be stable.', 'Let it rise the way the clause demands.'),
  'param.range': row('A service parameter is out of range.', 'Stay within the published range.'),
  'conflict.overlap': row('Another service holds the resource.', 'Choose another time or resource.'),
  'conflict.gridFunction': row(
    'It would fight a mandatory grid function.',
    'Leave protection, ride-through and trip settings alone.',
  ),
  'limit.clipped': row('Applied with a tighter physical limit.', 'Nothing to do; see appliedW and limitedBy.'),
  'mandatory.noOptOut': row('A mandatory service allows no opt-out.', 'Only the physical stop remains.'),
  'mandatory.unproven': row('The mandate is not acceptable.', 'Give a mandateRef of a configured issuer.'),
  'preference.infeasible': row('The wish cannot be met completely.', 'See the best effort in the answer.'),
  'rate.tooOften': row('Too many messages at a time.', 'Wait for retryAfterS, then send it again.', 'yes'),
  ...INTERNAL_ERRORS.kinds,
});

export type FoCode = keyof (typeof FO_ERRORS)['kinds'];

/** Errors of the link itself; they never travel. */
export const FO_LINK_ERRORS = errorTable('foLink', {
  'fo.closed': { what: 'The FO link is closed.', remedy: 'Open it again.', retry: 'no' },
  'fo.full': {
    what: 'The FO link holds as much as it may.',
    remedy: 'Remove parties that are no longer used, or wait until events were acknowledged.',
    retry: 'later',
  },
  'fo.insecure': {
    what: 'The FO link would listen in plain text on an address that others can reach.',
    remedy: 'Listen on 127.0.0.1, give a certificate, or allow plainTextOutsideLoopback in its configuration.',
    retry: 'afterFix',
  },
  'port.taken': {
    what: 'The port is in use by another program.',
    remedy: 'Stop that program or choose another port.',
    retry: 'afterFix',
  },
});

/** Codes that mean "could not process"; all others are a business no (fo 4.1). */
const PROCESSING = /^(schema|profile|type|auth|id|rate|internal)\.|^(time\.skew|state\.invalid)$/;

/** What errors of other rooms become where their own code is not one of fo 4.4. */
const TRANSLATED: Readonly<Record<string, FoCode>> = {
  'json.tooLarge': 'schema.tooLarge',
  'json.tooDeep': 'schema.tooLarge',
  'json.duplicateKey': 'schema.invalid',
  'json.malformed': 'schema.invalid',
  'time.invalid': 'schema.invalid',
};

const isFoCode = (code: string | undefined): code is FoCode => code !== undefined && Object.hasOwn(FO_ERRORS.kinds, code);

/**
 * The Result body of anything thrown. Codes outside fo 4.4 travel as their `protocol` counterpart, else as
 * `internal.temporary` or `internal.permanent`; the text of unknown errors stays in the log.
 */
export function resultOf(e: unknown, retryAfterS?: number): ResultBody {
  const { code, what, remedy, retry } = describeError(e);
  const known = codeOf(e) === code;
  const translated = TRANSLATED[code] ?? protocolOf(e);
  const own = isFoCode(code) ? code : isFoCode(translated) ? translated : undefined;
  const foCode: FoCode = own ?? (known && (retry === 'yes' || retry === 'later') ? 'internal.temporary' : 'internal.permanent');
  if (foCode === 'limit.clipped') return { status: 'ok', code: foCode };
  const kind = FO_ERRORS.kinds[foCode];
  const message = known && own !== undefined ? `${what} ${remedy}` : `${kind.what} ${kind.remedy}`;
  const details = own === undefined ? [] : detailsOf(e).slice(0, 50);
  return {
    status: PROCESSING.test(foCode) ? 'error' : 'rejected',
    code: foCode,
    message: message.slice(0, 1000),
    ...(details.length > 0 ? { details } : {}),
    ...(retryAfterS === undefined ? {} : { retryAfterS }),
  };
}

/** True when the sender should send the same message again by itself (fo 4.2, 4.4). */
export const asksToRetry = (result: ResultBody): boolean =>
  result.status === 'error' && (result.code === 'rate.tooOften' || result.code === 'internal.temporary');

function causeOf(e: unknown): object | undefined {
  if (typeof e !== 'object' || e === null || !('cause' in e)) return undefined;
  return typeof e.cause === 'object' && e.cause !== null ? e.cause : undefined;
}

function protocolOf(e: unknown): string | undefined {
  const cause = causeOf(e);
  return cause && 'protocol' in cause && typeof cause.protocol === 'string' ? cause.protocol : undefined;
}

function detailsOf(e: unknown): Issue[] {
  const cause = causeOf(e);
  if (!cause || !('details' in cause) || !Array.isArray(cause.details)) return [];
  return cause.details.filter(isIssue).map(({ path, code, message }) => ({ path, code, message: message.slice(0, 500) }));
}

const isIssue = (x: unknown): x is Issue =>
  typeof x === 'object' &&
  x !== null &&
  'path' in x &&
  typeof x.path === 'string' &&
  'code' in x &&
  typeof x.code === 'string' &&
  'message' in x &&
  typeof x.message === 'string';
