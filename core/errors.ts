/** Whether sending the same thing again can help. */
export type Retry = 'no' | 'yes' | 'later' | 'afterFix';

/** One row of an error table: the general sentences and the protocol's counterpart. */
export interface ErrorKind {
  /** One sentence: what happened. */
  readonly what: string;
  /** One sentence: what to do about it. */
  readonly remedy: string;
  readonly retry: Retry;
  /** The counterpart on the wire: CALLERROR code, FO code, SPINE result… */
  readonly protocol?: string;
}

/** One finding inside a value, e.g. of schema validation. */
export interface Issue {
  /** JSON pointer (RFC 6901) of the field, `''` for the whole value. */
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** What `cause` of a {@link V2gateError} holds: everything a person or a peer needs, structured-clonable. */
export interface ErrorCause {
  readonly what: string;
  readonly remedy: string;
  readonly retry: Retry;
  readonly protocol?: string;
  readonly path?: string;
  readonly details?: readonly Issue[];
}

/** The form of an error that crosses a wire or `structuredClone` (which drops `code` of Error objects). */
export interface PlainError {
  readonly code: string;
  readonly message: string;
  readonly cause: ErrorCause;
}

/**
 * The one error of v2gate. Recognise it by `code` (see {@link codeOf}), never by `instanceof`: files may be loaded twice.
 * `code` and `cause` are own and enumerable, because Node-RED's catch nodes see nothing else.
 */
export class V2gateError extends Error {
  readonly code: string;
  override readonly cause: ErrorCause;

  constructor(code: string, cause: ErrorCause) {
    super(`${cause.what} ${cause.remedy}`);
    this.code = code;
    this.cause = cause;
  }
}
Object.defineProperty(V2gateError.prototype, 'name', { value: 'V2gateError', configurable: true });

export interface FailExtra {
  readonly remedy?: string;
  readonly path?: string;
  readonly details?: readonly Issue[];
}

export interface ErrorTable<K extends string> {
  /** The room that declares the table: `ocpp`, `fo`, `schema`… */
  readonly area: string;
  readonly kinds: Readonly<Record<K, ErrorKind>>;
  /** Makes (does not throw) the error of `code`; `what` replaces the table's general sentence. */
  fail(code: K, what?: string, extra?: FailExtra): V2gateError;
}

/** Declares the errors of one room. The keys are the complete, stable codes. */
export function errorTable<const T extends Record<string, ErrorKind>>(
  area: string,
  kinds: T,
): ErrorTable<keyof T & string> {
  return {
    area,
    kinds,
    fail(code, what, extra) {
      const kind: ErrorKind = kinds[code] ?? INTERNAL_KINDS['internal.permanent'];
      return new V2gateError(code, {
        what: what ?? kind.what,
        remedy: extra?.remedy ?? kind.remedy,
        retry: kind.retry,
        ...(kind.protocol === undefined ? {} : { protocol: kind.protocol }),
        ...(extra?.path === undefined ? {} : { path: extra.path }),
        ...(extra?.details === undefined ? {} : { details: extra.details }),
      });
    },
  };
}

const INTERNAL_KINDS = {
  'internal.temporary': {
    what: 'The gateway could not do this right now.',
    remedy: 'Send it again after a short pause; if it persists, look into the log of the gateway.',
    retry: 'yes',
    protocol: 'internal.temporary',
  },
  'internal.permanent': {
    what: 'Something unexpected happened inside the gateway.',
    remedy: 'Do not repeat it; report it together with the log line that carries this code.',
    retry: 'no',
    protocol: 'internal.permanent',
  },
} as const satisfies Record<string, ErrorKind>;

/** Our own faults (fo 4.4). */
export const INTERNAL_ERRORS = errorTable('internal', INTERNAL_KINDS);

const RETRIES: readonly string[] = ['no', 'yes', 'later', 'afterFix'] satisfies Retry[];

/** The own string `code` of anything thrown (also of Node's system errors), else undefined. Never throws. */
export function codeOf(e: unknown): string | undefined {
  const code = ownValue(e, 'code');
  return typeof code === 'string' ? code : undefined;
}

/** The four things logs and node status show. Unknown things become `internal.permanent`. Never throws. */
export function describeError(e: unknown): { code: string; what: string; remedy: string; retry: Retry } {
  const code = codeOf(e);
  const cause = ownValue(e, 'cause');
  const what = ownValue(cause, 'what');
  const remedy = ownValue(cause, 'remedy');
  const retry = ownValue(cause, 'retry');
  if (code !== undefined && typeof what === 'string' && typeof remedy === 'string' && isRetry(retry)) {
    return { code, what, remedy, retry };
  }
  const kind = INTERNAL_KINDS['internal.permanent'];
  const hint = messageOf(e);
  return {
    code: 'internal.permanent',
    what: hint === '' ? kind.what : `${kind.what.slice(0, -1)}: ${hint}`,
    remedy: kind.remedy,
    retry: kind.retry,
  };
}

/** The plain, structured-clonable form of any error; unknown things become `internal.permanent`. Never throws. */
export function toPlain(e: unknown): PlainError {
  const { code, what, remedy, retry } = describeError(e);
  const cause = ownValue(e, 'cause');
  const known = code === codeOf(e);
  const protocol = known ? ownValue(cause, 'protocol') : INTERNAL_KINDS['internal.permanent'].protocol;
  const path = known ? ownValue(cause, 'path') : undefined;
  const details = known ? ownValue(cause, 'details') : undefined;
  return {
    code,
    message: `${what} ${remedy}`,
    cause: {
      what,
      remedy,
      retry,
      ...(typeof protocol === 'string' ? { protocol } : {}),
      ...(typeof path === 'string' ? { path } : {}),
      ...(Array.isArray(details) ? { details: details.filter(isIssue) } : {}),
    },
  };
}

/** Makes an error again of what {@link toPlain} gave, e.g. on the other side of a process border. */
export function fromPlain(plain: PlainError): V2gateError {
  return new V2gateError(plain.code, plain.cause);
}

/** One row of the generated error reference. */
export interface ErrorReferenceRow {
  readonly code: string;
  readonly area: string;
  readonly what: string;
  readonly remedy: string;
  readonly retry: Retry;
  readonly protocol: string;
}

/** Gathers tables for the error reference, sorted by code. Throws when two tables declare the same code. */
export function errorReference(tables: readonly ErrorTable<string>[]): ErrorReferenceRow[] {
  const rows: ErrorReferenceRow[] = [];
  const owner = new Map<string, string>();
  for (const { area, kinds } of tables) {
    for (const [code, kind] of Object.entries(kinds)) {
      const other = owner.get(code);
      if (other !== undefined) {
        const what = `The error code ${code} is declared by ${other} and by ${area}.`;
        throw INTERNAL_ERRORS.fail('internal.permanent', what, { remedy: 'Declare it once and import that table.' });
      }
      owner.set(code, area);
      rows.push({ code, area, what: kind.what, remedy: kind.remedy, retry: kind.retry, protocol: kind.protocol ?? '' });
    }
  }
  return rows.sort((a, b) => (a.code < b.code ? -1 : 1));
}

function isRetry(x: unknown): x is Retry {
  return typeof x === 'string' && RETRIES.includes(x);
}

function isIssue(x: unknown): x is Issue {
  return ['path', 'code', 'message'].every((k) => typeof ownValue(x, k) === 'string');
}

/** Reads an own property of anything without ever throwing (proxies and getters may). */
function ownValue(x: unknown, key: string): unknown {
  if (typeof x !== 'object' || x === null) return undefined;
  try {
    const value: unknown = Object.hasOwn(x, key) ? Reflect.get(x, key) : undefined;
    return value;
  } catch {
    return undefined;
  }
}

function messageOf(e: unknown): string {
  const text = typeof e === 'string' ? e : ownValue(e, 'message');
  return typeof text === 'string' ? text.slice(0, 200) : '';
}
