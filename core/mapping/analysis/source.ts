import type { Node, PathNode } from '../ast.ts';
import type { Report } from '../diagnostic.ts';
import { startOf } from '../position.ts';
import { type Shape, SIMPLE, UNKNOWN } from './shape.ts';
import { nearest } from './text.ts';

type Env = ReadonlyMap<string, Shape>;

/** Follows the form of the source through the mapping and reports fields that it does not have. */
export function checkSource(ast: Node, from: Shape): Report[] {
  const reports: Report[] = [];
  new Follower(from, reports).follow(ast, from, new Map());
  return reports;
}

class Follower {
  private readonly root: Shape;
  private readonly reports: Report[];

  constructor(root: Shape, reports: Report[]) {
    this.root = root;
    this.reports = reports;
  }

  /** The form of a node's value in a context of the given form. */
  follow(node: Node, context: Shape, env: Env): Shape {
    const shape = this.value(node, context, env);
    for (const stage of node.predicate ?? []) if (stage.type === 'filter') this.follow(stage.expr, itemOf(shape), env);
    if (!node.group || node.type === 'path') return shape;
    return this.grouped(node.group.lhs, itemOf(shape), env);
  }

  private value(node: Node, context: Shape, env: Env): Shape {
    switch (node.type) {
      case 'path':
        return this.path(node, context, env);
      case 'name':
        return this.field(node.value, startOf(node), context);
      case 'variable':
        if (node.value === '') return context;
        return node.value === '$' ? this.root : (env.get(node.value) ?? UNKNOWN);
      case 'block':
        return this.block(node.expressions, context, env);
      case 'bind':
        return this.follow(node.rhs, context, env);
      case 'condition': {
        this.follow(node.condition, context, env);
        const yes = this.follow(node.then, context, env);
        return node.else && this.follow(node.else, context, env) !== yes ? UNKNOWN : yes;
      }
      case 'unary':
        if (node.value === '-') this.follow(node.expression, context, env);
        else if (node.value === '[') for (const e of node.expressions) this.follow(e, context, env);
        else this.grouped(node.lhs, context, env);
        return UNKNOWN;
      case 'binary':
        this.follow(node.lhs, context, env);
        this.follow(node.rhs, context, env);
        return SIMPLE;
      case 'function':
      case 'partial':
        return this.call(node, context, env);
      case 'apply':
        this.follow(node.lhs, context, env);
        this.follow(node.rhs, context, env);
        return UNKNOWN;
      case 'lambda':
        this.lambda(node, context, env, UNKNOWN);
        return UNKNOWN;
      default:
        return UNKNOWN;
    }
  }

  private block(expressions: readonly Node[], context: Shape, env: Env): Shape {
    const inner = new Map(env);
    let last: Shape = UNKNOWN;
    for (const e of expressions) {
      last = this.follow(e, context, inner);
      if (e.type === 'bind') inner.set(e.lhs.value, last);
    }
    return last;
  }

  private grouped(pairs: readonly (readonly [Node, Node])[], item: Shape, env: Env): Shape {
    for (const [key, value] of pairs) {
      this.follow(key, item, env);
      this.follow(value, item, env);
    }
    return UNKNOWN;
  }

  private path(node: PathNode, context: Shape, env: Env): Shape {
    // Rows of tuple streams carry contexts of their own.
    if (node.steps.some((s) => s.tuple)) return UNKNOWN;
    let at = context;
    for (const step of node.steps) {
      if (step.type === 'sort') {
        for (const t of step.terms) this.follow(t.expression, itemOf(at), env);
      } else at = this.follow(step, itemOf(at), env);
      for (const stage of step.stages ?? []) if (stage.type === 'filter') this.follow(stage.expr, itemOf(at), env);
    }
    return node.group ? this.grouped(node.group.lhs, itemOf(at), env) : at;
  }

  /** The function arguments of $map and the like see the items of the first argument. */
  private call(node: Extract<Node, { type: 'function' | 'partial' }>, context: Shape, env: Env): Shape {
    const name = node.procedure.type === 'variable' ? node.procedure.value : '';
    const [first, ...rest] = node.arguments;
    const items = first ? itemOf(this.follow(first, context, env)) : UNKNOWN;
    const overItems = ['map', 'filter', 'single', 'sort'].includes(name);
    for (const a of rest) {
      if (a.type === 'lambda' && overItems) this.lambda(a, context, env, items);
      else this.follow(a, context, env);
    }
    return name === 'filter' || name === 'single' || name === 'sort' ? items : UNKNOWN;
  }

  private lambda(node: Extract<Node, { type: 'lambda' }>, context: Shape, env: Env, first: Shape): void {
    const inner = new Map(env);
    node.arguments.forEach((a, i) => {
      inner.set(a.value, i === 0 ? first : UNKNOWN);
    });
    this.follow(node.body, context, inner);
  }

  private field(name: string, at: number, context: Shape): Shape {
    const item = itemOf(context);
    if (item.kind === 'unknown') return UNKNOWN;
    const found = item.kind === 'object' ? item.field(name) : undefined;
    if (found) return found;
    if (item.kind === 'object' && item.open) return UNKNOWN;
    const owner = item.kind === 'object' ? (item.name ?? 'the object here') : 'a simple value';
    const hint = item.kind === 'object' ? nearest(name, item.names) : undefined;
    this.reports.push({
      code: 'mapping.unknownSource',
      message: `${owner} has no field ${name}.`,
      at,
      ...(hint === undefined ? {} : { hint: `Is ${hint} meant?` }),
    });
    return UNKNOWN;
  }
}

function itemOf(s: Shape): Shape {
  let at = s;
  while (at.kind === 'list') at = at.item;
  return at;
}
