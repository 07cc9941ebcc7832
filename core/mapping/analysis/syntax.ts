import type { ParseFailure } from '../ast.ts';
import type { DiagnosticCode, Report } from '../diagnostic.ts';

interface Mistake {
  /** Whether this was meant; `around` is what stands just before and behind the place of the failure, `before` all in front. */
  matches(f: ParseFailure, around: string, before: string): boolean;
  readonly hint: string;
}

/** What people write who come from another language; the first that matches counts. */
const MISTAKES: readonly Mistake[] = [
  { matches: (_f, around) => /==/.test(around), hint: 'Compare with = or !=.' },
  { matches: (_f, around) => /&&|\|\|/.test(around), hint: 'Write and, or; negate with $not( … ).' },
  { matches: (_f, around) => /\/\//.test(around), hint: 'Comments are /* … */.' },
  {
    matches: (f, _around, before) => f.code === 'S0211' && /[}\])]/.test(f.message) && before.endsWith(','),
    hint: 'Remove the comma before it.',
  },
  {
    matches: (f) => f.code === 'S0202' && /^Expected "[}\]]", got (?![)}\]])/.test(f.message),
    hint: 'A comma may be missing before it.',
  },
  {
    matches: (f) => f.code === 'S0202' && /^Expected "\)", got (?![)}\]])/.test(f.message),
    hint: 'A semicolon may be missing before it, or a comma between arguments.',
  },
  { matches: (f) => f.code === 'S0101', hint: 'Close the text with the same quotation mark.' },
  { matches: (f) => f.code === 'S0106', hint: 'Close the comment with */.' },
  { matches: (f) => f.code === 'S0105', hint: 'Close the name with a backtick.' },
  { matches: (f) => f.code === 'S0204', hint: 'Only the operators of JSONata exist; negate with $not( … ).' },
];

/** What the parser says, with a hint for common mistakes. */
export function syntaxReport(f: ParseFailure, text: string): Report {
  const message = `${f.message} (${f.code})`;
  const sign = signForColon(f, text);
  if (sign) return { code: 'mapping.colon', message: `${sign.text} stands where a colon belongs.`, at: sign.at };
  if (f.code === 'S0212') return { code: 'mapping.bindTarget', message, at: f.position };
  const around = text.slice(Math.max(0, f.position - 3), f.position + 3);
  const before = text.slice(0, f.position).trimEnd();
  const mistake = MISTAKES.find((m) => m.matches(f, around, before));
  const code: DiagnosticCode = 'mapping.syntax';
  return { code, message, at: f.position, ...(mistake ? { hint: mistake.hint } : {}) };
}

/** A key in quotes, at the begin of a constructor or behind a comma, followed by `=` or `:=`. */
function signForColon(f: ParseFailure, text: string): { readonly text: string; readonly at: number } | undefined {
  if (f.code !== 'S0202' && f.code !== 'S0212') return undefined;
  const until = f.code === 'S0212' ? text.indexOf(':=', f.position) + 2 : f.position;
  const found = /[{,]\s*(?:"[^"]*"|'[^']*')\s*(:?=)[^{},]*$/.exec(text.slice(0, until));
  const sign = found?.[1];
  if (!found || sign === undefined) return undefined;
  return { text: sign, at: found.index + found[0].search(/:?=(?=[^'"]*$|[^=]*$)/) };
}
