import { parse } from '../../core/mapping/ast.ts';
import { build } from '../../core/mapping/engine.ts';
import { DEFAULT_LIMITS, type Effects, Failure, type Limits } from '../../core/mapping/runtime/state.ts';

/** Runs a text without the analysis in front of it: what the generated code does, not what the door refuses. */
export function run(
  text: string,
  input: unknown = {},
  ctx: unknown = {},
  o: { readonly limits?: Partial<Limits>; readonly effects?: Effects } = {},
): unknown {
  const parsed = parse(text);
  if ('failure' in parsed) return `refused: ${parsed.failure.code}`;
  const built = build(parsed.ast, ['ctx'], { ...DEFAULT_LIMITS, ...o.limits }, o.effects);
  if (built.kind !== 'compiled') return `refused: ${built.kind}`;
  try {
    return built.run(input, [ctx]);
  } catch (e) {
    return `failed: ${codeOf(e)}`;
  }
}

function codeOf(e: unknown): string {
  // An exhausted stack is what the guard of the depth is there for.
  if (!(e instanceof Failure)) return e instanceof RangeError && /call stack/.test(e.message) ? 'D1011' : String(e);
  return e.info.cause ? `${e.code} ${e.info.cause.code}` : e.code;
}
