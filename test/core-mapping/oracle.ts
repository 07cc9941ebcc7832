import jsonata from 'jsonata';
import { children, type Node, parse } from '../../core/mapping/ast.ts';
import { build } from '../../core/mapping/engine.ts';
import { startOf } from '../../core/mapping/position.ts';
import { DEFAULT_LIMITS, Failure } from '../../core/mapping/runtime/state.ts';

/** What an evaluation gives, in a form that shows everything that counts: kinds, key order, missing values. */
export type Outcome =
  | { readonly value: string }
  /** `places`: offsets in the text; the interpreter's place is where a token ends, ours where the node begins. */
  | { readonly error: string | undefined; readonly places?: readonly number[] };

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

/** Where the nodes and operators begin whose place the interpreter gives as `position`. */
function placesFor(expression: string, position: number): number[] {
  const parsed = parse(expression);
  const found: number[] = [];
  const visit = (node: Node): void => {
    if (node.position === position) found.push(startOf(node));
    if (node.type === 'binary' && node.position === position) found.push(position - node.value.length);
    if ((node.type === 'sort' || node.type === 'unary') && node.position === position) found.push(position - 1);
    if (node.group?.position === position) found.push(position - 1);
    children(node).forEach(visit);
  };
  if ('ast' in parsed) visit(parsed.ast);
  return found;
}

/**
 * Calls, `and` and `or` pass their own place on to errors from inside; a function of the language even that of a call in
 * some other expression. This engine names the innermost place.
 */
const passesOn = (expression: string): boolean => /[\w)]\(|~>|\b(and|or)\b/.test(expression);

/** The interpreter evaluates the parts of constructors at once; which of several errors wins is chance. */
const hasRace = (expression: string): boolean => /[[{][^\]}]*[,{[]/.test(expression);

/** Whether the compiled outcome is what the interpreter's asks for. */
export function agrees(expression: string, got: Outcome, expected: Outcome): boolean {
  if ('value' in expected) {
    // Grouping an empty array puts a missing item into that very array, wherever else it is in use.
    if (/\[nothing(,nothing)*\]/.test(expected.value)) return true;
    if (!('value' in got)) return false;
    return got.value === expected.value || got.value === expected.value.replaceAll('[null]', '[]');
  }
  // The same missing item, among the deletions of a transform.
  if (expected.error === 'T2012' && expression.includes('~> |')) return true;
  // No code: the interpreter broke down (a JavaScript error of its own) or changed its input.
  if (expected.error === undefined) return true;
  if (!('error' in got)) return false;
  if (got.error !== expected.error) return hasRace(expression);
  if (!expected.places || !got.places || passesOn(expression) || hasRace(expression)) return true;
  return got.places.every((at) => expected.places?.includes(at));
}

/** `?:` and `??` copy a regular expression on their left wrongly: the interpreter then matches for ever. */
const copiesRegex = (expression: string): boolean => /[(,] *\/[^/]+\/[\s\S]*(\?:|\?\?)/.test(expression);

/** The reference: the pinned interpreter. */
export async function interpreted(
  expression: string,
  input: unknown,
  bindings: Record<string, unknown>,
): Promise<Outcome> {
  if (copiesRegex(expression)) return { error: undefined };
  const own: unknown = structuredClone(input);
  const bound = structuredClone(bindings);
  const outcome = await evaluated(expression, own, bound);
  // The interpreter changes what it is given in some corners; what follows from that is not to be imitated.
  return unchanged(own, input) && unchanged(bound, bindings) ? outcome : { error: undefined };
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
    const [code, position] = ['code', 'position'].map((key): unknown =>
      typeof e === 'object' && e !== null ? Reflect.get(e, key) : undefined,
    );
    if (typeof code !== 'string') return { error: undefined };
    return typeof position === 'number' ? { error: code, places: placesFor(expression, position) } : { error: code };
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
  const bound = structuredClone(bindings);
  const before = text([input, bound]);
  try {
    const value = text(built.run(input, Object.values(bound)), true);
    if (text([input, bound], true) !== before) return { value: 'the input was changed' };
    return { value };
  } catch (e) {
    if (e instanceof Failure) return e.position < 0 ? { error: e.code } : { error: e.code, places: [e.position] };
    return { error: e instanceof Error ? `${e.name}: ${e.message}` : 'unknown' };
  }
}
