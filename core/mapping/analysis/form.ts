import type { LambdaNode } from '../ast.ts';

/** Kinds of simple values, as bits. */
export const KIND = { text: 1, number: 2, boolean: 4, null: 8 } as const;

export type Literal = string | number | boolean | null;

/** One way that a value can look. */
export type Part =
  | { readonly is: 'any' }
  | {
      readonly is: 'simple';
      /** Bits of {@link KIND}. */
      readonly kinds: number;
      /** All values that it can have, where that is known. */
      readonly words?: readonly Literal[];
      /** Where the mapping writes it down; absent for fields of schemas. */
      readonly at?: number;
    }
  | {
      readonly is: 'list';
      item(): Form;
      /** A sequence of the language: with one item it is that item, with none it is missing. */
      readonly loose: boolean;
      /** It may as well be the item itself: nothing is known of where it comes from. */
      readonly guess?: true;
    }
  | { readonly is: 'object'; readonly object: ObjectForm }
  | { readonly is: 'function'; readonly closure?: Closure };

/** What is known of an object: from a schema, or because the mapping makes it. */
export interface ObjectForm {
  readonly name?: string;
  /** Fields that are not declared may exist. */
  readonly open: boolean;
  readonly names: readonly string[];
  readonly required: readonly string[];
  /** Its place in the source (`''` is the root) or in the context (`$ctx.resource`); absent: made by the mapping. */
  readonly path?: string;
  /** Where the mapping makes it. */
  readonly at?: number;
  /** Places of the keys that the mapping writes. */
  readonly keys?: ReadonlyMap<string, number>;
  field(name: string): Form | undefined;
}

/** A function written in the mapping, with what it sees. */
export interface Closure {
  readonly node: LambdaNode;
  readonly scope: Scope;
}

/** A field that is handed on unchanged. */
export interface Handed {
  readonly name: string;
  readonly at: number;
  /** Where it stands in the source. */
  readonly path?: string;
}

/** What is known of the value of an expression. */
export interface Form {
  /** Alternatives; none: always missing. */
  readonly parts: readonly Part[];
  /** It may be missing. */
  readonly maybe: boolean;
  /** Under this name a condition can establish that it is there. */
  readonly key?: string;
  /** Paths of source and context that it is made of. */
  readonly from: readonly string[];
  readonly handed: readonly Handed[];
  /** A boolean: keys of the values that are there when it is true. */
  readonly implies?: readonly string[];
  /** The expression that it comes from, for reports. */
  readonly at?: number;
}

/** What an expression sees. */
export interface Scope {
  readonly context: Form;
  readonly names: Map<string, Form>;
  readonly outer: Scope | undefined;
  /** Keys of values that are known to be there. */
  readonly sure: ReadonlySet<string>;
}

const MAX_PARTS = 64;
const NONE: readonly never[] = [];

const plain = (parts: readonly Part[], maybe = false): Form => ({ parts, maybe, from: NONE, handed: NONE });

export const ANY: Form = plain([{ is: 'any' }]);
export const MISSING: Form = plain([], true);
export const TEXT: Form = plain([{ is: 'simple', kinds: KIND.text }]);
export const NUMBER: Form = plain([{ is: 'simple', kinds: KIND.number }]);
export const BOOLEAN: Form = plain([{ is: 'simple', kinds: KIND.boolean }]);

export const isAny = (f: Form): boolean => f.parts.some((p) => p.is === 'any');

export function literalForm(value: Literal, at: number): Form {
  return { ...plain([{ is: 'simple', kinds: kindOf(value), words: [value], at }]), at };
}

export function kindOf(value: Literal): number {
  if (value === null) return KIND.null;
  return typeof value === 'string' ? KIND.text : typeof value === 'number' ? KIND.number : KIND.boolean;
}

export const objectForm = (object: ObjectForm, maybe = false): Form => plain([{ is: 'object', object }], maybe);

/** A list; `loose`: a sequence, which may be missing. */
export const listForm = (item: Form, loose: boolean): Form => ({
  ...plain([{ is: 'list', item: () => item, loose }], loose),
  from: item.from,
});

export const functionForm = (closure?: Closure): Form =>
  plain([closure === undefined ? { is: 'function' } : { is: 'function', closure }]);

/** The same value, known to be there or possibly missing. */
export const withMaybe = (f: Form, maybe: boolean): Form => (f.maybe === maybe ? f : { ...f, maybe });

/** One of several values. */
export function unionOf(forms: readonly Form[]): Form {
  const [first] = forms;
  if (!first) return MISSING;
  if (forms.length === 1) return first;
  const parts = [...new Set(forms.flatMap((f) => f.parts))];
  const { key } = first;
  return {
    parts: parts.length > MAX_PARTS ? ANY.parts : parts,
    maybe: forms.some((f) => f.maybe),
    ...(key !== undefined && forms.every((f) => f.key === key) ? { key } : {}),
    from: [...new Set(forms.flatMap((f) => f.from))],
    handed: [...new Set(forms.flatMap((f) => f.handed))],
  };
}

/** What a step of a path sees: the items of lists, everything else as it is. */
export function itemOf(f: Form): Form {
  if (!f.parts.some((p) => p.is === 'list')) return f;
  const { parts, from } = f;
  const items = parts.map((p) => (p.is === 'list' ? itemOf(p.item()) : plain([p])));
  return { ...unionOf(items), maybe: false, from, handed: NONE };
}

export const hasList = (f: Form): boolean => f.parts.some((p) => p.is === 'list');

/** The bits of all simple kinds that it can have; undefined when it can be something else or anything. */
export function simpleKinds(f: Form): number | undefined {
  let kinds = 0;
  for (const p of f.parts) {
    if (p.is !== 'simple') return undefined;
    kinds |= p.kinds;
  }
  return f.parts.length === 0 ? undefined : kinds;
}

/** Every value that it can have, where that is known. */
export function wordsOf(f: Form): readonly Literal[] | undefined {
  const words: Literal[] = [];
  for (const p of f.parts) {
    if (p.is !== 'simple' || p.words === undefined) return undefined;
    words.push(...p.words);
  }
  return f.parts.length === 0 ? undefined : words;
}

const KIND_NAMES = [
  [KIND.text, 'a text'],
  [KIND.number, 'a number'],
  [KIND.boolean, 'a boolean'],
  [KIND.null, 'null'],
] as const;

/** The kinds in words: `a text or a number`. */
export const kindNames = (kinds: number): string =>
  KIND_NAMES.flatMap(([bit, name]) => (kinds & bit ? [name] : [])).join(' or ');

/** Words for a hint, at most a line of them. */
export function listed(words: readonly Literal[]): string {
  const all = words.map((w) => JSON.stringify(w)).join(', ');
  return all.length > 160 ? `${all.slice(0, 160)}…` : all;
}

/** Looks a variable up. */
export function lookup(scope: Scope | undefined, name: string): Form | undefined {
  for (let s = scope; s; s = s.outer) {
    const found = s.names.get(name);
    if (found) return found;
  }
  return undefined;
}
