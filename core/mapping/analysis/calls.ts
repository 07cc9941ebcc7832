import type { ApplyNode, CallNode, Node, PartialNode } from '../ast.ts';
import { builtin } from '../runtime/builtins.ts';
import { formOf } from './follow.ts';
import {
  ANY,
  BOOLEAN,
  type Form,
  functionForm,
  hasList,
  itemOf,
  listForm,
  lookup,
  MISSING,
  NUMBER,
  type ObjectForm,
  objectForm,
  type Part,
  type Scope,
  TEXT,
  unionOf,
  withMaybe,
  wordsOf,
} from './form.ts';
import type { Tracer } from './trace.ts';

/** A call of one function of the language. */
interface Call {
  readonly t: Tracer;
  readonly scope: Scope;
  readonly args: readonly Form[];
  /** Expressions of the arguments; one fewer behind `~>`. */
  readonly nodes: readonly Node[];
}

/** `$f(…)` */
export function callOf(t: Tracer, node: CallNode | PartialNode, scope: Scope, first?: Form): Form {
  const nodes = node.arguments.filter((a) => a.type !== 'operator');
  const args = [...(first ? [first] : []), ...nodes.map((a) => formOf(t, a, scope))];
  if (node.type === 'partial') {
    for (const a of args) unknownUse(t, a);
    formOf(t, node.procedure, scope);
    return functionForm();
  }
  const name = node.procedure.type === 'variable' ? node.procedure.value : undefined;
  if (name !== undefined && !lookup(scope, name))
    return builtinCall(name, { t, scope, args, nodes: first ? [] : nodes });
  return invoke(t, formOf(t, node.procedure, scope), args, scope);
}

/** `a ~> f` */
export function applied(t: Tracer, node: ApplyNode, scope: Scope): Form {
  const left = formOf(t, node.lhs, scope);
  if (node.rhs.type === 'function') return callOf(t, node.rhs, scope, left);
  if (node.rhs.type === 'variable' && !lookup(scope, node.rhs.value)) {
    return builtinCall(node.rhs.value, { t, scope, args: [left], nodes: [] });
  }
  return invoke(t, formOf(t, node.rhs, scope), [left], scope);
}

/** A function that is a value. Where it is not known everything may happen to its arguments. */
function invoke(t: Tracer, f: Form, args: readonly Form[], scope: Scope): Form {
  const closures = f.parts.flatMap((p) => (p.is === 'function' && p.closure ? [p.closure] : []));
  if (closures.length === 0 || closures.length < f.parts.length) for (const a of args) unknownUse(t, a);
  if (closures.length === 0) return ANY;
  return unionOf(closures.map((c) => t.invoke(c, args, scope.sure)));
}

function unknownUse(t: Tracer, arg: Form): void {
  t.leaves(arg);
  for (const p of arg.parts)
    if (p.is === 'function' && p.closure) t.invoke(p.closure, [ANY, ANY, ANY], p.closure.scope.sure);
}

function builtinCall(name: string, c: Call): Form {
  const [first] = c.args;
  const from = [...new Set(c.args.flatMap((a) => a.from))];
  const special = SPECIAL[name];
  if (special) {
    const form = special(c);
    return { ...form, from: [...new Set([...from, ...form.from])] };
  }
  for (const a of c.args) unknownUse(c.t, a);
  if (c.args.length === 0) c.t.whole(c.scope.context);
  const row = builtin(name);
  if (!row) return ANY;
  return { ...resultOf(row.signature.definition), maybe: first?.maybe ?? false, from };
}

function resultOf(definition: string): Form {
  const letter = /:([a-z])[^:]*>$/.exec(definition)?.[1];
  if (letter === 's') return TEXT;
  if (letter === 'n') return NUMBER;
  if (letter === 'b') return BOOLEAN;
  return letter === 'a' ? listForm(/a<s>>$/.test(definition) ? TEXT : ANY, false) : ANY;
}

type Special = (c: Call) => Form;

const arg = (c: Call, i: number): Form => c.args[i] ?? (i === 0 ? c.scope.context : MISSING);
const items = (c: Call): Form => itemOf(arg(c, 0));

/** Calls the function argument with what each item gets. */
function each(c: Call, ...given: readonly Form[]): Form {
  return c.args[1] === undefined ? ANY : invoke(c.t, c.args[1], given, c.scope);
}

/** A number of the same unit as its argument. */
const sameUnit: Special = (c) => {
  const { maybe, handed } = arg(c, 0);
  return { ...NUMBER, maybe, handed };
};
const test: Special = () => BOOLEAN;
const sameList: Special = (c) => {
  each(c, items(c), items(c));
  return arg(c, 0);
};

/** Functions whose result says more than their signature, or which look at less than all of their arguments. */
const SPECIAL: Readonly<Record<string, Special>> = {
  exists: test,
  not: (c) => withMaybe(BOOLEAN, arg(c, 0).maybe),
  boolean: (c) => withMaybe(BOOLEAN, arg(c, 0).maybe),
  count: () => NUMBER,
  type: (c) => withMaybe(TEXT, arg(c, 0).maybe),
  assert: () => MISSING,
  error: () => ({ ...MISSING, maybe: false }),
  number: sameUnit,
  floor: sameUnit,
  ceil: sameUnit,
  round: sameUnit,
  abs: sameUnit,
  sum: sameUnit,
  max: sameUnit,
  min: sameUnit,
  average: sameUnit,
  map: (c) => listForm({ ...each(c, items(c), NUMBER, arg(c, 0)), maybe: false }, true),
  filter: (c) => {
    each(c, items(c), NUMBER, arg(c, 0));
    return listForm(items(c), true);
  },
  single: (c) => {
    each(c, items(c), NUMBER, arg(c, 0));
    return withMaybe(items(c), arg(c, 0).maybe);
  },
  reduce: (c) => {
    const start = c.args[2] ?? items(c);
    const once = each(c, start, items(c), NUMBER);
    return { ...unionOf([start, each(c, unionOf([start, once]), items(c), NUMBER)]), maybe: arg(c, 0).maybe };
  },
  each: (c) => {
    c.t.whole(arg(c, 0));
    return listForm({ ...each(c, ANY, TEXT, arg(c, 0)), maybe: false }, true);
  },
  sift: (c) => {
    c.t.whole(arg(c, 0));
    each(c, ANY, TEXT, arg(c, 0));
    return ANY;
  },
  sort: sameList,
  reverse: sameList,
  distinct: sameList,
  append: (c) => {
    const [a, b] = [arg(c, 0), arg(c, 1)];
    const loose = (a.maybe || b.maybe) && !(hasList(a) && hasList(b) && !a.maybe);
    return withMaybe(listForm({ ...unionOf([itemOf(a), itemOf(b)]), maybe: false }, loose), a.maybe && b.maybe);
  },
  merge: merged,
  eval: (c) => {
    c.t.whole(c.scope.context);
    for (const a of c.args) c.t.leaves(a);
    return ANY;
  },
  lookup: lookedUp,
};

/** `$lookup(object, key)`: with a known object and known keys, what stands there. */
function lookedUp(c: Call): Form {
  const [object, key] = [items(c), arg(c, 1)];
  const words = wordsOf(key);
  const objects = object.parts.flatMap((p) => (p.is === 'object' ? [p.object] : []));
  if (objects.length < object.parts.length || objects.some((o) => o.open || o.path !== undefined)) {
    c.t.whole(object);
    return withMaybe(ANY, false);
  }
  const found = objects.flatMap((o) => {
    const names = words === undefined ? o.names : words.map(String);
    return names.map((name) => o.field(name) ?? MISSING);
  });
  return withMaybe(unionOf(found), key.maybe || words === undefined || found.some((f) => f.maybe));
}

/** `$merge([…])`: later objects win; what a conditional object brings may be missing. */
function merged(c: Call): Form {
  const [node] = c.nodes;
  const forms =
    node?.type === 'unary' && node.value === '['
      ? node.expressions.map((e) => formOf(c.t, e, c.scope))
      : [withMaybe(items(c), true)];
  const objects = forms.flatMap(({ parts, maybe }) => {
    const certain = parts.length === 1 && !maybe;
    return parts.map((p): MergePart => ({ part: p, certain }));
  });
  if (objects.some(({ part }) => part.is !== 'object')) {
    for (const f of forms) c.t.leaves(f);
    return ANY;
  }
  return objectForm(
    mergedObject(objects.flatMap(({ part, certain }) => (part.is === 'object' ? [{ ...part.object, certain }] : []))),
  );
}

interface MergePart {
  readonly part: Part;
  readonly certain: boolean;
}

function mergedObject(objects: readonly (ObjectForm & { readonly certain: boolean })[]): ObjectForm {
  const names = [...new Set(objects.flatMap((o) => o.names))];
  const field = (name: string): Form | undefined => {
    const found = objects.flatMap((o) => {
      const form = o.field(name);
      return form ? [o.certain ? form : withMaybe(form, true)] : [];
    });
    if (found.length === 0) return undefined;
    return withMaybe(
      unionOf(found),
      found.every((f) => f.maybe),
    );
  };
  return {
    open: objects.some((o) => o.open),
    names,
    required: names.filter((n) => field(n)?.maybe === false),
    keys: new Map(objects.flatMap((o) => [...(o.keys ?? [])])),
    ...(objects[0]?.at === undefined ? {} : { at: objects[0].at }),
    field,
  };
}
