/** The schema of a message: a `Message` of core/schema, or JSON Schema (with local `$ref`s). */
export type MessageSchema = { readonly schema: object } | object;

/** What is known of the form of a value. */
export type Shape =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'simple' }
  | { readonly kind: 'list'; readonly item: Shape }
  | {
      readonly kind: 'object';
      readonly name?: string;
      /** Fields that are not declared may exist. */
      readonly open: boolean;
      readonly names: readonly string[];
      readonly required: readonly string[];
      field(name: string): Shape | undefined;
    };

export const UNKNOWN: Shape = { kind: 'unknown' };
export const SIMPLE: Shape = { kind: 'simple' };

/** The form that a schema describes; undefined for a mere topic. */
export function toShape(given: string | MessageSchema | undefined): Shape | undefined {
  if (given === undefined || typeof given === 'string') return undefined;
  const schema: unknown = 'schema' in given ? given.schema : given;
  const name = 'name' in given && typeof given.name === 'string' ? given.name : undefined;
  const shape = shapeOf(schema, schema, 0);
  return shape.kind === 'object' && name !== undefined ? { ...shape, name } : shape;
}

const MAX_REFS = 40;

function shapeOf(schema: unknown, root: unknown, depth: number): Shape {
  if (typeof schema !== 'object' || schema === null || depth > MAX_REFS) return UNKNOWN;
  const s = schema as Readonly<Record<string, unknown>>;
  if (typeof s.$ref === 'string') return shapeOf(resolve(s.$ref, root), root, depth + 1);
  for (const key of ['anyOf', 'oneOf', 'allOf']) {
    const parts = s[key];
    if (Array.isArray(parts) && parts.length > 0) return union(parts.map((p) => shapeOf(p, root, depth + 1)));
  }
  if (s.type === 'array') return { kind: 'list', item: shapeOf(s.items, root, depth + 1) };
  if (typeof s.properties === 'object' && s.properties !== null) return objectShape(s, s.properties, root, depth);
  if (s.type === 'object' || s.type === undefined) return 'const' in s || 'enum' in s ? SIMPLE : UNKNOWN;
  return SIMPLE;
}

function objectShape(s: Readonly<Record<string, unknown>>, properties: object, root: unknown, depth: number): Shape {
  return {
    kind: 'object',
    ...(typeof s.title === 'string' ? { name: s.title } : {}),
    open: s.additionalProperties !== false,
    names: Object.keys(properties),
    required: Array.isArray(s.required) ? s.required.filter((r) => typeof r === 'string') : [],
    field: (name) =>
      Object.hasOwn(properties, name) ? shapeOf(Reflect.get(properties, name), root, depth + 1) : undefined,
  };
}

function resolve(ref: string, root: unknown): unknown {
  if (!ref.startsWith('#/')) return undefined;
  let at: unknown = root;
  for (const part of ref.slice(2).split('/')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined;
    at = Reflect.get(at, part);
  }
  return at;
}

/** A value of one of several forms: a field is known when one of them has it. */
function union(shapes: readonly Shape[]): Shape {
  const objects = shapes.filter((s) => s.kind === 'object');
  if (shapes.some((s) => s.kind === 'unknown') || objects.length === 0) {
    const lists = shapes.filter((s) => s.kind === 'list');
    if (shapes.every((s) => s.kind === 'simple')) return SIMPLE;
    return lists.length === shapes.length && lists[0] ? lists[0] : UNKNOWN;
  }
  const [first] = objects;
  return {
    kind: 'object',
    open: objects.some((o) => o.open),
    names: [...new Set(objects.flatMap((o) => o.names))],
    required: (first?.required ?? []).filter((r) => objects.every((o) => o.required.includes(r))),
    field: (name) => {
      const fields = objects.flatMap((o) => o.field(name) ?? []);
      return fields.length === 0 ? undefined : union(fields);
    },
  };
}
