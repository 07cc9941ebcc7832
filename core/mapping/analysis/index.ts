import type { Node } from '../ast.ts';
import type { Report } from '../diagnostic.ts';
import { startOf } from '../position.ts';
import { builtinNames } from '../runtime/builtins.ts';
import { isForbidden } from '../runtime/values.ts';
import { type Facts, gatherFacts } from './facts.ts';
import { checkCalls } from './functions.ts';
import { lint } from './lint.ts';
import { type MessageSchema, toForm } from './schema.ts';
import { checkTargets } from './targets.ts';
import { nearest } from './text.ts';
import { trace } from './tracing.ts';

export interface AnalysisOptions {
  /** Variables that exist from the start, without `$`. */
  readonly bindings: readonly string[];
  /** Schemas of source and target, where they are to be compared; a mere topic is not. */
  readonly from?: string | MessageSchema | undefined;
  readonly to?: string | MessageSchema | undefined;
}

interface Subject extends AnalysisOptions {
  readonly ast: Node;
  readonly facts: Facts;
}

type Check = (s: Subject) => Report[];

/** The order does not matter. */
const CHECKS: readonly Check[] = [
  unknownFunctions,
  ({ facts }) => facts.impure.map((f) => impure(f.name, f.at)),
  unbound,
  forbiddenNames,
  unused,
  shadowed,
  ({ facts }) => checkCalls(facts),
  ({ ast }) => lint(ast),
  againstSchemas,
];

/** All findings about a tree that parsed, except for what only the code generator sees. */
export function analyse(ast: Node, o: AnalysisOptions): Report[] {
  const subject: Subject = { ...o, ast, facts: gatherFacts(ast, o.bindings) };
  return withoutEchoes(
    CHECKS.flatMap((check) => check(subject)),
    (r) => String(r.at),
  );
}

/** `sum(x)` reads a field sum only because the $ is missing: one finding. */
export function withoutEchoes<R extends { readonly code: string }>(all: readonly R[], place: (r: R) => string): R[] {
  const calls = new Set(all.filter((r) => r.code === 'mapping.missingDollar').map(place));
  return all.filter((r) => r.code !== 'mapping.unknownSource' || !calls.has(place(r)));
}

/** Follows the values where a schema is given, which is the costly part. */
function againstSchemas({ ast, from, to }: Subject): Report[] {
  const [source, target] = [toForm(from, ''), toForm(to)];
  if (!source && !target) return [];
  const { result, reports } = trace(ast, { source });
  return [...reports, ...(target ? checkTargets(result, [{ topic: '', form: target }], startOf(ast)) : [])];
}

/** The parser copies parts of some expressions, and some code is generated twice; findings count once. */
export function distinct(reports: readonly Report[]): Report[] {
  return [...new Map(reports.map((r) => [`${r.code} ${r.at} ${r.message}`, r])).values()];
}

function unknownFunctions({ facts }: Subject): Report[] {
  return facts.unresolved
    .filter((u) => u.called)
    .map(({ name, at }) => {
      const known = [...builtinNames(), ...facts.bindings.map((b) => b.name)];
      const meant = nearest(name, known);
      const report: Report = { code: 'mapping.unknownFunction', message: `There is no function $${name}.`, at };
      return meant === undefined ? report : { ...report, hint: `Is $${meant} meant?` };
    });
}

const impure = (name: string, at: number): Report => ({
  code: 'mapping.impureFunction',
  message: `$${name} is not available in mappings.`,
  at,
});

function unbound({ facts }: Subject): Report[] {
  return facts.unresolved
    .filter((u) => !u.called)
    .map(({ name, at }) => {
      const meant = nearest(
        name,
        facts.bindings.map((b) => b.name),
      );
      const report: Report = { code: 'mapping.unbound', message: `The variable $${name} is not bound.`, at };
      return meant === undefined ? report : { ...report, hint: `Is $${meant} meant?` };
    });
}

function forbiddenNames({ facts }: Subject): Report[] {
  const names = [...facts.fields, ...facts.bindings, ...facts.unresolved];
  return names
    .filter((n) => isForbidden(n.name))
    .map(({ name, at }) => ({ code: 'mapping.forbiddenName', message: `The name ${name} is not available.`, at }));
}

function unused({ facts }: Subject): Report[] {
  // The text that $eval gets may use any of them.
  if (facts.calls.some(({ node }) => node.procedure.type === 'variable' && node.procedure.value === 'eval')) return [];
  return facts.bindings
    .filter((b) => b.uses === 0 && (b.kind === 'variable' || b.kind === 'row'))
    .map(({ name, at }) => ({ code: 'mapping.unused', message: `$${name} is bound but never used.`, at }));
}

function shadowed({ facts }: Subject): Report[] {
  return facts.bindings.flatMap((b): Report[] => {
    if (b.hides === undefined || b.kind === 'given') return [];
    const what = b.hides === 'function' ? 'the function of the language' : 'an outer variable';
    return [{ code: 'mapping.shadowed', message: `$${b.name} hides ${what} of the same name.`, at: b.at }];
  });
}
