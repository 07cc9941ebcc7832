import type { LambdaNode, Node } from '../ast.ts';
import type { Report } from '../diagnostic.ts';
import { formOf } from './follow.ts';
import { ANY, type Closure, type Form, type Scope } from './form.ts';

/** What following the values through a mapping found out. */
export interface Trace {
  readonly result: Form;
  readonly reports: readonly Report[];
  /** Fields of the source and of `$ctx` that are read, as dotted paths. */
  readonly reads: ReadonlySet<string>;
  /** Of these, what is handed on or looked at as a whole. */
  readonly wholes: ReadonlySet<string>;
}

/** Expressions looked at before the analysis gives up and knows nothing of the rest. */
const MAX_STEPS = 100_000;
const MAX_CALLS = 24;
/** Expressions inside each other, with those of the functions that are called. */
const MAX_DEPTH = 600;

/** Collects while values are followed; lives for one analysis. */
export class Tracer {
  readonly reports: Report[] = [];
  readonly reads = new Set<string>();
  readonly wholes = new Set<string>();
  private readonly active: LambdaNode[] = [];
  private readonly called = new Set<LambdaNode>();
  private readonly lambdas: Closure[] = [];
  private steps = MAX_STEPS;
  private depth = 0;

  /** What `look` finds out about an expression; anything when the analysis has looked at enough. */
  at(look: () => Form): Form {
    if (this.steps-- <= 0 || this.depth >= MAX_DEPTH) return ANY;
    this.depth++;
    try {
      return look();
    } finally {
      this.depth--;
    }
  }

  report(r: Report): void {
    this.reports.push(r);
  }

  /** Somebody looks at all of a value. */
  whole(form: Form): void {
    for (const p of form.parts) {
      if (p.is === 'object' && p.object.path !== undefined) this.wholes.add(p.object.path);
      else if (p.is === 'list') this.whole(p.item());
      else if (p.is === 'any' && isPath(form.key)) this.wholes.add(form.key);
    }
  }

  /** As {@link whole}, for what leaves the mapping: also what objects contain that the mapping makes. */
  leaves(form: Form, depth = 0): void {
    this.whole(form);
    if (depth > 40) return;
    for (const p of form.parts) {
      if (p.is === 'list') this.leaves(p.item(), depth + 1);
      else if (p.is === 'object' && p.object.path === undefined) {
        for (const name of p.object.names) this.leaves(p.object.field(name) ?? ANY, depth + 1);
      }
    }
  }

  lambda(closure: Closure): void {
    this.lambdas.push(closure);
  }

  /** The value of a call. A function that calls itself gives anything. */
  invoke({ node, scope }: Closure, args: readonly Form[], sure: ReadonlySet<string>): Form {
    this.called.add(node);
    if (this.active.includes(node) || this.active.length >= MAX_CALLS) return ANY;
    this.active.push(node);
    try {
      return formOf(this, node.body, bound(node, scope, args, sure));
    } finally {
      this.active.pop();
    }
  }

  /** Looks at functions that nothing calls: what they get is not known. */
  rest(): void {
    for (let i = 0; i < this.lambdas.length; i++) {
      const closure = this.lambdas[i];
      if (!closure || this.called.has(closure.node)) continue;
      this.invoke(
        closure,
        closure.node.arguments.map(() => ANY),
        closure.scope.sure,
      );
    }
  }
}

function bound(node: LambdaNode, outer: Scope, args: readonly Form[], sure: ReadonlySet<string>): Scope {
  // bounded by: the parameters and variables of one function
  const names = new Map<string, Form>();
  node.arguments.forEach((a, i) => {
    const given = args[i] ?? MISSING_ARGUMENT;
    names.set(a.value, given.key === undefined ? { ...given, key: `$${a.value}@${a.position ?? 0}` } : given);
  });
  return { context: outer.context, names, outer, sure: new Set([...outer.sure, ...sure]) };
}

const MISSING_ARGUMENT: Form = { parts: [], maybe: true, from: [], handed: [] };

/** Keys of variables have a place in them; paths do not. */
export const isPath = (key: string | undefined): key is string => key?.includes('@') === false;

export interface TraceOptions {
  /** The form of `$`; absent: anything. */
  readonly source?: Form | undefined;
  /** The form of `$ctx`; absent: anything. */
  readonly context?: Form | undefined;
  /** Condition of the header, which holds when the mapping runs. */
  readonly when?: Node | undefined;
  /** Where the condition stands in the text. */
  readonly whenAt?: number;
}
