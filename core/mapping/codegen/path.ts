import type { Node, PathNode, SortNode } from '../ast.ts';
import { pairList } from './constructors.ts';
import { genFilter, genNode, stepFn } from './node.ts';
import { operatorStartAt } from './operators.ts';
import { type Emit, emit, T } from './program.ts';
import type { Cx } from './scope.ts';
import { genTuplePath } from './tuple.ts';

type Use = 'Mid' | 'Last' | 'Keep' | 'Raw';
const OF = { Mid: 'midOf', Last: 'lastOf', Keep: 'keepOf', Raw: 'rawOf' } as const;
const FIRST = { Mid: 'firstMid', Last: 'firstLast', Keep: 'firstKeep', Raw: 'firstRaw' } as const;
const STEP = { Mid: 'stepMid', Last: 'stepLast', Keep: 'stepKeep', Raw: 'stepRaw' } as const;

export function genPath(node: PathNode, cx: Cx): Emit {
  if (node.steps.some((s) => s.tuple)) return genTuplePath(node, cx);
  const keeps = node.keepSingletonArray || (node.keepArray && !node.group);
  const final: Use = keeps ? 'Keep' : node.group ? 'Raw' : 'Last';
  const value = genSteps(node.steps, cx, final);
  if (!node.group) return emit(value, T.any, true);
  const { lhs, position } = node.group;
  return emit(`${cx.p.r('group')}(S,${value},${pairList(lhs, cx)},${position - 1})`, T.obj);
}

/** The steps of a path without tuple bindings, see runtime/path.ts for what travels between them. */
export function genSteps(steps: readonly Node[], cx: Cx, final: Use): string {
  const [first, ...rest] = steps;
  if (!first) return 'undefined';
  if (first.consarray) return genAfterArray(first, rest, cx, final);
  return genRest(genFirst(first, cx, rest.length === 0 ? final : 'Mid'), rest, cx, final);
}

function genRest(start: string, rest: readonly Node[], cx: Cx, final: Use): string {
  return rest.reduce((value, step, i) => genStep(value, step, cx, i === rest.length - 1 ? final : 'Mid'), start);
}

function genFirst(step: Node, cx: Cx, use: Use): string {
  const { p } = cx;
  const single = cx.plain || step.type === 'variable';
  if (single) return `${p.r(OF[use])}(${staged(step, cx).code})`;
  return `${p.r(FIRST[use])}(S,${cx.x},${stepCode(step, cx)})`;
}

function genStep(value: string, step: Node, cx: Cx, use: Use): string {
  if (step.type === 'sort') return genSort(value, step, cx, use);
  return `${cx.p.r(STEP[use])}(S,${value},${stepCode(step, cx)})`;
}

function stepCode(step: Node, cx: Cx): string {
  if (step.type === 'name' && !step.stages && !step.keepArray) return cx.p.accessor(step.value);
  return stepFn(step, cx, (inner) => staged(step, inner));
}

/** A step with its predicates. */
function staged(step: Node, cx: Cx): Emit {
  return (step.stages ?? []).reduce((e, stage) => genFilter(e.code, stage, cx), genNode(step, cx));
}

function genSort(value: string, step: SortNode, cx: Cx, use: Use): string {
  const { p } = cx;
  const sorted = `${p.r('sortBy')}(S,${value},${termList(step, cx)},${operatorStartAt(step)})`;
  const code = step.stages ? genSortStages(sorted, step, cx) : sorted;
  return use === 'Mid' ? code : `${p.r(OF[use])}(${code})`;
}

/** Predicates behind a sort apply to the whole; nothing stays nothing. */
function genSortStages(sorted: string, step: SortNode, cx: Cx): string {
  const t = cx.p.id('t');
  cx.fn.lets.push(t);
  const filtered = (step.stages ?? []).reduce((code, stage) => genFilter(code, stage, cx).code, t);
  return `((${t}=${sorted})===undefined?undefined:${filtered})`;
}

export function termList(step: SortNode, cx: Cx): string {
  return `[${step.terms.map((t) => `[${stepFn(t.expression, cx)},${t.descending}]`).join(',')}]`;
}

/** An array constructor at the start is evaluated once, not per item of the context. */
function genAfterArray(first: Node, rest: readonly Node[], cx: Cx, final: Use): string {
  const { p } = cx;
  const input = `${p.r('isArray')}(${cx.x})?${cx.x}:${p.r('sequenceOf')}(${cx.x})`;
  const fn = stepFn(first, { ...cx, plain: false, dual: false });
  const t = p.id('t');
  cx.fn.lets.push(t);
  const value = genRest(`${p.r('loose')}(${t})`, rest, cx, final);
  const nothing = final === 'Keep' ? `${p.r('keepOf')}(${t})` : t;
  return `(${p.r('isEmpty')}(${t}=(${fn})(${input}))?${nothing}:${value})`;
}
