import { type Node, parse } from '../ast.ts';
import { readHeader } from '../header.ts';
import { checkDepth } from './depth.ts';
import type {
  Coverage,
  DescribeOptions,
  Description,
  FieldRead,
  FieldWrite,
  LostFields,
  Schemas,
  Share,
} from './description.ts';
import { type Form, itemOf, MISSING, type ObjectForm, unionOf } from './form.ts';
import { toForm } from './schema.ts';
import { envelopeOf, objectsOf, type Target } from './targets.ts';
import type { Trace } from './trace.ts';
import { trace } from './tracing.ts';

/** Levels of fields that are listed. */
const MAX_DEPTH = 12;

/**
 * What a mapping reads of its source and sets in its targets, by following the values through it: fields that a function
 * of the mapping reads count, also when it is called with `$map`. `mapping` is the compiled one or just its text. Source
 * and targets come from its header, or from `o`. Costs some milliseconds: for workbench, command line and documentation,
 * not for every message. Never throws; a text that does not parse reads and writes nothing.
 */
export function describe(mapping: { readonly source: string }, schemas: Schemas, o: DescribeOptions = {}): Description {
  return description(subjectOf(mapping.source, schemas, o));
}

/** A mapping with the forms that its header names. */
export interface Subject {
  readonly text: string;
  readonly from: string | undefined;
  readonly source: Form | undefined;
  readonly context: Form | undefined;
  readonly to: readonly string[];
  /** Those of the targets whose schema is known. */
  readonly targets: readonly Target[];
  readonly ast: Node | undefined;
  readonly trace: Trace | undefined;
  readonly lost: readonly string[];
  readonly carried: readonly string[];
}

/** Reads header and text and follows the values. */
export function subjectOf(text: string, schemas: Schemas, o: DescribeOptions): Subject {
  const { header, when } = readHeader(text);
  const from = header.from ?? o.from;
  const to = header.to.length > 0 ? header.to : (o.to ?? []);
  const source = from === undefined ? undefined : toForm(schemas.message(from), '', from.replace(/^.*\//, ''));
  const context = toForm(schemas.context, '$ctx');
  const parsed = parse(text);
  const ast = 'ast' in parsed && checkDepth(parsed.ast).length === 0 ? parsed.ast : undefined;
  const condition = when && parse(when.text);
  const sound = condition && 'ast' in condition && checkDepth(condition.ast).length === 0;
  const holds = sound ? { when: condition.ast, whenAt: when.at } : {};
  return {
    text,
    from,
    source,
    context,
    to,
    targets: to.flatMap((topic) => {
      const form = toForm(schemas.message(topic));
      return form ? [{ topic, form }] : [];
    }),
    ast,
    trace: ast && trace(ast, { source, context, ...holds }),
    lost: header.lost,
    carried: header.carried,
  };
}

export function description(s: Subject): Description {
  const { trace: t, source } = s;
  const writes = t ? s.targets.flatMap((target) => writesOf(t.result, target, s.targets)) : [];
  return {
    ...(s.from === undefined ? {} : { from: s.from }),
    to: s.to,
    reads: t ? readsOf(t, source) : [],
    context: [...(t?.reads ?? [])].filter(isContext).sort(),
    writes: writes.map(({ field }) => field),
    coverage: s.targets.map((target) => coverageOf(target.topic, writes)),
    lost: lostOf(s),
  };
}

const isContext = (path: string): boolean => path.startsWith('$ctx');

function readsOf(t: Trace, source: Form | undefined): FieldRead[] {
  const ordered = source ? pathsOf(source, t) : [];
  const others = [...t.reads].filter((p) => !isContext(p) && !ordered.some((f) => f.path === p));
  return [...ordered, ...others.map((path) => ({ path, optional: true, whole: t.wholes.has(path) }))];
}

/** The fields of the source that are read, in the order of the schema. */
function pathsOf(form: Form, t: Trace, depth = 0): FieldRead[] {
  return objectsOf(itemOf(form)).flatMap((o) =>
    o.names.flatMap((name) => {
      const path = o.path === undefined || o.path === '' ? name : `${o.path}.${name}`;
      const field = o.field(name);
      if (!field || !t.reads.has(path) || depth > MAX_DEPTH) return [];
      const whole = t.wholes.has(path) || !reachesBelow(t, path);
      return [{ path, optional: field.maybe, whole }, ...pathsOf(field, t, depth + 1)];
    }),
  );
}

const reachesBelow = (t: Trace, path: string): boolean => {
  for (const p of t.reads) if (p.startsWith(`${path}.`)) return true;
  return false;
};

/** Fields of the source that nothing reads. Below what is handed on as a whole there are none. */
function unreadOf(form: Form, t: Trace, depth = 0): string[] {
  return objectsOf(itemOf(form)).flatMap((o) => {
    if (o.path === undefined || t.wholes.has(o.path) || depth > MAX_DEPTH) return [];
    return o.names.flatMap((name) => {
      const path = o.path === '' ? name : `${o.path}.${name}`;
      if (!t.reads.has(path)) return [path];
      const field = o.field(name);
      return field && reachesBelow(t, path) ? unreadOf(field, t, depth + 1) : [];
    });
  });
}

function lostOf({ trace: t, source, lost, carried }: Subject): LostFields {
  const unread = t && source ? [...new Set(unreadOf(source, t))] : [];
  const stated = [...lost, ...carried];
  const known = source ? stated.filter((s) => exists(source, s)) : stated;
  return {
    stated: lost,
    carried,
    unread,
    unstated: unread.filter((path) => !stated.some((s) => names(s, path))),
    read: t && source ? known.filter((s) => !unread.some((path) => names(s, path))) : [],
    unknown: stated.filter((s) => !known.includes(s)),
  };
}

/** `a.b` names that field, `*.customData` every field of that name. */
export function names(stated: string, path: string): boolean {
  if (!stated.startsWith('*.')) return stated === path;
  const name = stated.slice(2);
  return path === name || path.endsWith(`.${name}`);
}

function exists(source: Form, stated: string): boolean {
  const steps = stated.startsWith('*.') ? [stated.slice(2)] : stated.split('.');
  if (stated.startsWith('*.')) return steps[0] !== undefined && anywhere(source, steps[0], 0);
  let at: Form | undefined = source;
  for (const step of steps) {
    const fields: Form[] = objectsOf(itemOf(at)).flatMap((o) => o.field(step) ?? []);
    if (fields.length === 0) return false;
    at = unionOf(fields);
  }
  return true;
}

const anywhere = (form: Form, name: string, depth: number): boolean =>
  depth < MAX_DEPTH / 2 &&
  objectsOf(itemOf(form)).some(
    (o) => o.names.includes(name) || o.names.some((n) => anywhere(o.field(n) ?? MISSING, name, depth + 1)),
  );

interface Row {
  readonly field: FieldWrite;
  /** Fields below are listed: this one counts through them. */
  readonly open: boolean;
}

function writesOf(result: Form, target: Target, all: readonly Target[]): Row[] {
  const envelope = envelopeOf(result, all);
  const payloads = envelope
    ? envelope.filter((m) => m.topic === undefined || m.topic === target.topic).map((m) => m.payload)
    : [result];
  return rowsOf(payloads, target.form, target.topic, '', 0);
}

/** One row per field of the target; those inside an object only when it is written. */
function rowsOf(values: readonly Form[], to: Form, topic: string, parent: string, depth: number): Row[] {
  const made = values.flatMap((v) => objectsOf(itemOf(v)));
  const unknown = values.some((v) => itemOf(v).parts.some((p) => p.is === 'any'));
  return objectsOf(itemOf(to)).flatMap((o) =>
    o.names.flatMap((name): Row[] => {
      const path = parent === '' ? name : `${parent}.${name}`;
      const fields = made.flatMap((m) => m.field(name) ?? []);
      const required = o.required.includes(name);
      const set = setOf(made, fields, unknown);
      const form = o.field(name);
      const inner = form && set !== 'never' && depth < MAX_DEPTH && objectsOf(itemOf(form)).length > 0;
      const below = inner ? rowsOf(fields, form, topic, path, depth + 1) : [];
      const from = [...new Set(fields.flatMap((f) => f.from))].filter((p) => p !== '' && p !== '$ctx');
      return [{ field: { topic, path, required, set, from }, open: below.length > 0 }, ...below];
    }),
  );
}

function setOf(made: readonly ObjectForm[], fields: readonly Form[], unknown: boolean): FieldWrite['set'] {
  if (fields.length === 0) return unknown || made.some((m) => m.open) ? 'sometimes' : 'never';
  return !unknown && fields.length === made.length && fields.every((f) => !f.maybe) ? 'always' : 'sometimes';
}

function coverageOf(topic: string, rows: readonly Row[]): Coverage {
  const own = rows.filter((r) => r.field.topic === topic && !r.open).map((r) => r.field);
  return {
    topic,
    required: share(own.filter((f) => f.required)),
    optional: share(own.filter((f) => !f.required)),
  };
}

function share(fields: readonly FieldWrite[]): Share {
  const missing = fields.filter((f) => f.set === 'never').map((f) => f.path);
  const set = fields.length - missing.length;
  return {
    set,
    of: fields.length,
    percent: fields.length === 0 ? 100 : Math.floor((100 * set) / fields.length),
    missing,
  };
}
