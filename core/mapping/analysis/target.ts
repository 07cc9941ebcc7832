import type { Node, ObjectNode } from '../ast.ts';
import type { Report } from '../diagnostic.ts';
import { startOf } from '../position.ts';
import type { Shape } from './shape.ts';
import { nearest } from './text.ts';

/** Compares the object constructors that make the result with the form of the target. */
export function checkTarget(ast: Node, to: Shape): Report[] {
  const reports: Report[] = [];
  for (const node of results(ast)) compare(node, to, reports);
  return reports;
}

/** The expressions whose value becomes the value of a node. */
function results(node: Node): Node[] {
  if (node.predicate || node.group) return [];
  if (node.type === 'block') {
    const last = node.expressions.at(-1);
    return last ? results(last) : [];
  }
  if (node.type === 'condition') return [...results(node.then), ...(node.else ? results(node.else) : [])];
  if (node.type === 'bind') return results(node.rhs);
  if (node.type === 'path') {
    const last = node.steps.at(-1);
    return last && !last.stages ? results(last) : [];
  }
  return node.type === 'unary' && node.value !== '-' ? [node] : [];
}

function compare(node: Node, to: Shape, reports: Report[]): void {
  if (node.type !== 'unary' || node.value === '-') return;
  if (node.value === '[') {
    if (to.kind === 'list') for (const e of node.expressions) for (const r of results(e)) compare(r, to.item, reports);
    return;
  }
  const shape = to.kind === 'list' ? to.item : to;
  if (shape.kind === 'object') compareObject(node, shape, reports);
}

function compareObject(node: ObjectNode, to: Extract<Shape, { kind: 'object' }>, reports: Report[]): void {
  const keys = node.lhs.map(([key]) => (key.type === 'string' ? String(key.value) : undefined));
  if (keys.includes('messages') && !to.names.includes('messages')) return;
  const name = to.name ?? 'the target';
  node.lhs.forEach(([key, value], i) => {
    const written = keys[i];
    if (written === undefined) return;
    const field = to.field(written);
    if (field) for (const r of results(value)) compare(r, field, reports);
    else if (!to.open) reports.push(unknown(written, name, startOf(key), to.names));
  });
  if (keys.includes(undefined)) return;
  for (const required of to.required) {
    if (keys.includes(required)) continue;
    reports.push({
      code: 'mapping.targetMissing',
      message: `${name} requires the field ${required}, which is not written here.`,
      at: startOf(node),
    });
  }
}

function unknown(written: string, name: string, at: number, names: readonly string[]): Report {
  const meant = nearest(written, names);
  return {
    code: 'mapping.targetUnknown',
    message: `${name} has no field ${written}.`,
    at,
    ...(meant === undefined ? {} : { hint: `Is ${meant} meant?` }),
  };
}
