import { codeOf, describeError, errorTable, INTERNAL_ERRORS, type Issue, type Retry } from '../../core/errors.ts';
import { SCHEMA_ERRORS } from '../../core/schema.ts';
import { type ResultBody, SERVICE_ERRORS } from '../../model/index.ts';

const row = (what: string, remedy: string, retry: Retry = 'no') => ({ what, remedy, retry });

/** The codes of fo 4.4, complete. What travels in `Result.code` is one of these keys. */
export const FO_ERRORS = errorTable('fo', {
  ...SCHEMA_ERRORS.kinds,
  ...SERVICE_ERRORS.kinds,
  ...INTERNAL_ERRORS.kinds,
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
  'auth.signature': row(
    'The signature is missing or wrong.',
    'Sign type, messageId and canonical body with a known key.',
  ),
  'time.skew': row(
    'The clocks of both sides differ by more than 120 s.',
    'Synchronise the clock of the sender, then send again.',
    'afterFix',
  ),
  'rate.tooOften': row('Too many messages at a time.', 'Wait for retryAfterS, then send it again.', 'yes'),
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
  'fo.listenFailed': {
    what: 'The FO link cannot listen on this address.',
    remedy: 'Check host and port; ports below 1024 need special rights.',
    retry: 'afterFix',
  },
  'fo.noBroker': {
    what: 'The FO link shall run a broker of its own, but the package aedes is not installed here.',
    remedy:
      'Give the node fo link the URL of a broker, for example Mosquitto; or run `npm install aedes@1` in the user directory of Node-RED and restart it.',
    retry: 'no',
  },
});

/** Codes that mean "could not process"; all others are a business no (fo 4.1). */
const PROCESSING = /^(schema|profile|type|auth|id|rate|internal)\.|^(time\.skew|state\.invalid)$/;

/** What errors of other rooms become where their own code is not one of fo 4.4. */
const TRANSLATED: Readonly<Record<string, FoCode>> = { 'json.notCanonical': 'schema.invalid' };

const isFoCode = (code: string | undefined): code is FoCode =>
  code !== undefined && Object.hasOwn(FO_ERRORS.kinds, code);

/**
 * The Result body of anything thrown. Codes outside fo 4.4 travel as their `protocol` counterpart, else as
 * `internal.temporary` or `internal.permanent`; the text of unknown errors stays in the log.
 */
export function resultOf(e: unknown, retryAfterS?: number): ResultBody {
  const { code, what, remedy, retry } = describeError(e);
  const known = codeOf(e) === code;
  const translated = TRANSLATED[code] ?? protocolOf(e);
  const own = isFoCode(code) ? code : isFoCode(translated) ? translated : undefined;
  const foCode: FoCode =
    own ?? (known && (retry === 'yes' || retry === 'later') ? 'internal.temporary' : 'internal.permanent');
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
  return cause.details
    .filter(isIssue)
    .map(({ path, code, message }) => ({ path, code, message: message.slice(0, 500) }));
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
