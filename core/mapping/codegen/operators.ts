import type { BinaryNode, ConditionNode, MinusNode, Node } from '../ast.ts';
import { startOf } from '../position.ts';
import { genNode } from './node.ts';
import { type Emit, emit, literal, T } from './program.ts';
import { bindsOf, type Cx, isBuiltin } from './scope.ts';
import { SLOW_CONSTRUCTS } from './slow.ts';

/** The effective boolean value as JavaScript boolean. */
export function truth(e: Emit, cx: Cx): string {
  if (e.t === T.bool) return e.code;
  if ((e.t & ~(T.bool | T.undef)) === 0) return `(${e.code}===true)`;
  return `${cx.p.r('truthy')}(S,${e.code})`;
}

const NUMERIC = { '+': 'add', '-': 'sub', '*': 'mul', '/': 'div', '%': 'mod' } as const;
const ORDER = { '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' } as const;

export function genBinary(node: BinaryNode, cx: Cx): Emit {
  const { p } = cx;
  const l = genNode(node.lhs, cx);
  const r = genNode(node.rhs, cx);
  const op = node.value;
  const at = operatorStart(node);
  if (op === 'and') return emit(`(${truth(l, cx)}&&${truth(r, cx)})`, T.bool);
  if (op === 'or') return emit(`(${truth(l, cx)}||${truth(r, cx)})`, T.bool);
  if (op === '=') return genEquals(node, l, r, cx);
  if (op === '!=') return emit(`${p.r('ne')}(S,${l.code},${r.code})`, T.bool);
  if (op === 'in') return genIn(node, l, r, cx);
  if (op === '&') return emit(`${p.r('concat')}(S,${l.code},${r.code},${at})`, T.str);
  if (op === '..') return emit(`${p.r('range')}(S,${l.code},${r.code},${at})`, T.arr | T.undef);
  const number = Object.entries(NUMERIC).find(([symbol]) => symbol === op)?.[1];
  const undef = (l.t | r.t) & T.undef;
  if (number) return emit(`${p.r(number)}(${l.code},${r.code},${at})`, T.num | undef);
  const order = Object.entries(ORDER).find(([symbol]) => symbol === op)?.[1];
  if (order) return emit(`${p.r(order)}(S,${l.code},${r.code},${at})`, T.bool | undef);
  p.slow.push({ construct: SLOW_CONSTRUCTS.unknown.construct, position: at });
  return emit('undefined', T.undef);
}

const isSimple = (node: Node): boolean =>
  (node.type === 'string' || node.type === 'number' || node.type === 'value') && !node.predicate && !node.group;

function genEquals(node: BinaryNode, l: Emit, r: Emit, cx: Cx): Emit {
  // A simple literal equals nothing but itself.
  if (isSimple(node.lhs) || isSimple(node.rhs)) return emit(`(${l.code}===${r.code})`, T.bool);
  return emit(`${cx.p.r('eq')}(S,${l.code},${r.code})`, T.bool);
}

/** `a in ['x', 'y']` compares without building the array. */
function genIn(node: BinaryNode, l: Emit, r: Emit, cx: Cx): Emit {
  const list = node.rhs.type === 'unary' && node.rhs.value === '[' && !node.rhs.predicate ? node.rhs.expressions : [];
  if (list.length === 0 || list.length > 8 || !list.every(isSimple)) {
    return emit(`${cx.p.r('includes')}(S,${l.code},${r.code})`, T.bool);
  }
  const t = cx.p.id('t');
  cx.fn.lets.push(t);
  const tests = list.map((item, i) => `${i === 0 ? `(${t}=${l.code})` : t}===${genNode(item, cx).code}`);
  return emit(`(${tests.join('||')})`, T.bool);
}

/** Offset where the operator begins; the parser notes where it ends. */
export function operatorStart(node: BinaryNode): number {
  return (node.position ?? 0) - node.value.length;
}

/** The same for operators of one character. */
export const operatorStartAt = (node: Node): number => Math.max(0, (node.position ?? 0) - 1);

export function genMinus(node: MinusNode, cx: Cx): Emit {
  const e = genNode(node.expression, cx);
  return emit(`${cx.p.r('negate')}(${e.code},${startOf(node)})`, T.num | (e.t & T.undef));
}

export function genCondition(node: ConditionNode, cx: Cx): Emit {
  const once = genDefault(node, cx);
  if (once) return once;
  const test = truth(genNode(node.condition, cx), cx);
  const a = genNode(node.then, cx);
  const b = node.else ? genNode(node.else, cx) : emit('undefined', T.undef);
  return emit(`(${test}?${a.code}:${b.code})`, a.t | b.t, !node.keepArray);
}

/** `a ?: b` and `a ?? b` repeat `a`: it is evaluated once where both copies are the same. */
function genDefault(node: ConditionNode, cx: Cx): Emit | undefined {
  // What binds is evaluated twice, as in the interpreter.
  if (cx.frame || bindsOf(node.then, cx.p.binds).length > 0) return undefined;
  const { condition } = node;
  const asked =
    condition.type === 'function' && condition.procedure.type === 'variable' && condition.procedure.value === 'exists'
      ? condition.arguments[0]
      : undefined;
  const coalescing = asked !== undefined && same(asked, node.then) && isBuiltin(cx, 'exists');
  if (!coalescing && !same(condition, node.then)) return undefined;
  const t = cx.p.id('t');
  cx.fn.lets.push(t);
  // The first of both copies: errors name its place.
  const value = genNode(coalescing ? asked : condition, cx);
  const other = node.else ? genNode(node.else, cx) : emit('undefined', T.undef);
  const assigned = { code: `(${t}=${value.code})`, t: value.t };
  const test = coalescing ? `(${assigned.code}!==undefined)` : truth(assigned, cx);
  return emit(`(${test}?${t}:${other.code})`, (coalescing ? value.t & ~T.undef : value.t) | other.t, !node.keepArray);
}

/** Whether two expressions are written alike. Regular expressions are not compared. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if ('type' in a && (a.type === 'regex' || !('type' in b) || a.type !== b.type)) return false;
  const keys = Object.keys(a).filter((key) => key !== 'position');
  if (keys.length !== Object.keys(b).filter((key) => key !== 'position').length) return false;
  return keys.every((key) => same(Reflect.get(a, key), Reflect.get(b, key)));
}

export const genLiteral = (v: string | number | boolean | null): Emit => {
  if (v === null) return emit('null', T.nil);
  return emit(literal(v), typeof v === 'number' ? T.num : typeof v === 'string' ? T.str : T.bool);
};
