import type { Node } from '../ast.ts';
import { formOf } from './follow.ts';
import { ANY, type Form, type Scope } from './form.ts';
import { assured, factsOf } from './narrow.ts';
import { type Trace, type TraceOptions, Tracer } from './trace.ts';

/** Follows the values of source and context through a mapping. Needs no schema, but knows more with one. */
export function trace(ast: Node, o: TraceOptions): Trace {
  const t = new Tracer();
  const source: Form = { ...(o.source ?? ANY), key: '' };
  const context: Form = { ...(o.context ?? ANY), key: '$ctx' };
  const root: Scope = {
    context: source,
    names: new Map([
      ['$', source],
      ['ctx', context],
    ]),
    outer: undefined,
    sure: new Set(),
  };
  let holding = root;
  const { when } = o;
  if (when) {
    const before = t.reports.length;
    formOf(t, when, root);
    holding = assured(root, factsOf(t, when, true, root));
    const moved = t.reports.splice(before).map((r) => ({ ...r, at: r.at + (o.whenAt ?? 0) }));
    t.reports.push(...moved);
  }
  const result = formOf(t, ast, holding);
  t.rest();
  t.leaves(result);
  return { result, reports: t.reports, reads: t.reads, wholes: t.wholes };
}
