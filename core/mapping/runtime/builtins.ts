import { type Builtin, Fn } from './fn.ts';
import { EFFECT_FUNCTIONS } from './functions/effects.ts';
import { NUMBER_FUNCTIONS } from './functions/numbers.ts';
import { PICTURE_FUNCTIONS } from './functions/pictures.ts';
import { STRING_FUNCTIONS } from './functions/strings.ts';
import { STRUCTURE_FUNCTIONS } from './functions/structures.ts';
import { parseSignature } from './signature.ts';

const TABLE: ReadonlyMap<string, Builtin> = new Map(
  [...NUMBER_FUNCTIONS, ...STRING_FUNCTIONS, ...STRUCTURE_FUNCTIONS, ...PICTURE_FUNCTIONS, ...EFFECT_FUNCTIONS].map(
    ([name, signature, params, arity, impl]): [string, Builtin] => [
      name,
      { name, signature: parseSignature(signature), params, arity, impl },
    ],
  ),
);

/** Functions of the language whose result depends on more than what the mapping sees: only there with `Effects`. */
export const IMPURE: ReadonlySet<string> = new Set(['now', 'millis', 'random', 'shuffle']);

/** The built-in function of that name (without `$`), also when it is impure. */
export const builtin = (name: string): Builtin | undefined => TABLE.get(name);

export const builtinNames = (): string[] => [...TABLE.keys()].filter((name) => !IMPURE.has(name)).sort();

/** A built-in as a value. */
export function builtinValue(b: Builtin): Fn {
  return new Fn({ kind: 'builtin', arity: b.arity, code: () => undefined, signature: b.signature, builtin: b });
}
