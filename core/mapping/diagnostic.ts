import { excerpt, placeOf } from './position.ts';

export type Severity = 'error' | 'warning' | 'info';

/** A finding about a mapping at compile time. */
export interface Diagnostic {
  /** Stable, e.g. `mapping.unbound`; see {@link DIAGNOSTICS}. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly hint?: string;
  readonly file?: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** The line with a caret below the column. */
  readonly excerpt: string;
}

interface DiagnosticKind {
  readonly severity: Severity;
  /** What the diagnostic is about, for the generated reference. */
  readonly about: string;
  readonly hint: string;
}

/** One row per diagnostic: severity, meaning, standing hint. A mapping with an error cannot run. */
export const DIAGNOSTICS = {
  'mapping.syntax': {
    severity: 'error',
    about: 'The text is not valid JSONata.',
    hint: 'Correct the text at the caret.',
  },
  'mapping.unknownFunction': {
    severity: 'error',
    about: 'A function is called that neither the language nor the mapping defines.',
    hint: 'Check the spelling; define own functions before the call with $name := function(…){…}.',
  },
  'mapping.impureFunction': {
    severity: 'error',
    about:
      'A function is used whose result depends on more than its arguments ($now, $millis, $random, $shuffle, $eval).',
    hint: 'Take the time from $ctx.at and ids from $ctx.ids.',
  },
  'mapping.unbound': {
    severity: 'error',
    about: 'A variable is used that is bound nowhere in sight.',
    hint: 'Bind it with := in the same or an outer block; only $, $$ and $ctx exist from the start.',
  },
  'mapping.forbiddenName': {
    severity: 'error',
    about: 'A field or variable is called __proto__, constructor or prototype.',
    hint: 'These names cannot be read or written.',
  },
  'mapping.slowConstruct': {
    severity: 'warning',
    about: 'A construct is not compiled: the mapping needs the interpreter and runs only in the map node.',
    hint: 'Replace the construct; variables are best bound in a block before the constructor.',
  },
  'mapping.unused': {
    severity: 'warning',
    about: 'A variable is bound and never used.',
    hint: 'Remove the binding, or use it.',
  },
  'mapping.shadowed': {
    severity: 'warning',
    about: 'A variable or parameter hides another of the same name, or a function of the language.',
    hint: 'Give it a name of its own.',
  },
  'mapping.unknownSource': {
    severity: 'warning',
    about: 'A field is read that the source message does not have.',
    hint: 'Compare with the fields of the source message.',
  },
  'mapping.targetUnknown': {
    severity: 'warning',
    about: 'A field is written that the target message does not have.',
    hint: 'Compare with the fields of the target message.',
  },
  'mapping.targetMissing': {
    severity: 'warning',
    about: 'A required field of the target message is never written.',
    hint: 'Write the field; without it the result is refused.',
  },
  'mapping.unit': {
    severity: 'warning',
    about: 'A field with a unit suffix is fed from a field with another unit.',
    hint: 'Convert the value, e.g. multiply kW by 1000.',
  },
} as const satisfies Record<string, DiagnosticKind>;

export type DiagnosticCode = keyof typeof DIAGNOSTICS;

/** What a check reports; the place becomes line, column and excerpt. */
export interface Report {
  readonly code: DiagnosticCode;
  readonly message: string;
  /** Offset in the text. */
  readonly at: number;
  readonly hint?: string;
}

export function toDiagnostic(r: Report, text: string, file: string | undefined): Diagnostic {
  const place = placeOf(text, r.at);
  const kind = DIAGNOSTICS[r.code];
  return {
    code: r.code,
    severity: kind.severity,
    message: r.message,
    hint: r.hint ?? kind.hint,
    ...(file === undefined ? {} : { file }),
    ...place,
    excerpt: excerpt(text, place),
  };
}
