import type { BindNode, LambdaNode, Node } from '../ast.ts';
import type { Program } from './program.ts';
import { bindsOf, type Cx, type DirectFn, type Scope } from './scope.ts';

/*
 * Which calls need no guard. A call of a function of the mapping is made directly, without counting depth, where the
 * callee is known when the code is generated and was complete before the caller was: such calls cannot form a circle.
 * How many of them one counted step can set off is added up; a few are free, and a function that sets off more is
 * charged for all of them at once. Everything else (recursion, functions as values, loops) is counted at run time.
 */

/** Direct calls that one counted step may set off for nothing. */
const FREE = 16;

/** JavaScript of a direct call; its part of the bound is added up in the function in which it stands. */
export function directCall(callee: DirectFn, args: string, cx: Cx): string {
  const { fn, p } = cx;
  const cost = 1 + callee.cost;
  if (fn.cost + cost > FREE) return `(${p.r('charge')}(S,${cost}),${callee.js}(${args}))`;
  fn.cost += cost;
  return `${callee.js}(${args})`;
}

/** The function of that name where it is known and complete. */
export function directFn(cx: Cx, name: string): DirectFn | undefined {
  if (cx.frame) return undefined;
  for (let s: Scope | undefined = cx.scope; s; s = s.parent) {
    if (s.row?.names.has(name)) return undefined;
    const local = s.locals.get(name);
    if (local) return local.definite ? local.direct : undefined;
  }
  return undefined;
}

/** A binding of a block that gives a name to one function for good: `$f := function(…){…}`. */
export function namesFunction(
  p: Program,
  node: Node,
  block: readonly Node[],
): node is BindNode & { readonly rhs: LambdaNode } {
  if (node.type !== 'bind' || node.predicate || node.group) return false;
  const { rhs, lhs } = node;
  if (rhs.type !== 'lambda' || rhs.thunk || rhs.signature || rhs.predicate || rhs.group) return false;
  return block.flatMap((e) => bindsOf(e, p.binds)).filter((name) => name === lhs.value).length === 1;
}
