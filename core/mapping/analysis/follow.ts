import type { BinaryNode, BlockNode, ConditionNode, Node, ObjectNode, PathNode } from '../ast.ts';
import { startOf } from '../position.ts';
import { builtin } from '../runtime/builtins.ts';
import { applied, callOf } from './calls.ts';
import { checkComparison } from './compare.ts';
import { fieldOf } from './fields.ts';
import {
  ANY,
  BOOLEAN,
  type Form,
  functionForm,
  hasList,
  isAny,
  itemOf,
  listForm,
  literalForm,
  lookup,
  MISSING,
  NUMBER,
  objectForm,
  type Part,
  type Scope,
  TEXT,
  unionOf,
  withMaybe,
} from './form.ts';
import { assured, factsOf } from './narrow.ts';
import type { Tracer } from './trace.ts';

/** What is known of the value of an expression. Notes what it reads and reports what cannot be. */
export function formOf(t: Tracer, node: Node, scope: Scope): Form {
  return t.at(() => known(t, node, scope));
}

function known(t: Tracer, node: Node, scope: Scope): Form {
  let form = formOfNode(t, node, scope);
  if (node.type !== 'path') {
    for (const s of node.predicate ?? []) if (s.type === 'filter') form = filtered(t, form, s.expr, scope);
    if (node.group) form = grouped(t, node.group.lhs, itemOf(form), scope);
  }
  if (node.keepArray) form = withMaybe(listForm(itemOf(form), false), form.maybe);
  return form.maybe && form.key !== undefined && scope.sure.has(form.key) ? withMaybe(form, false) : form;
}

function formOfNode(t: Tracer, node: Node, scope: Scope): Form {
  switch (node.type) {
    case 'path':
      return pathOf(t, node, scope);
    case 'name':
      return fieldOf(t, node.value, startOf(node), scope.context);
    case 'string':
    case 'number':
    case 'value':
      return literalForm(node.value, startOf(node));
    case 'variable':
      if (node.value === '') return scope.context;
      return lookup(scope, node.value) ?? (builtin(node.value) ? functionForm() : ANY);
    case 'unary':
      return unaryOf(t, node, scope);
    case 'binary':
      return binaryOf(t, node, scope);
    case 'block':
      return blockOf(t, node, scope);
    case 'bind':
      return bindOf(t, node, scope);
    case 'condition':
      return conditionOf(t, node, scope);
    case 'function':
    case 'partial':
      return callOf(t, node, scope);
    case 'apply':
      return applied(t, node, scope);
    case 'lambda': {
      if (node.thunk) return formOf(t, node.body, scope);
      const closure = { node, scope };
      t.lambda(closure);
      return functionForm(closure);
    }
    case 'regex':
      return functionForm();
    case 'transform':
      t.whole(scope.context);
      for (const part of [node.pattern, node.update, ...(node.delete ? [node.delete] : [])]) {
        formOf(t, part, { ...scope, context: ANY });
      }
      return functionForm();
    case 'wildcard':
    case 'descendant':
      t.whole(scope.context);
      return ANY;
    default:
      return ANY;
  }
}

const inside = (scope: Scope, context: Form): Scope => ({
  context,
  // bounded by: the variables of one block of the mapping
  names: new Map(),
  outer: scope,
  sure: scope.sure,
});

function unaryOf(t: Tracer, node: Extract<Node, { type: 'unary' }>, scope: Scope): Form {
  if (node.value === '-') {
    const { maybe, from } = formOf(t, node.expression, scope);
    return { ...NUMBER, maybe, from };
  }
  if (node.value === '{') return objectOf(t, node, scope);
  const items = node.expressions.map((e) => {
    const form = formOf(t, e, scope);
    const nested = e.type === 'unary' && e.value === '[';
    return nested ? form : { ...itemOf(form), maybe: false };
  });
  return listForm(items.length === 0 ? ANY : unionOf(items), false);
}

function objectOf(t: Tracer, node: ObjectNode, scope: Scope): Form {
  // bounded by: the fields of one constructor
  const fields = new Map<string, Form>();
  const keys = new Map<string, number>();
  let open = false;
  for (const [key, value] of node.lhs) {
    if (key.type !== 'string') formOf(t, key, scope);
    const form = { ...formOf(t, value, scope), at: startOf(value) };
    if (key.type === 'string') {
      fields.set(String(key.value), form);
      keys.set(String(key.value), startOf(key));
    } else {
      t.leaves(form);
      open = true;
    }
  }
  const names = [...fields.keys()];
  const made = objectForm({
    open,
    names,
    required: names.filter((n) => fields.get(n)?.maybe === false),
    at: startOf(node),
    keys,
    field: (name) => fields.get(name),
  });
  return { ...made, from: unionOf([...fields.values()]).from };
}

function binaryOf(t: Tracer, node: BinaryNode, scope: Scope): Form {
  const left = formOf(t, node.lhs, scope);
  const truth = node.value === 'and' ? true : node.value === 'or' ? false : undefined;
  const rightScope = truth === undefined ? scope : assured(scope, factsOf(t, node.lhs, truth, scope));
  const right = formOf(t, node.rhs, rightScope);
  const from = [...new Set([...left.from, ...right.from])];
  const maybe = left.maybe || right.maybe;
  switch (node.value) {
    case '&':
      t.leaves(left);
      t.leaves(right);
      return { ...TEXT, from };
    case '=':
    case '!=':
    case 'in':
      t.whole(left);
      t.whole(right);
      checkComparison(t, node, left, right);
      return { ...BOOLEAN, from };
    case '<':
    case '<=':
    case '>':
    case '>=':
      checkComparison(t, node, left, right);
      return { ...BOOLEAN, from, maybe };
    case 'and':
    case 'or':
      return { ...BOOLEAN, from };
    case '..':
      return { ...listForm(NUMBER, true), from };
    default:
      return { ...NUMBER, from, maybe };
  }
}

function blockOf(t: Tracer, node: BlockNode, scope: Scope): Form {
  let inner = inside(scope, scope.context);
  let last: Form = MISSING;
  for (const e of node.expressions) {
    last = formOf(t, e, inner);
    const asserted = e.type === 'function' && e.procedure.type === 'variable' && e.procedure.value === 'assert';
    const [condition] = asserted ? e.arguments : [];
    if (condition) inner = { ...inner, sure: assured(inner, factsOf(t, condition, true, inner)).sure };
  }
  return last;
}

function bindOf(t: Tracer, node: Extract<Node, { type: 'bind' }>, scope: Scope): Form {
  const form = formOf(t, node.rhs, scope);
  const test = node.rhs.type === 'binary' || node.rhs.type === 'function';
  const implies = test ? factsOf(t, node.rhs, true, scope) : [];
  const named: Form = {
    ...form,
    ...(form.key === undefined ? { key: `$${node.lhs.value}@${startOf(node.lhs)}` } : {}),
    ...(implies.length === 0 ? {} : { implies }),
  };
  scope.names.set(node.lhs.value, named);
  return named;
}

function conditionOf(t: Tracer, node: ConditionNode, scope: Scope): Form {
  formOf(t, node.condition, scope);
  const yes = formOf(t, node.then, assured(scope, factsOf(t, node.condition, true, scope)));
  const no = node.else ? formOf(t, node.else, assured(scope, factsOf(t, node.condition, false, scope))) : MISSING;
  return unionOf([yes, no]);
}

function pathOf(t: Tracer, node: PathNode, scope: Scope): Form {
  let at = scope.context;
  let inner = inside(scope, at);
  node.steps.forEach((step, i) => {
    if (step.type === 'sort') {
      for (const term of step.terms) formOf(t, term.expression, inside(inner, itemOf(at)));
      return;
    }
    const absolute = i === 0 && step.type !== 'name';
    const found = formOf(t, step, inside(inner, absolute ? at : itemOf(at)));
    const next = i === 0 ? found : mapped(at, found);
    inner = withRow(inner, step, itemOf(next));
    let rows = next;
    for (const s of step.stages ?? []) {
      if (s.type === 'filter') rows = filtered(t, rows, s.expr, inner);
    }
    at = step.focus === undefined ? rows : at;
  });
  if (node.keepSingletonArray) at = withMaybe(listForm(itemOf(at), false), at.maybe);
  return node.group ? grouped(t, node.group.lhs, itemOf(at), inner) : at;
}

/** A step that is taken for each item gives a sequence. */
function mapped(at: Form, found: Form): Form {
  if (!hasList(at)) return isAny(at) ? guessed(found) : withMaybe(found, found.maybe || at.maybe);
  const { key, handed } = found;
  return { ...listForm(itemOf(found), true), ...(key === undefined ? {} : { key }), handed };
}

/** Nobody knows whether there is one item or many. */
const guessed = (found: Form): Form => (isAny(found) || hasList(found) ? found : { ...found, parts: [guess(found)] });

const guess = (found: Form): Part => ({ is: 'list', item: () => found, loose: true, guess: true });

/** `@$name` and `#$name` bind variables for the steps that follow. */
function withRow(scope: Scope, step: Node, item: Form): Scope {
  const counters = [step.index, ...(step.stages ?? []).map((s) => (s.type === 'index' ? s.value : undefined))];
  const rows: (readonly [string, Form])[] = counters.flatMap((name) => (name === undefined ? [] : [[name, NUMBER]]));
  if (step.focus !== undefined) rows.push([step.focus, item]);
  return rows.length === 0 ? scope : { ...scope, names: new Map([...scope.names, ...rows]) };
}

/** `[…]` behind an expression: one item by its number, or those for which a condition holds. */
function filtered(t: Tracer, form: Form, test: Node, scope: Scope): Form {
  const item = itemOf(form);
  formOf(t, test, inside(scope, item));
  const { from, handed } = form;
  if (test.type === 'number') return { ...item, maybe: true, from, handed };
  return hasList(form) ? { ...listForm(item, true), from, handed } : withMaybe(form, true);
}

function grouped(t: Tracer, pairs: readonly (readonly [Node, Node])[], item: Form, scope: Scope): Form {
  for (const [key, value] of pairs) {
    formOf(t, key, inside(scope, item));
    t.leaves(formOf(t, value, inside(scope, item)));
  }
  return objectForm({ open: true, names: [], required: [], field: () => undefined });
}
