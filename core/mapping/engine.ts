import { BoundedMap } from '../bounded.ts';
import { type Node, parse } from './ast.ts';
import { mentions } from './codegen/names.ts';
import { genNode } from './codegen/node.ts';
import { type Finding, FnScope, Program, T } from './codegen/program.ts';
import { type Cx, openFrame, Scope } from './codegen/scope.ts';
import { wrapped } from './runtime/frame.ts';
import { RUNTIME } from './runtime/index.ts';
import { type Effects, type Evaluator, fail, finish, type Limits, RunState } from './runtime/state.ts';

/** A compiled expression. Throws `Failure` (runtime/state.ts) or whatever the JavaScript engine throws. */
export interface Compiled {
  readonly kind: 'compiled';
  /** The generated JavaScript. */
  readonly code: string;
  /** It mentions names that are bound nowhere, names that are not available, or `$eval`. */
  readonly dubious: boolean;
  run(input: unknown, bindings: readonly unknown[]): unknown;
}

/** An expression that cannot be compiled, with the constructs that prevent it. */
export interface NotCompiled {
  readonly kind: 'slow' | 'impure';
  readonly findings: readonly Finding[];
}

type Code<F> = (r: typeof RUNTIME, c: readonly unknown[], s: RunState) => F;
type Main = (root: unknown, x: unknown, ...bindings: unknown[]) => unknown;

/**
 * Compiles a syntax tree. `names` are the variables that a run binds, in the order of its `bindings`. Without `effects`
 * expressions that need time or chance are not compiled.
 */
export function build(ast: Node, names: readonly string[], limits: Limits, effects?: Effects): Compiled | NotCompiled {
  const p = new Program(ast, effects !== undefined);
  const live = mentions(ast, 'eval');
  const main = live ? liveCode(p, ast, names) : mainCode(p, ast, names, true);
  if (p.impure.length > 0) return { kind: 'impure', findings: p.impure };
  if (p.slow.length > 0) return { kind: 'slow', findings: p.slow };
  const code = p.source(main);
  const state = new RunState(limits, effects);
  if (live) state.evaluator = evaluator(state);
  const forOne = instance<Main>(code, p, state);
  let forArray = live ? forOne : undefined;
  return {
    kind: 'compiled',
    code,
    dubious: live || p.dubious,
    run(input, bindings) {
      state.reset();
      const x = wrapped(input);
      if (!Array.isArray(x)) return finish(state, forOne(input, x, ...bindings));
      forArray ??= arrayCode(ast, names, state);
      return finish(state, forArray(input, x, ...bindings));
    },
  };
}

/** The code for an array as input is made when the first one arrives: messages are objects. */
function arrayCode(ast: Node, names: readonly string[], state: RunState): Main {
  const p = new Program(ast, true);
  return instance<Main>(p.source(mainCode(p, ast, names, false)), p, state);
}

function instance<F>(code: string, p: Program, state: RunState): F {
  // The code consists of this generator's own text; of the mapping it holds only JSON literals, see `literal`.
  const make = new Function('R', 'C', 'S', code) as Code<F>;
  return make(RUNTIME, p.constants, state);
}

/** `plain`: for inputs that are no arrays. */
function mainCode(p: Program, ast: Node, names: readonly string[], plain: boolean): string {
  const root = p.id('root');
  const x = p.id('x');
  const outer = new Scope(undefined);
  outer.locals.set('$', { js: root, definite: true, t: T.any });
  const params = names.map((name) => {
    const js = p.id('b');
    outer.locals.set(name, { js, definite: true, t: T.any });
    return js;
  });
  const code = body(ast, openFrame({ p, fn: new FnScope(), scope: outer, x, plain, dual: plain }, [ast]));
  return `(${[root, x, ...params].join(',')})=>${code}`;
}

function body(ast: Node, cx: Cx): string {
  const { code } = genNode(ast, cx);
  const lets = cx.fn.lets.length === 0 ? '' : `let ${cx.fn.lets.join(',')};`;
  return `{${lets}return ${code}}`;
}

/** The same with variables in frames, for expressions that use `$eval`. */
function liveCode(p: Program, ast: Node, names: readonly string[]): string {
  const x = p.id('x');
  const frame = p.id('f');
  const cx = liveCx(p, x, frame);
  const given = ['$', ...names];
  const params = given.map(() => p.id('b'));
  const [root = '', ...rest] = params;
  const code = body(ast, cx);
  const list = given.map((name) => JSON.stringify(name)).join(',');
  const own = `const ${frame}=${p.r('paramFrame')}(undefined,[${list}],[${params.join(',')}]);`;
  return `(${[root, x, ...rest].join(',')})=>{${own}${code}}`;
}

const liveCx = (p: Program, x: string, frame: string): Cx => ({
  p,
  fn: new FnScope(),
  scope: new Scope(undefined),
  x,
  plain: false,
  dual: false,
  frame,
});

/** Texts of `$eval` that stay compiled. */
const KEPT_TEXTS = 32;

/** Compiles what `$eval` is given, in the same run, with the same bounds and into the frame of the call. */
function evaluator(state: RunState): Evaluator {
  const known = new BoundedMap<string, ReturnType<Evaluator>>({
    name: 'mapping.eval',
    max: KEPT_TEXTS,
    overflow: 'dropOldest',
  });
  return (text) => {
    const kept = known.get(text);
    if (kept) return kept;
    const parsed = parse(text);
    if ('failure' in parsed) return fail('D3120', -1, { value: parsed.failure.code, text: parsed.failure.message });
    const p = new Program(parsed.ast, true);
    const [x, frame] = [p.id('x'), p.id('f')];
    const main = `(${frame},${x})=>${body(parsed.ast, liveCx(p, x, frame))}`;
    const [slow] = p.slow;
    if (slow) fail('D3121', -1, { text: `${slow.construct} cannot be evaluated here.` });
    const made = instance<ReturnType<Evaluator>>(p.source(main), p, state);
    known.set(text, made);
    return made;
  };
}
