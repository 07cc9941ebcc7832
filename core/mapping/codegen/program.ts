import type { Node } from '../ast.ts';
import { builtinValue, IMPURE } from '../runtime/builtins.ts';
import type { Builtin, Fn } from '../runtime/fn.ts';
import type { RuntimeName } from '../runtime/index.ts';
import { SafeRegex } from '../runtime/regex/index.ts';
import { parseSignature } from '../runtime/signature.ts';
import { isForbidden } from '../runtime/values.ts';
import type { KnownBinds } from './scope.ts';

/** What a value may be: one bit per kind, so that checks that cannot matter are left out of the generated code. */
export const T = { undef: 1, num: 2, str: 4, bool: 8, nil: 16, obj: 32, arr: 64, fn: 128, any: 255 } as const;

/** A piece of generated JavaScript: one expression and what it may give. */
export interface Emit {
  readonly code: string;
  readonly t: number;
  /** The sequence rule has been applied already. */
  readonly normed?: boolean;
}

export const emit = (code: string, t: number = T.any, normed = false): Emit => ({ code, t, normed });

/** JavaScript text of a string or number; the only way in which anything of the mapping's text gets into the code. */
export function literal(v: string | number | boolean | null): string {
  if (typeof v === 'number') return Object.is(v, -0) ? '-0' : v < 0 ? `(${v})` : String(v);
  return JSON.stringify(v);
}

/** The body of one generated function: its local variables. */
export class FnScope {
  readonly lets: string[] = [];
  /** It may return a call in tail position. */
  hasTail = false;
  /** Direct calls that one run of it may set off, see bounds.ts. */
  cost = 0;
}

export interface Finding {
  readonly construct: string;
  readonly position: number;
}

/** Everything that one mapping's code refers to. */
export class Program {
  readonly slow: Finding[] = [];
  readonly impure: Finding[] = [];
  /** A name is bound nowhere or not available. */
  dubious = false;
  readonly constants: unknown[] = [];
  private readonly used = new Set<string>();
  private readonly accessors = new Map<string, string>();
  private readonly constantNames = new Map<string, string>();
  private readonly head: string[] = [];
  /** Variables that each node binds, see scope.ts. */
  readonly binds: KnownBinds = new Map();
  private count = 0;
  /** The functions that depend on time and chance may be used. */
  private readonly effects: boolean;

  /** The expression that is compiled. */
  readonly ast: Node;

  constructor(ast: Node, effects = false) {
    this.ast = ast;
    this.effects = effects;
  }

  noteImpure(name: string, position: number): void {
    if (IMPURE.has(name) && !this.effects) this.impure.push({ construct: `$${name}`, position });
  }

  /** A new identifier; nothing of the mapping's text is ever part of one. */
  id(prefix: string): string {
    this.count++;
    return `${prefix}${this.count}`;
  }

  /** The name of a runtime function, noted as used. */
  r(name: RuntimeName): string {
    this.used.add(name);
    return name;
  }

  private constant(key: string, value: () => unknown): string {
    const known = this.constantNames.get(key);
    if (known !== undefined) return known;
    const name = this.id('k');
    this.head.push(`const ${name}=C[${this.constants.length}];`);
    this.constants.push(value());
    this.constantNames.set(key, name);
    return name;
  }

  builtinRow(b: Builtin): string {
    return this.constant(`row ${b.name}`, () => b);
  }

  builtinFn(b: Builtin): string {
    return this.constant(`fn ${b.name}`, (): Fn => builtinValue(b));
  }

  pattern(re: RegExp): string {
    return this.constant(`re ${re.flags} ${re.source}`, () => new SafeRegex(re.source, re.flags));
  }

  signature(definition: string): string {
    return this.constant(`sig ${definition}`, () => parseSignature(definition));
  }

  /** A function that reads one own field, so that each name gets its own inline cache. */
  accessor(key: string): string {
    const known = this.accessors.get(key);
    if (known !== undefined) return known;
    const name = this.id('g');
    this.accessors.set(key, name);
    this.head.push(this.accessorCode(name, key));
    return name;
  }

  private accessorCode(name: string, key: string): string {
    if (isForbidden(key)) {
      this.dubious = true;
      return `const ${name}=()=>undefined;`;
    }
    const k = literal(key);
    const array = `if(${this.r('isArray')}(o))return ${this.r('lookupNorm')}(S,o,${k});`;
    // A field that every object inherits must be asked for as an own one; others only where the prototype is unusual.
    const read =
      key in Object.prototype
        ? `return ${this.r('own')}(o,${k});`
        : `const v=o[${k}];return v===undefined||${this.r('protoOf')}(o)===${this.r('OP')}?v:${this.r('own')}(o,${k});`;
    return `const ${name}=(o)=>{if(typeof o!=="object"||o===null)return undefined;${array}${read}};`;
  }

  /** The complete source: a function body over `R` (runtime), `C` (constants) and `S` (state of the run). */
  source(main: string): string {
    const names = [...this.used].sort().join(',');
    return `"use strict";const {${names}}=R;${this.head.join('\n')}\nreturn ${main};`;
  }
}
