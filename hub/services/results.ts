import { codeOf, type ErrorCause, type V2gateError } from '../../core/errors.ts';
import { type ResultBody, SERVICE_ERRORS } from '../../model/index.ts';

/** Codes of ours that have another name towards parties (fo 4.4). */
const CODES: Readonly<Record<string, string>> = {
  'message.unknown': 'type.unknown',
  'site.starting': 'internal.temporary',
  'store.failed': 'internal.temporary',
  'store.closed': 'internal.temporary',
};
const MAX_DETAILS = 100;

/** A business no as a Result (fo 4.1). */
export function refused(e: V2gateError): ResultBody {
  return { status: 'rejected', ...words(e.code, e.cause) };
}

/** What went wrong while a request was handled, as a Result: refusals stay refusals, all else is `error` (fo 4.1). */
export function failed(e: unknown): ResultBody {
  const code = codeOf(e) ?? '';
  const cause = causeOf(e);
  if (!cause) {
    return { status: 'error', code: 'internal.permanent', message: 'The gateway could not process this; see its log.' };
  }
  if (code in SERVICE_ERRORS.kinds) return { status: 'rejected', ...words(code, cause) };
  const told = words(code, cause);
  return { status: 'error', ...told, ...(told.code === 'internal.temporary' ? { retryAfterS: 1 } : {}) };
}

function words(code: string, cause: ErrorCause): Omit<ResultBody, 'status'> & { readonly code: string } {
  const outer = CODES[code] ?? cause.protocol ?? code;
  const found =
    cause.details ?? (cause.path === undefined ? [] : [{ path: cause.path, code: outer, message: cause.what }]);
  const details = found.slice(0, MAX_DETAILS).map((d) => ({
    path: d.path.slice(0, 512),
    code: d.code.slice(0, 64),
    message: d.message.slice(0, 1024),
  }));
  return {
    code: outer.slice(0, 64),
    message: `${cause.what} ${cause.remedy}`.slice(0, 1024),
    ...(details.length === 0 ? {} : { details }),
  };
}

/** The cause of an error of ours; files may be loaded twice, so the form decides, not the class. */
function causeOf(e: unknown): ErrorCause | undefined {
  const cause: unknown = typeof e === 'object' && e !== null ? Reflect.get(e, 'cause') : undefined;
  const isOurs = typeof cause === 'object' && cause !== null && 'what' in cause && 'remedy' in cause;
  return isOurs ? (cause as ErrorCause) : undefined;
}
