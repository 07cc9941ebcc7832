import { type CallNode, children, type LambdaNode, type Node } from '../ast.ts';
import type { Report } from '../diagnostic.ts';
import { startOf } from '../position.ts';
import { builtin } from '../runtime/builtins.ts';
import type { Builtin } from '../runtime/fn.ts';
import { typeLetter } from '../runtime/signature.ts';
import type { Binding, Facts } from './facts.ts';

/** Findings about the calls of functions: their arguments, and functions that never end. */
export function checkCalls(facts: Facts): Report[] {
  return [...facts.calls.flatMap((c) => checkCall(c)), ...endless(facts)];
}

function checkCall({ node, binding, piped }: Facts['calls'][number]): Report[] {
  if (node.procedure.type !== 'variable') return [];
  const ahead = piped ? 1 : 0;
  if (binding) return binding.lambda ? ownCall(node, binding.name, binding.lambda, ahead) : [];
  const b = builtin(node.procedure.value);
  return b ? builtinCall(node, b, ahead) : [];
}

function ownCall(node: CallNode, name: string, lambda: LambdaNode, ahead: number): Report[] {
  const [takes, given] = [lambda.arguments.length, node.arguments.length + ahead];
  const extra = node.arguments[Math.max(0, takes - ahead)];
  if (!extra) return [];
  const message = `$${name} takes ${counted(takes)}, here are ${given}.`;
  return [{ code: 'mapping.extraArgument', message, at: startOf(extra) }];
}

const counted = (n: number): string => (n === 0 ? 'no arguments' : n === 1 ? 'one argument' : `${n} arguments`);

function builtinCall(node: CallNode, b: Builtin, ahead: number): Report[] {
  const { params } = b.signature;
  const most = params.some((p) => p.repeated) ? Number.POSITIVE_INFINITY : params.length;
  const least = params.filter((p) => !p.optional && !p.context).length;
  const given = node.arguments.length + ahead;
  if (given > most || given < least) {
    const takes =
      least === most ? counted(most) : given > most ? `at most ${counted(most)}` : `at least ${counted(least)}`;
    const at = startOf(node);
    return [{ code: 'mapping.argumentCount', message: `$${b.name} takes ${takes}, here are ${given}.`, at }];
  }
  // With fewer arguments the context may stand in for the first one, and the others move.
  if (given < params.length && params.some((p) => p.context)) return [];
  return node.arguments.flatMap((a, i) => constantArgument(a, b, i + ahead));
}

function constantArgument(a: Node, b: Builtin, i: number): Report[] {
  const isConstant = (a.type === 'string' || a.type === 'number' || a.type === 'value') && !a.predicate;
  const p = b.signature.params[i];
  if (!isConstant || !p) return [];
  const letter = typeLetter(a.value);
  const wanted = p.array && p.subtype !== undefined ? p.subtype : p.accepts;
  if (wanted.includes(letter)) return [];
  const kind = TYPES[letter] ?? 'such a value';
  return [
    { code: 'mapping.argumentType', message: `Argument ${i + 1} of $${b.name} cannot be ${kind}.`, at: startOf(a) },
  ];
}

const TYPES: Readonly<Record<string, string>> = { s: 'a text', n: 'a number', b: 'a boolean', l: 'null' };

/** Functions that call themselves on every way, alone or by way of others. */
function endless({ calls, lambdas }: Facts): Report[] {
  // Few mappings have any recursion: only then is it worth to look at the ways through a function.
  const mentioned = (b: Binding): Binding[] => calls.flatMap((c) => (c.inside === b && c.binding ? [c.binding] : []));
  const suspects = lambdas.filter((b) => reaches(b, mentioned));
  if (suspects.length === 0) return [];
  const sure = new Map(suspects.map((b) => [b, b.lambda ? surelyCalled(b.lambda.body, suspects) : new Set<Binding>()]));
  return suspects
    .filter((b) => reaches(b, (at) => sure.get(at) ?? []))
    .map(({ name, at }) => ({
      code: 'mapping.recursion',
      message: `$${name} calls itself on every way through it.`,
      at,
    }));
}

/** Whether following the calls leads back to the function. */
function reaches(start: Binding, called: (b: Binding) => Iterable<Binding>): boolean {
  const reached = new Set<Binding>();
  const todo = [...called(start)];
  for (let next = todo.pop(); next; next = todo.pop()) {
    if (next === start) return true;
    if (!reached.has(next)) todo.push(...called(next));
    reached.add(next);
  }
  return false;
}

/** The functions that are called whatever the values are. */
function surelyCalled(node: Node, lambdas: readonly Binding[]): Set<Binding> {
  const found = new Set<Binding>();
  const add = (n: Node | undefined): void => {
    if (n) for (const b of surelyCalled(n, lambdas)) found.add(b);
  };
  if (node.type === 'condition') {
    add(node.condition);
    const otherwise = node.else ? surelyCalled(node.else, lambdas) : new Set();
    for (const b of surelyCalled(node.then, lambdas)) if (otherwise.has(b)) found.add(b);
  } else if (node.type === 'lambda') {
    if (node.thunk) add(node.body);
  } else if (node.type === 'binary' && (node.value === 'and' || node.value === 'or')) add(node.lhs);
  else if (node.type === 'path') add(node.steps[0]);
  else {
    if (node.type === 'function' && node.procedure.type === 'variable') {
      const { value } = node.procedure;
      const called = lambdas.filter((b) => b.name === value);
      // With two functions of that name it is not certain which one is meant.
      if (called.length === 1 && called[0]) found.add(called[0]);
    }
    for (const child of children({ ...node, predicate: [], stages: [] })) add(child);
  }
  return found;
}
