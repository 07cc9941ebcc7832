import { ANY, type Form, KIND, kindOf, type Literal, type ObjectForm, objectForm, unionOf, withMaybe } from './form.ts';

/** The schema of a message: a `Message` of core/schema, or JSON Schema (with local `$ref`s). */
export type MessageSchema = { readonly schema: object } | object;

type Json = Readonly<Record<string, unknown>>;

interface At {
  readonly root: unknown;
  /** References followed so far on the way down. */
  readonly depth: number;
  readonly path: string | undefined;
}

const MAX_REFS = 40;

/**
 * The form that a schema describes; undefined for a mere topic. `path` is the place of the value in the source or the
 * context, `''` for the source itself; absent for targets. `called` is the name of a schema that has none.
 */
export function toForm(given: string | MessageSchema | undefined, path?: string, called?: string): Form | undefined {
  if (given === undefined || typeof given === 'string') return undefined;
  const schema: unknown = 'schema' in given ? given.schema : given;
  const name = 'name' in given && typeof given.name === 'string' ? given.name : called;
  const form = formOf(schema, { root: schema, depth: 0, path });
  const [first] = form.parts;
  return name !== undefined && first?.is === 'object' && form.parts.length === 1
    ? objectForm({ ...first.object, name })
    : form;
}

function formOf(schema: unknown, at: At): Form {
  if (typeof schema !== 'object' || schema === null || at.depth > MAX_REFS) return ANY;
  const s = schema as Json;
  if (typeof s.$ref === 'string') return formOf(resolve(s.$ref, at.root), { ...at, depth: at.depth + 1 });
  for (const key of ['anyOf', 'oneOf', 'allOf']) {
    const parts = s[key];
    if (Array.isArray(parts) && parts.length > 0) return merged(parts.map((p) => formOf(p, at)));
  }
  if ('const' in s) return simple([s.const]);
  if (Array.isArray(s.enum)) return simple(s.enum);
  if (Array.isArray(s.type)) return merged(s.type.map((type) => formOf({ ...s, type }, at)));
  return typed(s, at);
}

function typed(s: Json, at: At): Form {
  if (s.type === 'array') {
    let item: Form | undefined;
    const make = (): Form => {
      item ??= formOf(s.items, { ...at, depth: at.depth + 1 });
      return item;
    };
    return part({ is: 'list', item: make, loose: false });
  }
  if (typeof s.properties === 'object' && s.properties !== null && s.patternProperties === undefined) {
    return objectForm(objectOf(s, s.properties as Json, at));
  }
  const kinds = typeof s.type === 'string' ? KINDS[s.type] : undefined;
  return kinds === undefined ? ANY : part({ is: 'simple', kinds });
}

const KINDS: Readonly<Record<string, number>> = {
  string: KIND.text,
  number: KIND.number,
  integer: KIND.number,
  boolean: KIND.boolean,
  null: KIND.null,
};

const part = (p: Form['parts'][number]): Form => ({ parts: [p], maybe: false, from: [], handed: [] });

function simple(values: readonly unknown[]): Form {
  const words = values.filter((v): v is Literal => v === null || ['string', 'number', 'boolean'].includes(typeof v));
  return part({ is: 'simple', kinds: words.reduce<number>((bits, w) => bits | kindOf(w), 0), words });
}

/** Choices between constants become one set of words, choices between types one set of types. */
function merged(forms: readonly Form[]): Form {
  const parts = forms.flatMap((f) => f.parts);
  const words = parts.flatMap((p) => (p.is === 'simple' && p.words ? p.words : []));
  const allWords = parts.every((p) => p.is === 'simple' && p.words !== undefined);
  if (allWords && parts.length > 1) return simple(words);
  const kinds = parts.map((p) => (p.is === 'simple' && p.words === undefined ? p.kinds : 0));
  // A value of several simple types is one way to look: it fits where one of them does.
  return kinds.includes(0) ? unionOf(forms) : part({ is: 'simple', kinds: kinds.reduce((bits, k) => bits | k, 0) });
}

function objectOf(s: Json, properties: Json, at: At): ObjectForm {
  const required = Array.isArray(s.required) ? s.required.filter((r) => typeof r === 'string') : [];
  const inside = (name: string): string | undefined =>
    at.path === undefined ? undefined : at.path === '' ? name : `${at.path}.${name}`;
  // bounded by: the properties of one schema object
  const known = new Map<string, Form>();
  return {
    ...(typeof s.title === 'string' ? { name: s.title } : {}),
    open: s.additionalProperties !== false,
    names: Object.keys(properties),
    required,
    ...(at.path === undefined ? {} : { path: at.path }),
    field(name) {
      if (!Object.hasOwn(properties, name)) return undefined;
      const found = known.get(name) ?? fieldOf(properties[name], { ...at, depth: at.depth + 1, path: inside(name) });
      const form = withMaybe(found, !required.includes(name));
      known.set(name, form);
      return form;
    },
  };
}

/** A field of the source knows where it stands; conditions name it by that. */
function fieldOf(schema: unknown, at: At): Form {
  const form = formOf(schema, at);
  return at.path === undefined ? form : { ...form, key: at.path, from: [at.path] };
}

function resolve(ref: string, root: unknown): unknown {
  if (!ref.startsWith('#/')) return undefined;
  let at: unknown = root;
  for (const step of ref.slice(2).split('/')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = Reflect.get(at, step);
  }
  return at;
}
