import { checkDepth } from './analysis/depth.ts';
import { analyse, distinct } from './analysis/index.ts';
import type { MessageSchema } from './analysis/schema.ts';
import { syntaxReport } from './analysis/syntax.ts';
import { type Node, parse } from './ast.ts';
import { type Diagnostic, FATAL, toDiagnostic } from './diagnostic.ts';
import { build, type Compiled, type NotCompiled } from './engine.ts';
import { MAPPING_ERRORS, toMappingError } from './errors.ts';
import { interpret } from './interpreter.ts';
import { DEFAULT_LIMITS, type Effects, type Limits } from './runtime/state.ts';

export { describe } from './analysis/describe.ts';
export type * from './analysis/description.ts';
export type { MessageSchema } from './analysis/schema.ts';
export { SLOW_CONSTRUCTS } from './codegen/slow.ts';
export { type DiagnoseOptions, diagnose } from './diagnose.ts';
export { DIAGNOSTICS, type Diagnostic, type DiagnosticCode, type Severity } from './diagnostic.ts';
export { MAPPING_ERRORS, type MappingError } from './errors.ts';
export { type Evaluation, evaluate, type MadeMessage } from './evaluate.ts';
export { DEFAULT_LIMITS, type Effects, type Limits } from './runtime/state.ts';
export { type Skeleton, type SkeletonOptions, skeleton } from './skeleton.ts';

/** A mapping that can run. */
export interface Mapping {
  readonly source: string;
  /** It needs the interpreter: only {@link runAsync}. */
  readonly slow: boolean;
  /**
   * Maps `input` (`$`) in the context `ctx` (`$ctx`). Always synchronous; neither argument is changed, parts of them may
   * be shared with the result. Throws a {@link MappingError} with code, line and column; slow mappings throw `mapping.slow`.
   */
  run(input: unknown, ctx: unknown): unknown;
  runAsync(input: unknown, ctx: unknown): Promise<unknown>;
}

export interface CompileOptions {
  /** The source message: its topic, or its schema for checks of the fields that are read. */
  readonly from?: string | MessageSchema;
  /** The target message: its topic, or its schema for checks of the fields that are written. */
  readonly to?: string | MessageSchema;
  /** Named in diagnostics and errors. */
  readonly file?: string;
  /** Bounds of one run; steps and lengths above the default are for tests. */
  readonly limits?: Partial<Limits>;
  /** Clock and chance for `$now`, `$millis`, `$random`, `$shuffle`; without them these functions are refused. */
  readonly effects?: Effects;
}

export interface CompileResult {
  /** Absent when a diagnostic says that it cannot be compiled; with other errors it runs and fails where they are. */
  readonly mapping?: Mapping;
  /** Found out when they are first asked for. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Names that the analysis looks for as names of variables, too. */
const FORBIDDEN = /__proto__|constructor|prototype/;

/** Variables that a mapping finds bound. */
const BINDINGS = ['ctx'];

/** Compiles the text of a mapping (JSONata) to synchronous JavaScript. Never throws. */
export function compile(text: string, o: CompileOptions = {}): CompileResult {
  const { file } = o;
  const parsed = parse(text);
  if ('failure' in parsed) {
    return { diagnostics: [toDiagnostic(syntaxReport(parsed.failure, text), text, file)] };
  }
  const deep = checkDepth(parsed.ast);
  if (deep.length > 0) return { diagnostics: deep.map((r) => toDiagnostic(r, text, file)) };
  const built = build(parsed.ast, BINDINGS, { ...DEFAULT_LIMITS, ...o.limits }, o.effects);
  const findings = (): readonly Diagnostic[] => findingsOf(parsed.ast, text, o, built);
  // Nothing fatal was met: the analysis, which takes as long as all the rest, can wait until somebody wants to see it.
  if (built.kind === 'compiled' && !built.dubious && !FORBIDDEN.test(text))
    return later(fastMapping(text, file, built), findings);
  const diagnostics = findings();
  if (diagnostics.some((d) => FATAL.has(d.code)) || built.kind === 'impure') return { diagnostics };
  return { mapping: built.kind === 'compiled' ? fastMapping(text, file, built) : slowMapping(text, file), diagnostics };
}

function later(mapping: Mapping, find: () => readonly Diagnostic[]): CompileResult {
  let found: readonly Diagnostic[] | undefined;
  return {
    mapping,
    get diagnostics() {
      found ??= find();
      return found;
    },
  };
}

function findingsOf(ast: Node, text: string, o: CompileOptions, built: Compiled | NotCompiled): readonly Diagnostic[] {
  const all = analyse(ast, { bindings: BINDINGS, from: o.from, to: o.to });
  const reports = o.effects ? all.filter((r) => r.code !== 'mapping.impureFunction') : all;
  if (built.kind === 'slow') {
    for (const { construct, position } of built.findings) {
      reports.push({
        code: 'mapping.slowConstruct',
        message: `The interpreter is needed for ${construct}.`,
        at: position,
      });
    }
  }
  return distinct(reports)
    .sort((a, b) => a.at - b.at)
    .map((r) => toDiagnostic(r, text, o.file));
}

function fastMapping(source: string, file: string | undefined, compiled: Compiled): Mapping {
  const run = (input: unknown, ctx: unknown): unknown => {
    try {
      return compiled.run(input, [ctx]);
    } catch (e) {
      throw toMappingError(e, source, file);
    }
  };
  return { source, slow: false, run, runAsync: async (input, ctx) => run(input, ctx) };
}

function slowMapping(source: string, file: string | undefined): Mapping {
  return {
    source,
    slow: true,
    run() {
      throw MAPPING_ERRORS.fail('mapping.slow', file && `${file} needs the interpreter and cannot run synchronously.`);
    },
    runAsync: (input, ctx) => interpret(source, file, input, ctx),
  };
}
