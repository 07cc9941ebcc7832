import { children, type Node, type PathNode } from '../ast.ts';
import { boundNames } from '../codegen/scope.ts';
import { startOf } from '../position.ts';
import { builtin, IMPURE } from '../runtime/builtins.ts';

/** A variable of the mapping and what becomes of it. */
export interface Binding {
  readonly name: string;
  readonly kind: 'given' | 'variable' | 'parameter' | 'row';
  readonly at: number;
  /** What it hides. */
  readonly hides: 'variable' | 'function' | undefined;
  uses: number;
}

/** What one walk over the tree finds out about names; the checks select from it. */
export interface Facts {
  readonly bindings: Binding[];
  readonly unresolved: { readonly name: string; readonly at: number; readonly called: boolean }[];
  readonly impure: { readonly name: string; readonly at: number }[];
  readonly fields: { readonly name: string; readonly at: number }[];
}

interface Frame {
  readonly names: Map<string, Binding>;
  readonly parent: Frame | undefined;
}

export function gatherFacts(ast: Node, given: readonly string[]): Facts {
  const facts: Facts = { bindings: [], unresolved: [], impure: [], fields: [] };
  const walker = new Walker(facts);
  const outer: Frame = { names: new Map(), parent: undefined };
  for (const name of ['$', ...given]) walker.declare(outer, name, 'given', 0);
  walker.visit(ast, walker.frame(outer, [ast]));
  return facts;
}

class Walker {
  private readonly facts: Facts;

  constructor(facts: Facts) {
    this.facts = facts;
  }

  declare(frame: Frame, name: string, kind: Binding['kind'], at: number): void {
    const outer = frame.parent && lookup(frame.parent, name);
    const hides = outer ? 'variable' : builtin(name) || IMPURE.has(name) ? 'function' : undefined;
    const binding: Binding = { name, kind, at, hides, uses: 0 };
    frame.names.set(name, binding);
    this.facts.bindings.push(binding);
  }

  frame(parent: Frame, bodies: readonly Node[]): Frame {
    const frame: Frame = { names: new Map(), parent };
    for (const name of boundNames(bodies)) this.declare(frame, name, 'variable', bindPosition(bodies, name));
    return frame;
  }

  visit(node: Node, frame: Frame): void {
    if (node.type === 'function' || node.type === 'partial') this.visitCall(node, frame);
    else if (node.type === 'lambda') this.visitLambda(node, frame);
    else if (node.type === 'path') this.visitPath(node, frame);
    else if (node.type === 'block') this.rest(node, this.frame(frame, node.expressions));
    else {
      if (node.type === 'variable') this.use(node.value, startOf(node), frame, false);
      if (node.type === 'name') this.facts.fields.push({ name: node.value, at: startOf(node) });
      this.rest(node, frame);
    }
  }

  private rest(node: Node, frame: Frame): void {
    for (const child of children(node)) this.visit(child, frame);
  }

  private visitCall(node: Extract<Node, { type: 'function' | 'partial' }>, frame: Frame): void {
    const { procedure } = node;
    const named = procedure.type === 'variable';
    if (named) this.use(procedure.value, startOf(procedure), frame, true);
    for (const child of children(node)) if (!named || child !== procedure) this.visit(child, frame);
  }

  private visitLambda(node: Extract<Node, { type: 'lambda' }>, frame: Frame): void {
    if (node.thunk) {
      this.rest(node, frame);
      return;
    }
    const inner: Frame = { names: new Map(), parent: frame };
    for (const a of node.arguments) this.declare(inner, a.value, 'parameter', startOf(a));
    for (const name of boundNames([node.body])) {
      if (!inner.names.has(name)) this.declare(inner, name, 'variable', bindPosition([node.body], name));
    }
    this.visit(node.body, inner);
  }

  private visitPath(node: PathNode, frame: Frame): void {
    const from = node.steps.findIndex((s) => s.tuple);
    const inner = from < 0 ? frame : this.frame(frame, node.steps.slice(from));
    for (const step of node.steps) {
      const stages = step.stages ?? [];
      const rows = [step.focus, step.index, ...stages.map((s) => (s.type === 'index' ? s.value : undefined))];
      for (const name of rows) {
        if (name !== undefined && !inner.names.has(name)) this.declare(inner, name, 'row', startOf(step));
      }
      this.visit(step, inner);
    }
    for (const [key, value] of node.group?.lhs ?? []) {
      this.visit(key, inner);
      this.visit(value, inner);
    }
  }

  private use(name: string, at: number, frame: Frame, called: boolean): void {
    if (name === '') return;
    const binding = lookup(frame, name);
    if (binding) binding.uses++;
    else if (IMPURE.has(name)) this.facts.impure.push({ name, at });
    else if (!builtin(name)) this.facts.unresolved.push({ name, at, called });
  }
}

function lookup(frame: Frame | undefined, name: string): Binding | undefined {
  for (let f = frame; f; f = f.parent) {
    const found = f.names.get(name);
    if (found) return found;
  }
  return undefined;
}

/** Where a name is first bound in the given expressions. */
function bindPosition(nodes: readonly Node[], name: string): number {
  for (const node of nodes) {
    if (node.type === 'bind' && node.lhs.value === name) return startOf(node.lhs);
    const inside = bindPosition(children(node), name);
    if (inside >= 0) return inside;
  }
  return -1;
}
