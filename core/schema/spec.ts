import type { TSchema } from 'typebox';
import type { Issue } from '../errors.ts';

declare const VALUE: unique symbol;

/** One declared field: its TypeBox schema and what the explanation and the documentation need to know of it. */
export interface Field<T = unknown, Optional extends boolean = boolean> {
  readonly schema: TSchema;
  readonly spec: Spec;
  readonly optional: Optional;
  readonly doc?: string;
  readonly [VALUE]?: T;
}

export type Fields = Readonly<Record<string, Field>>;

type ValueOf<F> = F extends Field<infer T, boolean> ? T : never;
type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends Field<unknown, true> ? K : never }[keyof F];
type Flat<T> = { [K in keyof T]: T[K] };

/** The static type of declared fields. */
export type Static<F extends Fields> = Flat<
  { -readonly [K in Exclude<keyof F, OptionalKeys<F>>]: ValueOf<F[K]> } & {
    -readonly [K in OptionalKeys<F>]?: ValueOf<F[K]>;
  }
>;

/** Units a field name can end in. */
export type Unit = 'W' | 'Wh' | 's' | '%' | 'V' | 'A' | 'Hz' | 'var' | 'VA' | 'W/s' | 'Hz/s' | 'Wh/d' | '1/kWh';

export interface ObjectSpec {
  readonly kind: 'object';
  /** Name of the message, absent for inline objects. */
  readonly name?: string;
  readonly fields: Fields;
  readonly open: boolean;
  readonly rules?: (v: unknown) => readonly Issue[];
}

/** What a message or union offers to fields that refer to it. */
export interface Branch {
  readonly name: string;
  readonly spec: Spec;
  readonly schema: TSchema;
  check(v: unknown): readonly Issue[];
}

export type Spec =
  | {
      readonly kind: 'string';
      readonly what: string;
      readonly min: number;
      readonly max: number;
      readonly pattern?: string;
      readonly unit?: Unit;
    }
  | {
      readonly kind: 'number';
      readonly integer: boolean;
      readonly min: number;
      readonly max: number;
      readonly above?: number;
      readonly unit?: Unit;
    }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'oneOf'; readonly values: readonly (string | number | boolean)[] }
  | { readonly kind: 'list'; readonly item: Field; readonly min: number; readonly max: number }
  | ObjectSpec
  | { readonly kind: 'record'; readonly value: Field; readonly max: number }
  | {
      readonly kind: 'union';
      readonly name: string;
      readonly discriminator: string;
      readonly branches: Readonly<Record<string, Branch>>;
    }
  | { readonly kind: 'sibling'; readonly sibling: string; readonly branches: Readonly<Record<string, Branch>> }
  | { readonly kind: 'json'; readonly maxDepth: number; readonly object: boolean };
