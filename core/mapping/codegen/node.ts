import type { BindNode, BlockNode, LambdaNode, Node, RegexNode, Stage, VariableNode } from '../ast.ts';
import { startOf } from '../position.ts';
import { isForbidden } from '../runtime/values.ts';
import { namesFunction } from './bounds.ts';
import { genArray, genObject, pairList } from './constructors.ts';
import { genApply, genCall, genFunction, genLambda, genPartial, genTransform } from './functions.ts';
import { genBinary, genCondition, genLiteral, genMinus } from './operators.ts';
import { genPath } from './path.ts';
import { type Emit, emit, FnScope, literal, T } from './program.ts';
import { type Cx, openFrame, refer, target } from './scope.ts';
import { SLOW_CONSTRUCTS } from './slow.ts';

/** Generates the value of a node, with its predicates, its grouping and the sequence rule. */
export function genNode(node: Node, cx: Cx): Emit {
  const late = node.type !== 'path' && (node.predicate || node.group);
  const base = genBase(node, late ? { ...cx, lateTail: true } : cx);
  if (node.type === 'path') return base;
  let e = base;
  for (const stage of node.predicate ?? []) e = genFilter(e.code, stage, cx);
  if (node.group) {
    const { lhs, position } = node.group;
    return emit(`${cx.p.r('group')}(S,${e.code},${pairList(lhs, cx)},${position - 1})`, T.obj);
  }
  if (node.predicate) return emit(`${cx.p.r(node.keepArray ? 'keepOf' : 'norm')}(${e.code})`, T.any, true);
  if (e.normed || !(e.t & T.arr)) return e;
  return emit(`${cx.p.r(node.keepArray ? 'normKeep' : 'norm')}(${e.code})`, e.t, true);
}

function genBase(node: Node, cx: Cx): Emit {
  const { p } = cx;
  switch (node.type) {
    case 'path':
      return genPath(node, cx);
    case 'binary':
      return genBinary(node, cx);
    case 'unary':
      if (node.value === '-') return genMinus(node, cx);
      return node.value === '[' ? genArray(node, cx) : genObject(node.lhs, cx, node.position - 1);
    case 'name':
      if (isForbidden(node.value)) p.dubious = true;
      // `[]` must see the sequence before the sequence rule, which accessors apply.
      if (node.keepArray) return emit(`${p.r('lookup')}(S,${cx.x},${literal(node.value)})`);
      return emit(`${p.accessor(node.value)}(${cx.x})`);
    case 'string':
    case 'number':
    case 'value':
      return genLiteral(node.value);
    case 'wildcard':
      return emit(`${p.r('wildcard')}(S,${cx.x})`);
    case 'descendant':
      return emit(`${p.r('descendants')}(S,${cx.x})`);
    case 'parent':
      return refer(cx, node.slot.label) ?? emit('undefined', T.undef);
    case 'condition':
      return genCondition(node, cx);
    case 'block':
      return genBlock(node, cx);
    case 'bind':
      return genBind(node, cx);
    case 'regex':
      return genRegex(node, cx);
    case 'function':
      return genCall(node, cx);
    case 'variable':
      return genVariable(node, cx);
    case 'lambda':
      return genLambda(node, cx);
    case 'partial':
      return genPartial(node, cx);
    case 'apply':
      return genApply(node, cx);
    case 'transform':
      return genTransform(node, cx);
    default:
      p.slow.push({ construct: SLOW_CONSTRUCTS.unknown.construct, position: startOf(node) });
      return emit('undefined', T.undef);
  }
}

function genVariable(node: VariableNode, cx: Cx): Emit {
  if (node.value !== '') return genNamed(node.value, cx);
  return cx.plain ? emit(cx.x, T.any & ~T.arr) : emit(`${cx.p.r('visible')}(${cx.x})`, T.any);
}

function genNamed(name: string, cx: Cx): Emit {
  const found = refer(cx, name);
  if (!found || isForbidden(name)) cx.p.dubious = true;
  return found ?? emit('undefined', T.undef);
}

function genBlock(node: BlockNode, cx: Cx): Emit {
  const { p } = cx;
  if (node.expressions.length === 0) return emit('undefined', T.undef);
  const inner = openFrame(cx, node.expressions);
  const end = node.expressions.length - 1;
  const parts = node.expressions.map((e, i): { t: number; code(): string } => {
    if (i < end && !cx.frame && namesFunction(p, e, node.expressions)) return genNamedFunction(e, inner);
    const { code, t } = genNode(e, inner);
    if (e.type === 'bind') settle(inner, e);
    return { t, code: () => code };
  });
  const code = parts.map((part) => part.code()).join(',');
  // The value of the last part is as it should be already; that of a call in tail position must stay as it is.
  return emit(parts.length === 1 ? code : `(${code})`, parts.at(-1)?.t ?? T.undef, !node.keepArray);
}

/** `$f := function(…){…}`: the function itself, and its value only where something behind it needs that. */
function genNamedFunction(node: BindNode & { readonly rhs: LambdaNode }, cx: Cx): { t: number; code(): string } {
  const { code, fn, value } = genFunction(node.rhs, cx);
  const local = target(cx, node.lhs.value);
  settle(cx, node);
  if (!local || fn.hasTail) return { t: T.fn, code: () => `(${local?.js}=${value(code)})` };
  const js = cx.p.id('d');
  cx.fn.lets.push(js);
  local.direct = { js, cost: fn.cost };
  return { t: T.fn, code: () => (local.used ? `(${js}=${code},${local.js}=${value(js)})` : `(${js}=${code})`) };
}

/** From here on the variable is bound on every way. */
function settle(cx: Cx, node: BindNode): void {
  const local = target(cx, node.lhs.value);
  if (local) local.definite = true;
}

function genBind(node: BindNode, cx: Cx): Emit {
  const value = genNode(node.rhs, cx);
  if (cx.frame) return emit(`${cx.p.r('bind')}(${cx.frame},${literal(node.lhs.value)},${value.code})`, value.t);
  const local = target(cx, node.lhs.value);
  if (local) return emit(`(${local.js}=${value.code})`, value.t);
  cx.p.slow.push({ construct: SLOW_CONSTRUCTS.unknown.construct, position: startOf(node) });
  return value;
}

function genRegex(node: RegexNode, cx: Cx): Emit {
  // The parser copies `a` of `a ?: b` by way of JSON, which turns a regular expression into an empty object.
  const re = node.value instanceof RegExp ? node.value : new RegExp(String(node.value));
  const at = (node.position ?? 0) - re.source.length - re.flags.length - 1;
  return emit(`${cx.p.r('regex')}(S,${cx.p.pattern(re)},${at})`, T.fn);
}

/** A predicate over an evaluated value. */
export function genFilter(value: string, stage: Stage, cx: Cx): Emit {
  if (stage.type === 'index') return emit(value);
  if (stage.expr.type === 'number' && typeof stage.expr.value === 'number') {
    return emit(`${cx.p.r('filterIndex')}(${value},${literal(Math.floor(stage.expr.value))})`);
  }
  return emit(`${cx.p.r('filter')}(S,${value},${stepFn(stage.expr, cx)})`);
}

/** The text of a generated function. */
export function openFunction(params: readonly string[], fn: FnScope, body: string): string {
  const head = `(${params.join(',')})=>`;
  return fn.lets.length === 0 ? `${head}(${body})` : `${head}{let ${fn.lets.join(',')};return ${body}}`;
}

/**
 * A function of the context: a step, predicate, sort term, grouped value. Where it matters whether the context is an
 * array, two versions are generated; inside the version for arrays everything is generated only once.
 */
export function stepFn(node: Node, cx: Cx, build: (cx: Cx) => Emit = (inner) => genNode(node, inner)): string {
  const x = cx.p.id('x');
  const version = (plain: boolean, dual: boolean): [FnScope, string] => {
    const fn = new FnScope();
    const { code } = build({ ...cx, fn, x, plain, dual });
    return [fn, code];
  };
  if (!cx.dual || !isSensitive(node)) {
    const [only, code] = version(false, cx.dual);
    cx.fn.cost += only.cost;
    return openFunction([x], only, code);
  }
  const [fn, body] = version(false, false);
  const [plainFn, plainBody] = version(true, true);
  cx.fn.cost += Math.max(fn.cost, plainFn.cost);
  const lets = [...fn.lets, ...plainFn.lets];
  const head = lets.length === 0 ? '' : `let ${lets.join(',')};`;
  return `(${x})=>{${head}return ${cx.p.r('isArray')}(${x})?${body}:${plainBody}}`;
}

/** Whether the code of a node gets simpler when its context is no array. */
export function isSensitive(node: Node): boolean {
  if (node.group && node.type !== 'path') return true;
  switch (node.type) {
    case 'path': {
      const first = node.steps[0];
      if (!first || first.type === 'name' || first.tuple) return false;
      return first.type !== 'variable' || first.value === '';
    }
    case 'binary':
    case 'apply':
      return isSensitive(node.lhs) || isSensitive(node.rhs);
    case 'unary':
      if (node.value === '-') return isSensitive(node.expression);
      return node.value === '{' || node.expressions.some(isSensitive);
    case 'condition':
      return [node.condition, node.then, node.else].some((n) => n !== undefined && isSensitive(n));
    case 'block':
      return node.expressions.some(isSensitive);
    case 'bind':
      return isSensitive(node.rhs);
    case 'function':
      return isSensitive(node.procedure) || node.arguments.some(isSensitive);
    case 'lambda':
      return isSensitive(node.body);
    default:
      return false;
  }
}
