import type { MessageSchema } from './analysis/schema.ts';

type Json = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 20;
/** Any time will do; samples are to be the same on every day. */
const TIME = '2026-03-02T16:40:00Z';

/** A valid or nearly valid value of a schema: its own example where it has one, else its required fields. */
export function sampleOf(given: MessageSchema | undefined): unknown {
  if (given === undefined) return undefined;
  if ('example' in given && given.example !== undefined) return given.example;
  const schema: unknown = 'schema' in given ? given.schema : given;
  return sample(schema, schema, 0);
}

function sample(schema: unknown, root: unknown, depth: number): unknown {
  if (typeof schema !== 'object' || schema === null || depth > MAX_DEPTH) return null;
  const s = schema as Json;
  if (typeof s.$ref === 'string') return sample(resolve(s.$ref, root), root, depth + 1);
  if ('const' in s) return s.const;
  if (Array.isArray(s.enum)) return s.enum[0];
  const choice = s.anyOf ?? s.oneOf;
  if (Array.isArray(choice)) return sample(choice[0], root, depth + 1);
  if (s.type === 'object' || s.properties !== undefined) return sampleObject(s, root, depth);
  if (s.type === 'array') return [sample(s.items, root, depth + 1)];
  if (s.type === 'boolean') return false;
  if (s.type === 'integer' || s.type === 'number') return typeof s.minimum === 'number' ? s.minimum : 0;
  return s.format === 'date-time' ? TIME : 'sample';
}

function sampleObject(s: Json, root: unknown, depth: number): unknown {
  const required = Array.isArray(s.required) ? s.required.filter((r) => typeof r === 'string') : [];
  const properties = (s.properties ?? {}) as Json;
  return Object.fromEntries(required.map((name) => [name, sample(properties[name], root, depth + 1)]));
}

function resolve(ref: string, root: unknown): unknown {
  return ref
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>((at, step) => (typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined), root);
}
