import type { Node, ObjectNode } from '../ast.ts';
import type { Report } from '../diagnostic.ts';
import { startOf } from '../position.ts';
import { type Form, itemOf } from './form.ts';
import { objectsOf } from './targets.ts';
import { unitOfName } from './text.ts';
import type { Trace } from './trace.ts';

/** Fields of a constructor with a unit suffix that are fed directly from a field with another unit. */
export function unitReports(node: ObjectNode): Report[] {
  return node.lhs.flatMap(([key, value]): Report[] => {
    const source = key.type === 'string' ? fieldRead(value) : undefined;
    if (source === undefined || key.type !== 'string') return [];
    const [target, unit] = [unitOfName(String(key.value)), unitOfName(source.name)];
    if (target === undefined || unit === undefined || unit === target) return [];
    const message = `${key.value} (${target}) is fed from ${source.name} (${unit}).`;
    return [{ code: 'mapping.unit', message, at: source.at }];
  });
}

/** The field that an expression hands on unchanged. */
function fieldRead(node: Node): { readonly name: string; readonly at: number } | undefined {
  const last = node.type === 'path' && !node.group ? node.steps.at(-1) : undefined;
  return last?.type === 'name' ? { name: last.value, at: startOf(last) } : undefined;
}

/** Names of fields in which messages say the unit of the value beside them. */
const UNIT_FIELDS = ['unit', 'units', 'unitOfMeasure', 'uom'];

/** Reports fields with a unit suffix that are fed from a value whose unit stands beside it and is never read. */
export function checkBesides({ result, reads }: Trace, source: Form | undefined): Report[] {
  if (!source) return [];
  return madeFields(result, 0).flatMap(([name, form]): Report[] => {
    const unit = unitOfName(name);
    if (unit === undefined) return [];
    return form.handed.flatMap(({ name: field, path, at }): Report[] => {
      if (path === undefined || unitOfName(field) !== undefined) return [];
      const beside = besides(source, path).find((p) => !reads.has(p));
      if (beside === undefined) return [];
      const message = `${name} (${unit}) is fed from ${path}, whose unit stands in ${beside}, which is never read.`;
      return [{ code: 'mapping.unitBeside', message, at }];
    });
  });
}

/** The fields of all objects that the mapping makes. */
function madeFields(form: Form, depth: number): (readonly [string, Form])[] {
  if (depth > 20) return [];
  return objectsOf(itemOf(form)).flatMap((o) =>
    o.path === undefined
      ? o.names.flatMap((name) => {
          const field = o.field(name);
          return field ? [[name, field] as const, ...madeFields(field, depth + 1)] : [];
        })
      : [],
  );
}

/** Paths of the fields beside the given one that may say its unit. */
function besides(source: Form, path: string): string[] {
  const steps = path.split('.');
  steps.pop();
  let at: readonly Form[] = [source];
  for (const step of steps) at = at.flatMap((f) => objectsOf(itemOf(f)).flatMap((o) => o.field(step) ?? []));
  const names = new Set(at.flatMap((f) => objectsOf(itemOf(f)).flatMap((o) => o.names)));
  return UNIT_FIELDS.filter((n) => names.has(n)).map((n) => [...steps, n].join('.'));
}
