import { type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { errorTable, type Issue } from './errors.ts';
import { type DeepCheck, deepCheck } from './schema/deep.ts';
import { type FieldDoc, fieldDocs } from './schema/docs.ts';
import { explain } from './schema/explain.ts';
import { type DocOption, objectSchema } from './schema/fields.ts';
import type { Branch, Field, Fields, Spec, Static } from './schema/spec.ts';
import { withoutUnknown } from './schema/tolerance.ts';

export { docTable, type FieldDoc, suffixIssues } from './schema/docs.ts';
export * from './schema/fields.ts';
export type { Field, Fields, Static, Unit } from './schema/spec.ts';

/** Errors of form; the FO link sends the same codes (fo 4.4). */
export const SCHEMA_ERRORS = errorTable('schema', {
  'schema.invalid': {
    what: 'The message does not have the declared form.',
    remedy: 'Correct the named field; the documentation lists all fields with type, unit and range.',
    retry: 'no',
    protocol: 'schema.invalid',
  },
  'schema.semantic': {
    what: 'The fields of the message contradict each other.',
    remedy: 'Correct the named fields; each is valid alone, but not together.',
    retry: 'no',
    protocol: 'schema.semantic',
  },
  'schema.tooLarge': {
    what: 'The message is too large.',
    remedy: 'Send less at once, e.g. in pages.',
    retry: 'no',
    protocol: 'schema.tooLarge',
  },
});

/** A declared message: static type, validator and documentation in one. */
export interface Message<T> {
  readonly name: string;
  /** Standard JSON Schema (with TypeBox's hidden kinds). */
  readonly schema: TSchema;
  /** Where it is specified, e.g. `fo 3.7`. */
  readonly clause: string;
  readonly doc: string;
  readonly example: T;
  readonly fields: readonly FieldDoc[];
  /** For builders that refer to this message. */
  readonly spec: Spec;
  /** All findings (at most 50), empty when valid. Never throws. */
  check(v: unknown): Issue[];
  is(v: unknown): v is T;
  /** Gives `v` itself back. Throws `schema.invalid` or `schema.semantic` with path, remedy and all findings. */
  parse(v: unknown): T;
  /** Like `parse`, but fields that nobody declared, at any depth, are ignored and kept (fo 9.5). */
  accept(v: unknown): T;
}

/** The static type of a message: `type Setpoint = Of<typeof Setpoint>`. */
export type Of<M> = M extends Message<infer T> ? T : never;

export interface MessageMeta<T> {
  readonly clause: string;
  readonly doc: string;
  readonly example: T;
  /** Rules across fields, called with a value of the right form; paths are relative to it. See {@link semantic}. */
  readonly rules?: (v: T) => readonly Issue[];
  /** Unknown fields are kept instead of refused. */
  readonly open?: boolean;
}

/** Declares a message, once and for all its uses. */
export function message<F extends Fields>(name: string, fields: F, meta: MessageMeta<Static<F>>): Message<Static<F>> {
  const open = meta.open ?? false;
  const { rules } = meta;
  const spec: Spec = {
    kind: 'object',
    name,
    fields,
    open,
    // The engine calls rules only with values that have passed the form of exactly these fields.
    ...(rules ? { rules: (v: unknown) => rules(v as Static<F>) } : {}),
  };
  return build<Static<F>>({
    name,
    schema: objectSchema(fields, open),
    spec,
    clause: meta.clause,
    doc: meta.doc,
    example: meta.example,
  });
}

/** A finding of a rule across fields; `path` is a JSON pointer relative to the value, e.g. `/end`. */
export const semantic = (path: string, text: string, code = 'schema.semantic'): Issue => ({
  path,
  code,
  message: text,
});

/** A field that holds another message. */
export function ref<T>(m: Message<T>, o: DocOption = {}): Field<T, false> {
  return { schema: m.schema, spec: m.spec, optional: false, doc: o.doc ?? m.doc };
}

type Branches = Readonly<Record<string, Message<object>>>;

/** One of several messages, told apart by the text in the field `discriminator`, which each declares as a literal. */
export function unionOf<B extends Branches>(
  name: string,
  discriminator: string,
  branches: B,
  meta: { readonly clause?: string; readonly doc?: string } = {},
): Message<Of<B[keyof B]>> {
  const first = Object.values(branches)[0];
  if (!first) throw SCHEMA_ERRORS.fail('schema.invalid', `The union ${name} has no branches.`);
  return build<Of<B[keyof B]>>({
    name,
    schema: Type.Union(Object.values(branches).map((b) => b.schema)),
    spec: { kind: 'union', name, discriminator, branches: toBranches(branches) },
    clause: meta.clause ?? first.clause,
    doc:
      meta.doc ??
      `One of ${Object.values(branches)
        .map((b) => b.name)
        .join(', ')}, by ${discriminator}.`,
    example: first.example as Of<B[keyof B]>,
  });
}

/** A field whose message is chosen by the text in a sibling field, e.g. FSR.parameters by FSR.serviceType (fo 3.5). */
export function bySibling<B extends Branches>(
  sibling: string,
  branches: B,
  o: DocOption = {},
): Field<Of<B[keyof B]>, false> {
  return {
    schema: Type.Union(Object.values(branches).map((b) => b.schema)),
    spec: { kind: 'sibling', sibling, branches: toBranches(branches) },
    optional: false,
    doc: o.doc ?? `Form depends on ${sibling}.`,
  };
}

function toBranches(branches: Branches): Readonly<Record<string, Branch>> {
  return Object.fromEntries(
    Object.entries(branches).map(([k, m]): [string, Branch] => [
      k,
      { name: m.name, spec: m.spec, schema: m.schema, check: (v) => m.check(v) },
    ]),
  );
}

interface Parts<T> {
  readonly name: string;
  readonly schema: TSchema;
  readonly spec: Spec;
  readonly clause: string;
  readonly doc: string;
  readonly example: T;
}

function build<T>(parts: Parts<T>): Message<T> {
  let compiled: ((v: unknown) => boolean) | undefined;
  let deep: DeepCheck | undefined;
  const hasForm = (v: unknown): boolean => {
    if (!compiled) {
      const validator = Compile(parts.schema);
      compiled = (x) => validator.Check(x);
      deep = deepCheck(parts.spec);
    }
    return compiled(v);
  };
  const check = (v: unknown): Issue[] => {
    if (hasForm(v)) {
      return deep ? [...deep(v, undefined)] : [];
    }
    const issues = explain(parts.spec, v, '', parts.name);
    if (issues.length > 0) return issues;
    return [{ path: '', code: 'schema.invalid', message: `${parts.name} does not have the declared form.` }];
  };
  const is = (v: unknown): v is T => check(v).length === 0;
  const parse = (v: unknown): T => {
    const issues = check(v);
    const first = issues[0];
    if (first === undefined) return v as T;
    const code = issues.some((i) => i.code === 'schema.invalid') ? 'schema.invalid' : 'schema.semantic';
    const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
    throw SCHEMA_ERRORS.fail(code, `${parts.name}: ${first.message}${more}`, { path: first.path, details: issues });
  };
  return {
    ...parts,
    // Made when the documentation asks; a gateway never does.
    get fields() {
      return fieldDocs(parts.spec);
    },
    check,
    is,
    parse,
    accept(v) {
      if (!is(v)) parse(withoutUnknown(parts.spec, v));
      return v as T;
    },
  };
}
