import type { Node } from './ast.ts';
import { genNode } from './codegen/node.ts';
import { type Finding, FnScope, Program, T } from './codegen/program.ts';
import { type Cx, openFrame, Scope } from './codegen/scope.ts';
import { RUNTIME } from './runtime/index.ts';
import { finish, type Limits, type Marked, RunState } from './runtime/state.ts';
import { sequenceOf } from './runtime/values.ts';

/** A compiled expression. Throws `Failure` (runtime/state.ts) or whatever the JavaScript engine throws. */
export interface Compiled {
  readonly kind: 'compiled';
  /** The generated JavaScript. */
  readonly code: string;
  run(input: unknown, bindings: readonly unknown[]): unknown;
}

/** An expression that cannot be compiled, with the constructs that prevent it. */
export interface NotCompiled {
  readonly kind: 'slow' | 'impure';
  readonly findings: readonly Finding[];
}

type Main = (root: unknown, x: unknown, ...bindings: unknown[]) => unknown;

/** Compiles a syntax tree. `names` are the variables that a run binds, in the order of its `bindings`. */
export function build(ast: Node, names: readonly string[], limits: Limits): Compiled | NotCompiled {
  const p = new Program();
  const main = mainCode(p, ast, names);
  if (p.impure.length > 0) return { kind: 'impure', findings: p.impure };
  if (p.slow.length > 0) return { kind: 'slow', findings: p.slow };
  const code = p.source(main);
  const state = new RunState(limits);
  // The code consists of this generator's own text; of the mapping it holds only JSON literals, see `literal`.
  const make = new Function('R', 'C', 'S', code) as (r: typeof RUNTIME, c: readonly unknown[], s: RunState) => Main;
  const run = make(RUNTIME, p.constants, state);
  return {
    kind: 'compiled',
    code,
    run(input, bindings) {
      state.reset();
      return finish(state, run(input, wrapped(input), ...bindings));
    },
  };
}

/** An array as input is one value, not a sequence. */
function wrapped(input: unknown): unknown {
  if (!Array.isArray(input) || (input as Marked).sequence === true) return input;
  const seq = sequenceOf(input);
  seq.outerWrapper = true;
  return seq;
}

function mainCode(p: Program, ast: Node, names: readonly string[]): string {
  const root = p.id('root');
  const x = p.id('x');
  const outer = new Scope(undefined);
  outer.locals.set('$', { js: root, definite: true, t: T.any });
  const params = names.map((name) => {
    const js = p.id('b');
    outer.locals.set(name, { js, definite: true, t: T.any });
    return js;
  });
  const version = (plain: boolean): string => {
    const fn = new FnScope();
    const cx: Cx = { p, fn, scope: outer, x, plain, dual: plain };
    const body = genNode(ast, openFrame(cx, [ast])).code;
    const lets = fn.lets.length === 0 ? '' : `let ${fn.lets.join(',')};`;
    return `{${lets}return ${body}}`;
  };
  const test = `${p.r('isArray')}(${x})`;
  return `(${[root, x, ...params].join(',')})=>{if(${test})${version(false)}else${version(true)}}`;
}
