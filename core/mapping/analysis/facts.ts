import { type CallNode, children, type LambdaNode, type Node, type PathNode } from '../ast.ts';
import { sameFrame } from '../codegen/scope.ts';
import { startOf } from '../position.ts';
import { builtin, IMPURE } from '../runtime/builtins.ts';

/** A variable of the mapping and what becomes of it. */
export interface Binding {
  readonly name: string;
  readonly kind: 'given' | 'variable' | 'parameter' | 'row';
  readonly at: number;
  /** What it hides. */
  readonly hides: 'variable' | 'function' | undefined;
  /** The function that it is bound to, unless it is bound more than once. */
  lambda: LambdaNode | undefined;
  uses: number;
}

/** What one walk over the tree finds out about names; the checks select from it. */
export interface Facts {
  readonly bindings: Binding[];
  readonly unresolved: { readonly name: string; readonly at: number; readonly called: boolean }[];
  readonly impure: { readonly name: string; readonly at: number }[];
  readonly fields: { readonly name: string; readonly at: number }[];
  /** Calls, with the variable of the mapping that is called, if it is one, and the function in which the call stands. */
  readonly calls: {
    readonly node: CallNode;
    readonly binding: Binding | undefined;
    readonly inside: Binding | undefined;
    /** Stands behind `~>`, which gives it one more argument in front. */
    readonly piped: boolean;
  }[];
  /** Variables that are functions of the mapping. */
  readonly lambdas: Binding[];
}

interface Frame {
  readonly names: Map<string, Binding>;
  readonly parent: Frame | undefined;
}

export function gatherFacts(ast: Node, given: readonly string[]): Facts {
  const facts: Facts = { bindings: [], unresolved: [], impure: [], fields: [], calls: [], lambdas: [] };
  const walker = new Walker(facts);
  const outer: Frame = { names: new Map(), parent: undefined };
  for (const name of ['$', ...given]) walker.declare(outer, name, 'given', 0);
  walker.visit(ast, walker.frame(outer, [ast]));
  return facts;
}

class Walker {
  private readonly facts: Facts;
  private readonly bound = new Set<Binding>();
  private readonly owners = new Map<LambdaNode, Binding>();
  private inside: Binding | undefined;
  private readonly piped = new Set<Node>();

  constructor(facts: Facts) {
    this.facts = facts;
  }

  declare(frame: Frame, name: string, kind: Binding['kind'], at: number): void {
    const outer = frame.parent && lookup(frame.parent, name);
    const hides = outer ? 'variable' : builtin(name) || IMPURE.has(name) ? 'function' : undefined;
    const binding: Binding = { name, kind, at, hides, lambda: undefined, uses: 0 };
    frame.names.set(name, binding);
    this.facts.bindings.push(binding);
  }

  frame(parent: Frame, bodies: readonly Node[]): Frame {
    const frame: Frame = { names: new Map(), parent };
    for (const [name, at] of bindsIn(bodies)) this.declare(frame, name, 'variable', at);
    return frame;
  }

  visit(node: Node, frame: Frame): void {
    if (node.type === 'function' || node.type === 'partial') this.visitCall(node, frame);
    else if (node.type === 'lambda') this.visitLambda(node, frame);
    else if (node.type === 'path') this.visitPath(node, frame);
    else if (node.type === 'block') this.rest(node, this.frame(frame, node.expressions));
    else {
      if (node.type === 'variable') this.use(node.value, startOf(node), frame, false);
      if (node.type === 'apply') this.piped.add(node.rhs);
      if (node.type === 'bind') this.bind(node.lhs.value, node.rhs, frame);
      if (node.type === 'name') this.facts.fields.push({ name: node.value, at: startOf(node) });
      this.rest(node, frame);
    }
  }

  /** Notes functions; a variable that is bound twice is none of them for certain. */
  private bind(name: string, rhs: Node, frame: Frame): void {
    const binding = lookup(frame, name);
    if (!binding) return;
    if (this.bound.has(binding)) {
      binding.lambda = undefined;
      this.facts.lambdas.splice(0, Number.POSITIVE_INFINITY, ...this.facts.lambdas.filter((b) => b !== binding));
    } else if (rhs.type === 'lambda' && !rhs.thunk) {
      binding.lambda = rhs;
      this.owners.set(rhs, binding);
      this.facts.lambdas.push(binding);
    }
    this.bound.add(binding);
  }

  private rest(node: Node, frame: Frame): void {
    for (const child of children(node)) this.visit(child, frame);
  }

  private visitCall(node: Extract<Node, { type: 'function' | 'partial' }>, frame: Frame): void {
    const { procedure } = node;
    const named = procedure.type === 'variable';
    if (named) this.use(procedure.value, startOf(procedure), frame, true);
    if (node.type === 'function') {
      this.facts.calls.push({
        node,
        binding: named ? lookup(frame, procedure.value) : undefined,
        inside: this.inside,
        piped: this.piped.has(node),
      });
    }
    for (const child of children(node)) if (!named || child !== procedure) this.visit(child, frame);
  }

  private visitLambda(node: Extract<Node, { type: 'lambda' }>, frame: Frame): void {
    if (node.thunk) {
      this.rest(node, frame);
      return;
    }
    const inner: Frame = { names: new Map(), parent: frame };
    for (const a of node.arguments) this.declare(inner, a.value, 'parameter', startOf(a));
    for (const [name, at] of bindsIn([node.body]))
      if (!inner.names.has(name)) this.declare(inner, name, 'variable', at);
    const around = this.inside;
    this.inside = this.owners.get(node) ?? around;
    this.visit(node.body, inner);
    this.inside = around;
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

/** Names bound by `:=` in the frame of the given expressions, each with the place where it is first bound. */
function bindsIn(nodes: readonly Node[], into = new Map<string, number>()): ReadonlyMap<string, number> {
  for (const node of nodes) {
    if (node.type === 'bind' && !into.has(node.lhs.value)) into.set(node.lhs.value, startOf(node.lhs));
    const inner = sameFrame(node);
    if (inner.length > 0) bindsIn(inner, into);
  }
  return into;
}
