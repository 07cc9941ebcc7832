import type { Node } from '../ast.ts';
import { builtin } from '../runtime/builtins.ts';
import { type Emit, emit, type FnScope, literal, type Program, T } from './program.ts';

/** A function of the mapping that may be called as JavaScript function. */
export interface DirectFn {
  readonly js: string;
  /** Direct calls that a call of it may set off. */
  readonly cost: number;
}

interface Local {
  readonly js: string;
  /** Bound on every way that leads here. */
  definite: boolean;
  t: number;
  /** Its value is needed, not only its function. */
  used?: boolean;
  direct?: DirectFn;
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
  /** JavaScript name of the frame (runtime/frame.ts) that holds the variables; only where `$eval` may be called. */
  readonly frame?: string | undefined;
}

/** Opens a frame with the variables that are bound directly in it. */
export function openFrame(cx: Cx, bodies: readonly Node[], row?: { js: string; names: ReadonlySet<string> }): Cx {
  if (cx.frame) return newFrame(cx, row ? `${cx.p.r('rowFrame')}(${cx.frame},${row.js})` : frameCode(cx));
  const scope = new Scope(cx.scope, row);
  const inner: Cx = { ...cx, scope };
  for (const name of boundNames(bodies, cx.p.binds)) declare(inner, name);
  return inner;
}

const frameCode = (cx: Cx): string => `${cx.p.r('frame')}(${cx.frame})`;

/** A frame is made where its function starts: a block is evaluated at most once per call of it. */
export function newFrame(cx: Cx, code: string): Cx {
  const frame = cx.p.id('f');
  cx.fn.lets.push(`${frame}=${code}`);
  return { ...cx, frame };
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
  if (cx.frame) return emit(`${cx.p.r('look')}(S,${cx.frame},${literal(name)})`);
  return find(cx.p, cx.scope, name);
}

function find(p: Program, scope: Scope | undefined, name: string): Emit | undefined {
  if (!scope) {
    const b = builtin(name);
    if (b) p.noteImpure(name, -1);
    return b && emit(p.builtinFn(b), T.fn, true);
  }
  const local = scope.locals.get(name);
  if (local) local.used = true;
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
  return !cx.frame && builtin(name) !== undefined && !isShadowed(cx.scope, name);
}

function isShadowed(scope: Scope | undefined, name: string): boolean {
  for (let s = scope; s; s = s.parent) if (s.locals.has(name) || s.row?.names.has(name)) return true;
  return false;
}

/** Names bound by `:=` in the frame of the given expressions, without frames inside. */
export function boundNames(nodes: readonly Node[], known: KnownBinds = new Map()): Set<string> {
  const names = new Set<string>();
  for (const node of nodes) for (const name of bindsOf(node, known)) names.add(name);
  return names;
}

/** Bound names by node, filled as they are asked for. */
export type KnownBinds = Map<Node, readonly string[]>;

const NO_BINDS: readonly string[] = [];

/** Names bound by `:=` in the frame of an expression, each as often as it is bound. */
export function bindsOf(node: Node, known: KnownBinds): readonly string[] {
  const found = known.get(node);
  if (found) return found;
  let names = node.type === 'bind' ? [node.lhs.value] : NO_BINDS;
  for (const child of sameFrame(node)) {
    const inside = bindsOf(child, known);
    if (inside.length > 0) names = [...names, ...inside];
  }
  known.set(node, names);
  return names;
}

/** The children that are evaluated in the same frame. */
export function sameFrame(node: Node): readonly Node[] {
  const inner = sameFrameInner(node);
  if (!node.predicate && !node.stages && !node.group) return inner;
  const own = [...inner];
  for (const s of [...(node.predicate ?? []), ...(node.stages ?? [])]) if (s.type === 'filter') own.push(s.expr);
  // The groups of a tuple stream have frames of their own.
  const tuple = node.type === 'path' && node.steps.some((s) => s.tuple);
  if (!tuple && node.type !== 'sort') for (const pair of node.group?.lhs ?? []) own.push(...pair);
  return own;
}

const NONE: readonly Node[] = [];

function sameFrameInner(node: Node): readonly Node[] {
  switch (node.type) {
    case 'path': {
      const first = node.steps.findIndex((s) => s.tuple);
      return first < 0 ? node.steps : node.steps.slice(0, first);
    }
    case 'binary':
    case 'apply':
      return [node.lhs, node.rhs];
    case 'unary':
      if (node.value === '-') return [node.expression];
      return node.value === '[' ? node.expressions : node.lhs.flat();
    case 'condition':
      return node.else ? [node.condition, node.then, node.else] : [node.condition, node.then];
    case 'bind':
      return [node.rhs];
    case 'function':
    case 'partial':
      return [node.procedure, ...node.arguments];
    case 'lambda':
      // A call in tail position belongs to the frame of the function around it.
      return node.thunk ? [node.body] : NONE;
    case 'transform':
      return node.delete ? [node.pattern, node.update, node.delete] : [node.pattern, node.update];
    case 'sort':
      return node.terms.map((t) => t.expression);
    default:
      return NONE;
  }
}
