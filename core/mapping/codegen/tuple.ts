import { children, type Node, type PathNode, type SortNode, type Stage } from '../ast.ts';
import { pairList } from './constructors.ts';
import { genNode, openFunction, stepFn } from './node.ts';
import { operatorStartAt } from './operators.ts';
import { genSteps, termList } from './path.ts';
import { type Emit, emit, FnScope, literal, T } from './program.ts';
import { type Cx, openFrame } from './scope.ts';

/** Names that a step may put into the rows: positions, focus variables, parents, also those of paths inside it. */
function rowNames(step: Node, into: Set<string>): void {
  for (const name of [step.focus, step.index, step.ancestor?.label]) if (name !== undefined) into.add(name);
  for (const stage of step.stages ?? []) if (stage.type === 'index') into.add(stage.value);
  for (const child of children(step)) rowNames(child, into);
}

/** A path with `#$i`, `@$v` or a parent operator further right: its items travel as rows with variables. */
export function genTuplePath(node: PathNode, cx: Cx): Emit {
  const from = node.steps.findIndex((s) => s.tuple);
  if (from === 0) return genRows(node, from, startItems(node, cx), cx);
  // A path that ends before its first row has no rows, whatever follows.
  const { p } = cx;
  const start = p.id('t');
  cx.fn.lets.push(start);
  const items = genSteps(node.steps.slice(0, from), cx, 'Mid');
  const rest = genRows(node, from, start, cx);
  const { group } = node;
  const nothing = group
    ? `${p.r('group')}(S,undefined,${pairList(group.lhs, { ...cx, plain: false, dual: false })},${group.position - 1})`
    : node.keepSingletonArray
      ? `${p.r('keepOf')}(${start})`
      : start;
  const loose = node.steps[0]?.consarray ? `||${p.r('isEmpty')}(${start})` : '';
  return { ...rest, code: `((${start}=${items})===undefined${loose}?${nothing}:${rest.code})` };
}

function genRows(node: PathNode, from: number, items: string, cx: Cx): Emit {
  const { p } = cx;
  const names = new Set<string>();
  const [first] = node.steps;
  const start = from === 0 && first?.consarray ? genArrayStart(first, items, cx) : items;
  let rows: string | undefined;
  node.steps.slice(from).forEach((step, i) => {
    const before = new Set(names);
    rowNames(step, names);
    const known: Names = { before, after: new Set(names) };
    if (from + i === 0 && step.consarray) return;
    if (step.type === 'sort') rows = genTupleSort(rows, start, step, known, cx);
    else rows = genTupleStep(rows ?? `${p.r('tuplesOf')}(${start})`, step, known, cx);
  });
  const stream = rows ?? `${p.r('tuplesOf')}(${start})`;
  if (node.group) return genTupleGroup(node, stream, names, cx);
  if (node.tuple) return emit(stream, T.arr);
  const keep = node.keepSingletonArray || node.keepArray;
  return emit(`${p.r(keep ? 'normKeep' : 'norm')}(${p.r('itemsOf')}(${stream}))`, T.any, true);
}

function startItems(node: PathNode, cx: Cx): string {
  const isVariable = node.steps[0]?.type === 'variable';
  return isVariable ? `[${cx.x}]` : `(${cx.p.r('isArray')}(${cx.x})?${cx.x}:[${cx.x}])`;
}

/** As in the interpreter, an array constructor at the start binds nothing; with `@$v` behind it even its items are lost. */
function genArrayStart(step: Node, items: string, cx: Cx): string {
  const { p } = cx;
  const input = `${p.r('isArray')}(${cx.x})?${cx.x}:${p.r('sequenceOf')}(${cx.x})`;
  const array = `(${stepFn(step, { ...cx, plain: false, dual: false })})(${input})`;
  return step.focus === undefined ? `${p.r('loose')}(${array})` : `(${array},${items})`;
}

interface Names {
  readonly before: ReadonlySet<string>;
  readonly after: ReadonlySet<string>;
}

function genTupleStep(rows: string, step: Node, names: Names, cx: Cx): string {
  const options = [
    ...(step.focus === undefined ? [] : [`focus:${literal(step.focus)}`]),
    ...(step.index === undefined ? [] : [`index:${literal(step.index)}`]),
    ...(step.ancestor === undefined ? [] : [`ancestor:${literal(step.ancestor.label)}`]),
    `stages:${stageList(step.stages, names.after, cx)}`,
  ];
  const code = rowFn([step], names.before, cx, (inner) => genNode(step, inner));
  return `${cx.p.r('tupleStep')}(S,${rows},${code},{${options.join(',')}})`;
}

function genTupleSort(rows: string | undefined, items: string, step: SortNode, names: Names, cx: Cx): string {
  const { p } = cx;
  const at = operatorStartAt(step);
  const index = step.index === undefined ? 'undefined' : literal(step.index);
  const sorted = rows
    ? `${p.r('sortTuples')}(S,${rows},${rowTerms(step, names.before, cx)},${at})`
    : `${p.r('tuplesFromSorted')}(${p.r('sortBy')}(S,${items},${termList(step, cx)},${at}),${index})`;
  return step.stages ? `${p.r('tupleStages')}(S,${sorted},${stageList(step.stages, names.after, cx)})` : sorted;
}

const rowTerms = (step: SortNode, names: ReadonlySet<string>, cx: Cx): string =>
  `[${step.terms.map((t) => `[${rowFn([t.expression], names, cx, (inner) => genNode(t.expression, inner))},${t.descending}]`).join(',')}]`;

function stageList(stages: readonly Stage[] | undefined, names: ReadonlySet<string>, cx: Cx): string {
  const rows = (stages ?? []).map((stage) => {
    if (stage.type === 'index') return `{index:${literal(stage.value)}}`;
    const { expr } = stage;
    if (expr.type === 'number' && typeof expr.value === 'number') return `{at:${literal(Math.floor(expr.value))}}`;
    return `{test:${rowFn([expr], names, cx, (inner) => genNode(expr, inner))},plain:${stepFn(expr, { ...cx, plain: false, dual: false })}}`;
  });
  return `[${rows.join(',')}]`;
}

/** A function of an item and its row. */
function rowFn(bodies: readonly Node[], names: ReadonlySet<string>, cx: Cx, build: (cx: Cx) => Emit): string {
  const fn = new FnScope();
  const x = cx.p.id('x');
  const t = cx.p.id('r');
  const inner = openFrame({ ...cx, fn, x, plain: false }, bodies, { js: t, names });
  const { code } = build(inner);
  cx.fn.cost += fn.cost;
  return openFunction([x, t], fn, code);
}

function genTupleGroup(node: PathNode, stream: string, names: ReadonlySet<string>, cx: Cx): Emit {
  const { p } = cx;
  if (!node.group) return emit(stream);
  const { lhs, position } = node.group;
  const pairs = lhs.map(([key, value]) => {
    const k =
      key.type === 'string' ? literal(String(key.value)) : rowFn([key], names, cx, (inner) => genNode(key, inner));
    return `[${k},${rowFn([value], names, cx, (inner) => genNode(value, inner))}]`;
  });
  const t = p.id('t');
  cx.fn.lets.push(t);
  const grouped = `${p.r('groupTuples')}(S,${t},[${pairs.join(',')}],${position - 1})`;
  const plain = `${p.r('group')}(S,${t},${pairList(lhs, { ...cx, plain: false, dual: false })},${position - 1})`;
  // A sort has taken the rows out of their stream; then they are grouped as they are.
  const code = `((${t}=${stream}).tupleStream?${grouped}:${plain})`;
  return emit(code, T.obj);
}
