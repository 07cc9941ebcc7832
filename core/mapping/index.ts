import { analyse, distinct } from './analysis/index.ts';
import { type MessageSchema, toShape } from './analysis/shape.ts';
import { parse } from './ast.ts';
import { type Diagnostic, toDiagnostic } from './diagnostic.ts';
import { build, type Compiled } from './engine.ts';
import { MAPPING_ERRORS, toMappingError } from './errors.ts';
import { interpret } from './interpreter.ts';
import { DEFAULT_LIMITS, type Limits } from './runtime/state.ts';

export type { MessageSchema } from './analysis/shape.ts';
export { DIAGNOSTICS, type Diagnostic, type DiagnosticCode, type Severity } from './diagnostic.ts';
export { MAPPING_ERRORS, type MappingError } from './errors.ts';
export { DEFAULT_LIMITS, type Limits } from './runtime/state.ts';

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
}

export interface CompileResult {
  /** Absent when a diagnostic is an error. */
  readonly mapping?: Mapping;
  readonly diagnostics: readonly Diagnostic[];
}

/** Variables that a mapping finds bound. */
const BINDINGS = ['ctx'];

/** Compiles the text of a mapping (JSONata) to synchronous JavaScript. Never throws. */
export function compile(text: string, o: CompileOptions = {}): CompileResult {
  const { file } = o;
  const parsed = parse(text);
  if ('failure' in parsed) {
    const { message, position, code } = parsed.failure;
    const report = { code: 'mapping.syntax', message: `${message} (${code})`, at: position } as const;
    return { diagnostics: [toDiagnostic(report, text, file)] };
  }
  const reports = analyse(parsed.ast, { bindings: BINDINGS, from: toShape(o.from), to: toShape(o.to) });
  const built = build(parsed.ast, BINDINGS, { ...DEFAULT_LIMITS, ...o.limits });
  if (built.kind === 'slow') {
    for (const { construct, position } of built.findings) {
      reports.push({
        code: 'mapping.slowConstruct',
        message: `The interpreter is needed for ${construct}.`,
        at: position,
      });
    }
  }
  const diagnostics = distinct(reports)
    .sort((a, b) => a.at - b.at)
    .map((r) => toDiagnostic(r, text, file));
  if (diagnostics.some((d) => d.severity === 'error') || built.kind === 'impure') return { diagnostics };
  const mapping = built.kind === 'compiled' ? fastMapping(text, file, built) : slowMapping(text, file);
  return { mapping, diagnostics };
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
