import jsonata from 'jsonata';
import { parse } from '../../core/mapping/ast.ts';
import { build } from '../../core/mapping/engine.ts';
import { DEFAULT_LIMITS, Failure } from '../../core/mapping/runtime/state.ts';

/** What an evaluation gives, in a form that shows everything that counts: kinds, key order, missing values. */
export type Outcome = { readonly value: string } | { readonly error: string | undefined };

const MARKS = ['sequence', 'keepSingleton', 'cons', 'tupleStream', 'outerWrapper'];

/** Marks of sequences that must not leave either engine unnoticed are part of the compiled side's text. */
export function text(v: unknown, strict = false): string {
  if (v === undefined) return 'nothing';
  if (typeof v === 'function') return 'function';
  if (typeof v === 'number') return Object.is(v, -0) ? '-0' : String(v);
  if (typeof v !== 'object' || v === null) return JSON.stringify(v);
  if (Array.isArray(v)) {
    const extra = strict && MARKS.some((mark) => Object.hasOwn(v, mark)) ? '!marked' : '';
    return `[${Array.from(v, (i: unknown) => text(i, strict)).join(',')}]${extra}`;
  }
  const kind = Reflect.get(v, 'kind');
  const isLanguageFunction = Reflect.get(v, '_jsonata_lambda') === true || Reflect.get(v, '_jsonata_function') === true;
  if (isLanguageFunction || (typeof kind === 'string' && 'arity' in v && 'plain' in v)) return 'function';
  return `{${Object.entries(v)
    .map(([k, i]) => `${JSON.stringify(k)}:${text(i, strict)}`)
    .join(',')}}`;
}

/** The reference: the pinned interpreter. */
export async function interpreted(
  expression: string,
  input: unknown,
  bindings: Record<string, unknown>,
): Promise<Outcome> {
  const own: unknown = structuredClone(input);
  const outcome = await evaluated(expression, own, bindings);
  // The interpreter changes its input in some corners; what follows from that is not to be imitated.
  return unchanged(own, input) ? outcome : { error: undefined };
}

function unchanged(own: unknown, input: unknown): boolean {
  try {
    return text(own) === text(structuredClone(input));
  } catch {
    // It has become a part of itself.
    return false;
  }
}

async function evaluated(expression: string, input: unknown, bindings: Record<string, unknown>): Promise<Outcome> {
  try {
    return { value: text(await jsonata(expression).evaluate(input, bindings)) };
  } catch (e) {
    const code: unknown = typeof e === 'object' && e !== null ? Reflect.get(e, 'code') : undefined;
    return { error: typeof code === 'string' ? code : undefined };
  }
}

const LIMITS = { ...DEFAULT_LIMITS, sequence: 1e7, steps: 1e8 };

/** The same compiled; undefined when the expression is not compiled. */
export function compiled(expression: string, given: unknown, bindings: Record<string, unknown>): Outcome | undefined {
  const input: unknown = structuredClone(given);
  const parsed = parse(expression);
  if ('failure' in parsed) return { error: parsed.failure.code };
  const built = build(parsed.ast, Object.keys(bindings), LIMITS);
  if (built.kind !== 'compiled') return undefined;
  const before = text(input);
  try {
    const value = text(built.run(input, Object.values(bindings)), true);
    if (text(input, true) !== before) return { value: 'the input was changed' };
    return { value };
  } catch (e) {
    if (e instanceof Failure) return { error: e.code };
    return { error: e instanceof Error ? `${e.name}: ${e.message}` : 'unknown' };
  }
}
