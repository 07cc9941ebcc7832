import type { Node } from '../ast.ts';
import { builtin, IMPURE } from '../runtime/builtins.ts';
import { type Emit, emit, type FnScope, literal, type Program, T } from './program.ts';

interface Local {
  readonly js: string;
  /** Bound on every way that leads here. */
  definite: boolean;
  t: number;
}

/** Variables of a block, function or row of a tuple stream, as the language's frames nest. */
export class Scope {
  readonly parent: Scope | undefined;
  readonly locals = new Map<string, Local>();
  /** Rows of tuple streams carry variables that may or may not be there. */
  readonly row: { readonly js: string; readonly names: ReadonlySet<string> } | undefined;

  constructor(parent: Scope | undefined, row?: { js: string; names: ReadonlySet<string> }) {
    this.parent = parent;
    this.row = row;
  }
}

/** Where a piece of code stands. */
export interface Cx {
  readonly p: Program;
  readonly fn: FnScope;
  readonly scope: Scope;
  /** JavaScript name of the context value. */
  readonly x: string;
  /** The context value is known not to be an array. */
  readonly plain: boolean;
  /** Functions in here may be generated in two versions; off inside the version for arrays. */
  readonly dual: boolean;
  /** Calls in tail position must not be made before something else has looked at them. */
  readonly lateTail?: boolean;
}

/** Opens a frame with the variables that are bound directly in it. */
export function openFrame(cx: Cx, bodies: readonly Node[], row?: { js: string; names: ReadonlySet<string> }): Cx {
  const scope = new Scope(cx.scope, row);
  const inner: Cx = { ...cx, scope };
  for (const name of boundNames(bodies)) declare(inner, name);
  return inner;
}

/** Declares a variable that some expression of the frame binds. */
export function declare(cx: Cx, name: string): void {
  const js = cx.p.id('v');
  const outer = cx.scope.parent && refer({ ...cx, scope: cx.scope.parent }, name);
  // Without an outer variable of that name an unbound one is simply undefined.
  cx.fn.lets.push(outer ? `${js}=${cx.p.r('U')}` : js);
  cx.scope.locals.set(name, { js, definite: outer === undefined, t: T.any });
}

/** The value of a variable, or undefined when nothing of that name is in sight. */
export function refer(cx: Cx, name: string): Emit | undefined {
  return find(cx.p, cx.scope, name);
}

function find(p: Program, scope: Scope | undefined, name: string): Emit | undefined {
  if (!scope) {
    const b = builtin(name);
    return b && emit(p.builtinFn(b), T.fn, true);
  }
  const local = scope.locals.get(name);
  if (local?.definite) return emit(local.js, local.t);
  const inRow = scope.row?.names.has(name) ? scope.row : undefined;
  const outer = find(p, scope.parent, name);
  const rest = outer?.code ?? 'undefined';
  const fromRow = inRow ? `(${literal(name)} in ${inRow.js}?${inRow.js}[${literal(name)}]:${rest})` : rest;
  if (local) return emit(`(${local.js}!==${p.r('U')}?${local.js}:${fromRow})`);
  return inRow ? emit(fromRow) : outer;
}

/** The innermost place where a bind expression puts its value. */
export function target(cx: Cx, name: string): Local | undefined {
  return cx.scope.locals.get(name);
}

/** True when the name means the built-in function, not a variable of the mapping. */
export function isBuiltin(cx: Cx, name: string): boolean {
  return (builtin(name) !== undefined || IMPURE.has(name)) && !isShadowed(cx.scope, name);
}

function isShadowed(scope: Scope | undefined, name: string): boolean {
  for (let s = scope; s; s = s.parent) if (s.locals.has(name) || s.row?.names.has(name)) return true;
  return false;
}

/** Names bound by `:=` in the frame of the given expressions, without frames inside. */
export function boundNames(nodes: readonly Node[]): Set<string> {
  const names = new Set<string>();
  for (const node of nodes) collectBinds(node, names);
  return names;
}

function collectBinds(node: Node, into: Set<string>): void {
  if (node.type === 'bind') into.add(node.lhs.value);
  for (const child of sameFrame(node)) collectBinds(child, into);
}

/** The children that are evaluated in the same frame. */
export function sameFrame(node: Node): Node[] {
  const tests = [...(node.predicate ?? []), ...(node.stages ?? [])].flatMap((s) =>
    s.type === 'filter' ? [s.expr] : [],
  );
  const pairs = (node.group?.lhs ?? []).flat();
  switch (node.type) {
    case 'path': {
      const first = node.steps.findIndex((s) => s.tuple);
      const steps = first < 0 ? node.steps : node.steps.slice(0, first);
      return [...steps, ...(first < 0 ? pairs : []), ...tests];
    }
    case 'binary':
    case 'apply':
      return [node.lhs, node.rhs, ...tests, ...pairs];
    case 'unary':
      if (node.value === '-') return [node.expression, ...tests, ...pairs];
      return [...(node.value === '[' ? node.expressions : node.lhs.flat()), ...tests, ...pairs];
    case 'condition':
      return [node.condition, node.then, ...(node.else ? [node.else] : []), ...tests, ...pairs];
    case 'bind':
      return [node.rhs, ...tests, ...pairs];
    case 'function':
    case 'partial':
      return [node.procedure, ...node.arguments, ...tests, ...pairs];
    case 'lambda':
      // A call in tail position belongs to the frame of the function around it.
      return node.thunk ? [node.body] : [...tests, ...pairs];
    case 'transform':
      return [node.pattern, node.update, ...(node.delete ? [node.delete] : []), ...tests, ...pairs];
    case 'sort':
      return [...node.terms.map((t) => t.expression), ...tests];
    default:
      return [...tests, ...pairs];
  }
}
