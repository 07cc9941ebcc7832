import type { ApplyNode, CallNode, LambdaNode, Node, PartialNode, TransformNode } from '../ast.ts';
import { startOf } from '../position.ts';
import { builtin } from '../runtime/builtins.ts';
import type { Builtin } from '../runtime/fn.ts';
import { directCall, directFn } from './bounds.ts';
import { genNode, openFunction, stepFn } from './node.ts';
import { truth } from './operators.ts';
import { type Emit, emit, FnScope, literal, T } from './program.ts';
import { boundNames, type Cx, type DirectFn, declare, isBuiltin, newFrame, refer, Scope } from './scope.ts';

/** The name under which errors mention the called function. */
function tokenOf(procedure: Node): string {
  if (procedure.type === 'variable') return procedure.value;
  const first = procedure.type === 'path' ? procedure.steps[0] : undefined;
  return first?.type === 'name' ? first.value : '';
}

function knownBuiltin(cx: Cx, procedure: Node): Builtin | undefined {
  if (procedure.type !== 'variable' || procedure.predicate || procedure.group) return undefined;
  if (!isBuiltin(cx, procedure.value)) return undefined;
  cx.p.noteImpure(procedure.value, startOf(procedure));
  return builtin(procedure.value);
}

const RESULT: Readonly<Record<string, number>> = { n: T.num | T.undef, s: T.str | T.undef, b: T.bool | T.undef };

function resultType(b: Builtin): number {
  const declared = b.signature.definition.split(':').at(-1)?.charAt(0) ?? 'x';
  return RESULT[declared] ?? T.any;
}

/** `$f(…)`; `first` is the left side of `~>`. */
export function genCall(node: CallNode, cx: Cx, first?: Emit): Emit {
  const at = startOf(node);
  const b = knownBuiltin(cx, node.procedure);
  if (b) return genBuiltin(b, [...(first ? [first] : []), ...node.arguments.map((a) => genNode(a, cx))], cx, at);
  const direct = knownFn(node.procedure, cx);
  if (direct) {
    return emit(directCall(direct, [...(first ? [first.code] : []), ...genArgs(node.arguments, cx)].join(','), cx));
  }
  const token = literal(tokenOf(node.procedure));
  const left = first && cx.p.id('t');
  if (left) cx.fn.lets.push(left);
  const proc = genProcedure(node.procedure, cx, 'T1005', at);
  const args = [...(left ? [left] : []), ...genArgs(node.arguments, cx)].join(',');
  const code = `${within('call', cx)}${proc},[${args}],${cx.x},${at},${token})`;
  return emit(left ? `(${left}=${first.code},${code})` : code);
}

/** The function of the mapping that is called, where it is known. */
function knownFn(procedure: Node, cx: Cx): DirectFn | undefined {
  if (procedure.type !== 'variable' || procedure.predicate || procedure.group) return undefined;
  return directFn(cx, procedure.value);
}

/** The start of a runtime call that `$eval` may lie behind: where variables live in frames, it is told its own. */
function within(name: 'call' | 'passed' | 'pipe' | 'partial', cx: Cx): string {
  if (!cx.frame) return `${cx.p.r(name)}(${name === 'passed' ? '' : 'S,'}`;
  return `${cx.p.r(`${name}In` as const)}(S,${cx.frame},`;
}

function genArgs(args: readonly Node[], cx: Cx): string[] {
  return args.map((a) => {
    const e = genNode(a, cx);
    return e.t & T.fn ? `${within('passed', cx)}${e.code})` : e.code;
  });
}

/** The function to call. Someone who forgot the `$` of a known function is told so. */
function genProcedure(procedure: Node, cx: Cx, code: 'T1005' | 'T1007', at: number): string {
  const e = genNode(procedure, cx);
  const name = procedure.type === 'path' ? tokenOf(procedure) : '';
  const meant = name === '' ? undefined : refer(cx, name);
  if (!meant) return e.code;
  const t = cx.p.id('t');
  cx.fn.lets.push(t);
  const failing = `${cx.p.r('fail')}(${literal(code)},${at},{token:${literal(name)}})`;
  return `((${t}=${e.code})===undefined&&${meant.code}?${failing}:${t})`;
}

function genBuiltin(b: Builtin, args: readonly Emit[], cx: Cx, at: number): Emit {
  const { p } = cx;
  const [a, second] = args;
  if (args.length === 1 && a) {
    if (b.name === 'exists') return emit(`(${a.code}!==undefined)`, T.bool);
    if (b.name === 'not' && !(a.t & T.undef)) return emit(`!${truth(a, cx)}`, T.bool);
    if (b.name === 'boolean' && !(a.t & T.undef)) return emit(truth(a, cx), T.bool);
    if (b.name === 'string' && a.t === T.str) return a;
    return emit(`${p.r('call1')}(S,${p.builtinRow(b)},${a.code},${cx.x},${at})`, resultType(b));
  }
  const row = p.builtinRow(b);
  if (args.length === 2 && a && second) {
    return emit(`${p.r('call2')}(S,${row},${a.code},${second.code},${cx.x},${at})`, resultType(b));
  }
  const list = args.map((e) => e.code).join(',');
  return emit(`${p.r('callMany')}(S,${row},[${list}],${cx.x},${at})`, resultType(b));
}

/** `a ~> f` */
export function genApply(node: ApplyNode, cx: Cx): Emit {
  const left = genNode(node.lhs, cx);
  if (node.rhs.type === 'function') return genCall(node.rhs, cx, left);
  const right = genNode(node.rhs, cx);
  return emit(`${within('pipe', cx)}${left.code},${right.code},${startOf(node)})`);
}

/** A call in tail position: left to the trampoline, except for built-ins that cannot call back into it. */
export function genTail(node: CallNode, cx: Cx): Emit {
  const { p } = cx;
  const at = startOf(node);
  const b = knownBuiltin(cx, node.procedure);
  if (b && !cx.lateTail && (!b.signature.usesContext || node.arguments.length >= b.signature.params.length)) {
    const args = node.arguments.map((a) => genNode(a, cx).code).join(',');
    return emit(`${p.r('tailBuiltin')}(S,${p.builtinRow(b)},[${args}],${at})`, T.any, true);
  }
  const direct = cx.lateTail ? undefined : knownFn(node.procedure, cx);
  if (direct) {
    const args = node.arguments.map((a) => genNode(a, cx).code).join(',');
    return emit(directCall(direct, args, cx), T.any, true);
  }
  cx.fn.hasTail = true;
  const proc = genNode(node.procedure, cx).code;
  const args = node.arguments.map((a) => genNode(a, cx).code).join(',');
  const token = literal(tokenOf(node.procedure));
  const code = `${p.r('tail')}(${proc},[${args}],${at},${token})`;
  // Not even the arguments of a late call are evaluated before it is known that it will be made.
  const late = `${p.r('tail')}(${p.r('lambda')}(()=>(${code}),0,undefined,true),[],${at},${token})`;
  return emit(cx.lateTail ? late : code, T.any, true);
}

export function genLambda(node: LambdaNode, cx: Cx): Emit {
  if (node.thunk) return node.body.type === 'function' ? genTail(node.body, cx) : genNode(node.body, cx);
  const { code, value } = genFunction(node, cx);
  return emit(value(code), T.fn);
}

interface GeneratedFn {
  /** JavaScript of the function. */
  readonly code: string;
  readonly fn: FnScope;
  /** The function as a value of the language; `js` is its JavaScript. */
  value(js: string): string;
}

export function genFunction(node: LambdaNode, cx: Cx): GeneratedFn {
  const { p } = cx;
  const fn = new FnScope();
  const params = node.arguments.map(() => p.id('p'));
  const body = genNode(node.body, lambdaScope(node, params, { ...cx, fn, lateTail: false }));
  const signature = node.signature ? p.signature(node.signature.definition) : 'undefined';
  return {
    code: openFunction(params, fn, body.code),
    fn,
    value: (js) => `${p.r('lambda')}(${js},${params.length},${signature},${fn.hasTail})`,
  };
}

/** The body of a function sees its parameters and what it binds itself. */
function lambdaScope(node: LambdaNode, params: readonly string[], cx: Cx): Cx {
  const names = node.arguments.map((a) => a.value);
  if (cx.frame) {
    const list = names.map(literal).join(',');
    return newFrame(cx, `${cx.p.r('paramFrame')}(${cx.frame},[${list}],[${params.join(',')}])`);
  }
  const inner: Cx = { ...cx, scope: new Scope(cx.scope) };
  names.forEach((name, i) => {
    inner.scope.locals.set(name, { js: params[i] ?? '', definite: true, t: T.any });
  });
  for (const name of boundNames([node.body], cx.p.binds)) if (!inner.scope.locals.has(name)) declare(inner, name);
  return inner;
}

export function genPartial(node: PartialNode, cx: Cx): Emit {
  const { p } = cx;
  const at = startOf(node);
  const list = p.id('t');
  cx.fn.lets.push(list);
  const args = node.arguments.map((a) => (a.type === 'operator' ? p.r('HOLE') : genNode(a, cx).code)).join(',');
  const proc = genProcedure(node.procedure, cx, 'T1007', at);
  const token = literal(tokenOf(node.procedure));
  return emit(`(${list}=[${args}],${within('partial', cx)}${proc},${list},${at},${token}))`, T.fn);
}

export function genTransform(node: TransformNode, cx: Cx): Emit {
  const clone = refer(cx, 'clone')?.code ?? 'undefined';
  const parts = [
    `clone:${clone}`,
    `pattern:${stepFn(node.pattern, cx)}`,
    `update:${stepFn(node.update, cx)}`,
    ...(node.delete ? [`remove:${stepFn(node.delete, cx)}`] : []),
    `position:${startOf(node)}`,
    `updatePosition:${startOf(node.update)}`,
    `removePosition:${node.delete ? startOf(node.delete) : -1}`,
  ];
  return emit(`${cx.p.r('transform')}(S,{${parts.join(',')}})`, T.fn);
}
