import {
  type BinaryNode,
  type BlockNode,
  type CallNode,
  type ConditionNode,
  children,
  type Node,
  type ObjectNode,
} from '../ast.ts';
import type { Report } from '../diagnostic.ts';
import { startOf } from '../position.ts';
import { builtin, IMPURE } from '../runtime/builtins.ts';
import { boundOf } from '../runtime/regex/bound.ts';
import { parseRegex } from '../runtime/regex/syntax.ts';
import { isSame } from './same.ts';
import { unitReports } from './units.ts';

/** Findings that need nothing but the expression itself, in one walk. */
export function lint(ast: Node): Report[] {
  const reports: Report[] = [];
  visit(ast, reports);
  return reports;
}

function visit(node: Node, reports: Report[]): void {
  if (node.type === 'binary') compared(node, reports);
  else if (node.type === 'condition') conditions(node, reports);
  else if (node.type === 'block') discarded(node, reports);
  else if (node.type === 'unary' && node.value === '{') {
    duplicates(node, reports);
    reports.push(...unitReports(node));
  } else if (node.type === 'function') undollared(node, reports);
  else if (node.type === 'descendant') reports.push(costly(node));
  else if (node.type === 'regex') risky(node, reports);
  for (const child of children(node)) visit(child, reports);
}

const COMPARISONS = ['=', '!=', '<', '<=', '>', '>='];

const isLiteral = (n: Node): boolean =>
  (n.type === 'string' || n.type === 'number' || n.type === 'value') && !n.predicate;

function compared(node: BinaryNode, reports: Report[]): void {
  if (!COMPARISONS.includes(node.value)) return;
  const at = startOf(node);
  if (isLiteral(node.lhs) && isLiteral(node.rhs)) {
    reports.push({ code: 'mapping.constantCondition', message: 'Two constants are compared.', at });
  } else if (isSame(node.lhs, node.rhs) && !calls(node.lhs)) {
    reports.push({ code: 'mapping.selfComparison', message: `Both sides of ${node.value} are the same.`, at });
  }
}

const calls = (n: Node): boolean => n.type === 'function' || children(n).some(calls);

function conditions(node: ConditionNode, reports: Report[]): void {
  if (isLiteral(node.condition)) {
    const at = startOf(node.condition);
    reports.push({ code: 'mapping.constantCondition', message: 'The condition is a constant.', at });
  }
  for (let n = node.else; n?.type === 'condition'; n = n.else) {
    if (!isSame(n.condition, node.condition)) continue;
    const at = startOf(n.condition);
    reports.push({ code: 'mapping.unreachable', message: 'The same condition has been tested before.', at });
  }
}

function discarded(node: BlockNode, reports: Report[]): void {
  for (const e of node.expressions.slice(0, -1)) {
    const at = startOf(e);
    if (e.type === 'binary' && e.value === '=' && e.lhs.type === 'variable' && e.lhs.value !== '') {
      const name = e.lhs.value;
      const hint = `Write $${name} := … to bind it.`;
      reports.push({ code: 'mapping.assignment', message: `$${name} is compared, not bound.`, at, hint });
    } else if (!hasEffect(e)) {
      reports.push({ code: 'mapping.discarded', message: 'The value of this expression is not used.', at });
    }
  }
}

/** Binds a variable, or may refuse the message. */
function hasEffect(node: Node): boolean {
  if (node.type === 'bind') return true;
  if (node.type === 'function') {
    const name = node.procedure.type === 'variable' ? node.procedure.value : '';
    return !builtin(name) || name === 'assert' || name === 'error' || children(node).some(hasEffect);
  }
  return node.type !== 'lambda' && (node.type === 'apply' || children(node).some(hasEffect));
}

function duplicates(node: ObjectNode, reports: Report[]): void {
  // bounded by: the keys of one constructor
  const seen = new Set<string>();
  for (const [key] of node.lhs) {
    if (key.type !== 'string') continue;
    const name = String(key.value);
    if (seen.has(name)) {
      reports.push({ code: 'mapping.duplicateKey', message: `The key ${name} stands here twice.`, at: startOf(key) });
    }
    seen.add(name);
  }
}

/** `sum(x)` instead of `$sum(x)`: the parser takes the name for a field. */
function undollared(node: CallNode, reports: Report[]): void {
  const { procedure } = node;
  const step = procedure.type === 'path' && procedure.steps.length === 1 ? procedure.steps[0] : undefined;
  if (step?.type !== 'name') return;
  const name = step.value;
  if (!builtin(name) && !IMPURE.has(name)) return;
  const message = `There is no function ${name}; fields cannot be called.`;
  reports.push({ code: 'mapping.missingDollar', message, at: startOf(step), hint: `Is $${name} meant?` });
}

function risky(node: Extract<Node, { type: 'regex' }>, reports: Report[]): void {
  if (!(node.value instanceof RegExp)) return;
  const { source, flags } = node.value;
  const syntax = parseRegex(source, flags);
  if (syntax && Number.isFinite(boundOf(syntax).factor)) return;
  const message = syntax
    ? 'On some texts the time of this pattern grows exponentially.'
    : 'The time of this pattern cannot be bounded.';
  reports.push({ code: 'mapping.regexRisk', message, at: regexStart(node) });
}

/** The parser notes where it ends, and adds the flag g. */
function regexStart(node: Extract<Node, { type: 'regex' }>): number {
  const { source = '', flags = '' } = node.value instanceof RegExp ? node.value : {};
  return Math.max(0, (node.position ?? 0) - source.length - flags.replace('g', '').length - 2);
}

const costly = (node: Node): Report => ({
  code: 'mapping.costly',
  message: '** looks at every field of the message.',
  at: startOf(node),
});
