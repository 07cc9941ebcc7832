import { ANY, type Form, itemOf, MISSING, type ObjectForm, type Part, unionOf } from './form.ts';
import { fieldHint } from './text.ts';
import { isPath, type Tracer } from './trace.ts';

/** A field of whatever the context is; reported when nothing there can have it. */
export function fieldOf(t: Tracer, name: string, at: number, context: Form): Form {
  const item = itemOf(context);
  const found: Form[] = [];
  let absent = false;
  for (const p of item.parts) {
    const form = ofPart(t, p, name, context);
    if (form) found.push(form);
    else absent = true;
  }
  if (found.length === 0) {
    report(t, name, at, item.parts);
    return MISSING;
  }
  const one = unionOf(found);
  const path = isPath(one.key) ? one.key : undefined;
  return {
    ...one,
    maybe: one.maybe || absent,
    handed: [{ name, at, ...(path === undefined ? {} : { path }) }],
  };
}

function ofPart(t: Tracer, p: Part, name: string, context: Form): Form | undefined {
  if (p.is === 'any') return unknownField(t, name, context);
  if (p.is !== 'object') return undefined;
  const { path, open } = p.object;
  const form = p.object.field(name);
  if (form && path !== undefined) t.reads.add(joined(path, name));
  return form ?? (open ? unknownField(t, name, path === undefined ? ANY : { ...ANY, key: path }) : undefined);
}

/** Without a schema the path is still known. */
function unknownField(t: Tracer, name: string, context: Form): Form {
  if (!isPath(context.key)) return { ...ANY, from: context.from };
  const path = joined(context.key, name);
  t.reads.add(path);
  return { ...ANY, key: path, from: [path] };
}

const joined = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

function report(t: Tracer, name: string, at: number, parts: readonly Part[]): void {
  const objects: ObjectForm[] = parts.flatMap((p) => (p.is === 'object' ? [p.object] : []));
  if (parts.length === 0) return;
  // What the mapping makes itself may well lack a field.
  if (objects.some((o) => o.path === undefined)) return;
  const [first] = objects;
  const inContext = first?.path?.startsWith('$ctx') === true;
  const owner = first ? (inContext ? first.path : (first.name ?? first.path)) : 'a simple value';
  const names = objects.flatMap((o) => o.names);
  const hint = fieldHint(name, names);
  t.report({
    code: inContext ? 'mapping.unknownContext' : 'mapping.unknownSource',
    message: `${owner} has no field ${name}.`,
    at,
    ...(hint === undefined ? {} : { hint }),
  });
}
