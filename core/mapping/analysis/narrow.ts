import type { Node } from '../ast.ts';
import { formOf } from './follow.ts';
import type { Scope } from './form.ts';
import { isPath, type Tracer } from './trace.ts';

/** The scope in which values of the given keys are there. */
export function assured(scope: Scope, keys: readonly string[]): Scope {
  return keys.length === 0 ? scope : { ...scope, sure: new Set([...scope.sure, ...keys.flatMap(withParents)]) };
}

/** Where a field is, the objects around it are as well. */
function withParents(key: string): string[] {
  if (!isPath(key)) return [key];
  const steps = key.split('.');
  return steps.map((_, i) => steps.slice(0, i + 1).join('.'));
}

const COMPARISONS = ['=', '!=', '<', '<=', '>', '>='];
const ARITHMETIC = ['+', '-', '*', '/', '%'];
/** Functions that give nothing, or fail, when their first argument is missing. */
const NEEDY = [
  'number',
  'floor',
  'ceil',
  'round',
  'abs',
  'string',
  'contains',
  'toMillis',
  'length',
  'trim',
  'boolean',
];

/** Keys of the values that are there when the condition is true (or false). */
export function factsOf(t: Tracer, node: Node, truth: boolean, scope: Scope): string[] {
  if (node.type === 'block' && node.expressions.length === 1 && node.expressions[0]) {
    return factsOf(t, node.expressions[0], truth, scope);
  }
  if (node.type === 'binary') {
    if (node.value === 'and' || node.value === 'or') {
      if ((node.value === 'and') !== truth) return [];
      return [node.lhs, node.rhs].flatMap((n) => factsOf(t, n, truth, scope));
    }
    if (!truth) return [];
    if (COMPARISONS.includes(node.value)) return [node.lhs, node.rhs].flatMap((n) => needed(t, n, scope));
    return node.value === 'in' ? needed(t, node.lhs, scope) : [];
  }
  if (node.type === 'function' && node.procedure.type === 'variable') {
    const [first] = node.arguments;
    const name = node.procedure.value;
    if (first && name === 'not') return factsOf(t, first, !truth, scope);
    if (first && name === 'boolean') return factsOf(t, first, truth, scope);
    if (first && name === 'exists') return truth ? needed(t, first, scope) : [];
  }
  return truth ? needed(t, node, scope) : [];
}

/** Keys of the values without which the expression has none. */
function needed(t: Tracer, node: Node, scope: Scope): string[] {
  if (node.type === 'path' || node.type === 'variable') {
    const { key, implies } = formOf(t, node, scope);
    return [...(key === undefined ? [] : [key]), ...(implies ?? [])];
  }
  if (node.type === 'binary' && ARITHMETIC.includes(node.value)) {
    return [node.lhs, node.rhs].flatMap((n) => needed(t, n, scope));
  }
  if (node.type === 'unary' && node.value === '-') return needed(t, node.expression, scope);
  const [first] = node.type === 'function' ? node.arguments : [];
  const name = node.type === 'function' && node.procedure.type === 'variable' ? node.procedure.value : '';
  return first && NEEDY.includes(name) ? needed(t, first, scope) : [];
}
