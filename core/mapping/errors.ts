import { errorTable, type V2gateError } from '../errors.ts';
import { sentenceOf } from './messages.ts';
import { excerpt, placeOf } from './position.ts';
import { Failure } from './runtime/state.ts';

/** Errors of mappings. Each also carries the language's own code, line and column, see {@link MappingError}. */
export const MAPPING_ERRORS = errorTable('mapping', {
  'mapping.type': {
    what: 'A value in the mapping has the wrong type.',
    remedy: 'Look at the named place: convert the value ($number, $string) or make it conditional ($exists).',
    retry: 'no',
  },
  'mapping.value': {
    what: 'A value in the mapping is outside what the function or operator accepts.',
    remedy: 'Look at the named place and restrict the value before it is used.',
    retry: 'no',
  },
  'mapping.raised': {
    what: 'The mapping refused this message with $error or $assert.',
    remedy: 'The sentence comes from the author of the mapping: send what it asks for.',
    retry: 'no',
  },
  'mapping.budget': {
    what: 'The mapping used more steps than one run may take.',
    remedy: 'Check for a loop that does not end; split very large messages.',
    retry: 'no',
  },
  'mapping.depth': {
    what: 'The mapping calls functions too deeply inside each other.',
    remedy: 'Check for a recursion that does not end; make the recursive call the last thing its function does.',
    retry: 'no',
  },
  'mapping.sequence': {
    what: 'The mapping builds an array that is too long.',
    remedy: 'Reduce the range or the data before building the array.',
    retry: 'no',
  },
  'mapping.forbidden': {
    what: 'The mapping uses a field name that is not available.',
    remedy: 'Fields called __proto__, constructor or prototype cannot be read or written; rename the field.',
    retry: 'no',
  },
  'mapping.impure': {
    what: 'The mapping needs a value that is not part of its input.',
    remedy: 'Take times from $ctx.at and give $toMillis a complete date.',
    retry: 'no',
  },
  'mapping.regex': {
    what: 'A regular expression of the mapping cannot be held to a bound.',
    remedy:
      'Write it without the constructs of newer standards; plain groups, classes, repetitions and lookarounds are bounded.',
    retry: 'no',
  },
  'mapping.slow': {
    what: 'The mapping needs the interpreter and cannot run synchronously.',
    remedy: 'Use it in the map node, or replace the construct that its diagnostics name.',
    retry: 'no',
  },
  'mapping.failed': {
    what: 'The mapping failed.',
    remedy: 'Run it on this message in the map node; the diagnostics and the named place show why.',
    retry: 'no',
  },
  'mapping.header': {
    what: 'The header comment of a mapping file is not complete.',
    remedy:
      'Begin the file with /* from: <language>/<Message>   to: <language>/<Message>   lost: [fields]   ref: <clause> */.',
    retry: 'afterFix',
  },
  'mapping.path': {
    what: 'A mapping file is in the wrong place.',
    remedy:
      'Name it <language>/from-hub/<Message>[.<variant>].jsonata or <language>/to-hub/<Message>[.<variant>].jsonata.',
    retry: 'afterFix',
  },
  'mapping.broken': {
    what: 'A mapping file cannot be used.',
    remedy: 'Correct the named place; until then the last good version stays in force.',
    retry: 'afterFix',
  },
});

export type MappingErrorCode = keyof typeof MAPPING_ERRORS.kinds;

/** A run-time error of a mapping. */
export interface MappingError extends V2gateError {
  /** The language's code, e.g. `T2001`; absent where the interpreter has none either. */
  readonly jsonata?: string;
  readonly line?: number;
  readonly column?: number;
  readonly file?: string;
  readonly excerpt?: string;
}

const CODES: Readonly<Record<string, MappingErrorCode>> = {
  D1011: 'mapping.depth',
  D1012: 'mapping.budget',
  D2014: 'mapping.sequence',
  D2015: 'mapping.sequence',
  D3137: 'mapping.raised',
  D3141: 'mapping.raised',
  X0001: 'mapping.forbidden',
  X0003: 'mapping.impure',
  X0004: 'mapping.impure',
  X0005: 'mapping.regex',
  X0006: 'mapping.budget',
  X0007: 'mapping.value',
};

function codeFor(failure: Failure): MappingErrorCode {
  const { code } = failure;
  if (code === 'D3121' && failure.info.cause) return codeFor(failure.info.cause);
  const special = CODES[code];
  if (special) return special;
  if (code.startsWith('T')) return 'mapping.type';
  return code.startsWith('D') ? 'mapping.value' : 'mapping.failed';
}

/** Turns whatever a run threw into the one error of v2gate. */
export function toMappingError(e: unknown, text: string, file: string | undefined): MappingError {
  const failure = toFailure(e);
  const where = file ?? 'the mapping';
  if (failure.position < 0) {
    const error = MAPPING_ERRORS.fail(codeFor(failure), `${where}: ${sentenceOf(failure)}`);
    return Object.assign(error, languageCode(failure), file === undefined ? {} : { file });
  }
  const place = placeOf(text, failure.position);
  const what = `${where}, line ${place.line}, column ${place.column}: ${sentenceOf(failure)}`;
  const error = MAPPING_ERRORS.fail(codeFor(failure), what);
  return Object.assign(error, languageCode(failure), place, {
    excerpt: excerpt(text, place),
    ...(file === undefined ? {} : { file }),
  });
}

const languageCode = (f: Failure): { jsonata?: string } => (/^[STD]\d{4}$/.test(f.code) ? { jsonata: f.code } : {});

/** JavaScript's own errors: an exhausted stack, a text beyond its maximum, anything else. */
function toFailure(e: unknown): Failure {
  if (e instanceof Failure) return e;
  if (e instanceof RangeError) return new Failure(/call stack/i.test(e.message) ? 'D1011' : 'D1012', -1);
  const text = e instanceof Error ? e.message : 'unknown';
  return new Failure('', -1, { text });
}
