import { DIAGNOSTICS, type DiagnosticCode } from './analysis/codes.ts';
import { excerpt, placeOf } from './position.ts';

export { DIAGNOSTICS, type DiagnosticCode, FATAL } from './analysis/codes.ts';

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

export interface DiagnosticKind {
  readonly severity: Severity;
  /** What the diagnostic is about, for the generated reference. */
  readonly about: string;
  readonly hint: string;
}

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
